package table

import (
	"maps"
	"slices"
	"strconv"
	"strings"
)

// part is one step of a path: a member's name or, when index is not negative,
// a list's index.
type part struct {
	name  string
	index int
}

func named(name string) part { return part{name: name, index: -1} }

func (p part) String() string {
	if p.index >= 0 {
		return "[" + strconv.Itoa(p.index) + "]"
	}
	return p.name
}

// path leads to a value within an item.
type path []part

// String is the path as errors show it.
func (p path) String() string {
	parts := make([]string, len(p))
	for i, one := range p {
		parts[i] = one.String()
	}
	return "[" + strings.Join(parts, ", ") + "]"
}

// value finds what the path leads to.
func (p path) value(i Item) (Value, bool) {
	v, ok := i[p[0].name]
	for _, step := range p[1:] {
		if !ok {
			return Value{}, false
		}
		v, ok = v.child(step)
	}
	return v, ok
}

func (v Value) child(step part) (Value, bool) {
	switch {
	case step.index < 0 && v.kind == isMap:
		child, ok := v.tree[step.name]
		return child, ok
	case step.index >= 0 && v.kind == isList && step.index < len(v.list):
		return v.list[step.index], true
	default:
		return Value{}, false
	}
}

func noPath() *Problem {
	return invalid("The document path provided in the update expression is invalid for update")
}

// put gives the value with what the path leads to replaced. A list is made
// longer by one when the index lies behind its end.
func (v Value) put(p path, what Value) (Value, error) {
	if len(p) == 0 {
		return what, nil
	}
	step := p[0]
	switch {
	case step.index < 0 && v.kind == isMap:
		child, ok := v.tree[step.name]
		if !ok && len(p) > 1 {
			return v, noPath()
		}
		child, err := child.put(p[1:], what)
		if err != nil {
			return v, err
		}
		tree := maps.Clone(v.tree)
		tree[step.name] = child
		return mapValue(tree), nil
	case step.index >= 0 && v.kind == isList:
		child, ok := v.child(step)
		if !ok && len(p) > 1 {
			return v, noPath()
		}
		child, err := child.put(p[1:], what)
		if err != nil {
			return v, err
		}
		members := slices.Clone(v.list)
		if !ok {
			return listValue(append(members, child)), nil
		}
		members[step.index] = child
		return listValue(members), nil
	default:
		return v, noPath()
	}
}

// cut gives the value without what the path leads to. What is not there is
// cut already, where the way to it is there.
func (v Value) cut(p path) (Value, error) {
	step := p[0]
	child, ok := v.child(step)
	switch {
	case step.index < 0 && v.kind != isMap, step.index >= 0 && v.kind != isList, !ok && len(p) > 1:
		return v, noPath()
	case !ok:
		return v, nil
	case len(p) > 1:
		child, err := child.cut(p[1:])
		if err != nil {
			return v, err
		}
		return v.put(path{step}, child)
	case v.kind == isMap:
		tree := maps.Clone(v.tree)
		delete(tree, step.name)
		return mapValue(tree), nil
	default:
		return listValue(slices.Delete(slices.Clone(v.list), step.index, step.index+1)), nil
	}
}

// project gives an item with only what the paths lead to. Of a list only the
// members that are asked for are left, without gaps.
func (i Item) project(paths []path) Item {
	out := Item{}
	for name, v := range i {
		var rest []path
		for _, p := range paths {
			if p[0].name == name {
				rest = append(rest, p[1:])
			}
		}
		if kept, ok := v.project(rest); ok {
			out[name] = kept
		}
	}
	return out
}

func (v Value) project(paths []path) (Value, bool) {
	below := map[part][]path{}
	for _, p := range paths {
		if len(p) == 0 {
			return v, true
		}
		below[p[0]] = append(below[p[0]], p[1:])
	}
	switch v.kind {
	case isMap:
		out := Item{}
		for name, member := range v.tree {
			if kept, ok := member.project(below[named(name)]); ok {
				out[name] = kept
			}
		}
		return mapValue(out), len(out) > 0
	case isList:
		var out []Value
		for i, member := range v.list {
			if kept, ok := member.project(below[part{index: i}]); ok {
				out = append(out, kept)
			}
		}
		return listValue(out), len(out) > 0
	default:
		return Value{}, false
	}
}

// apart refuses two paths of which one leads through the other, or that take
// one value for a list and for a map.
func apart(paths []path) error {
	for i, one := range paths {
		for _, other := range paths[:i] {
			n := 0
			for n < len(one) && n < len(other) && one[n] == other[n] {
				n++
			}
			switch {
			case n == len(one) || n == len(other):
				return bad("Two document paths overlap with each other; must remove or rewrite one of these paths; path one: %s, path two: %s", other, one)
			case (one[n].index < 0) != (other[n].index < 0):
				return bad("Two document paths conflict with each other; must remove or rewrite one of these paths; path one: %s, path two: %s", other, one)
			}
		}
	}
	return nil
}
