package proof

import "strings"

// tie asks that one variable match, or not match, a pattern that other
// variables fill. All of them are asserted present beside it.
type tie struct {
	v      int16
	win    window
	neg    bool
	how    comparison
	pieces []tiePiece
	// element is the place of the condition.
	element string
}

// tiePiece is a piece whose variable is bound.
type tiePiece struct {
	piece
	v   int16
	win window
}

// maxOptional bounds how many variables that may be absent one value may hold.
const maxOptional = 6

// tiedNode makes the node of one value with variables: want says whether the
// key is to match it; the key itself may be absent where absentOK says so.
func (s *solver) tiedNode(c *condition, tv *tiedValue, want, absentOK bool) nodeID {
	v, win := s.bind(c.key)
	pieces := make([]tiePiece, len(tv.pieces))
	optional := 0
	for i, p := range tv.pieces {
		pieces[i] = tiePiece{piece: p}
		if p.kind == variablePiece {
			pieces[i].v, pieces[i].win = s.bind(p.key)
			x := &s.vars[pieces[i].v]
			if x.presence != always && x.presence != never {
				optional++
			}
			if x.many || s.oddlySpelled(p.key) {
				optional = maxOptional + 1
			}
		}
	}
	if optional > maxOptional {
		return s.doubtLeaf(tv.text, c.place, want)
	}
	t := tie{v: v, win: win, neg: !want, how: c.how, pieces: pieces, element: c.place}
	node := s.openWildcards(c, s.resolve(t, 0), pieces, want)
	if absentOK {
		return s.or(s.absent(v), node)
	}
	return s.and(s.present(v), node)
}

// openWildcards adds to the node of a value with variables what a pattern makes of
// wildcards in their values: whether those count is not documented.
func (s *solver) openWildcards(c *condition, node nodeID, pieces []tiePiece, want bool) nodeID {
	if c.how != compareGlob && c.how != compareARN {
		return node
	}
	base := len(s.stack)
	for _, p := range pieces {
		if p.kind == variablePiece && s.vars[p.v].presence != never && s.mayHold(p, "*?") {
			s.stack = append(s.stack, s.literal(lit{v: p.v, win: p.win, t: wildcardText}))
		}
	}
	if len(s.stack) == base {
		return node
	}
	wild := s.join(opOr, base)
	return s.or(node, s.and(wild, s.doubted(c, want)))
}

// wildcardText is met by texts that hold a wildcard.
var wildcardText = func() *test {
	t := &test{}
	for _, w := range []string{"*", "?"} {
		t.add([]piece{{kind: starPiece}, {kind: literalPiece, text: w}, {kind: starPiece}}, compareGlob)
	}
	return t.seal()
}()

// resolve settles the presence of each variable of a tie from piece i on.
func (s *solver) resolve(t tie, i int) nodeID {
	for ; i < len(t.pieces); i++ {
		p := &t.pieces[i]
		if p.kind != variablePiece {
			continue
		}
		x := &s.vars[p.v]
		if x.presence == always {
			if len(x.lang.finiteOrNil()) == 1 {
				t.pieces = withText(t.pieces, i, look(x.lang.finite[0], p.win))
			}
			continue
		}
		if x.presence == unsettled || x.presence == fixedUnknown {
			return s.doubtLeaf(t.element, t.element, !t.neg)
		}
		without := truth(t.neg)
		if p.hasDefault {
			u := t
			u.pieces = withText(t.pieces, i, p.fallback)
			without = s.resolve(u, i+1)
		}
		if x.presence == never {
			return without
		}
		v := p.v
		u := t
		u.pieces = append([]tiePiece(nil), t.pieces...)
		with := s.resolve(u, i+1)
		return s.or(s.and(s.present(v), with), s.and(s.absent(v), without))
	}
	return s.tieNode(t)
}

func (l *language) finiteOrNil() []string {
	if l == nil {
		return nil
	}
	return l.finite
}

func withText(pieces []tiePiece, i int, text string) []tiePiece {
	out := append([]tiePiece(nil), pieces...)
	out[i] = tiePiece{piece: piece{kind: literalPiece, text: text}}
	return out
}

// tieNode makes the node of a tie whose variables are all present.
func (s *solver) tieNode(t tie) nodeID {
	refs, itself, letters := 0, 0, 0
	for _, p := range t.pieces {
		switch {
		case p.kind == variablePiece && p.v == t.v && p.win == t.win:
			itself++
			refs++
		case p.kind == variablePiece:
			refs++
		case p.kind == onePiece || p.kind == literalPiece && p.text != "":
			letters++
		}
	}
	if refs == 0 {
		l, ok := s.fill(&t)
		if !ok {
			return s.doubtLeaf(t.element, t.element, !t.neg)
		}
		return s.literal(l)
	}
	if itself > 0 {
		// A key in a pattern for itself: always, where nothing else must be there.
		if itself == refs && refs == 1 {
			return truth((letters == 0) != t.neg)
		}
		return s.doubtLeaf(t.element, t.element, !t.neg)
	}
	s.ties = append(s.ties, t)
	return s.newNode(node{op: opTie, tie: int32(len(s.ties) - 1)})
}

// fill puts the model's values into a tie, which makes it a literal on its own
// variable. It is false when a value holds a wildcard, whose meaning there is
// not settled, or when the result is no ARN pattern.
func (s *solver) fill(t *tie) (lit, bool) {
	pieces := make([]piece, 0, len(t.pieces))
	for _, p := range t.pieces {
		if p.kind == variablePiece {
			value := look(s.vars[p.v].value, p.win)
			if (t.how == compareGlob || t.how == compareARN) && strings.ContainsAny(value, "*?") {
				return lit{}, false
			}
			p.piece = piece{kind: literalPiece, text: value}
		}
		pieces = append(pieces, p.piece)
	}
	u := &test{}
	if !u.add(pieces, t.how) {
		return lit{}, false
	}
	return lit{v: t.v, win: t.win, neg: t.neg, t: u}, true
}

// tieHolds reports whether the model meets a tie.
func (s *solver) tieHolds(i int32) bool {
	t := &s.ties[i]
	if !s.pay(2+len(t.pieces)) || !s.vars[t.v].has {
		return false
	}
	for _, p := range t.pieces {
		if p.kind == variablePiece && !s.vars[p.v].has {
			return false
		}
	}
	if r, ok := t.equality(); ok {
		a, b := look(s.vars[t.v].value, t.win), look(s.vars[r.v].value, r.win)
		if t.how != compareGlob || !strings.ContainsAny(b, "*?") {
			return (a == b) != t.neg
		}
	}
	l, ok := s.fill(t)
	return ok && l.met(s.vars[t.v].value)
}

// equality gives the variable of a tie that asks for plain equality.
func (t *tie) equality() (tiePiece, bool) {
	if len(t.pieces) != 1 || t.how == compareFold || t.how == compareARN {
		return tiePiece{}, false
	}
	return t.pieces[0], true
}

// assertTie adds a tie to what must hold; false when one asserted before it
// contradicts it whatever the variables are.
func (s *solver) assertTie(i int32) bool {
	t := &s.ties[i]
	for _, j := range s.active {
		u := &s.ties[j]
		if u.v != t.v || u.win != t.win || u.neg == t.neg {
			continue
		}
		asks, bars := t, u
		if t.neg {
			asks, bars = u, t
		}
		if bars.covers(asks) {
			return false
		}
	}
	s.active = append(s.active, i)
	return true
}

// covers reports whether every text that u's pattern takes, t's takes too,
// whatever the variables are. It may miss some such pairs.
func (t *tie) covers(u *tie) bool {
	if t.how == compareARN || u.how == compareARN {
		return t.how == u.how && samePieces(t.pieces, u.pieces)
	}
	if u.how == compareFold && t.how != compareFold {
		return false
	}
	a, b := symbols(u.pieces), symbols(t.pieces)
	return takesSymbols(b, a, t.how == compareFold)
}

func samePieces(a, b []tiePiece) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return true
}

const (
	starSymbol rune = -1
	oneSymbol  rune = -2
	// variable symbols go down from here.
	variableSymbol rune = -16
)

func symbols(pieces []tiePiece) []rune {
	var out []rune
	for _, p := range pieces {
		switch p.kind {
		case literalPiece:
			out = append(out, []rune(p.text)...)
		case starPiece:
			out = append(out, starSymbol)
		case onePiece:
			out = append(out, oneSymbol)
		case variablePiece:
			out = append(out, variableSymbol-rune(p.v)*8-rune(p.win))
		}
	}
	return out
}

// takesSymbols matches symbols against a pattern of symbols: a star takes
// anything, a question mark one letter, a variable only itself.
func takesSymbols(pattern, text []rune, fold bool) bool {
	// reach[j] says that the pattern so far takes text[:j].
	reach := make([]bool, len(text)+1)
	reach[0] = true
	for _, p := range pattern {
		if p == starSymbol {
			for j := 1; j <= len(text); j++ {
				reach[j] = reach[j] || reach[j-1]
			}
			continue
		}
		for j := len(text); j > 0; j-- {
			reach[j] = reach[j-1] && takesSymbol(p, text[j-1], fold)
		}
		reach[0] = false
	}
	return reach[len(text)]
}

func takesSymbol(p, r rune, fold bool) bool {
	switch {
	case r == starSymbol:
		return false
	case p == oneSymbol:
		return r >= 0 || r == oneSymbol
	default:
		return p == r || fold && p >= 0 && r >= 0 && foldRune(p) == foldRune(r)
	}
}
