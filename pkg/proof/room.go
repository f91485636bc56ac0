package proof

// room is a solver with space for a usual question, so that one allocation serves it.
type room struct {
	solver
	varRoom    [8]variable
	litRoom    [8][4]lit
	boundRoom  [8]boundKey
	nodeRoom   [24]node
	kidRoom    [24]nodeID
	stackRoom  [16]nodeID
	builtRoom  [8]built
	clauseRoom [8]nodeID
	rootRoom   [12]nodeID
	trailRoom  [12]trailEntry
}

// newSolver makes a solver that is to be cleared before use.
func newSolver() *solver {
	r := &room{}
	for i := range r.varRoom {
		r.varRoom[i].lits = r.litRoom[i][:0]
	}
	s := &r.solver
	s.vars, s.bound, s.nodes, s.kids = r.varRoom[:0], r.boundRoom[:0], r.nodeRoom[:0], r.kidRoom[:0]
	s.stack, s.built, s.clauses, s.trail, s.roots = r.stackRoom[:0], r.builtRoom[:0], r.clauseRoom[:0], r.trailRoom[:0], r.rootRoom[:0]
	return s
}

// clear forgets everything but the space.
func (s *solver) clear() {
	*s = solver{
		vars: s.vars[:0], bound: s.bound[:0], nodes: s.nodes[:0], kids: s.kids[:0], stack: s.stack[:0],
		ties: s.ties[:0], built: s.built[:0], clauses: s.clauses[:0], active: s.active[:0], roots: s.roots[:0], trail: s.trail[:0],
	}
}
