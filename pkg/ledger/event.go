package ledger

import (
	"errors"
	"time"

	"github.com/rolewarden/rolewarden/pkg/decision"
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
	// Letters are those of an event that has ended which are not yet delivered,
	// the oldest first.
	Letters []Letter
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
	// Before and After are the trust policies' texts, BeforeDigest and
	// AfterDigest their policy.Document.Digest.
	Before       string
	After        string
	BeforeDigest string
	AfterDigest  string
	// Boundary is the ARN of the permissions boundary that containment replaces;
	// empty when it replaces none.
	Boundary string
	// Contains says that what is written is that boundary; the trust policy has
	// been written before.
	Contains bool
	// Void says that nothing was written under it, as far as that is known: IAM
	// refused, or the role was not what had been judged. Whoever tries again
	// does not pay for a second write.
	Void bool
	// Payment is the token under which it was counted against the limits.
	Payment string
	// EventTime is the time of the change that is answered.
	EventTime time.Time
	// ReadAt is when the role that was judged was read.
	ReadAt time.Time
	At     time.Time
	// WrittenAt is when IAM had taken the write; zero before that. The intent is
	// then recorded a second time.
	WrittenAt time.Time
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
	// Letters are what people have to be told of the event. They are kept with
	// the end, in one step, until they are Delivered.
	Letters []Letter
	// ReadAt is when the role that State is about was read. Where it is given,
	// nothing is recorded when a write to the role was intended or made since that
	// leaves another document, and the error is ErrWritten: what was read need not
	// be what stands.
	ReadAt time.Time
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
	// about has no open alert, and that the event has no intent, whose handling
	// would open one; else nothing is recorded and the error is ErrOpenAlert.
	NoOpenAlert
)

// ErrOpenAlert is returned by Conclude when it expected that no alert is open.
var ErrOpenAlert = errors.New("an alert about the role is open, or about to be")

// ErrWritten is returned by Conclude when a write to the role was intended or
// made after it was read.
var ErrWritten = errors.New("the role was written since it was read")

// Letter is an alert that has to be delivered, in its JSON form. Its event and
// its ID name it, so each letter that may wait beside another needs an ID of
// its own; the alert's thread is none.
type Letter struct {
	ID string
	// Event is the event that led to it; zero when none did.
	Event Key
	Body  []byte
	// After is the event whose letters are to be told before this one, since it
	// goes on with what they say; zero when it begins anew.
	After Key
	// At is when it was written; the oldest are delivered first.
	At time.Time
}

// ErrLetterWaits is returned by Post when another letter of that ID is not yet
// delivered: one of the two would be lost.
var ErrLetterWaits = errors.New("another letter of that id is not yet delivered")

// ErrConcluded is returned by Intend when the event has already ended.
var ErrConcluded = errors.New("the event is already concluded")
