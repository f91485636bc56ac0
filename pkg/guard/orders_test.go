package guard_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/rolewarden/rolewarden/pkg/alert"
	"github.com/rolewarden/rolewarden/pkg/decision"
	"github.com/rolewarden/rolewarden/pkg/finding"
	"github.com/rolewarden/rolewarden/pkg/ledger"
	"github.com/rolewarden/rolewarden/pkg/role"
)

// orders calls f with every order of n things.
func orders(n int, f func([]int)) {
	order := make([]int, 0, n)
	var more func(left []int)
	more = func(left []int) {
		if len(left) == 0 {
			f(order)
			return
		}
		for i := range left {
			order = append(order, left[i])
			rest := append(append([]int(nil), left[:i]...), left[i+1:]...)
			more(rest)
			order = order[:len(order)-1]
		}
	}
	all := make([]int, n)
	for i := range all {
		all[i] = i
	}
	more(all)
}

// sid is a document under another Sid: another document that says the same.
func sid(document string, n int) string {
	return strings.Replace(document, `"Effect"`, fmt.Sprintf(`"Sid":"n%d","Effect"`, n), 1)
}

// T6: six events of one role, in whichever order they arrive: what the role is
// now counts. If it is good nothing is written and nobody told; if it is open it
// is reverted once and told of once.
func TestT6EveryOrderOfSixEventsEndsInTheSame(t *testing.T) {
	history := []string{closed, opened, sid(closed, 2), sid(opened, 3), sid(closed, 4)}
	for name, last := range map[string]string{"good in the end": sid(closed, 5), "open in the end": sid(opened, 5)} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			orders(6, func(order []int) {
				w := withBaseline(t, rulesFile)
				var events [][]byte
				for i, document := range append(append([]string(nil), history...), last) {
					w.now = w.now.Add(time.Minute)
					events = append(events, w.updated(fmt.Sprintf("ev%d", i), "app", document))
				}
				w.put(prod, "app", appID, last)
				for _, i := range order {
					w.handle(events[i])
				}
				for len(w.steps) > 0 {
					w.due()
				}
				good := last != sid(opened, 5)
				want, told := 1, 1
				if good {
					want, told = 0, 0
				}
				opens := 0
				for _, a := range w.told {
					if a.State == alert.Opened {
						opens++
					}
				}
				if w.trust() != want || opens != told || good != (w.live(prod, "app").TrustPolicy == last) {
					t.Errorf("order %v: %d writes, %d alerts opened, it reads %s", order, w.trust(), opens, w.live(prod, "app").TrustPolicy)
				}
			})
		})
	}
}

// T5: events that are replayed, however often, neither write nor tell.
func TestT5AReplayOfEverythingDoesNothing(t *testing.T) {
	w := withBaseline(t, rulesFile)
	var events [][]byte
	for i := range 200 {
		w.now = w.now.Add(time.Hour)
		document := []string{opened, closed}[i%2]
		w.put(prod, "app", appID, document)
		body := w.updated(fmt.Sprintf("ev%d", i), "app", document)
		w.settle(w.handle(body))
		w.steps = nil
		w.put(prod, "app", appID, closed)
		events = append(events, body)
	}
	writes, told, reads := w.writes(), len(w.told), len(w.calls)
	for range 10 {
		for _, body := range events {
			if res := w.handle(body); res.Ignored != "handled before" {
				t.Fatalf("%s was not known", res.Key.EventID)
			}
		}
	}
	if w.writes() != writes || len(w.told) != told || len(w.calls) != reads {
		t.Errorf("%d more writes, %d more alerts, %d more calls", w.writes()-writes, len(w.told)-told, len(w.calls)-reads)
	}
}

// T1: failed calls by the thousand cost nothing and change nothing.
func TestT1FailedCallsCostNothing(t *testing.T) {
	w := withBaseline(t, rulesFile)
	n := w.ledger.n
	for i := range 1000 {
		body := strings.Replace(string(w.updated(fmt.Sprintf("ev%d", i), "app", opened)), `"eventID"`, `"errorCode":"AccessDenied","eventID"`, 1)
		w.handle([]byte(body))
	}
	if len(w.calls)+len(w.told) != 0 || w.ledger.n != n {
		t.Errorf("calls %d, alerts %d, ledger %d", len(w.calls), len(w.told), w.ledger.n-n)
	}
}

// T67: the owner of a name in the baseline is deleted while the revert is tried:
// IAM refuses the document, and the next look leaves the name out.
func TestT67APrincipalThatVanishesMeanwhileIsLeftOut(t *testing.T) {
	w := withBaseline(t, rulesFile)
	const alice = "arn:aws:iam::111122223333:user/alice"
	w.onWrite = func() {
		delete(w.principals, alice)
		w.writeErr = fmt.Errorf("writing: %w", role.ErrInvalidPrincipal)
	}
	res := w.open("ev2")
	if res.End != ledger.InFlight || w.live(prod, "app").TrustPolicy != opened {
		t.Fatalf("ended in %s", res.End)
	}
	w.onWrite, w.writeErr = nil, nil
	res = w.settle(res)
	if res.End != ledger.Reverted || len(res.Outcome.Dropped) != 1 || strings.Contains(w.live(prod, "app").TrustPolicy, `"Allow"`) {
		t.Errorf("ended in %s with %s: %+v", res.End, w.live(prod, "app").TrustPolicy, res.Outcome)
	}
}

// T67: one that IAM refuses for good ends in an alert, after minutes and not never.
func TestT67ADocumentThatNeverSavesIsToldOf(t *testing.T) {
	w := withBaseline(t, rulesFile)
	w.writeErr = fmt.Errorf("writing: %w", role.ErrInvalidPrincipal)
	begin := w.now
	res := w.settle(w.open("ev2"))
	if res.End != ledger.Held || len(w.told) != 1 || w.now.Sub(begin) > 15*time.Minute {
		t.Errorf("ended in %s after %s, told %d times", res.End, w.now.Sub(begin), len(w.told))
	}
}

// T53, T52: a role that is deleted and made again under its name, in whatever
// spelling, has none of the old one's past: no baseline, no word, no limit.
func TestT53ARoleMadeAnewHasNoPast(t *testing.T) {
	w := withBaseline(t, rulesFile)
	w.give(word(w, opened, 100*time.Hour))
	w.put(prod, "APP", "AROANEW1111111111111", opened)
	w.now = w.now.Add(3 * time.Hour)
	res := w.handle(w.updated("ev2", "App", opened))
	if res.End != ledger.Held || w.writes() != 0 || !strings.Contains(w.told[0].Text(), "none was ever sealed") {
		t.Errorf("ended in %s with %d writes: %v", res.End, w.writes(), res.Decision.Reasons)
	}
}

// T56: what tags say changes no verdict and no action.
func TestT56TagsAreNeverInput(t *testing.T) {
	for _, value := range []string{"compliant", "exempt", "quarantined", "noncompliant", ""} {
		w := withBaseline(t, rulesFile)
		for _, key := range []string{"rolewarden:state", "Rolewarden:Finding", "rolewarden:exempt", "dp:exclude:identity"} {
			w.live(prod, "app").Tags[key] = value
		}
		res := w.open("ev2")
		if res.End != ledger.Reverted || res.Report.Verdict != finding.Noncompliant || res.Decision.Action != decision.Revert {
			t.Errorf("%q: ended in %s: %s", value, res.End, res.Report.Verdict)
		}
	}
}

// A2, T6: what the lease keeps apart: another event of the role waits while one is
// being handled, and neither is lost.
func TestTwoEventsOfARoleAreHandledOneAfterTheOther(t *testing.T) {
	w := withBaseline(t, rulesFile)
	w.put(prod, "app", appID, opened)
	first, second := w.updated("ev2", "app", opened), w.updated("ev3", "app", opened)
	inner := false
	w.onWrite = func() {
		if inner {
			return
		}
		inner = true
		res, err := w.guard.Handle(t.Context(), second)
		if err != nil || res.End != ledger.InFlight || len(res.Steps) != 1 || !strings.Contains(res.Reason, "another event of the role") {
			t.Errorf("the other event ended in %s (%s), %v", res.End, res.Reason, err)
		}
	}
	w.handle(first)
	for len(w.steps) > 0 {
		w.due()
	}
	for _, id := range []string{"ev2", "ev3"} {
		taken, err := w.ledger.Take(t.Context(), ledger.Key{Account: prod, EventID: id}, w.now)
		if err != nil || taken.End == ledger.InFlight {
			t.Errorf("%s is %s, %v", id, taken.End, err)
		}
	}
	if w.trust() != 1 {
		t.Errorf("%d writes", w.trust())
	}
	w.quiet()
}

// A lease that nobody gave back, since its holder died, keeps an event waiting and
// loses none.
func TestALeaseOfTheDeadLosesNothing(t *testing.T) {
	w := withBaseline(t, rulesFile)
	if err := w.ledger.Lease(t.Context(), role.Ref{Account: prod, Name: "app"}, "dead", w.now, w.now.Add(2*time.Minute)); err != nil {
		t.Fatal(err)
	}
	if res := w.settle(w.open("ev2")); res.End != ledger.Reverted {
		t.Errorf("ended in %s", res.End)
	}
	// Where it lasts, the message is given back, and never dropped.
	if err := w.ledger.Lease(t.Context(), role.Ref{Account: prod, Name: "app"}, "dead", w.now, w.now.Add(200*time.Hour)); err != nil {
		t.Fatal(err)
	}
	res := w.open("ev3")
	for len(w.steps) > 1 {
		res = w.due()
	}
	for res.End == ledger.InFlight && len(w.steps) > 0 {
		var err error
		if res, err = w.dueTo(); err != nil {
			if !errors.Is(err, ledger.ErrLeased) {
				t.Error(err)
			}
			return
		}
	}
	t.Errorf("ended in %s", res.End)
}
