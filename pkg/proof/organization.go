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
	if s.organizationsAgree() {
		return tiesHeld
	}
	id, paths := &s.vars[a], &s.vars[b]
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

// organizationsAgree reports whether all paths begin with the organization's id.
func (s *solver) organizationsAgree() bool {
	a, b := s.lookup("aws:principalorgid"), s.lookup("aws:principalorgpaths")
	if a < 0 || b < 0 || !s.vars[a].has || !s.vars[b].has || !s.variant.aws() {
		return true
	}
	return !slices.ContainsFunc(s.vars[b].values, func(p string) bool { return !strings.HasPrefix(p, s.vars[a].value+"/") })
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

// moveOrganization looks for another organization. Where the literals write
// out which ones there can be, each is tried. Else each literal that asks for
// some path is led by in turn: the organizations that it leaves are those in
// which it has a path. Where one of them leaves none, there is none.
func (s *solver) moveOrganization(id, paths *variable) verdict {
	var inside, leaders []lit
	var written []string
	for _, l := range paths.lits {
		if list, ok := l.organizations(); ok && (written == nil || len(list) < len(written)) {
			written = list
		}
		if l.quant == every {
			inside = append(inside, l)
		} else {
			leaders = append(leaders, l)
		}
	}
	if written != nil {
		return s.moveTo(written, id, paths)
	}
	for _, l := range id.lits {
		l.win = orgWindow
		inside = append(inside, l)
	}
	if len(leaders) == 0 {
		leaders = []lit{{quant: some}}
	}
	for _, leader := range leaders {
		if v := s.follow(leader, inside, id, paths); v != undecided {
			return v
		}
	}
	return undecided
}

// organizations gives the ids of organizations in which alone a literal can be
// met, where it writes them out.
func (l *lit) organizations() ([]string, bool) {
	if l.neg || l.t == nil || l.win != wholeWindow || l.t.family != textFamily || l.t.within != nil {
		return nil, false
	}
	var out names
	for _, v := range l.t.exact {
		out.add(look(v, orgWindow))
	}
	for i := range l.t.patterns {
		p := &l.t.patterns[i]
		written, _, ok := strings.Cut(p.text, "/")
		if !ok || len(p.tokens) < len(written) {
			return nil, false
		}
		for _, t := range p.tokens[:len(written)] {
			if t.kind != takeRune {
				return nil, false
			}
		}
		out.add(written)
	}
	return out.list, true
}

// moveTo tries organizations of which one it must be.
func (s *solver) moveTo(written []string, id, paths *variable) verdict {
	out := empty
	for _, o := range written {
		if !s.pay(1 + len(id.lits)) {
			return undecided
		}
		if !id.takes(o) {
			continue
		}
		switch s.placeIn(paths, o) {
		case satisfiable:
			id.value = o
			return satisfiable
		case undecided:
			out = undecided
		case empty:
		}
	}
	return out
}

// follow tries organizations in which a literal has a path.
func (s *solver) follow(leader lit, inside []lit, id, paths *variable) verdict {
	tried := &test{}
	for range organizationTries {
		lits := append(inside[:len(inside):len(inside)], leader)
		if len(tried.exact) > 0 {
			lits = append(lits, lit{win: orgWindow, neg: true, t: tried})
		}
		path, v := s.value(paths, lits, nil)
		if v == empty {
			return empty
		}
		if v == undecided {
			return undecided
		}
		candidate := look(path, orgWindow)
		if s.placeIn(paths, candidate) == satisfiable {
			id.value = candidate
			return satisfiable
		}
		tried.exact = append(tried.exact, candidate)
	}
	return undecided
}

// organizationTries bounds how many organizations are tried that nothing writes out.
const organizationTries = 16

// tied reports whether an asserted tie speaks of a variable.
func (s *solver) tied(v int16) bool {
	return slices.ContainsFunc(s.active, func(i int32) bool { return s.ties[i].speaksOf(v) })
}
