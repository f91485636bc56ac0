package proof

import "slices"

// tieOutcome is what became of the ties under the model.
type tieOutcome uint8

const (
	// tiesRefused means that no values were found; whether there are none is
	// in solver.undecided.
	tiesRefused tieOutcome = iota
	tiesHeld
	// tiesMoved means that the model changed so that they hold.
	tiesMoved
)

// settleTies makes the model meet the asserted ties.
func (s *solver) settleTies() tieOutcome {
	if out := s.settleSource(); out != tiesHeld {
		return out
	}
	if out := s.settleTimes(); out != tiesHeld {
		return out
	}
	if out := s.settleOrganization(); out != tiesHeld {
		return out
	}
	broken := slices.IndexFunc(s.active, func(i int32) bool { return !s.tieHolds(i) })
	if broken < 0 {
		return tiesHeld
	}
	w := weaving{s: s, hosts: map[int16]host{}, exhausted: true}
	switch w.solve() {
	case satisfiable:
		return tiesMoved
	case empty:
		return tiesRefused
	case undecided:
		s.undecided = true
		s.unsure = appendNew(s.unsure, s.ties[s.active[broken]].element)
		return tiesRefused
	default:
		return tiesRefused
	}
}

// host is where a variable that equals a part of another one lives.
type host struct {
	v   int16
	win window
}

// weaving decides several ties together. Variables that must be equal become
// one; the others are tried one after the other, each under what those before
// it leave.
type weaving struct {
	s     *solver
	hosts map[int16]host
	// rest are the ties that equality does not settle, on the hosts.
	rest []tie
	// order lists the variables to choose, those that fill patterns first.
	order   []int16
	sources map[int16]bool
	// exhausted stays true while every choice has been tried.
	exhausted bool
	chosen    map[int16]bool
}

func (w *weaving) root(v int16, win window) host {
	for {
		h, ok := w.hosts[v]
		if !ok || win != wholeWindow {
			return host{v, win}
		}
		v, win = h.v, h.win
	}
}

// canMove reports whether a variable's literals can be read through a window
// of another one.
func (w *weaving) canMove(v int16) bool {
	x := &w.s.vars[v]
	if x.caller || x.many || x.lang.finite == nil && x.lang.shapes == nil {
		return false
	}
	return !slices.ContainsFunc(x.lits, func(l lit) bool { return l.win != wholeWindow })
}

func (w *weaving) solve() verdict {
	w.join()
	if !w.collect() || !w.fits() {
		return empty
	}
	w.sources, w.chosen = map[int16]bool{}, map[int16]bool{}
	for _, t := range w.rest {
		for _, p := range t.pieces {
			if p.kind == variablePiece && !w.sources[p.v] {
				w.sources[p.v] = true
				w.order = append(w.order, p.v)
			}
		}
	}
	for _, t := range w.rest {
		if !slices.Contains(w.order, t.v) {
			w.order = append(w.order, t.v)
		}
	}
	for _, h := range w.hosts {
		r := w.root(h.v, h.win)
		if !slices.Contains(w.order, r.v) {
			w.order = append(w.order, r.v)
		}
	}
	slices.SortFunc(w.order, func(a, b int16) int { return w.rank(a) - w.rank(b) })
	for _, v := range w.order {
		// What a variable must meet whatever the others are.
		if _, alone := w.s.value(&w.s.vars[v], w.literals(v), nil); alone == empty {
			return empty
		}
	}
	// What fills patterns first, then what the patterns are for: the rest of one
	// side is decided under the other.
	for range 2 {
		w.exhausted = true
		if w.choose(0) {
			w.spread()
			return satisfiable
		}
		if w.exhausted {
			return empty
		}
		slices.SortFunc(w.order, func(a, b int16) int { return w.backwards(a) - w.backwards(b) })
	}
	return undecided
}

// backwards orders the caller first, then what is matched, then what fills patterns.
func (w *weaving) backwards(v int16) int {
	if w.s.vars[v].caller {
		return w.rank(v)
	}
	return 4000 - w.rank(v)
}

// rank orders the caller first, then what fills patterns, then the rest.
func (w *weaving) rank(v int16) int {
	switch {
	case w.s.vars[v].caller:
		return int(v)
	case w.sources[v]:
		return 1000 + int(v)
	default:
		return 2000 + int(v)
	}
}

// join makes variables that must be equal one.
func (w *weaving) join() {
	for _, i := range w.s.active {
		t := &w.s.ties[i]
		if name, ok := w.s.split(t); ok {
			t = &name
		}
		r, ok := t.equality()
		if !ok || t.neg {
			continue
		}
		a, b := w.root(t.v, t.win), w.root(r.v, r.win)
		switch {
		case a.v == b.v:
		case a.win == wholeWindow && w.canMove(a.v):
			w.hosts[a.v] = b
		case b.win == wholeWindow && w.canMove(b.v):
			w.hosts[b.v] = a
		}
	}
}

// collect moves the other ties to the hosts; false when one contradicts the equalities.
func (w *weaving) collect() bool {
	for _, i := range w.s.active {
		t := w.s.ties[i]
		at := w.root(t.v, t.win)
		t.v, t.win = at.v, at.win
		t.pieces = append([]tiePiece(nil), t.pieces...)
		for k := range t.pieces {
			if p := &t.pieces[k]; p.kind == variablePiece {
				r := w.root(p.v, p.win)
				p.v, p.win = r.v, r.win
			}
		}
		self := tie{v: t.v, win: t.win, how: compareExact, pieces: []tiePiece{{piece: piece{kind: variablePiece}, v: t.v, win: t.win}}}
		if t.how != compareARN && t.covers(&self) {
			if t.neg {
				return false
			}
			continue
		}
		w.rest = append(w.rest, t)
	}
	for i := range w.rest {
		for j := range w.rest {
			a, b := &w.rest[i], &w.rest[j]
			if a.neg && !b.neg && a.v == b.v && a.win == b.win && a.covers(b) {
				return false
			}
		}
	}
	return true
}
