package proof

import (
	"slices"
	"strings"
	"unicode/utf8"
)

// mostParts bounds how many parts of a value are listed: up to so many the
// list is whole, and a proof may rest on it.
const mostParts = 2048

// parts lists what may stand for variable v in a tie's pattern where the tie's
// own variable has a value: the parts of the value that have, before and behind
// them, what the rest of the pattern takes. Other variables of the pattern take
// anything, unless they are chosen. It is false where the list is cut short, or
// where v stands in the pattern more than once and only the first counts. Fold
// says that the value's letters may be of either case.
func (w *weaving) parts(t *tie, v int16, value string, fold bool) (list []string, whole bool) {
	at := slices.IndexFunc(t.pieces, func(p tiePiece) bool { return p.kind == variablePiece && p.v == v })
	most := longest(w.s.vars[v].lang)
	if t.pieces[at].win != wholeWindow {
		most = len(value)
	}
	how := t.how
	if fold {
		how = compareFold
	}
	starts := w.starts(t.pieces[:at], how, value)
	ends := w.ends(t.pieces[at+1:], how, value)
	for i := range starts {
		if !starts[i] {
			continue
		}
		for j := i; j <= len(value) && j-i <= most; j++ {
			if w.s.work--; w.s.work < 0 || len(list) > mostParts {
				return list, false
			}
			if ends[j] {
				list = append(list, value[i:j])
			}
		}
	}
	return list, true
}

// longest is the greatest number of bytes that a word of a language may have.
func longest(l *language) int {
	const anything = 4096
	if l == nil || l.shapes == nil {
		return anything
	}
	most := 0
	for _, shape := range l.shapes {
		n := 0
		for _, seg := range shape {
			if seg.text != "" {
				n += len(seg.text)
			} else {
				n += 4 * seg.max
			}
		}
		most = max(most, n)
	}
	return most
}

// open gives the pieces of a pattern with what is chosen written out, an
// account as twelve characters, and what else is not chosen as a star.
func (w *weaving) open(pieces []tiePiece) []piece {
	out := make([]piece, 0, len(pieces))
	for _, p := range pieces {
		switch {
		case p.kind != variablePiece:
			out = append(out, p.piece)
		case w.chosen[p.v]:
			out = append(out, piece{kind: literalPiece, text: look(w.s.vars[p.v].value, p.win)})
		case p.win == accountWindow && w.s.vars[p.v].caller:
			out = append(out, account...)
		default:
			out = append(out, piece{kind: starPiece})
		}
	}
	return out
}

// account stands for the twelve digits of an account.
var account = slices.Repeat([]piece{{kind: onePiece}}, 12)

// starts marks the places of a value before which the first part of a pattern
// takes it. A star takes colons too, which an ARN pattern's may not: what is
// listed is a little too much, never too little.
func (w *weaving) starts(before []tiePiece, how comparison, value string) []bool {
	reach := make([]bool, len(value)+1)
	reach[0] = true
	for _, k := range looseTokens(w.open(before), how) {
		w.s.work -= 1 + len(value)/32
		advance(reach, value, k)
	}
	return reach
}

// ends marks the places of a value behind which the rest of a pattern takes it.
func (w *weaving) ends(after []tiePiece, how comparison, value string) []bool {
	tokens := looseTokens(w.open(after), how)
	reach := make([]bool, len(value)+1)
	reach[len(value)] = true
	for i := len(tokens) - 1; i >= 0; i-- {
		w.s.work -= 1 + len(value)/32
		retreat(reach, value, tokens[i])
	}
	return reach
}

// looseTokens makes a pattern's tokens, byte for byte.
func looseTokens(pieces []piece, how comparison) []token {
	literal := takeRune
	if how == compareFold {
		literal = takeFold
	}
	var out []token
	for _, p := range pieces {
		switch p.kind {
		case starPiece, variablePiece:
			out = append(out, token{kind: takeMany})
		case onePiece:
			out = append(out, token{kind: takeOne})
		case literalPiece:
			for _, r := range p.text {
				out = append(out, token{kind: literal, r: r})
			}
		}
	}
	return out
}

// advance moves a set of places over one token.
func advance(reach []bool, value string, k token) {
	if k.star() {
		for j := 1; j <= len(value); j++ {
			reach[j] = reach[j] || reach[j-1]
		}
		return
	}
	next := make([]bool, len(reach))
	for j, r := range value {
		if reach[j] && k.takes(r) {
			next[j+utf8.RuneLen(r)] = true
		}
	}
	copy(reach, next)
}

// retreat moves a set of places back over one token.
func retreat(reach []bool, value string, k token) {
	if k.star() {
		for j := len(value) - 1; j >= 0; j-- {
			reach[j] = reach[j] || reach[j+1]
		}
		return
	}
	next := make([]bool, len(reach))
	for j, r := range value {
		if k.takes(r) {
			next[j] = reach[j+utf8.RuneLen(r)]
		}
	}
	copy(reach, next)
}

// split tells which variable equals a caller's name because a pattern for the
// ARN ends in a slash and the variable, whose own values hold no slash.
func (s *solver) split(t *tie) (tie, bool) {
	n := len(t.pieces)
	if t.neg || n < 2 || !s.vars[t.v].caller || t.win != wholeWindow || t.how == compareFold {
		return tie{}, false
	}
	before, last := t.pieces[n-2], t.pieces[n-1]
	if last.kind != variablePiece || before.kind != literalPiece || !strings.HasSuffix(before.text, "/") {
		return tie{}, false
	}
	if last.v == t.v || s.mayHold(last, "/*?") {
		return tie{}, false
	}
	return tie{v: t.v, win: nameWindow, how: compareExact, pieces: []tiePiece{last}, element: t.element}, true
}

// mayHold reports whether the values of a variable may hold one of some characters.
func (s *solver) mayHold(p tiePiece, chars string) bool {
	x := &s.vars[p.v]
	if p.win == nameWindow || p.win == accountWindow {
		return !x.caller
	}
	if p.win != wholeWindow || x.lang == nil || x.lang.shapes == nil {
		return true
	}
	for _, shape := range x.lang.shapes {
		for _, seg := range shape {
			if strings.ContainsAny(seg.text, chars) || seg.text == "" && strings.ContainsFunc(chars, seg.set.has) {
				return true
			}
		}
	}
	return false
}
