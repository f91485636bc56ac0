package alert

import (
	"bytes"
	"encoding/json"
	"strings"
	"time"

	"github.com/rolewarden/rolewarden/pkg/decision"
	"github.com/rolewarden/rolewarden/pkg/finding"
	"github.com/rolewarden/rolewarden/pkg/policy"
	"github.com/rolewarden/rolewarden/pkg/role"
	"github.com/rolewarden/rolewarden/pkg/trail"
)

// LostUpdate is a change by somebody else that a write of rolewarden may have
// overwritten, with both documents; values of external ids are masked.
type LostUpdate struct {
	// Lost is the trust policy that somebody else wrote; empty when their event
	// did not carry it.
	Lost string `json:"lost,omitempty"`
	// Written is the trust policy that rolewarden wrote.
	Written string `json:"written"`
	// Decision is the one under which it was written.
	Decision string `json:"decision"`
	// Event is the other change's.
	Event string `json:"eventId"`
}

// Lost is what is known of a change that may have been overwritten.
type Lost struct {
	Now  time.Time
	Role role.Role
	// Change is the other change; only its event and time may be known.
	Change trail.Change
	// Lost, Written and Before are the documents: the other change's, the one
	// that was written and the one that this replaced.
	Lost, Written, Before string
	Decision              string
	// ReadAt and WrittenAt are when the role was read and written; WrittenAt is
	// zero where nobody knows.
	ReadAt, WrittenAt time.Time
}

// BuildLost makes the alert about a change of somebody else's that fell between
// a reading of the role and the write that followed. IAM has no compare-and-set
// (IAM API Reference, API_UpdateAssumeRolePolicy), and CloudTrail tells whole
// seconds, so which came first cannot be told for sure.
func BuildLost(l Lost) Alert {
	var c cleaner
	c.add(l.Lost, l.Written, l.Before, l.Change.Document, l.Role.TrustPolicy)
	when := "after it read the role at " + l.ReadAt.UTC().Format(time.RFC3339Nano)
	if !l.WrittenAt.IsZero() {
		when += " and before its write was done at " + l.WrittenAt.UTC().Format(time.RFC3339Nano)
	}
	reasons := c.lines([]string{
		"LOST UPDATE: event " + orUnknown(l.Change.EventID) + " changed the trust policy at " + l.Change.Time.UTC().Format(time.RFC3339) +
			", and rolewarden replaced the trust policy under decision " + l.Decision + ". The change may have come " + when +
			": CloudTrail tells whole seconds, and IAM does not compare before it writes. What the other change wrote is neither what rolewarden had read nor what it wrote, and the role does not show it.",
	})
	a := Alert{
		Version: Version, State: Opened, Time: l.Now.UTC().Truncate(time.Millisecond),
		Account: c.name(l.Role.Account), Role: Role{ARN: c.name(l.Role.ARN), ID: c.name(l.Role.ID)},
		Verdict: finding.Undecided.String(), Findings: []Finding{}, Reasons: reasons,
		Decision: Decision{ID: c.name(l.Decision), Action: decision.Tell.String(), Reasons: []string{"A change of somebody else's may have been lost. Whether it is still wanted is for people to say."}},
		Outcome:  Outcome{Done: decision.Ignore.String()},
		LostUpdate: &LostUpdate{
			Lost: c.policy(l.Lost), Written: c.policy(l.Written), Decision: c.name(l.Decision), Event: c.name(l.Change.EventID),
		},
		Undo: "Nothing was written now. `rolewarden undo " + Plain(l.Decision, 64) + " --deployment FILE --reason TEXT` puts back what decision " + Plain(l.Decision, 64) + " replaced, which is not the lost change.",
		Mend: restoring(l),
	}
	change := l.Change
	a.Change = c.change(&change)
	a.Fingerprint = fingerprint(a, []finding.Finding{{Rule: "lost-update"}, {Rule: l.Decision + l.Change.EventID}})
	a.ID = id("lost#"+l.Decision+"#"+l.Change.EventID, a.Fingerprint)
	return fit(a)
}

// restoring says how the lost change is made again.
func restoring(l Lost) string {
	name := l.Role.Name
	if !role.ValidName(name) {
		name = "ROLE-NAME"
	}
	file := name + "-lost.json"
	return strings.Join([]string{
		"Ask who made the change whether it is still wanted. Then, under credentials of account " + account(l.Role.Account) + ":",
		"aws iam update-assume-role-policy --role-name " + name + " --policy-document file://" + file,
		"where " + file + " holds the document of the change, whole: take it from CloudTrail, event " + orUnknown(Plain(l.Change.EventID, 64)) + ". It is judged again like every change.",
	}, "\n")
}

// policy shows a document in full, indented, with the values of secrets masked.
func (c *cleaner) policy(text string) string {
	d, err := policy.Parse([]byte(text))
	if err != nil {
		return ""
	}
	var out bytes.Buffer
	if json.Indent(&out, d.Masked().Print(), "", "  ") != nil {
		return ""
	}
	return limitedLines(c.masked(visible(c.masked(out.String()), '\n')), maxDiff)
}

// lost says whether the alert is about a change that may have been overwritten.
func (a Alert) lost() bool { return a.LostUpdate != nil }

// lostUpdate writes both documents.
func (w *writer) lostUpdate(a Alert) {
	if a.LostUpdate == nil {
		return
	}
	for _, one := range []struct{ name, text string }{
		{"The change that may be lost (event " + a.LostUpdate.Event + ")", a.LostUpdate.Lost},
		{"What rolewarden wrote (decision " + a.LostUpdate.Decision + ")", a.LostUpdate.Written},
	} {
		text := one.text
		if text == "" {
			text = "The event did not carry the document: look it up in CloudTrail."
		}
		w.line("")
		w.line(Plain(one.name, maxName))
		for _, l := range strings.Split(PlainLines(text, maxDiff), "\n") {
			w.line("  " + strings.TrimRight(l, " "))
		}
	}
}
