package invariant_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rolewarden/rolewarden/pkg/alert"
	"github.com/rolewarden/rolewarden/pkg/decision"
	"github.com/rolewarden/rolewarden/pkg/finding"
	"github.com/rolewarden/rolewarden/pkg/invariant"
	"github.com/rolewarden/rolewarden/pkg/ledger"
	"github.com/rolewarden/rolewarden/pkg/org"
)

// I6 speaks of the end: a role that stays open and untold, or is written again and again.
func TestARoleThatDoesNotSettleIsNoticed(t *testing.T) {
	s := begin(t)
	s.say(0, invariant.Left{Key: event})
	s.end(bad)
	if found := invariant.Check(s.History); len(found) != 1 || found[0].Invariant != invariant.I6 || !strings.Contains(found[0].Sentence, "nothing is known") {
		t.Errorf("an open role that nobody knows of: %v", found)
	}
	h := tell(t, nil)
	stands := h.Entries[len(h.Entries)-2].Fact.(invariant.Stands)
	stands.Role.TrustPolicy = bad
	h.Entries[len(h.Entries)-2].Fact = stands
	if found := invariant.Check(h); len(found) != 1 || found[0].Invariant != invariant.I6 || !strings.Contains(found[0].Sentence, "what is remembered is") {
		t.Errorf("a role that was opened after its last event: %v", found)
	}
	s = begin(t)
	order, parts := s.parts(t)
	s.say(0, invariant.Healed{})
	for run := 1; run <= 4; run++ {
		for _, name := range order[:9] {
			s.say(run, parts[name])
		}
	}
	over := func(v invariant.Violation) bool { return v.Invariant == invariant.I6 }
	if found := invariant.Check(s.History); !slices.ContainsFunc(found, over) {
		t.Errorf("four writes in peace: %v", found)
	}
}

// T64: a write between our last reading and our write is a lost update, and so
// is one that a lagging reading did not show; a telling is what detects it.
func TestLostUpdatesAreSeen(t *testing.T) {
	for _, told := range []bool{false, true} {
		s := begin(t)
		order, parts := s.parts(t)
		theirs := invariant.Wrote{Role: s.live, Call: invariant.UpdateTrust, Document: other, By: "alice", Event: "ev-2"}
		ours := parts["wrote"].(invariant.Wrote)
		ours.Role.TrustPolicy = other
		parts["wrote"] = ours
		for _, name := range order {
			if name == "wrote" {
				s.say(0, theirs)
			}
			s.say(1, parts[name])
			if name == "ended" && told {
				s.say(2, invariant.Told{Channel: topic, Alert: alert.Alert{LostUpdate: &alert.LostUpdate{Event: "ev-2"}}})
			}
		}
		got := invariant.LostUpdates(s.History)
		if len(got) != 1 || got[0].Stale != invariant.Current || (got[0].Detected == invariant.Detected) != told {
			t.Errorf("told %t: %+v", told, got)
		}
	}
	s := begin(t)
	order, parts := s.parts(t)
	s.say(0, invariant.Wrote{Role: s.live, Call: invariant.UpdateTrust, Document: other, By: "alice"})
	ours := parts["wrote"].(invariant.Wrote)
	ours.Role.TrustPolicy = other
	parts["wrote"] = ours
	for _, name := range order {
		s.say(1, parts[name])
	}
	if got := invariant.LostUpdates(s.History); len(got) != 1 || got[0].Stale != invariant.Lagged {
		t.Errorf("a reading that lagged: %+v", got)
	}
	if got := invariant.LostUpdates(tell(t, nil)); len(got) != 0 {
		t.Errorf("nobody else wrote: %+v", got)
	}
}

// A new role that is only tagged, since its maker has time to finish, is looked at
// again when the time is over.
func TestANewRoleThatNobodyLooksAtAgainIsNoticed(t *testing.T) {
	for looked, want := range map[time.Duration]int{5*time.Minute - 1: 1, 5 * time.Minute: 0} {
		s := begin(t)
		var err error
		s.rules, err = org.Parse("rules.yaml", []byte("version: 1\nmodes:\n  default: enforce\nquarantine: {graceMinutes: 5}\n"), start)
		if err != nil {
			t.Fatal(err)
		}
		s.live.Created = start
		state := s.state(bad, finding.Noncompliant, decision.Tag, "a1", t)
		state.UpdatedAt = start.Add(looked)
		s.say(0, invariant.Ruled{Rules: s.rules})
		s.say(1,
			invariant.Began{Key: event, What: "an event"}, invariant.Took{Key: event}, invariant.Read{Role: s.live},
			invariant.Concluded{Conclusion: ledger.Conclusion{Event: event, End: ledger.Tagged, State: state}},
			invariant.Told{Channel: topic, Alert: s.alert(alert.Opened), Answer: invariant.Yes}, invariant.Delivered{Letter: "a1"}, invariant.Ended{How: invariant.Done},
		)
		s.end(bad)
		found := invariant.Check(s.History)
		if len(found) != want || want == 1 && (found[0].Invariant != invariant.I6 || !strings.Contains(found[0].Sentence, "had until")) {
			t.Errorf("looked at %s after its making: %v", looked, found)
		}
	}
}
