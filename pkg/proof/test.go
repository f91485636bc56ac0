package proof

import (
	"math/big"
	"slices"
	"strings"

	"github.com/rolewarden/rolewarden/pkg/policy"
)

// comparison is how a text is compared.
type comparison uint8

const (
	compareExact comparison = iota
	compareFold
	compareGlob
	compareARN
)

// family is a group of operators whose tests one procedure decides.
type family uint8

const (
	textFamily family = iota
	numberFamily
	dateFamily
	addressFamily
)

// test is what a condition asks of one present value, apart from its sign:
// that it is among the values. The zero test takes nothing.
type test struct {
	family family
	// exact values and patterns, for texts.
	exact    []string
	index    map[string]struct{}
	patterns []pattern
	// accounts are whole accounts, in the partition, of a set of principals.
	accounts  []string
	partition string
	// base and points are the comparison and the bounds of numbers and dates.
	base   policy.Base
	points []*big.Rat
	nets   []net
	// owners, when not nil, are the accounts that every ARN that meets the test is in.
	owners []string
	// cost is what one match costs, in steps.
	cost int
	// within, when set, is a language that the value must be in.
	within *language
}

const indexAbove = 12

// seal makes the test ready for matching.
func (t *test) seal() *test {
	if len(t.exact) > indexAbove {
		t.index = make(map[string]struct{}, len(t.exact))
		for _, v := range t.exact {
			t.index[v] = struct{}{}
		}
	}
	quarters := 0
	for i := range t.patterns {
		quarters += t.patterns[i].quarters()
	}
	t.cost += (quarters+3)/4 + len(t.accounts)/256
	return t
}

// quarters is what a match with a pattern costs, in quarters of a step: most
// texts differ from its fixed beginning at once, where it has one.
func (p *pattern) quarters() int {
	at := slices.IndexFunc(p.tokens, token.star)
	switch {
	case at == 0:
		return 4 + len(p.tokens)
	case at < 0:
		return 2
	default:
		return 2 + (len(p.tokens)-at)/4
	}
}

// ownedBy finds the accounts that the ARNs meeting the test can be in, where
// each of its values writes one out.
func (t *test) ownedBy() {
	owners := make([]string, 0, len(t.exact)+len(t.patterns))
	for _, v := range t.exact {
		owners = append(owners, arnAccount(v))
	}
	for i := range t.patterns {
		head, _, _ := strings.Cut(t.patterns[i].text, "*")
		account := arnAccount(head)
		if account == "" || strings.Contains(head, "?") {
			return
		}
		owners = append(owners, account)
	}
	t.owners = owners
}

// match reports whether a value meets the test.
func (t *test) match(s string) bool {
	if t == nil {
		return true
	}
	switch t.family {
	case textFamily:
		return t.matchText(s)
	case numberFamily:
		v, ok := parseNumber(s)
		return ok && t.matchPoint(v)
	case dateFamily:
		v, ok := parseDate(s)
		return ok && t.matchPoint(v)
	case addressFamily:
		return t.matchAddress(s)
	default:
		return false
	}
}

func (t *test) matchText(s string) bool {
	if t.within != nil {
		return t.within.has(s)
	}
	if t.index != nil {
		if _, ok := t.index[s]; ok {
			return true
		}
	} else if slices.Contains(t.exact, s) {
		return true
	}
	if len(t.accounts) > 0 {
		return t.hasAccount(arnAccount(s))
	}
	for i := range t.patterns {
		if t.patterns[i].match(s) {
			return true
		}
	}
	return false
}

func (t *test) hasAccount(account string) bool {
	if len(t.accounts) <= indexAbove {
		return slices.Contains(t.accounts, account)
	}
	_, ok := slices.BinarySearch(t.accounts, account)
	return ok
}

func (t *test) matchPoint(v *big.Rat) bool {
	for _, p := range t.points {
		if ordered(t.base, v.Cmp(p)) {
			return true
		}
	}
	return false
}

// ordered says whether an order of value to bound is what an operator asks for.
func ordered(base policy.Base, order int) bool {
	switch base {
	case policy.NumericEquals, policy.DateEquals:
		return order == 0
	case policy.NumericLessThan, policy.DateLessThan:
		return order < 0
	case policy.NumericLessThanEquals, policy.DateLessThanEquals:
		return order <= 0
	case policy.NumericGreaterThan, policy.DateGreaterThan:
		return order > 0
	case policy.NumericGreaterThanEquals, policy.DateGreaterThanEquals:
		return order >= 0
	default:
		return false
	}
}

// finite reports whether the values that meet the test are just those in exact.
func (t *test) finite() bool {
	return t != nil && t.family == textFamily && t.within == nil &&
		len(t.patterns) == 0 && len(t.accounts) == 0
}

// arnAccount gives the account field of an ARN, or "".
func arnAccount(arn string) string {
	for range 4 {
		i := strings.IndexByte(arn, ':')
		if i < 0 {
			return ""
		}
		arn = arn[i+1:]
	}
	if i := strings.IndexByte(arn, ':'); i >= 0 {
		return arn[:i]
	}
	return ""
}

// samples gives natural texts that meet the test, for use as candidates.
func (t *test) samples(dst []string) []string {
	if t == nil {
		return dst
	}
	dst = append(dst, t.exact...)
	for i := range t.patterns {
		if i == 16 {
			break
		}
		dst = t.patterns[i].samples(dst)
	}
	return dst
}

// samples fills a pattern's wildcards in a few ways, the natural one first.
func (p *pattern) samples(dst []string) []string {
	return p.filled(append(dst, p.natural(naturalAccounts[0])), "", "x", "main", "123456789012")
}

// pathSamples gives paths in an organization that meet the test.
func (t *test) pathSamples(dst []string) []string {
	if t == nil {
		return dst
	}
	for i := range min(len(t.patterns), 16) {
		dst = t.patterns[i].filled(dst, "r-root/", "ou-root-mallory0/", "r-root/ou-root-mallory0/")
	}
	return dst
}

// addressSamples gives texts of addresses that meet the test, where it is one on text.
func (t *test) addressSamples(dst []string) []string {
	if t == nil {
		return dst
	}
	for i := range min(len(t.patterns), 16) {
		dst = t.patterns[i].filled(dst, "1", "0.1", "0.0.1", "1.0.0.1", ".1", ".0.1", ".0.0.1", "1.", "::1", "db8::1")
	}
	return dst
}

// woven makes one text of the first patterns of several literals: what they
// begin with, all that may stand anywhere, and what they end with.
func woven(lits []lit) (string, bool) {
	head, tail, patterns := "", "", 0
	var middle strings.Builder
	for i := range lits {
		l := &lits[i]
		if l.neg || l.win != wholeWindow || l.t == nil || len(l.t.patterns) == 0 {
			continue
		}
		patterns++
		parts := strings.Split(strings.ReplaceAll(l.t.patterns[0].text, "?", "1"), "*")
		last := len(parts) - 1
		if len(parts[0]) > len(head) {
			head = parts[0]
		}
		if last > 0 && len(parts[last]) > len(tail) {
			tail = parts[last]
		}
		for _, p := range parts[min(1, last):last] {
			middle.WriteString(p)
		}
	}
	return head + middle.String() + tail, patterns > 1
}

// filled fills a pattern's stars.
func (p *pattern) filled(dst []string, fills ...string) []string {
	for _, fill := range fills {
		dst = append(dst, p.filledBy(func(int, string) string { return fill }))
	}
	return dst
}

// filledBy writes a pattern's text with what is given for each star, by its
// token and what stands before it.
func (p *pattern) filledBy(star func(i int, before string) string) string {
	var b strings.Builder
	for i, t := range p.tokens {
		switch t.kind {
		case takeRune, takeFold:
			b.WriteRune(t.r)
		case takeOne, takeField:
			b.WriteByte('1')
		case takeMany, takeFields:
			b.WriteString(star(i, b.String()))
		}
	}
	return b.String()
}
