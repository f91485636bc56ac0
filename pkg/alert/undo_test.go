package alert_test

import (
	"strings"
	"testing"

	"github.com/rolewarden/rolewarden/pkg/alert"
	"github.com/rolewarden/rolewarden/pkg/decision"
	"github.com/rolewarden/rolewarden/pkg/finding"
	"github.com/rolewarden/rolewarden/pkg/trail"
)

// Whoever undoes a write is sent to CloudTrail's event only for what the event
// holds: the document that was replaced may be another one, which nobody's event
// told of. The ledger keeps it in any case.
func TestUndoSendsToTheEventOnlyForWhatItHolds(t *testing.T) {
	t.Parallel()
	spaced := strings.ReplaceAll(opened, ",", " , ")
	for name, c := range map[string]struct {
		sent, replaced string
		event          bool
	}{
		"it is what was replaced":        {opened, opened, true},
		"... in another spelling":        {spaced, opened, true},
		"something else was replaced":    {before, opened, false},
		"the event carries no document":  {"", opened, false},
		"what was replaced is no policy": {opened, "{", false},
	} {
		a := alert.Build(alert.Input{
			Now: noon(), Role: app(c.replaced), Change: sent(change(trail.TrustUpdated, "UpdateAssumeRolePolicy"), c.sent),
			Report:   finding.Report{Verdict: finding.Noncompliant, Findings: []finding.Finding{externalID()}},
			Decision: decided(decision.Revert), Outcome: decision.Outcome{Done: decision.Revert, Verified: true, Before: c.replaced, After: before},
		})
		if got := strings.Contains(a.Undo, "CloudTrail"); got != c.event || !strings.Contains(a.Undo, "the ledger keeps it with decision") {
			t.Errorf("%s: sent to the event %t, want %t:\n%s", name, got, c.event, a.Undo)
		}
	}
}
