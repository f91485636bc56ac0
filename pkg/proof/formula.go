package proof

// nodeID names a node of the formula.
type nodeID int32

// nodeOp is a kind of node. Formulas are in negation normal form: negation is
// inside literals only.
type nodeOp uint8

const (
	opFalse nodeOp = iota
	opTrue
	opLit
	opTie
	opAnd
	opOr
)

type node struct {
	op  nodeOp
	lit lit
	// from and to delimit the kids of And and Or.
	from, to int32
	tie      int32
}

const (
	falseNode nodeID = iota
	trueNode
)

func truth(b bool) nodeID {
	if b {
		return trueNode
	}
	return falseNode
}

func (s *solver) newNode(n node) nodeID {
	s.nodes = append(s.nodes, n)
	return nodeID(len(s.nodes) - 1)
}

// join closes the kids pushed on the stack since base under And or Or.
func (s *solver) join(op nodeOp, base int) nodeID {
	unit, zero := trueNode, falseNode
	if op == opOr {
		unit, zero = falseNode, trueNode
	}
	from := len(s.kids)
	for _, k := range s.stack[base:] {
		switch {
		case k == zero:
			s.kids, s.stack = s.kids[:from], s.stack[:base]
			return zero
		case k == unit:
		case s.nodes[k].op == op:
			s.kids = append(s.kids, s.kids[s.nodes[k].from:s.nodes[k].to]...)
		default:
			s.kids = append(s.kids, k)
		}
	}
	s.stack = s.stack[:base]
	switch len(s.kids) - from {
	case 0:
		return unit
	case 1:
		only := s.kids[from]
		s.kids = s.kids[:from]
		return only
	}
	return s.newNode(node{op: op, from: int32(from), to: int32(len(s.kids))})
}

func (s *solver) and(kids ...nodeID) nodeID {
	base := len(s.stack)
	s.stack = append(s.stack, kids...)
	return s.join(opAnd, base)
}

func (s *solver) or(kids ...nodeID) nodeID {
	base := len(s.stack)
	s.stack = append(s.stack, kids...)
	return s.join(opOr, base)
}

// literal makes a node of a literal, or its truth where that is plain.
func (s *solver) literal(l lit) nodeID {
	x := &s.vars[l.v]
	if x.presence == never {
		switch l.quant {
		case single:
			return truth(l.absentOK)
		case every:
			return trueNode
		case some:
			return falseNode
		}
	}
	if x.presence == always && l.quant == single {
		if l.t == nil {
			return truth(!l.neg)
		}
		if x.lang != nil && len(x.lang.finite) == 1 {
			return truth(l.met(x.lang.finite[0]))
		}
	}
	if x.presence == fixedUnknown {
		return s.doubtLeaf(x.key, "the value of "+x.label(), true)
	}
	if x.presence == unsettled {
		s.doubts = appendNew(s.doubts, "whether "+x.label()+" is in the request")
	}
	return s.newNode(node{op: opLit, lit: l})
}

// present and absent ask for a single-valued key to be there, or not.
func (s *solver) present(v int16) nodeID {
	if s.vars[v].many {
		return s.literal(lit{v: v, quant: some})
	}
	return s.literal(lit{v: v})
}

func (s *solver) absent(v int16) nodeID {
	if s.vars[v].many {
		return s.literal(lit{v: v, quant: every, neg: true})
	}
	return s.literal(lit{v: v, absentOK: true, neg: true})
}

// doubtLeaf makes the leaf of an element whose meaning is not settled; want
// says whether it is to apply. In the pessimistic run nothing rests on it; in
// the optimistic one it is as the request likes, but the same wherever an
// element of the same identity stands.
func (s *solver) doubtLeaf(identity, element string, want bool) nodeID {
	s.doubts = appendNew(s.doubts, element)
	if !s.optimistic {
		return truth(s.favoured)
	}
	key := "?" + identity
	s.pay(len(s.bound) / 16)
	v := s.lookup(key)
	if v < 0 {
		v = s.newVariable(variable{key: element, presence: free, lang: boolLang, doubt: true})
		s.bound = append(s.bound, boundKey{key: key, v: v})
	}
	if want {
		return s.present(v)
	}
	return s.absent(v)
}

func (s *solver) newVariable(x variable) int16 {
	n := len(s.vars)
	if n < cap(s.vars) && x.lits == nil {
		x.lits = s.vars[:n+1][n].lits[:0]
	}
	s.vars = append(s.vars, x)
	return int16(n)
}

func (s *solver) lookup(key string) int16 {
	for i := range s.bound {
		if s.bound[i].key == key {
			return s.bound[i].v
		}
	}
	return -1
}
