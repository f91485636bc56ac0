package proof

import (
	"strings"

	"github.com/rolewarden/rolewarden/pkg/access"
)

// verdict is what a search says of a conjunction of literals.
type verdict uint8

const (
	// undecided searches met a bound or a mix that no procedure here decides.
	undecided verdict = iota
	empty
	satisfiable
)

// quantifier says how a literal speaks of a multi-valued key.
type quantifier uint8

const (
	// single speaks of the one value of a single-valued key.
	single quantifier = iota
	// every asks all values to meet the test; no value at all does too.
	every
	// some asks one value to meet the test.
	some
)

// lit is a literal: what it asks of one variable.
type lit struct {
	v     int16
	win   window
	quant quantifier
	// absentOK says whether an absent key meets a single literal.
	absentOK bool
	// neg turns the test round.
	neg bool
	// t nil is met by every value.
	t *test
}

// not gives the opposite literal.
func (l lit) not() lit {
	l.neg = !l.neg
	switch l.quant {
	case single:
		l.absentOK = !l.absentOK
	case every:
		l.quant = some
	case some:
		l.quant = every
	}
	return l
}

// opposes reports whether two literals ask for opposite things, judging by
// their being about the same test.
func (l *lit) opposes(m *lit) bool {
	if l.t != m.t || l.win != m.win || l.neg == m.neg {
		return false
	}
	if l.quant == single {
		return m.quant == single && (!l.absentOK || !m.absentOK)
	}
	return l.quant == every && m.quant == some || l.quant == some && m.quant == every
}

// met reports whether one present value, seen through the literal's window, meets it.
// Where the value is outside what a number, date or address test compares, the
// outcome is not settled and counts as not met.
func (l *lit) met(value string) bool {
	if l.t == nil {
		return !l.neg
	}
	s := look(value, l.win)
	if l.neg && l.t.family != textFamily && !l.t.compares(s) {
		return false
	}
	return l.t.match(s) != l.neg
}

// compares reports whether a value is one that the test's family can compare.
func (t *test) compares(s string) bool {
	var ok bool
	switch t.family {
	case textFamily:
		ok = true
	case numberFamily:
		_, ok = parseNumber(s)
	case dateFamily:
		_, ok = parseDate(s)
	case addressFamily:
		ok = anyAddress.matchAddress(s)
	}
	return ok
}

// steps is what meeting the literal costs to find out.
func (l *lit) steps() int {
	if l.t == nil {
		return 1
	}
	return 1 + l.t.cost
}

// look gives the part of a value that a window shows.
func look(value string, w window) string {
	switch w {
	case wholeWindow:
		return value
	case accountWindow:
		return arnAccount(value)
	case nameWindow:
		for i := len(value) - 1; i >= 0; i-- {
			if value[i] == '/' {
				return value[i+1:]
			}
		}
		return value
	case orgWindow:
		id, _, _ := strings.Cut(value, "/")
		return id
	case epochWindow:
		t, _ := access.ParseDate(value)
		return epochText(t)
	default:
		return value
	}
}

// variable is one unknown of the search: a context key, or the caller.
type variable struct {
	// key is the name for the witness; empty for the caller's ARN.
	key      string
	presence presence
	lang     *language
	natural  []string
	many     bool
	caller   bool

	lits []lit
	// base is how many of lits were there before the search.
	base int
	// The model: a value that meets lits, or none.
	has    bool
	value  string
	values []string
	// doubt says that the variable stands for a doubtful element: present, it applies.
	doubt bool
}

// steps is what it costs to find out whether the model meets a literal.
func (x *variable) steps(l *lit) int {
	if !x.has {
		return 1
	}
	return l.steps()
}

// holds reports whether the model meets a literal. For an unsettled key both
// readings must: absent, and the model's value.
func (x *variable) holds(l *lit) bool {
	switch l.quant {
	case single:
		if x.presence == unsettled {
			return l.absentOK && x.has && l.met(x.value)
		}
		if !x.has {
			return l.absentOK
		}
		return l.met(x.value)
	case every:
		if x.presence == unsettled && !x.has {
			return false
		}
		for _, v := range x.values {
			if !l.met(v) {
				return false
			}
		}
		return true
	case some:
		if x.presence == unsettled {
			return false
		}
		for _, v := range x.values {
			if l.met(v) {
				return true
			}
		}
		return false
	default:
		return false
	}
}
