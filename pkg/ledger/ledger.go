// Package ledger is the memory: which events were handled and how they ended,
// what each role was, its baselines, whom unique ids stood for, who trusts
// whom, and how much was written.
//
// It takes and gives values. It holds the contract, an implementation in
// memory, and the conformance tests that every implementation passes; the one
// on DynamoDB is in awsapi. It judges nothing and never scans on the event path.
package ledger

import (
	"context"
	"errors"
	"time"

	"github.com/rolewarden/rolewarden/pkg/decision"
	"github.com/rolewarden/rolewarden/pkg/finding"
	"github.com/rolewarden/rolewarden/pkg/role"
)

// Key names an event: the account it happened in and CloudTrail's event id.
type Key struct {
	Account string
	EventID string
}

// End is how the handling of an event ended. The zero value is InFlight.
type End uint8

// The ends of an event (each event gets exactly one beside InFlight).
const (
	InFlight End = iota
	Compliant
	Tagged
	Reverted
	Quarantined
	Told
	Held
	Superseded
	Rejected
)

// Taken is the answer to Take.
type Taken struct {
	// End is how the event ended before; InFlight when it is new or unfinished.
	End End
	// First says whether nobody took it before.
	First Firstness
	// Intent is the write that an earlier, unfinished handling was about to make; nil when none.
	Intent *Intent
	// Attempts counts the takings, this one included.
	Attempts int
}

// Firstness says whether something happened for the first time. The zero value is Again.
type Firstness uint8

// Whether something happened for the first time.
const (
	Again Firstness = iota
	First
)

// Intent is a write about to be made; it is recorded before the write.
type Intent struct {
	Event    Key
	Role     role.Ref
	RoleID   string
	Decision decision.Decision
	// Before and After are the trust policies' texts.
	Before string
	After  string
	At     time.Time
}

// PrincipalKey is how a deletion event names a principal: account, kind
// ("user" or "role"; "self" for the role whose state it is) and lower-case name.
type PrincipalKey struct {
	Account string
	Kind    string
	Name    string
}

// RoleState is what is remembered of a role, by account and RoleId.
type RoleState struct {
	Account string
	RoleID  string
	Name    string
	ARN     string
	// Document is the live document at the last handling, Digest its digest.
	Document string
	Digest   string
	// Since is the time of the event under which this document was handled last.
	Since time.Time
	// Event is the event that was handled last, EventTime its time.
	Event     Key
	EventTime time.Time
	Actor     string
	Verdict   finding.Verdict
	// OpenRules are the rules of the open findings.
	OpenRules []string
	RulesHash string
	// Action is what was done last, Decided what had been decided, and Decision its id.
	Action   decision.Action
	Decided  decision.Action
	Decision string
	// AlertID is the thread of the open alert; empty when none is open.
	AlertID string
	// Trusts are the users and roles that the document names, for Trusting.
	Trusts    []PrincipalKey
	UpdatedAt time.Time
}

// Conclusion ends the handling of one event.
type Conclusion struct {
	Event Key
	End   End
	// Reason is one sentence for people.
	Reason string
	At     time.Time
	// State, when not nil, replaces what is remembered of the role, unless a
	// newer event has been concluded for it meanwhile.
	State *RoleState
	// Seen are unique ids that were seen to belong to an ARN.
	Seen []Identity
	// Expect says what must be so for the conclusion to be recorded; it spares
	// the compliant event a reading of the state.
	Expect Expectation
}

// Expectation is a condition on a Conclusion. The zero value expects nothing.
type Expectation uint8

// The expectations.
const (
	// Anything expects nothing.
	Anything Expectation = iota
	// NoOpenAlert expects that what is remembered of the role that State is
	// about has no open alert; else nothing is recorded and the error is
	// ErrOpenAlert.
	NoOpenAlert
)

// ErrOpenAlert is returned by Conclude when it expected that no alert is open.
var ErrOpenAlert = errors.New("an alert about the role is open")

// Identity is a unique id and whom it stood for at some time.
type Identity struct {
	ID     string
	ARN    string
	SeenAt time.Time
}

// Deletion is the end of a principal.
type Deletion struct {
	Principal PrincipalKey
	By        string
	At        time.Time
	Event     Key
}

// Counter is one count in a window, with its limit.
type Counter struct {
	// Name says what is counted, such as "account/111122223333".
	Name string
	// Window is the length over which it is counted; windows are aligned to the epoch.
	Window time.Duration
	Limit  int
}

// LimitError is returned by Spend when a counter has reached its limit.
type LimitError struct {
	Counter Counter
	Count   int
}

// ErrLeased is returned by Lease when somebody else holds the role.
var ErrLeased = errors.New("the role is being handled by somebody else")

// Ledger is the contract. Every method is safe under concurrency; an error
// means that nothing is known of the effect, and the same call may be repeated.
type Ledger interface {
	// Take records that the handling of an event begins, at a time. Two takings
	// of one event never both answer First.
	Take(ctx context.Context, k Key, at time.Time) (Taken, error)
	// Intend records a write before it is made. It is refused (ErrConcluded)
	// when the event is already concluded.
	Intend(ctx context.Context, i Intent) error
	// Conclude ends an event, at most once: a second conclusion changes
	// nothing and is no error. State and Seen are recorded with it, in one step,
	// or nothing is when Expect is not met. An end of InFlight is refused.
	Conclude(ctx context.Context, c Conclusion) error
	// State gives what is remembered of a role; ok is false when nothing is.
	State(ctx context.Context, account, roleID string) (s RoleState, ok bool, err error)
	// Baselines gives a role's baselines, newest first.
	Baselines(ctx context.Context, account, roleID string) ([]role.Baseline, error)
	// AddBaseline adds a baseline. The same digest again renews it in place.
	AddBaseline(ctx context.Context, b role.Baseline) error
	// Lease takes a role for a holder until a time; ErrLeased when another
	// holder has it and its time has not passed. The same holder may renew. The
	// case of the role's name does not matter.
	Lease(ctx context.Context, r role.Ref, holder string, now, until time.Time) error
	// Release gives a lease back; a lease that is not held is no error.
	Release(ctx context.Context, r role.Ref, holder string) error
	// Spend adds one to every counter, or to none when one has reached its
	// limit, which is a *LimitError. Once per token: a repeated token is not
	// counted again, one that was refused may be. A counter that is given twice
	// counts once, under the lower limit.
	Spend(ctx context.Context, token string, at time.Time, counters []Counter) error
	// Switch reads the kill switch; a missing record means WritesAllowed.
	Switch(ctx context.Context) (decision.Switch, error)
	// Setting tells who turned the kill switch last, when and why; ok is false
	// when nobody ever did. It is for people: what counts is Switch.
	Setting(ctx context.Context) (s Setting, ok bool, err error)
	// SetSwitch sets it to stopped or allowed, on a person's word: by is needed.
	SetSwitch(ctx context.Context, s decision.Switch, by, reason string, at time.Time) error
	// Identify tells whom a unique id stood for; ok is false when it was never seen.
	Identify(ctx context.Context, id string) (p finding.Principal, ok bool, err error)
	// Identities gives the ids that an ARN has had, with when each was seen
	// under it last, newest first.
	Identities(ctx context.Context, arn string) ([]Identity, error)
	// Record remembers identities without an event.
	Record(ctx context.Context, ids []Identity) error
	// Deleted records the end of a principal: every id known for it that is
	// not yet marked as deleted, seen before the deletion, is marked. It gives
	// those that this deletion marked, now or when it was told before. Seen
	// within a deletion's whole second is seen before it (Until).
	Deleted(ctx context.Context, d Deletion) ([]finding.Principal, error)
	// Ends gives the last deletion that was told of each of some principals, in
	// their order, and nothing of those of whom none was; it is remembered also of
	// a name that no id was known for. Whether the name lives again it does not say.
	Ends(ctx context.Context, principals []PrincipalKey) ([]Deletion, error)
	// Renamed records that a user's name changed while its id stayed: the ids
	// that had the name before, and are not deleted, bear the new ARN, and the
	// states recorded before name the new name.
	Renamed(ctx context.Context, from PrincipalKey, to PrincipalKey, newARN string, at time.Time) error
	// Trusting gives the roles whose remembered document names a principal,
	// ignoring the name's case, in the order of account and RoleId.
	Trusting(ctx context.Context, p PrincipalKey) ([]RoleState, error)
}

// Setting is a turn of the kill switch.
type Setting struct {
	Switch     decision.Switch
	By, Reason string
	At         time.Time
}

// ErrConcluded is returned by Intend when the event has already ended.
var ErrConcluded = errors.New("the event is already concluded")
