package guard

import (
	"context"
	"fmt"
	"slices"

	"github.com/rolewarden/rolewarden/pkg/finding"
	"github.com/rolewarden/rolewarden/pkg/ledger"
	"github.com/rolewarden/rolewarden/pkg/policy"
	"github.com/rolewarden/rolewarden/pkg/remediate"
	"github.com/rolewarden/rolewarden/pkg/role"
	"github.com/rolewarden/rolewarden/pkg/rules"
)

// News says what a look at a role shows that is not remembered yet. The zero
// value is NoNews.
type News uint8

// The news.
const (
	// NoNews: all that is seen is remembered, and there is nothing to do.
	NoNews News = iota
	// FirstSeen: nothing is remembered of the role.
	FirstSeen
	// Redocumented: it shows another document than the one handled last.
	Redocumented
	// Rejudged: the same document, under the same rules, is judged otherwise: an
	// exemption ended, somebody whom it names was deleted, an id that it shows was
	// confirmed to be an orphan, or its maker's time to finish is over.
	Rejudged
	// RulesChanged: the same document is judged otherwise under other rules.
	RulesChanged
	// RulesAct: the role is as bad as it was, and what kept the rules from acting
	// is over: they have changed and act from now on, or a person's word that the
	// document stays has ended.
	RulesAct
	// Leftover: the role obeys the rules and still has our tags or an open alert.
	Leftover
)

// String gives the name of the news, such as "FirstSeen".
func (n News) String() string {
	switch n {
	case NoNews:
		return "NoNews"
	case FirstSeen:
		return "FirstSeen"
	case Redocumented:
		return "Redocumented"
	case Rejudged:
		return "Rejudged"
	case RulesChanged:
		return "RulesChanged"
	case RulesAct:
		return "RulesAct"
	case Leftover:
		return "Leftover"
	}
	return "News?"
}

// Look is a role beside what is remembered of it.
type Look struct {
	Role     role.Role
	Recalled ledger.Recalled
	Report   finding.Report
	News     News
	// Differs says until when a change of the rules only tells of the role; empty
	// where it acts, or nothing changed.
	Differs string
}

// Worse says whether a role that was good no longer is.
func (l Look) Worse() bool {
	s := l.Recalled.State
	return s != nil && s.Verdict == finding.Compliant && l.Report.Verdict != finding.Compliant
}

// Judge judges a role by today's rules, with all that is known around it.
func (g *Guard) Judge(ctx context.Context, r role.Role) (finding.Report, error) {
	v, err := g.appraise(ctx, r)
	return v.report, err
}

// appraise judges a role to which no event belongs.
func (g *Guard) appraise(ctx context.Context, r role.Role) (judged, error) {
	v := judged{role: r, shows: nothingToCompare, input: rules.Input{Role: r, Org: g.cfg.Rules, Now: g.cfg.Now()}}
	doc, err := policy.Parse([]byte(r.TrustPolicy))
	if err != nil {
		v.report = rules.JudgeText(v.input, r.TrustPolicy)
		return v, nil //nolint:nilerr // what is no policy is judged Undecided
	}
	v.doc, v.digest, v.input.Document = doc, doc.Digest(r.Partition), doc
	if err := g.whoWere(ctx, &v); err != nil {
		return v, err
	}
	if v.input.Gone, err = g.goneNames(ctx, doc); err != nil {
		return v, err
	}
	return v, g.judge(ctx, &v, lastLook)
}

// Look compares a role that was read with what is remembered. It writes nothing.
func (g *Guard) Look(ctx context.Context, r role.Role) (Look, error) {
	recalled, err := g.cfg.Ledger.Recall(ctx, r.Account, r.ID)
	if err != nil {
		return Look{}, fmt.Errorf("reading what is remembered of role %s: %w", r.Ref(), err)
	}
	return g.beside(ctx, r, recalled)
}

func (g *Guard) beside(ctx context.Context, r role.Role, recalled ledger.Recalled) (Look, error) {
	v, err := g.appraise(ctx, r)
	if err != nil {
		return Look{}, err
	}
	v.known = recalled
	l := Look{Role: r, Recalled: recalled, Report: v.report, News: g.news(recalled.State, v)}
	if l.News == NoNews && v.stayed(g.cfg.Now()) {
		l.News = RulesAct
		return l, nil
	}
	if left := leftBefore(v); v.report.Verdict != finding.Noncompliant || left == "" || left == g.cfg.Rules.Hash || g.protected(r) {
		return l, nil
	}
	modes, _ := v.modes()
	if l.Differs, err = g.differs(ctx, v, modes); err != nil {
		return Look{}, err
	}
	if l.News == NoNews && l.Differs == "" && acts(modes) {
		l.News = RulesAct
	}
	return l, nil
}

// news compares a judgement with the last one. Another rules file alone is
// none, and neither is another wording: a sweep over an organization in which
// nothing happened writes nothing.
func (g *Guard) news(s *ledger.RoleState, v judged) News {
	switch {
	case s == nil:
		return FirstSeen
	case s.Digest != v.digest || v.digest == "" && s.Document != v.role.TrustPolicy:
		return Redocumented
	case s.Verdict != v.report.Verdict || !slices.Equal(sorted(s.OpenRules), sorted(openRules(v.report))):
		if s.RulesHash != g.cfg.Rules.Hash {
			return RulesChanged
		}
		return Rejudged
	case v.confirms(), s.RulesHash == g.cfg.Rules.Hash && g.wasUnfinished(v, g.cfg.Now().Add(-lookFor)):
		return Rejudged
	case v.report.Verdict != finding.Compliant || remediate.IsQuarantine(v.role.TrustPolicy):
		return NoNews
	case tagged(v.role) && !g.protected(v.role) || s.AlertID != "":
		return Leftover
	}
	return NoNews
}

func (g *Guard) protected(r role.Role) bool {
	_, protected := role.Protected(r, g.cfg.Rules.Protected)
	return protected
}

func openRules(r finding.Report) []string {
	var out []string
	for _, f := range r.Open() {
		out = append(out, f.Rule)
	}
	return out
}

func sorted(list []string) []string {
	list = slices.Clone(list)
	slices.Sort(list)
	return list
}
