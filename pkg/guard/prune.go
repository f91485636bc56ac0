package guard

import (
	"slices"
	"time"

	"github.com/rolewarden/rolewarden/pkg/decision"
	"github.com/rolewarden/rolewarden/pkg/finding"
	"github.com/rolewarden/rolewarden/pkg/policy"
	"github.com/rolewarden/rolewarden/pkg/remediate"
)

// pruning is what could be taken out of a role's trust policy.
type pruning struct {
	what decision.Pruning
	remediate.Pruned
}

// pruning looks what could be taken out of a role's trust policy: nothing
// where the rules file does not ask for it, and nobody who is not known to be gone.
func (g *Guard) pruning(v judged) pruning {
	if v.report.Verdict != finding.Noncompliant || !g.mayPrune(v.role.Account) {
		return pruning{}
	}
	var orphans []string
	for _, f := range v.report.Open() {
		if f.Orphaned() {
			orphans = append(orphans, f.Evidence.Principal.ID)
		}
	}
	if len(orphans) == 0 {
		return pruning{}
	}
	p, err := remediate.Prune(v.role, orphans)
	switch {
	case err != nil:
		return pruning{what: decision.PruneRefused, Pruned: remediate.Pruned{Reason: err.Error()}}
	case p.Reason != "":
		return pruning{what: decision.PruneRefused, Pruned: p}
	default:
		return pruning{what: decision.MayPrune, Pruned: p}
	}
}

// pruneTask says what is written: the policy without the orphans, and the tags
// of what else is broken, if that is tagged.
func (v judged) pruneTask(d decision.Decision) remediate.Task {
	t := remediate.Task{Decision: d, Role: v.role, Document: v.prune.Document, Untag: ourTags(v.role)}
	var rest []finding.Finding
	for _, f := range v.report.Open() {
		if !f.Orphaned() && f.Severity > finding.Advice && slices.Contains(d.Rules, f.Rule) {
			rest = append(rest, f)
		}
	}
	if len(rest) > 0 {
		left := d
		left.Action, left.Rules = decision.Tag, nil
		t.Tags, t.Untag = remediate.Tags(left, rest...), nil
	}
	return t
}

// dropped are the principals that a write left out.
func (v judged) dropped(d decision.Decision, past pastOf) []string {
	if d.Action == decision.Prune {
		return v.prune.Dropped
	}
	return past.restored.Dropped
}

// stillShown are the unique ids that a document shows, and since when.
func (v judged) stillShown(d policy.Document) map[string]time.Time {
	var out map[string]time.Time
	for _, id := range shownIDs(d) {
		if since, ok := v.shown[id]; ok {
			if out == nil {
				out = map[string]time.Time{}
			}
			out[id] = since
		}
	}
	return out
}
