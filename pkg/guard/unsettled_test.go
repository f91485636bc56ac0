package guard_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rolewarden/rolewarden/pkg/ledger"
	"github.com/rolewarden/rolewarden/pkg/role"
)

// T5, T6: the same event again is handled once.
func TestADuplicateEventIsHandledOnce(t *testing.T) {
	w := withBaseline(t, rulesFile)
	w.put(prod, "app", "AROAAPP1111111111111", opened)
	body := w.updated("ev2", "app", opened)
	w.handle(body)
	calls, told := len(w.calls), len(w.told)
	res := w.handle(body)
	if res.Ignored != "handled before" || res.End != ledger.Reverted || len(w.calls) != calls || len(w.told) != told {
		t.Errorf("the duplicate ended in %q %s, %d more calls", res.Ignored, res.End, len(w.calls)-calls)
	}
}

// T6: an old event that comes late is judged by what the role is now.
func TestAnEventOutOfOrderWritesNothing(t *testing.T) {
	w := withBaseline(t, rulesFile)
	old := w.updated("ev-old", "app", strings.Replace(opened, foreign, "777788889999", 1))
	w.open("ev-new")
	writes := w.writes()
	res := w.handle(old)
	if res.End != ledger.Compliant || w.writes() != writes {
		t.Errorf("ended in %s (%s), %d more writes", res.End, res.Reason, w.writes()-writes)
	}
}

// T7: an event too large to carry its document is no blind spot.
func TestATruncatedEventEndsInTheSameVerdict(t *testing.T) {
	w := withBaseline(t, rulesFile)
	w.put(prod, "app", "AROAAPP1111111111111", opened)
	res := w.handle(w.updated("ev2", "app", opened[:40]))
	if res.End != ledger.Reverted {
		t.Errorf("ended in %s: %s", res.End, res.Reason)
	}
}

// T63: a reading that lags behind its event is no pass.
func TestAReadThatLagsIsReadAgain(t *testing.T) {
	w := withBaseline(t, rulesFile)
	w.lagging = closed
	res := w.open("ev2")
	if res.End != ledger.InFlight || len(res.Steps) != 1 || w.writes() != 0 {
		t.Fatalf("ended in %s with %d steps", res.End, len(res.Steps))
	}
	w.lagging = ""
	if res = w.due(); res.End != ledger.Reverted {
		t.Errorf("ended in %s: %s", res.End, res.Reason)
	}
}

// T63: and when a role that looks good never settles, people are told and nothing is written.
func TestARoleThatNeverSettlesIsToldOf(t *testing.T) {
	w := withBaseline(t, rulesFile)
	w.lagging = closed
	res, waits := w.open("ev2"), []time.Duration(nil)
	for len(w.steps) > 0 {
		began := w.now
		res = w.due()
		waits = append(waits, w.now.Sub(began).Round(time.Second))
	}
	if want := []time.Duration{5 * time.Second, 30 * time.Second, 2 * time.Minute, 10 * time.Minute}; !slices.Equal(waits, want) {
		t.Errorf("read again after %v, want %v", waits, want)
	}
	if res.End != ledger.Told || w.writes() != 0 || len(w.told) != 1 {
		t.Errorf("ended in %s, %d writes, %d alerts", res.End, w.writes(), len(w.told))
	}
}

// T84: an account that cannot be read is a coverage gap, never a pass.
func TestARoleThatMayNotBeReadIsToldOf(t *testing.T) {
	w := newWorld(t, rulesFile)
	w.put(prod, "app", "AROAAPP1111111111111", closed)
	w.readErr = fmt.Errorf("reading: %w", role.ErrAccessDenied)
	res := w.settle(w.handle(w.created("ev1", "app", closed)))
	if res.End != ledger.Told || len(w.told) != 1 {
		t.Errorf("ended in %s with %d alerts", res.End, len(w.told))
	}
}

// A reader role that is made anew refuses for a moment; that is no end.
func TestARoleThatMayNotBeReadForAMomentIsJudgedLater(t *testing.T) {
	w := withBaseline(t, rulesFile)
	w.put(prod, "app", "AROAAPP1111111111111", opened)
	w.readErr = fmt.Errorf("reading: %w", role.ErrAccessDenied)
	res := w.handle(w.updated("ev2", "app", opened))
	w.readErr = nil
	if res = w.settle(res); res.End != ledger.Reverted {
		t.Errorf("ended in %s: %s", res.End, res.Reason)
	}
}

func TestAThrottledReadComesAgain(t *testing.T) {
	w := newWorld(t, rulesFile)
	w.put(prod, "app", "AROAAPP1111111111111", closed)
	body := w.created("ev1", "app", closed)
	w.readErr = fmt.Errorf("reading: %w", role.ErrThrottled)
	if _, err := w.guard.Handle(t.Context(), body); !errors.Is(err, role.ErrThrottled) {
		t.Fatalf("got %v", err)
	}
	w.readErr = nil
	if res := w.handle(body); res.End != ledger.Compliant {
		t.Errorf("the second delivery ended in %s", res.End)
	}
}

// T64: an administrator who mends the role between our read and our write is not overwritten.
func TestAForeignWriteBetweenReadsStartsOver(t *testing.T) {
	w := withBaseline(t, rulesFile)
	w.put(prod, "app", "AROAAPP1111111111111", opened)
	mended := strings.Replace(closed, "sts:AssumeRole\"", "sts:AssumeRole\",\"Sid\":\"Mended\"", 1)
	reads := 0
	w.onRead(func() {
		if reads++; reads == 2 {
			w.put(prod, "app", "AROAAPP1111111111111", mended)
		}
	})
	res := w.handle(w.updated("ev2", "app", opened))
	for len(w.steps) > 0 && res.End == ledger.InFlight {
		res = w.due()
	}
	if got := w.live(prod, "app").TrustPolicy; got != mended {
		t.Errorf("the mended document was overwritten: %s", got)
	}
}

// Whoever changes a role again and again is stopped all the same: what has been
// open for minutes is acted on, whatever the events say.
func TestARoleThatIsChangedAllTheTimeIsReverted(t *testing.T) {
	w := withBaseline(t, rulesFile)
	sids := 0
	flip := func() {
		sids++
		w.put(prod, "app", "AROAAPP1111111111111", strings.Replace(opened, `"Effect"`, fmt.Sprintf(`"Sid":"n%d","Effect"`, sids), 1))
	}
	flip()
	body := w.updated("ev2", "app", w.live(prod, "app").TrustPolicy)
	w.reading = func() {
		if sids < 4 {
			flip()
		}
	}
	if res := w.settle(w.handle(body)); res.End != ledger.Reverted || w.live(prod, "app").TrustPolicy != closed {
		t.Errorf("ended in %s: %s", res.End, res.Reason)
	}
}

// The reading may lag behind the making of a role in place of a deleted one.
func TestAStaleReadOfADeletedRoleIsNoPass(t *testing.T) {
	w := withBaseline(t, rulesFile)
	w.now = w.now.Add(3 * freshEnough)
	old := w.live(prod, "app")
	body := w.event("CreateRole", "ev2", map[string]any{"roleName": "app", "assumeRolePolicyDocument": opened},
		map[string]any{"role": map[string]any{"roleName": "app", "arn": old.ARN, "roleId": "AROANEW1111111111111", "path": "/"}})
	res := w.handle(body)
	if res.End != ledger.InFlight || len(w.steps) == 0 {
		t.Fatalf("a reading of the old role ended the event in %s", res.End)
	}
	w.put(prod, "app", "AROANEW1111111111111", opened)
	if res = w.settle(res); res.End != ledger.Quarantined {
		t.Errorf("ended in %s: %s", res.End, res.Reason)
	}
}

// T7: an event without its document waits before its role passes, so that a
// reading that lags is seen.
func TestACutEventWaitsBeforeItsRolePasses(t *testing.T) {
	w := withBaseline(t, rulesFile)
	w.lagging = closed
	w.put(prod, "app", "AROAAPP1111111111111", opened)
	res := w.handle(w.updated("ev2", "app", opened[:40]))
	if res.End != ledger.InFlight {
		t.Fatalf("the old document ended the event in %s", res.End)
	}
	w.lagging = ""
	if res = w.settle(res); res.End != ledger.Reverted {
		t.Errorf("ended in %s: %s", res.End, res.Reason)
	}
}

// A document that was to become a baseline and no longer stands is judged, in
// case no event tells of the one in its place.
func TestWhatStandsInPlaceOfABaselineIsJudged(t *testing.T) {
	w := newWorld(t, rulesFile)
	w.put(prod, "app", "AROAAPP1111111111111", closed)
	w.handle(w.created("ev1", "app", closed))
	w.put(prod, "app", "AROAAPP1111111111111", opened)
	if res := w.settle(w.due()); res.End != ledger.Quarantined {
		t.Errorf("ended in %s: %s", res.End, res.Reason)
	}
}

// A2, T6: SQS may deliver one message twice at the same time.
func TestTwoDeliveriesAtOnceWriteOnce(t *testing.T) {
	w := withBaseline(t, rulesFile)
	w.put(prod, "app", "AROAAPP1111111111111", opened)
	body := w.updated("ev2", "app", opened)
	inner := false
	w.onWrite = func() {
		if inner {
			return
		}
		inner = true
		res, err := w.guard.Handle(t.Context(), body)
		if err != nil || res.End != ledger.InFlight || len(res.Steps) != 1 {
			t.Errorf("the second delivery ended in %s: %v", res.End, err)
		}
	}
	w.handle(body)
	res := w.due()
	if w.writes() != 1 || len(w.told) != 1 || res.End != ledger.Reverted {
		t.Errorf("%d writes, %d alerts, ended in %s", w.writes(), len(w.told), res.End)
	}
}

// A call that AWS did not finish may have changed the role or not: what stands
// is judged, and nobody is called when nothing came of it.
func TestAnUnfinishedCallIsJudgedByWhatStands(t *testing.T) {
	w := withBaseline(t, rulesFile)
	body := strings.Replace(string(w.updated("ev2", "app", opened)), `"eventID"`, `"errorCode":"ServiceFailureException","errorMessage":"try again","eventID"`, 1)
	if res := w.settle(w.handle([]byte(body))); res.End != ledger.Compliant || len(w.told) != 0 {
		t.Errorf("ended in %s with %d alerts: %s", res.End, len(w.told), res.Reason)
	}
	w.put(prod, "app", "AROAAPP1111111111111", opened)
	if res := w.settle(w.handle([]byte(strings.ReplaceAll(body, "ev2", "ev3")))); res.End != ledger.Reverted {
		t.Errorf("ended in %s: %s", res.End, res.Reason)
	}
}
