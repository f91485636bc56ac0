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
		return Decision{Action: Prune, Rules: rules, Reasons: append([]string{first}, d.Reasons...)}
	case PruneRefused:
		d.Reasons = append(d.Reasons, "The IDs of users and roles that are gone are not taken out: "+orUnknown(s.PruneReason)+".")
		return d
	case NothingToPrune:
		return d
	default:
		return d
	}
}
