package access

import (
	"strconv"

	"github.com/rolewarden/rolewarden/pkg/policy"
)

// result puts a verdict into words.
func (e *evaluation) result(v verdict, known []guard) Result {
	out := Result{Decision: v.decision, Statements: e.statements(v, known)}
	switch {
	case v.decision == Allowed:
		out.Reason = allowed(out.Statements)
	case v.decision == Denied && len(out.Statements) > 0:
		verb := " deny "
		if len(out.Statements) == 1 {
			verb = " denies "
		}
		out.Reason = list(out.Statements) + verb + v.action
	case v.decision == Denied:
		out.Reason = e.nearest(v.action, known)
	default:
		i := out.Statements[0]
		g := e.guard(i, known)
		var buf [160]byte
		text := e.place(append(buf[:0], "undecided because of "...), i, g)
		out.Reason = string(append(append(text, ": "...), g.why...))
	}
	return out
}

// allowed is the commonest sentence, so it is at hand for the first statements.
func allowed(statements []int) string {
	if len(statements) > 1 {
		return list(statements) + " allow it and no Deny applies"
	}
	switch statements[0] {
	case 0:
		return "Statement[0] allows it and no Deny applies"
	case 1:
		return "Statement[1] allows it and no Deny applies"
	case 2:
		return "Statement[2] allows it and no Deny applies"
	case 3:
		return "Statement[3] allows it and no Deny applies"
	default:
		return list(statements) + " allows it and no Deny applies"
	}
}

// list names statements: "Statement[0] and Statement[2]".
func list(statements []int) string {
	var buf [80]byte
	b := buf[:0]
	for n, i := range statements {
		switch {
		case n > 0 && n == len(statements)-1:
			b = append(b, " and "...)
		case n > 0:
			b = append(b, ", "...)
		}
		b = appendStatement(b, i)
	}
	return string(b)
}

func appendStatement(b []byte, i int) []byte {
	return append(strconv.AppendInt(append(b, "Statement["...), int64(i), 10), ']')
}

// nearest says that nothing allows an action, and which element kept the Allow
// that came closest from matching.
func (e *evaluation) nearest(action string, known []guard) string {
	best := -1
	for i := range e.document.Statements {
		s := &e.document.Statements[i]
		if s.Effect != policy.Allow || !covers(s, action) {
			continue
		}
		if best < 0 || e.guard(i, known).at > e.guard(best, known).at {
			best = i
		}
	}
	if best < 0 {
		return "no statement allows " + action
	}
	var buf [160]byte
	text := append(append(append(buf[:0], "no statement allows "...), action...), ": "...)
	return string(append(e.place(text, best, e.guard(best, known)), " does not match"...))
}

// place names the element that decided a guard, without any value.
func (e *evaluation) place(b []byte, i int, g *guard) []byte {
	b = appendStatement(b, i)
	s := &e.document.Statements[i]
	switch g.at {
	case atPrincipal:
		return e.principalPlace(append(b, ".Principal"...), &s.Principal, g.index)
	case atNotPrincipal:
		return append(b, ".NotPrincipal"...)
	case atResource:
		return append(b, ".Resource"...)
	case atCondition:
		c := &s.Conditions[g.index]
		b = append(append(b, ".Condition."...), printable(c.Operator)...)
		return append(append(b, '.'), printable(c.Key)...)
	case nowhere:
		return b
	default:
		return b
	}
}

// principalPlace counts a principal among those of its type.
func (e *evaluation) principalPlace(b []byte, ps *policy.Principals, index int) []byte {
	if index < 0 {
		return b
	}
	n := 0
	for i := range ps.List[:index] {
		if ps.List[i].Type == ps.List[index].Type {
			n++
		}
	}
	b = append(append(append(b, '.'), ps.List[index].Type...), '[')
	return append(strconv.AppendInt(b, int64(n), 10), ']')
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
