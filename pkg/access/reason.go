package access

import (
	"strconv"
	"strings"

	"github.com/rolewarden/rolewarden/pkg/policy"
)

// result puts a verdict into words.
func (e *evaluation) result(v verdict) Result {
	out := Result{Decision: v.decision, Statements: v.statements}
	switch {
	case v.decision == Allowed:
		out.Reason = list(v.statements) + allow(len(v.statements)) + " it and no Deny applies"
	case v.decision == Denied && len(v.statements) > 0:
		out.Reason = list(v.statements) + deny(len(v.statements)) + " " + v.action
	case v.decision == Denied:
		out.Reason = "no statement allows " + v.action + e.nearest(v.action)
	default:
		i := v.statements[0]
		g := e.guard(i)
		out.Reason = "undecided because of " + e.place(i, g) + ": " + g.why
	}
	return out
}

func allow(n int) string {
	if n == 1 {
		return " allows"
	}
	return " allow"
}

func deny(n int) string {
	if n == 1 {
		return " denies"
	}
	return " deny"
}

// list names statements: "Statement[0] and Statement[2]".
func list(statements []int) string {
	var b strings.Builder
	for n, i := range statements {
		switch {
		case n > 0 && n == len(statements)-1:
			b.WriteString(" and ")
		case n > 0:
			b.WriteString(", ")
		}
		b.WriteString("Statement[")
		b.WriteString(strconv.Itoa(i))
		b.WriteByte(']')
	}
	return b.String()
}

// nearest says which element kept the Allow that came closest from matching.
func (e *evaluation) nearest(action string) string {
	best := -1
	for i := range e.document.Statements {
		s := &e.document.Statements[i]
		if s.Effect != policy.Allow || !covers(s, action) {
			continue
		}
		if best < 0 || e.guard(i).at > e.guard(best).at {
			best = i
		}
	}
	if best < 0 {
		return ""
	}
	return ": " + e.place(best, e.guard(best)) + " does not match"
}

// place names the element that decided a guard, without any value.
func (e *evaluation) place(i int, g *guard) string {
	at := list([]int{i})
	s := &e.document.Statements[i]
	switch g.at {
	case atPrincipal:
		return at + ".Principal" + e.principalPlace(&s.Principal, g.index)
	case atNotPrincipal:
		return at + ".NotPrincipal"
	case atResource:
		return at + ".Resource"
	case atCondition:
		c := s.Conditions[g.index]
		return at + ".Condition." + printable(c.Operator) + "." + printable(c.Key)
	case nowhere:
		return at
	default:
		return at
	}
}

// principalPlace counts a principal among those of its type.
func (e *evaluation) principalPlace(ps *policy.Principals, index int) string {
	if index < 0 {
		return ""
	}
	n := 0
	for _, p := range ps.List[:index] {
		if p.Type == ps.List[index].Type {
			n++
		}
	}
	return "." + ps.List[index].Type + "[" + strconv.Itoa(n) + "]"
}

// printable quotes a name that could disturb a line of output.
func printable(s string) string {
	for i := range len(s) {
		if s[i] <= ' ' || s[i] > '~' {
			return strconv.QuoteToASCII(s)
		}
	}
	return s
}
