package lab

import (
	"fmt"
	"time"
)

// FaultKind says how a call goes wrong.
type FaultKind int

// The kinds of fault. NoFault is the zero value and does nothing.
const (
	NoFault FaultKind = iota
	// Throttle answers Throttling.
	Throttle
	// TimeoutBefore drops the connection; nothing happened.
	TimeoutBefore
	// TimeoutAfter drops the connection after the call took effect.
	TimeoutAfter
	// ServerError answers a 500.
	ServerError
	// AccessDenied answers a 403.
	AccessDenied
	// NotFound answers NoSuchEntity, or the service's word for it.
	NotFound
	// Malformed gives a body that cannot be read, after the call took effect.
	Malformed
	// StaleRead lets a read answer the state before the last write: GetRole,
	// GetUser, GetAccountAuthorizationDetails, and DynamoDB's reads where they do
	// not ask for consistency.
	StaleRead
	// UnmodifiableEntity answers as for a service-linked role.
	UnmodifiableEntity
	// LimitExceeded answers that a quota is used up.
	LimitExceeded
	// ConcurrentModification answers that another call changes the same entity
	// or, of DynamoDB, that a transaction is under way for the item.
	ConcurrentModification
	// RefusePolicy answers MalformedPolicyDocument, as IAM might for a
	// document on which its documentation is silent.
	RefusePolicy
	// PartialAnswer lets a list end after its first entry and name where to go
	// on, and leaves all but the first entry of a batch undone.
	PartialAnswer
)

// String gives the kind's name.
func (k FaultKind) String() string {
	switch k {
	case NoFault:
		return "NoFault"
	case Throttle:
		return "Throttle"
	case TimeoutBefore:
		return "TimeoutBefore"
	case TimeoutAfter:
		return "TimeoutAfter"
	case ServerError:
		return "ServerError"
	case AccessDenied:
		return "AccessDenied"
	case NotFound:
		return "NotFound"
	case Malformed:
		return "Malformed"
	case StaleRead:
		return "StaleRead"
	case UnmodifiableEntity:
		return "UnmodifiableEntity"
	case LimitExceeded:
		return "LimitExceeded"
	case ConcurrentModification:
		return "ConcurrentModification"
	case RefusePolicy:
		return "RefusePolicy"
	case PartialAnswer:
		return "PartialAnswer"
	default:
		return fmt.Sprintf("FaultKind(%d)", int(k))
	}
}

// FaultKinds are all kinds but NoFault, for who goes through all of them.
func FaultKinds() []FaultKind {
	var out []FaultKind
	for k := NoFault + 1; k <= PartialAnswer; k++ {
		out = append(out, k)
	}
	return out
}

// Moment says on which side of the effect a fault's error is answered.
type Moment int

// The moments. BeforeEffect is the zero value: nothing happened.
const (
	BeforeEffect Moment = iota
	// AfterEffect answers the error although the call took effect, as a 500 may.
	AfterEffect
)

// String gives the moment's name.
func (m Moment) String() string {
	switch m {
	case BeforeEffect:
		return "BeforeEffect"
	case AfterEffect:
		return "AfterEffect"
	default:
		return fmt.Sprintf("Moment(%d)", int(m))
	}
}

// Fault makes calls go wrong on demand. Empty fields match everything:
// Service is as in a signature's scope ("iam", "dynamodb", "events"), Account is the
// caller's, Resource a role's or table's name, a queue's, a key's ID or alias.
//
// Skip lets the first calls through and Times bounds how many then fail: once
// is Times 1, the n-th is Skip n-1 and Times 1, and always is neither. When
// counts for the kinds that answer an error; a timeout says in its name on
// which side it is.
type Fault struct {
	Service, Action, Account, Resource string
	Kind                               FaultKind
	When                               Moment
	Times                              int
	Skip                               int
}

type fault struct {
	Fault
	seen int
}

// Inject switches a fault on. remove switches it off; calling it twice is
// harmless.
func (l *Lab) Inject(f Fault) (remove func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	entry := &fault{Fault: f}
	l.faults = append(l.faults, entry)
	return func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		for i, other := range l.faults {
			if other == entry {
				l.faults = append(l.faults[:i:i], l.faults[i+1:]...)
				return
			}
		}
	}
}

// faultFor finds the first fault that is due for the call. Each fault that
// matches counts it.
func (l *Lab) faultFor(req *request) Fault {
	due := Fault{}
	for _, f := range l.faults {
		if !f.matches(req) {
			continue
		}
		f.seen++
		if due.Kind == NoFault && f.seen > f.Skip && (f.Times == 0 || f.seen <= f.Skip+f.Times) {
			due = f.Fault
		}
	}
	return due
}

func (f *fault) matches(req *request) bool {
	same := func(want, got string) bool { return want == "" || want == got }
	return same(f.Service, req.service) && same(f.Action, req.action) &&
		same(f.Account, req.caller.accountID()) && same(fold(f.Resource), fold(req.resource))
}

// Call is one entry of the log of calls.
type Call struct {
	Time                     time.Time
	Account, Service, Action string
	// Resource is a role's or user's name, a topic's ARN, a secret's name.
	Resource  string
	CallerARN string
	// SourceIdentity and SessionName belong to the caller's session.
	SourceIdentity, SessionName string
	// Narrowed says that the caller's session has a session policy.
	Narrowed bool
	// ErrorCode is empty when the call succeeded; Fault says what was injected.
	ErrorCode string
	Fault     FaultKind
}

// Calls gives the log of every call, or of the last ones (Config.LastCalls),
// oldest first.
func (l *Lab) Calls() []Call {
	l.mu.Lock()
	defer l.mu.Unlock()
	return append([]Call(nil), l.calls...)
}

// ResetCalls empties the log.
func (l *Lab) ResetCalls() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.calls = nil
}

func (l *Lab) log(req *request, f Fault, err error) {
	entry := Call{
		Time: req.at, Account: req.caller.accountID(), Service: req.service, Action: req.action, Resource: req.resource,
		CallerARN: req.caller.arn(), Fault: f.Kind,
	}
	if s := req.caller.session; s != nil {
		entry.SourceIdentity, entry.SessionName, entry.Narrowed = s.sourceIdentity, s.name, s.policies != nil
	}
	if err != nil {
		entry.ErrorCode = asProblem(err).code
	}
	l.calls = append(l.calls, entry)
	if n := l.config.LastCalls; n > 0 && len(l.calls) > 2*n {
		l.calls = append([]Call(nil), l.calls[len(l.calls)-n:]...)
	}
}
