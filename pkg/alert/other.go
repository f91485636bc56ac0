package alert

import (
	"time"

	"github.com/rolewarden/rolewarden/pkg/decision"
	"github.com/rolewarden/rolewarden/pkg/finding"
)

// shown names a principal by all that is known of it.
func shown(p finding.Principal) string {
	switch {
	case p.ARN != "" && p.ID != "":
		return p.ARN + " (" + p.ID + ")"
	case p.ARN != "":
		return p.ARN
	default:
		return orUnknown(p.ID)
	}
}

func orUnknown(s string) string {
	if s == "" {
		return "unknown"
	}
	return s
}

// BuildTrouble makes the alert about something that keeps rolewarden from its
// work: a role it may not read, an event that contradicts itself. The verdict
// is Undecided: what cannot be looked at is never called fine.
func BuildTrouble(t Trouble) Alert {
	var c cleaner
	c.add(t.Wrote.Before, t.Wrote.After)
	if t.Change != nil {
		c.add(t.Change.Document)
	}
	a := Alert{
		Version: Version, State: Opened, Time: t.Now.UTC().Truncate(time.Millisecond),
		Account: c.name(t.Account), Role: Role{ARN: c.name(t.Role), ID: c.name(t.RoleID)},
		Verdict: finding.Undecided.String(), Findings: []Finding{}, Reasons: c.lines([]string{t.Problem}),
		Decision: c.decision(t.Decision), Outcome: Outcome{Done: decision.Ignore.String()},
		Undo: "Nothing was written; there is nothing to undo.",
		Mend: "Remove what keeps rolewarden from its work, named under Reasons; then let the role be judged again. Until then nobody guards this change.",
	}
	if t.Wrote.Done.Writes() {
		a.Outcome = c.outcome(t.Wrote)
		a.Undo = "Look at the role first: whether it was written is not known. Where it was, `rolewarden undo " + Plain(t.Decision.ID, 64) + " --deployment FILE --reason TEXT` puts back what stood before."
	}
	if t.Change != nil {
		a.Change = c.change(t.Change)
	} else if t.EventID != "" {
		a.Change = &Change{Actor: "somebody whom the event does not name", Event: "unknown", EventID: c.name(t.EventID)}
	}
	a.Fingerprint = fingerprint(a, nil)
	a.ID = id(t.Decision.ID, a.Fingerprint+t.EventID+t.Problem)
	return fit(a)
}
