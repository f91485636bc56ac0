package access

import (
	"strings"
	"unicode/utf8"
)

// Pattern is the text of a policy with its wildcards: "*" stands for any
// characters, "?" for exactly one. A wildcard character that came out of a
// policy variable, or was written ${*} or ${?}, is only itself.
type Pattern struct {
	text string
	// literal marks the bytes of text that are only themselves; nil marks none.
	literal []bool
}

// Wild makes a Pattern of a text whose wildcards count.
func Wild(text string) Pattern { return Pattern{text: text} }

// Literal makes a Pattern that matches only the text itself.
func Literal(text string) Pattern {
	if !strings.ContainsAny(text, "*?") {
		return Pattern{text: text}
	}
	return Pattern{}.Append(Pattern{text: text, literal: all(len(text))})
}

func all(n int) []bool {
	out := make([]bool, n)
	for i := range out {
		out[i] = true
	}
	return out
}

// Append gives the pattern that matches p and then q.
func (p Pattern) Append(q Pattern) Pattern {
	out := Pattern{text: p.text + q.text}
	if p.literal != nil || q.literal != nil {
		out.literal = make([]bool, len(out.text))
		copy(out.literal, p.literal)
		copy(out.literal[len(p.text):], q.literal)
	}
	return out
}

// wildcard gives '*' or '?' where one stands at byte i, else 0.
func (p Pattern) wildcard(i int) byte {
	if c := p.text[i]; (c == '*' || c == '?') && (p.literal == nil || !p.literal[i]) {
		return c
	}
	return 0
}

// slice gives the bytes from i to j as a pattern.
func (p Pattern) slice(i, j int) Pattern {
	out := Pattern{text: p.text[i:j]}
	if p.literal != nil {
		out.literal = p.literal[i:j]
	}
	return out
}

// casing says whether letters of either case are the same.
type casing uint8

const (
	exactCase casing = iota
	anyCase          // of ASCII letters
)

// MatchGlob reports whether the pattern matches the whole of s, case counted.
func MatchGlob(p Pattern, s string) bool { return glob(p, s, exactCase) }

// MatchAction reports whether an Action or NotAction pattern covers an action.
// Case does not count in actions (IAM User Guide, reference_policies_elements_action).
func MatchAction(pattern, action string) bool {
	return pattern == action || glob(Wild(pattern), action, anyCase)
}

// glob matches in time proportional to the product of the lengths: a "*" is
// given more only while no later "*" has been reached.
func glob(p Pattern, s string, c casing) bool {
	i, j := 0, 0
	star, resume := -1, 0
	for j < len(s) {
		if i < len(p.text) {
			switch p.wildcard(i) {
			case '*':
				var enough bool
				if i, j, enough = p.run(i, s, j); !enough {
					return false
				}
				star, resume = i-1, j
				continue
			case '?':
				_, width := utf8.DecodeRuneInString(s[j:])
				i, j = i+1, j+width
				continue
			}
			if p.text[i] == s[j] || c == anyCase && lower(p.text[i]) == lower(s[j]) {
				i, j = i+1, j+1
				continue
			}
		}
		if star < 0 {
			return false
		}
		_, width := utf8.DecodeRuneInString(s[resume:])
		resume += width
		i, j = star+1, resume
	}
	for i < len(p.text) && p.wildcard(i) == '*' {
		i++
	}
	return i == len(p.text)
}

// run passes over a run of wildcards that begins with a "*" at i: each "?" in it
// takes one character of s from j on, and the "*" may then take more. It is
// false where s is too short.
func (p Pattern) run(i int, s string, j int) (after, at int, enough bool) {
	for ; i < len(p.text) && p.wildcard(i) != 0; i++ {
		if p.wildcard(i) == '*' {
			continue
		}
		if j == len(s) {
			return i, j, false
		}
		_, width := utf8.DecodeRuneInString(s[j:])
		j += width
	}
	return i, j, true
}

func lower(c byte) byte {
	if c >= 'A' && c <= 'Z' {
		return c + ('a' - 'A')
	}
	return c
}

// sameFold compares without the case of ASCII letters. Other letters that
// Unicode folds together, such as the Kelvin sign and k, stay apart.
func sameFold(a, b string) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range len(a) {
		if lower(a[i]) != lower(b[i]) {
			return false
		}
	}
	return true
}

// arnParts gives where the six parts of an ARN begin and, in the last element,
// one past the end. The sixth part may hold colons.
func arnParts(s string) (starts [7]int, ok bool) {
	n := 1
	for i := 0; i < len(s) && n < 6; i++ {
		if s[i] == ':' {
			starts[n] = i + 1
			n++
		}
	}
	// One past the colon that would end the sixth part.
	starts[6] = len(s) + 1
	return starts, n == 6
}

// MatchARN matches part by part, so that a wildcard in one of the first five
// parts does not reach over a colon (IAM User Guide,
// reference_policies_elements_condition_operators, Conditions_ARN). A pattern
// without six parts is Unsettled; a value without six does not match.
func MatchARN(p Pattern, value string) Tri {
	want, ok := arnParts(p.text)
	if !ok {
		return Unsettled
	}
	have, ok := arnParts(value)
	if !ok {
		return No
	}
	for i := range 6 {
		if !MatchGlob(p.slice(want[i], want[i+1]-1), value[have[i]:have[i+1]-1]) {
			return No
		}
	}
	return Yes
}
