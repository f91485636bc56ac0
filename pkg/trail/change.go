// Package trail turns a CloudTrail event, as EventBridge delivers it, into a
// Change, and owns the table of events that matter.
//
// It takes the raw envelope and gives a Change, a counted no-op with its
// reason, or an error for a known event that is malformed. From the same table
// it renders the EventBridge patterns. It never believes an event: a Change
// names who and when; what the role is now is read from IAM.
package trail

import "time"

// Kind says what a Change did. The zero value is Ignored.
type Kind uint8

// The kinds of change.
const (
	// Ignored: an event that asks for nothing; Change.Ignored says why.
	Ignored Kind = iota
	// RoleCreated: CreateRole, AcquireRole or CreateServiceLinkedRole.
	RoleCreated
	// TrustUpdated: UpdateAssumeRolePolicy.
	TrustUpdated
	// RoleDeleted: DeleteRole.
	RoleDeleted
	// UserDeleted: DeleteUser.
	UserDeleted
	// UserRenamed: UpdateUser with a new name or path.
	UserRenamed
	// RoleAssumed: AssumeRole, for the rule session-policy.
	RoleAssumed
)

// Change is one CloudTrail event that made, changed, removed or used a role or a principal.
type Change struct {
	Kind Kind
	// Ignored says why the event asks for nothing: "failed call", "unknown
	// event", "the caller's copy", "nothing changed".
	Ignored string

	EventID   string
	EventName string
	// Unfinished is AWS's error code of a call that it did not finish, such as
	// ServiceFailure; whether the call took effect shows only on the role. Empty
	// for a call that succeeded.
	Unfinished string
	// Account is where it happened; envelope, recipient and ARNs agree on it.
	Account   string
	Partition string
	Region    string
	Time      time.Time
	// Actor is who did it, as CloudTrail tells it.
	Actor     Actor
	SourceIP  string
	UserAgent string

	// RoleName is the name of the role, for the role kinds, spelled as the caller spelled it.
	RoleName string
	// RoleARN and RoleID are given where the event carries them (CreateRole, AcquireRole, …).
	RoleARN string
	RoleID  string
	// Document is the trust policy the caller sent, where the event carries it whole.
	Document string
	// Truncated says that the event was too large to carry it whole.
	Truncated bool

	// UserName is the user of UserDeleted and UserRenamed; NewUserName and
	// NewPath are what UserRenamed made of it.
	UserName    string
	NewUserName string
	NewPath     string

	// Session is set for RoleAssumed.
	Session Session
}

// Actor is the userIdentity of an event.
type Actor struct {
	// Type is IAMUser, AssumedRole, Root, AWSService, AWSAccount, FederatedUser, SAMLUser, WebIdentityUser, …
	Type      string
	ARN       string
	ID        string
	Account   string
	UserName  string
	InvokedBy string
	// Issuer is the ARN of the role behind an assumed-role session.
	Issuer         string
	SourceIdentity string
}

// Session is what an AssumeRole event tells of the session it opened.
type Session struct {
	RoleARN        string
	SessionName    string
	SourceIdentity string
	// Policy says whether an inline session policy was given, PolicyARNs which managed ones.
	Policy     Given
	PolicyARNs []string
}

// Given says whether something was there. The zero value is NotGiven.
type Given uint8

// Whether something was there.
const (
	NotGiven Given = iota
	WasGiven
)
