package guard_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/rolewarden/rolewarden/pkg/ledger"
)

// stranger trusts an account that the rules file of these tests lists as a
// partner at first, and then no more.
const (
	stranger = "777788889999"
	partners = "partners: [{name: acme, accounts: [\"777788889999\"], externalId: required}]\n"
	trusting = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::777788889999:root"},"Action":"sts:AssumeRole","Condition":{"StringEquals":{"sts:ExternalId":"a-long-external-id"},"StringLike":{"sts:RoleSessionName":"${aws:username}"}}}]}`
)

// standing makes a role whose document obeyed the rules for days, with an older
// baseline to go back to, and then deploys other rules.
func standing(t *testing.T, text string) *world {
	t.Helper()
	return standingOn(t, newWorld(t, rulesFile+partners), text)
}

// standingOn is standing in a world that has a past.
func standingOn(t *testing.T, w *world, text string) *world {
	t.Helper()
	w.deploy(rulesFile + partners)
	w.put(prod, "app", appID, onlyEC2)
	w.handle(w.created("ev1", "app", onlyEC2))
	w.due()
	w.now = w.now.Add(24 * time.Hour)
	w.seal(prod, appID)
	w.put(prod, "app", appID, trusting)
	if res := w.handle(w.updated("ev2", "app", trusting)); res.End != ledger.Compliant {
		t.Fatalf("ended in %s: %+v", res.End, res.Report)
	}
	w.now = w.now.Add(24 * time.Hour)
	w.steps, w.calls, w.told = nil, nil, nil
	w.deploy(text)
	return w
}

// seen hands over an event that changed nothing: the document is the one that is
// remembered.
func (w *world) seen(eventID string) ledger.End {
	w.t.Helper()
	return w.settle(w.handle(w.updated(eventID, "app", w.live(prod, "app").TrustPolicy))).End
}

// T68: a mistake in the rules file rewrites nothing: a document that obeyed the
// former rules, and has not changed since, is told of once, with how to confirm
// the new rules and from when they act, and not even tagged.
func TestT68WhatOnlyTheRulesChangedIsOnlyToldOf(t *testing.T) {
	w := standing(t, rulesFile)
	for i := range 3 {
		if end := w.seen(fmt.Sprintf("ev3%d", i)); end != ledger.Told || w.writes() != 0 {
			t.Fatalf("look %d ended in %s with %d writes", i, end, w.writes())
		}
		w.now = w.now.Add(time.Hour)
	}
	if len(w.told) != 1 {
		t.Fatalf("told %d times", len(w.told))
	}
	text := w.told[0].Text()
	for _, want := range []string{w.rules.Hash, "only the rules have changed", "from 2026-03-04T09:01:", "rolewarden preview --confirm " + w.rules.Hash} {
		if !strings.Contains(text, want) {
			t.Errorf("the alert does not say %q:\n%s", want, text)
		}
	}
	if w.verified != 0 {
		t.Errorf("%d seals were verified for a write that is not due", w.verified)
	}
}

// T68: from the time that the rules file sets, or from a person's word on, the
// new rules act on what stands too.
func TestT68NewRulesActOnceConfirmedOrOldEnough(t *testing.T) {
	for name, row := range map[string]struct {
		text   string
		become func(*world)
	}{
		"a day has passed":                       {rulesFile, func(w *world) { w.now = w.now.Add(24 * time.Hour) }},
		"the time that the file sets has passed": {rulesFile + "ruleChanges: {observeHours: 2}\n", func(w *world) { w.now = w.now.Add(2 * time.Hour) }},
		"somebody confirmed": {rulesFile, func(w *world) {
			if err := w.ledger.ConfirmRules(w.t.Context(), w.rules.Hash, "carol", "reviewed", w.now); err != nil {
				w.t.Fatal(err)
			}
		}},
	} {
		t.Run(name, func(t *testing.T) {
			w := standing(t, row.text)
			if end := w.seen("ev3"); end != ledger.Told || w.writes() != 0 {
				t.Fatalf("ended in %s with %d writes", end, w.writes())
			}
			row.become(w)
			if end := w.seen("ev4"); end != ledger.Reverted || w.live(prod, "app").TrustPolicy != onlyEC2 {
				t.Errorf("ended in %s with %s", end, w.live(prod, "app").TrustPolicy)
			}
		})
	}
	w := standing(t, rulesFile+"ruleChanges: {observeHours: 0}\n")
	if end := w.seen("ev3"); end != ledger.Reverted {
		t.Errorf("with no time set it ended in %s", end)
	}
}

// T68: confirmed before it was deployed, a rules file acts at once; confirming
// another one changes nothing.
func TestT68AConfirmationIsOfOneRulesFile(t *testing.T) {
	w := standing(t, rulesFile)
	if err := w.ledger.ConfirmRules(t.Context(), "sha256:another", "carol", "reviewed", w.now); err != nil {
		t.Fatal(err)
	}
	if end := w.seen("ev3"); end != ledger.Told {
		t.Errorf("another one's word: ended in %s", end)
	}
	w = standing(t, rulesFile)
	if err := w.ledger.ConfirmRules(t.Context(), w.rules.Hash, "carol", "reviewed", w.now); err != nil {
		t.Fatal(err)
	}
	if end := w.seen("ev3"); end != ledger.Reverted {
		t.Errorf("confirmed before it was seen: ended in %s", end)
	}
}

// T68: rules that change again before they acted begin again to be only told of,
// and what was never written to is not written to by an edit of another line.
func TestT68AnotherChangeOfTheRulesBeginsAgain(t *testing.T) {
	w := standing(t, rulesFile)
	w.seen("ev3")
	w.now = w.now.Add(20 * time.Hour)
	w.deploy(rulesFile + "# another edit\n")
	if end := w.seen("ev4"); end != ledger.Told || w.writes() != 0 {
		t.Errorf("ended in %s with %d writes", end, w.writes())
	}
	w.now = w.now.Add(20 * time.Hour)
	if end := w.seen("ev5"); end != ledger.Told || w.writes() != 0 {
		t.Errorf("after 20 h of the second: ended in %s with %d writes", end, w.writes())
	}
	w.now = w.now.Add(5 * time.Hour)
	if end := w.seen("ev6"); end != ledger.Reverted {
		t.Errorf("after 25 h of the second: ended in %s", end)
	}
}

// A document that an event changed is judged as always, also on the first day of
// new rules, and so is one that broke the former rules already.
func TestT68WhatAnEventChangedIsActedOnAtOnce(t *testing.T) {
	w := standing(t, rulesFile)
	if res := w.open("ev3"); res.End != ledger.Reverted {
		t.Errorf("ended in %s: %v", res.End, res.Decision.Reasons)
	}
	w = standing(t, rulesFile)
	w.seen("ev3")
	if res := w.open("ev4"); res.End != ledger.Reverted {
		t.Errorf("after it was told of: ended in %s: %v", res.End, res.Decision.Reasons)
	}
}

// T68: a rule that was observed and is enforced now is a change of the rules as
// well: what it left as it is stays until the new mode is confirmed.
func TestT68AModeThatIsRaisedWaitsToo(t *testing.T) {
	w := newWorld(t, strings.Replace(rulesFile, "enforce", "observe", 1))
	w.put(prod, "app", appID, onlyEC2)
	w.handle(w.created("ev1", "app", onlyEC2))
	w.due()
	w.now = w.now.Add(24 * time.Hour)
	w.seal(prod, appID)
	if res := w.open("ev2"); res.End != ledger.Told {
		t.Fatalf("ended in %s", res.End)
	}
	w.deploy(rulesFile)
	for _, id := range []string{"ev3", "ev4"} {
		if end := w.seen(id); end != ledger.Told || w.writes() != 0 {
			t.Fatalf("ended in %s with %d writes", end, w.writes())
		}
	}
	w.now = w.now.Add(24 * time.Hour)
	if end := w.seen("ev5"); end != ledger.Reverted {
		t.Errorf("ended in %s", end)
	}
}

// Under the same rules a role that turned bad is acted on at once: an account
// that left the organization, an exemption that ended.
func TestT59AnExemptionThatEndedIsNoChangeOfTheRules(t *testing.T) {
	const exempt = `exemptions: [{rules: [external-account, external-id, session-name], role: "arn:aws:iam::111122223333:role/app", owner: alice, reason: migration, ticket: SEC-1, expires: 2026-03-10}]
`
	w := newWorld(t, rulesFile+exempt)
	w.put(prod, "app", appID, onlyEC2)
	w.handle(w.created("ev1", "app", onlyEC2))
	w.due()
	w.now = w.now.Add(24 * time.Hour)
	w.seal(prod, appID)
	if res := w.open("ev2"); res.End != ledger.Compliant || w.writes() != 0 {
		t.Fatalf("exempted, it ended in %s with %d writes", res.End, w.writes())
	}
	w.now = time.Date(2026, 3, 10, 0, 0, 1, 0, time.UTC)
	if end := w.seen("ev3"); end != ledger.Reverted {
		t.Errorf("after the exemption it ended in %s", end)
	}
}

// A doubt on the first day of new rules does not make them act when it passes.
func TestT68ADoubtDoesNotShortenTheFirstDay(t *testing.T) {
	w := standing(t, rulesFile)
	w.memberErr = fmt.Errorf("asking: %w", errTopic)
	if end := w.seen("ev3"); end != ledger.Held && end != ledger.Told || w.writes() != 0 {
		t.Fatalf("ended in %s with %d writes", end, w.writes())
	}
	w.memberErr = nil
	if end := w.seen("ev4"); end != ledger.Told || w.writes() != 0 {
		t.Errorf("ended in %s with %d writes", end, w.writes())
	}
}

// T68: what rolewarden itself put back obeyed the rules of that moment, and so
// did what an earlier rolewarden remembers as compliant: other rules wait for both.
func TestT68WhatWasPutBackWaitsToo(t *testing.T) {
	w := standing(t, rulesFile+partners+"# as before\n")
	known, err := w.ledger.Recall(t.Context(), prod, appID)
	if err != nil {
		t.Fatal(err)
	}
	b := known.Baselines[0]
	b.Document, b.Digest = trusting, digestOf(t, trusting)
	w.sealed(b)
	if res := w.open("ev3"); res.End != ledger.Reverted || w.live(prod, "app").TrustPolicy != trusting {
		t.Fatalf("ended in %s with %s", res.End, w.live(prod, "app").TrustPolicy)
	}
	w.deploy(rulesFile)
	writes := w.writes()
	if end := w.seen("ev4"); end != ledger.Told || w.writes() != writes {
		t.Errorf("ended in %s with %d more writes", end, w.writes()-writes)
	}

	w = standing(t, rulesFile)
	w.ledger.recalling = func(r *ledger.Recalled) { r.State.LeftUnder = "" }
	if end := w.seen("ev3"); end != ledger.Told || w.writes() != 0 {
		t.Errorf("remembered without its rules: ended in %s with %d writes", end, w.writes())
	}
}

// T68: an old rules file that is deployed again is one that changed as much as one
// that is new: what obeyed the rules in between is only told of at first.
func TestT68RulesThatComeBackAreObservedFirst(t *testing.T) {
	w := newWorld(t, rulesFile)
	if _, err := w.ledger.SeeRules(t.Context(), w.rules.Hash, w.now); err != nil {
		t.Fatal(err)
	}
	w.now = w.now.Add(60 * 24 * time.Hour)
	before := w.ledger
	w = standingOn(t, w, rulesFile)
	if w.ledger != before {
		t.Fatal("another ledger")
	}
	if end := w.seen("ev3"); end != ledger.Told || w.writes() != 0 {
		t.Errorf("ended in %s with %d writes", end, w.writes())
	}
	w.now = w.now.Add(25 * time.Hour)
	if end := w.seen("ev4"); end != ledger.Reverted {
		t.Errorf("a day later it ended in %s", end)
	}
}
