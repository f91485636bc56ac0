package cli

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"github.com/rogpeppe/go-internal/diff"
)

// patch is a unified diff of one file.
type patch struct {
	text []byte
	// bare says that a change has no line of context after it, though the file
	// goes on: that line may not be shown.
	bare bool
	// secret is the number of the first changed line that may not be shown, 0
	// when there is none; text is empty then.
	secret int
}

// hunk is one part of a unified diff: lines with their mark, of which some may
// not be shown.
type hunk struct {
	// before and after are the numbers of its first line, there and there.
	before, after int
	lines         []marked
}

// marked is a line of a hunk: a mark, the text, and the note on a missing line
// break at the end of the file, if it belongs there.
type marked struct {
	mark   byte
	text   string
	secret bool
}

// unified gives the diff of two texts of one file. Lines for which hidden says
// so are left out where they are context.
func unified(path string, before, after []byte, hidden func(text []byte) []bool) patch {
	hunks := hunksOf(before, after, hidden(before), hidden(after))
	if len(hunks) == 0 {
		return patch{}
	}
	p := patch{}
	var b bytes.Buffer
	fmt.Fprintf(&b, "--- %s\n+++ %s\n", label("a", path), label("b", path))
	total := bytes.Count(before, []byte("\n"))
	for _, h := range hunks {
		at := h.before
		for _, l := range h.lines {
			if l.secret && l.mark != ' ' && p.secret == 0 {
				p.secret = max(at, 1)
			}
			if l.mark != '+' {
				at++
			}
		}
		for _, part := range h.shown() {
			last := part.lines[len(part.lines)-1]
			p.bare = p.bare || last.mark != ' ' && part.before+part.count('+') < total
			part.write(&b)
		}
	}
	if p.secret > 0 {
		return patch{secret: p.secret}
	}
	p.text = b.Bytes()
	return p
}

// hunksOf compares two texts.
func hunksOf(before, after []byte, hiddenBefore, hiddenAfter []bool) []hunk {
	var out []hunk
	var i, j int
	for line := range strings.Lines(string(diff.Diff("a", before, "b", after))) {
		text := strings.TrimSuffix(line, "\n")
		if strings.HasPrefix(text, "@@ ") {
			h, ok := headed(text)
			if !ok {
				return nil
			}
			i, j = h.before, h.after
			out = append(out, h)
			continue
		}
		if len(out) == 0 {
			continue // The names of the files, which are written above.
		}
		last := &out[len(out)-1]
		if strings.HasPrefix(text, `\`) {
			last.lines[len(last.lines)-1].text += "\n" + text
			continue
		}
		l := marked{mark: text[0], text: text[1:]}
		if l.mark != '+' {
			l.secret = l.secret || i <= len(hiddenBefore) && hiddenBefore[i-1]
			i++
		}
		if l.mark != '-' {
			l.secret = l.secret || j <= len(hiddenAfter) && hiddenAfter[j-1]
			j++
		}
		last.lines = append(last.lines, l)
	}
	return out
}

// headed reads the head of a hunk. Where one side has no line it names the one
// before.
func headed(text string) (hunk, bool) {
	var h hunk
	var n, m int
	if _, err := fmt.Sscanf(text, "@@ -%d,%d +%d,%d @@", &h.before, &n, &h.after, &m); err != nil {
		return hunk{}, false
	}
	if n == 0 {
		h.before++
	}
	if m == 0 {
		h.after++
	}
	return h, true
}

// shown gives the hunk without the context that may not be shown. What is left
// has as many lines of context before its changes as after them, unless it ends
// with the file: patch takes any other for the end of one.
func (h hunk) shown() []hunk {
	var out []hunk
	part := hunk{before: h.before, after: h.after}
	flush := func() {
		if slices.ContainsFunc(part.lines, func(l marked) bool { return l.mark != ' ' }) {
			out = append(out, part)
		}
	}
	cut := false
	for _, l := range h.lines {
		if l.mark == ' ' && l.secret {
			flush()
			part = hunk{before: part.before + part.count('+') + 1, after: part.after + part.count('-') + 1}
			cut = true
			continue
		}
		part.lines = append(part.lines, l)
	}
	flush()
	if cut {
		for i := range out {
			out[i] = out[i].balanced()
		}
	}
	return out
}

// balanced gives the hunk with as much context before as after its changes.
func (h hunk) balanced() hunk {
	changed := func(l marked) bool { return l.mark != ' ' }
	lead := slices.IndexFunc(h.lines, changed)
	trail := 0
	for i := len(h.lines) - 1; !changed(h.lines[i]); i-- {
		trail++
	}
	both := min(lead, trail)
	h.before, h.after = h.before+lead-both, h.after+lead-both
	h.lines = h.lines[lead-both : len(h.lines)-trail+both]
	return h
}

// count tells how many lines there are on the side that lacks the other mark.
func (h hunk) count(but byte) int {
	n := 0
	for _, l := range h.lines {
		if l.mark != but {
			n++
		}
	}
	return n
}

// write prints a hunk.
func (h hunk) write(b *bytes.Buffer) {
	old, now := h.count('+'), h.count('-')
	start := func(first, n int) int {
		if n == 0 {
			// Of no lines the one before is named.
			return first - 1
		}
		return first
	}
	fmt.Fprintf(b, "@@ -%d,%d +%d,%d @@\n", start(h.before, old), old, start(h.after, now), now)
	for _, l := range h.lines {
		fmt.Fprintf(b, "%c%s\n", l.mark, l.text)
	}
}

// label names a side of a file as git does: from where the command ran, in
// quotes where the name would not end with its line, and with a tab after it
// where it holds a blank.
func label(side, path string) string {
	name := side + "/" + strings.TrimLeft(path, "/")
	if strings.ContainsFunc(name, func(r rune) bool { return r < ' ' || r == '"' || r == '\\' || r == 0x7f }) {
		return fmt.Sprintf("%q", name)
	}
	if strings.Contains(name, " ") {
		name += "\t"
	}
	return name
}
