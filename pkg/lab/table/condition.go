package table

import (
	"slices"
	"strings"
)

// condition is a condition expression: it holds for an item or not. An item
// that is not there is an empty one.
type condition interface {
	holds(i Item) bool
	// operands are what it speaks of, without those of its parts.
	operands() []operand
	// parts are the conditions that it joins.
	parts() []condition
}

// operand is what a condition compares.
type operand interface {
	value(i Item) (Value, bool)
}

// constant is a value of the request.
type constant struct{ v Value }

func (c constant) value(Item) (Value, bool) { return c.v, true }

// sizeOf is the function size.
type sizeOf struct{ of operand }

func (s sizeOf) value(i Item) (Value, bool) {
	v, ok := s.of.value(i)
	switch {
	case !ok:
		return Value{}, false
	case v.kind == isText || v.kind == isBytes:
		return countValue(len(v.text)), true
	case v.kind == isMap:
		return countValue(len(v.tree)), true
	case v.kind == isList || v.kind.member() != "":
		return countValue(len(v.list)), true
	default:
		return Value{}, false
	}
}

// joined is AND or OR.
type joined struct {
	or          bool
	left, right condition
}

func (j joined) holds(i Item) bool {
	if j.left.holds(i) == j.or {
		return j.or
	}
	return j.right.holds(i)
}
func (j joined) operands() []operand { return nil }
func (j joined) parts() []condition  { return []condition{j.left, j.right} }

// not is NOT.
type not struct{ of condition }

func (n not) holds(i Item) bool   { return !n.of.holds(i) }
func (n not) operands() []operand { return nil }
func (n not) parts() []condition  { return []condition{n.of} }

// grouped is a condition in parentheses.
type grouped struct{ condition }

func (g grouped) operands() []operand { return nil }
func (g grouped) parts() []condition  { return []condition{g.condition} }

// comparison is = <> < <= > >=, and BETWEEN and IN in their parts.
type comparison struct {
	sign        string
	left, right operand
}

func (c comparison) holds(i Item) bool {
	left, ok1 := c.left.value(i)
	right, ok2 := c.right.value(i)
	switch c.sign {
	case "=":
		return ok1 && ok2 && left.equal(right)
	case "<>":
		return !ok1 || !ok2 || !left.equal(right)
	}
	if !ok1 || !ok2 || left.kind != right.kind || !left.kind.ordered() {
		return false
	}
	return related(c.sign, left.compare(right))
}
func (c comparison) operands() []operand { return []operand{c.left, c.right} }
func (c comparison) parts() []condition  { return nil }

func related(sign string, order int) bool {
	switch sign {
	case "=":
		return order == 0
	case "<":
		return order < 0
	case "<=":
		return order <= 0
	case ">":
		return order > 0
	case ">=":
		return order >= 0
	default:
		return false
	}
}

// between includes both ends.
type between struct{ what, low, high operand }

func (b between) holds(i Item) bool {
	return comparison{">=", b.what, b.low}.holds(i) && comparison{"<=", b.what, b.high}.holds(i)
}
func (b between) operands() []operand { return []operand{b.what, b.low, b.high} }
func (b between) parts() []condition  { return nil }

// among is IN.
type among struct {
	what operand
	list []operand
}

func (a among) holds(i Item) bool {
	return slices.ContainsFunc(a.list, func(o operand) bool { return comparison{"=", a.what, o}.holds(i) })
}
func (a among) operands() []operand { return append([]operand{a.what}, a.list...) }
func (a among) parts() []condition  { return nil }

// call is a function that is a condition.
type call struct {
	name string
	args []operand
}

func (c call) operands() []operand { return c.args }
func (c call) parts() []condition  { return nil }

func (c call) holds(i Item) bool {
	first, ok := c.args[0].value(i)
	switch {
	case c.name == "attribute_exists":
		return ok
	case c.name == "attribute_not_exists":
		return !ok
	case !ok:
		return false
	}
	second, ok := c.args[1].value(i)
	if !ok {
		return false
	}
	switch c.name {
	case "attribute_type":
		return string(first.kind) == second.text
	case "begins_with":
		return first.kind == second.kind && (first.kind == isText || first.kind == isBytes) && strings.HasPrefix(first.text, second.text)
	case "contains":
		return first.contains(second)
	default:
		return false
	}
}

func (v Value) contains(o Value) bool {
	switch {
	case v.kind == isText || v.kind == isBytes:
		return v.kind == o.kind && strings.Contains(v.text, o.text)
	case v.kind == isList, v.kind.member() == o.kind:
		return v.has(o)
	default:
		return false
	}
}

// every visits a condition and all that it is made of.
func every(c condition, visit func(condition)) {
	visit(c)
	for _, part := range c.parts() {
		every(part, visit)
	}
}

// attributes are the top-level attributes that a condition speaks of.
func attributes(c condition) []path {
	var out []path
	every(c, func(c condition) {
		for _, o := range c.operands() {
			if s, ok := o.(sizeOf); ok {
				o = s.of
			}
			if p, ok := o.(path); ok {
				out = append(out, p)
			}
		}
	})
	return out
}
