package guard_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rolewarden/rolewarden/pkg/alert"
	"github.com/rolewarden/rolewarden/pkg/decision"
	"github.com/rolewarden/rolewarden/pkg/guard"
	"github.com/rolewarden/rolewarden/pkg/ledger"
	"github.com/rolewarden/rolewarden/pkg/remediate"
)

const patient = rulesFile + "quarantine: {graceMinutes: 5}\n"

// trusts counts the writes of trust policies.
func (w *world) trusts() (n int) {
	for _, c := range w.calls {
		if c == "UpdateAssumeRolePolicy" {
			n++
		}
	}
	return n
}

// A new role that breaks a rule is tagged and told of at once, and shut when the
// time is over that its maker has to finish, on one alert that names the maker.
func TestANewRoleIsShutWhenItsMakerHadTimeToFinish(t *testing.T) {
	w := newWorld(t, patient)
	w.put(prod, "app", appID, opened)
	made := w.now
	w.now = w.now.Add(20 * time.Second)
	res := w.handle(w.created("ev1", "app", opened))
	if res.End != ledger.Tagged || w.trusts() != 0 || len(w.live(prod, "app").Tags) == 0 || len(w.told) != 1 {
		t.Fatalf("ended in %s with %d writes, told %d times", res.End, w.writes(), len(w.told))
	}
	if text := w.told[0].Text(); !strings.Contains(text, "until 2026-03-01T09:05:00Z") {
		t.Errorf("the alert does not say until when:\n%s", text)
	}
	if len(w.steps) != 1 || !w.steps[0].NotBefore.Equal(made.Add(5*time.Minute)) {
		t.Fatalf("the steps are %+v", w.steps)
	}
	again := w.steps[0]
	res = w.due()
	if res.End != ledger.Quarantined || !remediate.IsQuarantine(w.live(prod, "app").TrustPolicy) || w.trusts() != 1 {
		t.Fatalf("ended in %s: %v", res.End, res.Decision.Reasons)
	}
	if a := w.told[len(w.told)-1]; len(w.told) != 2 || a.ID != w.told[0].ID || a.Outcome.Done != decision.Quarantine.String() || a.Change.Actor != w.told[0].Change.Actor {
		t.Errorf("told %d times, the last as %s of %s by %+v", len(w.told), a.ID, a.Outcome.Done, a.Change)
	}
	w.steps = append(w.steps, again)
	if w.due(); w.trusts() != 1 || len(w.told) != 2 {
		t.Errorf("the look that came twice wrote %d times, told %d times", w.trusts(), len(w.told))
	}
	w.quiet()
}

// What its maker mends in time is left alone, whether or not an event tells of it.
func TestANewRoleThatIsFinishedInTimeIsLeftAlone(t *testing.T) {
	for name, told := range map[string]bool{"an event tells of it": true, "its event is lost": false} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, patient)
			w.put(prod, "app", appID, opened)
			w.handle(w.created("ev1", "app", opened))
			w.now = w.now.Add(time.Minute)
			w.put(prod, "app", appID, closed)
			if told {
				if res := w.handle(w.updated("ev2", "app", closed)); res.End != ledger.Compliant {
					t.Fatalf("the second step ended in %s", res.End)
				}
			}
			for len(w.steps) > 0 {
				w.due()
			}
			if got := w.live(prod, "app"); got.TrustPolicy != closed || w.trusts() != 0 || len(got.Tags) != 0 {
				t.Errorf("the role shows %s with tags %v after %d writes", got.TrustPolicy, got.Tags, w.trusts())
			}
			if last := w.told[len(w.told)-1]; len(w.told) != 2 || last.State != alert.Resolved || last.ID != w.told[0].ID {
				t.Errorf("told %d times, the last is %s of %s", len(w.told), last.State, last.ID)
			}
			w.quiet()
		})
	}
}

// The time to finish counts from the making of the role: nobody lengthens it by
// changing the role again and again.
func TestChangingANewRoleGivesNoMoreTime(t *testing.T) {
	w := newWorld(t, patient)
	w.put(prod, "app", appID, opened)
	w.handle(w.created("ev1", "app", opened))
	other := strings.Replace(opened, "sts:AssumeRole", "sts:*", 1)
	w.now = w.now.Add(4 * time.Minute)
	w.put(prod, "app", appID, other)
	if res := w.handle(w.updated("ev2", "app", other)); res.End != ledger.Tagged {
		t.Fatalf("ended in %s", res.End)
	}
	limit := w.live(prod, "app").Created.Add(5 * time.Minute)
	for len(w.steps) > 0 {
		if w.due(); !w.now.Before(limit) && !remediate.IsQuarantine(w.live(prod, "app").TrustPolicy) && w.now.After(limit.Add(2*time.Minute)) {
			t.Fatalf("at %s the role is still open", w.now)
		}
	}
	if !remediate.IsQuarantine(w.live(prod, "app").TrustPolicy) || w.trusts() != 1 {
		t.Errorf("the role shows %s after %d writes", w.live(prod, "app").TrustPolicy, w.trusts())
	}
	// Once the time is over the next change is shut at once.
	w.put(prod, "app", appID, opened)
	if res := w.handle(w.updated("ev3", "app", opened)); res.End != ledger.Quarantined {
		t.Errorf("ended in %s", res.End)
	}
}

// A kill switch that stops the tag does not make the role forgotten.
func TestANewRoleIsLookedAtAgainThoughItsTagWasStopped(t *testing.T) {
	w := newWorld(t, patient)
	w.put(prod, "app", appID, opened)
	if err := w.ledger.SetSwitch(t.Context(), decision.WritesStopped, "alice", "a test", w.now); err != nil {
		t.Fatal(err)
	}
	if res := w.handle(w.created("ev1", "app", opened)); res.End != ledger.Held || w.writes() != 0 {
		t.Fatalf("ended in %s with %d writes", res.End, w.writes())
	}
	if err := w.ledger.SetSwitch(t.Context(), decision.WritesAllowed, "alice", "a test", w.now); err != nil {
		t.Fatal(err)
	}
	if res := w.due(); res.End != ledger.Quarantined {
		t.Errorf("ended in %s: %v", res.End, res.Decision.Reasons)
	}
}

// A new role that only a sweep saw is given the same time, and is shut after it.
func TestANewRoleThatASweepSawIsShutToo(t *testing.T) {
	w := newWorld(t, patient)
	w.put(prod, "app", appID, opened)
	w.now = w.now.Add(time.Minute)
	w.sight(w.sweepers(), "s1", guard.Quietly)
	var ends []ledger.End
	for len(w.steps) > 0 {
		ends = append(ends, w.due().End)
	}
	if !slices.Equal(ends, []ledger.End{ledger.Tagged, ledger.Quarantined}) || w.trusts() != 1 {
		t.Errorf("it ended in %v after %d writes", ends, w.trusts())
	}
	if len(w.told) != 1 || w.told[0].Outcome.Done != decision.Quarantine.String() {
		t.Errorf("told %d times: %+v", len(w.told), w.told)
	}
}
