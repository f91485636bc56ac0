package strict

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// instead says what to write instead of an unknown field.
func (r *Reader) instead(name string, known []string) string {
	if remedy, ok := r.Elsewhere[name]; ok {
		return remedy
	}
	if i := slices.IndexFunc(known, func(k string) bool { return alike(name, k) }); i >= 0 {
		others := slices.Delete(slices.Clone(known), i, i+1)
		return "write " + known[i] + " (or " + strings.Join(others, ", ") + ")"
	}
	return "write one of " + strings.Join(known, ", ")
}

// alike says whether two names differ only in case, hyphens and underscores, or
// in their end: "external_id" and "externalId", "alarm" and "alarms".
func alike(a, b string) bool {
	fold := strings.NewReplacer("-", "", "_", "", " ", "")
	a, b = fold.Replace(strings.ToLower(a)), fold.Replace(strings.ToLower(b))
	if len(a) > len(b) {
		a, b = b, a
	}
	return a == b || len(a) >= 3 && strings.HasPrefix(b, a)
}

// secretPath finds where the part of a URL begins that may be a secret: a Slack
// webhook is one from its path on, and it may be pasted without its scheme.
var secretPath = regexp.MustCompile(`(?i)(://[^/]*|hooks\.[a-z-]*slack[a-z-]*\.com)/`)

// Quote gives a value in quotes for a message. Of a URL it shows no more than
// the host: somebody may have put a webhook where none belongs.
func Quote(value string) string {
	if at := secretPath.FindStringIndex(value); at != nil {
		value = value[:at[1]] + "…"
	}
	return strconv.Quote(value)
}
