package judge

import "strings"

// A pattern is a policy value after its variables were filled in: runes that
// stand for themselves, and wildcards.
type pattern []symbol

type symbol struct {
	rune rune
	wild wildcard
}

type wildcard int

const (
	notWild wildcard = iota
	anyRun           // *
	anyOne           // ?
)

// literal makes a pattern in which no rune is a wildcard.
func literal(s string) pattern {
	var p pattern
	for _, r := range s {
		p = append(p, symbol{rune: r})
	}
	return p
}

// wild makes a pattern in which * and ? are wildcards.
func wild(s string) pattern {
	p := make(pattern, 0, len(s))
	for _, r := range s {
		switch r {
		case '*':
			p = append(p, symbol{rune: r, wild: anyRun})
		case '?':
			p = append(p, symbol{rune: r, wild: anyOne})
		default:
			p = append(p, symbol{rune: r})
		}
	}
	return p
}

// plain reads every symbol of a pattern, wildcards included, as itself.
func (p pattern) plain() string {
	var b strings.Builder
	for _, s := range p {
		b.WriteRune(s.rune)
	}
	return b.String()
}

// matches compares the whole value, letter case included.
func (p pattern) matches(value string) bool {
	runes := []rune(value)
	i, j, star, mark := 0, 0, -1, 0
	for j < len(runes) {
		switch {
		case i < len(p) && p[i].wild == anyRun:
			star, mark = i, j
			i++
		case i < len(p) && (p[i].wild == anyOne || p[i].wild == notWild && p[i].rune == runes[j]):
			i++
			j++
		case star >= 0:
			mark++
			i, j = star+1, mark
		default:
			return false
		}
	}
	for i < len(p) && p[i].wild == anyRun {
		i++
	}
	return i == len(p)
}

// matchesARN compares the six parts one by one, so that a wildcard in one of
// the first five stays between its colons.
func (p pattern) matchesARN(value string) bool {
	parts := p.parts()
	values := strings.SplitN(value, ":", 6)
	if len(parts) != 6 || len(values) != 6 {
		return false
	}
	for i := range parts {
		if !parts[i].matches(values[i]) {
			return false
		}
	}
	return true
}

func (p pattern) parts() []pattern {
	list := make([]pattern, 0, 6)
	from := 0
	for i, s := range p {
		if s.rune == ':' && s.wild == notWild && len(list) < 5 {
			list = append(list, p[from:i:i])
			from = i + 1
		}
	}
	return append(list, p[from:])
}

// expand fills in the policy variables of a value. ok is false when a
// variable has no value and no default: then the value can match nothing.
// IAM User Guide, reference_policies_variables.
func expand(s string, ctx Context) (p pattern, ok bool) {
	for {
		start := strings.Index(s, "${")
		if start < 0 {
			if p == nil {
				return wild(s), true
			}
			return append(p, wild(s)...), true
		}
		end := strings.Index(s[start:], "}")
		if end < 0 {
			return append(p, wild(s)...), true
		}
		p = append(p, wild(s[:start])...)
		value, found := variable(s[start+2:start+end], ctx)
		if !found {
			return nil, false
		}
		p = append(p, literal(value)...)
		s = s[start+end+1:]
	}
}

// variable reads the text between the braces: one of * ? $, or a key, with an
// optional default in quotes.
func variable(body string, ctx Context) (string, bool) {
	switch body {
	case "*", "?", "$":
		return body, true
	}
	name, fallback, hasDefault := strings.Cut(body, ",")
	value, ok := ctx.get(strings.TrimSpace(name))
	if ok && !value.Many && len(value.Items) == 1 {
		return value.Items[0], true
	}
	if !hasDefault {
		return "", false
	}
	fallback = strings.TrimSpace(fallback)
	if len(fallback) < 2 || fallback[0] != '\'' || fallback[len(fallback)-1] != '\'' {
		return "", false
	}
	return fallback[1 : len(fallback)-1], true
}
