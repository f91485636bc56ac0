package finding

// Standing says how sure it is that a unique id which a trust policy shows is
// nobody's any more. IAM may show a living principal by its id for a while, so
// an id alone is no proof of a deletion. Its zero value is NotAsked.
type Standing uint8

// How a unique id stands.
const (
	// NotAsked: nobody looked; the document alone is known.
	NotAsked Standing = iota
	// Unconfirmed: it was read once, or twice within ten minutes: it may pass.
	Unconfirmed
	// Living: the user or role lives, and IAM shows it by its id for now.
	Living
	// Unproven: it was read twice, and whether its owner lives could not be settled.
	Unproven
	// Stranger: it was read twice, and was never seen to be anybody's.
	Stranger
	// Orphan: it was read twice, ten minutes apart, and its owner is gone.
	Orphan
)

// Orphaned says whether a finding is about a unique id in an Allow whose owner
// is known to be gone.
func (f Finding) Orphaned() bool {
	p := f.Evidence.Principal
	return p != nil && p.Standing == Orphan && f.Severity > Advice
}

func standingWords() []string {
	return []string{"notAsked", "unconfirmed", "living", "unproven", "stranger", "orphan"}
}

// String gives "notAsked", "unconfirmed", "living", "unproven", "stranger" or "orphan".
func (s Standing) String() string {
	if w, ok := word(standingWords(), uint8(s)); ok {
		return w
	}
	return "standing?"
}

// MarshalText gives the same word; in JSON a standing is that string.
func (s Standing) MarshalText() ([]byte, error) { return text("standing", standingWords(), uint8(s)) }

// UnmarshalText takes what MarshalText gives and nothing else.
func (s *Standing) UnmarshalText(t []byte) error {
	n, err := value("standing", standingWords(), t)
	if err != nil {
		return err
	}
	*s = Standing(n)
	return nil
}
