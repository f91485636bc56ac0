package proof

import (
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/rolewarden/rolewarden/pkg/access"
)

// tokenKind is what one token of a pattern takes from the text.
type tokenKind uint8

const (
	// takeRune takes exactly its rune.
	takeRune tokenKind = iota
	// takeFold takes its rune in either case.
	takeFold
	// takeOne takes any one rune.
	takeOne
	// takeField takes any one rune but a colon (parts 1-5 of an ARN pattern).
	takeField
	// takeMany takes any number of runes.
	takeMany
	// takeFields takes any number of runes but colons.
	takeFields
)

type token struct {
	kind tokenKind
	r    rune
}

func (t token) star() bool { return t.kind == takeMany || t.kind == takeFields }

// takes reports whether the token takes the rune; stars take it and stay.
func (t token) takes(r rune) bool {
	switch t.kind {
	case takeRune:
		return t.r == r
	case takeFold:
		return t.r == r || foldRune(t.r) == foldRune(r)
	case takeOne, takeMany:
		return true
	case takeField, takeFields:
		return r != ':'
	default:
		return false
	}
}

// foldRune gives the upper-case form of an ASCII letter. Which other letters
// AWS folds is not documented; access leaves them unsettled.
func foldRune(r rune) rune {
	if 'a' <= r && r <= 'z' {
		return r - 'a' + 'A'
	}
	return r
}

// pattern is a glob, a text compared without case, or an ARN pattern.
type pattern struct {
	tokens []token
	// text is the pattern as written, for samples and reports.
	text string
}

// match reports whether the pattern takes the whole text. A star that must not
// cross a colon can never be extended past one, so going back to the last star
// alone is enough.
func (p *pattern) match(s string) bool {
	ti, si := 0, 0
	star, mark := -1, 0
	for si < len(s) {
		r, size := rune(s[si]), 1
		if r >= utf8.RuneSelf {
			r, size = utf8.DecodeRuneInString(s[si:])
		}
		if ti < len(p.tokens) {
			t := p.tokens[ti]
			if t.star() {
				star, mark = ti, si
				ti++
				continue
			}
			if t.takes(r) {
				ti++
				si += size
				continue
			}
		}
		if star < 0 {
			return false
		}
		r, size = utf8.DecodeRuneInString(s[mark:])
		if !p.tokens[star].takes(r) {
			return false
		}
		mark += size
		ti, si = star+1, mark
	}
	for ti < len(p.tokens) && p.tokens[ti].star() {
		ti++
	}
	return ti == len(p.tokens)
}

// pieceKind is a kind of piece of a condition value.
type pieceKind uint8

const (
	literalPiece pieceKind = iota
	onePiece
	starPiece
	variablePiece
)

// piece is a part of a condition value: literal text, a wildcard, or a policy variable.
type piece struct {
	kind       pieceKind
	text       string
	key        string
	fallback   string
	hasDefault bool
}

// readPieces takes a condition value apart; variables and wildcards count only
// where asked. It is false for "${" that begins nothing AWS documents.
func readPieces(s string, how comparison, variables bool) ([]piece, bool) {
	if !variables || !access.HasVariable(s) {
		return appendText(nil, s, how), true
	}
	parts, ok := access.Pieces(s)
	if !ok {
		return nil, false
	}
	var out []piece
	for _, p := range parts {
		switch {
		case p.Key != "":
			v := piece{kind: variablePiece, key: lowerKey(p.Key)}
			if p.Default != nil {
				v.hasDefault, v.fallback = true, *p.Default
			}
			out = append(out, v)
		case p.Char != "":
			out = append(out, piece{kind: literalPiece, text: p.Char})
		default:
			out = appendText(out, p.Text, how)
		}
	}
	return out, true
}

// appendText splits policy text at its wildcards, where the comparison has any.
func appendText(out []piece, s string, how comparison) []piece {
	if how != compareGlob && how != compareARN {
		return append(out, piece{kind: literalPiece, text: s})
	}
	if n := strings.Count(s, "*") + strings.Count(s, "?"); n > 0 {
		out = slices.Grow(out, 2*n+1)
	}
	for s != "" {
		switch i := strings.IndexAny(s, "*?"); {
		case i < 0:
			return append(out, piece{kind: literalPiece, text: s})
		case i > 0:
			out = append(out, piece{kind: literalPiece, text: s[:i]})
			s = s[i:]
		case s[0] == '*':
			out, s = append(out, piece{kind: starPiece}), s[1:]
		default:
			out, s = append(out, piece{kind: onePiece}), s[1:]
		}
	}
	return out
}

// wildcards reports whether pieces without variables hold any wildcard.
func wildcards(ps []piece) bool {
	for _, p := range ps {
		if p.kind == onePiece || p.kind == starPiece {
			return true
		}
	}
	return false
}

// compilePattern makes a pattern of pieces without variables. A comparison of
// ARNs needs six parts; it is false for a pattern that has fewer.
func compilePattern(ps []piece, how comparison) (pattern, bool) {
	size := 0
	for _, x := range ps {
		size += max(1, len(x.text))
	}
	c := patternMaker{how: how, tokens: make([]token, 0, size)}
	var text strings.Builder
	text.Grow(size)
	for _, x := range ps {
		switch x.kind {
		case starPiece:
			c.star()
			text.WriteByte('*')
		case onePiece:
			c.one()
			text.WriteByte('?')
		case literalPiece:
			c.literal(x.text)
			text.WriteString(x.text)
		case variablePiece:
			return pattern{}, false
		}
	}
	return pattern{tokens: c.tokens, text: text.String()}, how != compareARN || c.colons >= 5
}

// readPattern makes a pattern of a text without variables, in room for tokens
// that many patterns may share. It is false where compilePattern is.
func readPattern(s string, how comparison, room *[]token) (pattern, bool) {
	c := patternMaker{how: how, tokens: (*room)[len(*room):]}
	wild := how == compareGlob || how == compareARN
	for _, r := range s {
		switch {
		case wild && r == '*':
			c.star()
		case wild && r == '?':
			c.one()
		default:
			c.letter(r)
		}
	}
	*room = (*room)[:len(*room)+len(c.tokens)]
	return pattern{tokens: c.tokens[:len(c.tokens):len(c.tokens)], text: s}, how != compareARN || c.colons >= 5
}

// patternMaker puts a pattern together; colons counts those that part an ARN.
type patternMaker struct {
	how    comparison
	tokens []token
	colons int
}

// wild picks the kind of a wildcard: in the first five parts of an ARN none
// takes a colon.
func (c *patternMaker) wild(anywhere, inField tokenKind) tokenKind {
	if c.how == compareARN && c.colons < 5 {
		return inField
	}
	return anywhere
}

func (c *patternMaker) star() {
	k := c.wild(takeMany, takeFields)
	if n := len(c.tokens); n > 0 && c.tokens[n-1].kind == k {
		return
	}
	c.tokens = append(c.tokens, token{kind: k})
}

func (c *patternMaker) one() {
	k, star := c.wild(takeOne, takeField), c.wild(takeMany, takeFields)
	c.tokens = append(c.tokens, token{kind: k})
	if n := len(c.tokens); n > 1 && c.tokens[n-2].kind == star {
		// The star goes last: a match then never tries it in vain.
		c.tokens[n-2], c.tokens[n-1] = c.tokens[n-1], c.tokens[n-2]
	}
}

func (c *patternMaker) literal(text string) {
	for _, r := range text {
		c.letter(r)
	}
}

func (c *patternMaker) letter(r rune) {
	k := takeRune
	if c.how == compareFold {
		k = takeFold
	}
	if r == ':' {
		c.colons++
	}
	c.tokens = append(c.tokens, token{kind: k, r: r})
}
