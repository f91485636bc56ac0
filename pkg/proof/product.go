package proof

import "slices"

// product searches the shortest word of a language that every literal accepts:
// breadth first over the product of the language's shape and the literals'
// machines. An exhausted search proves that there is none.
type product struct {
	shapes   [][]segment
	machines []*machine
	symbols  []rune

	nodes  []productNode
	states []int32
	// seen gives the node of a state of everything but the runes spent.
	seen map[string]int32
	key  []byte
}

type productNode struct {
	parent int32
	r      rune
	shape  int32
	seg    int32
	count  int32
	// stale nodes have been overtaken by one that spent fewer runes.
	stale bool
}

const inactive = int32(-1)

// newProduct makes the search for text literals over a language with shapes.
func newProduct(lang *language, lits []lit) *product {
	p := &product{shapes: lang.shapes, seen: map[string]int32{}}
	for _, l := range lits {
		p.machines = append(p.machines, newMachine(l))
	}
	p.symbols = p.alphabet()
	return p
}

// alphabet gives every rune that some machine or segment tells apart, and one
// representative of each class of the others, the readable ones first.
func (p *product) alphabet() []rune {
	var named []rune
	for _, m := range p.machines {
		named = m.runes(named)
	}
	for _, shape := range p.shapes {
		named = fixedRunes(named, shape)
	}
	var classes []class
	for _, shape := range p.shapes {
		classes = segmentClasses(classes, shape)
	}
	for _, m := range p.machines {
		if m.lang == nil {
			continue
		}
		for _, shape := range m.lang.shapes {
			classes = segmentClasses(classes, shape)
			named = fixedRunes(named, shape)
		}
	}
	slices.Sort(named)
	named = slices.Compact(named)
	out := representatives(named, classes)
	return append(out, named...)
}

func fixedRunes(dst []rune, shape []segment) []rune {
	for _, s := range shape {
		for _, r := range s.text {
			dst = append(dst, r)
		}
	}
	return dst
}

func segmentClasses(dst []class, shape []segment) []class {
	for _, s := range shape {
		if s.text == "" && !slices.Contains(dst, s.set) {
			dst = append(dst, s.set)
		}
	}
	return dst
}

// readable lists the runes to choose representatives from, the plainest first.
const readable = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ-_.,+=@/: !\"#$%&'()*;<>?[\\]^`{|}~\t\n\rñéößþœжд中日\u00a9\u00b0"

func representatives(named []rune, classes []class) []rune {
	var out []rune
	seen := map[uint64]struct{}{}
	for _, r := range readable {
		if _, ok := slices.BinarySearch(named, r); ok {
			continue
		}
		var signature uint64
		for i, c := range classes {
			if c.has(r) {
				signature |= 1 << (i & 63)
			}
		}
		if _, ok := seen[signature]; signature == 0 || ok {
			continue
		}
		seen[signature] = struct{}{}
		out = append(out, r)
	}
	return out
}

// push adds a node, and those it reaches by leaving segments, unless they are
// known already with no more runes spent.
func (p *product) push(n productNode, states []int32) (found int32) {
	lo := p.shapes[n.shape][n.seg].least()
	p.key = append(p.key[:0], byte(n.shape), byte(n.seg), byte(min(int(n.count), lo)))
	for _, s := range states {
		p.key = append(p.key, byte(s), byte(s>>8), byte(s>>16))
	}
	if old, ok := p.seen[string(p.key)]; ok {
		if p.nodes[old].count <= n.count {
			return -1
		}
		p.nodes[old].stale = true
	}
	id := int32(len(p.nodes))
	p.seen[string(p.key)] = id
	p.nodes = append(p.nodes, n)
	p.states = append(p.states, states...)
	if int(n.count) < lo {
		return -1
	}
	return p.leave(id, n, states)
}

// leave ends a segment: its windows must accept; behind the last one the word is found.
func (p *product) leave(id int32, n productNode, states []int32) int32 {
	shape := p.shapes[n.shape]
	field := shape[n.seg].field
	next := append([]int32(nil), states...)
	last := int(n.seg) == len(shape)-1
	// A window may stretch over several segments.
	closes := last || shape[n.seg+1].field != field
	for i, m := range p.machines {
		switch {
		case m.win != wholeWindow && m.win == field && closes:
			if !m.accepts(next[i]) {
				return -1
			}
			next[i] = inactive
		case m.win == wholeWindow && last && !m.accepts(next[i]):
			return -1
		}
	}
	if last {
		return id
	}
	if closes {
		p.enter(next, shape[n.seg+1].field)
	}
	return p.push(productNode{parent: id, shape: n.shape, seg: n.seg + 1}, next)
}

func (p *product) enter(states []int32, field window) {
	for i, m := range p.machines {
		if m.win != wholeWindow && m.win == field {
			states[i] = 0
		}
	}
}

// search gives the shortest word, at the price of the work it does.
func (p *product) search(work *int) (string, verdict) {
	n := len(p.machines)
	for i, shape := range p.shapes {
		start := make([]int32, n)
		for j, m := range p.machines {
			if m.win != wholeWindow {
				start[j] = inactive
			}
		}
		p.enter(start, shape[0].field)
		if id := p.push(productNode{parent: -1, shape: int32(i)}, start); id >= 0 {
			return p.word(id), satisfiable
		}
	}
	next := make([]int32, n)
	for at := 0; at < len(p.nodes); at++ {
		if p.nodes[at].stale {
			continue
		}
		if *work -= 2 + (len(p.symbols)+2)*(n+2)/8 + p.spent(); *work < 0 {
			return "", undecided
		}
		node := p.nodes[at]
		seg := p.shapes[node.shape][node.seg]
		for si, r := range p.symbols {
			if !seg.allows(r, int(node.count)) || !p.advance(next, p.states[at*n:(at+1)*n], r, si) {
				continue
			}
			step := productNode{parent: int32(at), r: r, shape: node.shape, seg: node.seg, count: node.count + 1}
			if id := p.push(step, next); id >= 0 {
				return p.word(id), satisfiable
			}
		}
	}
	return "", empty
}

// spent gives the work that the machines did since it was asked last.
func (p *product) spent() int {
	sum := 0
	for _, m := range p.machines {
		sum += m.spent
		m.spent = 0
	}
	return sum
}

// advance moves every machine over a rune; it is false when one can no longer accept.
func (p *product) advance(next, states []int32, r rune, sym int) bool {
	for i, m := range p.machines {
		if states[i] == inactive {
			next[i] = inactive
			continue
		}
		next[i] = m.step(states[i], r, sym, len(p.symbols))
		if m.dead(next[i]) {
			return false
		}
	}
	return true
}

func (p *product) word(id int32) string {
	var rs []rune
	for ; id >= 0; id = p.nodes[id].parent {
		if r := p.nodes[id].r; r != 0 {
			rs = append(rs, r)
		}
	}
	slices.Reverse(rs)
	return string(rs)
}
