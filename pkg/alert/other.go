package alert

import (
	"fmt"
	"time"

	"github.com/rolewarden/rolewarden/pkg/decision"
	"github.com/rolewarden/rolewarden/pkg/finding"
	"github.com/rolewarden/rolewarden/pkg/policy"
	"github.com/rolewarden/rolewarden/pkg/role"
)

// BuildDeletion makes the alert about a user or role that was deleted while
// roles trusted it. IAM shows its unique id in their trust policies from then
// on, and who takes the name next does not get the access (IAM User Guide,
// reference_policies_elements_principal).
func BuildDeletion(d Deletion) Alert {
	var c cleaner
	c.add(d.Change.Document)
	for _, r := range d.Roles {
		c.add(r.TrustPolicy)
	}
	p := d.Principal
	if d.LivesStill != "" && d.LivesStill != p.ID {
		p.LivesAgainAs = d.LivesStill
	}
	a := Alert{
		Version: Version, State: Opened, Time: d.Now.UTC().Truncate(time.Millisecond),
		Verdict: finding.Noncompliant.String(), Findings: []Finding{}, Change: c.change(&d.Change),
		Decision: Decision{
			ID: decision.ID(d.Change.Account, d.Change.EventID, ""), Action: decision.Tell.String(),
			Reasons: c.lines([]string{"Whether the trust is still wanted is for people to say, so nothing was written. Take the entry out of the trust policy, or put in who is meant now."}),
		},
		Outcome: Outcome{Done: decision.Ignore.String()},
		Undo:    "Nothing was written; there is nothing to undo. A deleted user or role does not come back: one of the same name is another one, and people who return are better disabled than deleted.",
		Mend:    c.line("In each role named here, take " + shown(p) + " out of the trust policy. As long as the unique id is in it, IAM refuses to save it again. Never put back the same name unless you mean whoever has it now."),
	}
	a.Account, a.Role = subjectOf(&c, d)
	for _, r := range d.Roles {
		a.Findings = append(a.Findings, c.deletion(r, p))
	}
	a.Fingerprint = fingerprint(a, []finding.Finding{{Rule: "unique-id-principal"}, {Rule: p.ID + p.ARN}})
	a.ID = id(a.Decision.ID, a.Fingerprint)
	return fit(a)
}

// subjectOf is the role that an alert about several is filed under: the only
// one, or the first; and their account, or the one of the deletion.
func subjectOf(c *cleaner, d Deletion) (string, Role) {
	if len(d.Roles) == 0 {
		return c.name(d.Change.Account), Role{}
	}
	first := d.Roles[0]
	account := first.Account
	for _, r := range d.Roles {
		if r.Account != account {
			account = d.Change.Account
		}
	}
	return c.name(account), Role{ARN: c.name(first.ARN), ID: c.name(first.ID)}
}

func (c *cleaner) deletion(r role.Role, p finding.Principal) Finding {
	what := shown(p)
	message := fmt.Sprintf("Role %s trusts %s, which was deleted", r.ARN, what)
	if p.DeletedBy != "" {
		message += " by " + p.DeletedBy
	}
	if !p.DeletedAt.IsZero() {
		message += " at " + p.DeletedAt.UTC().Format(time.RFC3339)
	}
	message += ". IAM shows a unique id in its place from now on."
	if p.LivesAgainAs != "" {
		message += fmt.Sprintf(" Somebody has the same name again, as %s, and is not let in by this entry.", p.LivesAgainAs)
	}
	return Finding{
		Rule: "unique-id-principal", Severity: finding.Medium.String(), Where: c.line(placeOf(r, p)), Message: c.line(message),
		Fix: c.line("Take " + what + " out of the trust policy of " + r.ARN + ", or name who is meant now."),
		Evidence: c.evidence(finding.Evidence{
			Kind: finding.Fact, Principal: &p, Others: []string{r.ARN},
			Sentence: "CloudTrail recorded the deletion as event " + orUnknown(p.DeletedEvent) + ".",
		}),
	}
}

// placeOf is where a role's trust policy names a principal.
func placeOf(r role.Role, p finding.Principal) string {
	doc, err := policy.Parse([]byte(r.TrustPolicy))
	if err != nil {
		return "the trust policy of " + r.ARN
	}
	for i, s := range doc.Statements {
		count := map[string]int{}
		for _, one := range s.Principal.List {
			if one.Value == p.ARN || p.ID != "" && one.Value == p.ID {
				return fmt.Sprintf("Statement[%d].Principal.%s[%d]", i, one.Type, count[one.Type])
			}
			count[one.Type]++
		}
	}
	return "the trust policy of " + r.ARN
}

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
	if t.Change != nil {
		a.Change = c.change(t.Change)
	} else if t.EventID != "" {
		a.Change = &Change{Actor: "somebody whom the event does not name", Event: "unknown", EventID: c.name(t.EventID)}
	}
	a.Fingerprint = fingerprint(a, nil)
	a.ID = id(t.Decision.ID, a.Fingerprint+t.EventID+t.Problem)
	return fit(a)
}
