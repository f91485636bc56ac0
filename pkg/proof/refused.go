package proof

import (
	"slices"

	"github.com/rolewarden/rolewarden/pkg/access"
	"github.com/rolewarden/rolewarden/pkg/policy"
)

// FindRefused looks for the refused twin of an allowed request: the document
// allows the request for q.Actions, with or without the key, and refuses it
// for q.Actions and extra together whatever legal value the key has. The
// witness is the twin, with a natural legal value. A rule asks this way whether
// callers are let in who cannot set a source identity.
func FindRefused(d policy.Document, q Query, key string, extra []string, legal []Requirement) Answer {
	return Compile(d, q.World.Partition).FindRefused(q, key, extra, legal)
}

// FindRefused is the function of the same name, for a document made ready.
func (c *Compiled) FindRefused(q Query, key string, extra []string, legal []Requirement) Answer {
	f := finder{budget: q.Budget, world: &q.World, partition: c.partition, callers: q.Callers, documents: []*Compiled{c}, want: baseAction(q.Actions), actions: q.Actions}
	if f.asked = whereCost(q.Where); f.asked > f.budget.steps(f.documents) {
		return Answer{Outcome: Unknown, Undecided: []string{beyondAt(largestOf(q.Where))}}
	}
	where := compileWhere(q.Where)
	groups := make([][]Requirement, len(legal))
	for i := range legal {
		groups[i] = legal[i : i+1]
	}
	bounds := compileWhere(groups)
	f.keys = c.carried(whereKeys(whereKeys(c.keys, where), bounds), lowerKey(key))
	t := twin{key: lowerKey(key), keys: f.keys, actions: slices.Concat(q.Actions, extra), base: q.Actions, bounds: bounds}
	f.build = func(s *solver) bool {
		if !s.assert(s.where(where)) {
			return false
		}
		for _, a := range q.Actions {
			if !s.assert(s.allowed(c, a)) {
				return false
			}
		}
		t.build(s, c)
		return s.assertExtras(c, q.Actions, t.key, f.keys) && s.assertKeyTies(f.keys)
	}
	f.search = t.search
	f.confirm = func(s *solver) (Answer, string) { return t.witness(s, c) }
	return f.run()
}

// twin is the second request of FindRefused: the same but for the key, which
// is a variable of its own in it, and for the actions.
type twin struct {
	key     string
	keys    []string
	base    []string
	actions []string
	bounds  [][]requirement
	// v is the key's variable in the twin, formula what allows the twin.
	v       int16
	formula nodeID
}

// boxes bounds how many boxes of allowed twins are taken away from the base.
const boxes = 256

// build makes the formula of an allowed twin. Doubtful elements are read in the
// twin's favour where the base reads them against itself.
func (t *twin) build(s *solver, c *Compiled) {
	v, _ := s.bind(t.key)
	if s.variant.chained {
		s.bind("aws:sourceidentity")
	}
	own := s.vars[v]
	t.v = s.newVariable(variable{key: own.key, presence: always, lang: own.lang, natural: own.natural, has: true})
	if s.vars[t.v].lang == nil {
		s.vars[t.v].presence = never
	} else {
		s.vars[t.v].value, _ = s.value(&s.vars[t.v], nil, nil)
	}
	for i := range s.bound {
		if s.bound[i].v == v {
			s.bound[i].v = t.v
		}
	}
	s.built, s.favoured = s.built[:0], !s.optimistic
	base := len(s.stack)
	for _, a := range t.actions {
		s.stack = append(s.stack, s.allowed(c, a))
	}
	for i := range extras {
		s.stack = append(s.stack, s.extra(i, c, t.actions, t.key, t.keys))
	}
	for _, group := range t.bounds {
		for i := range group {
			s.stack = append(s.stack, s.condition(&group[i].condition, group[i].want))
		}
	}
	t.formula = s.join(opAnd, base)
	s.built, s.favoured = s.built[:0], false
	for i := range s.bound {
		if s.bound[i].v == t.v {
			s.bound[i].v = v
		}
	}
}

// search looks for a base request of which no twin is allowed: it takes one
// base request after the other and shuts out the box of those whose twins are
// allowed for the same reason.
func (t *twin) search(s *solver) bool {
	root := s.mark()
	for range boxes {
		clauses := slices.Clone(s.clauses)
		if !s.solve() {
			return false
		}
		box, covered := t.cover(s)
		if !covered {
			return s.finish() && t.reduced(s)
		}
		s.undo(root)
		copy(s.clauses, clauses)
		base := len(s.stack)
		for _, n := range box {
			s.stack = append(s.stack, s.opposite(n))
		}
		if !s.assert(s.join(opOr, base)) {
			return false
		}
		root = s.mark()
	}
	s.bounded, s.undecided = true, true
	return false
}

// opposite negates a literal or a tie.
func (s *solver) opposite(id nodeID) nodeID {
	n := s.nodes[id]
	if n.op == opTie {
		u := s.ties[n.tie]
		u.neg = !u.neg
		s.ties = append(s.ties, u)
		return s.newNode(node{op: opTie, tie: int32(len(s.ties) - 1)})
	}
	return s.literal(n.lit.not())
}

// reduced leaves in the base only what keeps its twins refused.
func (t *twin) reduced(s *solver) bool {
	if !s.optimistic {
		s.reduce(func() bool { _, covered := t.cover(s); return !covered && s.work >= 0 })
	}
	return true
}

// witness makes the twin's request and has access confirm both halves.
func (t *twin) witness(s *solver, c *Compiled) (Answer, string) {
	base := s.request(t.base)
	base.Actions = slices.DeleteFunc(base.Actions, func(a string) bool {
		return containsFold(t.actions, a) && !containsFold(t.base, a)
	})
	if r := access.Evaluate(c.document, base); r.Decision != access.Allowed {
		return Answer{}, disagreement(base, r)
	}
	v := s.lookup(t.key)
	s.vars[v].has, s.vars[v].value = true, t.natural(s)
	refused := s.request(t.actions)
	r := access.Evaluate(c.document, refused)
	if r.Decision != access.Denied {
		return Answer{}, disagreement(refused, r)
	}
	return Answer{Outcome: Found, Witness: &refused, Statements: access.Evaluate(c.document, base).Statements}, ""
}

// natural gives a legal value for the twin's key.
func (t *twin) natural(s *solver) string {
	x := &s.vars[t.v]
	for _, v := range x.natural {
		if t.isLegal(v) {
			return v
		}
	}
	var lits []lit
	for _, group := range t.bounds {
		for i := range group {
			if r := &group[i]; r.known && r.plain != nil && r.key == t.key {
				lits = append(lits, lit{v: t.v, neg: r.op.Negated == r.want, t: r.plain})
			}
		}
	}
	if v, ok := s.value(x, lits, nil); ok == satisfiable {
		return v
	}
	return x.value
}

func (t *twin) isLegal(v string) bool {
	for _, group := range t.bounds {
		for i := range group {
			r := &group[i]
			if r.known && r.plain != nil && r.key == t.key && r.plain.match(v) == (r.op.Negated == r.want) {
				return false
			}
		}
	}
	return true
}
