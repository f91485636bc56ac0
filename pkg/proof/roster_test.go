package proof

import (
	"fmt"
	"testing"
)

// TestManyMembersAreKnownAsFewAre is the promise to large organizations: who is
// known to be a member, or in the role's own account, is not held to be outside,
// however many accounts are listed and though the own one is not among them.
func TestManyMembersAreKnownAsFewAre(t *testing.T) {
	for _, n := range []int{2, 40} {
		w := world()
		w.Members = nil
		for i := range n {
			w.Members = append(w.Members, fmt.Sprintf("7%011d", i))
		}
		ask := func(text string, callers ...Callers) Outcome {
			q := Query{World: w, Callers: callers, Actions: assume, Budget: &Budget{}}
			c := Compile(parse(t, text), "aws")
			c.Find(q) // the lists are ready for the second question
			a := c.Find(q)
			check(t, c.document, a)
			return a.Outcome
		}
		of := func(account string) Callers { return Callers{Kind: Users, Accounts: Accounts{Only: []string{account}}} }
		others := allow(anyone, "sts:AssumeRole", cond("StringNotEquals", "aws:PrincipalOrgID", `"o-exampleorg1"`))
		ours := allow(anyone, "sts:AssumeRole", cond("StringEquals", "aws:PrincipalOrgID", `"o-exampleorg1"`))
		for account, want := range map[string][2]Outcome{
			"111122223333": {None, Found},
			w.Members[0]:   {None, Found},
			w.Members[n-1]: {None, Found},
			"444455556666": {Found, None},
		} {
			if got := [2]Outcome{ask(others, of(account)), ask(ours, of(account))}; got != want {
				t.Errorf("%d members, %s: %v, want %v", n, account, got, want)
			}
		}
		if got := ask(others, Callers{Kind: Users, Accounts: Accounts{Except: w.Members}}); got != Found {
			t.Errorf("%d members, all others: %v", n, got)
		}
	}
}
