package access

import (
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// TestGlobMeansWhatItSays compares the matcher with the definition of the
// wildcards, on patterns with runs of them.
func TestGlobMeansWhatItSays(t *testing.T) {
	var means func(p, s string) bool
	means = func(p, s string) bool {
		switch {
		case p == "":
			return s == ""
		case p[0] == '*':
			return means(p[1:], s) || s != "" && means(p, s[1:])
		case s == "":
			return false
		default:
			return (p[0] == '?' || p[0] == s[0]) && means(p[1:], s[1:])
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		p := rapid.StringOfN(rapid.SampledFrom([]rune("ab*?*?")), 0, 8, -1).Draw(t, "pattern")
		s := rapid.StringOfN(rapid.SampledFrom([]rune("ab")), 0, 8, -1).Draw(t, "text")
		if got := MatchGlob(Wild(p), s); got != means(p, s) {
			t.Fatalf("%q on %q: %v", p, s, got)
		}
	})
}

// BenchmarkLongRun matches a pattern that a matcher could spend long on.
func BenchmarkLongRun(b *testing.B) {
	p, s := Wild("*"+strings.Repeat("?", 500)+"c*"), strings.Repeat("d", 1224)
	for b.Loop() {
		MatchGlob(p, s)
	}
}
