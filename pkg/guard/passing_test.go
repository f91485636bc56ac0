package guard_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/rolewarden/rolewarden/pkg/ledger"
	"github.com/rolewarden/rolewarden/pkg/role"
)

// What failed once and passes by itself holds no role for good: nothing is
// written while it lasts, and the role is put right a little later.
func TestWhatPassesHoldsNoRoleForGood(t *testing.T) {
	for name, c := range map[string]struct{ fail, mend func(w *world) }{
		"the kill switch cannot be read": {
			func(w *world) { w.ledger.switchErr = errors.New("no answer") }, func(w *world) { w.ledger.switchErr = nil },
		},
		"the kill switch cannot be read right before the write": {
			func(w *world) { w.ledger.intending = func() { w.ledger.switchErr = errors.New("no answer") } },
			func(w *world) { w.ledger.intending, w.ledger.switchErr = nil, nil },
		},
		"a principal of the baseline may not be read": {
			func(w *world) { w.principalErr = fmt.Errorf("reading: %w", role.ErrAccessDenied) }, func(w *world) { w.principalErr = nil },
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := withBaseline(t, rulesFile)
			c.fail(w)
			res := w.open("ev2")
			if res.End != ledger.InFlight || w.writes() != 0 {
				t.Fatalf("ended in %s with %d writes", res.End, w.writes())
			}
			c.mend(w)
			if res = w.settle(res); res.End != ledger.Reverted {
				t.Errorf("ended in %s: %s", res.End, res.Reason)
			}
		})
	}
}

// I7: a resolution that was posted before a crash waits beside the alert that it
// resolves; telling both tells each once.
func TestAResolutionThatWaitsIsToldOnce(t *testing.T) {
	w := withBaseline(t, rulesFile)
	w.put(prod, "app", appID, opened)
	body := w.updated("ev2", "app", opened)
	w.ownEvent("while the revert is recorded", time.Second, true)
	w.tellErr = errors.New("the topic is gone")
	if _, err := w.guard.Handle(t.Context(), body); err == nil {
		t.Fatal("an alert that could not be told is no error")
	}
	w.now = w.now.Add(time.Minute)
	// The first try posts the resolution and can tell neither of the two.
	if _, err := w.guard.Deliver(t.Context(), 100); err == nil {
		t.Fatal("the topic is gone, and telling is no error")
	}
	w.tellErr = nil
	if _, err := w.guard.Deliver(t.Context(), 100); err != nil {
		t.Fatal(err)
	}
	w.resolvedOnce("after a crash")
}

// T64: a write overwrote a change and its handling died before it could say so. The
// second look at that change finds our document and tells of the change, before
// nobody remembers it any more.
func TestALookTellsOfTheChangeThatACrashedWriteOverwrote(t *testing.T) {
	w := withBaseline(t, rulesFile)
	w.put(prod, "app", appID, opened)
	body := w.updated("ev-open", "app", opened)
	w.now = w.now.Add(3 * time.Second)
	w.ledger.intending = func() {
		// It was read; now it is mended, that is found good, and the reading before
		// the write lags.
		w.ledger.intending = nil
		w.put(prod, "app", appID, fixed)
		w.handle(w.updated("ev-mended", "app", fixed))
		w.lagging = opened
	}
	w.onWrite = func() {
		// It takes effect, no answer comes, and nothing can be read any more.
		w.onWrite, w.lagging = nil, ""
		w.put(prod, "app", appID, closed)
		w.readErr = errDown
	}
	w.writeErr = fmt.Errorf("writing: %w", role.ErrUncertain)
	if _, err := w.guard.Handle(t.Context(), body); err == nil || len(w.losts()) != 0 {
		t.Fatalf("no crash, %d told", len(w.losts()))
	}
	w.writeErr, w.readErr = nil, nil
	for len(w.steps) > 0 {
		w.due()
	}
	if lost := w.losts(); len(lost) != 1 {
		t.Errorf("%d alerts about a lost update; the role shows %s", len(lost), w.live(prod, "app").TrustPolicy)
	}
}

// Nobody is told of a role whose deletion was handled and is still to be seen.
// Where the ledger does not say at once whether it was, people wait for a moment,
// and where it never does, they are told.
func TestWhetherARoleWasDeletedIsAskedAgain(t *testing.T) {
	for name, passes := range map[string]bool{"for a moment": true, "for good": false} {
		t.Run(name, func(t *testing.T) {
			w := withBaseline(t, strings.Replace(rulesFile, "enforce", "observe", 1))
			r := w.live(prod, "app")
			r.Created = w.now.Add(-48 * time.Hour)
			w.roles[prod+"/app"] = r
			w.ledger.endsErr = errors.New("no answer")
			res := w.open("ev2")
			if res.End != ledger.InFlight || len(w.told) != 0 {
				t.Fatalf("ended in %s, told %d times", res.End, len(w.told))
			}
			if passes {
				w.ledger.endsErr = nil
			}
			if res = w.settle(res); res.End != ledger.Told || len(w.told) != 1 {
				t.Errorf("ended in %s, told %d times: %s", res.End, len(w.told), res.Reason)
			}
		})
	}
}
