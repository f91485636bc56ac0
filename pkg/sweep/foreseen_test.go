package sweep_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rolewarden/rolewarden/pkg/decision"
	"github.com/rolewarden/rolewarden/pkg/ledger"
	"github.com/rolewarden/rolewarden/pkg/org"
	"github.com/rolewarden/rolewarden/pkg/preview"
)

// foreseen gives the roles that preview says a rules file would have written.
func (s *sweeping) foreseen(text string) []string {
	s.t.Helper()
	rules, err := org.ParseDeployed("new.yaml", []byte(text), s.now)
	if err != nil {
		s.t.Fatal(err)
	}
	var out []string
	err = s.memory.States(s.t.Context(), "", func(state ledger.RoleState) error {
		c, changed, err := preview.Judge(preview.Input{
			Rules: rules, State: state, Now: s.now,
			Recall: func() (ledger.Recalled, error) { return s.memory.Recall(s.t.Context(), state.Account, state.RoleID) },
		})
		if changed && c.Action == decision.Revert {
			out = append(out, state.Name)
		}
		return err
	})
	if err != nil {
		s.t.Fatal(err)
	}
	slices.Sort(out)
	return out
}

// What preview says would be written is what is written once rules that begin to
// act have been observed for long enough; of the rules that are in force it says
// nothing (T68).
func TestWhatRulesThatBeginToActWriteIsForeseen(t *testing.T) {
	observing := strings.Replace(rulesFile, "enforce", "observe", 1) + "baselines: {firstSightings: [\"444455556666\"]}\n"
	enforcing := strings.Replace(observing, "observe", "enforce", 1)
	s := threeOpened(t, observing, 4)
	if got := s.foreseen(observing); len(got) != 0 {
		t.Errorf("the rules in force would have %v written", got)
	}
	want := s.foreseen(enforcing)
	s.setRules(enforcing)
	s.sweep()
	s.now = s.now.Add(25 * time.Hour)
	s.sweep()
	s.hand()
	var written []string
	for i := range 4 {
		name := fmt.Sprintf("r%d", i)
		if i < 3 && s.roles[key(dev, name)].TrustPolicy == closed {
			written = append(written, name)
		}
	}
	if len(written) != 3 || !slices.Equal(want, written) {
		t.Errorf("preview says that %v would be written, and %v were", want, written)
	}
}
