package proof

import "slices"

// tries bounds how many values of one variable are tried.
const tries = 6

// choose picks values for the variables from the k-th on.
func (w *weaving) choose(k int) bool {
	if k == len(w.order) {
		return w.holds()
	}
	v := w.order[k]
	x := &w.s.vars[v]
	old := *x
	lits := w.literals(v)
	w.chosen[v] = true
	defer delete(w.chosen, v)
	var avoid []string
	for _, seed := range w.seeds(v) {
		if w.s.work < 0 {
			break
		}
		extra := append(lits[:len(lits):len(lits)], seed)
		if value, ok := w.s.value(x, extra, nil); ok == satisfiable && !slices.Contains(avoid, value) {
			avoid = append(avoid, value)
			x.has, x.value = true, value
			if w.choose(k + 1) {
				return true
			}
		}
	}
	last := k == len(w.order)-1 && !w.sources[v]
	for n := 0; ; n++ {
		if n >= tries || w.s.work < 0 {
			w.exhausted = false
			break
		}
		value, verdict := w.s.value(x, w.apart(lits, avoid, v), avoid)
		if verdict == empty && len(avoid) > 0 && !w.oneWindow(v) {
			value, verdict = w.s.value(x, lits, avoid)
		}
		if verdict != satisfiable {
			w.exhausted = w.exhausted && verdict == empty
			break
		}
		avoid = append(avoid, value)
		x.has, x.value = true, value
		if w.choose(k + 1) {
			return true
		}
		if last && w.determined(v) {
			break
		}
	}
	x.has, x.value = old.has, old.value
	return false
}

// determined reports whether every tie on v was a literal when it was chosen.
func (w *weaving) determined(v int16) bool {
	for i := range w.rest {
		t := &w.rest[i]
		if slices.ContainsFunc(t.pieces, func(p tiePiece) bool { return p.kind == variablePiece && p.v == v }) {
			return false
		}
	}
	return true
}

// apart asks for a value whose parts that fill patterns differ from those tried.
func (w *weaving) apart(lits []lit, tried []string, v int16) []lit {
	out := lits[:len(lits):len(lits)]
	if len(tried) == 0 || !w.s.vars[v].caller {
		return out
	}
	for i := range w.rest {
		for _, p := range w.rest[i].pieces {
			if p.kind != variablePiece || p.v != v || p.win == wholeWindow {
				continue
			}
			t := &test{}
			for _, value := range tried {
				t.exact = append(t.exact, look(value, p.win))
			}
			out = append(out, lit{v: v, win: p.win, neg: true, t: t.seal()})
		}
	}
	return out
}

// oneWindow reports whether ties look at v through one window only, so that
// values that look the same there need not be told apart.
func (w *weaving) oneWindow(v int16) bool {
	first, seen := wholeWindow, false
	look := func(u int16, win window) bool {
		if u != v {
			return true
		}
		if !seen {
			first, seen = win, true
		}
		return win == first
	}
	for i := range w.rest {
		t := &w.rest[i]
		ok := look(t.v, t.win)
		for _, p := range t.pieces {
			ok = ok && (p.kind != variablePiece || look(p.v, p.win))
		}
		if !ok {
			return false
		}
	}
	return seen
}

// seeds gives hints for a variable that fills a pattern: what may stand for it
// in the samples of what the pattern's own variable must match.
func (w *weaving) seeds(v int16) []lit {
	var out []lit
	for i := range w.rest {
		t := &w.rest[i]
		if t.neg {
			continue
		}
		if t.v == v {
			if t.speaksIn(v) && w.s.vars[v].caller {
				out = append(out, lit{v: v, t: w.namesakes()})
			}
			continue
		}
		at := slices.IndexFunc(t.pieces, func(p tiePiece) bool { return p.kind == variablePiece && p.v == v })
		if at < 0 {
			continue
		}
		for _, value := range w.samples(t) {
			if list, _ := w.parts(t, v, value, false); len(list) > 0 {
				out = append(out, lit{v: v, win: t.pieces[at].win, t: oneOf(list, false)})
			}
		}
	}
	return out
}

// speaksIn reports whether a variable fills the tie's pattern.
func (t *tie) speaksIn(v int16) bool {
	return slices.ContainsFunc(t.pieces, func(p tiePiece) bool { return p.kind == variablePiece && p.v == v })
}

// namesakes gives callers who are named like their account, for patterns that
// ask one part of the caller's ARN to be like another.
func (w *weaving) namesakes() *test {
	t := &test{}
	for _, account := range w.s.accountsToTry(len(w.s.accountRoom)) {
		t.exact = append(t.exact, w.s.callerARN(account, account))
	}
	return t.seal()
}

// samples gives a few texts that a tie's own variable might be.
func (w *weaving) samples(t *tie) []string {
	x := &w.s.vars[t.v]
	if w.chosen[t.v] {
		return []string{look(x.value, t.win)}
	}
	var out []string
	for i := range x.lits {
		if l := &x.lits[i]; !l.neg && l.win == t.win && len(out) < 8 {
			out = l.t.samples(out)
		}
	}
	return out[:min(len(out), 8)]
}

func (w *weaving) holds() bool {
	for i := range w.rest {
		t := &w.rest[i]
		w.s.work -= 2 + len(t.pieces)
		l, ok := w.s.fill(t)
		if !ok || !l.met(w.s.vars[t.v].value) {
			w.exhausted = w.exhausted && ok
			return false
		}
	}
	return true
}

// spread gives the guests the values of their hosts.
func (w *weaving) spread() {
	for g, h := range w.hosts {
		r := w.root(h.v, h.win)
		x := &w.s.vars[g]
		x.has, x.value = true, look(w.s.vars[r.v].value, r.win)
	}
}
