package canary_test

import (
	"errors"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/rolewarden/rolewarden/pkg/canary"
	"github.com/rolewarden/rolewarden/pkg/meter"
	"github.com/rolewarden/rolewarden/pkg/role"
)

// Whatever goes wrong, in whatever order: every account ends in exactly one
// state, the numbers add up, what is not proven is told, what is counted as
// reached was decided on, and no target is left showing what lets somebody in
// once it was looked at and could be written.
func TestEveryAccountEndsInExactlyOneState(t *testing.T) {
	errs := []error{nil, nil, nil, role.ErrAccessDenied, role.ErrThrottled, role.ErrNotFound, role.ErrUncertain, errors.New("no answer")}
	rapid.Check(t, func(rt *rapid.T) {
		w := newWorld(t, many(rapid.IntRange(1, 14).Draw(rt, "accounts"))...)
		for range rapid.IntRange(1, 4).Draw(rt, "runs") {
			w.ledgerErr = rapid.SampledFrom(errs).Draw(rt, "ledger")
			for _, id := range w.ids {
				m := w.members[id]
				m.openErr, m.readErr, m.writeErr = rapid.SampledFrom(errs).Draw(rt, "open"), rapid.SampledFrom(errs).Draw(rt, "read"), rapid.SampledFrom(errs).Draw(rt, "write")
				m.ruleErr = rapid.SampledFrom(errs).Draw(rt, "look at the rule")
				m.events = rapid.SampledFrom([]canary.Rule{deployed(), deployed(), {Name: "r", State: "DISABLED"}, {Name: "r", State: "ENABLED", Pattern: narrowed}}).Draw(rt, "the rule")
				m.rule, m.panics = rapid.SampledFrom([]way{open, shut}).Draw(rt, "rule"), rapid.IntRange(0, 20).Draw(rt, "panics") == 0
				switch rapid.IntRange(0, 9).Draw(rt, "somebody") {
				case 0:
					m.target.TrustPolicy = opened
				case 1:
					m.target = target(id, w.now)
				case 2:
					w.remake(id)
				}
			}
			r, err := w.later(time.Duration(rapid.IntRange(1, 60*50).Draw(rt, "minutes")) * time.Minute)
			if err != nil {
				rt.Fatal(err)
			}
			check(rt, w, r)
		}
	})
}

const opened = `{"Version":"2012-10-17","Statement":[{"Sid":"Canary20261121T090000123Z","Effect":"Allow","Principal":{"AWS":"999999999999"},"Action":"sts:AssumeRole"}]}`

func check(rt *rapid.T, w *world, r canary.Report) {
	if len(r.Accounts) != len(w.ids) {
		rt.Fatalf("%d accounts, want %d", len(r.Accounts), len(w.ids))
	}
	sum := 0
	for _, s := range canary.States() {
		sum += r.Count(s)
	}
	if sum != len(w.ids) {
		rt.Fatalf("the states add up to %d of %d", sum, len(w.ids))
	}
	for name, n := range map[string]int{
		meter.CanaryAccounts: len(w.ids), meter.CanaryReached: r.Count(canary.Reached),
		meter.CanaryMissed: r.Count(canary.Missed), meter.CanaryUnreachable: r.Count(canary.Unreachable),
		meter.CanaryFirst: r.Count(canary.First),
	} {
		if w.sum(name) != float64(n) {
			rt.Fatalf("%s is %v, want %d", name, w.sum(name), n)
		}
	}
	for i, a := range r.Accounts {
		m := w.members[w.ids[i]]
		quiet := a.State == canary.Reached || a.State == canary.First
		switch {
		case a.ID != w.ids[i]:
			rt.Fatalf("account %s stands for %s", a.ID, w.ids[i])
		case quiet != (a.Why == ""):
			rt.Fatalf("account %s is %s and says %q", a.ID, a.State, a.Why)
		case quiet && a.Change != canary.Changed:
			rt.Fatalf("account %s is %s and nothing was written for the next run", a.ID, a.State)
		case quiet && (m.ruleErr != nil || m.events != deployed()):
			rt.Fatalf("account %s is %s with the rule %+v, %v", a.ID, a.State, m.events, m.ruleErr)
		case a.State == canary.Reached && (a.Took != 3*time.Second || a.Written.IsZero()):
			rt.Fatalf("account %s took %s since %s", a.ID, a.Took, a.Written)
		case a.State != canary.Reached && a.Took != 0:
			rt.Fatalf("account %s is %s and took %s", a.ID, a.State, a.Took)
		case m.openErr == nil && m.readErr == nil && m.writeErr == nil && !m.panics && m.target.TrustPolicy == opened:
			rt.Fatalf("account %s is left open", a.ID)
		}
	}
	if shut := r.Count(canary.Missed) + r.Count(canary.Unreachable); shut > 10 {
		shut = 1
		if len(w.told) < shut {
			rt.Fatalf("nothing was told")
		}
	} else if unknown := r.Count(canary.Unknown) + r.Count(canary.NotLooked); len(w.told) != shut+min(unknown, 1) {
		rt.Fatalf("%d alerts for %d accounts that are shut and %d not known", len(w.told), shut, unknown)
	}
}
