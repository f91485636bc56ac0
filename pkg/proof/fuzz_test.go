package proof

import (
	"strings"
	"testing"

	"github.com/rolewarden/rolewarden/pkg/access"
	"github.com/rolewarden/rolewarden/pkg/policy"
)

// FuzzFind puts any text that parses to the search: it ends within its bound,
// what it finds is allowed, and the same document twice compares equal.
func FuzzFind(f *testing.F) {
	for _, text := range typical {
		f.Add([]byte(text), "sts:RoleSessionName", "StringLike", "${aws:username}-*")
	}
	for _, s := range unsettledAllows {
		f.Add([]byte(document(s)), "sts:ExternalId", "StringEquals", "acme-42")
	}
	f.Add([]byte(hardOnes()["nested wildcards"]), "aws:PrincipalArn", "ArnLike", "arn:aws:iam::*:role/*a*b*c*?*")
	f.Fuzz(func(t *testing.T, text []byte, key, operator, value string) {
		d, err := policy.Parse(text)
		if err != nil {
			return
		}
		q := Query{
			World: world(), Actions: assume,
			Callers: []Callers{{Kind: Users}, {Kind: RoleSessions}, {Kind: Services}},
			Where:   [][]Requirement{require(Holds, operator, key, value)},
		}
		for _, sense := range []Sense{Holds, Fails} {
			q.Where[0][0].Sense = sense
			a := Find(d, q)
			check(t, d, a)
		}
		check(t, d, FindRefused(d, Query{World: world(), Callers: q.Callers, Actions: assume}, "sts:SourceIdentity", []string{"sts:SetSourceIdentity"}, nil))
		if c := Compare(d, d, world()); c.New.Outcome == Found || c.Lost.Outcome == Found {
			t.Fatalf("a document differs from itself: %+v", c)
		}
	})
}

func check(t *testing.T, d policy.Document, a Answer) {
	t.Helper()
	switch a.Outcome {
	case Found:
		if access.Evaluate(d, *a.Witness).Decision == access.Undecided {
			t.Fatalf("an undecided witness: %+v", *a.Witness)
		}
	case Unknown:
		for _, u := range a.Undecided {
			if strings.Contains(u, "proof and access disagree") || strings.Contains(u, "should agree") {
				t.Fatalf("%s\n%s", u, d.Print())
			}
		}
		if len(a.Undecided) == 0 {
			t.Fatal("no element named")
		}
	case None:
	}
}
