package proof

import (
	"crypto/sha256"

	"github.com/rolewarden/rolewarden/pkg/policy"
)

// condition makes the formula of a condition that holds, or does not.
func (s *solver) condition(c *condition, want bool) nodeID {
	if s.work < 0 {
		return falseNode
	}
	if !c.known || s.oddlySpelled(c.key) {
		return s.doubted(c, want)
	}
	v, win := s.bind(c.key)
	x := &s.vars[v]
	if c.op.Base == policy.Null {
		return s.null(c, v, want)
	}
	if c.values == 0 && (x.presence != never || c.op.Set == policy.NoSet && !c.op.IfExists) {
		return s.doubted(c, want)
	}
	if x.many {
		return s.setCondition(c, v, want)
	}
	l := lit{v: v, win: win, neg: c.op.Negated}
	switch c.op.Set {
	case policy.ForAllValues:
		l.absentOK = true
	case policy.ForAnyValue:
	case policy.NoSet:
		l.absentOK = c.op.IfExists || c.op.Negated
	}
	if !want {
		l = l.not()
	}
	var node nodeID
	switch settled, some := s.comparison(c, v); {
	case settled:
		node = s.valueNode(c, l)
	case some:
		node = s.or(s.valueNode(c, l), s.doubted(c, want))
	default:
		return s.doubted(c, want)
	}
	return s.emptyValue(c, l, node, want)
}

// emptyText is met by the empty value alone.
var emptyText = &test{exact: []string{""}}

// emptyValue adds to a condition with a set operator what it makes of the empty
// value, which tags may have: ForAllValues holds for it; that ForAnyValue does
// not is documented of a key without values, not of a value without characters
// (IAM User Guide, reference_policies_multi-value-conditions).
func (s *solver) emptyValue(c *condition, l lit, node nodeID, want bool) nodeID {
	x := &s.vars[l.v]
	if c.op.Set == policy.NoSet || x.presence == never || x.lang == nil || l.win != wholeWindow || !x.lang.has("") {
		return node
	}
	is := s.literal(lit{v: l.v, t: emptyText})
	isNot := s.literal(lit{v: l.v, t: emptyText, neg: true, absentOK: true})
	switch {
	case c.op.Set == policy.ForAllValues && want:
		return s.or(node, is)
	case c.op.Set == policy.ForAllValues:
		return s.and(node, isNot)
	}
	leaf := s.doubted(c, want)
	if want {
		return s.and(node, s.or(isNot, leaf))
	}
	return s.or(node, s.and(is, leaf))
}

// apartDoubts is how many doubtful values of one condition are told apart.
const apartDoubts = 8

// valueNode makes the formula of a literal with the condition's values: plain
// ones, such with variables, and doubtful ones.
func (s *solver) valueNode(c *condition, l lit) nodeID {
	v := l.v
	// l.neg says whether the value must miss all that the condition lists.
	base := len(s.stack)
	op := opOr
	if l.neg {
		op = opAnd
	}
	plain := l
	plain.t = c.plain
	if c.plain == nil {
		// Nothing plain to match: a present value matches none.
		plain.t, plain.neg = nil, !l.neg
	}
	s.stack = append(s.stack, s.literal(plain))
	if !s.pay(4 * len(c.tied)) {
		return falseNode
	}
	for i := range c.tied {
		if s.work < 0 {
			break
		}
		s.stack = append(s.stack, s.tiedNode(c, &c.tied[i], !l.neg, l.absentOK && l.neg))
	}
	id, doubts := "", c.doubts
	if len(doubts) > 0 {
		id = s.identity(c)
	}
	if !s.optimistic || len(doubts) > apartDoubts {
		// They are told apart only where each may turn out either way, and are
		// few; of many, one stands for all, which leaves more open and never less.
		doubts = doubts[:min(len(doubts), 1)]
	}
	for _, d := range doubts {
		if s.work < 0 {
			break
		}
		leaf := s.doubtLeaf(id+" "+d, c.place, !l.neg)
		if l.neg {
			if l.absentOK {
				leaf = s.or(s.absent(v), leaf)
			}
		} else {
			leaf = s.and(s.present(v), leaf)
		}
		s.stack = append(s.stack, leaf)
	}
	return s.join(op, base)
}

// comparison says whether all of the key's values are such as the operator
// compares, or only some: numbers and dates among plain text are some; what a
// negated ARN comparison makes of no ARN, and base 64 of other text, is open.
func (s *solver) comparison(c *condition, v int16) (settled, some bool) {
	x := &s.vars[v]
	row := s.rowOf(c.key)
	switch {
	case x.presence == never:
		return true, true
	case c.how == compareARN:
		return !c.op.Negated || row.arn, false
	case c.op.Base == policy.Binary:
		return false, false
	case c.plain == nil || row.unknown():
		return true, true
	case x.lang.family == dateFamily:
		// How AWS writes a date is not documented, so what a text makes of it is
		// not settled; only the epoch is a number.
		return c.plain.family == dateFamily || c.plain.family == numberFamily && c.key == "aws:epochtime", c.plain.family == textFamily
	case c.plain.family == textFamily:
		return true, true
	case c.plain.family == numberFamily:
		return x.lang == countLang || c.key == "aws:epochtime", true
	default:
		return x.lang.family == c.plain.family, true
	}
}

func (r keyRow) unknown() bool { return r.page == "" }

// setCondition is condition for a multi-valued key.
func (s *solver) setCondition(c *condition, v int16, want bool) nodeID {
	if c.op.Set == policy.NoSet {
		if s.vars[v].presence == never {
			return truth((c.op.IfExists || c.op.Negated) == want)
		}
		// Only the key's absence is settled.
		absent := truth(false)
		if (c.op.IfExists || c.op.Negated) == want {
			absent = s.absent(v)
		}
		return s.or(absent, s.doubted(c, want))
	}
	plain, open := s.constants(c)
	l := lit{v: v, quant: some, neg: c.op.Negated, t: plain}
	if c.op.Set == policy.ForAllValues {
		l.quant = every
	}
	if plain == nil {
		l.neg = !l.neg
	}
	if !want {
		l = l.not()
	}
	node := s.literal(l)
	if !open && len(c.doubts) == 0 {
		return node
	}
	leaf := s.doubted(c, want)
	if l.neg == (plain == nil) {
		return s.or(node, leaf)
	}
	return s.and(node, leaf)
}

// null makes the formula of a Null condition.
func (s *solver) null(c *condition, v int16, want bool) nodeID {
	if c.values == 0 {
		return s.doubted(c, want)
	}
	base := len(s.stack)
	if c.nullAbsent == want {
		s.stack = append(s.stack, s.absent(v))
	}
	if c.nullPresent == want {
		s.stack = append(s.stack, s.present(v))
	}
	node := s.join(opOr, base)
	var id string
	if len(c.doubts) > 0 {
		id = s.identity(c)
	}
	for _, d := range c.doubts {
		leaf := s.doubtLeaf(id+" "+d, c.place, want)
		if want {
			node = s.or(node, leaf)
		} else {
			node = s.and(node, leaf)
		}
	}
	return node
}

// doubted is the formula of a condition of which nobody knows whether it holds.
func (s *solver) doubted(c *condition, want bool) nodeID {
	return s.doubtLeaf(s.identity(c), c.place, want)
}

// longIdentity is from what length on a digest stands for the text.
const longIdentity = 128

// identity tells equal conditions from others, wherever they stand. Only what is
// tried under every reading looks at it.
func (s *solver) identity(c *condition) string {
	if !s.optimistic {
		return ""
	}
	id := append(append(append(append(s.idRoom[:0], c.source.Operator...), ' '), c.key...), ' ')
	long, size := sha256.New(), 0
	for _, v := range c.source.Values {
		if id = append(append(id, v...), 0); len(id) > longIdentity {
			long.Write(id)
			id, size = id[:0], size+len(id)
		}
	}
	if s.idRoom = id; size == 0 {
		return string(id)
	}
	long.Write(id)
	s.pay(size / 24)
	return string(long.Sum(nil))
}
