package rules

import (
	"slices"
	"strings"

	"github.com/rolewarden/rolewarden/pkg/proof"
)

// readable looks for a witness with natural claims in the place of one that
// was found; there may be none.
func (f federation) readable(in Input, pins []pin, by depth, found proof.Answer) proof.Answer {
	var natural [][]proof.Requirement
	for i, p := range pins {
		values := p.filled()
		if len(values) == 0 || i > 0 && !p.mentioned || p.claim.Loose && by == byTenant {
			continue
		}
		set := ""
		if p.claim.Many {
			set = "ForAnyValue:"
		}
		group := must(demand(proof.Holds, set+"StringEquals", p.key, values...))
		if i > 0 {
			group = append(group, demand(proof.Holds, "Null", p.key, "true"))
		}
		natural = append(natural, group)
	}
	for n := len(natural); n > 0; n-- {
		if a := f.ask(in, pins, by, natural[:n]...); a.Outcome == proof.Found {
			return a
		}
	}
	return found
}

// filled gives natural values of a claim: those of strangers, and what the
// document writes with strangers' names in the place of its wildcards.
func (p *pin) filled() []string {
	const most = 64
	values := slices.Clone(p.claim.Strangers)
	for _, v := range p.texts {
		if n := strings.Count(v, "*"); n == 0 || n > 4 || strings.Contains(v, "?") {
			continue
		}
		for _, s := range p.claim.Strangers {
			values = append(values, fitted(v, s))
		}
	}
	values = appendMissing(nil, values)
	return values[:min(len(values), most)]
}

// fitted puts parts of a stranger's value in the place of a pattern's stars,
// part by part from the last star on.
func fitted(pattern, stranger string) string {
	for {
		i := strings.LastIndexByte(pattern, '*')
		if i < 0 {
			return pattern
		}
		before, after := pattern[:i], pattern[i+1:]
		word := between(stranger, len(separators(before)), len(separators(after)))
		if before != "" && strings.IndexByte(":/", before[i-1]) < 0 {
			// The pattern's last name goes on: whoever takes a longer one fits.
			at := append(separators(word), len(word))
			word = "-evil" + word[at[0]:]
		}
		pattern = before + word + after
	}
}

// between leaves out as many parts at both ends of a value.
func between(value string, head, tail int) string {
	at := separators(value)
	switch {
	case head+tail <= len(at):
	case head == 0 && len(at) > 1:
		return value[:at[1]]
	default:
		return "app"
	}
	if tail > 0 {
		value = value[:at[len(at)-tail]]
	}
	if head > 0 {
		value = value[at[head-1]+1:]
	}
	return value
}

// separators gives the places at which a claim's parts end.
func separators(value string) []int {
	var at []int
	for i := range len(value) {
		if value[i] == ':' || value[i] == '/' {
			at = append(at, i)
		}
	}
	return at
}
