// Package invariant holds what must be true of rolewarden whatever happens: the
// twelve invariants, as code over a recorded history.
//
// It takes a History (every call, event, read, write, alert and end, in order,
// with times) and gives the violations, each with a sentence and the place. It
// knows the truth that the handlings could not know, since whoever records a
// history has made the world in which they ran. It runs nothing and changes
// nothing. It is for tests alone: no room of the product imports it.
package invariant

import (
	"fmt"
	"slices"
)

// ID names an invariant.
type ID uint8

// The invariants. The zero value is none.
const (
	NoInvariant ID = iota
	// I1 Conservation: every event that was received has ended once, is in
	// flight, or lies in a dead-letter queue.
	I1
	// I2 No write without cause: a bad verdict on a live read at most five
	// seconds old, of the same RoleId, and an intent that was recorded before; or a
	// person's command, and then what it asked for. A person's word stays the hand.
	I2
	// I3 No wrong revert: what was written obeys the rules, is of that RoleId,
	// and its principals are whom they were.
	I3
	// I4 No widening: a revert lets in nobody whom its baseline did not, any
	// other write nobody whom the document before did not.
	I4
	// I5 Protected roles are never written.
	I5
	// I6 Convergence: once faults and foreign writers stop, every role is
	// compliant or held after at most three writes, and people are left with no
	// alert about one that is good or gone.
	I6
	// I7 Alerts: whatever was decided against a role is told at least once, and
	// no more often than crashes between sending and recording excuse.
	I7
	// I8 Tags and the text of events never change a verdict.
	I8
	// I9 Undecided never becomes Compliant without a new read.
	I9
	// I10 Limits and the kill switch hold, under concurrency too.
	I10
	// I11 No secret is in any output.
	I11
	// I12 Every handling ends: no panic, and a bounded number of calls.
	I12
)

// All gives the invariants in order.
func All() []ID { return []ID{I1, I2, I3, I4, I5, I6, I7, I8, I9, I10, I11, I12} }

// String gives "I1" and so on.
func (i ID) String() string { return fmt.Sprintf("I%d", uint8(i)) }

// Title says in a few words what the invariant asks.
func (i ID) Title() string {
	titles := [...]string{
		"none", "conservation of events", "no write without cause", "no wrong revert", "no widening", "protected roles are never written",
		"convergence", "alerts are told, and once", "tags and text of events change no verdict", "no verdict without a reading",
		"limits and the kill switch hold", "no secret in any output", "every handling ends",
	}
	if int(i) >= len(titles) {
		return "unknown"
	}
	return titles[i]
}

// Violation is one breach of one invariant.
type Violation struct {
	Invariant ID
	// Sentence says what is wrong.
	Sentence string
	// At is the place: the number of the entry in the history, or -1 for its end.
	At int
	// Event and Role say what it is about, where they are known.
	Event string
	Role  string
}

// String gives one line.
func (v Violation) String() string {
	place := "at the end"
	if v.At >= 0 {
		place = fmt.Sprintf("entry %d", v.At)
	}
	s := fmt.Sprintf("%s (%s), %s", v.Invariant, v.Invariant.Title(), place)
	if v.Role != "" {
		s += ", role " + v.Role
	}
	if v.Event != "" {
		s += ", event " + v.Event
	}
	return s + ": " + v.Sentence
}

// Check gives every violation in a history, in order of their places; those of
// the end are last.
func Check(h *History) []Violation {
	x := index(h)
	var out []Violation
	for _, check := range []func(*indexed) []Violation{
		conservation, causes, reverts, widening, protected, convergence,
		alerts, verdicts, readings, caps, secrets, totality,
	} {
		out = append(out, check(x)...)
	}
	slices.SortStableFunc(out, func(a, b Violation) int { return place(a) - place(b) })
	return out
}

func place(v Violation) int {
	if v.At < 0 {
		return int(^uint(0) >> 1)
	}
	return v.At
}
