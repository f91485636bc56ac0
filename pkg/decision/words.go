package decision

import "fmt"

// The words are a public contract: alerts, the ledger and the command line
// print them.
func actionWords() []string {
	return []string{"Ignore", "Tell", "Tag", "Revert", "Quarantine", "Hold", "Clear", "Prune"}
}

func pastWords() []string {
	return []string{"NoPast", "JustCreated", "GoodBaseline", "RefusedBaseline", "InTheMaking"}
}
func pruningWords() []string  { return []string{"NothingToPrune", "MayPrune", "PruneRefused"} }
func switchWords() []string   { return []string{"Unreadable", "WritesStopped", "WritesAllowed"} }
func tagStateWords() []string { return []string{"Untagged", "Tagged"} }

// word looks a value's word up; a value beyond the list has a word that none has.
func word(what string, words []string, v uint8) string {
	if int(v) >= len(words) {
		return what + "?"
	}
	return words[v]
}

// String gives the action's word: "Ignore", "Tell", "Tag", "Revert",
// "Quarantine", "Hold", "Clear" or "Prune".
func (a Action) String() string { return word("Action", actionWords(), uint8(a)) }

// String gives the name of the constant.
func (p Past) String() string { return word("Past", pastWords(), uint8(p)) }

// String gives the name of the constant.
func (p Pruning) String() string { return word("Pruning", pruningWords(), uint8(p)) }

// String gives the name of the constant.
func (s Switch) String() string { return word("Switch", switchWords(), uint8(s)) }

// String gives the name of the constant.
func (t TagState) String() string { return word("TagState", tagStateWords(), uint8(t)) }

// ParseAction gives the action of a word, and an error for any other text.
func ParseAction(s string) (Action, error) {
	for i, w := range actionWords() {
		if w == s {
			return Action(i), nil
		}
	}
	return Ignore, fmt.Errorf("reading an action: %q is none of %q", s, actionWords())
}

// MarshalText gives the action's word; in JSON an action is that string.
func (a Action) MarshalText() ([]byte, error) {
	if int(a) >= len(actionWords()) {
		return nil, fmt.Errorf("writing an action: there is no number %d", uint8(a))
	}
	return []byte(a.String()), nil
}

// UnmarshalText takes what MarshalText gives and nothing else.
func (a *Action) UnmarshalText(text []byte) error {
	parsed, err := ParseAction(string(text))
	if err != nil {
		return err
	}
	*a = parsed
	return nil
}

// Writes says whether an action changes anything in the role's account: its
// trust policy or its tags. Clear does, since it takes tags off.
func (a Action) Writes() bool {
	switch a {
	case Tag, Revert, Quarantine, Clear, Prune:
		return true
	case Ignore, Tell, Hold:
		return false
	default:
		return false
	}
}

// Replaces says whether an action puts another trust policy in the place of
// the role's.
func (a Action) Replaces() bool {
	switch a {
	case Revert, Quarantine, Prune:
		return true
	case Ignore, Tell, Tag, Hold, Clear:
		return false
	default:
		return false
	}
}
