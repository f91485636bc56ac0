package sweep_test

import (
	"testing"

	"github.com/rolewarden/rolewarden/pkg/sweep"
)

// Two messages of one account may be handled at the same time, since SQS delivers
// some twice and a beginning that is repeated sends all of them again: what either
// finds is in the summary, whichever ends last.
func TestAnAccountThatIsReadTwiceAtATimeIsToldOfWhole(t *testing.T) {
	s := newSweeping(newWorld(t, rulesFile))
	s.put(dev, "a", opened)
	s.put(dev, "b", opened)
	id := s.begin()
	message := sweep.Message{Version: 1, Task: sweep.ReadAccount, Sweep: id, Account: dev}
	other := s.sweeper()
	within := false
	s.reading = func(call string) {
		if call == "GetRole" && !within {
			within = true
			if _, err := other.Handle(t.Context(), message, 1); err != nil {
				t.Error(err)
			}
		}
	}
	if _, err := s.sweeper().Handle(t.Context(), message, 1); err != nil {
		t.Fatal(err)
	}
	s.drain()
	if sum, _ := s.one(); len(sum.Findings) != 2 || sum.Verdict != "Noncompliant" {
		t.Errorf("the summary has %d findings: %q", len(sum.Findings), sum.Decision.Reasons)
	}
}
