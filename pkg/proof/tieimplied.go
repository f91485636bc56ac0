package proof

import (
	"cmp"
	"slices"
	"strings"
)

// literals gives what a variable must meet once its guests live in it.
func (w *weaving) literals(v int16) []lit {
	x := &w.s.vars[v]
	out := append([]lit(nil), x.lits...)
	for g := range w.s.vars {
		h, ok := w.hosts[int16(g)]
		if !ok {
			continue
		}
		h = w.root(h.v, h.win)
		if h.v != v {
			continue
		}
		guest := &w.s.vars[g]
		for _, l := range guest.lits {
			l.v, l.win, l.absentOK = v, h.win, false
			out = append(out, l)
		}
		legal := &test{within: guest.lang}
		if guest.lang.finite != nil {
			legal = (&test{exact: guest.lang.finite}).seal()
		}
		out = append(out, lit{v: v, win: h.win, t: legal})
	}
	for i := range w.rest {
		t := &w.rest[i]
		if l, ok := w.concrete(t, v); ok {
			out = append(out, l)
			continue
		}
		if l, ok := w.around(t, v); ok {
			out = append(out, l)
		}
		if l, ok := w.implied(t, v); ok {
			out = append(out, l)
		}
	}
	return out
}

// concrete makes a tie on v a literal where all that fills it is chosen.
func (w *weaving) concrete(t *tie, v int16) (lit, bool) {
	if t.v != v {
		return lit{}, false
	}
	for _, p := range t.pieces {
		if p.kind == variablePiece && !w.chosen[p.v] {
			return lit{}, false
		}
	}
	l, ok := w.s.fill(t)
	return l, ok
}

// around says of a variable that it matches the fixed text around the
// variables of its pattern, and the values of those that are chosen.
func (w *weaving) around(t *tie, v int16) (lit, bool) {
	if t.v != v || t.neg {
		return lit{}, false
	}
	how := t.how
	if how == compareARN && w.mayShift(t.pieces) {
		how = compareGlob
	}
	p, ok := compilePattern(w.open(t.pieces), how)
	return lit{v: v, win: t.win, t: (&test{patterns: []pattern{p}}).seal()}, ok
}

// mayShift reports whether a variable that is not chosen may bring a colon into
// the first five parts of an ARN pattern.
func (w *weaving) mayShift(pieces []tiePiece) bool {
	colons := 0
	for _, p := range pieces {
		if colons >= 5 {
			return false
		}
		switch {
		case p.kind == literalPiece:
			colons += strings.Count(p.text, ":")
		case p.kind != variablePiece:
		case w.chosen[p.v]:
			colons += strings.Count(look(w.s.vars[p.v].value, p.win), ":")
		case w.s.mayHold(p, ":"):
			return true
		}
	}
	return false
}

// implied says of a variable inside a pattern that its value is a part of one
// of the few values that the pattern's own variable can have.
func (w *weaving) implied(t *tie, v int16) (lit, bool) {
	if t.neg || t.v == v {
		return lit{}, false
	}
	at := slices.IndexFunc(t.pieces, func(p tiePiece) bool { return p.kind == variablePiece && p.v == v })
	if at < 0 {
		return lit{}, false
	}
	values, fold := w.values(t)
	if values == nil {
		return lit{}, false
	}
	var list []string
	for _, value := range values {
		some, whole := w.parts(t, v, value, fold)
		if !whole {
			return lit{}, false
		}
		list = append(list, some...)
	}
	return lit{v: v, win: t.pieces[at].win, t: oneOf(list, fold || t.how == compareFold)}, true
}

// oneOf makes the test of being one of some texts, the longest of which is tried first.
func oneOf(list []string, fold bool) *test {
	slices.SortFunc(list, func(a, b string) int { return cmp.Or(len(b)-len(a), strings.Compare(a, b)) })
	list = slices.Compact(list)
	if !fold {
		return (&test{exact: list}).seal()
	}
	u := &test{}
	for _, s := range list {
		u.add([]piece{{kind: literalPiece, text: s}}, compareFold)
	}
	return u.seal()
}

// values lists the few values that a tie's own variable can have, where there
// are only few; fold says that they may differ in case.
func (w *weaving) values(t *tie) (list []string, fold bool) {
	x := &w.s.vars[t.v]
	if w.chosen[t.v] {
		return []string{look(x.value, t.win)}, false
	}
	for _, l := range x.lits {
		if l.neg || l.win != t.win || l.t == nil || l.t.family != textFamily || l.t.within != nil || l.t.accounts != nil {
			continue
		}
		if few, fold, ok := l.t.few(); ok {
			return few, fold
		}
	}
	return nil, false
}

// few lists the texts that meet a test, if they are few and short, but for case.
func (t *test) few() (list []string, fold, ok bool) {
	list = t.exact
	for i := range t.patterns {
		for _, k := range t.patterns[i].tokens {
			if fold = fold || k.kind == takeFold; k.kind != takeRune && k.kind != takeFold {
				return nil, false, false
			}
		}
		list = append(list[:len(list):len(list)], t.patterns[i].text)
	}
	size := 0
	for _, s := range list {
		size += len(s)
	}
	return list, fold, len(list) <= 8 && size <= 100
}
