package cli

import (
	"bytes"
	"slices"

	"github.com/tailscale/hujson"
)

// layout is how a JSON text is written.
type layout struct {
	// eol ends a line, unit indents one by one step.
	eol, unit string
	// colon follows a colon, comma a comma within a line.
	colon, comma hujson.Extra
	// lines says that the text has a line for each member, listLines one for each text of a list.
	lines, listLines bool
}

// layoutOf tells how a text is written, by its first member and its first list.
func layoutOf(v hujson.Value, text []byte) layout {
	l := layout{eol: "\n", unit: "  "}
	if bytes.Contains(text, []byte("\r\n")) {
		l.eol = "\r\n"
	}
	root, ok := v.Value.(*hujson.Object)
	if !ok || len(root.Members) == 0 {
		return l
	}
	l.colon = root.Members[0].Value.BeforeExtra
	if bytes.Contains(l.colon, []byte("\n")) {
		l.colon = hujson.Extra(" ")
	}
	l.comma = l.colon
	if indent, lines := lastLine(root.Members[0].Name.BeforeExtra); lines {
		l.lines, l.listLines = true, true
		if indent != "" {
			l.unit = indent
		}
	}
	for e := range v.All() {
		list, ok := e.Value.(*hujson.Array)
		if !ok || len(list.Elements) == 0 {
			continue
		}
		if _, text := list.Elements[0].Value.(hujson.Literal); text {
			_, l.listLines = lastLine(list.Elements[0].BeforeExtra)
			break
		}
	}
	return l
}

// lastLine gives the blank space after the last line break; lines says that there is one.
func lastLine(e hujson.Extra) (indent string, lines bool) {
	i := bytes.LastIndexByte(e, '\n')
	return string(e[i+1:]), i >= 0
}

// spread says whether a value is written over several lines.
func spread(v hujson.Value) bool {
	object, ok := v.Value.(*hujson.Object)
	if !ok || len(object.Members) == 0 {
		return false
	}
	_, lines := lastLine(object.Members[0].Name.BeforeExtra)
	return lines
}

// among gives the place of something new among neighbours: it is spread over
// lines as those objects are that stand there already.
func (p place) among(neighbours []hujson.Value) place {
	objects := slices.DeleteFunc(slices.Clone(neighbours), func(v hujson.Value) bool {
		_, ok := v.Value.(*hujson.Object)
		return !ok
	})
	if len(objects) > 0 {
		p.lines = slices.ContainsFunc(objects, spread)
	}
	return p
}

// line is a line break and the blank space after it.
func (l layout) line(indent string) hujson.Extra { return hujson.Extra(l.eol + indent) }

// inside gives the place of what stands in a member of a name, or an element,
// before which there is some blank space.
func (p place) inside(before hujson.Extra, name string) place {
	indent, lines := lastLine(before)
	if !lines {
		indent = p.indent
	}
	return place{indent: indent, lines: lines, anyOrder: p.anyOrder || name == "Condition"}
}

// spacing gives the blank space before the first of some members or elements,
// and before the others, by what stands before those that there are.
func (l layout) spacing(before []hujson.Extra, at place) (first, rest hujson.Extra) {
	switch {
	case len(before) == 0:
		return l.before(0, at), l.before(1, at)
	case len(before) > 1:
		return before[0], before[1]
	}
	if _, lines := lastLine(before[0]); lines {
		return before[0], before[0]
	}
	return before[0], l.comma
}

// dressed gives a value in the layout of the text.
func (l layout) dressed(v hujson.Value, at place) hujson.Value {
	out := hujson.Value{}
	switch w := v.Value.(type) {
	case hujson.Literal:
		out.Value = w
	case *hujson.Object:
		o := &hujson.Object{}
		for i, m := range w.Members {
			inside := place{indent: at.indent + l.unit, lines: at.lines}
			m = hujson.ObjectMember{Name: hujson.Value{Value: m.Name.Value}, Value: l.dressed(m.Value, inside)}
			m.Name.BeforeExtra, m.Value.BeforeExtra = l.before(i, at), l.colon
			o.Members = append(o.Members, m)
		}
		if at.lines && len(o.Members) > 0 {
			o.AfterExtra = l.line(at.indent)
		}
		out.Value = o
	case *hujson.Array:
		a := &hujson.Array{}
		at.lines = at.lines && l.listLines
		for i, e := range w.Elements {
			e = l.dressed(e, place{indent: at.indent + l.unit, lines: at.lines})
			e.BeforeExtra = l.before(i, at)
			a.Elements = append(a.Elements, e)
		}
		if at.lines && len(a.Elements) > 0 {
			a.AfterExtra = l.line(at.indent)
		}
		out.Value = a
	}
	return out
}

// before gives the blank space before the i-th member of something new.
func (l layout) before(i int, at place) hujson.Extra {
	switch {
	case at.lines:
		return l.line(at.indent + l.unit)
	case i > 0:
		return l.comma
	default:
		return nil
	}
}
