package proof

import (
	"slices"
	"strconv"
	"strings"

	"github.com/rolewarden/rolewarden/pkg/access"
	"github.com/rolewarden/rolewarden/pkg/policy"
)

// Every answer comes within a bound on steps, which are counted and so the same
// on every machine; some 100 ns each (go test -bench Hard).
const (
	// workLimit bounds one question that has no Budget.
	workLimit = 40000
	// sharedLimit bounds all questions of one Budget, making the document ready
	// included. No question takes more than half of what is left of it.
	sharedLimit = 20000
	// reserve is kept for the questions that come when it is used up, ownSteps
	// each: a hard question leaves easy ones theirs.
	reserve  = 8000
	ownSteps = 400
)

// valueLimit bounds the search for one value: where that is not enough, the
// other ways to meet a formula are still looked at.
const valueLimit = 15000

// readyLimit is what making a document ready may cost: one of a hundred
// thousand characters and more in small parts is left undecided as a whole.
const readyLimit = 32000

// readyCost is what making a document ready costs, in steps.
func readyCost(d policy.Document) int {
	n := 0
	for i := range d.Statements {
		s := &d.Statements[i]
		n += 8 + 8*(len(s.Actions)+len(s.NotActions)) + principalsCost(s.Principal.List)
		for j := range s.Conditions {
			n += conditionCost(&s.Conditions[j])
		}
	}
	return n
}

// principalsCost counts what questions make of principals too: each service and
// each identity provider is a class of callers of its own.
func principalsCost(list []policy.Principal) int {
	n := 0
	for i := range list {
		switch list[i].Kind {
		case policy.Service:
			n += 9
		case policy.SAMLProvider, policy.OIDCProvider:
			n += 20
		default:
			n += 5
		}
	}
	return n
}

// whereCost is what making a region ready costs; usual ones cost nothing to speak of.
func whereCost(where [][]Requirement) int {
	n := 0
	for _, group := range where {
		for i := range group {
			n += conditionCost(&group[i].Condition)
		}
	}
	return n / 4
}

func conditionCost(c *policy.Condition) int {
	n, each := 8, 2
	if op, ok := policy.ParseOperator(c.Operator); ok {
		switch {
		case op.Base >= policy.NumericEquals && op.Base <= policy.DateGreaterThanEquals:
			each = 8
		case op.Base == policy.IP:
			each = 3
		}
	}
	for _, v := range c.Values {
		n += each + len(v)/32
		if access.HasVariable(v) {
			n += 6 * strings.Count(v, "${")
		}
	}
	return n
}

// TooLarge reports whether the document is left open as a whole, because making
// it ready would cost too much: every question about it is Unknown.
func (c *Compiled) TooLarge() bool { return c.cost > readyLimit }

const beyondBound = "the document is beyond the bound on what the search may do"

// beyondAt says that a bound was met, and where.
func beyondAt(where string) string { return beyondBound + ": " + where }

// largest names what takes the most in the dearest of some documents.
func largest(documents []*Compiled) string {
	return slices.MaxFunc(documents, func(a, b *Compiled) int { return a.cost - b.cost }).largest()
}

// largest names the statement that takes the most, and its largest condition
// where that is the better part of it. It is looked for once.
func (c *Compiled) largest() string {
	c.looked.Do(func() {
		most := 0
		c.largestPart = "it has no statement"
		for i := range c.document.Statements {
			s := c.document.Statements[i : i+1]
			all := readyCost(policy.Document{Statements: s})
			if all <= most {
				continue
			}
			most, c.largestPart = all, "its largest part is Statement["+strconv.Itoa(i)+"]"
			for j := range s[0].Conditions {
				if pc := &s[0].Conditions[j]; 2*conditionCost(pc) > all {
					c.largestPart = "its largest part is " + place(i, conditionName(pc))
				}
			}
		}
	})
	return c.largestPart
}

// largestOf names the largest condition of a region.
func largestOf(where [][]Requirement) string {
	most, name := 0, "it asks for nothing"
	for _, group := range where {
		for i := range group {
			if cost := conditionCost(&group[i].Condition); cost > most {
				most, name = cost, "its largest part is "+regionPlace(&group[i].Condition)
			}
		}
	}
	return name
}

// Budget is what several questions may spend together: however many there are,
// sharedLimit and reserve steps in all. Who asks many questions about one
// document holds it to a bound this way. The zero value is whole; it is not for
// several goroutines at once.
type Budget struct {
	spent, extra int
	// ready are the documents whose making ready is paid for.
	ready [2]*Compiled
	// rosters are the lists of accounts that the questions give.
	rosters rosters
}

// Renewed gives a whole budget for questions of another kind about the same
// documents, as long as those so far have spent less than half of theirs: a hard
// document is no reason to spend more on it, however many kinds there are.
func (b *Budget) Renewed() *Budget {
	if b.spent > sharedLimit/2 {
		return b
	}
	return &Budget{ready: b.ready, rosters: b.rosters}
}

// steps is what the next question may spend.
func (b *Budget) steps(documents []*Compiled) int {
	if b == nil {
		return workLimit
	}
	for i, d := range documents {
		if b.ready[i] != d {
			b.ready[i] = d
			b.spent += d.cost
		}
	}
	left := sharedLimit - b.spent
	return max(left/2, min(ownSteps, reserve-b.extra))
}

// pay takes what a question spent.
func (b *Budget) pay(steps int) {
	switch {
	case b == nil:
	case b.spent < sharedLimit && sharedLimit-b.spent >= steps:
		b.spent += steps
	default:
		b.extra += steps
	}
}
