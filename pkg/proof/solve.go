package proof

import "slices"

// solver searches one request of one variant of callers that meets a formula.
// It keeps a whole model at all times: the formula's open clauses are read
// under it, and only one that it falsifies is branched on.
type solver struct {
	world     *World
	partition string
	rosters   *rosters
	variant   variant
	// keys are all keys that the question speaks of.
	keys []string
	// quick asserts take values that are at hand only.
	quick bool
	// optimistic reads doubtful elements in favour of the request.
	optimistic bool
	// favoured reads them so for the part of the formula being built, whose
	// truth speaks against the request.
	favoured bool
	// idRoom holds what tells a condition.
	idRoom []byte
	// accountRoom holds natural accounts of the caller.
	accountRoom [8]string

	vars  []variable
	bound []boundKey
	nodes []node
	kids  []nodeID
	stack []nodeID
	ties  []tie
	built []built

	clauses []nodeID
	active  []int32
	// roots are the nodes asserted while recording, before the search.
	roots     []nodeID
	recording bool
	trail     []trailEntry

	// work is what the search may still spend.
	work int
	// bounded says that the search met its bound, undecided that some branch
	// was left undecided for whatever reason.
	bounded bool
	// ended is what the search was looking for when it first met its bound.
	ended     string
	undecided bool
	// doubts names the doubtful elements met while the formula was made.
	doubts []string
	// unsure names ties that the search could not decide.
	unsure []string
}

type boundKey struct {
	key string
	v   int16
	win window
}

type trailEntry struct {
	v      int16
	has    bool
	value  string
	values []string
}

type mark struct{ clauses, active, trail int }

func (s *solver) mark() mark { return mark{len(s.clauses), len(s.active), len(s.trail)} }

func (s *solver) undo(m mark) {
	for len(s.trail) > m.trail {
		e := &s.trail[len(s.trail)-1]
		x := &s.vars[e.v]
		x.lits = x.lits[:len(x.lits)-1]
		x.has, x.value, x.values = e.has, e.value, e.values
		s.trail = s.trail[:len(s.trail)-1]
	}
	s.clauses = s.clauses[:m.clauses]
	s.active = s.active[:m.active]
}

// assert adds a node to what must hold; false when that cannot be.
func (s *solver) assert(id nodeID) bool {
	n := &s.nodes[id]
	if s.recording && n.op != opAnd && n.op != opTrue {
		s.roots = append(s.roots, id)
	}
	switch n.op {
	case opTrue:
		return true
	case opFalse:
		return false
	case opLit:
		return s.assertLit(n.lit)
	case opTie:
		return s.assertTie(n.tie)
	case opAnd:
		for _, k := range s.kids[n.from:n.to] {
			if !s.assert(k) {
				return false
			}
		}
		return true
	case opOr:
		if !slices.Contains(s.clauses, id) {
			s.clauses = append(s.clauses, id)
		}
		return true
	default:
		return false
	}
}

// pay spends steps before what they are for is done; false when there are not
// so many left, and the answer then rests on nothing more.
func (s *solver) pay(steps int) bool {
	if s.work < steps {
		s.work, s.bounded, s.undecided = -1, true, true
		return false
	}
	s.work -= steps
	return true
}

func (s *solver) assertLit(l lit) bool {
	x := &s.vars[l.v]
	if !s.pay(x.steps(&l)) {
		s.endsAt(x)
		return false
	}
	for i := range x.lits {
		if x.lits[i].opposes(&l) {
			return false
		}
	}
	s.trail = append(s.trail, trailEntry{l.v, x.has, x.value, x.values})
	x.lits = append(x.lits, l)
	if x.holds(&l) {
		return true
	}
	switch s.assign(x) {
	case satisfiable:
		return true
	case empty:
		return false
	case undecided:
		s.undecided = true
		if !s.bounded && !s.quick {
			s.unsure = appendNew(s.unsure, "the conditions on "+x.label()+" together")
		}
		return false
	default:
		return false
	}
}

// endsAt notes the key at which the search met its bound.
func (s *solver) endsAt(x *variable) {
	if s.ended != "" {
		return
	}
	s.ended = "a value of " + x.label()
	if x.key != "" {
		s.ended = "a value of " + printable(spelling(x.key))
	}
}

func (x *variable) label() string {
	if x.key == "" {
		return "aws:PrincipalArn"
	}
	return printable(x.key)
}

// holds reports whether the model meets a node.
func (s *solver) holds(id nodeID) bool {
	n := &s.nodes[id]
	switch n.op {
	case opTrue:
		return true
	case opFalse:
		return false
	case opLit:
		x := &s.vars[n.lit.v]
		if !s.pay(x.steps(&n.lit)) {
			s.endsAt(x)
			return false
		}
		return x.holds(&n.lit)
	case opTie:
		return s.tieHolds(n.tie)
	case opAnd:
		for _, k := range s.kids[n.from:n.to] {
			if !s.holds(k) {
				return false
			}
		}
		return true
	case opOr:
		for _, k := range s.kids[n.from:n.to] {
			if s.holds(k) {
				return true
			}
		}
		return false
	default:
		return false
	}
}

// solve extends what is asserted to a model of all clauses. On success the
// assertions stay, so that the caller can see what the model rests on.
func (s *solver) solve() bool {
	for {
		at := s.falsified()
		if s.work < 0 {
			s.bounded, s.undecided = true, true
			return false
		}
		if at >= 0 {
			return s.branch(at)
		}
		switch s.settleTies() {
		case tiesHeld:
			return true
		case tiesMoved:
		case tiesRefused:
			return false
		}
	}
}

// falsified gives a small clause that the model does not meet, -1 for none.
func (s *solver) falsified() int {
	best, size := -1, 0
	for i, c := range s.clauses {
		n := &s.nodes[c]
		if k := int(n.to - n.from); (best < 0 || k < size) && !s.holds(c) {
			best, size = i, k
			if k <= 2 {
				break
			}
		}
	}
	return best
}

// branch looks at each alternative of a clause in turn: first at those for
// which values are at hand, then at those whose values must be searched for.
func (s *solver) branch(at int) bool {
	clause := s.clauses[at]
	n := s.nodes[clause]
	s.clauses[at] = trueNode
	var room [8]nodeID
	left := room[:0]
	for _, k := range s.kids[n.from:n.to] {
		m := s.mark()
		switch s.assertQuickly(k) {
		case satisfiable:
			if s.solve() {
				return true
			}
		case undecided:
			left = append(left, k)
		case empty:
		}
		s.undo(m)
	}
	for _, k := range left {
		m := s.mark()
		if s.assert(k) && s.solve() {
			return true
		}
		s.undo(m)
	}
	s.clauses[at] = clause
	return false
}

// assertQuickly asserts a node if natural values will do; undecided when they do not.
func (s *solver) assertQuickly(k nodeID) verdict {
	was := s.undecided
	s.undecided, s.quick = false, true
	ok := s.assert(k)
	open := s.undecided
	s.undecided, s.quick = was, false
	switch {
	case ok:
		return satisfiable
	case open:
		return undecided
	default:
		return empty
	}
}
