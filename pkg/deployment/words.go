package deployment

// The words of the file. They are the same as those of the String methods.
const (
	wordSingle  = "single"
	wordHub     = "hub"
	wordMembers = "members"
	wordARM64   = "arm64"
	wordX8664   = "x86_64"
	wordAbsent  = "absent"
	wordPresent = "present"
)

// String gives "none", "single", "hub" or "members".
func (w Way) String() string {
	switch w {
	case NoWay:
		return "none"
	case Single:
		return wordSingle
	case Hub:
		return wordHub
	case Members:
		return wordMembers
	default:
		return "way?"
	}
}

// String gives "arm64" or "x86_64", as Lambda calls them (AWS Lambda API
// Reference, API_CreateFunction, Architectures).
func (a Architecture) String() string {
	switch a {
	case ARM64:
		return wordARM64
	case X8664:
		return wordX8664
	default:
		return "architecture?"
	}
}

// String gives "absent" or "present".
func (p Presence) String() string {
	switch p {
	case Absent:
		return wordAbsent
	case Present:
		return wordPresent
	default:
		return "presence?"
	}
}

// wayNamed gives the way of a word, and NoWay for any other text.
func wayNamed(word string) Way {
	switch word {
	case wordSingle:
		return Single
	case wordHub:
		return Hub
	case wordMembers:
		return Members
	default:
		return NoWay
	}
}

// architectureNamed gives the architecture of a word, and ARM64 for any other text.
func architectureNamed(word string) Architecture {
	if word == wordX8664 {
		return X8664
	}
	return ARM64
}

// presenceNamed gives the presence of a word, and Absent for any other text.
func presenceNamed(word string) Presence {
	if word == wordPresent {
		return Present
	}
	return Absent
}
