package guard_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/rolewarden/rolewarden/pkg/alert"
	"github.com/rolewarden/rolewarden/pkg/decision"
	"github.com/rolewarden/rolewarden/pkg/guard"
	"github.com/rolewarden/rolewarden/pkg/ledger"
	"github.com/rolewarden/rolewarden/pkg/role"
)

// onlyAlice is what is left when bob's id is taken out.
func (w *world) prunedToAlice() bool {
	got := w.live(prod, "app").TrustPolicy
	return strings.Contains(got, aliceARN) && !strings.Contains(got, bobID) && !strings.Contains(got, bobARN) && !strings.Contains(got, `"*"`)
}

// bobIsGone deletes bob with an event, and goes through the two looks.
func (w *world) bobIsGone(document string) guard.Result {
	w.t.Helper()
	delete(w.principals, bobARN)
	w.put(prod, "app", appID, document)
	w.handle(w.event("DeleteUser", "del", map[string]any{"userName": "bob"}, nil))
	w.steps = slices.DeleteFunc(w.steps, func(s guard.Step) bool { return s.Step != guard.Confirm })
	w.told = nil
	if len(w.steps) == 0 {
		return w.looks()
	}
	res := w.due()
	if w.writes() != 0 {
		w.t.Errorf("the first look ended in %s with %d writes", res.End, w.writes())
	}
	if len(w.steps) == 0 {
		return res
	}
	return w.due()
}

// looks has the role looked at twice, ten minutes apart.
func (w *world) looks() guard.Result {
	w.t.Helper()
	w.settle(w.handle(w.updated("look", "app", w.live(prod, "app").TrustPolicy)))
	w.steps = slices.DeleteFunc(w.steps, func(s guard.Step) bool { return s.Step != guard.Confirm })
	return w.due()
}

// With pruning on, a deletion leads by itself to the id being taken out, once
// it is confirmed: one write, verified, told, and resolved by its own event.
func TestADeletedUserIsPruned(t *testing.T) {
	w := withBob(t, rulesFile+pruningOn)
	res := w.bobIsGone(mixed)
	if res.End != ledger.Reverted || res.Outcome.Done != decision.Prune || !res.Outcome.Verified || !w.prunedToAlice() {
		t.Fatalf("ended in %s (%s): %s", res.End, res.Reason, w.live(prod, "app").TrustPolicy)
	}
	if !strings.Contains(res.Reason, "are taken out of the trust policy") || !slices.Equal(res.Outcome.Dropped, []string{bobID}) {
		t.Errorf("%s: dropped %q", res.Reason, res.Outcome.Dropped)
	}
	if n := strings.Count(strings.Join(w.calls, " "), "UpdateAssumeRolePolicy"); n != 1 {
		t.Errorf("%d writes", n)
	}
	last := w.told[len(w.told)-1]
	if last.Outcome.Done != "Prune" || !strings.Contains(last.Headline(), "were taken out of the trust policy of app") || last.Change.EventID != "del" {
		t.Errorf("told %s", last.Text())
	}
	i, end, ok, err := w.ledger.Decided(t.Context(), res.Decision.ID)
	if err != nil || !ok || end != ledger.Reverted || i.Before != mixed || i.After != w.live(prod, "app").TrustPolicy {
		t.Errorf("the intent: %+v, %s, %v, %v", i, end, ok, err)
	}
	// T66: our own event finds the role good, and writes nothing more.
	w.calls = nil
	w.handle(w.updated("ours", "app", w.live(prod, "app").TrustPolicy))
	if got := w.told[len(w.told)-1]; got.State != alert.Resolved || w.writes() != 0 {
		t.Errorf("our own event: %s, %d writes", got.State, w.writes())
	}
}

// Each role that trusted a deleted user is looked at again and pruned, also
// several of one account.
func TestADeletedUserIsPrunedEverywhere(t *testing.T) {
	w := withBob(t, rulesFile+pruningOn)
	w.put(prod, "second", "AROASECOND1111111111", both)
	w.settle(w.handle(w.updated("ev-second", "second", both)))
	delete(w.principals, bobARN)
	w.put(prod, "app", appID, mixed)
	w.put(prod, "second", "AROASECOND1111111111", mixed)
	w.steps = nil
	w.handle(w.event("DeleteUser", "del", map[string]any{"userName": "bob"}, nil))
	if len(w.steps) != 2 || !strings.Contains(strings.Join(w.told[len(w.told)-1].Decision.Reasons, " "), "Pruning is on") {
		t.Fatalf("%d steps, told %q", len(w.steps), w.told[len(w.told)-1].Decision.Reasons)
	}
	for len(w.steps) > 0 {
		w.due()
	}
	for _, name := range []string{"app", "second"} {
		if got := w.live(prod, name).TrustPolicy; strings.Contains(got, bobID) {
			t.Errorf("%s: %s", name, got)
		}
	}
}

// Nothing is pruned unless the rules file says so, the rule is enforced, no
// exemption covers the finding, and nothing stays the hand.
func TestWhatIsNotPruned(t *testing.T) {
	exempted := "exemptions:\n  - {rules: [unique-id-principal], role: \"arn:aws:iam::111122223333:role/app\", owner: a@b.example, reason: r, ticket: S-1, expires: 2026-04-01}\n"
	tagged := "rules:\n  unique-id-principal: {mode: tag}\n"
	for name, row := range map[string]struct {
		rules, document string
		prepare         func(*world)
		says            string
	}{
		"off by default":             {rules: rulesFile},
		"the rule only tags":         {rules: rulesFile + pruningOn + tagged},
		"exempted":                   {rules: rulesFile + pruningOn + exempted},
		"T50: a Deny with the id":    {rules: rulesFile + pruningOn, document: strings.TrimSuffix(mixed, "]}") + `,{"Effect":"Deny","Principal":{"AWS":"AIDABOB11111111111111"},"Action":"sts:AssumeRole"}]}`, says: "never edits a Deny"},
		"T49: nobody would be left":  {rules: rulesFile + pruningOn, document: strings.Replace(mixed, `"arn:aws:iam::111122223333:user/alice",`, "", 1), says: "Nobody would be left"},
		"C19: another id may live":   {rules: rulesFile + pruningOn, document: strings.Replace(mixed, `"AIDABOB`, `"AIDACAROL111111111111","AIDABOB`, 1), says: "not known that it is gone"},
		"the kill switch":            {rules: rulesFile + pruningOn, prepare: (*world).stop, says: "kill switch stops every write"},
		"a protected role":           {rules: rulesFile + pruningOn + "protected: [\"arn:aws:iam::*:role/app\"]\n", says: "rules file"},
		"the limit is used up":       {rules: rulesFile + pruningOn + "limits: {perRolePerDay: 1}\n", prepare: (*world).spendRole, says: "role/111122223333/" + appID},
		"IAM refuses the policy":     {rules: rulesFile + pruningOn, prepare: func(w *world) { w.writeErr = fmt.Errorf("writing: %w", role.ErrMalformed) }, says: "malformed policy document"},
		"T82: it cannot be modified": {rules: rulesFile + pruningOn, prepare: func(w *world) { w.writeErr = fmt.Errorf("writing: %w", role.ErrUnmodifiable) }, says: "cannot be modified"},
	} {
		t.Run(name, func(t *testing.T) {
			if row.document == "" {
				row.document = mixed
			}
			w := withBob(t, row.rules)
			if row.prepare != nil {
				row.prepare(w)
			}
			res := w.bobIsGone(row.document)
			if got := w.live(prod, "app").TrustPolicy; got != row.document || res.End == ledger.Reverted {
				t.Errorf("ended in %s: %s", res.End, got)
			}
			told := ""
			for _, a := range w.told {
				told += a.Text()
			}
			if !strings.Contains(told, row.says) {
				t.Errorf("told: %s", told)
			}
		})
	}
}

// spendRole uses up what may be written to the role in a day.
func (w *world) spendRole() {
	w.t.Helper()
	day := []ledger.Counter{{Name: "role/" + prod + "/" + appID, Window: 24 * 3600e9, Limit: 1}}
	if err := w.ledger.Spend(w.t.Context(), "before", w.now, day); err != nil {
		w.t.Fatal(err)
	}
}

// C19: what a breach takes back and what is pruned go into one document.
func TestARevertLeavesOutOrphansToo(t *testing.T) {
	w := withBob(t, rulesFile+pruningOn)
	w.settle(w.handle(w.updated("ev2", "app", both)))
	for len(w.steps) > 0 {
		w.due()
	}
	w.seal(prod, appID)
	delete(w.principals, bobARN)
	w.handle(w.event("DeleteUser", "del", map[string]any{"userName": "bob"}, nil))
	broken := strings.Replace(mixed, `"AIDABOB`, `"*","AIDABOB`, 1)
	w.put(prod, "app", appID, broken)
	w.now = w.now.Add(48 * 3600e9)
	res := w.settle(w.handle(w.updated("ev3", "app", broken)))
	if res.Outcome.Done != decision.Revert || !w.prunedToAlice() {
		t.Errorf("%s (%s): %s", res.Outcome.Done, res.Reason, w.live(prod, "app").TrustPolicy)
	}
}
