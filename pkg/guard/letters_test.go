package guard_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/rolewarden/rolewarden/pkg/guard"
	"github.com/rolewarden/rolewarden/pkg/ledger"
	"github.com/rolewarden/rolewarden/pkg/role"
)

var errTopic = errors.New("the topic does not answer")

// whatIsTold are the ways in which an event leads to an alert.
func whatIsTold() map[string]func(*world) []byte {
	return map[string]func(*world) []byte{
		"a revert": func(w *world) []byte {
			w.put(prod, "app", appID, opened)
			return w.updated("ev2", "app", opened)
		},
		"a quarantine": func(w *world) []byte {
			w.put(prod, "new", "AROANEW1111111111111", opened)
			return w.created("ev2", "new", opened)
		},
		"a hold": func(w *world) []byte {
			w.stop()
			w.put(prod, "app", appID, opened)
			return w.updated("ev2", "app", opened)
		},
		"a doubt": func(w *world) []byte {
			odd := strings.Replace(opened, `"Action"`, `"Resource":"*","Action"`, 1)
			w.put(prod, "app", appID, odd)
			return w.updated("ev2", "app", odd)
		},
		"a rejected event": func(w *world) []byte {
			return []byte(strings.Replace(string(w.updated("ev2", "app", opened)), `"recipientAccountId":"111122223333"`, `"recipientAccountId":"444455556666"`, 1))
		},
		"a role that may not be read": func(w *world) []byte {
			body := w.updated("ev2", "app", opened)
			w.readErr = fmt.Errorf("reading: %w", role.ErrAccessDenied)
			return body
		},
		"a deleted user": func(w *world) []byte {
			return w.event("DeleteUser", "ev2", map[string]any{"userName": "alice"}, nil)
		},
		"a deleted role": func(w *world) []byte {
			w.stop()
			w.open("ev1")
			delete(w.roles, prod+"/app")
			w.told = nil
			return w.event("DeleteRole", "ev2", map[string]any{"roleName": "app"}, nil)
		},
		"a role that became good": func(w *world) []byte {
			w.open("ev1")
			w.told = nil
			return w.updated("ev2", "app", closed)
		},
	}
}

// I7: whatever an event has to tell is told once, also when the topic was down:
// the event has ended, is not handled again, and its message or the next delivery
// tells what is left.
func TestI7WhatCouldNotBeToldIsToldOnceLater(t *testing.T) {
	for name, arrange := range whatIsTold() {
		for how, later := range map[string]func(*world, []byte) error{
			"its message comes again": func(w *world, body []byte) error {
				_, err := w.guard.Handle(w.t.Context(), body)
				return err
			},
			"it is delivered": func(w *world, _ []byte) error {
				_, err := w.guard.Deliver(w.t.Context(), 10)
				return err
			},
		} {
			t.Run(name+", "+how, func(t *testing.T) {
				w := withBaseline(t, rulesFile)
				body := arrange(w)
				w.tellErr = errTopic
				res, err := w.guard.Handle(t.Context(), body)
				for err == nil && res.End == ledger.InFlight && len(w.steps) > 0 {
					res, err = w.dueTo()
				}
				if !errors.Is(err, errTopic) || res.End == ledger.InFlight || len(w.told) != 0 {
					t.Fatalf("ended in %s with %v, told %d", res.End, err, len(w.told))
				}
				calls := len(w.calls)
				if err := later(w, body); !errors.Is(err, errTopic) {
					t.Errorf("still down: %v", err)
				}
				w.tellErr = nil
				if err := later(w, body); err != nil || len(w.told) != 1 {
					t.Fatalf("told %d times, %v", len(w.told), err)
				}
				if err := later(w, body); err != nil || len(w.told) != 1 || len(w.calls) != calls {
					t.Errorf("told %d times with %d more calls, %v", len(w.told), len(w.calls)-calls, err)
				}
				w.quiet()
			})
		}
	}
}

// dueTo is due for a step that may fail.
func (w *world) dueTo() (guard.Result, error) {
	s := w.steps[0]
	w.steps = w.steps[1:]
	if s.NotBefore.After(w.now) {
		w.now = s.NotBefore
	}
	body, err := s.Body()
	if err != nil {
		w.t.Fatal(err)
	}
	return w.guard.HandleStep(w.t.Context(), body)
}

// I7: a crash between the telling and its record tells the same alert once more,
// under the same id, and not a third time.
func TestI7ACrashBetweenTellingAndItsRecordTellsOnceMore(t *testing.T) {
	for name, arrange := range whatIsTold() {
		t.Run(name, func(t *testing.T) {
			w := withBaseline(t, rulesFile)
			body := arrange(w)
			w.ledger.deliveredErr = errors.New("the process ended")
			res, err := w.guard.Handle(t.Context(), body)
			for err == nil && res.End == ledger.InFlight && len(w.steps) > 0 {
				res, err = w.dueTo()
			}
			if err == nil || len(w.told) != 1 {
				t.Fatalf("told %d times, %v", len(w.told), err)
			}
			w.ledger.deliveredErr = nil
			for range 3 {
				if again := w.handle(body); again.End != res.End {
					t.Errorf("ended in %s, and then in %s", res.End, again.End)
				}
			}
			if len(w.told) != 2 || w.told[0].ID != w.told[1].ID || string(w.told[0].JSON()) != string(w.told[1].JSON()) {
				t.Errorf("told %d times: %+v", len(w.told), w.told)
			}
			w.quiet()
		})
	}
}

// The end and what it has to tell are one step: without the one there is not the
// other, so nobody is told of what is handled again.
func TestI7NothingIsToldOfWhatIsNotRecorded(t *testing.T) {
	for name, arrange := range whatIsTold() {
		t.Run(name, func(t *testing.T) {
			w := withBaseline(t, rulesFile)
			body := arrange(w)
			w.ledger.concludeErr = errors.New("the table does not answer")
			res, err := w.guard.Handle(t.Context(), body)
			for err == nil && res.End == ledger.InFlight && len(w.steps) > 0 {
				res, err = w.dueTo()
			}
			if err == nil || len(w.told) != 0 {
				t.Errorf("told %d times, %v", len(w.told), err)
			}
			w.quiet()
		})
	}
}

// T6, A2: two deliveries of one event at the same moment tell once, whichever
// part of the handling they meet in.
func TestT6TwoDeliveriesAtOnceTellOnce(t *testing.T) {
	for name, arrange := range whatIsTold() {
		for where, hook := range map[string]func(*world, func()){
			"while it is told":    func(w *world, f func()) { w.telling = f },
			"before it is ended":  func(w *world, f func()) { w.ledger.concluding = f },
			"while it is read":    func(w *world, f func()) { w.reading = f },
			"while it is written": func(w *world, f func()) { w.onWrite = f },
		} {
			t.Run(name+", "+where, func(t *testing.T) {
				w := withBaseline(t, rulesFile)
				body := arrange(w)
				inner := false
				var second error
				hook(w, func() {
					if inner {
						return
					}
					inner = true
					_, second = w.guard.Handle(t.Context(), body)
				})
				res, err := w.guard.Handle(t.Context(), body)
				for len(w.steps) > 0 && err == nil {
					if res, err = w.dueTo(); len(w.steps) > 0 && w.steps[0].Step == guard.Promote {
						w.steps = w.steps[1:]
					}
				}
				if err != nil && !errors.Is(err, ledger.ErrLeased) || second != nil && !errors.Is(second, ledger.ErrLeased) {
					t.Fatalf("%v, %v", err, second)
				}
				// The queue hands out again what was not done.
				w.handle(body)
				if len(w.told) != 1 || strings.Count(strings.Join(w.calls, " "), "UpdateAssumeRolePolicy") > 2 {
					t.Errorf("told %d times after %v; ended in %s", len(w.told), w.calls, res.End)
				}
				w.quiet()
			})
		}
	}
}

// A delivery that took the event before another one's write, and read the role
// after it, finds it good. It ends the event for neither: else nobody would be
// told of the write.
func TestI7AWriteIsToldThoughAnotherDeliveryFoundTheRoleGood(t *testing.T) {
	w := withBaseline(t, rulesFile)
	w.put(prod, "app", appID, opened)
	w.lagging = closed
	// The event carries no document, so that a good role is no lagging reading.
	res := w.handle(w.updated("ev2", "app", opened[:40]))
	w.lagging = ""
	step := res.Steps[0]
	step.Attempt = 2
	body, err := step.Body()
	if err != nil {
		t.Fatal(err)
	}
	w.now = w.now.Add(time.Minute)
	inner := false
	w.ledger.concluding = func() {
		if inner {
			return
		}
		inner = true
		w.ledger.takeAs = &ledger.Taken{Attempts: 2}
		if res, err := w.guard.HandleStep(t.Context(), body); err != nil || res.End != ledger.InFlight {
			t.Errorf("the other delivery ended in %s, %v", res.End, err)
		}
	}
	if res, err = w.guard.HandleStep(t.Context(), body); err != nil || res.End != ledger.Reverted || !inner {
		t.Fatalf("ended in %s, %v", res.End, err)
	}
	if len(w.told) != 1 || w.told[0].Outcome.Done != "Revert" {
		t.Errorf("told %+v", w.told)
	}
	w.quiet()
}

// A2: a delivery that took the event while its alert was still to be told, and
// comes to tell it when it has been, tells nobody.
func TestI7ALateDeliveryTellsNothingTwice(t *testing.T) {
	w := withBaseline(t, rulesFile)
	w.tellErr = errTopic
	w.put(prod, "app", appID, opened)
	body := w.updated("ev2", "app", opened)
	_, _ = w.guard.Handle(t.Context(), body)
	stale, err := w.ledger.Take(t.Context(), ledger.Key{Account: prod, EventID: "ev2"}, w.now)
	if err != nil || len(stale.Letters) != 1 {
		t.Fatalf("%+v, %v", stale, err)
	}
	w.tellErr = nil
	w.handle(body)
	w.ledger.takeAs = &stale
	if w.handle(body); len(w.told) != 1 {
		t.Errorf("told %d times", len(w.told))
	}
}

// A delivery that took the event before another one wrote, and crashed, goes on
// from what that one intended, and opens no session of its own.
func TestAnInterruptedWriteIsGoneOnWithAlsoByWhoTookTheEventBefore(t *testing.T) {
	w := withBaseline(t, rulesFile)
	w.put(prod, "app", appID, opened)
	body := w.updated("ev2", "app", opened)
	w.ledger.concludeErr = errors.New("the process ended")
	_, _ = w.guard.Handle(t.Context(), body)
	w.ledger.concludeErr, w.calls = nil, nil
	w.ledger.takeAs = &ledger.Taken{Attempts: 2}
	w.lagging = opened
	w.reading = func() {
		if len(w.calls) > 1 {
			w.lagging = ""
		}
	}
	res := w.settle(w.handle(body))
	if calls := strings.Join(w.calls, " "); res.End != ledger.Reverted || strings.Contains(calls, "Writer") || len(w.told) != 1 {
		t.Errorf("ended in %s after %s, told %d times", res.End, calls, len(w.told))
	}
}
