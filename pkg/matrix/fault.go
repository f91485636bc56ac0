// Package matrix tries what becomes of rolewarden when its calls of AWS go
// wrong: every call that the functions make, times every way to go wrong, once,
// the second time and always.
//
// It holds the wire between the SDK's clients and the lab, on which calls go
// wrong, and the table of what was seen, which its README shows. The stories, the
// checks and the tests are in its test files. Nothing that is deployed imports it.
package matrix

import (
	"cmp"
	"fmt"

	"github.com/rolewarden/rolewarden/pkg/awsapi/actions"
	"github.com/rolewarden/rolewarden/pkg/lab"
)

// Fault is one way in which a call goes wrong. The zero value is none.
type Fault uint8

// The faults.
const (
	NoFault Fault = iota
	// Throttle: AWS asks to come later. Nothing happened.
	Throttle
	// TimeoutBefore: no answer, and nothing happened.
	TimeoutBefore
	// TimeoutAfter: no answer, though the call took effect.
	TimeoutAfter
	// ServerError: a 5xx. Nothing happened.
	ServerError
	// AccessDenied: AWS refuses the call.
	AccessDenied
	// NotFound: what the call is about is not there, says AWS.
	NotFound
	// StaleRead: the answer is as things stood before the last write.
	StaleRead
	// CrashBefore: the function ends before the call leaves it.
	CrashBefore
	// CrashAfter: the function ends after the call took effect, before it knows.
	CrashAfter
	// Malformed: the call took effect, and its answer cannot be read.
	Malformed
)

// Faults gives all of them in order.
func Faults() []Fault {
	var all []Fault
	for f := Throttle; f <= Malformed; f++ {
		all = append(all, f)
	}
	return all
}

// String gives the fault in words.
func (f Fault) String() string {
	switch f {
	case NoFault:
		return "no fault"
	case Throttle:
		return "throttle"
	case TimeoutBefore:
		return "timeout before effect"
	case TimeoutAfter:
		return "timeout after effect"
	case ServerError:
		return "5xx"
	case AccessDenied:
		return "access denied"
	case NotFound:
		return "not found"
	case StaleRead:
		return "stale read"
	case CrashBefore:
		return "crash before"
	case CrashAfter:
		return "crash after"
	case Malformed:
		return "malformed reply"
	}
	return fmt.Sprintf("Fault(%d)", uint8(f))
}

// Crash says whether the function ends with it.
func (f Fault) Crash() bool { return f == CrashBefore || f == CrashAfter }

// Unknown says whether the caller cannot know whether the call took effect, and it did.
func (f Fault) Unknown() bool { return f == TimeoutAfter || f == CrashAfter || f == Malformed }

// kind is how the lab makes the call go wrong; none for a crash, which is not AWS's.
func (f Fault) kind() lab.FaultKind {
	switch f {
	case NoFault, CrashBefore, CrashAfter:
		return lab.NoFault
	case Throttle:
		return lab.Throttle
	case TimeoutBefore:
		return lab.TimeoutBefore
	case TimeoutAfter:
		return lab.TimeoutAfter
	case ServerError:
		return lab.ServerError
	case AccessDenied:
		return lab.AccessDenied
	case NotFound:
		return lab.NotFound
	case StaleRead:
		return lab.StaleRead
	case Malformed:
		return lab.Malformed
	}
	return lab.NoFault
}

// When says which of the calls go wrong. A call that the SDK repeats is one
// call: it goes wrong with all its repetitions.
type When uint8

// The moments. The zero value is Once.
const (
	// Once: the first call, with all that the SDK repeats of it.
	Once When = iota
	// Second: the second call, likewise.
	Second
	// Always: every call, until AWS is well again.
	Always
	// Blip: the first request of the first call; what the SDK repeats goes through.
	Blip
)

// Moments gives all of them in the order in which the table shows them.
func Moments() []When { return []When{Blip, Once, Second, Always} }

// String gives the moment in a word.
func (w When) String() string {
	switch w {
	case Once:
		return "once"
	case Second:
		return "2nd"
	case Always:
		return "always"
	case Blip:
		return "blip"
	}
	return fmt.Sprintf("When(%d)", uint8(w))
}

// Call is one call that a function makes.
type Call struct {
	// Function is one of those in the room actions, Name a service and a call.
	Function, Name string
	Under          actions.Session
}

// String gives a call as the table names it.
func (c Call) String() string {
	if c.Under == actions.Own {
		return c.Function + " " + c.Name
	}
	return c.Function + " " + c.Name + " (" + c.Under.String() + ")"
}

// Cell is one place of the matrix.
type Cell struct {
	Call  Call
	Fault Fault
	When  When
	// Story is what is being done when it goes wrong.
	Story string
}

// String names a cell.
func (c Cell) String() string {
	return c.Call.String() + ", " + c.Fault.String() + ", " + c.When.String() + ", " + c.Story
}

// compare orders cells as the table shows them.
func compare(a, b Cell) int {
	return cmp.Or(
		cmp.Compare(a.Call.Function, b.Call.Function), cmp.Compare(a.Call.Name, b.Call.Name), cmp.Compare(a.Call.Under, b.Call.Under),
		cmp.Compare(a.Story, b.Story), cmp.Compare(a.Fault, b.Fault), cmp.Compare(a.When, b.When),
	)
}
