package alert

import "fmt"

func stateWords() []string { return []string{"opened", "updated", "resolved"} }

// String gives "opened", "updated" or "resolved".
func (s State) String() string {
	if int(s) >= len(stateWords()) {
		return "state?"
	}
	return stateWords()[s]
}

// MarshalText gives the same word; in JSON a state is that string.
func (s State) MarshalText() ([]byte, error) {
	if int(s) >= len(stateWords()) {
		return nil, fmt.Errorf("writing a state: there is no number %d", uint8(s))
	}
	return []byte(s.String()), nil
}

// UnmarshalText takes what MarshalText gives and nothing else.
func (s *State) UnmarshalText(text []byte) error {
	for i, w := range stateWords() {
		if w == string(text) {
			*s = State(i)
			return nil
		}
	}
	return fmt.Errorf("reading a state: %q is none of %q", text, stateWords())
}
