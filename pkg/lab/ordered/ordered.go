// Package ordered reads JSON into a tree that keeps the order of members, and
// prints it compactly.
//
// It takes bytes, gives a tree or an error, and never guesses: duplicate
// member names, invalid UTF-8 and text after the value are errors. The lab
// uses it because IAM gives a trust policy back in the order it was sent,
// with some of its strings replaced.
package ordered

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/go-json-experiment/json/jsontext"
)

// Kind says what sort of JSON value a Node is.
type Kind int

// The kinds of JSON value.
const (
	Null Kind = iota
	Literal
	String
	Array
	Object
)

// String gives the kind's JSON name.
func (k Kind) String() string {
	switch k {
	case Null:
		return "null"
	case Literal:
		return "literal"
	case String:
		return "string"
	case Array:
		return "array"
	case Object:
		return "object"
	default:
		return fmt.Sprintf("Kind(%d)", int(k))
	}
}

// Node is one JSON value. Text holds a string's value, or the spelling of a
// number or a boolean.
type Node struct {
	Kind    Kind
	Text    string
	Items   []*Node
	Members []Member
}

// Member is one name and value of an object.
type Member struct {
	Name  string
	Value *Node
}

// maxDepth bounds nesting so that hostile input cannot exhaust the stack.
const maxDepth = 32

// Parse reads exactly one JSON value.
func Parse(text []byte) (*Node, error) {
	dec := jsontext.NewDecoder(bytes.NewReader(text))
	node, err := read(dec, 0)
	if err != nil {
		return nil, err
	}
	if _, err := dec.ReadToken(); !errors.Is(err, io.EOF) {
		return nil, errors.New("text after the end of the JSON value")
	}
	return node, nil
}

func read(dec *jsontext.Decoder, depth int) (*Node, error) {
	if depth > maxDepth {
		return nil, fmt.Errorf("JSON nested deeper than %d levels", maxDepth)
	}
	tok, err := dec.ReadToken()
	if err != nil {
		return nil, fmt.Errorf("reading JSON: %w", err)
	}
	switch tok.Kind() {
	case '{':
		return readObject(dec, depth)
	case '[':
		return readArray(dec, depth)
	case '"':
		return &Node{Kind: String, Text: tok.String()}, nil
	case 'n':
		return &Node{Kind: Null}, nil
	default:
		return &Node{Kind: Literal, Text: tok.String()}, nil
	}
}

func readObject(dec *jsontext.Decoder, depth int) (*Node, error) {
	node := &Node{Kind: Object}
	for dec.PeekKind() != '}' {
		name, err := dec.ReadToken()
		if err != nil {
			return nil, fmt.Errorf("reading JSON member: %w", err)
		}
		// The token's text is only valid until the next read.
		key := name.String()
		value, err := read(dec, depth+1)
		if err != nil {
			return nil, err
		}
		node.Members = append(node.Members, Member{Name: key, Value: value})
	}
	_, err := dec.ReadToken()
	return node, err
}

func readArray(dec *jsontext.Decoder, depth int) (*Node, error) {
	node := &Node{Kind: Array}
	for dec.PeekKind() != ']' {
		value, err := read(dec, depth+1)
		if err != nil {
			return nil, err
		}
		node.Items = append(node.Items, value)
	}
	_, err := dec.ReadToken()
	return node, err
}

// Get finds an object's member by its exact name.
func (n *Node) Get(name string) (*Node, bool) {
	for _, m := range n.Members {
		if m.Name == name {
			return m.Value, true
		}
	}
	return nil, false
}

// Each gives an array's items, or the node itself when it is no array: AWS
// allows one value wherever it allows a list.
func (n *Node) Each() []*Node {
	if n.Kind == Array {
		return n.Items
	}
	return []*Node{n}
}

// Bytes prints the tree without white space, members in their order.
func (n *Node) Bytes() []byte {
	var out bytes.Buffer
	n.write(&out)
	return out.Bytes()
}

func (n *Node) write(out *bytes.Buffer) {
	switch n.Kind {
	case Null:
		out.WriteString("null")
	case Literal:
		out.WriteString(n.Text)
	case String:
		out.Write(quote(n.Text))
	case Array:
		out.WriteByte('[')
		for i, item := range n.Items {
			if i > 0 {
				out.WriteByte(',')
			}
			item.write(out)
		}
		out.WriteByte(']')
	case Object:
		out.WriteByte('{')
		for i, m := range n.Members {
			if i > 0 {
				out.WriteByte(',')
			}
			out.Write(quote(m.Name))
			out.WriteByte(':')
			m.Value.write(out)
		}
		out.WriteByte('}')
	}
}

// quote cannot fail: Parse has refused every string that is not valid UTF-8.
func quote(s string) []byte {
	text, err := jsontext.AppendQuote(nil, s)
	if err != nil {
		return []byte(`""`)
	}
	return text
}
