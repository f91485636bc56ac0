package proof

import (
	"slices"

	"github.com/rolewarden/rolewarden/pkg/policy"
)

// Find looks for a request of a region that the document allows. It is
// Compile and Compiled.Find in one step.
func Find(d policy.Document, q Query) Answer { return Compile(d, q.World.Partition).Find(q) }

// Find looks for a request of a region that the document allows.
func (c *Compiled) Find(q Query) Answer {
	f := finder{budget: q.Budget, world: &q.World, partition: c.partition, callers: q.Callers, documents: []*Compiled{c}}
	if f.asked = whereCost(q.Where); f.asked > f.budget.steps(f.documents) {
		return Answer{Outcome: Unknown, Undecided: []string{beyondAt(largestOf(q.Where))}}
	}
	where := compileWhere(q.Where)
	f.keys = whereKeys(c.keys, where)
	f.want = baseAction(q.Actions)
	f.actions = q.Actions
	f.build = func(s *solver) bool {
		return s.assert(s.where(where)) && s.assertRegion(c, q.Actions, f.keys)
	}
	f.search = (*solver).model
	f.confirm = func(s *solver) (Answer, string) { return s.witness(q.Actions, c) }
	return f.run()
}

// finder puts one question to every variant of the callers, twice where
// something is in doubt.
type finder struct {
	world     *World
	partition string
	callers   []Callers
	documents []*Compiled
	keys      []string
	// want are the assume actions asked for; a caller who cannot make them is passed over.
	want actionSet
	// actions must be allowed by the first document; nil for the variant's own.
	actions []string
	// build asserts the question's formula; false when it is plainly never met.
	build func(*solver) bool
	// search looks for a model of what was asserted.
	search func(*solver) bool
	// confirm makes the answer of a model, or says why it does not stand.
	confirm func(*solver) (Answer, string)

	// asked is what making the region ready has cost.
	asked   int
	solver  *solver
	budget  *Budget
	own     rosters
	work    int
	answer  Answer
	open    []variant
	reasons []string
	// ended is what a search was looking for when it first met its bound.
	ended string
}

// baseAction gives the assume actions among actions.
func baseAction(actions []string) actionSet {
	var set actionSet
	for _, a := range actions {
		set |= actionBit(a)
	}
	return set & (assumeRole | assumeRoleWithSAML | assumeRoleWithWebIdentity)
}

func (f *finder) run() Answer {
	space := &f.documents[0].solvers
	if used, ok := space.Get().(*solver); ok {
		f.solver = used
	} else {
		f.solver = newSolver()
	}
	defer space.Put(f.solver)
	if slices.ContainsFunc(f.documents, (*Compiled).TooLarge) {
		return Answer{Outcome: Unknown, Undecided: []string{beyondAt(largest(f.documents))}}
	}
	f.work = f.budget.steps(f.documents)
	limit := f.work
	defer func() { f.budget.pay(limit - max(0, f.work)) }()
	sc := f.scene()
	f.work -= f.asked
	f.work -= len(sc.services)/4 + 8*len(sc.providers)
	if f.pessimistic(&sc) {
		return f.answer
	}
	f.optimistic()
	if len(f.reasons) > 0 {
		return Answer{Outcome: Unknown, Undecided: f.told()}
	}
	return Answer{Outcome: None}
}

func (f *finder) scene() scene {
	sc := scene{
		world: f.world, partition: f.partition, rosters: f.rosters(),
		orgs:   mentions(f.keys, "aws:principalorg"),
		source: slices.Contains(f.keys, "sts:sourceidentity") || slices.Contains(f.keys, "aws:sourceidentity"),
	}
	sc.services, sc.providers = f.documents[0].services, f.documents[0].providers
	for _, d := range f.documents[1:] {
		sc.services = slices.Concat(sc.services, d.services)
		sc.providers = slices.Concat(sc.providers, d.providers)
	}
	return sc
}

// rosters are those of the budget, or the question's own.
func (f *finder) rosters() *rosters {
	if f.budget != nil {
		return &f.budget.rosters
	}
	return &f.own
}

// each visits the variants of all callers until it is told to stop.
func (f *finder) each(sc *scene, visit func(variant) bool) bool {
	for i := range f.callers {
		if sc.eachVariant(&f.callers[i], visit) {
			return true
		}
	}
	return false
}

// pessimistic looks for a model that stands under every reading; it notes the
// variants that doubt or a bound leaves open.
func (f *finder) pessimistic(sc *scene) bool {
	return f.each(sc, func(v variant) bool {
		if f.passesOver(v) {
			return false
		}
		if f.work <= 0 {
			f.reasons = appendNew(f.reasons, beyondBound)
			return true
		}
		s := f.prepare(v)
		if f.ready(s) && f.search(s) {
			answer, problem := f.confirmed(s)
			if problem == "" {
				f.answer, f.work = answer, s.work
				return true
			}
			f.reasons = appendNew(f.reasons, problem)
		}
		f.endedAt(s)
		if len(s.doubts) > 0 || s.undecided {
			f.open = append(f.open, v)
		}
		f.work = s.work
		return false
	}) && f.answer.Outcome == Found
}

// endedAt keeps what the first search that met its bound was looking for.
func (f *finder) endedAt(s *solver) {
	if s.bounded && f.ended == "" {
		f.ended = s.ended
	}
}

// told gives the reasons; with a bound goes what the search was looking for
// when it met it, or the largest part of the documents.
func (f *finder) told() []string {
	if at := slices.Index(f.reasons, beyondBound); at >= 0 {
		where := largest(f.documents)
		if f.ended != "" {
			where = "it was looking for " + f.ended
		}
		f.reasons[at] = beyondAt(where)
	}
	return f.reasons
}

// confirmed makes the answer of a model at the price of reading the document once more.
func (f *finder) confirmed(s *solver) (Answer, string) {
	for _, d := range f.documents {
		if !s.pay(d.cost / 2) {
			return Answer{}, beyondBound
		}
	}
	return f.confirm(s)
}

// ready builds the formula at its price.
func (f *finder) ready(s *solver) bool {
	size := len(f.keys)
	for _, d := range f.documents {
		size += len(d.statements)
	}
	s.recording = true
	ok := s.pay(1+size/4) && f.build(s) && s.work >= 0
	s.searching()
	return ok
}

// optimistic looks for a model under any reading of the open variants.
func (f *finder) optimistic() {
	for _, v := range f.open {
		s := f.prepare(v)
		s.optimistic = true
		var why []string
		if f.ready(s) && f.search(s) {
			why = s.blame()
		} else if s.undecided {
			why = s.unsettled()
		}
		f.endedAt(s)
		for _, r := range why {
			f.reasons = appendNew(f.reasons, r)
		}
		f.work = s.work
	}
}

// passesOver reports whether a variant cannot make the request, or no Allow
// is for its kind.
func (f *finder) passesOver(v variant) bool {
	if f.want != 0 && f.want != v.action() {
		return true
	}
	if f.actions == nil {
		return f.documents[0].reach[v.kind]&v.action() == 0
	}
	return f.documents[0].unreachable(v.kind, f.actions)
}

// model looks for a model of what is asserted.
func (s *solver) model() bool {
	if !s.solve() || !s.finish() {
		return false
	}
	if !s.optimistic {
		s.reduce(nil)
	}
	return true
}

// prepare clears the solver for a variant.
func (f *finder) prepare(v variant) *solver {
	s := f.solver
	s.clear()
	s.world, s.partition, s.variant, s.work, s.keys = f.world, f.partition, v, f.work, f.keys
	s.rosters = f.rosters()
	s.nodes = append(s.nodes, node{op: opFalse}, node{op: opTrue})
	return s
}

// blame names the doubtful elements that a model found in the optimistic run rests on.
func (s *solver) blame() []string {
	var out []string
	for _, e := range s.trail {
		if x := &s.vars[e.v]; x.doubt {
			out = appendNew(out, x.key)
		}
	}
	if len(out) == 0 {
		out = append(out, s.doubts...)
	}
	if len(out) == 0 {
		out = append(out, s.unsettled()...)
	}
	if len(out) == 0 {
		out = append(out, "two searches that should agree did not")
	}
	return out
}

// unsettled says why a search ended undecided.
func (s *solver) unsettled() []string {
	var out []string
	if s.bounded {
		out = append(out, beyondBound)
	}
	return append(out, s.unsure...)
}
