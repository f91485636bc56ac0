// Package preview says what a rules file would change before it is deployed:
// which roles would be judged another way, what would be written, and who among
// recent callers would lose access by it.
//
// It takes what the ledger remembers, a rules file and CloudTrail records as
// values, and gives values. It reads no role, writes nothing, and promises
// nothing of roles that the ledger does not know.
package preview

import (
	"fmt"
	"slices"
	"time"

	"github.com/rolewarden/rolewarden/pkg/decision"
	"github.com/rolewarden/rolewarden/pkg/finding"
	"github.com/rolewarden/rolewarden/pkg/ledger"
	"github.com/rolewarden/rolewarden/pkg/org"
	"github.com/rolewarden/rolewarden/pkg/policy"
	"github.com/rolewarden/rolewarden/pkg/remediate"
	"github.com/rolewarden/rolewarden/pkg/role"
	"github.com/rolewarden/rolewarden/pkg/rules"
	"github.com/rolewarden/rolewarden/pkg/trail"
)

// Input is one role as it is remembered, and what it is judged by.
type Input struct {
	Rules *org.Rules
	State ledger.RoleState
	// History and Gone are what the ledger knows of the principals that the
	// document shows; see rules.Input.
	History, Gone map[string]finding.Principal
	Now           time.Time
	// Baselines gives the role's baselines, newest first. It is asked only where
	// something would be written.
	Baselines func() ([]role.Baseline, error)
}

// Change is what a rules file would make of one role.
type Change struct {
	Account string `json:"account"`
	Role    string `json:"role"`
	RoleID  string `json:"roleId"`
	// Was is the remembered verdict, Would the one under the rules file.
	Was   finding.Verdict `json:"was"`
	Would finding.Verdict `json:"would"`
	// Broken are the rules that it would newly break, Mended those that it would
	// break no more.
	Broken []string `json:"broken"`
	Mended []string `json:"mended"`
	// Action is what would be done once changes of the rules act, and Reason why.
	Action decision.Action `json:"action"`
	Reason string          `json:"reason"`
	// Findings are those under the rules file.
	Findings []finding.Finding `json:"findings"`

	// Before is the remembered document, After the one that would be written;
	// empty when none would be.
	Before string `json:"-"`
	After  string `json:"-"`
}

// Judge judges one role. changed is false when verdict and broken rules would
// stay as they are.
func Judge(in Input) (c Change, changed bool, err error) {
	s := in.State
	parsed, err := role.ParseARN(s.ARN)
	if err != nil {
		return Change{}, false, fmt.Errorf("previewing role %s: %w", s.ARN, err)
	}
	subject := rules.Input{
		Role: role.Role{Account: s.Account, Name: s.Name, Path: parsed.Path, Partition: parsed.Partition, ARN: s.ARN, ID: s.RoleID, TrustPolicy: s.Document},
		Org:  in.Rules, History: in.History, Gone: in.Gone, Now: in.Now,
	}
	var report finding.Report
	if subject.Document, err = policy.Parse([]byte(s.Document)); err != nil {
		report = rules.JudgeText(subject, s.Document)
	} else {
		report = rules.Judge(subject)
	}
	c = Change{
		Account: s.Account, Role: s.ARN, RoleID: s.RoleID, Was: s.Verdict, Would: report.Verdict,
		Broken: []string{}, Mended: []string{}, Findings: report.Masked().Findings, Before: s.Document,
	}
	open := brokenBy(report)
	for _, id := range open {
		if !slices.Contains(s.OpenRules, id) {
			c.Broken = append(c.Broken, id)
		}
	}
	for _, id := range s.OpenRules {
		if !slices.Contains(open, id) && !slices.Contains(c.Mended, id) {
			c.Mended = append(c.Mended, id)
		}
	}
	if c.Was == c.Would && len(c.Broken) == 0 && len(c.Mended) == 0 {
		return c, false, nil
	}
	return c, true, c.plan(in, subject, report)
}

// brokenBy are the rules of the open findings, each once.
func brokenBy(r finding.Report) []string {
	var out []string
	for _, f := range r.Open() {
		if !slices.Contains(out, f.Rule) {
			out = append(out, f.Rule)
		}
	}
	return out
}

// plan fills in what would be done, by the table that decides in earnest.
func (c *Change) plan(in Input, subject rules.Input, report finding.Report) error {
	s := decision.Situation{
		Change: trail.TrustUpdated, Verdict: report.Verdict, Reasons: report.Reasons,
		Modes: rules.Modes(subject, report), Tagged: decision.Untagged, Told: decision.Untagged,
	}
	for _, f := range report.Open() {
		if f.Severity != finding.Advice || report.Verdict == finding.Noncompliant {
			s.Open = append(s.Open, f)
		}
	}
	if reason, protected := role.Protected(subject.Role, in.Rules.Protected); protected {
		s.Protected = reason
	}
	if in.State.AlertID != "" {
		s.Told = decision.Tagged
	}
	if acts(s.Modes) && s.Verdict == finding.Noncompliant && s.Protected == "" {
		after, why, err := in.goesBackTo(subject)
		if err != nil {
			return err
		}
		switch {
		case after != "":
			s.Past, c.After = decision.GoodBaseline, after
		case why != "":
			s.Past, s.PastReason = decision.RefusedBaseline, why
		}
	}
	d := decision.Plan(s)
	c.Action = d.Action
	if len(d.Reasons) > 0 {
		c.Reason = d.Reasons[0]
	}
	if d.Action != decision.Revert {
		c.After = ""
	}
	return nil
}

func acts(modes map[string]org.Mode) bool {
	for _, m := range modes {
		if m == org.Enforce {
			return true
		}
	}
	return false
}

// goesBackTo is the newest baseline that obeys the rules file. Whether its seal
// holds and its principals still are whom they were is looked at when it is
// written, so less may happen than is said here, never more.
func (in Input) goesBackTo(subject rules.Input) (after, refused string, err error) {
	if in.Baselines == nil {
		return "", "", nil
	}
	list, err := in.Baselines()
	if err != nil {
		return "", "", fmt.Errorf("reading the baselines of role %s: %w", in.State.ARN, err)
	}
	for _, b := range list {
		doc, err := policy.Parse([]byte(b.Document))
		switch {
		case err != nil || b.Digest == in.State.Digest || remediate.IsQuarantine(b.Document):
			continue
		case b.Provenance == role.Unreviewed && !in.Rules.AcceptsFirstSighting(in.State.Account, in.State.ARN):
			refused = "its baseline was found there and nobody has accepted it (baselines.firstSightings)"
			continue
		}
		was := subject
		was.Document, was.Role.TrustPolicy = doc, b.Document
		if rules.Judge(was).Verdict == finding.Compliant {
			return b.Document, "", nil
		}
		if refused == "" {
			refused = "its baseline does not obey the rules file either"
		}
	}
	return "", refused, nil
}
