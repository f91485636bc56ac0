package access_test

import (
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

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
		if short := access.Decide(d, r); short != got.Decision {
			t.Fatalf("%v without words, %v with them", short, got)
		}
		wider := d
		wider.Statements = append(slices.Clone(d.Statements), policy.Statement{
			Effect: policy.Allow, Principal: policy.Principals{Star: true}, Actions: []string{"*"},
		})
		if rank(access.Decide(wider, r)) < rank(got.Decision) {
			t.Fatalf("%v, but with an Allow more %v", got, access.Evaluate(wider, r))
		}
		wider.Statements[len(d.Statements)].Effect = policy.Deny
		if rank(access.Decide(wider, r)) > rank(got.Decision) {
			t.Fatalf("%v, but with a Deny more %v", got, access.Evaluate(wider, r))
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

// Wildcards mean what a regular expression says, whatever else the text holds.
func FuzzGlob(f *testing.F) {
	f.Fuzz(func(t *testing.T, pattern, text string) {
		if len(pattern) > 200 || len(text) > 200 || !utf8.ValidString(pattern) || !utf8.ValidString(text) {
			return
		}
		re := "(?s)^" + strings.NewReplacer(`\*`, `.*`, `\?`, `.`).Replace(regexp.QuoteMeta(pattern)) + "$"
		if got, want := access.MatchGlob(access.Wild(pattern), text), regexp.MustCompile(re).MatchString(text); got != want {
			t.Fatalf("%q on %q: %t", pattern, text, got)
		}
		if got := access.MatchGlob(access.Literal(pattern), text); got != (pattern == text) {
			t.Fatalf("the text %q on %q: %t", pattern, text, got)
		}
		op, _ := policy.ParseOperator("ArnLike")
		if like := access.MatchGlob(access.Wild(pattern), text); !like && access.Match(op, pattern, text) == access.Yes {
			t.Fatalf("%q matches %q as an ARN, but not as text", pattern, text)
		}
	})
}

// Of two numbers or dates that can be compared exactly one is the smaller, or
// they are equal; every operator tells the same story, and its negation the
// opposite.
func FuzzOrder(f *testing.F) {
	f.Fuzz(func(t *testing.T, policyValue, value string) {
		for _, of := range []string{"Numeric", "Date"} {
			match := func(name string) access.Tri {
				op, ok := policy.ParseOperator(of + name)
				if !ok {
					t.Fatal(name)
				}
				return access.Match(op, policyValue, value)
			}
			less, equal, greater := match("LessThan"), match("Equals"), match("GreaterThan")
			if less == access.Unsettled {
				if equal != less || greater != less {
					t.Fatalf("%s: %v %v %v", of, less, equal, greater)
				}
				continue
			}
			settled := 0
			for _, one := range []access.Tri{less, equal, greater} {
				if one == access.Yes {
					settled++
				}
			}
			if settled != 1 || match("LessThanEquals") != less.Or(equal) || match("GreaterThanEquals") != greater.Or(equal) {
				t.Fatalf("%s %q and %q: %v %v %v", of, policyValue, value, less, equal, greater)
			}
			op, _ := policy.ParseOperator(of + "LessThan")
			if access.Match(op, value, policyValue) != greater {
				t.Fatalf("%s %q and %q: turned round", of, policyValue, value)
			}
		}
	})
}
