package lab

import (
	"fmt"
	"net/http"
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
	// StaleRead lets GetRole answer the state before the last write.
	StaleRead
	// UnmodifiableEntity answers as for a service-linked role.
	UnmodifiableEntity
	// LimitExceeded answers that a quota is used up.
	LimitExceeded
	// ConcurrentModification answers that another call changes the same entity.
	ConcurrentModification
	// RefusePolicy answers MalformedPolicyDocument, as IAM might for a
	// document on which its documentation is silent.
	RefusePolicy
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
	default:
		return fmt.Sprintf("FaultKind(%d)", int(k))
	}
}

// Fault makes calls go wrong on demand. Empty fields match everything:
// Service is as in a signature's scope ("iam"), Account is the caller's,
// Resource a role's name. Skip lets the first calls through, Times bounds how
// many then fail; 0 means always.
type Fault struct {
	Service, Action, Account, Resource string
	Kind                               FaultKind
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

// problem gives the error that the fault answers, nil for those that let the
// call run.
func (f Fault) problem(req *request) error {
	switch f.Kind {
	case NoFault, TimeoutBefore, TimeoutAfter, Malformed, StaleRead:
		return nil
	case Throttle:
		p := failPlain(http.StatusBadRequest, "Throttling", "Rate exceeded")
		p.trail = "ThrottlingException"
		return p
	case ServerError:
		return fail(http.StatusInternalServerError, "ServiceFailure", "The request processing has failed because of an unknown error.")
	case AccessDenied:
		return accessDenied("User: %s is not authorized to perform: %s:%s on resource: %s",
			req.caller.arn(), req.service, req.action, req.resource)
	case NotFound:
		return notFound(req)
	case UnmodifiableEntity:
		return unmodifiable(req.resource)
	case LimitExceeded:
		return limitExceeded("Cannot exceed quota for %s", req.action)
	case ConcurrentModification:
		return fail(http.StatusConflict, "ConcurrentModification",
			"Multiple requests to change the entity %s were submitted simultaneously.", req.resource)
	case RefusePolicy:
		return malformedPolicy("Syntax errors in policy.")
	default:
		return nil
	}
}

func notFound(req *request) *problem {
	switch req.service {
	case "secretsmanager":
		return noSecret()
	case "organizations":
		return failPlain(http.StatusBadRequest, "AccountNotFoundException", "You specified an account that doesn't exist.")
	case "sns":
		return failPlain(http.StatusNotFound, "NotFound", "Topic does not exist")
	case "sqs":
		return noQueue()
	default:
		return noSuch("role", req.resource)
	}
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

// Calls gives the log of every call, oldest first.
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
}
