// Package proof decides all requests against one trust policy at once.
//
// Find looks for any request in a region (a class of callers, the actions, what
// the caller may choose, what is fixed by who they are, and the condition a
// rule forbids) that the document allows. It gives a witness, or that there is
// none, or which element leaves it undecided. It never says "none" for "none
// found". Every witness is confirmed by access.Evaluate before it leaves.
package proof

import (
	"time"

	"github.com/rolewarden/rolewarden/pkg/access"
	"github.com/rolewarden/rolewarden/pkg/policy"
)

// World is what is known about the role and its surroundings. It is the same
// for every question asked about one role.
type World struct {
	// Partition of the role; empty means "aws".
	Partition string
	// RoleARN is the ARN of the role, and Own its account. Own must be known:
	// who does not know it asks once for every reading.
	RoleARN string
	Own     string
	// OrganizationID is the organization of Own; empty when Own is in none or
	// it is not known.
	OrganizationID string
	// Members are the accounts known to be in the organization, Own included or not.
	Members []string
	// OtherMembers says whether accounts that are not in Members may be members too.
	OtherMembers Completeness
	// Now is the earliest time at which the request may be made.
	Now time.Time
}

// Completeness says whether a list names all there is. Its zero value is the
// careful one.
type Completeness uint8

// The completenesses of a list.
const (
	MayBeMore Completeness = iota
	Complete
)

// CallerKind is a kind of caller as STS sees it.
type CallerKind uint8

// The kinds of caller. Users and RoleSessions call AssumeRole, Services too;
// SAML and OIDC identities call AssumeRoleWithSAML and AssumeRoleWithWebIdentity.
const (
	NoCaller CallerKind = iota
	Users
	RoleSessions
	Services
	SAMLIdentities
	OIDCIdentities
)

// String gives the word.
func (c Completeness) String() string {
	switch c {
	case MayBeMore:
		return "MayBeMore"
	case Complete:
		return "Complete"
	default:
		return "Completeness?"
	}
}

// String gives the words.
func (k CallerKind) String() string {
	switch k {
	case NoCaller:
		return "NoCaller"
	case Users:
		return "Users"
	case RoleSessions:
		return "RoleSessions"
	case Services:
		return "Services"
	case SAMLIdentities:
		return "SAMLIdentities"
	case OIDCIdentities:
		return "OIDCIdentities"
	default:
		return "CallerKind?"
	}
}

// String gives the word.
func (s Sense) String() string {
	switch s {
	case Holds:
		return "Holds"
	case Fails:
		return "Fails"
	default:
		return "Sense?"
	}
}

// String gives the word.
func (o Outcome) String() string {
	switch o {
	case Unknown:
		return "Unknown"
	case None:
		return "None"
	case Found:
		return "Found"
	default:
		return "Outcome?"
	}
}

// Accounts is a set of accounts: the listed ones, or all but the listed ones.
// The zero value is every account.
type Accounts struct {
	// Only, when not nil, lists the accounts of the set.
	Only []string
	// Except lists accounts that are not in the set.
	Except []string
}

// Callers is a class of callers.
type Callers struct {
	Kind     CallerKind
	Accounts Accounts
	// Except lists ARNs of users, roles or identity providers that are not in
	// the class; a role's ARN stands for all its sessions.
	Except []string
	// Names, when not nil, lists the service names, or the ARNs or names of
	// identity providers, that make up the class.
	Names []string
}

// Sense says whether a condition holds or fails.
type Sense uint8

// The senses of a Requirement.
const (
	Holds Sense = iota
	Fails
)

// Requirement is a condition of the region: the witness meets it (Holds) or
// does not (Fails). It means exactly what the same condition means in a policy
// of Version 2012-10-17, policy variables included.
type Requirement struct {
	policy.Condition
	Sense Sense
}

// Query is a region of requests.
type Query struct {
	World World
	// Callers are the classes to look in, in order of preference for the witness.
	Callers []Callers
	// Actions must all be allowed. A witness that carries a source identity,
	// tags or provided contexts needs sts:SetSourceIdentity, sts:TagSession or
	// sts:SetContext beside them; Find sees to that by itself.
	Actions []string
	// Where must all be met by the witness; each is a list of alternatives, one of which suffices.
	Where [][]Requirement
	// Budget bounds this question together with others; nil bounds it alone.
	Budget *Budget
}

// Outcome is the answer to a question about all requests.
type Outcome uint8

// The outcomes. Unknown is the zero value.
const (
	Unknown Outcome = iota
	None
	Found
)

// Answer is an Outcome with its evidence.
type Answer struct {
	Outcome Outcome
	// Witness is set when the outcome is Found: minimal, readable, complete
	// (derived keys filled in), and confirmed.
	Witness *access.Request
	// Statements are the indexes of the Allow statements the witness uses.
	Statements []int
	// Undecided names the elements that leave the outcome Unknown, in words.
	Undecided []string
}
