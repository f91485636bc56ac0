package table

import (
	"cmp"
	"maps"
	"slices"
)

// source is what SET takes a value from: the item as it was before the update.
type source interface {
	from(i Item) (Value, error)
}

func (c constant) from(Item) (Value, error) { return c.v, nil }

func (p path) from(i Item) (Value, error) {
	v, ok := p.value(i)
	if !ok {
		return v, invalid("The provided expression refers to an attribute that does not exist in the item")
	}
	return v, nil
}

func wrongType() *Problem {
	return invalid("An operand in the update expression has an incorrect data type")
}

// sum is + or -.
type sum struct {
	minus       bool
	left, right source
}

func (s sum) from(i Item) (Value, error) {
	left, err := s.left.from(i)
	if err != nil {
		return left, err
	}
	right, err := s.right.from(i)
	if err != nil {
		return right, err
	}
	if left.kind != isNumber || right.kind != isNumber {
		return Value{}, wrongType()
	}
	by := right.number()
	if s.minus {
		by = by.negated()
	}
	n, err := left.number().add(by)
	return numeric(n), err
}

// fallback is if_not_exists.
type fallback struct {
	path path
	or   source
}

func (f fallback) from(i Item) (Value, error) {
	if v, ok := f.path.value(i); ok {
		return v, nil
	}
	return f.or.from(i)
}

// joinedLists is list_append.
type joinedLists struct{ first, second source }

func (j joinedLists) from(i Item) (Value, error) {
	first, err := j.first.from(i)
	if err != nil {
		return first, err
	}
	second, err := j.second.from(i)
	if err != nil {
		return second, err
	}
	if first.kind != isList || second.kind != isList {
		return Value{}, wrongType()
	}
	return listValue(slices.Concat(first.list, second.list)), nil
}

// apply gives the item after the update.
func (u *update) apply(before Item) (Item, error) {
	after := maps.Clone(before)
	values := make([]Value, len(u.sets))
	for n, set := range u.sets {
		v, err := set.to.from(before)
		if err != nil {
			return nil, err
		}
		values[n] = v
	}
	for n, set := range u.sets {
		if err := after.put(set.path, values[n]); err != nil {
			return nil, err
		}
	}
	for _, one := range u.adds {
		if err := after.add(one); err != nil {
			return nil, err
		}
	}
	for _, one := range u.deletes {
		if err := after.without(one); err != nil {
			return nil, err
		}
	}
	return after, u.remove(after)
}

// remove cuts from the end of each list, so that the indexes of the
// expression are those that the list had.
func (u *update) remove(after Item) error {
	removes := slices.Clone(u.removes)
	slices.SortStableFunc(removes, func(a, b path) int {
		return -slices.CompareFunc(a, b, func(x, y part) int { return cmp.Or(cmp.Compare(x.index, y.index), cmp.Compare(x.name, y.name)) })
	})
	for _, p := range removes {
		if err := after.cut(p); err != nil {
			return err
		}
	}
	return nil
}

// put sets what a path leads to. Of the item itself, which must be the
// caller's own; values in it are copied where they change.
func (i Item) put(p path, what Value) error {
	if len(p) > 1 {
		child, ok := i[p[0].name]
		if !ok {
			return noPath()
		}
		var err error
		if what, err = child.put(p[1:], what); err != nil {
			return err
		}
	}
	i[p[0].name] = what
	return nil
}

func (i Item) cut(p path) error {
	if len(p) == 1 {
		delete(i, p[0].name)
		return nil
	}
	child, ok := i[p[0].name]
	if !ok {
		return noPath()
	}
	child, err := child.cut(p[1:])
	if err != nil {
		return err
	}
	i[p[0].name] = child
	return nil
}

// add adds a number to a number, or members to a set.
func (i Item) add(c change) error {
	have, ok := c.path.value(i)
	switch {
	case !ok:
		return i.put(c.path, c.by)
	case have.kind != c.by.kind:
		return wrongType()
	case have.kind == isNumber:
		n, err := have.number().add(c.by.number())
		if err != nil {
			return err
		}
		return i.put(c.path, numeric(n))
	default:
		return i.put(c.path, setOf(have.kind, slices.Concat(have.list, c.by.list)))
	}
}

// without takes members from a set; one that becomes empty is no more.
func (i Item) without(c change) error {
	have, ok := c.path.value(i)
	switch {
	case !ok:
		return i.cut(c.path)
	case have.kind != c.by.kind:
		return wrongType()
	}
	left := slices.DeleteFunc(slices.Clone(have.list), c.by.has)
	if len(left) == 0 {
		return i.cut(c.path)
	}
	return i.put(c.path, Value{kind: have.kind, list: left})
}
