package proof

import "slices"

// cover looks for a way to allow a twin of the model's request. It gives the
// literals, of the model alone, that this way rests on.
func (t *twin) cover(s *solver) (box []nodeID, ok bool) {
	w := covering{t: t, s: s}
	if !w.walk([]nodeID{t.formula}) {
		return nil, false
	}
	return w.box, true
}

// covering walks the twin's formula under the model.
type covering struct {
	t *twin
	s *solver
	// box holds what the walk rests on; own the literals on the twin's key and
	// equal the ties that make it equal, or unequal, to another variable.
	box   []nodeID
	own   []lit
	equal []tie
}

// walk looks for a way to meet all of todo; false when there is none.
func (w *covering) walk(todo []nodeID) bool {
	s := w.s
	if s.work -= 1 + len(todo)/4 + len(w.box)/4; s.work < 0 {
		s.bounded, s.undecided = true, true
		return true
	}
	if len(todo) == 0 {
		return w.settle()
	}
	n := s.nodes[todo[0]]
	rest := todo[1:]
	switch n.op {
	case opFalse:
		return false
	case opTrue:
		return w.walk(rest)
	case opAnd:
		return w.walk(slices.Concat(s.kids[n.from:n.to], rest))
	case opOr:
		box, own, equal := w.box, w.own, w.equal
		for _, k := range s.kids[n.from:n.to] {
			if w.walk(append([]nodeID{k}, rest...)) {
				return true
			}
			w.box, w.own, w.equal = box, own, equal
		}
		return false
	case opLit:
		if n.lit.v == w.t.v {
			w.own = append(w.own[:len(w.own):len(w.own)], n.lit)
			return w.walk(rest)
		}
		x := &s.vars[n.lit.v]
		if x.presence == unsettled {
			// Either reading may allow the twin.
			return w.walk(rest)
		}
		if !s.pay(x.steps(&n.lit)) {
			return true
		}
		if !x.holds(&n.lit) {
			return false
		}
	case opTie:
		if s.ties[n.tie].speaksOf(w.t.v) {
			return w.walkTie(s.ties[n.tie], rest)
		}
		if !s.tieHolds(n.tie) {
			return false
		}
	}
	w.box = append(w.box[:len(w.box):len(w.box)], todo[0])
	return w.walk(rest)
}

// speaksOf reports whether a variable takes part in a tie.
func (t *tie) speaksOf(v int16) bool { return t.v == v || t.speaksIn(v) }

// walkTie takes up a tie of the twin's key.
func (w *covering) walkTie(u tie, rest []nodeID) bool {
	r, plain := u.equality()
	if !plain {
		// A pattern between the key and another: in the twin's favour where the
		// twin is to be refused for certain.
		return w.s.optimisticTwin() && w.walk(rest)
	}
	if u.v != w.t.v {
		u.v, u.win, r.v, r.win = r.v, r.win, u.v, u.win
	}
	u.pieces = []tiePiece{r}
	for _, e := range w.equal {
		if e.neg == u.neg && e.pieces[0] == r {
			return w.walk(rest)
		}
	}
	w.equal = append(w.equal[:len(w.equal):len(w.equal)], u)
	return w.walk(rest)
}

// optimisticTwin reports whether what is not decided counts for the twin.
func (s *solver) optimisticTwin() bool {
	s.doubts = appendNew(s.doubts, "a policy variable in a pattern for the projected key")
	return !s.optimistic
}

// settle decides whether the twin's key has a value, and moves what its
// equalities ask of other variables into the box.
func (w *covering) settle() bool {
	s := w.s
	x := &s.vars[w.t.v]
	if x.presence == never {
		return false
	}
	lits := slices.Clone(w.own)
	for i := range w.equal {
		u := &w.equal[i]
		l := lit{v: w.t.v, neg: u.neg, t: &test{exact: []string{look(s.vars[u.pieces[0].v].value, u.pieces[0].win)}}}
		lits = append(lits, l)
	}
	first, v := s.value(x, lits, nil)
	if v == undecided {
		return s.optimisticTwin()
	}
	if v == empty {
		return false
	}
	if len(w.equal) > 1 {
		// Equalities with several variables tie those to each other too.
		return s.optimisticTwin()
	}
	for i := range w.equal {
		u := &w.equal[i]
		r := u.pieces[0]
		if u.neg {
			if _, again := s.value(x, w.own, []string{first}); again == empty {
				w.add(lit{v: r.v, win: r.win, neg: true, t: &test{exact: []string{first}}})
			}
			continue
		}
		for _, l := range w.own {
			if l.t != nil {
				w.add(lit{v: r.v, win: r.win, neg: l.neg, t: l.t})
			}
		}
		w.add(lit{v: r.v, win: r.win, t: &test{within: x.lang}})
	}
	return true
}

func (w *covering) add(l lit) {
	w.box = append(w.box[:len(w.box):len(w.box)], w.s.newNode(node{op: opLit, lit: l}))
}
