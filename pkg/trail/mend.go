package trail

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// lenient is how events are read: half a character in a user agent that was cut,
// or a name that is there twice in a part that nobody reads, must not make the
// event one that nobody can tell from others. What is no UTF-8 becomes U+FFFD,
// which no account, id, name or ARN may hold.
func lenient() jsontext.Options {
	return json.JoinOptions(jsontext.AllowInvalidUTF8(true), jsontext.AllowDuplicateNames(true))
}

// whichever says which of two fields with one name is believed.
type whichever uint8

const (
	theFirst whichever = iota
	theLast
)

// readDepth is how deep what is read lies in an envelope:
// detail.userIdentity.sessionContext.sessionIssuer.arn.
const readDepth = 6

// mended is a JSON text in which, as deep as it is read, every name is there once.
type mended struct {
	keep whichever
	// differ lists the fields that were there twice and said different things.
	differ []string
}

// value mends one value.
func (m *mended) value(v jsontext.Value, place string, depth int) (jsontext.Value, error) {
	if depth == 0 || v.Kind() != '{' && v.Kind() != '[' {
		return v, nil
	}
	d := jsontext.NewDecoder(bytes.NewReader(v), lenient())
	if _, err := d.ReadToken(); err != nil {
		return nil, err
	}
	if v.Kind() == '[' {
		return m.list(d, place, depth)
	}
	var names []string
	values := map[string]jsontext.Value{}
	for d.PeekKind() != '}' {
		token, err := d.ReadToken()
		if err != nil {
			return nil, err
		}
		name := token.String()
		one, err := d.ReadValue()
		if err != nil {
			return nil, err
		}
		other, twice := values[name]
		if !twice {
			names = append(names, name)
		} else if !bytes.Equal(one, other) {
			m.differ = append(m.differ, strings.TrimPrefix(place+"."+name, "."))
		}
		if !twice || m.keep == theLast {
			values[name] = one.Clone()
		}
	}
	return m.object(names, values, place, depth)
}

// object prints an object of which every name is there once.
func (m *mended) object(names []string, values map[string]jsontext.Value, place string, depth int) (jsontext.Value, error) {
	out := jsontext.Value{'{'}
	for i, name := range names {
		if i > 0 {
			out = append(out, ',')
		}
		quoted, err := jsontext.AppendQuote(out, name)
		if err != nil {
			return nil, err
		}
		one, err := m.value(values[name], strings.TrimPrefix(place+"."+name, "."), depth-1)
		if err != nil {
			return nil, err
		}
		out = append(append(quoted, ':'), one...)
	}
	return append(out, '}'), nil
}

// list mends the values of a list.
func (m *mended) list(d *jsontext.Decoder, place string, depth int) (jsontext.Value, error) {
	out := jsontext.Value{'['}
	for d.PeekKind() != ']' {
		one, err := d.ReadValue()
		if err != nil {
			return nil, err
		}
		if one, err = m.value(one.Clone(), place, depth-1); err != nil {
			return nil, err
		}
		if len(out) > 1 {
			out = append(out, ',')
		}
		out = append(out, one...)
	}
	return append(out, ']'), nil
}

// parseTwice reads an envelope in which names are there twice, once believing
// the first and once the last. What both readings agree on is so.
func parseTwice(text []byte) (Change, error) {
	var readings []reading
	var differ []string
	for _, keep := range []whichever{theFirst, theLast} {
		m := mended{keep: keep}
		v, err := m.value(text, "", readDepth)
		if err != nil {
			return Change{}, unreadable(envelope{}, "the envelope", err)
		}
		readings = append(readings, parse(v))
		differ = append(differ, m.differ...)
	}
	first, last := readings[0], readings[1]
	if first.same(last) {
		return last.change, last.err
	}
	slices.Sort(differ)
	problem := "there twice with different values: " + strings.Join(slices.Compact(differ), ", ")
	return Change{}, last.named(malformed("the envelope", forged, "%s", fmt.Sprintf("%.400s", problem)))
}
