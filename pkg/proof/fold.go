package proof

import (
	"slices"
	"strings"
	"unicode/utf8"
)

// lowerKey folds a key as access does: letters of ASCII alone.
func lowerKey(key string) string {
	for i := range len(key) {
		if key[i] >= utf8.RuneSelf {
			return strings.Map(func(r rune) rune {
				if 'A' <= r && r <= 'Z' {
					return r + 'a' - 'A'
				}
				return r
			}, key)
		}
	}
	return strings.ToLower(key)
}

// oddlySpelled reports whether a key might be another one that is spoken of:
// whether AWS takes letters outside ASCII for others, in names of keys, is not
// documented. (Policies hold no letter beyond U+00FF, so none that folds to ASCII.)
func (s *solver) oddlySpelled(key string) bool {
	return !isASCII(key) && slices.ContainsFunc(s.keys, func(k string) bool { return k != key && strings.EqualFold(k, key) })
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}
