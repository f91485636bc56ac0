package proof

import "slices"

// covers reports whether the pattern plainly takes all that another takes: the
// other's tokens, read as a text, can be laid under this one's. False means that
// it did not show. What it may cost is linear in the two.
func (p *pattern) covers(q *pattern) bool {
	moves := 8 * (len(p.tokens) + len(q.tokens) + 1)
	pi, qi := 0, 0
	star, mark := -1, 0
	for qi < len(q.tokens) {
		if moves--; moves < 0 {
			return false
		}
		if pi < len(p.tokens) {
			t := p.tokens[pi]
			if t.star() {
				star, mark = pi, qi
				pi++
				continue
			}
			if t.coversOne(q.tokens[qi]) {
				pi++
				qi++
				continue
			}
		}
		if star < 0 || !p.tokens[star].swallows(q.tokens[mark]) {
			return false
		}
		mark++
		pi, qi = star+1, mark
	}
	for pi < len(p.tokens) && p.tokens[pi].star() {
		pi++
	}
	return pi == len(p.tokens)
}

// coversOne reports whether a token for one rune takes whatever another token
// for one rune takes.
func (t token) coversOne(u token) bool {
	if t.star() || u.star() {
		return false
	}
	switch t.kind {
	case takeRune:
		return u.kind == takeRune && t.r == u.r
	case takeFold:
		return (u.kind == takeRune || u.kind == takeFold) && foldRune(t.r) == foldRune(u.r)
	default:
		return t.swallows(u)
	}
}

// swallows reports whether a token for many runes, or for any one, takes all the
// runes that another token may take.
func (t token) swallows(u token) bool {
	if t.kind == takeMany || t.kind == takeOne {
		return true
	}
	switch u.kind {
	case takeRune, takeFold:
		return u.r != ':'
	case takeField, takeFields:
		return true
	default:
		return false
	}
}

// apart reports whether two patterns plainly have no text in common: one of
// their first parts between colons is written out in both, and is not the same.
// False means that it did not show.
func (p *pattern) apart(q *pattern) bool {
	a, b := p.tokens, q.tokens
	for {
		n, closed := firstPart(a)
		m, too := firstPart(b)
		switch {
		case !closed || !too:
			return false
		case written(a[:n]) && written(b[:m]) && !sameRunes(a[:n], b[:m]):
			return true
		case n == len(a) || m == len(b):
			// One text ends here; the other has a colon.
			return (n == len(a)) != (m == len(b))
		}
		a, b = a[n+1:], b[m+1:]
	}
}

// firstPart gives how many tokens there are up to the first colon, or the end;
// closed is false when what they take may itself hold a colon.
func firstPart(tokens []token) (n int, closed bool) {
	for i, t := range tokens {
		switch {
		case t.kind == takeMany || t.kind == takeOne:
			return i, false
		case (t.kind == takeRune || t.kind == takeFold) && t.r == ':':
			return i, true
		}
	}
	return len(tokens), true
}

func written(tokens []token) bool {
	return !slices.ContainsFunc(tokens, func(t token) bool { return t.kind != takeRune })
}

func sameRunes(x, y []token) bool {
	return slices.EqualFunc(x, y, func(a, b token) bool { return a.r == b.r })
}
