// Package strict reads the YAML files by which people tell rolewarden what to
// do: the rules file and the deployment file.
//
// It takes bytes and gives the nodes of one plain YAML document, and what its
// fields hold, or a Mistake for whatever is not as it ought to be: an unknown
// field, one that comes twice, a value of the wrong type or form, an anchor or
// a tag. Every mistake has a place, the value and a remedy, and all of them are
// told at once. It knows no field of either file, and gives no default.
package strict

import (
	"cmp"
	"errors"
	"fmt"
	"slices"

	"go.yaml.in/yaml/v4"
)

// Mistake is one thing wrong with a file.
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

// Reader reads one file and collects its mistakes.
type Reader struct {
	// Elsewhere says of fields that people write in the wrong place what to
	// write instead, by name.
	Elsewhere map[string]string

	file     string
	mistakes []*Mistake
}

// New gives a reader of the file of a name, which is only used to tell where a
// mistake is.
func New(file string) *Reader { return &Reader{file: file} }

// Fail notes a mistake at a node.
func (r *Reader) Fail(n *yaml.Node, field, problem, remedy string) {
	r.mistakes = append(r.mistakes, &Mistake{
		File: r.file, Line: n.Line, Column: n.Column, Field: field, Problem: problem, Remedy: remedy,
	})
}

// Err joins the mistakes, in the order of the file; nil when there is none.
func (r *Reader) Err() error {
	slices.SortStableFunc(r.mistakes, func(a, b *Mistake) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
	errs := make([]error, len(r.mistakes))
	for i, m := range r.mistakes {
		errs[i] = m
	}
	return errors.Join(errs...)
}
