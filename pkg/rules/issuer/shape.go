package issuer

import "strings"

// Named is what a value of a claim names: patterns for StringLike that hold for
// every value of the same tenant, and of the same project. They are empty where
// the value leaves that open.
type Named struct{ Tenant, Project string }

// Read gives what a value that a policy writes for a claim names. Case counts;
// * and ? are wildcards and ${ begins a variable, all of which name nobody.
func (c Claim) Read(value string) Named {
	var best Named
	known := false
	for _, s := range c.Shapes {
		n, fits := read(s, value)
		known = known || fits
		if best.Tenant == "" {
			best.Tenant = n.Tenant
		}
		if best.Project == "" {
			best.Project = n.Project
		}
	}
	if c.Free && !known {
		best = c.free(value)
	}
	if best.Tenant == "" && !c.Loose {
		// A project of no tenant's name is known by itself.
		best.Tenant = best.Project
	}
	return best
}

// read matches a value with one shape. The second result says whether the value
// begins as the shape does.
func read(shape, value string) (n Named, fits bool) {
	rest, at := shape, 0
	for rest != "" {
		open := strings.IndexByte(rest, '<')
		if open < 0 {
			open = len(rest)
		}
		if !strings.HasPrefix(value[at:], rest[:open]) {
			return n, fits
		}
		fits = fits || open > 0
		at += open
		if open == len(rest) {
			return n, fits
		}
		end := strings.IndexByte(rest, '>')
		hole, after := rest[open+1:end], rest[end+1:]
		rest = after
		stop, whole := inHole(hole, after, value[at:])
		word := value[at : at+stop]
		if stop == 0 || hole != "any" && leavesOpen(word) {
			return n, fits
		}
		if first, _, _ := strings.Cut(word, ":"); at == 0 && leavesOpen(first) {
			return n, fits
		}
		at += stop
		if hole == "any" {
			continue
		}
		pattern := value
		if !whole {
			pattern = value[:at+1] + "*"
		}
		if strings.Contains(pattern, "${") {
			return n, fits
		}
		if hole == "t" {
			n.Tenant = pattern
		} else {
			n.Project = pattern
		}
	}
	return n, fits
}

// inHole gives the length of what stands in a hole, and whether the value ends
// with it. A hole ends before the first character of the text behind it; one
// for anything, before that whole text.
func inHole(hole, after, value string) (length int, whole bool) {
	text, _, _ := strings.Cut(after, "<")
	if text == "" {
		return len(value), true
	}
	if hole != "any" {
		text = text[:1]
	}
	if i := strings.Index(value, text); i >= 0 {
		return i, false
	}
	if hole == "any" {
		return 0, false
	}
	return len(value), true
}

// leavesOpen says whether a word leaves something open.
func leavesOpen(word string) bool {
	return strings.ContainsAny(word, "*?") || strings.Contains(word, "${")
}

// free reads a value of no known form. Before its first wildcard a whole part
// may say no more than of what kind it is; what stands behind that is a name.
func (c Claim) free(value string) Named {
	end := strings.IndexAny(value, "*?")
	if value == "" || strings.Contains(value, "${") {
		return Named{}
	}
	if end < 0 {
		return Named{value, value}
	}
	parts := strings.FieldsFunc(value[:end], partEnds)
	whole := len(parts)
	if whole > 0 && !partEnds(rune(value[end-1])) {
		whole--
	}
	switch {
	case c.Crowded && whole < 2 || !strings.ContainsAny(value[:end], ":/|@.-_"):
		return Named{}
	case whole == 1 && len(parts) == 1:
		return Named{Tenant: value}
	default:
		return Named{value, value}
	}
}

func partEnds(r rune) bool { return r == ':' || r == '/' || r == '|' }
