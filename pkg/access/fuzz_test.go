package access_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rolewarden/rolewarden/pkg/access"
	"github.com/rolewarden/rolewarden/pkg/policy"
)

// Whatever the policy and the request, there is one decision with its reason,
// and the request can be shown and read back.
func FuzzEvaluate(f *testing.F) {
	f.Fuzz(func(t *testing.T, document, request []byte) {
		r, err := access.ParseRequest(request)
		if err != nil {
			return
		}
		text, err := r.MarshalJSON()
		if err != nil {
			t.Fatal(err)
		}
		again, err := access.ParseRequest(text)
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		if r.Context == nil {
			r.Context = map[string]access.Value{}
		}
		if diff := cmp.Diff(r, again); diff != "" {
			t.Fatal(diff)
		}
		r = r.Complete(nil)
		if r.Sentence() == "" {
			t.Fatal("no sentence")
		}
		d, err := policy.Parse(document)
		if err != nil {
			return
		}
		got := access.Evaluate(d, r)
		if got.Reason == "" {
			t.Fatal("no reason")
		}
		for _, i := range got.Statements {
			if i < 0 || i >= len(d.Statements) {
				t.Fatalf("statement %d of %d", i, len(d.Statements))
			}
		}
		c, err := policy.Parse(d.Canonical("aws"))
		if err != nil {
			t.Fatal(err)
		}
		q := r
		if q.Role == "" {
			q.Role = "arn:aws:iam::111122223333:role/app"
			if canonical := access.Evaluate(c, q); canonical.Decision != access.Evaluate(d, q).Decision {
				t.Fatalf("%v, but the canonical form %v", got, canonical)
			}
		}
	})
}
