// Package doctor looks at a deployment, before it is made and afterwards, and
// says what stands in its way.
//
// It takes what the deployment file says and an AWS to look at, and gives one
// result for each check: what was looked at, what was found, and what to do.
// It writes nothing, prints no secret, and takes no silence for health: what
// could not be looked at is said to be unknown, with the permission that is
// missing, and one check that fails hides none of the others.
package doctor

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/rolewarden/rolewarden/pkg/deployment"
	"github.com/rolewarden/rolewarden/pkg/role"
)

// State is what a check came to. The zero value is Unknown: what nobody looked
// at is not fine.
type State uint8

// The states.
const (
	// Unknown: it could not be looked at.
	Unknown State = iota
	// Skipped: it does not concern this deployment, or cannot be seen from here.
	Skipped
	// OK: all is as it should be.
	OK
	// Warning: it works, and somebody should know.
	Warning
	// Problem: something does not work, or would not.
	Problem
)

// String gives the state's word.
func (s State) String() string {
	switch s {
	case Unknown:
		return "unknown"
	case Skipped:
		return "skipped"
	case OK:
		return "ok"
	case Warning:
		return "warning"
	case Problem:
		return "problem"
	}
	return "state?"
}

// MarshalText gives the state's word.
func (s State) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// gravity orders states: a problem is told before what is unknown.
func (s State) gravity() int {
	return slices.Index([]State{Skipped, OK, Warning, Unknown, Problem}, s)
}

// When says at which time one looks. The zero value is Before.
type When uint8

// The times.
const (
	// Before: nothing is deployed yet.
	Before When = iota
	// After: everything is; what counts before counts then too.
	After
)

// String gives "before" or "after".
func (w When) String() string {
	switch w {
	case Before:
		return "before"
	case After:
		return "after"
	}
	return "when?"
}

// Seat is the account whose credentials one looks with. What can be seen
// depends on it. The zero value is Hub.
type Seat uint8

// The seats.
const (
	// Hub is the deployment file's account.
	Hub Seat = iota
	// Management is the organization's management account.
	Management
	// Member is any other account of the organization.
	Member
)

// String gives the seat's word.
func (s Seat) String() string {
	switch s {
	case Hub:
		return "hub"
	case Management:
		return "management"
	case Member:
		return "member"
	}
	return "seat?"
}

// Result is what one check came to.
type Result struct {
	// Check is the check's id.
	Check string `json:"check"`
	State State  `json:"state"`
	// Looked says what was looked at, with the calls that did it.
	Looked string `json:"looked"`
	// Found says what was found, in sentences, the gravest first.
	Found []string `json:"found"`
	// Do says what to do about it; empty when there is nothing to do.
	Do []string `json:"do"`
}

// Check is one thing to look at.
type Check struct {
	// ID is its name, in kebab-case.
	ID string
	// Looks says what is looked at, with the calls that do it.
	Looks string
	// When is the earliest time at which it makes sense.
	When When
	// Ways are the ways to deploy that it makes sense for; all when empty.
	Ways []deployment.Way
	// Seats are those from which it can be seen; the hub when empty.
	Seats []Seat

	look func(context.Context, *exam, *notes)
}

// Config is what Examine needs.
type Config struct {
	Deployment *deployment.Deployment
	AWS        AWS
	When       When
	Seat       Seat
	Now        time.Time
	// Patience is how long one check may take; zero means two minutes, which
	// is enough to list a large organization.
	Patience time.Duration
}

// Examine looks at everything that the config asks for, one check after the
// other, and gives a result for every check there is.
func Examine(ctx context.Context, cfg Config) []Result {
	if cfg.Patience == 0 {
		cfg.Patience = 2 * time.Minute
	}
	e := newExam(cfg)
	out := make([]Result, 0, len(All()))
	for _, c := range All() {
		out = append(out, c.result(ctx, e))
	}
	return out
}

// result makes one check.
func (c Check) result(ctx context.Context, e *exam) Result {
	n := &notes{result: Result{Check: c.ID, Looked: c.Looks}}
	if why := c.unfit(e.Config); why != "" {
		n.skip(why)
		return n.done()
	}
	ctx, cancel := context.WithTimeout(ctx, e.Patience)
	defer cancel()
	func() {
		defer func() {
			if left := recover(); left != nil {
				n.unknown(fmt.Errorf("looking at it: the check itself failed: %v", left))
			}
		}()
		c.look(ctx, e, n)
	}()
	return n.done()
}

// unfit says why a check is left out; nothing when it is made.
func (c Check) unfit(cfg Config) string {
	seats := c.Seats
	if len(seats) == 0 {
		seats = []Seat{Hub}
	}
	switch {
	case len(c.Ways) > 0 && !slices.Contains(c.Ways, cfg.Deployment.Way):
		return "It does not concern the way " + cfg.Deployment.Way.String() + "."
	case c.When == After && cfg.When == Before:
		return "It is looked at after the deployment."
	case !slices.Contains(seats, cfg.Seat):
		return "It is seen with credentials of another account: " + words(seats) + "."
	}
	return ""
}

// words joins the words of a list.
func words[T fmt.Stringer](list []T) string {
	out := make([]string, len(list))
	for i, one := range list {
		out[i] = one.String()
	}
	return strings.Join(out, ", ")
}

// notes are what a check writes down while it looks.
type notes struct {
	result Result
	graded []graded
	todo   []string
	// denied are the permissions that were found missing.
	denied []string
}

// graded is one sentence with its state.
type graded struct {
	state State
	text  string
}

func (n *notes) add(s State, found string, do ...string) {
	n.graded = append(n.graded, graded{s, found})
	for _, d := range do {
		if d != "" && !slices.Contains(n.todo, d) {
			n.todo = append(n.todo, d)
		}
	}
}

// skip says why it is not looked at.
func (n *notes) skip(why string) { n.add(Skipped, why) }

// fine, warn and problem note what was found, and what to do.
func (n *notes) fine(found string)               { n.add(OK, found) }
func (n *notes) warn(found string, do ...string) { n.add(Warning, found, do...) }
func (n *notes) problem(found string, do ...string) {
	n.add(Problem, found, do...)
}

// unsure notes what cannot be told from here, and how it could be.
func (n *notes) unsure(found string, do ...string) { n.add(Unknown, found, do...) }

// unknown notes a call that did not tell. A missing permission is told once,
// however many calls need it.
func (n *notes) unknown(err error) {
	var refused *Refusal
	if errors.As(err, &refused) && errors.Is(err, role.ErrAccessDenied) {
		if slices.Contains(n.denied, refused.Needs) {
			return
		}
		n.denied = append(n.denied, refused.Needs)
	}
	found, do := blame(err)
	n.add(Unknown, found, do)
}

// done gives the result: the gravest state, and the gravest sentences first.
func (n *notes) done() Result {
	r := n.result
	if len(n.graded) == 0 {
		n.unknown(errors.New("looking at it: the check came to no end"))
	}
	slices.SortStableFunc(n.graded, func(a, b graded) int { return b.state.gravity() - a.state.gravity() })
	r.State, r.Found, r.Do = n.graded[0].state, []string{}, append([]string{}, n.todo...)
	for _, g := range n.graded {
		r.Found = append(r.Found, g.text)
	}
	return r
}
