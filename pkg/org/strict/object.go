package strict

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v4"
)

// Object is a mapping whose fields are being read.
type Object struct {
	r      *Reader
	node   *yaml.Node
	path   string
	fields map[string]*yaml.Node
}

// Field gives what stands in a field; nil when it is left out.
func (o Object) Field(name string) *yaml.Node { return o.fields[name] }

// Pair is one entry of a mapping.
type Pair struct{ Key, Value *yaml.Node }

// Pairs gives the entries of a mapping, and notes keys that come twice.
func (r *Reader) Pairs(n *yaml.Node, path string) []Pair {
	if n.Kind != yaml.MappingNode {
		r.Fail(n, path, wanted(n, "a mapping"), "write fields, or leave it out")
		return nil
	}
	var out []Pair
	seen := map[string]int{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key := n.Content[i]
		if key.Kind != yaml.ScalarNode {
			r.Fail(key, path, "a field name that is no plain text", "write a name")
			continue
		}
		if line, twice := seen[key.Value]; twice {
			r.Fail(key, Join(path, key.Value), fmt.Sprintf("a second time; first in line %d", line), "keep one of the two")
			continue
		}
		seen[key.Value] = key.Line
		out = append(out, Pair{key, n.Content[i+1]})
	}
	return out
}

// Object reads a mapping that may have the known fields only.
func (r *Reader) Object(n *yaml.Node, path string, known ...string) Object {
	o := Object{r: r, node: n, path: path, fields: map[string]*yaml.Node{}}
	for _, p := range r.Pairs(n, path) {
		if !slices.Contains(known, p.Key.Value) {
			r.Fail(p.Key, Join(path, p.Key.Value), "an unknown field", r.instead(p.Key.Value, known))
			continue
		}
		o.fields[p.Key.Value] = p.Value
	}
	return o
}

// Require notes the fields that are missing.
func (o Object) Require(names ...string) {
	if o.node.Kind != yaml.MappingNode {
		return
	}
	for _, name := range names {
		if o.fields[name] == nil {
			o.r.Fail(o.node, Join(o.path, name), "missing", "write it")
		}
	}
}

// At gives the path of a field.
func (o Object) At(name string) string { return Join(o.path, name) }

// Text reads a field that holds text of a form; ok is false when there is none
// or it is wrong.
func (o Object) Text(name string, f Form) (s string, ok bool) {
	n := o.fields[name]
	if n == nil {
		return "", false
	}
	return o.r.Text(n, o.At(name), f)
}

// Texts reads a field that holds a list of texts of a form, none of them twice.
func (o Object) Texts(name string, f Form) []string {
	var out []string
	for i, n := range o.Items(name) {
		path := Item(o.At(name), i)
		s, ok := o.r.Text(n, path, f)
		if ok && slices.Contains(out, s) {
			o.r.Fail(n, path, Quote(s)+" a second time", "keep one of the two")
			continue
		}
		if ok {
			out = append(out, s)
		}
	}
	return out
}

// Items reads a field that holds a list.
func (o Object) Items(name string) []*yaml.Node {
	n := o.fields[name]
	if n == nil {
		return nil
	}
	if n.Kind != yaml.SequenceNode {
		o.r.Fail(n, o.At(name), wanted(n, "a list"), "write a list, or leave it out")
		return nil
	}
	return n.Content
}

// Truth reads a field that holds true or false.
func (o Object) Truth(name string) bool {
	n := o.fields[name]
	if n == nil {
		return false
	}
	if n.Kind != yaml.ScalarNode || n.ShortTag() != "!!bool" {
		o.r.Fail(n, o.At(name), wanted(n, "true or false"), "write true or false without quotes")
		return false
	}
	return strings.EqualFold(n.Value, "true")
}

// Number reads a field that holds a whole number from low to high.
func (o Object) Number(name string, low, high, otherwise int) int {
	n := o.fields[name]
	if n == nil {
		return otherwise
	}
	v, err := strconv.Atoi(n.Value)
	if n.Kind != yaml.ScalarNode || n.ShortTag() != "!!int" || err != nil {
		o.r.Fail(n, o.At(name), wanted(n, "a whole number"), "write digits without quotes")
		return otherwise
	}
	if strconv.Itoa(v) != n.Value {
		// 0400 is 256 to some readers of YAML and 400 to others.
		o.r.Fail(n, o.At(name), n.Value+" can be read in two ways", "write "+strconv.Itoa(v)+", without leading zeros or a sign")
		return otherwise
	}
	if v < low || v > high {
		remedy := fmt.Sprintf("write a number from %d to %d", low, high)
		if low == high {
			remedy = fmt.Sprintf("write %d", low)
		}
		o.r.Fail(n, o.At(name), fmt.Sprintf("%d is out of range", v), remedy)
		return otherwise
	}
	return v
}

// Text reads a node that holds text of a form.
func (r *Reader) Text(n *yaml.Node, path string, f Form) (s string, ok bool) {
	// YAML 1.1 takes a date for a timestamp and 1.2 for text; both are meant.
	if tag := n.ShortTag(); n.Kind != yaml.ScalarNode || tag != "!!str" && tag != "!!timestamp" {
		remedy := f.Remedy
		if n.Kind == yaml.ScalarNode && n.Value != "" && f.OK(n.Value) {
			remedy = "put it in quotes"
		}
		r.Fail(n, path, wanted(n, "text"), remedy)
		return "", false
	}
	for rest := &f; rest != nil; rest = rest.Then {
		if !rest.OK(n.Value) {
			r.Fail(n, path, fmt.Sprintf("%s is no %s", Quote(n.Value), rest.Name), rest.Remedy)
			return "", false
		}
	}
	return n.Value, true
}

// wanted says what stands where something else should.
func wanted(n *yaml.Node, want string) string {
	got := "a list"
	switch {
	case n.Kind == yaml.MappingNode:
		got = "a mapping"
	case n.Kind == yaml.ScalarNode && n.ShortTag() == "!!null":
		got = "nothing"
	case n.Kind == yaml.ScalarNode && n.ShortTag() == "!!str":
		got = "the text " + Quote(n.Value)
	case n.Kind == yaml.ScalarNode:
		got = n.Value
	}
	return fmt.Sprintf("%s stands where %s should", got, want)
}

// Join gives the path of a field of what stands at a path.
func Join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

// Item gives the path of an item of the list at a path.
func Item(path string, i int) string { return fmt.Sprintf("%s[%d]", path, i) }
