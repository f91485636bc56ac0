package proof

import (
	"fmt"
	"runtime"
	"slices"
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

// Whoever is told that a document is beyond the bound is told where to cut: the
// key that was looked at, or the largest part.
func TestBeyondTheBoundNamesAnElement(t *testing.T) {
	many := make([]string, 0, 9000)
	for i := range 9000 {
		many = append(many, fmt.Sprintf(`"a%d*b"`, i))
	}
	huge := document(statementText("Allow", partner, "sts:AssumeRole", ""), statementText("Allow", anyone, "sts:AssumeRole", `"StringLike":{"sts:ExternalId":[`+strings.Join(many, ",")+`]}`))
	wide := document(slices.Repeat([]string{statementText("Allow", anyone, `["a","b","c","d","e","f","g","h"]`, "")}, 480)...)
	for name, tt := range map[string]struct{ doc, names string }{
		"one huge condition":  {huge, "its largest part is Statement[1].Condition.StringLike.sts:ExternalId"},
		"many statements":     {wide, "its largest part is Statement[0]"},
		"words":               {hardOnes()["barred words"], "sts:RoleSessionName"},
		"callers":             {hardOnes()["barred callers"], "aws:PrincipalArn"},
		"long external words": {hardOnes()["long words"], "sts:ExternalId"},
	} {
		a := Find(parse(t, tt.doc), Query{World: world(), Callers: outsiders(), Actions: assume, Budget: &Budget{}})
		if a.Outcome != Unknown || len(a.Undecided) != 1 || !strings.HasSuffix(a.Undecided[0], tt.names) {
			t.Errorf("%s: %v %v", name, a.Outcome, a.Undecided)
		}
	}
	for name, text := range hardOnes() {
		a := Find(parse(t, text), Query{World: world(), Callers: outsiders(), Actions: assume, Budget: &Budget{}})
		if name == "choices" && !slices.Contains(a.Undecided, beyondAt("it was looking for a value of sts:RoleSessionName")) || slices.Contains(a.Undecided, beyondBound) {
			t.Errorf("%s: no element is named: %v", name, a.Undecided)
		}
	}
	q := Query{World: world(), Callers: outsiders(), Actions: assume, Budget: &Budget{spent: sharedLimit, extra: reserve - 10}, Where: [][]Requirement{require(Fails, "StringLike", "sts:RoleSessionName", many...)}}
	if a := Find(parse(t, typical["account"]), q); a.Outcome != Unknown || !strings.HasSuffix(a.Undecided[0], "the region's condition StringLike on sts:RoleSessionName") {
		t.Errorf("a huge region: %v %v", a.Outcome, a.Undecided)
	}
}
