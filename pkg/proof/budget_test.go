package proof

import (
	"fmt"
	"runtime"
	"strings"
	"testing"
)

// TestBudgetHoldsQuestionsTogether is the promise to who asks much about one
// document: however many questions, they end within one bound.
func TestBudgetHoldsQuestionsTogether(t *testing.T) {
	for name, text := range hardOnes() {
		c := Compile(parse(t, text), "aws")
		b := &Budget{}
		for i := range 60 {
			q := Query{
				World: world(), Callers: outsiders(), Actions: assume, Budget: b,
				Where: [][]Requirement{require(Fails, "StringLike", "sts:RoleSessionName", fmt.Sprintf("${aws:username}%d*", i))},
			}
			check(t, c.document, c.Find(q))
			check(t, c.document, c.FindRefused(q, "sts:SourceIdentity", []string{"sts:SetSourceIdentity"}, nil))
		}
		if b.spent > max(c.cost, sharedLimit) || b.extra > reserve+ownSteps {
			t.Errorf("%s: %d steps and %d more together", name, b.spent, b.extra)
		}
	}
}

// TestHardStaysSmall is the promise on memory: making a hard document ready and
// fifty questions about it take no more than 8 MB together.
func TestHardStaysSmall(t *testing.T) {
	for name, text := range hardOnes() {
		d := parse(t, text)
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		c, b := Compile(d, "aws"), &Budget{}
		for i := range 25 {
			q := Query{
				World: world(), Callers: append(outsiders(), Callers{Kind: Services}), Actions: assume, Budget: b,
				Where: [][]Requirement{require(Fails, "StringLike", "sts:RoleSessionName", fmt.Sprintf("${aws:username}%d*", i))},
			}
			c.Find(q)
			c.FindRefused(q, "sts:SourceIdentity", []string{"sts:SetSourceIdentity"}, nil)
		}
		runtime.ReadMemStats(&after)
		if used := after.TotalAlloc - before.TotalAlloc; used > 8<<20 {
			t.Errorf("%s: %d bytes", name, used)
		}
	}
}

// TestASpentBudgetLeavesEasyQuestions asks an easy question of a budget of
// which a hard question has left nothing but the reserve.
func TestASpentBudgetLeavesEasyQuestions(t *testing.T) {
	for name, text := range typical {
		d := parse(t, text)
		q := Query{World: world(), Callers: append(users(), Callers{Kind: RoleSessions}), Actions: assume}
		want := Find(d, q).Outcome
		if q.Budget = (&Budget{spent: 10 * sharedLimit}); Find(d, q).Outcome != want {
			t.Errorf("%s: another answer on a spent budget", name)
		}
	}
	q := Query{World: world(), Callers: outsiders(), Actions: assume, Budget: &Budget{spent: 10 * sharedLimit}}
	a := Find(parse(t, hardOnes()["barred callers"]), q)
	if a.Outcome != Unknown || !strings.Contains(strings.Join(a.Undecided, " "), "bound") {
		t.Errorf("a hard one: %v %v", a.Outcome, a.Undecided)
	}
	if q.Budget.extra = reserve; Find(parse(t, typical["account"]), q).Outcome != Unknown {
		t.Error("more is spent than there is")
	}
}
