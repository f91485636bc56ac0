package proof

import (
	"math/big"
	"slices"
	"unicode"
	"unicode/utf8"
)

// class is a set of runes: ASCII by bit, and what lies beyond by kind.
type class struct {
	low, high uint64
	beyond    beyond
}

// beyond says which runes outside ASCII a class holds.
type beyond uint8

const (
	noneBeyond beyond = iota
	lettersBeyond
	allBeyond
)

func (c class) has(r rune) bool {
	switch {
	case r < 0:
		return false
	case r < 64:
		return c.low>>uint(r)&1 == 1
	case r < utf8.RuneSelf:
		return c.high>>uint(r-64)&1 == 1
	case c.beyond == allBeyond:
		return r != utf8.RuneError
	case c.beyond == lettersBeyond:
		return unicode.IsLetter(r) || unicode.IsNumber(r) || unicode.IsSpace(r)
	default:
		return false
	}
}

// classOf makes a class of characters; "a-z" with a dash between two stands for a range.
func classOf(chars string) class {
	var c class
	rs := []rune(chars)
	for i := 0; i < len(rs); i++ {
		lo, hi := rs[i], rs[i]
		if i+2 < len(rs) && rs[i+1] == '-' {
			hi = rs[i+2]
			i += 2
		}
		for r := lo; r <= hi; r++ {
			if r < 64 {
				c.low |= 1 << uint(r)
			} else {
				c.high |= 1 << uint(r-64)
			}
		}
	}
	return c
}

func (c class) and(b beyond) class {
	c.beyond = b
	return c
}

// segment is a run of a language's words: fixed text, or min to max runes of a class.
type segment struct {
	text     string
	set      class
	min, max int
	// field is the window that a literal may look through at this segment.
	field window
}

func (s segment) allows(r rune, at int) bool {
	if s.text != "" {
		return at < len(s.text) && rune(s.text[at]) == r
	}
	return at < s.max && s.set.has(r)
}

// least is how many runes the segment has at least.
func (s segment) least() int {
	if s.text != "" {
		return len(s.text)
	}
	return s.min
}

// window is the part of a value that a literal looks at.
type window uint8

const (
	wholeWindow window = iota
	accountWindow
	nameWindow
	epochWindow
	// orgWindow shows the organization of a path in one.
	orgWindow
)

// language is the set of legal values of a key: the words of any of its shapes
// that are not in except; or a finite list.
type language struct {
	shapes [][]segment
	finite []string
	// date and address languages are given by parsing.
	family family
	// from is the earliest date.
	from *big.Rat
}

// has reports whether s is legal.
func (l *language) has(s string) bool {
	if l.finite != nil {
		return slices.Contains(l.finite, s)
	}
	switch l.family {
	case dateFamily:
		v, ok := parseDate(s)
		return ok && v.Cmp(l.from) >= 0 && formatDate(v) == s
	case addressFamily:
		return anyAddress.matchAddress(s)
	case textFamily, numberFamily:
	}
	for _, shape := range l.shapes {
		if shapeHas(shape, s) {
			return true
		}
	}
	return false
}

// holds reports whether a language plainly has every word of another one: runs
// of letters both.
func (l *language) holds(m *language) bool {
	if l == nil || m == nil || len(l.shapes) != 1 || len(m.shapes) != 1 || len(l.shapes[0]) != 1 || len(m.shapes[0]) != 1 {
		return false
	}
	a, b := l.shapes[0][0], m.shapes[0][0]
	return a.text == "" && b.text == "" && a.min <= b.min && a.max >= b.max &&
		b.set.low&^a.set.low == 0 && b.set.high&^a.set.high == 0 && b.set.beyond <= a.set.beyond
}

// shapeHas matches greedily where the shape has one segment of free length,
// and by trial of every split where it has more.
func shapeHas(shape []segment, s string) bool {
	if len(shape) == 0 {
		return s == ""
	}
	seg := shape[0]
	if seg.text != "" {
		return len(s) >= len(seg.text) && s[:len(seg.text)] == seg.text && shapeHas(shape[1:], s[len(seg.text):])
	}
	if len(shape) == 1 {
		n := 0
		for _, r := range s {
			if !seg.set.has(r) {
				return false
			}
			n++
		}
		return n >= seg.min && n <= seg.max
	}
	n := 0
	for i, r := range s {
		if n >= seg.min && shapeHas(shape[1:], s[i:]) {
			return true
		}
		if n == seg.max || !seg.set.has(r) {
			return false
		}
		n++
	}
	return n >= seg.min && shapeHas(shape[1:], "")
}

// words makes the language of lo to hi runes of a class.
func words(set class, lo, hi int) *language {
	return &language{shapes: [][]segment{{{set: set, min: lo, max: hi}}}}
}

// shaped makes the language of one sequence of segments.
func shaped(segments ...segment) *language { return &language{shapes: [][]segment{segments}} }

func fixed(text string) segment { return segment{text: text} }

func run(set class, lo, hi int) segment { return segment{set: set, min: lo, max: hi} }
