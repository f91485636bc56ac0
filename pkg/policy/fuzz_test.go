package policy_test

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rolewarden/rolewarden/pkg/policy"
)

// Whatever the text, Parse ends with a document that prints and reads back, or
// with a SyntaxError that says what to do.
func FuzzParse(f *testing.F) {
	f.Fuzz(func(t *testing.T, text []byte) {
		d, err := policy.Parse(text)
		if err != nil {
			var syntax *policy.SyntaxError
			if !errors.As(err, &syntax) || syntax.Problem == "" || syntax.Remedy == "" {
				t.Fatalf("%#v", err)
			}
			return
		}
		again, err := policy.Parse(d.Print())
		if err != nil {
			t.Fatalf("%s: %v", d.Print(), err)
		}
		if diff := cmp.Diff(d, again); diff != "" {
			t.Fatal(diff)
		}
		once := d.Canonical("")
		c, err := policy.Parse(once)
		if err != nil {
			t.Fatalf("%s: %v", once, err)
		}
		if twice := c.Canonical(""); string(once) != string(twice) {
			t.Fatalf("%s\nbecomes\n%s", once, twice)
		}
		if policy.Diff(d, d) != "" || len(d.Masked().Statements) != len(d.Statements) {
			t.Fatal("the document differs from itself")
		}
	})
}

// What one policy costs on the way into the rules.
func BenchmarkParse(b *testing.B) {
	text := []byte(with(`"Condition":{"StringEquals":{"sts:ExternalId":"acme-1234"},"StringLike":{"sts:RoleSessionName":"${aws:username}"}}`))
	b.ReportAllocs()
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		if _, err := policy.Parse(text); err != nil {
			b.Fatal(err)
		}
	}
}
