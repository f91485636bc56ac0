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
	if !w.collect() {
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
	switch {
	case w.choose(0):
		w.spread()
		return satisfiable
	case w.exhausted:
		return empty
	default:
		return undecided
	}
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
		if l, ok := around(t, v); ok {
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
// variables of its pattern.
func around(t *tie, v int16) (lit, bool) {
	if t.v != v || t.neg || t.how == compareARN {
		return lit{}, false
	}
	pieces := make([]piece, len(t.pieces))
	for i, p := range t.pieces {
		if pieces[i] = p.piece; p.kind == variablePiece {
			pieces[i] = piece{kind: starPiece}
		}
	}
	p, ok := compilePattern(pieces, t.how)
	return lit{v: v, win: t.win, t: &test{patterns: []pattern{p}}}, ok
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
	whole, fold := w.values(t)
	if whole == nil {
		return lit{}, false
	}
	fold = fold || t.how == compareFold
	var parts []string
	for _, s := range whole {
		for i := 0; i <= len(s); i++ {
			for j := i; j <= len(s) && j-i <= 64; j++ {
				parts = append(parts, s[i:j])
			}
		}
	}
	slices.Sort(parts)
	parts = slices.Compact(parts)
	u := &test{exact: parts}
	if fold {
		u = &test{}
		for _, s := range parts {
			u.add([]piece{{kind: literalPiece, text: s}}, compareFold)
		}
	}
	return lit{v: v, win: t.pieces[at].win, t: u.seal()}, true
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

// seeds gives hints for a variable that fills a pattern: pieces of the samples
// of what the pattern's own variable must match.
func (w *weaving) seeds(v int16) []lit {
	var out []lit
	for i := range w.rest {
		t := &w.rest[i]
		if t.neg || t.v == v {
			continue
		}
		skip := 0
		for _, p := range t.pieces {
			if p.kind == literalPiece {
				skip += len(p.text)
				continue
			}
			if p.kind == variablePiece && p.v == v {
				out = append(out, w.seedsOf(t, p, skip)...)
			}
			break
		}
	}
	return out
}

func (w *weaving) seedsOf(t *tie, p tiePiece, skip int) []lit {
	var samples []string
	for i := range w.s.vars[t.v].lits {
		if l := &w.s.vars[t.v].lits[i]; !l.neg && l.win == t.win && len(samples) < 8 {
			samples = l.t.samples(samples)
		}
	}
	parts := &test{}
	for _, v := range samples {
		for end := skip; end <= len(v) && end-skip <= 24; end++ {
			parts.exact = append(parts.exact, v[skip:end])
		}
	}
	if len(parts.exact) == 0 {
		return nil
	}
	out := make([]lit, 0, 8)
	for i := len(parts.exact) - 1; i >= 0 && len(out) < 24; i-- {
		out = append(out, lit{v: p.v, win: p.win, t: &test{exact: parts.exact[i : i+1]}})
	}
	return out
}

func (w *weaving) holds() bool {
	for i := range w.rest {
		t := &w.rest[i]
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
