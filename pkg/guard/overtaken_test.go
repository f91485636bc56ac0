package guard_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rolewarden/rolewarden/pkg/alert"
	"github.com/rolewarden/rolewarden/pkg/guard"
	"github.com/rolewarden/rolewarden/pkg/ledger"
	"github.com/rolewarden/rolewarden/pkg/role"
)

// crash handles a message, whose end cannot be recorded.
func (w *world) crash(body []byte) {
	w.t.Helper()
	w.ledger.concludeErr = errDown
	if _, err := w.guard.Handle(w.t.Context(), body); !errors.Is(err, errDown) {
		w.t.Fatalf("handling: %v", err)
	}
	w.ledger.concludeErr = nil
}

// A handling is interrupted after its write, and somebody changes the role before
// it goes on: people hear of the write all the same, once, whatever the role
// shows by then.
func TestAWriteThatSomebodyOverwroteBeforeItWasToldIsTold(t *testing.T) {
	mended := strings.Replace(closed, `"Effect"`, `"Sid":"Mended","Effect"`, 1)
	public := strings.Replace(opened, "arn:aws:iam::999999999999:root", "*", 1)
	crash := func(w *world, body []byte) func() guard.Result {
		w.crash(body)
		return func() guard.Result { return w.settle(w.handle(body)) }
	}
	putOff := func(w *world, body []byte) func() guard.Result {
		w.boundaryErr = fmt.Errorf("setting: %w", role.ErrThrottled)
		if res := w.handle(body); res.End != ledger.InFlight {
			w.t.Fatalf("ended in %s", res.End)
		}
		w.boundaryErr = nil
		steps := w.steps
		w.steps = nil
		return func() guard.Result { w.steps = steps; return w.settle(w.due()) }
	}
	for name, c := range map[string]struct {
		rules       string
		interrupted func(*world, []byte) func() guard.Result
	}{
		"a crash":                  {rulesFile, crash},
		"a containment is put off": {containing, putOff},
	} {
		t.Run(name+", then mended", func(t *testing.T) {
			w := withBaseline(t, c.rules)
			w.put(prod, "app", "AROAAPP1111111111111", opened)
			again := c.interrupted(w, w.updated("ev2", "app", opened))
			w.now = w.now.Add(2 * time.Second)
			w.put(prod, "app", "AROAAPP1111111111111", mended)
			w.settle(w.handle(w.updated("ev3", "app", mended)))
			again()
			if len(w.told) != 2 || w.told[0].Outcome.Done != "Revert" || w.told[0].Outcome.Verified || w.told[0].Change.EventID != "ev2" ||
				w.told[1].State != alert.Resolved || w.told[1].ID != w.told[0].ID {
				t.Fatalf("told %d times: %+v", len(w.told), w.told)
			}
			if text := w.told[0].Text(); !strings.Contains(text, "interrupted before it could say so") || !strings.Contains(text, "external-account") {
				t.Errorf("the alert says\n%s", text)
			}
			w.quiet()
		})
		t.Run(name+", then opened otherwise", func(t *testing.T) {
			w := withBaseline(t, c.rules)
			w.put(prod, "app", "AROAAPP1111111111111", opened)
			again := c.interrupted(w, w.updated("ev2", "app", opened))
			w.now = w.now.Add(2 * time.Second)
			w.put(prod, "app", "AROAAPP1111111111111", public)
			w.stop()
			w.settle(w.handle(w.updated("ev3", "app", public)))
			again()
			said := 0
			for _, a := range w.told {
				if strings.Contains(a.Text(), "interrupted before it could say so") {
					said++
				}
			}
			if said != 1 {
				t.Errorf("told %d times of the write: %+v", said, w.told)
			}
			w.quiet()
		})
	}
}

// T69: a sweep comes upon a revert whose handling ended before the sessions were
// shut out. It may not shut them out, and leaves the rest to who may.
func TestASweepLeavesAnInterruptedContainmentToWhoMayContain(t *testing.T) {
	w := withBaseline(t, strings.Replace(rulesFile, "enforce", "observe", 1))
	w.settle(w.open("ev2"))
	w.deploy(containing)
	if err := w.ledger.ConfirmRules(t.Context(), w.rules.Hash, "alice", "reviewed", w.now); err != nil {
		t.Fatal(err)
	}
	w.now, w.told, w.steps = w.now.Add(time.Hour), nil, nil
	sweeper := w.sweepers()
	w.sight(sweeper, "s1", guard.Aloud)
	w.shutErr, w.ledger.concludeErr = fmt.Errorf("assuming: %w", role.ErrThrottled), errDown
	if _, err := w.dueTo(); !errors.Is(err, errDown) || w.live(prod, "app").TrustPolicy != closed {
		t.Fatalf("the revert: %v", err)
	}
	w.shutErr, w.ledger.concludeErr, w.steps = nil, nil, nil
	if res := w.sight(sweeper, "s1", guard.Aloud); res.End != ledger.InFlight || len(w.steps) != 1 || len(w.told) != 0 {
		t.Fatalf("the sweep ended it in %s: %+v", res.End, res.Outcome.Contained)
	}
	if res := w.due(); res.End != ledger.Reverted || w.live(prod, "app").Boundary != denyAll || len(w.told) != 1 {
		t.Errorf("ended in %s with the boundary %q", res.End, w.live(prod, "app").Boundary)
	}
}

// Whoever puts the document back while the handling waits does not have it said
// that nothing was written.
func TestAWriteThatWasPutBackBeforeItWasToldIsTold(t *testing.T) {
	w := withBaseline(t, containing)
	w.boundaryErr = fmt.Errorf("setting: %w", role.ErrThrottled)
	res := w.open("ev2")
	w.boundaryErr = nil
	w.put(prod, "app", "AROAAPP1111111111111", opened)
	w.stop()
	if res = w.settle(res); res.End != ledger.Held || len(w.told) != 1 || w.trust() != 1 {
		t.Fatalf("ended in %s, told %d times after %v", res.End, len(w.told), w.calls)
	}
	if text := w.told[0].Text(); !strings.Contains(text, "or somebody put it back") {
		t.Errorf("the alert says\n%s", text)
	}
}

// T69: where sessions were shut out before the handling was interrupted, people
// hear of that as well, and what boundary there was.
func TestABoundaryThatNobodyWasToldOfIsTold(t *testing.T) {
	w := withBaseline(t, containing)
	w.bounded(edge)
	w.put(prod, "app", "AROAAPP1111111111111", opened)
	body := w.updated("ev2", "app", opened)
	w.ledger.concludeErr = errDown
	if _, err := w.guard.Handle(t.Context(), body); !errors.Is(err, errDown) || w.live(prod, "app").Boundary != denyAll {
		t.Fatalf("the boundary is %q, %v", w.live(prod, "app").Boundary, err)
	}
	w.ledger.concludeErr = nil
	w.now = w.now.Add(2 * time.Second)
	mended := strings.Replace(closed, `"Effect"`, `"Sid":"Mended","Effect"`, 1)
	w.put(prod, "app", "AROAAPP1111111111111", mended)
	w.settle(w.handle(w.updated("ev3", "app", mended)))
	w.settle(w.handle(body))
	if len(w.told) != 2 || !strings.Contains(w.told[0].Text(), denyAll+" in place of "+edge) {
		t.Errorf("told %+v", w.told)
	}
}

// What is told late of such a write comes before the resolution of the alert that
// it goes on with, so that people are not left with an alert about a good role.
func TestAnOvertakenWriteIsToldBeforeItsAlertIsResolved(t *testing.T) {
	w := withBaseline(t, rulesFile)
	w.put(prod, "app", appID, opened)
	body := w.updated("ev2", "app", opened)
	w.crash(body)
	w.now = w.now.Add(2 * time.Second)
	public := strings.Replace(opened, "arn:aws:iam::999999999999:root", "*", 1)
	w.put(prod, "app", appID, public)
	w.stop()
	w.settle(w.handle(w.updated("ev3", "app", public)))
	w.tellErr = errTopic
	if _, err := w.guard.Handle(t.Context(), body); !errors.Is(err, errTopic) {
		t.Fatalf("telling of the write: %v", err)
	}
	w.tellErr = nil
	w.now = w.now.Add(time.Minute)
	w.put(prod, "app", appID, closed)
	w.settle(w.handle(w.updated("ev4", "app", closed)))
	w.settle(w.handle(body))
	if got := states(w.told); got != "opened updated resolved" {
		t.Errorf("told %s", got)
	}
	w.quiet()
}

// T53, T64: a write may go to a role that was made anew under the name; where its
// handling is interrupted, people hear of that all the same. A role that was made
// only after the write lost nothing by it.
func TestAWriteThatWentToARoleMadeAnewIsTold(t *testing.T) {
	const anew = "AROAAPP2222222222222"
	for name, before := range map[string]bool{"made anew before the write": true, "made anew after it": false} {
		t.Run(name, func(t *testing.T) {
			w := withBaseline(t, rulesFile)
			w.put(prod, "app", appID, opened)
			body := w.updated("ev2", "app", opened)
			remake := func() {
				w.onWrite = nil
				delete(w.roles, prod+"/app")
				w.put(prod, "app", anew, closed)
			}
			if before {
				w.onWrite = remake
			}
			w.crash(body)
			w.now = w.now.Add(2 * time.Minute)
			if !before {
				remake()
			}
			w.settle(w.handle(body))
			said := slices.ContainsFunc(w.told, func(a alert.Alert) bool {
				return strings.Contains(a.Text(), "LOST UPDATE") && strings.Contains(a.Text(), "its id was "+appID+" and is "+anew)
			})
			if said != before {
				t.Errorf("told %+v", w.told)
			}
			w.quiet()
		})
	}
}

// What was written for a sweep that tells quietly is told by itself, also where the
// handling was interrupted and the role was opened anew before it went on.
func TestAnOvertakenWriteOfAQuietSweepIsTold(t *testing.T) {
	w := withBaseline(t, rulesFile)
	w.put(prod, "app", appID, opened)
	w.now, w.steps = w.now.Add(time.Hour), nil
	w.sight(w.sweepers(), "s1", guard.Quietly)
	step := w.steps[0]
	w.ledger.concludeErr = errDown
	if _, err := w.dueTo(); !errors.Is(err, errDown) || w.live(prod, "app").TrustPolicy != closed {
		t.Fatalf("the revert: %v", err)
	}
	w.ledger.concludeErr = nil
	w.stop()
	public := strings.Replace(opened, "arn:aws:iam::999999999999:root", "*", 1)
	w.put(prod, "app", appID, public)
	w.steps = []guard.Step{step}
	w.settle(w.due())
	if len(w.told) != 1 || !strings.Contains(w.told[0].Text(), "interrupted before it could say so") {
		t.Errorf("told %+v", w.told)
	}
	w.quiet()
}
