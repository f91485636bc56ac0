package access

import (
	"cmp"
	"strings"
	"time"

	"github.com/rolewarden/rolewarden/pkg/policy"
)

// matchNumber compares decimal numbers exactly. A text that is not a plain
// decimal number is Unsettled.
func matchNumber(b policy.Base, want, have string) Tri {
	w, ok := parseDecimal(want)
	if !ok {
		return Unsettled
	}
	h, ok := parseDecimal(have)
	if !ok {
		return Unsettled
	}
	return ordered(b, h.compare(w))
}

// ordered says whether an order of request value to policy value is what the
// operator asks for.
func ordered(b policy.Base, order int) Tri {
	switch b {
	case policy.NumericEquals, policy.DateEquals:
		return settled(order == 0)
	case policy.NumericLessThan, policy.DateLessThan:
		return settled(order < 0)
	case policy.NumericLessThanEquals, policy.DateLessThanEquals:
		return settled(order <= 0)
	case policy.NumericGreaterThan, policy.DateGreaterThan:
		return settled(order > 0)
	case policy.NumericGreaterThanEquals, policy.DateGreaterThanEquals:
		return settled(order >= 0)
	default:
		return Unsettled
	}
}

// decimal is a decimal number of any size: sign, digits before the point
// without leading zeros, digits after it without trailing ones.
type decimal struct {
	sign            int
	whole, fraction string
}

func parseDecimal(s string) (decimal, bool) {
	d := decimal{sign: 1}
	if rest, ok := strings.CutPrefix(s, "-"); ok {
		d.sign, s = -1, rest
	}
	whole, fraction, point := strings.Cut(s, ".")
	if !digits(whole) || point && !digits(fraction) {
		return decimal{}, false
	}
	d.whole = strings.TrimLeft(whole, "0")
	d.fraction = strings.TrimRight(fraction, "0")
	if d.whole == "" && d.fraction == "" {
		d.sign = 0
	}
	return d, true
}

func digits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != ""
}

// compare is negative when d is less than e, positive when it is greater.
func (d decimal) compare(e decimal) int {
	if d.sign != e.sign {
		return cmp.Compare(d.sign, e.sign)
	}
	return d.sign * cmp.Or(
		cmp.Compare(len(d.whole), len(e.whole)),
		cmp.Compare(d.whole, e.whole),
		cmp.Compare(d.fraction, e.fraction))
}

func matchDate(b policy.Base, want, have string) Tri {
	w, ok := ParseDate(want)
	if !ok {
		return Unsettled
	}
	h, ok := ParseDate(have)
	if !ok {
		return Unsettled
	}
	return ordered(b, h.Compare(w))
}

// ParseDate reads the dates that policies may hold: the W3C profile of ISO 8601
// or seconds since 1970 (IAM User Guide,
// reference_policies_elements_condition_operators, Conditions_Date). Four
// digits could be either and are refused; a time of day needs its zone.
func ParseDate(s string) (time.Time, bool) {
	if digits(s) {
		return parseEpoch(s)
	}
	layout := time.RFC3339
	switch {
	case len(s) == len("2006-01"):
		layout = "2006-01"
	case len(s) == len(time.DateOnly):
		layout = time.DateOnly
	case len(s) > len("2006-01-02T15:04") && s[len("2006-01-02T15:04")] != ':':
		layout = "2006-01-02T15:04Z07:00"
	}
	// time.Parse also takes a comma for the fraction's point and an hour of one
	// digit, which W3C does not.
	if strings.Contains(s, ",") || len(s) > len(time.DateOnly) && (len(s) < 17 || s[13] != ':') {
		return time.Time{}, false
	}
	t, err := time.Parse(layout, s)
	return t, err == nil
}

// parseEpoch refuses years too, numbers that begin with a zero, which could be
// part of a date as well, and what would overflow.
func parseEpoch(s string) (time.Time, bool) {
	if len(s) == 4 || len(s) > 15 || len(s) > 1 && s[0] == '0' {
		return time.Time{}, false
	}
	var seconds int64
	for i := range len(s) {
		seconds = seconds*10 + int64(s[i]-'0')
	}
	return time.Unix(seconds, 0), true
}
