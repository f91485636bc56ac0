package table

import (
	"strconv"
)

// reader reads one expression. The names and values are those of the whole
// request; what an expression uses is noted.
type reader struct {
	names  *names
	text   string
	tokens []token
	at     int
	// operators counts operators and functions.
	operators int
}

// names are a request's ExpressionAttributeNames and
// ExpressionAttributeValues.
type names struct {
	names      map[string]string
	values     map[string]Value
	usedNames  map[string]bool
	usedValues map[string]bool
}

func (n *names) read(text string) (*reader, error) {
	switch {
	case text == "":
		return nil, bad("The expression can not be empty;")
	case len(text) > maxExpression:
		return nil, bad("Expression size has exceeded the maximum allowed size; expression size: %d", len(text))
	}
	tokens, err := lex(text)
	if err != nil {
		return nil, err
	}
	return &reader{names: n, text: text, tokens: tokens}, nil
}

func (r *reader) peek() token { return r.tokens[r.at] }

func (r *reader) next() token {
	t := r.tokens[r.at]
	if t.kind != endToken {
		r.at++
	}
	return t
}

// skip passes over a sign or word when it comes next.
func (r *reader) skip(what string) bool {
	if !r.peek().is(what) {
		return false
	}
	r.next()
	return true
}

func (r *reader) want(what string) error {
	if !r.skip(what) {
		return r.wrong()
	}
	return nil
}

// wrong is a syntax error at the next token.
func (r *reader) wrong() error { return syntax(r.text, r.tokens[:r.at], r.peek()) }

func (r *reader) done() error {
	if r.peek().kind != endToken {
		return r.wrong()
	}
	return nil
}

func (r *reader) operator() error {
	r.operators++
	if r.operators > maxOperators {
		return bad("The expression contains too many operators; operator count: %d", r.operators)
	}
	return nil
}

// function says whether a name and an opening parenthesis come next.
func (r *reader) function() bool {
	return r.peek().kind == wordToken && r.tokens[r.at+1].is("(") && !r.peek().is("NOT")
}

// path reads name.name[3].#name.
func (r *reader) path() (path, error) {
	var out path
	for {
		t := r.next()
		switch t.kind {
		case wordToken:
			if reserved(t.text) {
				return nil, bad("Attribute name is a reserved keyword; reserved keyword: %s", t.text)
			}
			out = append(out, named(t.text))
		case nameToken:
			name, ok := r.names.names[t.text]
			if !ok {
				return nil, bad("An expression attribute name used in the document path is not defined; attribute name: %s", t.text)
			}
			r.names.usedNames[t.text] = true
			out = append(out, named(name))
		case endToken, valueToken, numberToken, signToken:
			r.back(t)
			return nil, r.wrong()
		}
		for r.skip("[") {
			i, err := strconv.Atoi(r.peek().text)
			if err != nil || r.peek().kind != numberToken {
				return nil, r.wrong()
			}
			r.next()
			out = append(out, part{index: i})
			if err := r.want("]"); err != nil {
				return nil, err
			}
		}
		if !r.skip(".") {
			return out, nil
		}
	}
}

// back takes a token back that next gave.
func (r *reader) back(t token) {
	if t.kind != endToken {
		r.at--
	}
}

// paths reads a list of paths, to its end.
func (r *reader) paths() ([]path, error) {
	var out []path
	for {
		p, err := r.path()
		if err != nil {
			return nil, err
		}
		out = append(out, p)
		if !r.skip(",") {
			return out, nil
		}
	}
}

func (r *reader) value() (Value, error) {
	t := r.next()
	v, ok := r.names.values[t.text]
	if !ok {
		return Value{}, bad("An expression attribute value used in expression is not defined; attribute value: %s", t.text)
	}
	r.names.usedValues[t.text] = true
	return v, nil
}
