package access

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/rolewarden/rolewarden/pkg/policy"
)

// Sentence says the request in one readable sentence without secrets, such as
// "user mallory of account 444455556666 may call sts:AssumeRole with
// sts:RoleSessionName = bob". Keys that only repeat who the caller is are left
// out. All it prints is quoted where it could disturb a line of output.
func (r Request) Sentence() string { return r.told(" may call ") }

// Refusal says the same of a request that is not allowed and should be: "user
// bob of account 111122223333 is refused sts:AssumeRole and
// sts:SetSourceIdentity with sts:SourceIdentity = bob".
func (r Request) Refusal() string { return r.told(" is refused ") }

func (r Request) told(verb string) string {
	var b strings.Builder
	b.WriteString(r.Caller.sentence())
	b.WriteString(verb)
	b.WriteString(enumerate(r.Actions))
	masked := r.Masked()
	derived := r.Caller.keys(nil)
	var with []string
	for _, key := range slices.Sorted(maps.Keys(masked.Context)) {
		v := masked.Context[key]
		if repeats(derived, key, v) {
			continue
		}
		with = append(with, v.sentence(key))
	}
	if len(with) > 0 {
		b.WriteString(" with ")
		b.WriteString(enumerate(with))
	}
	return b.String()
}

// repeats reports whether a key says nothing that the caller does not say.
func repeats(derived map[string]string, key string, v Value) bool {
	for name, value := range derived {
		if sameFold(name, key) {
			return value == "" && v.IsAbsent() || !v.Many && len(v.Values) == 1 && v.Values[0] == value
		}
	}
	return false
}

func (v Value) sentence(key string) string {
	switch {
	case v.IsAbsent():
		return "no " + printable(key)
	case v.Many:
		words := make([]string, len(v.Values))
		for i, s := range v.Values {
			words[i] = word(s)
		}
		return printable(key) + " = [" + strings.Join(words, ", ") + "]"
	default:
		return printable(key) + " = " + word(v.Values[0])
	}
}

// word quotes a value that is not plainly one word.
func word(s string) string {
	if s == "" || strings.ContainsAny(s, `"',[]`) || printable(s) != s {
		return strconv.QuoteToASCII(s)
	}
	return s
}

// enumerate gives "a", "a and b", "a, b and c".
func enumerate(words []string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	last := len(words) - 1
	return strings.Join(words[:last], ", ") + " and " + words[last]
}

// sentence names the caller.
func (c *Caller) sentence() string {
	switch {
	case c.Service != "":
		return "service " + word(c.Service)
	case c.Federated != "":
		return "an identity of provider " + word(c.Federated)
	}
	p, ok := c.principal()
	if !ok {
		return "caller " + word(c.AWS)
	}
	of := " of account " + p.Account
	switch p.Kind {
	case policy.User:
		return "user " + word(p.Name) + of
	case policy.Role:
		return "role " + word(p.Name) + of
	case policy.RoleSession:
		return "session " + word(p.Session) + " of role " + word(p.Name) + of
	case policy.FederatedUser:
		return "federated user " + word(p.Name) + of
	case policy.Account:
		return "the root user" + of
	default:
		return "caller " + word(c.AWS)
	}
}
