package decision

import (
	"slices"
	"strings"
)

// Brake weakens a decision where the kill switch or a limit demands it, and
// never strengthens one. The zero Brakes turn every write into Hold: a switch
// that cannot be read stops writes.
//
// Past the limit on writes a revert, a quarantine or a prune becomes a tag; past the
// limit on tags, or past both, it becomes Hold.
func (d Decision) Brake(b Brakes) Decision {
	if !d.Action.Writes() {
		return d
	}
	switch b.Switch {
	case WritesAllowed:
		return d.limited(b)
	case WritesStopped:
		return d.weakened(Hold, "The kill switch stops every write, so nothing was written ("+d.Action.String()+" was due). Mend the role by hand, or release the switch and let the role be judged again.")
	case Unreadable:
		return d.unreadable()
	default:
		return d.unreadable()
	}
}

func (d Decision) unreadable() Decision {
	return d.weakened(Hold, "The kill switch could not be read, which stops every write ("+d.Action.String()+" was due). See to the ledger first, then let the role be judged again.")
}

func (d Decision) limited(b Brakes) Decision {
	switch d.Action {
	case Revert, Quarantine, Prune:
		if b.Limit == "" {
			return d
		}
		was, next := d.Action.String(), sentence(b.Next)
		if b.Next == "" {
			next = "Find out who or what changes so many roles, mend this one by hand, then reset the limit."
		}
		if b.TagLimit != "" {
			return d.weakened(Hold, sentence(b.Limit)+" "+sentence(b.TagLimit)+" So nothing was written ("+was+" was due). "+next)
		}
		return d.weakened(Tag, sentence(b.Limit)+" So the role is only tagged ("+was+" was due). "+next)
	case Tag, Clear:
		if b.TagLimit == "" {
			return d
		}
		return d.weakened(Hold, sentence(b.TagLimit)+" So nothing was written ("+d.Action.String()+" was due). Find out who or what changes so many roles, then reset the limit.")
	case Ignore, Tell, Hold:
		return d
	default:
		return d.unreadable()
	}
}

// weakened gives the decision with a weaker action and the reason in front.
func (d Decision) weakened(a Action, why string) Decision {
	d.Action = a
	d.Reasons = slices.Concat([]string{why}, d.Reasons)
	return d
}

// sentence makes one of what is said of a limit.
func sentence(s string) string { return capital(strings.TrimRight(s, ".")) + "." }
