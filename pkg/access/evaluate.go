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
	if len(r.Actions) == 0 {
		return Result{Decision: Undecided, Reason: "the request names no action"}
	}
	var few [usual]guard
	e, known := evaluation{document: &d, request: &r, caller: r.caller()}, few[:]
	if len(d.Statements) > usual {
		known = make([]guard, len(d.Statements))
	}
	return e.result(e.verdict(known), known)
}

// Decide is Evaluate without the words, for callers that ask very often.
func Decide(d policy.Document, r Request) Decision {
	if len(r.Actions) == 0 {
		return Undecided
	}
	var few [usual]guard
	e, known := evaluation{document: &d, request: &r, caller: r.caller()}, few[:]
	if len(d.Statements) > usual {
		known = make([]guard, len(d.Statements))
	}
	return e.verdict(known).decision
}

// usual is how many statements cost no memory.
const usual = 8

// evaluation is the work on one request. What was found of each statement,
// apart from its actions, goes beside it as known: were it inside, the compiler
// could not keep the whole off the heap.
type evaluation struct {
	document *policy.Document
	request  *Request
	caller   caller
}

// verdict is what is decided, and the action that decided it where not all are
// allowed.
type verdict struct {
	decision Decision
	action   string
}

// verdict judges the actions together: one that is denied counts more than one
// that is open, and that more than one that is allowed.
func (e *evaluation) verdict(known []guard) verdict {
	out := verdict{decision: Allowed}
	for _, action := range e.request.Actions {
		switch e.decide(action, known) {
		case Denied:
			return verdict{Denied, action}
		case Undecided:
			if out.decision == Allowed {
				out = verdict{Undecided, action}
			}
		case Allowed:
		}
	}
	return out
}

// decide judges one action: a Deny that surely fires denies; so does the lack
// of any Allow that could match; it is allowed when an Allow surely matches
// and no Deny is in doubt.
func (e *evaluation) decide(action string, known []guard) Decision {
	allow, deny := No, No
	for i := range e.document.Statements {
		s := &e.document.Statements[i]
		// What is settled already need not be found out again.
		if s.Effect == policy.NoEffect || s.Effect == policy.Allow && allow == Yes || !covers(s, action) {
			continue
		}
		holds := e.guard(i, known).holds
		switch {
		case s.Effect == policy.Allow:
			allow = allow.Or(holds)
		case holds == Yes:
			return Denied
		default:
			deny = deny.Or(holds)
		}
	}
	switch {
	case allow == No:
		return Denied
	case allow == Yes && deny == No:
		return Allowed
	default:
		return Undecided
	}
}

// statements lists those that decided, in order.
func (e *evaluation) statements(v verdict, known []guard) []int {
	switch v.decision {
	case Allowed:
		return e.such(known, e.request.Actions, policy.Allow, Yes)
	case Denied:
		return e.such(known, []string{v.action}, policy.Deny, Yes)
	case Undecided:
		denies := e.such(known, []string{v.action}, policy.Deny, Unsettled)
		if len(denies) > 0 && len(e.such(known, []string{v.action}, policy.Allow, Yes)) > 0 {
			return denies
		}
		out := append(denies, e.such(known, []string{v.action}, policy.Allow, Unsettled)...)
		slices.Sort(out)
		return out
	default:
		return nil
	}
}

// such lists the statements of an effect on one of the actions whose guard is
// such.
func (e *evaluation) such(known []guard, actions []string, effect policy.Effect, holds Tri) []int {
	only := -1
	var out []int
	for i := range e.document.Statements {
		s := &e.document.Statements[i]
		if s.Effect != effect || e.guard(i, known).holds != holds || !coversAny(s, actions) {
			continue
		}
		switch {
		case only < 0:
			only = i
		case out == nil:
			out = []int{only, i}
		default:
			out = append(out, i)
		}
	}
	if out == nil && only >= 0 {
		return single(only)
	}
	return out
}

// ordinals are the numbers of the first statements. Results share them.
var ordinals = [8]int{0, 1, 2, 3, 4, 5, 6, 7}

// single gives a list of one number.
func single(i int) []int {
	if i < len(ordinals) {
		return ordinals[i : i+1 : i+1]
	}
	return []int{i}
}

func coversAny(s *policy.Statement, actions []string) bool {
	for _, action := range actions {
		if covers(s, action) {
			return true
		}
	}
	return false
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
func (e *evaluation) guard(i int, known []guard) *guard {
	g := &known[i]
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
