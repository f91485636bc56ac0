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
	"github.com/rolewarden/rolewarden/pkg/role"
	"github.com/rolewarden/rolewarden/pkg/rules"
)

// Input is one role as it is remembered, and what it is judged by.
type Input struct {
	Rules *org.Rules
	State ledger.RoleState
	// History and Gone are what the ledger knows of the principals that the
	// document shows; see rules.Input.
	History, Gone map[string]finding.Principal
	Now           time.Time
	// Recall gives all that is remembered of the role. It is asked only where a
	// rule would act.
	Recall func() (ledger.Recalled, error)
	// Member says whether an account that the rules file does not list is a member
	// of the organization all the same; nil where nobody is asked.
	Member func(account string) bool
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
// stay as they are, and nothing would be written that was not before.
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
		subject, report = in.judge(subject)
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
	same := c.Was == c.Would && len(c.Broken) == 0 && len(c.Mended) == 0
	if same && !in.left(report) {
		return c, false, nil
	}
	err = c.plan(in, subject, report)
	return c, !same || c.Action.Writes(), err
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
