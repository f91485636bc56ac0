package access

// Tri is a truth value that may be open, because AWS's documentation leaves it
// open. Unsettled is the zero value.
type Tri uint8

// The truth values.
const (
	Unsettled Tri = iota
	No
	Yes
)

// String gives the word.
func (t Tri) String() string {
	switch t {
	case Yes:
		return "Yes"
	case No:
		return "No"
	case Unsettled:
		return "Unsettled"
	default:
		return "Tri?"
	}
}

// Not turns Yes and No round.
func (t Tri) Not() Tri {
	switch t {
	case Yes:
		return No
	case No:
		return Yes
	case Unsettled:
		return Unsettled
	default:
		return Unsettled
	}
}

// And is No when either is, else Unsettled when either is, else Yes.
func (t Tri) And(u Tri) Tri {
	switch {
	case t == No || u == No:
		return No
	case t == Yes && u == Yes:
		return Yes
	default:
		return Unsettled
	}
}

// Or is Yes when either is, else Unsettled when either is, else No.
func (t Tri) Or(u Tri) Tri { return t.Not().And(u.Not()).Not() }

// settled turns what is known for certain into a Tri.
func settled(b bool) Tri {
	if b {
		return Yes
	}
	return No
}
