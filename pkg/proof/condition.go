package proof

import (
	"strconv"
	"strings"

	"github.com/rolewarden/rolewarden/pkg/access"
	"github.com/rolewarden/rolewarden/pkg/policy"
)

// condition is a condition made ready: its values sorted into a test without
// variables, values with variables, and values in doubt.
type condition struct {
	key    string
	source *policy.Condition
	op     policy.Operator
	known  bool
	how    comparison
	// plain holds the values without variables; nil when there are none.
	plain *test
	tied  []tiedValue
	// doubts are the values whose meaning is not settled.
	doubts []string
	// null is what Null asks: the key may be absent, may be present.
	nullAbsent, nullPresent bool
	values                  int
	place                   string
}

// tiedValue is a value with policy variables.
type tiedValue struct {
	pieces []piece
	text   string
}

// printable quotes a name of the document that could forge or disturb a line of
// output, or flood it.
func printable(s string) string {
	const longest = 200
	for i := range len(s) {
		if s[i] <= ' ' || s[i] > '~' || i == longest {
			return strconv.QuoteToASCII(s[:min(len(s), longest)])
		}
	}
	return s
}

func place(statement int, element string) string {
	return "Statement[" + strconv.Itoa(statement) + "]." + element
}

// conditionName is how a condition is named within its statement.
func conditionName(pc *policy.Condition) string {
	return "Condition." + printable(pc.Operator) + "." + printable(pc.Key)
}

// compileCondition makes a condition ready; variables count from version 2012-10-17 on.
func compileCondition(pc *policy.Condition, variables bool) condition {
	c := condition{key: lowerKey(pc.Key), source: pc, values: len(pc.Values)}
	c.op, c.known = policy.ParseOperator(pc.Operator)
	if !c.known {
		return c
	}
	switch c.op.Base {
	case policy.Null:
		c.compileNull(pc.Values)
	case policy.String, policy.Bool, policy.Binary:
		c.how = compareExact
		c.compileTexts(pc.Values, variables && c.op.Base == policy.String)
	case policy.StringIgnoreCase:
		c.how = compareFold
		c.compileTexts(pc.Values, variables)
	case policy.StringLike:
		c.how = compareGlob
		c.compileTexts(pc.Values, variables)
	case policy.ARN:
		c.how = compareARN
		c.compileTexts(pc.Values, variables)
	case policy.IP:
		c.compileNets(pc.Values)
	default:
		c.compilePoints(pc.Values)
	}
	return c
}

func (c *condition) compileNull(values []string) {
	for _, v := range values {
		switch v {
		case "true":
			c.nullAbsent = true
		case "false":
			c.nullPresent = true
		default:
			c.doubts = append(c.doubts, v)
		}
	}
}

func (c *condition) compileTexts(values []string, variables bool) {
	t := &test{}
	room := t.makeRoom(values, c.how)
	for _, v := range values {
		if c.op.Base == policy.Bool && v != "true" && v != "false" {
			c.doubts = append(c.doubts, v)
			continue
		}
		if !variables || !access.HasVariable(v) {
			if !t.read(v, c.how, &room) {
				c.doubts = append(c.doubts, v)
			}
			continue
		}
		pieces, ok := readPieces(v, c.how, variables)
		if !ok {
			c.doubts = append(c.doubts, v)
			continue
		}
		if tied(pieces) {
			c.tied = append(c.tied, tiedValue{pieces: pieces, text: v})
			continue
		}
		if !t.add(pieces, c.how) {
			c.doubts = append(c.doubts, v)
		}
	}
	if len(t.exact) > 0 || len(t.patterns) > 0 {
		c.plain = t.seal()
		if c.key == "aws:principalarn" {
			t.ownedBy()
		}
	}
}

// makeRoom makes room for values without variables, and gives that of their tokens.
func (t *test) makeRoom(values []string, how comparison) []token {
	patterns, size := 0, 0
	for _, v := range values {
		if takesPattern(v, how) {
			patterns++
			size += len(v)
		}
	}
	if patterns > 0 {
		t.patterns = make([]pattern, 0, patterns)
	}
	if patterns < len(values) {
		t.exact = make([]string, 0, len(values)-patterns)
	}
	return make([]token, 0, size)
}

// takesPattern reports whether a value is more than one exact text.
func takesPattern(v string, how comparison) bool {
	return how == compareFold || (how == compareGlob || how == compareARN) && strings.ContainsAny(v, "*?")
}

// read takes in one value as it is written; false when it is no ARN pattern.
func (t *test) read(v string, how comparison, room *[]token) bool {
	if takesPattern(v, how) {
		p, ok := readPattern(v, how, room)
		if ok {
			t.patterns = append(t.patterns, p)
		}
		return ok
	}
	if how == compareARN && strings.Count(v, ":") < 5 {
		return false
	}
	t.exact = append(t.exact, v)
	return true
}

// add takes in one value without variables; false when it is no ARN pattern.
func (t *test) add(pieces []piece, how comparison) bool {
	if how == compareFold || wildcards(pieces) {
		p, ok := compilePattern(pieces, how)
		if ok {
			t.patterns = append(t.patterns, p)
		}
		return ok
	}
	text := joinPieces(pieces)
	if how == compareARN && strings.Count(text, ":") < 5 {
		return false
	}
	t.exact = append(t.exact, text)
	return true
}

func joinPieces(pieces []piece) string {
	if len(pieces) == 1 {
		return pieces[0].text
	}
	var b strings.Builder
	for _, p := range pieces {
		b.WriteString(p.text)
	}
	return b.String()
}

func tied(pieces []piece) bool {
	for _, p := range pieces {
		if p.kind == variablePiece {
			return true
		}
	}
	return false
}

func (c *condition) compileNets(values []string) {
	t := &test{family: addressFamily}
	for _, v := range values {
		if n, ok := parseNet(v); ok && !n.Addr().Is4In6() {
			t.nets = append(t.nets, n)
		} else {
			c.doubts = append(c.doubts, v)
		}
	}
	if len(t.nets) > 0 {
		t.cost = len(t.nets) / 8
		c.plain = t
	}
}

func (c *condition) compilePoints(values []string) {
	t := &test{family: numberFamily, base: c.op.Base}
	parse := parseNumber
	if c.op.Base >= policy.DateEquals && c.op.Base <= policy.DateGreaterThanEquals {
		t.family, parse = dateFamily, parseDate
	}
	for _, v := range values {
		if p, ok := parse(v); ok {
			t.points = append(t.points, p)
			t.cost += 1 + len(v)/8
		} else {
			c.doubts = append(c.doubts, v)
		}
	}
	if len(t.points) > 0 {
		c.plain = t
	}
}
