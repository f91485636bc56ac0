package proof

import "slices"

// assignSet finds the values of a multi-valued key: all inside what every
// literal allows, one for each literal that asks for some.
func (s *solver) assignSet(x *variable) verdict {
	var inside, asked []lit
	for _, l := range x.lits {
		if l.quant == every {
			inside = append(inside, l)
		} else {
			asked = append(asked, l)
		}
	}
	if len(asked) == 0 && x.presence != always && x.presence != unsettled {
		x.has, x.values = false, nil
		return satisfiable
	}
	if x.presence == never || len(asked) > 0 && x.presence == unsettled {
		return empty
	}
	if x.names() {
		// What can only be one spelling is chosen before what can be several.
		slices.SortStableFunc(asked, func(a, b lit) int { return a.spellings() - b.spellings() })
	}
	var values []string
	for i := range asked {
		if slices.ContainsFunc(values, asked[i].met) {
			continue
		}
		value, v := s.another(x, append(inside[:len(inside):len(inside)], asked[i]), values)
		if v != satisfiable {
			return v
		}
		values = append(values, value)
	}
	if len(values) == 0 {
		value, v := s.value(x, inside, nil)
		if v != satisfiable {
			return v
		}
		values = append(values, value)
	}
	x.has, x.values = true, values
	return satisfiable
}

// names reports whether a key's values are names of tags, which STS refuses
// where two differ in nothing but case (IAM User Guide, id_session-tags).
func (x *variable) names() bool { return x.key == "aws:tagkeys" || x.key == "sts:transitivetagkeys" }

// spellings ranks literals by how many values can meet them.
func (l *lit) spellings() int {
	if !l.neg && l.t.finite() {
		return len(l.t.exact)
	}
	return 1 << 20
}

// another finds a value to stand beside others. Where there is none the whole
// set is impossible only if the others could have been no different.
func (s *solver) another(x *variable, lits []lit, beside []string) (string, verdict) {
	if !x.names() || len(beside) == 0 {
		return s.value(x, lits, nil)
	}
	apart := &test{}
	for _, v := range beside {
		apart.add([]piece{{kind: literalPiece, text: v}}, compareFold)
	}
	value, v := s.value(x, append(lits[:len(lits):len(lits)], lit{neg: true, t: apart.seal()}), nil)
	if v != empty || !slices.ContainsFunc(beside, func(b string) bool { return !s.forced(x, b) }) {
		return value, v
	}
	if _, alone := s.value(x, lits, nil); alone == empty {
		return "", empty
	}
	return "", undecided
}

// forced reports whether a literal on a key asks for one value and no other.
func (s *solver) forced(x *variable, value string) bool {
	return slices.ContainsFunc(x.lits, func(l lit) bool {
		return l.quant == some && !l.neg && l.t.finite() && len(l.t.exact) == 1 && l.t.exact[0] == value
	})
}
