package strict

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"
)

// MaxBytes is the size of the largest file that is read.
const MaxBytes = 1 << 20

// Root gives the root of the one YAML document in text. Where it cannot be read
// as one, or holds what makes a file mean something else than it shows at first
// sight, all of that is the error.
func (r *Reader) Root(text []byte) (*yaml.Node, error) {
	root, err := load(r.file, text)
	if err != nil {
		return nil, err
	}
	r.plain(root)
	if err := r.Err(); err != nil {
		return nil, err
	}
	return root, nil
}

// load gives the root of the one YAML document in text.
func load(file string, text []byte) (*yaml.Node, error) {
	whole := func(problem, remedy string) error {
		return &Mistake{File: file, Line: 1, Column: 1, Problem: problem, Remedy: remedy}
	}
	if len(text) > MaxBytes {
		return nil, whole(fmt.Sprintf("%d bytes", len(text)), fmt.Sprintf("write at most %d", MaxBytes))
	}
	if !utf8.Valid(text) {
		return nil, whole("bytes that are no UTF-8", "save the file as UTF-8")
	}
	var doc, second yaml.Node
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	err := decoder.Decode(&doc)
	if errors.Is(err, io.EOF) || err == nil && len(doc.Content) == 0 {
		return nil, whole("an empty file", "write at least version: 1")
	}
	if err != nil {
		return nil, syntax(file, err)
	}
	if err := decoder.Decode(&second); err == nil {
		return nil, &Mistake{
			File: file, Line: max(second.Line, 1), Column: max(second.Column, 1),
			Problem: "a second YAML document", Remedy: "keep one document in a file",
		}
	} else if !errors.Is(err, io.EOF) {
		return nil, syntax(file, err)
	}
	return doc.Content[0], nil
}

// syntax puts what the YAML reader says into the form of a Mistake.
func syntax(file string, err error) error {
	m := &Mistake{File: file, Line: 1, Column: 1, Problem: err.Error(), Remedy: "mend the YAML"}
	var at *yaml.LoadError
	if errors.As(err, &at) {
		m.Problem = at.Message
		m.Line, m.Column = max(at.Mark.Line, 1), max(at.Mark.Column, 1)
	}
	return m
}

// plain notes whatever makes a file mean something else than it shows at first
// sight, anywhere in it: anchors, aliases and tags.
func (r *Reader) plain(n *yaml.Node) {
	if n.Anchor != "" || n.Kind == yaml.AliasNode {
		r.Fail(n, "", "an anchor or alias", "write the value out in every place")
		return
	}
	if n.Style&yaml.TaggedStyle != 0 {
		r.Fail(n, "", fmt.Sprintf("the tag %s", n.Tag), "leave tags out")
		return
	}
	for _, c := range n.Content {
		r.plain(c)
	}
}
