package canary_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rolewarden/rolewarden/pkg/canary"
	"github.com/rolewarden/rolewarden/pkg/meter"
	"github.com/rolewarden/rolewarden/pkg/role"
)

// The first run writes, the second measures the time from the call to the
// decision, and all is silent and counted.
func TestTheWayIsMeasured(t *testing.T) {
	w := newWorld(t, prod, dev)
	r := w.run()
	if is(t, r, prod, canary.First); w.members[prod].writes != 1 {
		t.Errorf("%d writes", w.members[prod].writes)
	}
	if w.sum(meter.CanaryFirst) != 2 {
		t.Errorf("counted %v for the first time", w.sum(meter.CanaryFirst))
	}
	r = w.run()
	for _, id := range w.ids {
		if a := is(t, r, id, canary.Reached); a.Took != 3*time.Second || a.Change != canary.Changed {
			t.Errorf("account %s: took %s, %s", id, a.Took, a.Change)
		}
	}
	if len(w.told) != 0 || strings.Contains(w.log.String(), `"alarm"`) {
		t.Errorf("told %d, logged %s", len(w.told), w.log.String())
	}
	want := map[string]float64{
		meter.CanaryAccounts: 2, meter.CanaryReached: 2, meter.CanaryMissed: 0, meter.CanaryUnreachable: 0, meter.CanaryFirst: 0, meter.CanarySeconds: 6,
	}
	for name, n := range want {
		if !slices.ContainsFunc(w.samples, func(s meter.Sample) bool { return s.Name == name }) || w.sum(name) != n {
			t.Errorf("%s is %v, want %v", name, w.sum(name), n)
		}
		if _, ok := meter.Find(meter.Canary, name); !ok {
			t.Errorf("%s is no metric of the canary", name)
		}
	}
}

// T10: from some moment on nothing arrives any more. Within two intervals
// between runs it is told, whatever the interval, however the runs are late or
// early, and wherever in an interval it begins.
func TestT10WhenNothingArrivesItIsToldWithinTwoIntervals(t *testing.T) {
	for _, every := range []time.Duration{15 * time.Minute, time.Hour, 24 * time.Hour} {
		for _, late := range []time.Duration{-2 * time.Minute, 0, 2 * time.Minute} {
			t.Run(fmt.Sprintf("every %s, %s late", every, late), func(t *testing.T) {
				w := newWorld(t, prod)
				for range 3 {
					if _, err := w.later(every); err != nil {
						t.Fatal(err)
					}
				}
				// It begins right after a decision, which is the worst moment.
				w.members[prod].rule = shut
				if _, err := w.later(every); err != nil || len(w.told) != 0 {
					t.Fatalf("%d alerts, %v", len(w.told), err)
				}
				r, err := w.later(every + late)
				if err != nil {
					t.Fatal(err)
				}
				is(t, r, prod, canary.Missed)
				if len(w.told) != 1 || w.sum(meter.CanaryMissed) != 1 {
					t.Errorf("%d alerts, %v counted", len(w.told), w.sum(meter.CanaryMissed))
				}
			})
		}
	}
}

// T71: the rule of one account is off. That account is missed and named, the
// others are not; when it is on again, so is the account.
func TestT71ADisabledMemberRuleShows(t *testing.T) {
	w := newWorld(t, prod, dev)
	w.run()
	w.members[dev].rule = shut
	w.run()
	r := w.run()
	is(t, r, prod, canary.Reached)
	a := is(t, r, dev, canary.Missed)
	if !strings.Contains(a.Why, "2026-11-21T11:00:00Z") || !strings.Contains(a.Why, "1h0m0s later nothing has been decided") {
		t.Errorf("it says %q", a.Why)
	}
	if len(w.told) != 1 || w.told[0].Account != dev || !strings.Contains(w.told[0].Role.ARN, dev) || !strings.Contains(w.told[0].Reasons[0], "rule") {
		t.Errorf("told %+v", w.told)
	}
	w.members[dev].rule = open
	w.run()
	if is(t, w.run(), dev, canary.Reached); len(w.told) != 0 {
		t.Errorf("told %+v", w.told)
	}
}

// T14: an account without the member stack is a gap in coverage, told by name.
// T84: so is one where an SCP stops the canary, at whatever call; it never
// passes for reached, although the ledger has decided on what it wrote before.
func TestT14AndT84WhatCannotBeEnteredIsToldAndNeverPasses(t *testing.T) {
	denied := fmt.Errorf("an SCP says no: %w", role.ErrAccessDenied)
	for name, breakIt := range map[string]func(*member){
		"T14, no role to assume":     func(m *member) { m.openErr = denied },
		"T14, no target":             func(m *member) { m.readErr = role.ErrNotFound },
		"T84, reading is denied":     func(m *member) { m.readErr = denied },
		"T84, writing is denied":     func(m *member) { m.writeErr = denied },
		"T84, the rule is denied":    func(m *member) { m.ruleErr = denied },
		"IAM refuses the policy":     func(m *member) { m.writeErr = role.ErrMalformed },
		"the role cannot be changed": func(m *member) { m.writeErr = role.ErrUnmodifiable },
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, prod, dev)
			w.run()
			breakIt(w.members[dev])
			r := w.run()
			is(t, r, prod, canary.Reached)
			is(t, r, dev, canary.Unreachable)
			if len(w.told) != 1 || w.told[0].Account != dev || !strings.Contains(w.told[0].Reasons[0], "SCP") {
				t.Errorf("told %+v", w.told)
			}
			if w.sum(meter.CanaryUnreachable) != 1 || w.sum(meter.CanaryReached) != 1 || w.sum(meter.CanarySeconds) != 3 {
				t.Errorf("counted %v", w.samples)
			}
		})
	}
}

// Throttles and lost answers are no gap and no miss: they are not known, and
// said to be.
func TestWhatIsNotKnownIsSaidToBeUnknown(t *testing.T) {
	broken := errors.New("connection reset")
	for name, breakIt := range map[string]func(*world){
		"throttled at the door": func(w *world) { w.members[prod].openErr = role.ErrThrottled },
		"no answer to reading":  func(w *world) { w.members[prod].readErr = broken },
		"no answer of its rule": func(w *world) { w.members[prod].ruleErr = broken },
		"no answer to writing":  func(w *world) { w.members[prod].writeErr = fmt.Errorf("%w: %w", broken, role.ErrUncertain) },
		"the ledger is broken":  func(w *world) { w.ledgerErr = broken },
		"a mistake in the code": func(w *world) { w.members[prod].panics = true },
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, prod)
			w.run()
			writes := w.members[prod].writes
			breakIt(w)
			r := w.run()
			is(t, r, prod, canary.Unknown)
			if w.members[prod].writes != writes {
				t.Error("the target was written, and with it goes what was to be asked about")
			}
			if len(w.told) != 1 || !strings.Contains(w.told[0].Reasons[0], prod) || !strings.Contains(w.log.String(), `"alarm":"trouble"`) {
				t.Errorf("told %+v, logged %s", w.told, w.log.String())
			}
			if w.sum(meter.CanaryMissed)+w.sum(meter.CanaryUnreachable)+w.sum(meter.CanaryReached)+w.sum(meter.CanarySeconds) != 0 {
				t.Errorf("counted %v", w.samples)
			}
			w.members[prod].openErr, w.members[prod].readErr, w.members[prod].writeErr, w.members[prod].panics, w.ledgerErr = nil, nil, nil, false, nil
			w.members[prod].ruleErr = nil
			is(t, w.run(), prod, canary.Reached)
		})
	}
}

// A mistake in one account's handling counts as a panic and spares the others.
func TestAPanicIsOneAccountsAlone(t *testing.T) {
	w := newWorld(t, prod, dev)
	w.members[dev].panics = true
	r := w.run()
	is(t, r, prod, canary.First)
	is(t, r, dev, canary.Unknown)
	if !strings.Contains(w.log.String(), `"alarm":"panic"`) {
		t.Errorf("logged %s", w.log.String())
	}
}

// T10: whoever shuts the way and puts back a document that was decided on
// before, or the one that the role was made with, does not hide it for longer
// than two intervals of a day.
func TestT10AnOldDocumentProvesNothing(t *testing.T) {
	for name, put := range map[string]func(w *world) string{
		"one of the canary's": func(w *world) string { return w.members[prod].target.TrustPolicy },
		"the first":           func(w *world) string { return target(prod, w.now).TrustPolicy },
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, prod)
			w.run()
			w.run()
			old := put(w)
			w.members[prod].rule = shut
			for range 50 {
				w.run()
				w.members[prod].target.TrustPolicy = old
			}
			if a := is(t, w.run(), prod, canary.Missed); !strings.Contains(a.Why, "put") || len(w.told) != 1 {
				t.Errorf("%s, %d alerts", a.Why, len(w.told))
			}
		})
	}
}

// Two runs right after each other: the second leaves the document alone, so
// that it counts later, and says that it knows nothing.
func TestTooEarlyIsLeftAlone(t *testing.T) {
	w := newWorld(t, prod)
	w.members[prod].rule = shut
	w.run()
	r, err := w.later(time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	if is(t, r, prod, canary.Unknown); w.members[prod].writes != 1 {
		t.Error("the document was replaced before it could be decided on")
	}
	is(t, w.run(), prod, canary.Missed)
}

// When writing over what was told fails, that is said, and it stays missed.
func TestAMissedAccountThatCannotBeWrittenStaysMissed(t *testing.T) {
	w := newWorld(t, prod)
	w.members[prod].rule = shut
	w.run()
	w.members[prod].writeErr = role.ErrAccessDenied
	a := is(t, w.run(), prod, canary.Missed)
	if !strings.Contains(a.Why, "nothing has been decided") || !strings.Contains(a.Why, "nor could it be changed") || a.Change != canary.Unchanged {
		t.Errorf("%s, %s", a.Why, a.Change)
	}
}

// A canary that lacks a part is not made, and says which.
func TestAPartThatIsMissingIsNamed(t *testing.T) {
	_, err := canary.New(canary.Config{})
	for _, part := range []string{"Accounts", "Sessions", "Ledger", "Channel", "Meter", "Now", "Log"} {
		if err == nil || !strings.Contains(err.Error(), "Config."+part) {
			t.Errorf("%s is not named in %v", part, err)
		}
	}
	if _, err := canary.New(canary.Config{Grace: time.Hour, Fresh: time.Minute}); err == nil || !strings.Contains(err.Error(), "Fresh must be longer") {
		t.Errorf("got %v", err)
	}
}
