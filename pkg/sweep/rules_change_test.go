package sweep_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/rolewarden/rolewarden/pkg/alert"
	"github.com/rolewarden/rolewarden/pkg/decision"
)

// A rules file under which hundreds of roles are bad all at once is told in the
// summary alone, with which and how many (T68).
func TestRulesThatChangeAreTheSummarysMatter(t *testing.T) {
	s := newSweeping(newWorld(t, strings.Replace(rulesFile, "enforce", "observe", 1)))
	for i := range 30 {
		s.put(dev, fmt.Sprintf("r%02d", i), closed)
	}
	s.sweep()
	s.one()
	s.now = s.now.Add(time.Hour)
	s.setRules(strings.Replace(rulesFile, "enforce", "observe", 1) + "rules:\n  mfa: {mode: observe}\n  session-name: {sessionName: \"corp-${aws:username}\"}\n")
	s.sweep()
	sum, others := s.one()
	if len(others) != 0 || !says(sum, "30 roles are judged otherwise since the rules changed, such as arn:aws:iam::444455556666:role/r00: Noncompliant, was Compliant") {
		t.Errorf("%d alerts, and %q", len(others), sum.Decision.Reasons)
	}
	seen, err := s.memory.SeeRules(t.Context(), s.rules.Hash, s.now.Add(time.Hour))
	if err != nil || !seen.First.Before(s.now) {
		t.Errorf("the rules are first seen at %s, %v", seen.First, err)
	}
}

// threeOpened is an account of some roles that were good when two sweeps came by,
// and of which somebody has opened three; another sweep has come by since.
func threeOpened(t *testing.T, rules string, total int) *sweeping {
	t.Helper()
	s := newSweeping(newWorld(t, rules))
	for i := range total {
		s.put(dev, fmt.Sprintf("r%d", i), closed)
	}
	for range 2 {
		s.sweep()
		s.now = s.now.Add(25 * time.Hour)
	}
	for i := range 3 {
		s.put(dev, fmt.Sprintf("r%d", i), opened)
	}
	s.sweep()
	return s
}

// Rules that begin to act do nothing at the first sweep under them, and the
// summary says how many roles wait for it; when their time has come the roles are
// acted on, once (T68).
func TestRulesThatBeginToActAreObservedFirst(t *testing.T) {
	observing := strings.Replace(rulesFile, "enforce", "observe", 1) + "baselines: {firstSightings: [\"444455556666\"]}\n"
	s := threeOpened(t, observing, 3)
	s.told = nil
	s.setRules(strings.Replace(observing, "observe", "enforce", 1))
	for range 3 {
		s.now = s.now.Add(6 * time.Hour)
		s.sweep()
		if sum, others := s.one(); len(others)+len(s.steps) > 0 || !says(sum, "3 roles are bad under rules that changed, and are only told of until they act (24h0m0s after") {
			t.Fatalf("%d alerts, %d steps, and %q", len(others), len(s.steps), sum.Decision.Reasons)
		}
	}
	s.now = s.now.Add(12 * time.Hour)
	s.sweep()
	if sum, _ := s.one(); len(s.steps) != 3 || !says(sum, "3 roles that were left as they were under other rules are acted on from now on") {
		t.Fatalf("%d steps, and %q", len(s.steps), sum.Decision.Reasons)
	}
	s.hand()
	for i := range 3 {
		if got := s.roles[key(dev, fmt.Sprintf("r%d", i))].TrustPolicy; got != closed {
			t.Errorf("role r%d shows %s", i, got)
		}
	}
	// No event told of guard's own writes here: the next sweep finds that all is well.
	s.told, s.now = nil, s.now.Add(6*time.Hour)
	s.sweep()
	_, others := s.one()
	for _, a := range others {
		if a.State != alert.Resolved {
			t.Errorf("told: %s", a.Headline())
		}
	}
	s.now = s.now.Add(6 * time.Hour)
	s.sweep()
	if sum, others := s.one(); len(others)+len(s.steps) > 0 {
		t.Errorf("the next sweep: %d alerts, %d steps, %q", len(others), len(s.steps), sum.Decision.Reasons)
	}
}

// What a tripped breaker or the kill switch held back is tried once more after a
// person has put that right, and only then (T68).
func TestWhatWasHeldBackIsTriedOnceThatIsPutRight(t *testing.T) {
	for name, c := range map[string]struct {
		text  string
		hold  func(*sweeping)
		right func(*sweeping)
		left  int
	}{
		"a breaker": {"limits: {perAccountPerHour: 2}\n", func(*sweeping) {}, func(s *sweeping) {
			if err := s.memory.Reset(s.t.Context(), "account/"+dev, "bob", "looked into it", s.now); err != nil {
				s.t.Fatal(err)
			}
		}, 1},
		"the kill switch": {"", func(s *sweeping) { s.turn(decision.WritesStopped) }, func(s *sweeping) { s.turn(decision.WritesAllowed) }, 3},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSweeping(newWorld(t, rulesFile+"baselines: {firstSightings: [\"444455556666\"]}\n"+c.text))
			for i := range 3 {
				s.put(dev, fmt.Sprintf("r%d", i), closed)
			}
			// One has nothing to go back to, and is never written.
			s.put(dev, "z", opened)
			for range 2 {
				s.sweep()
				s.hand()
				s.now = s.now.Add(25 * time.Hour)
			}
			for i := range 3 {
				s.put(dev, fmt.Sprintf("r%d", i), opened)
			}
			c.hold(s)
			s.sweep()
			s.hand()
			s.tick()
			before := s.count("UpdateAssumeRolePolicy")
			for range 2 {
				s.now = s.now.Add(2 * time.Hour)
				if s.sweep(); len(s.steps) > 0 {
					t.Fatalf("while it is held back %d roles are handed over", len(s.steps))
				}
			}
			c.right(s)
			s.now = s.now.Add(5 * time.Minute)
			s.tick()
			s.now, s.told = s.now.Add(time.Hour), nil
			s.sweep()
			n := len(s.steps)
			if sum, _ := s.one(); n == 0 || !says(sum, "held back") {
				t.Errorf("%d roles are handed over: %q", n, sum.Decision.Reasons)
			}
			s.hand()
			if got := s.count("UpdateAssumeRolePolicy") - before; got != c.left {
				t.Errorf("%d roles were written, want %d", got, c.left)
			}
			s.tick()
			s.now, s.told = s.now.Add(time.Hour), nil
			s.sweep()
			if sum, _ := s.one(); len(s.steps) > 0 || says(sum, "held back") {
				t.Errorf("the next sweep hands over %d roles: %q", len(s.steps), sum.Decision.Reasons)
			}
		})
	}
}

// tick is what happens every few minutes.
func (s *sweeping) tick() {
	s.t.Helper()
	if _, err := s.sweeper().Deliver(s.t.Context()); err != nil {
		s.t.Fatal(err)
	}
}

// turn turns the kill switch.
func (s *sweeping) turn(to decision.Switch) {
	s.t.Helper()
	if err := s.memory.SetSwitch(s.t.Context(), to, "bob", "an incident", s.now); err != nil {
		s.t.Fatal(err)
	}
}
