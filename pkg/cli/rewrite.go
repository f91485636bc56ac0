package cli

import (
	"bytes"
	"errors"
	"fmt"
	"slices"

	"github.com/tailscale/hujson"

	"github.com/rolewarden/rolewarden/pkg/policy"
)

// rewritten gives the text of a policy changed so that it says what another
// document says. What the two have in common keeps its bytes: order, blank space,
// the spelling of lists of one. What comes in takes on the look of its
// neighbours.
func rewritten(text []byte, want policy.Document) ([]byte, error) {
	have, err := hujson.Parse(text)
	if err != nil {
		return nil, fmt.Errorf("taking the policy apart: %w", err)
	}
	target, err := hujson.Parse(want.Print())
	if err != nil {
		return nil, fmt.Errorf("taking the proposal apart: %w", err)
	}
	r := rewriter{layout: layoutOf(have, text)}
	r.merge(&have, target, place{lines: r.layout.lines})
	out := have.Pack()
	// The parser that judged the file has the last word on what was made of it.
	got, err := policy.Parse(out)
	if err != nil {
		return nil, fmt.Errorf("reading the policy that was rewritten: %w", err)
	}
	if !got.Equal(want, "") {
		return nil, errors.New("rewriting the policy: the result is not what was proposed")
	}
	return out, nil
}

// rewriter changes one text.
type rewriter struct{ layout layout }

// place is where in the text a value stands.
type place struct {
	// indent is the blank space before the first word of its line.
	indent string
	// lines says that what is around it stands on lines of its own.
	lines bool
	// anyOrder says that the order of its members means nothing to a reader.
	anyOrder bool
}

// merge makes a value say what another one says.
func (r rewriter) merge(have *hujson.Value, want hujson.Value, at place) {
	if same(*have, want) {
		return
	}
	object, isObject := have.Value.(*hujson.Object)
	target, wantsObject := want.Value.(*hujson.Object)
	array, isArray := have.Value.(*hujson.Array)
	list, wantsArray := want.Value.(*hujson.Array)
	_, isLiteral := have.Value.(hujson.Literal)
	switch {
	case isObject && wantsObject:
		r.members(object, target, at)
	case isArray && wantsArray:
		r.elements(array, list.Elements, at)
	case isArray:
		r.elements(array, []hujson.Value{want}, at)
	case wantsArray && len(list.Elements) == 1:
		r.merge(have, list.Elements[0], at)
	case wantsArray && (isObject || isLiteral):
		wrapped := &hujson.Array{Elements: []hujson.Value{{Value: have.Value}}}
		have.Value = wrapped
		at.lines = false
		r.elements(wrapped, list.Elements, at)
	default:
		have.Value = r.layout.dressed(want, at).Value
	}
}

// members makes an object have the members of another.
func (r rewriter) members(have, want *hujson.Object, at place) {
	rename(have, want)
	var before []hujson.Extra
	for _, m := range have.Members {
		before = append(before, m.Name.BeforeExtra)
	}
	first, rest := r.layout.spacing(before, at)
	var neighbours []hujson.Value
	var out []hujson.ObjectMember
	for _, m := range have.Members {
		neighbours = append(neighbours, m.Value)
		if w, kept := find(*want, m.Name); kept {
			r.merge(&m.Value, w, at.inside(m.Name.BeforeExtra, m.Name.Value.(hujson.Literal).String()))
			out = append(out, m)
		}
	}
	after := 0
	for _, w := range want.Members {
		if i := slices.IndexFunc(out, func(m hujson.ObjectMember) bool { return sameName(m.Name, w.Name) }); i >= 0 {
			after = i + 1
			continue
		}
		if at.anyOrder {
			// In front of what is there no line of it changes, not even by a comma.
			after = 0
		}
		m := hujson.ObjectMember{Name: hujson.Value{Value: w.Name.Value}}
		m.Value = r.layout.dressed(w.Value, at.inside(rest, "").among(neighbours))
		m.Value.BeforeExtra = r.layout.colon
		out = slices.Insert(out, after, m)
		after++
	}
	if len(have.Members) == 0 && at.lines && len(out) > 0 {
		have.AfterExtra = r.layout.line(at.indent)
	}
	for i := range out {
		space(&out[i].Name.BeforeExtra, &out[i].Value.AfterExtra, i, len(out), first, rest)
	}
	have.Members = out
}

// rename gives members whose value stays the name that the value has there.
func rename(have, want *hujson.Object) {
	for i := range have.Members {
		if _, kept := find(*want, have.Members[i].Name); kept {
			continue
		}
		for _, w := range want.Members {
			if _, had := find(*have, w.Name); !had && same(have.Members[i].Value, w.Value) {
				have.Members[i].Name.Value = w.Name.Value
				break
			}
		}
	}
}

// elements makes an array have some elements. Equal ones stay, and between
// those the others are changed into each other, in their order.
func (r rewriter) elements(have *hujson.Array, want []hujson.Value, at place) {
	old := have.Elements
	var before []hujson.Extra
	for _, e := range old {
		before = append(before, e.BeforeExtra)
	}
	first, rest := r.layout.spacing(before, at)
	var out []hujson.Value
	i, j := 0, 0
	for _, pair := range append(common(old, want), [2]int{len(old), len(want)}) {
		for ; i < pair[0] && j < pair[1]; i, j = i+1, j+1 {
			e := old[i]
			r.merge(&e, want[j], at.inside(e.BeforeExtra, ""))
			out = append(out, e)
		}
		for ; j < pair[1]; j++ {
			out = append(out, r.layout.dressed(want[j], at.inside(rest, "").among(old)))
		}
		if pair[0] < len(old) {
			out = append(out, old[pair[0]])
		}
		i, j = pair[0]+1, pair[1]+1
	}
	for k := range out {
		space(&out[k].BeforeExtra, &out[k].AfterExtra, k, len(out), first, rest)
	}
	have.Elements = out
}

// space gives the k-th of n members or elements the blank space of its place.
// One that has some already, and was not the first, keeps it.
func space(before, after *hujson.Extra, k, n int, first, rest hujson.Extra) {
	switch {
	case k == 0:
		*before = first
	case len(*before) == 0 || bytes.Equal(*before, first):
		*before = rest
	}
	if k == n-1 {
		// Anything else would be a comma after the last one.
		*after = nil
	}
}

// common gives the longest row of elements that two lists share, as pairs of indexes.
func common(a, b []hujson.Value) [][2]int {
	lengths := make([][]int, len(a)+1)
	for i := range lengths {
		lengths[i] = make([]int, len(b)+1)
	}
	for i := len(a) - 1; i >= 0; i-- {
		for j := len(b) - 1; j >= 0; j-- {
			if lengths[i][j] = max(lengths[i+1][j], lengths[i][j+1]); same(a[i], b[j]) {
				lengths[i][j] = max(lengths[i][j], lengths[i+1][j+1]+1)
			}
		}
	}
	var out [][2]int
	for i, j := 0, 0; i < len(a) && j < len(b); {
		switch {
		case same(a[i], b[j]) && lengths[i][j] == lengths[i+1][j+1]+1:
			out = append(out, [2]int{i, j})
			i, j = i+1, j+1
		case lengths[i+1][j] >= lengths[i][j+1]:
			i++
		default:
			j++
		}
	}
	return out
}

// same says whether two values say the same in a policy: the order of members
// does not count, and one text is a list of one.
func same(a, b hujson.Value) bool {
	la, aIsArray := a.Value.(*hujson.Array)
	lb, bIsArray := b.Value.(*hujson.Array)
	if aIsArray || bIsArray {
		ea, eb := []hujson.Value{a}, []hujson.Value{b}
		if aIsArray {
			ea = la.Elements
		}
		if bIsArray {
			eb = lb.Elements
		}
		return slices.EqualFunc(ea, eb, same)
	}
	oa, aIsObject := a.Value.(*hujson.Object)
	ob, bIsObject := b.Value.(*hujson.Object)
	if aIsObject != bIsObject {
		return false
	}
	if !aIsObject {
		return a.Value.(hujson.Literal).String() == b.Value.(hujson.Literal).String()
	}
	return len(oa.Members) == len(ob.Members) && !slices.ContainsFunc(oa.Members, func(m hujson.ObjectMember) bool {
		v, has := find(*ob, m.Name)
		return !has || !same(m.Value, v)
	})
}

// find gives the value of a member.
func find(o hujson.Object, name hujson.Value) (hujson.Value, bool) {
	for _, m := range o.Members {
		if sameName(m.Name, name) {
			return m.Value, true
		}
	}
	return hujson.Value{}, false
}

func sameName(a, b hujson.Value) bool {
	return a.Value.(hujson.Literal).String() == b.Value.(hujson.Literal).String()
}
