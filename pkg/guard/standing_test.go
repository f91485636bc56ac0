package guard_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/rolewarden/rolewarden/pkg/alert"
	"github.com/rolewarden/rolewarden/pkg/guard"
	"github.com/rolewarden/rolewarden/pkg/ledger"
	"github.com/rolewarden/rolewarden/pkg/org"
	"github.com/rolewarden/rolewarden/pkg/role"
)

// The second look that finds an open role goes on when it has to wait.
func TestASecondLookThatHasToWaitIsNotLost(t *testing.T) {
	w := newWorld(t, rulesFile)
	w.put(prod, "app", "AROAAPP1111111111111", closed)
	w.handle(w.created("ev1", "app", closed))
	w.put(prod, "app", "AROAAPP1111111111111", opened)
	w.openErr = fmt.Errorf("assuming: %w", role.ErrAccessDenied)
	res := w.due()
	if res.End != ledger.InFlight || len(w.steps) != 1 {
		t.Fatalf("ended in %s with %d steps", res.End, len(w.steps))
	}
	w.openErr = nil
	if res = w.settle(res); res.End != ledger.Quarantined {
		t.Errorf("ended in %s: %s", res.End, res.Reason)
	}
	if id := w.told[0].Change.EventID; id != "ev1" {
		t.Errorf("people are told of the event %q", id)
	}
}

// A role that stands as it was and does not obey the rules any more is told of.
func TestASecondLookJudgesByTheRulesOfToday(t *testing.T) {
	w := newWorld(t, rulesFile)
	named := strings.Replace(closed, "111122223333:user/alice", foreign+":root", 1)
	w.members[foreign] = org.Member
	w.put(prod, "app", "AROAAPP1111111111111", named)
	w.handle(w.created("ev1", "app", named))
	w.members[foreign] = org.NotMember
	if w.settle(w.due()); len(w.told) != 1 {
		t.Errorf("told %d times that the account has left", len(w.told))
	}
}

// A baseline may name an account that has joined since the rules file was written.
func TestABaselineThatNamesANewMemberIsRestored(t *testing.T) {
	w := newWorld(t, rulesFile)
	named := strings.Replace(closed, "111122223333:user/alice", foreign+":root", 1)
	w.members[foreign] = org.Member
	w.put(prod, "app", "AROAAPP1111111111111", named)
	w.handle(w.created("ev1", "app", named))
	w.due()
	w.now = w.now.Add(24 * time.Hour)
	w.seal(prod, "AROAAPP1111111111111")
	w.put(prod, "app", "AROAAPP1111111111111", strings.Replace(opened, "arn:aws:iam::999999999999:root", "*", 1))
	if res := w.handle(w.updated("ev2", "app", w.live(prod, "app").TrustPolicy)); res.End != ledger.Reverted || w.live(prod, "app").TrustPolicy != named {
		t.Errorf("ended in %s: %v", res.End, res.Decision.Reasons)
	}
}

// T64: the owner's repair was handled first; a reading that still shows the
// open document is not acted on.
func TestAReadingThatALaterEventReplacedIsNotActedOn(t *testing.T) {
	w := withBaseline(t, rulesFile)
	bad := w.updated("ev-bad", "app", opened)
	mended := strings.Replace(closed, `"Effect"`, `"Sid":"Mended","Effect"`, 1)
	w.put(prod, "app", "AROAAPP1111111111111", mended)
	if res := w.handle(w.updated("ev-mended", "app", mended)); res.End != ledger.Compliant {
		t.Fatalf("the repair ended in %s", res.End)
	}
	w.steps = nil
	w.lagging = opened
	res := w.handle(bad)
	if res.End != ledger.InFlight || w.writes() != 0 {
		t.Fatalf("ended in %s with %d writes", res.End, w.writes())
	}
	w.lagging = ""
	if res = w.settle(res); res.End != ledger.Compliant || w.live(prod, "app").TrustPolicy != mended {
		t.Errorf("ended in %s with %s", res.End, w.live(prod, "app").TrustPolicy)
	}
}

// A write that never happened is not taken for one because a reading shows what
// was before the change.
func TestALaggingReadIsNotTakenForOurWrite(t *testing.T) {
	w := withBaseline(t, rulesFile)
	w.put(prod, "app", "AROAAPP1111111111111", opened)
	body := w.updated("ev2", "app", opened)
	w.writeErr = fmt.Errorf("writing: %w", role.ErrThrottled)
	if _, err := w.guard.Handle(t.Context(), body); !errors.Is(err, role.ErrThrottled) {
		t.Fatalf("got %v", err)
	}
	w.writeErr, w.lagging = nil, closed
	res := w.handle(body)
	w.lagging = ""
	if res = w.settle(res); res.End != ledger.Reverted || w.live(prod, "app").TrustPolicy != closed {
		t.Errorf("ended in %s with %s", res.End, w.live(prod, "app").TrustPolicy)
	}
}

// What does not rest on Organizations acts while it does not answer.
func TestAPublicRoleIsShutWhileOrganizationsDoesNotAnswer(t *testing.T) {
	w := withBaseline(t, rulesFile)
	w.memberErr = fmt.Errorf("asking: %w", role.ErrThrottled)
	public := strings.Replace(opened, `"arn:aws:iam::999999999999:root"`, `["*","arn:aws:iam::999999999999:root"]`, 1)
	w.put(prod, "app", "AROAAPP1111111111111", public)
	if res := w.handle(w.updated("ev2", "app", public)); res.End != ledger.Reverted {
		t.Errorf("ended in %s: %s", res.End, res.Reason)
	}
}

// T56: a stranger's tag that may not be taken off resolves nothing, at any event.
func TestATagThatMayNotBeTakenOffMakesNoNoise(t *testing.T) {
	w := withBaseline(t, rulesFile)
	w.live(prod, "app").Tags["rolewarden:state"] = "fine"
	w.stop()
	for i := range 3 {
		w.settle(w.handle(w.updated(fmt.Sprintf("ev%d", i), "app", closed)))
	}
	if len(w.told) != 0 {
		t.Errorf("told %d times: %+v", len(w.told), w.told[0])
	}
}

// A role that was deleted resolves its alert once, also when the name dies again.
func TestADeletionResolvesOnce(t *testing.T) {
	w := withBaseline(t, strings.Replace(rulesFile, "enforce", "observe", 1))
	w.open("ev2")
	delete(w.roles, prod+"/app")
	for i := range 3 {
		w.handle(w.event("DeleteRole", fmt.Sprintf("del%d", i), map[string]any{"roleName": "app"}, nil))
	}
	if len(w.told) != 2 || w.told[1].State != alert.Resolved {
		t.Errorf("told %d times", len(w.told))
	}
}

// Our own write's event may end before the revert is recorded; the alert is
// resolved all the same, once, also where CloudTrail tells both of one second.
func TestAnAlertIsResolvedThoughOurEventCameFirst(t *testing.T) {
	for name, c := range map[string]struct {
		later      time.Duration
		concluding bool
	}{
		"a second later, while the revert is recorded":      {time.Second, true},
		"a second later, before the revert is recorded":     {time.Second, false},
		"in the same second, before the revert is recorded": {0, false},
	} {
		w := withBaseline(t, rulesFile)
		w.put(prod, "app", "AROAAPP1111111111111", opened)
		body := w.updated("ev2", "app", opened)
		w.ownEvent(name, c.later, c.concluding)
		w.handle(body)
		w.resolvedOnce(name)
		w.quiet()
	}
}

// ... and once where the alert could not be told before another event found the
// role good as well.
func TestAnAlertThatWaitedIsResolvedOnce(t *testing.T) {
	w := withBaseline(t, rulesFile)
	w.put(prod, "app", "AROAAPP1111111111111", opened)
	body := w.updated("ev2", "app", opened)
	w.ownEvent("in the same second", 0, false)
	w.tellErr = errors.New("the topic is gone")
	if _, err := w.guard.Handle(t.Context(), body); err == nil {
		t.Fatal("an alert that could not be told is no error")
	}
	w.now = w.now.Add(time.Minute)
	if res := w.handle(w.updated("ev3", "app", closed)); res.End != ledger.Compliant {
		t.Fatalf("the later event ended in %s", res.End)
	}
	w.tellErr = nil
	if _, err := w.guard.Deliver(t.Context(), 100); err != nil {
		t.Fatal(err)
	}
	w.resolvedOnce("told later")
}

// ownEvent has the event of our own write handled before its decision is
// recorded, or in the midst of that.
func (w *world) ownEvent(name string, later time.Duration, concluding bool) {
	first := true
	own := func() {
		if !first || w.trust() == 0 {
			return
		}
		first = false
		at := w.now.Add(later)
		if res := w.handle(w.eventAt(at, "UpdateAssumeRolePolicy", "ev-own", map[string]any{"roleName": "app", "policyDocument": closed}, nil)); res.End != ledger.Compliant {
			w.t.Errorf("%s: our own event ended in %s", name, res.End)
		}
	}
	if concluding {
		w.ledger.concluding = own
	} else {
		w.reading = own
	}
}

// resolvedOnce checks that one alert was opened and resolved, and is not remembered as open.
func (w *world) resolvedOnce(name string) {
	if n := len(w.told); n != 2 || w.told[1].State != alert.Resolved || w.told[1].ID != w.told[0].ID {
		w.t.Errorf("%s: told %+v", name, w.told)
	}
	known, err := w.ledger.Recall(w.t.Context(), prod, "AROAAPP1111111111111")
	if err != nil || known.State.AlertID != "" {
		w.t.Errorf("%s: remembered as open: %+v, %v", name, known.State, err)
	}
}

// The step of a role that shows another document at every look ends.
func TestEndlessLooksEnd(t *testing.T) {
	w := newWorld(t, rulesFile)
	w.put(prod, "app", "AROAAPP1111111111111", closed)
	w.handle(w.created("ev1", "app", closed))
	var last guard.Result
	for i := 0; len(w.steps) > 0 && i < 50; i++ {
		w.put(prod, "app", "AROAAPP1111111111111", strings.Replace(closed, `"Effect"`, fmt.Sprintf(`"Sid":"n%d","Effect"`, i), 1))
		last = w.due()
	}
	if len(w.steps) > 0 || last.End != ledger.Held || len(w.told) != 1 {
		t.Errorf("%d steps wait, the last ended in %s, told %d times", len(w.steps), last.End, len(w.told))
	}
}
