package proof

import (
	"slices"
	"strings"
)

// constants gives the values of a condition without variables, and with them
// those whose variables are the same in every request of the variant; open says
// that there are others.
func (s *solver) constants(c *condition) (plain *test, open bool) {
	if len(c.tied) == 0 {
		return c.plain, false
	}
	t := &test{}
	if c.plain != nil {
		t.exact, t.patterns = slices.Clone(c.plain.exact), slices.Clone(c.plain.patterns)
	}
	for i := range c.tied {
		pieces, known := s.constantPieces(c.tied[i].pieces)
		open = open || !known
		if known && pieces != nil {
			open = !t.add(pieces, c.how) || open
		}
	}
	if len(t.exact)+len(t.patterns) == 0 {
		return nil, open
	}
	return t.seal(), open
}

// constantPieces puts in variables that are the same in every request; no
// pieces stand for a value that matches nothing. It is false for others.
func (s *solver) constantPieces(pieces []piece) ([]piece, bool) {
	out, none := slices.Clone(pieces), false
	for i, p := range pieces {
		if p.kind != variablePiece {
			continue
		}
		v, win := s.bind(p.key)
		x := &s.vars[v]
		text := p.fallback
		switch {
		case x.presence == always && !x.many && len(x.lang.finiteOrNil()) == 1:
			text = look(x.lang.finite[0], win)
		case x.presence != never:
			return nil, false
		case !p.hasDefault:
			none = true
		}
		if strings.ContainsAny(text, "*?") || s.oddlySpelled(p.key) {
			return nil, false
		}
		out[i] = piece{kind: literalPiece, text: text}
	}
	if none {
		return nil, true
	}
	return out, true
}
