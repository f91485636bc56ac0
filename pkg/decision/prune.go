package decision

import (
	"fmt"
	"slices"

	"github.com/rolewarden/rolewarden/pkg/finding"
)

// pruned lets the orphans be taken out of a trust policy that would otherwise
// only be told of or tagged. A revert and a quarantine write a document without
// orphans anyway; a hand that is held stays held.
func pruned(s Situation, d Decision) Decision {
	var gone []finding.Finding
	for _, f := range s.Open {
		if f.Orphaned() {
			gone = append(gone, f)
		}
	}
	if d.Action == Tell && len(s.Open) > 0 && !slices.ContainsFunc(s.Open, settledFinding) {
		d.Reasons = []string{"Whether the users and roles that IAM shows by their IDs are gone is not settled, so nothing is written, not even a tag."}
		return d
	}
	if s.Past == InTheMaking && s.Enforced() {
		return d // when the time is over, the whole document is replaced
	}
	if len(gone) == 0 || s.Protected != "" || s.Stays != "" || s.Differs != "" || d.Action != Tell && d.Action != Tag {
		return d
	}
	switch s.Pruning {
	case MayPrune:
		rules := ruleIDs(gone)
		first := fmt.Sprintf("%s, and pruning is on: the IDs of users and roles that are gone, %d in all, are taken out of the trust policy. Nobody gains or loses access by that, and the policy can be saved again.", inMode(rules, "enforce"), len(gone))
		if d.Action == Tag {
			// What else is broken is still tagged.
			rules = append(rules, d.Rules...)
			slices.Sort(rules)
			rules = slices.Compact(rules)
		}
		reasons := []string{first}
		if slices.ContainsFunc(s.Open, func(f finding.Finding) bool { return !f.Orphaned() && f.Severity > finding.Advice }) {
			reasons = append(reasons, d.Reasons...)
		}
		return Decision{Action: Prune, Rules: rules, Reasons: reasons}
	case PruneRefused:
		d.Reasons = append(d.Reasons, "The IDs of users and roles that are gone are not taken out: "+orUnknown(s.PruneReason)+".")
		return d
	case NothingToPrune:
		return d
	default:
		return d
	}
}

// settledFinding says whether a finding rests on more than an id whose owner may live.
func settledFinding(f finding.Finding) bool {
	if f.Evidence.Principal == nil {
		return true
	}
	switch f.Evidence.Principal.Standing {
	case finding.Unconfirmed, finding.Living, finding.Unproven:
		return false
	case finding.NotAsked, finding.Stranger, finding.Orphan:
		return true
	default:
		return true
	}
}
