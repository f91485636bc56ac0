package canary_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
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
		meter.CanaryAccounts: 2, meter.CanaryReached: 2, meter.CanaryMissed: 0, meter.CanaryUnreachable: 0, meter.CanarySeconds: 6,
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

// What is still shut is one thread: every run tells it under the same id and
// fingerprint, and every account has its own.
func TestOneThreadForWhatIsStillShut(t *testing.T) {
	w := newWorld(t, prod, dev)
	w.members[prod].rule, w.members[dev].openErr = shut, role.ErrAccessDenied
	w.run()
	w.run()
	before := w.told
	w.run()
	if len(before) != 2 || len(w.told) != 2 {
		t.Fatalf("told %d and %d", len(before), len(w.told))
	}
	for i, a := range w.told {
		if a.ID != before[i].ID || a.Fingerprint != before[i].Fingerprint || a.ID == w.told[1-i].ID || a.Fingerprint == w.told[1-i].Fingerprint {
			t.Errorf("alert %d: %s %s, before %s %s", i, a.ID, a.Fingerprint, before[i].ID, before[i].Fingerprint)
		}
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

// What is wrong is not written over before it was told: when telling fails, the
// next run finds the same and tells it.
func TestNothingIsWrittenOverBeforeItIsTold(t *testing.T) {
	for name, breakIt := range map[string]func(*member){
		"missed":  func(m *member) { m.rule = shut },
		"changed": func(m *member) { m.rule = shut; m.target.TrustPolicy = "{}" },
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, prod, dev)
			w.run()
			breakIt(w.members[dev])
			w.members[dev].rule = shut
			w.run()
			w.tellErr = errors.New("SNS does not answer")
			shown := w.members[dev].target.TrustPolicy
			r, err := w.later(time.Hour)
			if err == nil || !strings.Contains(err.Error(), "SNS does not answer") || !strings.Contains(w.log.String(), `"alarm":"trouble"`) {
				t.Errorf("got %v, logged %s", err, w.log.String())
			}
			is(t, r, dev, canary.Missed)
			if is(t, r, prod, canary.Reached); w.members[dev].target.TrustPolicy != shown {
				t.Error("the target was written")
			}
			w.tellErr = nil
			if is(t, w.run(), dev, canary.Missed); len(w.told) != 1 || w.members[dev].target.TrustPolicy == shown {
				t.Errorf("%d alerts", len(w.told))
			}
		})
	}
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

// many gives account ids.
func many(n int) []string {
	var out []string
	for i := range n {
		out = append(out, fmt.Sprintf("%012d", 100000000000+i))
	}
	return out
}

// When something that all accounts share is broken, people get one message and
// not a thousand; with ten accounts they get ten.
func TestManyAccountsAreToldAtOnce(t *testing.T) {
	for n, want := range map[int]int{1: 1, 10: 10, 11: 1, 1000: 1} {
		w := newWorld(t, many(n)...)
		for i, id := range w.ids {
			if w.members[id].rule = shut; i%2 == 1 {
				w.members[id].openErr = role.ErrAccessDenied
			}
		}
		w.run()
		r := w.run()
		if len(w.told) != want || r.Told != want {
			t.Errorf("%d accounts: %d alerts, want %d", n, len(w.told), want)
		}
		if n <= 10 {
			continue
		}
		text := w.told[0].Reasons[0]
		for _, part := range []string{fmt.Sprintf("Of %d accounts", n), "nothing came through", "cannot get", w.ids[0], w.ids[1], "look at the hub first"} {
			if !strings.Contains(text, part) {
				t.Errorf("%d accounts: %q is not in %q", n, part, text)
			}
		}
	}
}

// What is listed in part is looked at all the same, and told to be a part.
func TestAListThatIsNotWholeIsToldAndUsed(t *testing.T) {
	w := newWorld(t, prod)
	w.ids, w.listErr = []string{prod, prod}, errors.New("listing the accounts in r-abcd: throttled")
	r, err := w.later(time.Hour)
	if err == nil || len(r.Accounts) != 1 || len(w.told) != 1 || !strings.Contains(w.told[0].Reasons[0], "r-abcd") || !strings.Contains(w.log.String(), `"alarm":"trouble"`) {
		t.Errorf("got %+v, %v, told %+v", r, err, w.told)
	}
	is(t, r, prod, canary.First)
}

// No account at all is no good news.
func TestNoAccountAtAllIsTold(t *testing.T) {
	w := newWorld(t)
	if r, err := w.later(time.Hour); err == nil || len(r.Accounts) != 0 || len(w.told) != 1 {
		t.Errorf("got %+v, %v, %d alerts", r, err, len(w.told))
	}
}

// A run whose time is up tells what it found, and that it did not look at the
// rest: that rest is never left out.
func TestWhatARunHasNoTimeForIsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, many(48)...)
		w.now = time.Now()
		w.opening = func(string) {
			time.Sleep(9 * time.Second)
			w.mu.Lock()
			w.now = time.Now()
			w.mu.Unlock()
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		r, err := w.canary().Run(ctx)
		if err != nil || ctx.Err() != nil {
			t.Fatalf("%v, %v", err, ctx.Err())
		}
		// Eight side by side, nine seconds each, forty seconds: four rounds come
		// through, the fifth is cut off, the sixth never begins.
		for state, want := range map[canary.State]int{canary.First: 32, canary.Unknown: 8, canary.NotLooked: 8} {
			if got := r.Count(state); got != want {
				t.Errorf("%s: %d, want %d", state, got, want)
			}
		}
		if len(w.told) != 1 || !strings.Contains(w.told[0].Reasons[0], "16 of 48") || !strings.Contains(w.told[0].Reasons[0], "no time") {
			t.Errorf("told %+v", w.told)
		}
		if w.sum(meter.CanaryAccounts) != 48 {
			t.Errorf("counted %v", w.samples)
		}
	})
}

// Alerts of the canary follow the published schema's demands, and say what the
// canary wrote.
func TestAlertsAreTrueOfTheCanary(t *testing.T) {
	w := newWorld(t, prod)
	w.members[prod].openErr = role.ErrAccessDenied
	w.run()
	a := w.told[0]
	if !json.Valid(a.JSON()) || a.Verdict != "Undecided" || a.Decision.Action != "Tell" || a.ID == "" || !strings.Contains(a.Undo, "canary's own role") || !strings.Contains(a.Mend, "doctor") {
		t.Errorf("%s", a.JSON())
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
