package access_test

import (
	"cmp"
	"encoding/base64"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/rolewarden/rolewarden/pkg/access"
	"github.com/rolewarden/rolewarden/pkg/policy"
)

// variables are the pieces of a value that the judge expands, nil where there
// are none.
func (c *comparison) variables() []access.Piece {
	switch c.op.Base {
	case policy.String, policy.StringIgnoreCase, policy.StringLike, policy.ARN:
	default:
		return nil
	}
	if c.version != "2012-10-17" || !access.HasVariable(c.policy) {
		return nil
	}
	pieces, _ := access.Pieces(c.policy)
	return pieces
}

// text gives the value of a variable, from the request or its default.
func (c *comparison) text(p access.Piece) (text string, present, known bool) {
	v, present := c.request.Get(p.Key)
	switch {
	case present && (v.Many || len(v.Values) != 1):
		return "", true, false
	case present:
		return v.Values[0], true, true
	case p.Default != nil:
		return *p.Default, false, true
	default:
		return "", false, false
	}
}

// has reports whether one of the variables is such.
func (c *comparison) has(such func(p access.Piece) bool) bool {
	return slices.ContainsFunc(c.variables(), such)
}

// fails is the judge's answer where it finds an error in a value of the policy:
// the whole condition is then false, negated or not.
func (c *comparison) fails() bool { return c.op.Negated }

// reached reports whether the judge comes to look at the variables of a value.
// Under the ARN operators it stops at the first part that does not match.
func (c *comparison) reached() bool {
	if c.op.Base != policy.ARN {
		return true
	}
	parts := strings.SplitN(c.policy, ":", 6)
	met := false
	for i := range parts {
		met = met || strings.Contains(parts[i], "${")
		if i == 0 || met {
			parts[i] = "*"
		}
	}
	before := *c
	before.policy = strings.Join(parts, ":")
	return before.access() == access.Yes
}

// lineBreaks are what the judge's wildcards stop at.
const lineBreaks = "\n\r\u2028\u2029"

func hasWildcard(s string) bool { return strings.ContainsAny(s, "*?") }

func callerOf(r *access.Request) (policy.Principal, bool) {
	if r.Caller.AWS == "" {
		return policy.Principal{}, false
	}
	p, err := policy.ParsePrincipal("AWS", r.Caller.AWS)
	return p, err == nil
}

// earlyVariable: the judge takes the ARN apart before it looks for variables,
// so a colon in a variable's name counts as one of the ARN.
func earlyVariable(c *comparison) (matches, ok bool) {
	if c.op.Base != policy.ARN || c.variables() == nil {
		return false, false
	}
	colons, within := 0, false
	for i := range len(c.policy) {
		switch {
		case strings.HasPrefix(c.policy[i:], "${"):
			within = true
		case c.policy[i] == '}':
			within = false
		case c.policy[i] == ':' && colons < 5:
			if within {
				// What is no ARN at all is an error to it.
				return strings.Count(c.value, ":") < 5 && c.fails(), true
			}
			colons++
		}
	}
	return false, false
}

// firstPart: the judge leaves the part before the first colon out.
func firstPart(c *comparison) (matches, ok bool) {
	if c.op.Base != policy.ARN {
		return false, false
	}
	_, want, found := strings.Cut(c.policy, ":")
	_, have, both := strings.Cut(c.value, ":")
	if !found || !both || strings.Count(c.value, ":") < 5 {
		return false, false
	}
	rest := *c
	rest.policy, rest.value = "arn:"+want, "arn:"+have
	if c.access() == rest.access() {
		return false, false
	}
	return rest.access() == access.Yes, true
}

// emptyDefault: the judge takes no notice of a default without characters.
func emptyDefault(c *comparison) (matches, ok bool) {
	return c.fails(), c.reached() && c.has(func(p access.Piece) bool {
		_, present, _ := c.text(p)
		return p.Default != nil && *p.Default == "" && !present
	})
}

// unresolvedNegated: the judge takes the condition not to hold.
func unresolvedNegated(c *comparison) (matches, ok bool) {
	return c.fails(), c.op.Negated && c.reached() && c.has(func(p access.Piece) bool {
		_, present, _ := c.text(p)
		return p.Key != "" && p.Default == nil && !present
	})
}

// emptyValue: the judge takes a variable's default for an empty value, and
// where there is none matches nothing.
func emptyValue(c *comparison) (matches, ok bool) {
	var inlined strings.Builder
	for _, p := range c.variables() {
		value, present, known := c.text(p)
		empty := p.Key != "" && present && known && value == ""
		switch ok = ok || empty; {
		case empty && (p.Default == nil || *p.Default == ""):
			return false, true
		case empty:
			inlined.WriteString(*p.Default)
		case p.Char != "":
			inlined.WriteString("${" + p.Char + "}")
		case p.Key != "":
			inlined.WriteString("${" + p.Key + "}")
		default:
			inlined.WriteString(p.Text)
		}
	}
	if !ok {
		return false, false
	}
	rest := *c
	rest.policy = inlined.String()
	if matches, special := specialCharacter(&rest); special {
		return matches, true
	}
	return rest.access() == access.Yes, true
}

// specialCharacter: the judge takes "${*}" for these four characters.
func specialCharacter(c *comparison) (matches, ok bool) {
	if c.op.Base != policy.String && c.op.Base != policy.StringIgnoreCase ||
		!c.has(func(p access.Piece) bool { return p.Char != "" }) {
		return false, false
	}
	var text strings.Builder
	for _, p := range c.variables() {
		value, _, known := c.text(p)
		switch {
		case p.Char != "":
			text.WriteString("${" + p.Char + "}")
		case p.Key != "" && !known:
			return c.fails(), true
		case p.Key != "":
			text.WriteString(value)
		default:
			text.WriteString(p.Text)
		}
	}
	if c.op.Base == policy.StringIgnoreCase {
		return strings.EqualFold(text.String(), c.value), true
	}
	return text.String() == c.value, true
}

// lineBreak: the judge's wildcards do not stand for a line break.
func lineBreak(c *comparison) (matches, ok bool) {
	if c.op.Base != policy.StringLike && c.op.Base != policy.ARN || !strings.ContainsAny(c.value, lineBreaks) || !hasWildcard(c.policy) {
		return false, false
	}
	// The text between two line breaks of the request must then be in the policy.
	return false, !strings.ContainsAny(c.policy, lineBreaks)
}

// bareAddress: the judge compares a bare address as text, and finds an error
// where the other is of the other family.
func bareAddress(c *comparison) (matches, ok bool) {
	want, err := netip.ParseAddr(c.policy)
	have, err2 := netip.ParseAddr(c.value)
	if c.op.Base != policy.IP || err != nil || err2 != nil {
		return false, false
	}
	if want.Is4() != have.Is4() {
		return c.fails(), true
	}
	return c.policy == c.value, true
}

// epoch: the judge takes a number for milliseconds where the other is a date.
func epoch(c *comparison) (matches, ok bool) {
	want, ok1 := access.ParseDate(c.policy)
	have, ok2 := access.ParseDate(c.value)
	wantNumber, err1 := strconv.ParseInt(c.policy, 10, 64)
	haveNumber, err2 := strconv.ParseInt(c.value, 10, 64)
	if !ok1 || !ok2 || (err1 == nil) == (err2 == nil) {
		return false, false
	}
	if err1 != nil {
		wantNumber = want.UnixMilli()
	} else {
		haveNumber = have.UnixMilli()
	}
	order := cmp.Compare(haveNumber, wantNumber)
	switch c.op.Base {
	case policy.DateEquals:
		return order == 0, true
	case policy.DateLessThan:
		return order < 0, true
	case policy.DateLessThanEquals:
		return order <= 0, true
	case policy.DateGreaterThan:
		return order > 0, true
	case policy.DateGreaterThanEquals:
		return order >= 0, true
	default:
		return false, false
	}
}

// longNumber: the judge's numbers have 53 bits.
func longNumber(c *comparison) (matches, ok bool) {
	want, err1 := strconv.ParseFloat(c.policy, 64)
	have, err2 := strconv.ParseFloat(c.value, 64)
	if err1 != nil || err2 != nil || len(c.policy) < 16 || len(c.value) < 16 {
		return false, false
	}
	switch c.op.Base {
	case policy.NumericEquals:
		return have == want, true
	case policy.NumericLessThan:
		return have < want, true
	case policy.NumericLessThanEquals:
		return have <= want, true
	case policy.NumericGreaterThan:
		return have > want, true
	case policy.NumericGreaterThanEquals:
		return have >= want, true
	default:
		return false, false
	}
}

// sameBytes: the judge compares the texts.
func sameBytes(c *comparison) (matches, ok bool) {
	a, err1 := base64.StdEncoding.DecodeString(c.policy)
	b, err2 := base64.StdEncoding.DecodeString(c.value)
	return false, c.op.Base == policy.Binary && err1 == nil && err2 == nil && string(a) == string(b) && c.policy != c.value
}
