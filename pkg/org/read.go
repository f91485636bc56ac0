package org

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v4"
)

// Mistake is one thing wrong with a rules file.
type Mistake struct {
	File    string
	Line    int
	Column  int
	Field   string
	Problem string
	Remedy  string
}

// Error gives "rules.yaml:12:5: exemptions[0].role: problem: remedy".
func (m *Mistake) Error() string {
	field := m.Field
	if field != "" {
		field += ": "
	}
	return fmt.Sprintf("%s:%d:%d: %s%s: %s", m.File, m.Line, m.Column, field, m.Problem, m.Remedy)
}

// reader reads one file and collects its mistakes, so that all of them are
// told at once.
type reader struct {
	file     string
	now      time.Time
	expired  expiry
	mistakes []*Mistake
}

// fail notes a mistake at a node.
func (r *reader) fail(n *yaml.Node, field, problem, remedy string) {
	r.mistakes = append(r.mistakes, &Mistake{
		File: r.file, Line: n.Line, Column: n.Column, Field: field, Problem: problem, Remedy: remedy,
	})
}

// err joins the mistakes, in the order of the file.
func (r *reader) err() error {
	slices.SortStableFunc(r.mistakes, func(a, b *Mistake) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
	errs := make([]error, len(r.mistakes))
	for i, m := range r.mistakes {
		errs[i] = m
	}
	return errors.Join(errs...)
}

// plain notes whatever makes a file mean something else than it shows at first
// sight, anywhere in it: anchors, aliases and tags.
func (r *reader) plain(n *yaml.Node) {
	if n.Anchor != "" || n.Kind == yaml.AliasNode {
		r.fail(n, "", "an anchor or alias", "write the value out in every place")
		return
	}
	if n.Style&yaml.TaggedStyle != 0 {
		r.fail(n, "", fmt.Sprintf("the tag %s", n.Tag), "leave tags out")
		return
	}
	for _, c := range n.Content {
		r.plain(c)
	}
}

// object is a mapping whose fields are being read.
type object struct {
	r      *reader
	node   *yaml.Node
	path   string
	fields map[string]*yaml.Node
}

// pair is one entry of a mapping.
type pair struct{ key, value *yaml.Node }

// pairs gives the entries of a mapping, and notes keys that come twice.
func (r *reader) pairs(n *yaml.Node, path string) []pair {
	if n.Kind != yaml.MappingNode {
		r.fail(n, path, wanted(n, "a mapping"), "write fields, or leave it out")
		return nil
	}
	var out []pair
	seen := map[string]int{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key := n.Content[i]
		if key.Kind != yaml.ScalarNode {
			r.fail(key, path, "a field name that is no plain text", "write a name")
			continue
		}
		if line, twice := seen[key.Value]; twice {
			r.fail(key, join(path, key.Value), fmt.Sprintf("a second time; first in line %d", line), "keep one of the two")
			continue
		}
		seen[key.Value] = key.Line
		out = append(out, pair{key, n.Content[i+1]})
	}
	return out
}

// object reads a mapping that may have the known fields only.
func (r *reader) object(n *yaml.Node, path string, known ...string) object {
	o := object{r: r, node: n, path: path, fields: map[string]*yaml.Node{}}
	for _, p := range r.pairs(n, path) {
		if !slices.Contains(known, p.key.Value) {
			r.fail(p.key, join(path, p.key.Value), "an unknown field", "write one of "+strings.Join(known, ", "))
			continue
		}
		o.fields[p.key.Value] = p.value
	}
	return o
}

// require notes the fields that are missing.
func (o object) require(names ...string) {
	if o.node.Kind != yaml.MappingNode {
		return
	}
	for _, name := range names {
		if o.fields[name] == nil {
			o.r.fail(o.node, join(o.path, name), "missing", "write it")
		}
	}
}

// at gives the path of a field.
func (o object) at(name string) string { return join(o.path, name) }

// text reads a field that holds text of a form; ok is false when there is none
// or it is wrong.
func (o object) text(name string, f form) (s string, ok bool) {
	n := o.fields[name]
	if n == nil {
		return "", false
	}
	return o.r.text(n, o.at(name), f)
}

// texts reads a field that holds a list of texts of a form, none of them twice.
func (o object) texts(name string, f form) []string {
	var out []string
	for i, n := range o.items(name) {
		path := item(o.at(name), i)
		s, ok := o.r.text(n, path, f)
		if ok && slices.Contains(out, s) {
			o.r.fail(n, path, fmt.Sprintf("%q a second time", s), "keep one of the two")
			continue
		}
		if ok {
			out = append(out, s)
		}
	}
	return out
}

// items reads a field that holds a list.
func (o object) items(name string) []*yaml.Node {
	n := o.fields[name]
	if n == nil {
		return nil
	}
	if n.Kind != yaml.SequenceNode {
		o.r.fail(n, o.at(name), wanted(n, "a list"), "write a list, or leave it out")
		return nil
	}
	return n.Content
}

// truth reads a field that holds true or false.
func (o object) truth(name string) bool {
	n := o.fields[name]
	if n == nil {
		return false
	}
	if n.Kind != yaml.ScalarNode || n.ShortTag() != "!!bool" {
		o.r.fail(n, o.at(name), wanted(n, "true or false"), "write true or false without quotes")
		return false
	}
	return strings.EqualFold(n.Value, "true")
}

// number reads a field that holds a whole number from low to high.
func (o object) number(name string, low, high, otherwise int) int {
	n := o.fields[name]
	if n == nil {
		return otherwise
	}
	v, err := strconv.Atoi(n.Value)
	if n.Kind != yaml.ScalarNode || n.ShortTag() != "!!int" || err != nil {
		o.r.fail(n, o.at(name), wanted(n, "a whole number"), "write digits without quotes")
		return otherwise
	}
	if v < low || v > high {
		remedy := fmt.Sprintf("write a number from %d to %d", low, high)
		if low == high {
			remedy = fmt.Sprintf("write %d", low)
		}
		o.r.fail(n, o.at(name), fmt.Sprintf("%d is out of range", v), remedy)
		return otherwise
	}
	return v
}

// text reads a node that holds text of a form.
func (r *reader) text(n *yaml.Node, path string, f form) (s string, ok bool) {
	// YAML 1.1 takes a date for a timestamp and 1.2 for text; both are meant.
	if tag := n.ShortTag(); n.Kind != yaml.ScalarNode || tag != "!!str" && tag != "!!timestamp" {
		remedy := f.remedy
		if n.Kind == yaml.ScalarNode && n.Value != "" && f.ok(n.Value) {
			remedy = "put it in quotes"
		}
		r.fail(n, path, wanted(n, "text"), remedy)
		return "", false
	}
	for rest := &f; rest != nil; rest = rest.then {
		if !rest.ok(n.Value) {
			r.fail(n, path, fmt.Sprintf("%q is no %s", n.Value, rest.name), rest.remedy)
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
		got = fmt.Sprintf("the text %q", n.Value)
	case n.Kind == yaml.ScalarNode:
		got = n.Value
	}
	return fmt.Sprintf("%s stands where %s should", got, want)
}

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

func item(path string, i int) string { return fmt.Sprintf("%s[%d]", path, i) }
