package proof

import "slices"

// machine runs one literal over a word, made deterministic on the way: a state
// is the set of places the word so far can have reached.
type machine struct {
	win    window
	neg    bool
	tokens []token
	// ends marks the places behind a pattern's last token.
	ends []bool
	lang *language

	states [][]int32
	// full states take whatever follows.
	full []bool
	ids  map[string]int32
	next [][]int32
	key  []byte
	// spent counts the work of new states, for the search's bound.
	spent int
}

// newMachine makes the machine of a text literal.
func newMachine(l lit) *machine {
	m := &machine{win: l.win, neg: l.neg, ids: map[string]int32{}}
	if n := l.t.places(); n > 0 {
		m.tokens, m.ends = make([]token, 0, n), make([]bool, 0, n)
	}
	var start []int32
	if l.t != nil && l.t.within != nil {
		m.lang = l.t.within
		for i, shape := range m.lang.shapes {
			start = m.langClose(start, i, 0, 0, shape)
		}
	} else if l.t == nil {
		start = m.add(start, []token{{kind: takeMany}})
	} else {
		var ts []token
		for _, v := range l.t.exact {
			ts = ts[:0]
			for _, r := range v {
				ts = append(ts, token{kind: takeRune, r: r})
			}
			start = m.add(start, ts)
		}
		for i := range l.t.patterns {
			start = m.add(start, l.t.patterns[i].tokens)
		}
		for _, a := range l.t.accounts {
			p, _ := compilePattern(appendText(nil, "arn:"+l.t.partition+":iam::"+a+":*", compareGlob), compareGlob)
			start = m.add(start, p.tokens)
		}
	}
	m.intern(start)
	return m
}

// places counts the places of a machine of a test, those of accounts aside.
func (t *test) places() int {
	if t == nil || t.within != nil {
		return 0
	}
	n := 0
	for _, v := range t.exact {
		n += len(v) + 1
	}
	for i := range t.patterns {
		n += len(t.patterns[i].tokens) + 1
	}
	return n
}

// machinesCost is what making the machines of some literals costs.
func machinesCost(lits []lit) int {
	n := 0
	for i := range lits {
		if t := lits[i].t; t != nil && t.within == nil {
			n += t.places()/24 + 2*len(t.accounts)
		}
	}
	return n
}

func (m *machine) add(start []int32, ts []token) []int32 {
	first := int32(len(m.tokens))
	m.tokens = append(append(m.tokens, ts...), token{})
	for range ts {
		m.ends = append(m.ends, false)
	}
	m.ends = append(m.ends, true)
	return m.close(start, first)
}

// close adds a place and those that stars let the word skip to.
func (m *machine) close(set []int32, p int32) []int32 {
	for {
		set = append(set, p)
		if m.ends[p] || !m.tokens[p].star() {
			return set
		}
		p++
	}
}

const (
	langShapeShift   = 24
	langSegmentShift = 16
	langCountMask    = 1<<langSegmentShift - 1
)

func (m *machine) langClose(set []int32, shape, seg, count int, segs []segment) []int32 {
	set = append(set, int32(shape<<langShapeShift|seg<<langSegmentShift|count))
	if seg < len(segs) {
		if count >= segs[seg].least() {
			return m.langClose(set, shape, seg+1, 0, segs)
		}
	}
	return set
}

func (m *machine) intern(set []int32) int32 {
	slices.Sort(set)
	set = slices.Compact(set)
	m.key = m.key[:0]
	for _, p := range set {
		m.key = append(m.key, byte(p), byte(p>>8), byte(p>>16), byte(p>>24))
	}
	if id, ok := m.ids[string(m.key)]; ok {
		return id
	}
	id := int32(len(m.states))
	m.ids[string(m.key)] = id
	m.states = append(m.states, set)
	m.full = append(m.full, m.isFull(set))
	m.next = append(m.next, nil)
	return id
}

// step gives the state after a rune, the sym-th of n symbols.
func (m *machine) step(state int32, r rune, sym, n int) int32 {
	if m.next[state] == nil {
		row := make([]int32, n)
		for i := range row {
			row[i] = -1
		}
		m.spent += n / 8
		m.next[state] = row
	}
	if to := m.next[state][sym]; to >= 0 {
		return to
	}
	var set []int32
	for _, p := range m.states[state] {
		if m.lang != nil {
			shape, seg, count := int(p)>>langShapeShift, int(p)>>langSegmentShift&0xff, int(p)&langCountMask
			segs := m.lang.shapes[shape]
			if seg < len(segs) && segs[seg].allows(r, count) {
				set = m.langClose(set, shape, seg, count+1, segs)
			}
			continue
		}
		if m.ends[p] || !m.tokens[p].takes(r) {
			continue
		}
		if m.tokens[p].star() {
			set = m.close(set, p)
		} else {
			set = m.close(set, p+1)
		}
	}
	m.spent += 1 + len(m.states[state])/4 + len(set)/2
	to := m.intern(set)
	m.next[state][sym] = to
	return to
}

// accepts reports whether a word may end in the state.
func (m *machine) accepts(state int32) bool {
	in := false
	for _, p := range m.states[state] {
		if m.lang != nil {
			in = in || int(p)>>langSegmentShift&0xff == len(m.lang.shapes[int(p)>>langShapeShift])
		} else {
			in = in || m.ends[p]
		}
	}
	return in != m.neg
}

// dead reports whether no word that goes on from the state is accepted.
func (m *machine) dead(state int32) bool {
	if m.neg {
		return m.full[state]
	}
	return len(m.states[state]) == 0
}

// isFull reports whether a set of places has reached a pattern's final star.
func (m *machine) isFull(set []int32) bool {
	return m.lang == nil && slices.ContainsFunc(set, func(p int32) bool {
		return !m.ends[p] && m.tokens[p].kind == takeMany && m.ends[p+1]
	})
}

// runes gives the runes that the machine tells apart from all others.
func (m *machine) runes(dst []rune) []rune {
	var had [128]bool
	for _, t := range m.tokens {
		switch t.kind {
		case takeRune:
			if t.r < 128 && had[t.r] {
				continue
			}
			if t.r < 128 {
				had[t.r] = true
			}
			if t.r != 0 {
				dst = append(dst, t.r)
			}
		case takeFold:
			dst = append(dst, t.r, foldRune(t.r))
			if up := foldRune(t.r); 'A' <= up && up <= 'Z' {
				dst = append(dst, up-'A'+'a')
			}
		case takeField, takeFields:
			dst = append(dst, ':')
		case takeOne, takeMany:
		}
	}
	return dst
}
