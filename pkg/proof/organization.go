package proof

import (
	"slices"
	"strings"
)

// settleOrganization makes aws:PrincipalOrgPaths begin with aws:PrincipalOrgID,
// as they do (IAM User Guide, reference_policies_condition-keys). Paths of the
// organization that the model has are looked for first, then an organization
// that both keys allow.
func (s *solver) settleOrganization() tieOutcome {
	a, b := s.lookup("aws:principalorgid"), s.lookup("aws:principalorgpaths")
	if a < 0 || b < 0 || !s.vars[a].has || !s.vars[b].has || !s.variant.aws() {
		return tiesHeld
	}
	id, paths := &s.vars[a], &s.vars[b]
	if !slices.ContainsFunc(paths.values, func(p string) bool { return !strings.HasPrefix(p, id.value+"/") }) {
		return tiesHeld
	}
	if s.placeIn(paths, id.value) == satisfiable {
		return tiesMoved
	}
	out := s.moveOrganization(id, paths)
	switch {
	case out == empty:
		return tiesRefused
	case out == satisfiable && !s.tied(a):
		return tiesMoved
	}
	// A policy variable speaks of the id too: one organization is tried, which
	// proves nothing of the others.
	s.undecided = true
	s.unsure = appendNew(s.unsure, "aws:PrincipalOrgPaths with aws:PrincipalOrgID")
	if out == satisfiable && s.assertLit(lit{v: a, t: &test{exact: []string{id.value}}}) {
		return tiesMoved
	}
	return tiesRefused
}

// placeIn gives the paths values in one organization.
func (s *solver) placeIn(paths *variable, id string) verdict {
	in := *paths
	in.lits = append(paths.lits[:len(paths.lits):len(paths.lits)], lit{quant: every, win: orgWindow, t: &test{exact: []string{id}}})
	v := s.assignSet(&in)
	if v == satisfiable && in.has {
		paths.values = in.values
	}
	return v
}

// moveOrganization looks for another organization. Each literal that asks for
// some path is led by in turn: the organizations that it leaves are those in
// which it has a path. Where one of them leaves none, there is none.
func (s *solver) moveOrganization(id, paths *variable) verdict {
	var inside, leaders []lit
	for _, l := range paths.lits {
		if l.quant == every {
			inside = append(inside, l)
		} else {
			leaders = append(leaders, l)
		}
	}
	for _, l := range id.lits {
		l.win = orgWindow
		inside = append(inside, l)
	}
	if len(leaders) == 0 {
		leaders = []lit{{quant: some}}
	}
	for _, leader := range leaders {
		tried := &test{}
		for range tries {
			lits := append(inside[:len(inside):len(inside)], leader)
			if len(tried.exact) > 0 {
				lits = append(lits, lit{win: orgWindow, neg: true, t: tried})
			}
			path, v := s.value(paths, lits, nil)
			if v == empty {
				return empty
			}
			if v == undecided {
				break
			}
			candidate := look(path, orgWindow)
			if s.placeIn(paths, candidate) == satisfiable {
				id.value = candidate
				return satisfiable
			}
			tried.exact = append(tried.exact, candidate)
		}
	}
	return undecided
}

// tied reports whether an asserted tie speaks of a variable.
func (s *solver) tied(v int16) bool {
	return slices.ContainsFunc(s.active, func(i int32) bool { return s.ties[i].speaksOf(v) })
}
