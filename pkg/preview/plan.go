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
		if err := c.past(in, subject, report, &s); err != nil {
			return err
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
		if m != org.Observe {
			return true
		}
	}
	return false
}

// past fills in what depends on what was before: a person's word, who is gone,
// and what there is to go back to.
func (c *Change) past(in Input, subject rules.Input, report finding.Report, s *decision.Situation) error {
	var known ledger.Recalled
	if in.Recall != nil {
		var err error
		if known, err = in.Recall(); err != nil {
			return fmt.Errorf("reading what is remembered of role %s: %w", in.State.ARN, err)
		}
	}
	if s.Stays = in.stays(known.Word); s.Stays != "" {
		return nil
	}
	s.Pruning, s.PruneReason = in.pruning(subject, report)
	after, why := in.goesBackTo(subject, known.Baselines)
	switch {
	case after != "":
		s.Past, c.After = decision.GoodBaseline, after
	case why != "":
		s.Past, s.PastReason = decision.RefusedBaseline, why
	}
	return nil
}

// stays says whose word keeps the document as it is; empty when nobody's does.
func (in Input) stays(w *ledger.Word) string {
	if w == nil || w.Account != in.State.Account || w.RoleID != in.State.RoleID || w.Digest != in.State.Digest || !in.Now.Before(w.Until) {
		return ""
	}
	return fmt.Sprintf("%s said at %s that this document stays until %s", w.By, w.At.UTC().Format(time.RFC3339), w.Until.UTC().Format(time.RFC3339))
}

// pruning says whether the ids of those who are gone would be taken out.
func (in Input) pruning(subject rules.Input, report finding.Report) (decision.Pruning, string) {
	if in.Rules.Pruning != org.PruningOn || in.Rules.Mode(rules.UniqueIDPrincipal, in.State.Account) != org.Enforce {
		return decision.NothingToPrune, ""
	}
	var orphans []string
	for _, f := range report.Open() {
		if f.Orphaned() {
			orphans = append(orphans, f.Evidence.Principal.ID)
		}
	}
	if len(orphans) == 0 {
		return decision.NothingToPrune, ""
	}
	p, err := remediate.Prune(subject.Role, orphans)
	switch {
	case err != nil:
		return decision.PruneRefused, err.Error()
	case p.Reason != "":
		return decision.PruneRefused, p.Reason
	}
	return decision.MayPrune, ""
}

// left says that a bad document was left as it is under other rules, so that
// these may act on it though it breaks no more and no fewer of them: a mode that
// changed from observe to enforce changes no verdict.
func (in Input) left(report finding.Report) bool {
	under := in.State.LeftUnder
	return report.Verdict == finding.Noncompliant && under != "" && under != in.Rules.Hash
}

// rounds bounds how often a document is judged anew since accounts turned out
// to be members, as it does where it is judged in earnest.
const rounds = 32

// judge judges a document. Accounts that the rules file does not list may be
// members of the organization, which is asked before anybody acts on them.
func (in Input) judge(subject rules.Input) (rules.Input, finding.Report) {
	report := rules.Judge(subject)
	for range rounds {
		joined := in.joined(subject, report)
		if len(joined) == 0 {
			break
		}
		with := *subject.Org
		with.Organization.Accounts = slices.Clone(with.Organization.Accounts)
		for _, account := range joined {
			with.Organization.Accounts = append(with.Organization.Accounts, org.Account{ID: account})
		}
		subject.Org = &with
		report = rules.Judge(subject)
	}
	return subject, report
}

// joined gives the accounts that findings call foreign and that are members.
func (in Input) joined(subject rules.Input, report finding.Report) []string {
	if in.Member == nil || subject.Org == nil || subject.Org.Organization.ID == "" || report.Verdict != finding.Noncompliant {
		return nil
	}
	var out []string
	for _, f := range report.Open() {
		for _, account := range rules.Strangers(subject, f) {
			if !slices.Contains(out, account) && in.Member(account) {
				out = append(out, account)
			}
		}
	}
	return out
}

// goesBackTo is the newest baseline that obeys the rules file. Whether its seal
// holds and its principals still are whom they were is looked at when it is
// written, so less may happen than is said here, never more.
func (in Input) goesBackTo(subject rules.Input, list []role.Baseline) (after, refused string) {
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
			return b.Document, ""
		}
		if refused == "" {
			refused = "its baseline does not obey the rules file either"
		}
	}
	return "", refused
}
