package guard_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/rolewarden/rolewarden/pkg/guard"
	"github.com/rolewarden/rolewarden/pkg/ledger"
	"github.com/rolewarden/rolewarden/pkg/remediate"
	"github.com/rolewarden/rolewarden/pkg/role"
)

const (
	containing = rulesFile + "containment: {rules: [external-account]}\n"
	denyAll    = "arn:aws:iam::aws:policy/AWSDenyAll"
	edge       = "arn:aws:iam::111122223333:policy/Edge"
)

// bounded gives the role of a world a permissions boundary.
func (w *world) bounded(boundary string) {
	r := w.live(prod, "app")
	r.Boundary = boundary
	w.roles[prod+"/app"] = r
}

func (w *world) shut() int {
	return strings.Count(strings.Join(w.calls, " "), "PutRolePermissionsBoundary")
}

// T69: a revert does not end sessions that were issued before. Where the rules
// file asks for it the role's permissions boundary does, after the trust policy is
// seen to have been put right; what it replaced is recorded before, and the alert
// holds the command by which a person puts it back.
func TestT69SessionsAlreadyIssuedAreShutOut(t *testing.T) {
	for was, command := range map[string]string{
		"":   "aws iam delete-role-permissions-boundary --role-name app",
		edge: "aws iam put-role-permissions-boundary --role-name app --permissions-boundary " + edge,
	} {
		w := withBaseline(t, containing)
		w.log.Reset()
		w.bounded(was)
		w.onShut = func() {
			if w.live(prod, "app").TrustPolicy != closed {
				t.Error("the boundary is set before the trust policy was put right")
			}
			taken, err := w.ledger.Take(t.Context(), ledger.Key{Account: prod, EventID: "ev2"}, w.now)
			if i := taken.Intent; err != nil || i == nil || !i.Contains || i.Boundary != was {
				t.Errorf("%q: the intent is %+v, %v", was, taken.Intent, err)
			}
		}
		res := w.open("ev2")
		if res.End != ledger.Reverted || w.live(prod, "app").Boundary != denyAll || w.shut() != 1 {
			t.Fatalf("%q: ended in %s with the boundary %q: %+v", was, res.End, w.live(prod, "app").Boundary, res.Outcome)
		}
		if c := res.Outcome.Contained; !c.Done || !c.Verified || c.Before != was || c.After != denyAll || c.Problem != "" {
			t.Errorf("%q: the outcome is %+v", was, c)
		}
		if text := w.told[0].Text(); !strings.Contains(text, "are shut out too") || !strings.Contains(text, command) {
			t.Errorf("%q: the alert says:\n%s", was, text)
		}
		if a := w.alarms(); len(a) != 1 || a[0]["alarm"] != "contained" {
			t.Errorf("%q: alarms %v", was, a)
		}
		all, err := w.ledger.Recall(t.Context(), prod, appID)
		if err != nil || all.Written.AfterDigest != digestOf(t, closed) {
			t.Errorf("%q: the last write is %+v, %v", was, all.Written, err)
		}
		// The event of our own write shuts nobody out again, and opens nothing.
		if w.handle(w.updated("ev3", "app", closed)); w.shut() != 1 {
			t.Errorf("%q: shut %d times", was, w.shut())
		}
	}
}

// It is off where the rules file does not ask for it: by default, for other rules,
// and where a rule only tags.
func TestT69ContainmentIsOffUnlessAskedFor(t *testing.T) {
	for name, text := range map[string]string{
		"by default":      rulesFile,
		"for other rules": rulesFile + "containment: {rules: [mfa]}\n",
		"only tagged":     strings.Replace(containing, "enforce", "tag", 1),
	} {
		w := withBaseline(t, text)
		if res := w.open("ev2"); w.shut() != 0 || res.Outcome.Contained.Asked || strings.Contains(w.told[0].Text(), "boundary") {
			t.Errorf("%s: ended in %s after %v", name, res.End, w.calls)
		}
	}
}

// A quarantined role is shut for those who are inside, too.
func TestT69AQuarantineShutsOutAsWell(t *testing.T) {
	w := newWorld(t, containing)
	w.put(prod, "app", appID, opened)
	if res := w.handle(w.created("ev1", "app", opened)); res.End != ledger.Quarantined || w.live(prod, "app").Boundary != denyAll {
		t.Errorf("ended in %s: %+v", res.End, res.Outcome)
	}
}

// What goes wrong with containment is told with what to do, undoes nothing of
// the revert, and keeps it from nobody.
func TestT69WhatGoesWrongWithContainmentIsTold(t *testing.T) {
	for name, row := range map[string]struct {
		arrange func(*world)
		says    string
		// shown is the boundary at the end.
		shown string
	}{
		"the session is refused":     {func(w *world) { w.shutErr = fmt.Errorf("assuming: %w", role.ErrAccessDenied) }, "a person has to end them", ""},
		"the session is throttled":   {func(w *world) { w.shutErr = fmt.Errorf("assuming: %w", role.ErrThrottled) }, "a person has to end them", ""},
		"IAM refuses it":             {func(w *world) { w.boundaryErr = fmt.Errorf("setting: %w", role.ErrUnmodifiable) }, "end them by hand", ""},
		"it is never certain":        {func(w *world) { w.boundaryErr = fmt.Errorf("setting: %w", role.ErrUncertain) }, "a person has to end them", ""},
		"nobody can":                 {func(w *world) { w.rebuild(func(c *guard.Config) { c.Containers = nil }) }, "no way to set a permissions boundary", ""},
		"the switch is turned":       {func(w *world) { w.onWrite = func() { w.stop() } }, "kill switch", ""},
		"somebody else sets another": {func(w *world) { w.onWrite = func() { w.bounded(edge) } }, "a person has to end them", edge},
		"the revert does not show": {func(w *world) {
			w.onWrite = func() { w.lagging = opened }
		}, "not seen to have been replaced", ""},
	} {
		t.Run(name, func(t *testing.T) {
			w := withBaseline(t, containing)
			w.log.Reset()
			row.arrange(w)
			res := w.open("ev2")
			if waits := res.End == ledger.InFlight; waits != (name == "the session is throttled" || name == "it is never certain") {
				t.Errorf("it waits: %t", waits)
			}
			res = w.settle(res)
			if res.End != ledger.Reverted || w.live(prod, "app").TrustPolicy != closed || w.live(prod, "app").Boundary != row.shown {
				t.Errorf("ended in %s with %q: %+v", res.End, w.live(prod, "app").Boundary, res.Outcome)
			}
			if len(w.told) != 1 || !strings.Contains(w.told[0].Text(), row.says) || w.told[0].Outcome.Contained == nil || w.told[0].Outcome.Contained.Problem == "" {
				t.Fatalf("told %d times: %+v", len(w.told), res.Outcome.Contained)
			}
			incomplete := 0
			for _, a := range w.alarms() {
				if a["alarm"] == "write-incomplete" {
					incomplete++
				}
				if a["alarm"] == "contained" {
					t.Error("it counts as contained")
				}
			}
			if incomplete == 0 {
				t.Errorf("alarms %v", w.alarms())
			}
		})
	}
}

// A trouble that passes is waited for, and a crash between the two writes, or
// after the second, is found and finished: the role is shut out once, and the
// boundary that it had is the one that is told.
func TestT69AnInterruptedContainmentIsFinished(t *testing.T) {
	errCrash := errors.New("the process ended")
	for name, crash := range map[string]func(*world) func(){
		"before its intent": func(w *world) func() {
			n := 0
			w.ledger.intending = func() {
				if n++; n == 2 {
					w.ledger.intendErr = errCrash
				}
			}
			return func() { w.ledger.intendErr, w.ledger.intending = nil, nil }
		},
		"before its session": func(w *world) func() {
			w.shutErr = errCrash
			return func() { w.shutErr = nil }
		},
		"at its write": func(w *world) func() {
			w.boundaryErr = errCrash
			return func() { w.boundaryErr = nil }
		},
		"after its write, without an answer": func(w *world) func() {
			w.onShut = func() { w.bounded(denyAll) }
			w.boundaryErr = fmt.Errorf("setting: %w", role.ErrUncertain)
			return func() { w.boundaryErr, w.onShut = nil, nil }
		},
		"after its write, before the record": func(w *world) func() {
			w.ledger.concludeErr = errCrash
			return func() { w.ledger.concludeErr = nil }
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := withBaseline(t, containing)
			w.bounded(edge)
			mend := crash(w)
			w.put(prod, "app", appID, opened)
			body := w.updated("ev2", "app", opened)
			res, err := w.guard.Handle(t.Context(), body)
			mend()
			if err != nil {
				res = w.handle(body)
			}
			res = w.settle(res)
			if res.End != ledger.Reverted || w.live(prod, "app").Boundary != denyAll || w.trust() != 1 {
				t.Fatalf("ended in %s with the boundary %q after %v: %+v", res.End, w.live(prod, "app").Boundary, w.calls, res.Outcome)
			}
			if c := res.Outcome.Contained; !c.Done || c.Before != edge || c.Problem != "" {
				t.Errorf("the outcome is %+v", c)
			}
			if len(w.told) != 1 || !strings.Contains(w.told[0].Text(), "--permissions-boundary "+edge) {
				t.Errorf("told %d times", len(w.told))
			}
			w.quiet()
		})
	}
}

var _ remediate.Boundaries = session{}
