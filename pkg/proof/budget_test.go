package proof

import (
	"fmt"
	"strings"
	"testing"
)

// TestBudgetHoldsQuestionsTogether is the promise to who asks much about one
// document: a dozen questions end within one bound, and the easy ones among
// them are answered though a hard one has used it up.
func TestBudgetHoldsQuestionsTogether(t *testing.T) {
	for name, text := range hardOnes() {
		c := Compile(parse(t, text), "aws")
		b := &Budget{}
		for i := range 12 {
			q := Query{
				World: world(), Callers: outsiders(), Actions: assume, Budget: b,
				Where: [][]Requirement{require(Fails, "StringLike", "sts:RoleSessionName", fmt.Sprintf("${aws:username}%d*", i))},
			}
			check(t, c.document, c.Find(q))
			check(t, c.document, c.FindRefused(q, "sts:SourceIdentity", []string{"sts:SetSourceIdentity"}, nil))
		}
		// A single step may be a long one, so that the bound is met from above.
		if b.spent > workLimit+workLimit/4 {
			t.Errorf("%s: %d steps together", name, b.spent)
		}
	}
}

// TestASpentBudgetLeavesEasyQuestions asks an easy question of a budget that is used up.
func TestASpentBudgetLeavesEasyQuestions(t *testing.T) {
	spent := &Budget{spent: 10 * workLimit}
	for name, text := range typical {
		d := parse(t, text)
		q := Query{World: world(), Callers: append(users(), Callers{Kind: RoleSessions}), Actions: assume}
		want := Find(d, q).Outcome
		if q.Budget = spent; Find(d, q).Outcome != want {
			t.Errorf("%s: another answer on a spent budget", name)
		}
	}
	q := Query{World: world(), Callers: outsiders(), Actions: assume, Budget: spent}
	a := Find(parse(t, hardOnes()["choices"]), q)
	if a.Outcome != Unknown || !strings.Contains(strings.Join(a.Undecided, " "), "bound") {
		t.Errorf("a hard one: %v %v", a.Outcome, a.Undecided)
	}
}
