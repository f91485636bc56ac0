package finding

import "fmt"

// word looks a value's word up; values beyond the list have none.
func word(words []string, v uint8) (string, bool) {
	if int(v) >= len(words) {
		return "", false
	}
	return words[v], true
}

// value looks a word's value up.
func value(what string, words []string, text []byte) (uint8, error) {
	for i, w := range words {
		if w == string(text) {
			return uint8(i), nil
		}
	}
	return 0, fmt.Errorf("reading a %s: %q is none of %q", what, text, words)
}

// text gives the JSON form of a value, and an error for one that does not exist.
func text(what string, words []string, v uint8) ([]byte, error) {
	w, ok := word(words, v)
	if !ok {
		return nil, fmt.Errorf("writing a %s: there is no number %d", what, v)
	}
	return []byte(w), nil
}

func verdictWords() []string  { return []string{"Undecided", "Compliant", "Noncompliant"} }
func severityWords() []string { return []string{"advice", "low", "medium", "high", "critical"} }
func evidenceWords() []string {
	return []string{"NoEvidence", "Allowed", "Refused", "Pair", "Place", "Fact"}
}

// String gives "Undecided", "Compliant" or "Noncompliant".
func (v Verdict) String() string {
	if w, ok := word(verdictWords(), uint8(v)); ok {
		return w
	}
	return "Verdict?"
}

// MarshalText gives the same word; in JSON a verdict is that string.
func (v Verdict) MarshalText() ([]byte, error) { return text("verdict", verdictWords(), uint8(v)) }

// UnmarshalText takes what MarshalText gives and nothing else.
func (v *Verdict) UnmarshalText(t []byte) error {
	n, err := value("verdict", verdictWords(), t)
	if err != nil {
		return err
	}
	*v = Verdict(n)
	return nil
}

// String gives "advice", "low", "medium", "high" or "critical".
func (s Severity) String() string {
	if w, ok := word(severityWords(), uint8(s)); ok {
		return w
	}
	return "severity?"
}

// MarshalText gives the same word; in JSON a severity is that string.
func (s Severity) MarshalText() ([]byte, error) { return text("severity", severityWords(), uint8(s)) }

// UnmarshalText takes what MarshalText gives and nothing else.
func (s *Severity) UnmarshalText(t []byte) error {
	n, err := value("severity", severityWords(), t)
	if err != nil {
		return err
	}
	*s = Severity(n)
	return nil
}

// String gives "Allowed", "Refused", "Pair", "Place", "Fact" or "NoEvidence".
func (k EvidenceKind) String() string {
	if w, ok := word(evidenceWords(), uint8(k)); ok {
		return w
	}
	return "EvidenceKind?"
}

// MarshalText gives the same word; in JSON a kind of evidence is that string.
func (k EvidenceKind) MarshalText() ([]byte, error) {
	return text("kind of evidence", evidenceWords(), uint8(k))
}

// UnmarshalText takes what MarshalText gives and nothing else.
func (k *EvidenceKind) UnmarshalText(t []byte) error {
	n, err := value("kind of evidence", evidenceWords(), t)
	if err != nil {
		return err
	}
	*k = EvidenceKind(n)
	return nil
}
