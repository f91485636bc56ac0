package proof

import (
	"slices"
	"strings"
)

// assign gives a variable a model that meets its literals. The search is exact:
// empty means that there is none.
func (s *solver) assign(x *variable) verdict {
	if x.many {
		return s.assignSet(x)
	}
	if x.presence != always {
		absent := true
		for i := range x.lits {
			absent = absent && x.lits[i].absentOK
		}
		switch x.presence {
		case never:
			x.has = false
			if !absent {
				return empty
			}
			return satisfiable
		case unsettled:
			if !absent {
				return empty
			}
		default:
			if absent {
				x.has = false
				return satisfiable
			}
		}
	}
	value, v := s.value(x, x.lits, nil)
	if v == satisfiable {
		x.has, x.value = true, value
	}
	return v
}

// value finds one legal value that meets every literal, other than those in
// avoid: natural ones first, then by search.
func (s *solver) value(x *variable, lits []lit, avoid []string) (string, verdict) {
	out, v := s.lookForValue(x, lits, avoid)
	if v != satisfiable && s.work < 0 {
		// The search may have stopped before it looked everywhere.
		s.bounded = true
		s.endsAt(x)
		return "", undecided
	}
	return out, v
}

func (s *solver) lookForValue(x *variable, lits []lit, avoid []string) (string, verdict) {
	fits := func(v string) bool {
		if !s.pay(1+len(v)/12) || !x.lang.has(v) {
			return false
		}
		for i := range lits {
			// A long value takes longer to match.
			if !s.pay(lits[i].steps()*(1+len(v)/64)) || !lits[i].met(v) {
				return false
			}
		}
		return !slices.Contains(avoid, v)
	}
	if s.work < 0 {
		return "", undecided
	}
	// A whole-valued literal that lists its values leaves no other candidates.
	for i := range lits {
		if l := &lits[i]; !l.neg && l.win == wholeWindow && l.t.finite() {
			return firstFit(l.t.exact, fits)
		}
	}
	if x.lang.finite != nil {
		return firstFit(x.lang.finite, fits)
	}
	var out string
	try := func(v string) bool {
		if fits(v) {
			out = v
			return true
		}
		return false
	}
	if x.caller {
		if v := s.callerValue(x, lits, try); v != undecided {
			return out, v
		}
	} else if s.tryNatural(x, lits, try) {
		return out, satisfiable
	}
	return s.searchValue(x, lits, avoid)
}

func firstFit(list []string, fits func(string) bool) (string, verdict) {
	for _, v := range list {
		if fits(v) {
			return v, satisfiable
		}
	}
	return "", empty
}

// mostSampled bounds how many literals are asked for samples: one that meets
// so many others is none of theirs.
const mostSampled = 8

// tryNatural tries the key's natural values, then samples of what literals ask for.
func (s *solver) tryNatural(x *variable, lits []lit, try func(string) bool) bool {
	if slices.ContainsFunc(x.natural, try) {
		return true
	}
	var buf [64]string
	if x.lang == arnLang && tryARNs(lits, try) {
		return true
	}
	if w, ok := woven(lits); ok && try(w) {
		return true
	}
	cands := x.samples(buf[:0], lits)
	for i := range lits {
		if !s.pay(lits[i].t.pointsCost()) {
			return false
		}
		cands = lits[i].t.criticalPoints(cands, x.lang.from)
	}
	cands = midpoints(cands, lits, x.lang.from)
	texts := x.lang.family == textFamily && x.lang.shapes != nil
	if slices.ContainsFunc(cands, func(v string) bool { return try(v) || s.work > 0 && texts && try(widen(v)) }) {
		return true
	}
	for i := 2; i < numbered && texts && len(x.natural) > 0; i++ {
		if try(x.another(i)) {
			return true
		}
	}
	return false
}

// samples gives texts that meet what the first literals ask for.
func (x *variable) samples(dst []string, lits []lit) []string {
	for i := range min(len(lits), mostSampled) {
		l := &lits[i]
		if l.neg || l.win != wholeWindow {
			continue
		}
		dst = l.t.samples(dst)
		if x.lang == orgPathLang {
			dst = l.t.pathSamples(dst)
		}
		if x.lang.family == addressFamily {
			dst = l.t.addressSamples(dst)
		}
	}
	return dst
}

// widen lengthens a sample that may be too short.
func widen(v string) string {
	if len(v) >= 2 {
		return v + "x"
	}
	return v + "xx"
}

// searchValue decides what natural values do not: by machines for texts; for
// other families natural candidates were all there is, where no text literal
// takes part.
func (s *solver) searchValue(x *variable, lits []lit, avoid []string) (string, verdict) {
	if slices.ContainsFunc(lits, func(l lit) bool { return l.t == nil && l.neg }) {
		return "", empty
	}
	texts, others := byFamily(lits)
	for i := range texts {
		if !s.pay((len(texts)/8 + 1) * texts[i].steps()) {
			return "", undecided
		}
	}
	if contradicted(texts) || slices.ContainsFunc(texts, func(l lit) bool { return l.neg && l.t.within.holds(x.lang) }) {
		return "", empty
	}
	if x.lang.shapes == nil {
		// Dates and addresses: critical points are complete against each other.
		if len(texts) == 0 && len(avoid) == 0 {
			return "", empty
		}
		return "", undecided
	}
	numbersOnly := len(texts) == 0
	if len(avoid) > 0 {
		texts = append(texts, lit{neg: true, t: (&test{exact: avoid}).seal()})
	}
	if s.quick {
		// There may be one; it is searched for if no other alternative does.
		return "", undecided
	}
	word, v := s.searchWord(x.lang, texts)
	switch {
	case v == undecided:
		s.bounded = true
		s.endsAt(x)
		return "", undecided
	case v == empty || others == 0:
		return word, v
	case numbersOnly && x.lang == countLang && len(avoid) == 0:
		return "", empty
	case s.apart(lits):
		return "", empty
	default:
		return "", undecided
	}
}

// byFamily gives the literals on texts, with room for one more, and counts the
// others that say something.
func byFamily(lits []lit) (texts []lit, others int) {
	texts = make([]lit, 0, len(lits)+1)
	for _, l := range lits {
		switch {
		case l.t == nil:
		case l.t.family == textFamily:
			texts = append(texts, l)
		default:
			others++
		}
	}
	return texts, others
}

// searchWord searches a word, for no more than valueLimit steps.
func (s *solver) searchWord(lang *language, texts []lit) (string, verdict) {
	part := min(s.work, valueLimit)
	s.work -= part
	if part -= machinesCost(texts); part < 0 {
		return "", undecided
	}
	word, v := newProduct(lang, texts).search(&part)
	s.work += max(0, part)
	return word, v
}

// apart reports whether number literals alone contradict each other, whatever
// the spelling of the number.
func (s *solver) apart(lits []lit) bool {
	var numbers []lit
	for _, l := range lits {
		if l.t != nil && l.t.family == numberFamily {
			numbers = append(numbers, l)
		}
	}
	if len(numbers) == 0 {
		return false
	}
	var cands []string
	for i := range numbers {
		if !s.pay(numbers[i].t.pointsCost()) {
			return false
		}
		cands = numbers[i].t.criticalPoints(cands, nil)
	}
	cands = midpoints(cands, numbers, nil)
	return !slices.ContainsFunc(cands, func(v string) bool {
		if strings.HasPrefix(v, "0-") {
			return false
		}
		for i := range numbers {
			if !numbers[i].met(v) {
				return false
			}
		}
		return true
	})
}

// contradicted reports whether one literal asks for what another bars, judging
// by their values as written: the usual proof that nothing is left.
func contradicted(lits []lit) bool {
	for i := range lits {
		for j := range lits {
			a, b := &lits[i], &lits[j]
			if a.neg || i == j || a.win != b.win || a.t == nil || b.t == nil {
				continue
			}
			if b.neg && b.t.includes(a.t) || !b.neg && a.t.apart(b.t) {
				return true
			}
		}
	}
	return false
}

// apart reports whether two short lists of texts and patterns plainly have no
// text in common.
func (t *test) apart(u *test) bool {
	if t.within != nil || u.within != nil || len(t.accounts)+len(u.accounts) > 0 ||
		(len(t.exact)+len(t.patterns))*(len(u.exact)+len(u.patterns)) > 64 {
		return false
	}
	for _, v := range t.exact {
		if u.matchText(v) {
			return false
		}
	}
	for _, v := range u.exact {
		if t.matchText(v) {
			return false
		}
	}
	for i := range t.patterns {
		if slices.ContainsFunc(u.patterns, func(p pattern) bool { return !p.apart(&t.patterns[i]) }) {
			return false
		}
	}
	return true
}

// includes reports whether t plainly takes all that u takes.
func (t *test) includes(u *test) bool {
	if t == u {
		return true
	}
	if t.within != nil || u.within != nil || len(u.exact)+len(u.patterns)+len(u.accounts) > 64 {
		return false
	}
	for _, a := range u.accounts {
		if t.partition != u.partition || !t.hasAccount(a) {
			return false
		}
	}
	for _, v := range u.exact {
		if !t.matchText(v) {
			return false
		}
	}
	for i := range u.patterns {
		if !slices.ContainsFunc(t.patterns, func(p pattern) bool { return p.covers(&u.patterns[i]) }) {
			return false
		}
	}
	return true
}
