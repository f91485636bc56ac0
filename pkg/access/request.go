// Package access decides one request against one trust policy, exactly as AWS
// documents it.
//
// It takes a policy.Document and a Request with its whole context, and gives a
// Decision with the statements that made it and a reason. Where AWS's
// documentation leaves the meaning open the answer is Undecided, with the
// element named. It knows nothing of rules or organizations, and it never asks
// AWS anything.
package access

// Request is one concrete attempt to assume a role.
type Request struct {
	// Actions must all be allowed; usually one of sts:AssumeRole,
	// sts:AssumeRoleWithSAML, sts:AssumeRoleWithWebIdentity, with
	// sts:SetSourceIdentity or sts:TagSession beside it where the call carries
	// a source identity or tags.
	Actions []string
	// Role is the ARN of the role to assume; it may be empty.
	Role string
	// Caller is who asks.
	Caller Caller
	// Context holds the condition keys present in the request, by name as
	// written; names are compared without case. A key that is not in it is absent.
	Context map[string]Value
}

// Caller is who asks. Exactly one of AWS, Service and Federated is set.
type Caller struct {
	// AWS is the ARN of a user, an assumed-role session, a role, a federated
	// user or an account's root.
	AWS string
	// ID is the caller's unique id where known: AIDA… of a user; AROA… or
	// AROA…:session of a role session.
	ID string
	// Issuer is the ARN of the role behind an assumed-role session, whose own
	// ARN loses the role's path.
	Issuer string
	// Service is a service principal's name, such as lambda.amazonaws.com.
	Service string
	// Federated is the ARN or name of an identity provider.
	Federated string
}

// Value is the value of one context key.
type Value struct {
	// Many says that the key is multi-valued (a JSON array), whatever the
	// number of its values.
	Many   bool
	Values []string
}

// One makes a single-valued Value.
func One(v string) Value { return Value{Values: []string{v}} }

// Many makes a multi-valued Value.
func Many(v ...string) Value { return Value{Many: true, Values: v} }

// Decision is what the trust policy alone says of a request.
type Decision uint8

// The decisions. Undecided is the zero value.
const (
	Undecided Decision = iota
	Denied
	Allowed
)

// String gives the word used on the command line.
func (d Decision) String() string {
	switch d {
	case Allowed:
		return "Allowed"
	case Denied:
		return "Denied"
	case Undecided:
		return "Undecided"
	default:
		return "Decision?"
	}
}

// Result is a Decision and how it came about.
type Result struct {
	Decision Decision
	// Statements are the indexes of the statements that decided: the Denies
	// that fired, else the Allows that matched, else the doubtful ones; in order.
	// Results may share the list: it is not to be changed.
	Statements []int
	// Reason is one sentence for people; it contains no value of a secret key.
	Reason string
}
