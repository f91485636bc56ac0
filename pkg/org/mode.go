package org

import "strings"

// root is the organizational unit that holds all others.
const root = "/"

// String gives "observe", "tag" or "enforce".
func (m Mode) String() string {
	switch m {
	case Observe:
		return "observe"
	case Tag:
		return "tag"
	case Enforce:
		return "enforce"
	default:
		return "mode?"
	}
}

// MarshalText gives the word of the rules file.
func (m Mode) MarshalText() ([]byte, error) { return []byte(m.String()), nil }

// modeNamed gives the mode of a word, and Observe for any other text.
func modeNamed(word string) Mode {
	switch word {
	case "enforce":
		return Enforce
	case "tag":
		return Tag
	default:
		return Observe
	}
}

// Mode says how far a rule may go in an account.
//
// Two statements bear on it: what the file says of the rule (its own mode, or
// the default where it gives none), and what it says of the place (the account,
// else its organizational unit, the longest path first, "/" for all). The lower
// of the two counts, so that neither loosens the other: to act, somebody must
// have written "enforce" for the rule or as the default, and nobody less than
// that for the place. A rule that is off observes.
//
// When the file speaks of units and the account's unit is not known, the lowest
// mode of any unit counts: it may be in that one.
func (r *Rules) Mode(rule, account string) Mode {
	if r == nil {
		return Observe
	}
	s := r.Settings[rule]
	if s.Off {
		return Observe
	}
	mode := r.Default
	if s.ModeSet {
		mode = s.Mode
	}
	if place, said := r.placeMode(account); said {
		mode = min(mode, place)
	}
	return mode
}

// placeMode gives the mode of an account's place, where the file gives one.
func (r *Rules) placeMode(account string) (mode Mode, said bool) {
	if mode, said := r.AccountModes[account]; said {
		return mode, true
	}
	unit := r.Unit(account)
	if unit == "" {
		return lowest(r.Units)
	}
	longest := -1
	for path, m := range r.Units {
		depth := len(path)
		if path == root {
			depth = 0
		}
		if within(unit, path) && depth > longest {
			mode, longest = m, depth
		}
	}
	return mode, longest >= 0
}

func lowest(units map[string]Mode) (mode Mode, said bool) {
	mode = Enforce
	for _, m := range units {
		mode = min(mode, m)
	}
	return mode, len(units) > 0
}

// within says whether a unit is another one or below it.
func within(unit, above string) bool {
	return above == root || unit == above || strings.HasPrefix(unit, above+"/")
}
