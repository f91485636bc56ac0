package proof

import "unicode/utf8"

// bounds are how many letters a variable's value has at least and at most.
type bounds struct{ least, most int }

// fits looks at lengths alone: a pattern is as long as its letters and what
// fills it, and longer where it has a star. It is false when that leaves some
// variable no length, as in a circle in which each is longer than the next.
func (w *weaving) fits() bool {
	all := map[int16]bounds{}
	for changed := true; changed; {
		changed = false
		for i := range w.rest {
			t := &w.rest[i]
			if t.neg || t.win != wholeWindow {
				continue
			}
			if !w.s.pay(1 + len(t.pieces)) {
				return true
			}
			moved, ok := w.narrow(t, all)
			if !ok {
				return false
			}
			changed = changed || moved
		}
	}
	return true
}

// narrow applies one pattern to the lengths that are left.
func (w *weaving) narrow(t *tie, all map[int16]bounds) (moved, ok bool) {
	least, most := 0, 0
	for _, p := range t.pieces {
		switch p.kind {
		case literalPiece:
			n := utf8.RuneCountInString(p.text)
			least, most = least+n, most+n
		case onePiece:
			least, most = least+1, most+1
		case starPiece:
			most = unbounded
		case variablePiece:
			b := w.bounds(p, all)
			least, most = least+b.least, min(unbounded, most+b.most)
		}
	}
	own := w.bounds(tiePiece{v: t.v}, all)
	tight := bounds{max(own.least, least), min(own.most, most)}
	if tight.least > tight.most {
		return false, false
	}
	moved = tight != own
	all[t.v] = tight
	for _, p := range t.pieces {
		if p.kind != variablePiece || p.win != wholeWindow {
			continue
		}
		b := w.bounds(p, all)
		if room := tight.most - (least - b.least); room < b.most {
			if b.most, moved = room, true; b.most < b.least {
				return false, false
			}
			all[p.v] = b
		}
	}
	return moved, true
}

// unbounded is more letters than any value has.
const unbounded = 1 << 20

func (w *weaving) bounds(p tiePiece, all map[int16]bounds) bounds {
	if p.win != wholeWindow {
		return bounds{0, unbounded}
	}
	if b, ok := all[p.v]; ok {
		return b
	}
	l := w.s.vars[p.v].lang
	if l == nil || l.shapes == nil {
		return bounds{0, unbounded}
	}
	out := bounds{unbounded, 0}
	for _, shape := range l.shapes {
		low, high := 0, 0
		for _, seg := range shape {
			low += seg.least()
			high += max(len(seg.text), seg.max)
		}
		out = bounds{min(out.least, low), max(out.most, high)}
	}
	return out
}
