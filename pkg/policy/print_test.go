package policy

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// What is written to IAM must be what was read: printing loses nothing.
func TestPrintIsTheInverseOfParse(t *testing.T) {
	for _, text := range []string{
		`{"Statement":{"Effect":"Allow","Principal":"*","Action":"sts:AssumeRole"}}`,
		`{"Version":"2012-10-17","Id":"x<&>","Statement":[{"Sid":"a","Effect":"Deny","Principal":{"Service":["a.b","c.d"],"AWS":"*"},"NotAction":["x","y"],"Condition":{"Bool":{"a:b":true,"c:d":[1.50,"x"]},"Foo":{},"StringLike":{"e:f":[]}}}]}`,
		`{"Statement":{"Effect":"Allow","NotPrincipal":{"AWS":"111122223333"},"Action":"a","Resource":"*","Condition":{}}}`,
	} {
		d, err := Parse([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		again, err := Parse(d.Print())
		if err != nil {
			t.Fatalf("%s: %v", d.Print(), err)
		}
		if diff := cmp.Diff(d, again); diff != "" {
			t.Errorf("%s\nreads back differently:\n%s", d.Print(), diff)
		}
	}
}
