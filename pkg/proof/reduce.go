package proof

import "slices"

// reduce leaves in a model only what the question needs: keys that can be
// absent go, and natural values come back. still says what must go on holding
// beside the question's formula; nil for nothing.
func (s *solver) reduce(still func() bool) {
	whole, bounded, undecided := s.work, s.bounded, s.undecided
	s.work /= 2
	half := s.work
	s.reduceOnes(still)
	s.reducePairs(still)
	s.work, s.bounded, s.undecided = whole-(half-max(0, s.work)), bounded, undecided
}

// reducePairs leaves out keys that come in pairs.
func (s *solver) reducePairs(still func() bool) {
	for v := range s.vars {
		for u := range v {
			x, y := &s.vars[v], &s.vars[u]
			if s.work < 0 || !x.optional() || !y.optional() {
				continue
			}
			has, value, values := y.has, y.value, y.values
			y.has, y.value, y.values = false, "", nil
			if !s.try(int16(v), func() { x.has, x.value, x.values = false, "", nil }, still) {
				y.has, y.value, y.values = has, value, values
			}
		}
	}
}

// optional reports whether a key is there that need not be.
func (x *variable) optional() bool {
	return x.has && !x.doubt && x.presence == free
}

func (s *solver) reduceOnes(still func() bool) {
	for v := range s.vars {
		x := &s.vars[v]
		if !x.has || x.doubt || x.presence == unsettled || s.work < 0 {
			continue
		}
		if x.optional() {
			s.try(int16(v), func() { x.has, x.value, x.values = false, "", nil }, still)
		}
		if x.many {
			s.reduceSet(int16(v), still)
			continue
		}
		if x.has && !x.looksNatural() {
			s.naturalise(int16(v), still)
		}
	}
}

// reduceSet leaves out values of a multi-valued key.
func (s *solver) reduceSet(v int16, still func() bool) {
	x := &s.vars[v]
	for i := len(x.values) - 1; i >= 0 && len(x.values) > 1; i-- {
		rest := slices.Delete(slices.Clone(x.values), i, i+1)
		s.try(v, func() { x.values = rest }, still)
	}
}

// looksNatural reports whether a value is one of those that come to mind.
func (x *variable) looksNatural() bool {
	return x.lang == nil || x.lang.finite != nil || slices.Contains(x.natural, x.value)
}

// naturalise puts a natural value in place of one that was searched for.
func (s *solver) naturalise(v int16, still func() bool) {
	x := &s.vars[v]
	list := x.natural
	if x.caller {
		account, name := arnAccount(x.value), look(x.value, nameWindow)
		if slices.Contains(x.natural, name) && x.value == s.callerARN(account, name) && slices.Contains(naturalAccounts, account) {
			return
		}
		list = []string{
			s.callerARN(s.accountsToTry(1)[0], x.natural[0]), s.callerARN(account, x.natural[0]),
			s.callerARN(account, name), s.callerARN(s.accountsToTry(1)[0], name),
		}
	}
	for _, value := range list[:min(len(list), 4)] {
		if value == x.value || x.lang.has(value) && s.try(v, func() { x.value = value }, still) {
			return
		}
	}
}

// try changes a variable's model; it changes it back where the question's
// formula would not hold.
func (s *solver) try(v int16, change func(), still func() bool) bool {
	x := &s.vars[v]
	has, value, values := x.has, x.value, x.values
	change()
	if s.standing(x) && (still == nil || still()) {
		return true
	}
	x.has, x.value, x.values = has, value, values
	return false
}

// standing reports whether all that was asserted before the search holds, and
// what ties keys to each other.
func (s *solver) standing(x *variable) bool {
	for i := range x.lits[:x.base] {
		if !s.pay(x.steps(&x.lits[i])) || !x.holds(&x.lits[i]) {
			return false
		}
	}
	for _, id := range s.roots {
		if !s.holds(id) {
			return false
		}
	}
	return s.sourcesAgree() && s.timesAgree() && s.organizationsAgree() && s.tagsAgree()
}

// searching ends the making of the formula: what it asserts is what must stand.
func (s *solver) searching() {
	s.recording = false
	for i := range s.vars {
		s.vars[i].base = len(s.vars[i].lits)
	}
}
