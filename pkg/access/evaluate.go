package access

import (
	"slices"

	"github.com/rolewarden/rolewarden/pkg/policy"
)

// Evaluate decides one request against one trust policy, which is all that it
// looks at: it adds no key to the context (see Complete) and knows no other
// policy of the caller or the role. Every action of the request must be
// allowed. Where AWS's documentation leaves an element open, both of its
// readings count: the answer is Undecided unless they agree.
func Evaluate(d policy.Document, r Request) Result {
	e := evaluation{document: &d, request: &r, caller: r.caller()}
	if len(r.Actions) == 0 {
		return Result{Decision: Undecided, Reason: "the request names no action"}
	}
	e.guards = make([]guard, len(d.Statements))
	total := verdict{decision: Allowed}
	for _, action := range r.Actions {
		total = total.and(e.decide(action))
	}
	return e.result(total)
}

// evaluation is the work on one request.
type evaluation struct {
	document *policy.Document
	request  *Request
	caller   caller
	// guards keeps what was found of each statement, apart from its actions.
	guards []guard
}

// verdict is what is known about the actions looked at so far.
type verdict struct {
	decision Decision
	action   string
	// statements decided it.
	statements []int
}

// and joins the verdicts on two actions: the worse one counts.
func (v verdict) and(w verdict) verdict {
	switch {
	case v.decision == Allowed && w.decision == Allowed:
		for _, i := range w.statements {
			if !slices.Contains(v.statements, i) {
				v.statements = append(v.statements, i)
			}
		}
		slices.Sort(v.statements)
		v.action = w.action
		return v
	case w.decision == Denied && v.decision != Denied, v.decision == Allowed:
		return w
	default:
		return v
	}
}

// decide judges one action: a Deny that surely fires denies; so does the lack
// of any Allow that could match; it is allowed when an Allow surely matches
// and no Deny is in doubt.
func (e *evaluation) decide(action string) verdict {
	var denies, allows, doubtfulDenies, doubtfulAllows []int
	for i := range e.document.Statements {
		s := &e.document.Statements[i]
		if s.Effect == policy.NoEffect || !covers(s, action) {
			continue
		}
		switch e.guard(i).holds {
		case Yes:
			if s.Effect == policy.Deny {
				denies = append(denies, i)
			} else {
				allows = append(allows, i)
			}
		case Unsettled:
			if s.Effect == policy.Deny {
				doubtfulDenies = append(doubtfulDenies, i)
			} else {
				doubtfulAllows = append(doubtfulAllows, i)
			}
		case No:
		}
	}
	switch {
	case len(denies) > 0:
		return verdict{Denied, action, denies}
	case len(allows) == 0 && len(doubtfulAllows) == 0:
		return verdict{Denied, action, nil}
	case len(allows) > 0 && len(doubtfulDenies) == 0:
		return verdict{Allowed, action, allows}
	case len(allows) > 0:
		return verdict{Undecided, action, doubtfulDenies}
	default:
		doubtful := append(doubtfulDenies, doubtfulAllows...)
		slices.Sort(doubtful)
		return verdict{Undecided, action, doubtful}
	}
}

// covers reports whether a statement is about an action.
func covers(s *policy.Statement, action string) bool {
	for _, a := range s.Actions {
		if MatchAction(a, action) {
			return true
		}
	}
	if len(s.NotActions) == 0 {
		return false
	}
	for _, a := range s.NotActions {
		if MatchAction(a, action) {
			return false
		}
	}
	return true
}

// guard is whether a statement applies to the request, apart from its actions.
type guard struct {
	known bool
	holds Tri
	// at is the element that makes it No or Unsettled.
	at element
	// index is the principal's or condition's number; -1 for none.
	index int
	// why says what is unsettled.
	why string
}

// element is a part of a statement.
type element uint8

const (
	nowhere element = iota
	atPrincipal
	atNotPrincipal
	atResource
	atCondition
)

// guard finds out, once, whether statement i applies.
func (e *evaluation) guard(i int) *guard {
	g := &e.guards[i]
	if g.known {
		return g
	}
	*g = guard{known: true, holds: Yes, index: -1}
	s := &e.document.Statements[i]
	if s.Principal.Present() {
		holds, at, why := principals(&s.Principal, &e.caller)
		g.and(holds, atPrincipal, at, why)
	}
	if s.NotPrincipal.Present() || !s.Principal.Present() {
		g.and(Unsettled, atNotPrincipal, -1, "a trust policy cannot use it, so what it covers is not documented")
	}
	if len(s.Resources) > 0 || len(s.NotResources) > 0 {
		g.and(Unsettled, atResource, -1, "a trust policy cannot use it, so what it does is not documented")
	}
	for j := range s.Conditions {
		if g.holds == No {
			break
		}
		holds, why := condition(&s.Conditions[j], e.document.Version, e.request)
		g.and(holds, atCondition, j, why)
	}
	return g
}

// and adds what one element says, and remembers the first that is worst.
func (g *guard) and(holds Tri, at element, index int, why string) {
	before := g.holds
	g.holds = before.And(holds)
	if g.holds != before {
		g.at, g.index, g.why = at, index, why
	}
}
