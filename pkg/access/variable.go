package access

import "strings"

// Piece is a part of a policy value that may hold policy variables.
type Piece struct {
	// Text is plain text of the policy, whose wildcards count.
	Text string
	// Char is a character written ${*}, ${?} or ${$}, which is only itself.
	Char string
	// Key is the name of the context key of a variable.
	Key string
	// Default is the text a variable takes when its key is absent; nil means
	// that it then has no value.
	Default *string
}

// HasVariable reports whether a value may hold a policy variable.
func HasVariable(value string) bool { return strings.Contains(value, "${") }

// Pieces takes a policy value apart (IAM User Guide,
// reference_policies_variables). It is false where "${" begins nothing that
// the guide describes; what AWS makes of that is not settled.
func Pieces(value string) ([]Piece, bool) {
	var out []Piece
	for value != "" {
		before, rest, found := strings.Cut(value, "${")
		if before != "" {
			out = append(out, Piece{Text: before})
		}
		if !found {
			break
		}
		piece, after, ok := variable(rest)
		if !ok {
			return nil, false
		}
		out = append(out, piece)
		value = after
	}
	return out, true
}

// variable reads what follows "${".
func variable(s string) (piece Piece, after string, ok bool) {
	end := strings.IndexAny(s, "},")
	if end <= 0 {
		return Piece{}, "", false
	}
	name := s[:end]
	switch {
	case s[end] == '}' && (name == "*" || name == "?" || name == "$"):
		return Piece{Char: name}, s[end+1:], true
	case strings.ContainsAny(name, " \t\r\n${'*?"):
		return Piece{}, "", false
	case s[end] == '}':
		return Piece{Key: name}, s[end+1:], true
	}
	// The guide separates a default by "a comma and space" and says nothing of
	// other spellings ("Specifying default values").
	quoted, found := strings.CutPrefix(s[end+1:], " '")
	if !found {
		return Piece{}, "", false
	}
	text, after, found := strings.Cut(quoted, "'")
	if !found || !strings.HasPrefix(after, "}") || strings.Contains(text, "${") {
		return Piece{}, "", false
	}
	return Piece{Key: name, Default: &text}, after[1:], true
}

// expansion is a policy value with its variables put in.
type expansion struct {
	state expansionState
	// literal takes the values of variables as plain text, wild lets their
	// wildcards count. The two differ only where a value holds a wildcard.
	literal, wild Pattern
	// differ says that the two readings are not the same pattern.
	differ bool
}

type expansionState uint8

const (
	// unclear is a value whose meaning is not settled.
	unclear expansionState = iota
	// noValue is a value with a variable whose key is absent: it matches nothing.
	noValue
	expanded
)

// expand puts the request's values in place of variables.
func expand(value string, r *Request) expansion {
	if !HasVariable(value) {
		return expansion{state: expanded, literal: Wild(value), wild: Wild(value)}
	}
	if text, ok := plainly(value, r); ok {
		return expansion{state: expanded, literal: Wild(text), wild: Wild(text)}
	}
	pieces, ok := Pieces(value)
	if !ok {
		return expansion{}
	}
	out := expansion{state: expanded}
	for _, piece := range pieces {
		literal, wild := Wild(piece.Text), Wild(piece.Text)
		switch {
		case piece.Char != "":
			literal, wild = Literal(piece.Char), Literal(piece.Char)
		case piece.Key != "":
			text, state := lookup(piece, r)
			if state == unclear {
				return expansion{}
			}
			if state == noValue {
				// Another variable may still be unclear; go on looking.
				out.state = noValue
			}
			literal, wild = Literal(text), Wild(text)
			out.differ = out.differ || strings.ContainsAny(text, "*?")
		}
		out.literal, out.wild = out.literal.Append(literal), out.wild.Append(wild)
	}
	return out
}

// plainly is expand for the usual value: every variable has one value, with
// characters and without a wildcard among them. It is false for all others.
func plainly(value string, r *Request) (string, bool) {
	var buf [128]byte
	text := buf[:0]
	for {
		before, rest, found := strings.Cut(value, "${")
		text = append(text, before...)
		if !found {
			return string(text), true
		}
		name, after, closed := strings.Cut(rest, "}")
		if !closed || !plainName(name) {
			return "", false
		}
		v, present := r.Get(name)
		if !present || v.Many || len(v.Values) != 1 || v.Values[0] == "" || strings.ContainsAny(v.Values[0], "*?") {
			return "", false
		}
		text, value = append(text, v.Values[0]...), after
	}
}

// plainName reports whether variable would take the text for a key's name.
func plainName(name string) bool {
	for i := range len(name) {
		switch name[i] {
		case ' ', '\t', '\r', '\n', '$', '{', '\'', '*', '?', '"', ',':
			return false
		}
	}
	return name != ""
}

// lookup finds the text of a variable. Only single-valued keys have one.
func lookup(piece Piece, r *Request) (string, expansionState) {
	v, present := r.Get(piece.Key)
	switch {
	case present && (v.Many || len(v.Values) != 1):
		return "", unclear
	case present:
		return v.Values[0], expanded
	case r.hasUnknown(piece.Key):
		return "", unclear
	case piece.Default != nil:
		return *piece.Default, expanded
	default:
		return "", noValue
	}
}
