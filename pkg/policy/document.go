// Package policy reads and prints IAM trust policies, and nothing else.
//
// It takes the JSON text of a role's AssumeRolePolicyDocument and gives a
// Document, or an error that names the place. It is strict where encoding/json
// is lax: exact-case element names, no duplicate names at any depth, valid
// UTF-8, nothing after the end, bounded depth and size. It prints a canonical
// form and a digest over it.
//
// It never decides what a document means: that is the room access, for one
// request, and the room proof, for all of them.
package policy

// Document is a parsed trust policy. The zero value has no statement and so
// lets nobody in.
type Document struct {
	// Version is "2012-10-17", "2008-10-17" or "" when absent. Without
	// 2012-10-17 policy variables are literal text (IAM User Guide,
	// reference_policies_elements_version).
	Version string
	// ID is the optional Id element.
	ID string
	// Statements are in the order of the text.
	Statements []Statement
}

// Statement is one statement of a Document. Parse gives only statements with
// an Effect, with exactly one of Principal and NotPrincipal, and with exactly
// one of Actions and NotActions. NotPrincipal, Resources and NotResources have
// no place in a trust policy; they are kept as written for others to judge.
type Statement struct {
	Sid          string
	Effect       Effect
	Principal    Principals
	NotPrincipal Principals
	Actions      []string
	NotActions   []string
	Resources    []string
	NotResources []string
	// Conditions are in the order of the text, one per operator and key. Nil
	// means that the element is absent; empty but not nil, that it is written
	// as {}, which has no effect.
	Conditions []Condition
}

// Effect is Allow or Deny. The zero value is neither and grants nothing.
type Effect uint8

// The effects of a statement.
const (
	NoEffect Effect = iota
	Allow
	Deny
)

// String gives the word used in policy text.
func (e Effect) String() string {
	switch e {
	case Allow:
		return "Allow"
	case Deny:
		return "Deny"
	case NoEffect:
		return ""
	default:
		return "Effect?"
	}
}

// Condition is one operator applied to one key: all the values written for it,
// of which one must match (none, for a negated operator).
type Condition struct {
	// Operator is as written, with its set qualifier and IfExists, for
	// example "ForAnyValue:StringLikeIfExists". ParseOperator takes it apart.
	Operator string
	// Key is as written; key names ignore case. It is "", with no Values, for
	// an operator written with no key at all ({"StringEquals":{}}).
	Key string
	// Values are the values as text; JSON numbers and booleans keep their
	// spelling. Empty means the policy wrote an empty list.
	Values []string
}

// Principals is the Principal or NotPrincipal element of a statement. The zero
// value means that the element is absent.
type Principals struct {
	// Star is true for the bare string "*", which IAM documents as equal to
	// {"AWS":"*"} and refuses to save in a trust policy.
	Star bool
	// List holds the principals of the object form, in the order of the text.
	List []Principal
}

// Present reports whether the element is written at all.
func (p Principals) Present() bool { return p.Star || len(p.List) > 0 }

// PrincipalKind says what a principal stands for.
type PrincipalKind uint8

// The kinds of principal (IAM User Guide, reference_policies_elements_principal).
const (
	// UnknownPrincipal is anything not listed below: it matches in an unsettled way.
	UnknownPrincipal PrincipalKind = iota
	// Anyone is {"AWS":"*"} or the bare "*".
	Anyone
	// Account is a bare 12-digit account id or an account's root ARN: the whole account.
	Account
	// User is the ARN of an IAM user.
	User
	// Role is the ARN of an IAM role; it also matches the role's sessions.
	Role
	// RoleSession is the ARN of one assumed-role session (arn:…:sts::…:assumed-role/Role/session).
	RoleSession
	// FederatedUser is the ARN of a GetFederationToken session (arn:…:sts::…:federated-user/name).
	FederatedUser
	// UniqueID is an id such as AIDA… or AROA… in place of an ARN.
	UniqueID
	// Service is an AWS service principal such as ec2.amazonaws.com.
	Service
	// SAMLProvider is the ARN of a SAML provider.
	SAMLProvider
	// OIDCProvider is the ARN of an OIDC provider, or one of the names that
	// need none (accounts.google.com, cognito-identity.amazonaws.com,
	// graph.facebook.com, www.amazon.com).
	OIDCProvider
	// AnyFederated is {"Federated":"*"}; what it matches is not settled.
	AnyFederated
	// AnyService is {"Service":"*"}; what it matches is not settled.
	AnyService
	// CanonicalUser is an S3 canonical user id, which no role trusts in practice.
	CanonicalUser
)

// Principal is one principal, taken apart.
type Principal struct {
	// Type is the member name it was written under: AWS, Service, Federated or CanonicalUser.
	Type string
	// Value is the text as written.
	Value string
	// Kind says which of the fields below are filled.
	Kind PrincipalKind
	// Partition is "aws", "aws-cn", … of an ARN; empty for a bare account id,
	// which means the partition of the role.
	Partition string
	// Account is the 12-digit account id, for Account, User, Role, RoleSession,
	// FederatedUser, SAMLProvider and OIDCProvider ARNs.
	Account string
	// Path is the IAM path with both slashes ("/", "/team/"), for User and Role.
	Path string
	// Name is the user, role or provider name; for OIDCProvider the issuer
	// without https://, for RoleSession the role's name.
	Name string
	// Session is the session name of a RoleSession.
	Session string
}
