package table

import (
	"strings"
	"unicode/utf8"
)

// token is one word of an expression.
type token struct {
	kind tokenKind
	text string
	// at and end bound it in the expression.
	at, end int
}

type tokenKind int

const (
	endToken tokenKind = iota
	wordToken
	nameToken   // #name
	valueToken  // :value
	numberToken // of a list's index
	signToken   // ( ) [ ] , . + - = <> < <= > >=
)

// Limits of an expression. Amazon DynamoDB Developer Guide, Constraints.
const (
	maxExpression = 4096
	maxOperators  = 300
	maxOperands   = 100 // of IN
)

func letter(c byte) bool { return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || c == '_' }

func digit(c byte) bool { return '0' <= c && c <= '9' }

// lex cuts an expression into tokens, the last of which is the end.
func lex(text string) ([]token, error) {
	var out []token
	for at := 0; at < len(text); {
		c := text[at]
		if c == ' ' || c == '\t' || c == '\n' || c == '\r' {
			at++
			continue
		}
		t := token{at: at, end: at + 1}
		switch {
		case letter(c):
			t.kind = wordToken
		case digit(c):
			t.kind = numberToken
		case c == '#':
			t.kind = nameToken
		case c == ':':
			t.kind = valueToken
		default:
			t.kind = signToken
		}
		t.end += t.rest(text)
		t.text = text[t.at:t.end]
		if !t.whole() {
			return nil, syntax(text, out, t)
		}
		out = append(out, t)
		at = t.end
	}
	return append(out, token{at: len(text), end: len(text)}), nil
}

// rest is how many bytes a token has after its first.
func (t token) rest(text string) int {
	tail := text[t.end:]
	switch t.kind {
	case wordToken, nameToken, valueToken:
		return len(tail) - len(strings.TrimLeftFunc(tail, func(r rune) bool { return r < 128 && (letter(byte(r)) || digit(byte(r))) }))
	case numberToken:
		return len(tail) - len(strings.TrimLeft(tail, "0123456789"))
	case signToken:
		if _, width := utf8.DecodeRuneInString(text[t.at:]); width > 1 {
			return width - 1
		}
		if c := text[t.at]; c == '<' && (strings.HasPrefix(tail, ">") || strings.HasPrefix(tail, "=")) || c == '>' && strings.HasPrefix(tail, "=") {
			return 1
		}
		return 0
	case endToken:
		return 0
	default:
		return 0
	}
}

// whole says whether the token is one that an expression may have.
func (t token) whole() bool {
	switch t.kind {
	case nameToken, valueToken:
		return len(t.text) > 1
	case signToken:
		return strings.Contains(" ( ) [ ] , . + - = <> < <= > >= ", " "+t.text+" ")
	case endToken, wordToken, numberToken:
		return true
	default:
		return false
	}
}

// is says whether the token is a sign, or a word in whatever case.
func (t token) is(what string) bool {
	return (t.kind == signToken || t.kind == wordToken) && strings.EqualFold(t.text, what)
}

// syntax names the token that is wrong and what stands around it.
func syntax(text string, before []token, t token) *Problem {
	if t.kind == endToken {
		t.text = "<EOF>"
	}
	from, to := t.at, min(len(text), t.end+5)
	if len(before) > 0 {
		from = before[len(before)-1].at
	}
	return bad("Syntax error; token: \"%s\", near: \"%s\"", t.text, text[from:to])
}

// bad is an expression's error; the name of the parameter is put before it
// where the expression is read.
func bad(format string, args ...any) *Problem { return invalid(format, args...) }
