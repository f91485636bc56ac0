// Package role holds the words for the thing that is guarded: Ref, Role,
// Baseline, and which roles are never written. It takes and gives values only.
package role

import (
	"errors"
	"time"
)

// Ref names a role. Role names are unique in an account ignoring case, so two
// Refs may name the same role; the RoleId tells.
type Ref struct {
	Account string
	Name    string
}

// String gives "111122223333/app".
func (r Ref) String() string { return r.Account + "/" + r.Name }

// Role is a role as it was read from IAM.
type Role struct {
	Partition string
	Account   string
	Name      string
	// Path has both slashes: "/" or "/team/".
	Path string
	ARN  string
	// ID is the RoleId (AROA…); it changes when a role is deleted and made again.
	ID string
	// TrustPolicy is the trust policy's JSON text, decoded.
	TrustPolicy string
	// Tags are the role's tags, keys as IAM keeps them. They never change a verdict.
	Tags map[string]string
	// Boundary is the ARN of the policy that is the role's permissions boundary, or empty.
	Boundary string
	// Created is IAM's CreateDate.
	Created time.Time
	// ReadAt is when it was read.
	ReadAt time.Time
}

// Ref gives the role's account and name.
func (r Role) Ref() Ref { return Ref{Account: r.Account, Name: r.Name} }

// Baseline is a trust policy of a role that was known to be good.
type Baseline struct {
	Account string
	RoleID  string
	// Document is the trust policy's text as IAM showed it.
	Document string
	// Digest is policy.Document.Digest of it.
	Digest string
	// Principals are the unique ids of the user and role ARNs that the document
	// names, as they were when the baseline was made. An ARN without an id here
	// could not be read.
	Principals map[string]string
	// Provenance says whether an event told who made the document; Actor,
	// EventID and RulesHash say who, by which event, and under which rules it was
	// judged.
	Provenance Provenance
	Actor      string
	EventID    string
	RulesHash  string
	// Since is the time of the event that led to it, Sealed when it became a baseline.
	Since  time.Time
	Sealed time.Time
	// Seal authenticates all of the above, by their Message; empty for a
	// candidate, which is no baseline yet.
	Seal []byte
}

// The errors that reading and writing a role may end in. The room awsapi
// sorts AWS's error codes into them once; every other error is passed on whole.
var (
	// ErrNotFound: no such role, user or account.
	ErrNotFound = errors.New("not found")
	// ErrAccessDenied: the call is not allowed, which is a coverage gap and never a pass.
	ErrAccessDenied = errors.New("access denied")
	// ErrThrottled: AWS asked to slow down.
	ErrThrottled = errors.New("throttled")
	// ErrUnmodifiable: a service-linked or otherwise fixed role, or one for which
	// no writing session can be had. Trying again is in vain.
	ErrUnmodifiable = errors.New("the role cannot be modified")
	// ErrLimit: a quota (size, tags) is used up.
	ErrLimit = errors.New("limit exceeded")
	// ErrInvalidPrincipal: the document names a principal that does not exist, or not yet.
	ErrInvalidPrincipal = errors.New("invalid principal in policy")
	// ErrMalformed: IAM refused the document for another reason.
	ErrMalformed = errors.New("malformed policy document")
	// ErrConflict: somebody else changed the role at the same time.
	ErrConflict = errors.New("concurrent modification")
	// ErrSealBroken: a baseline is not as it was sealed, or never was (T61).
	ErrSealBroken = errors.New("the seal does not fit the baseline")
	// ErrUncertain: no answer came, so the write may or may not have happened.
	ErrUncertain = errors.New("the outcome of the call is not known")
)
