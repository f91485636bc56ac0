package proof

import (
	"math/big"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/rolewarden/rolewarden/pkg/access"
)

// net is an address range as a policy writes it.
type net = netip.Prefix

// parseNumber reads a plain decimal number, exactly, as access does; other
// spellings, such as ".5", are not settled.
func parseNumber(s string) (*big.Rat, bool) {
	digits := strings.TrimPrefix(s, "-")
	whole, fraction, point := strings.Cut(digits, ".")
	if whole == "" || point && fraction == "" || strings.Trim(whole+fraction, "0123456789") != "" {
		return nil, false
	}
	return new(big.Rat).SetString(s)
}

// parseDate reads a date as access does, in seconds since 1970.
func parseDate(s string) (*big.Rat, bool) {
	t, ok := access.ParseDate(s)
	if !ok {
		return nil, false
	}
	return instant(t), true
}

func instant(t time.Time) *big.Rat {
	v := new(big.Rat).SetInt64(t.Unix())
	if n := t.Nanosecond(); n != 0 {
		v.Add(v, big.NewRat(int64(n), 1e9))
	}
	return v
}

func epochText(t time.Time) string { return strconv.FormatInt(t.Unix(), 10) }

// parseNet reads an address or a range in CIDR notation.
func parseNet(s string) (net, bool) {
	if p, err := netip.ParsePrefix(s); err == nil {
		return p.Masked(), true
	}
	if a, err := netip.ParseAddr(s); err == nil && a.Zone() == "" {
		return netip.PrefixFrom(a, a.BitLen()), true
	}
	return net{}, false
}

func (t *test) matchAddress(s string) bool {
	a, err := netip.ParseAddr(s)
	if err != nil {
		return false
	}
	for _, n := range t.nets {
		if n.Contains(a) {
			return true
		}
	}
	return false
}

// pointsCost is what criticalPoints and midpoints cost, in steps.
func (t *test) pointsCost() int {
	if t == nil {
		return 1
	}
	return 1 + 40*len(t.points) + 10*len(t.nets)
}

// criticalPoints gives values at which tests may change their truth: every
// bound, just below, just above. Truth is constant between neighbouring ones.
// Dates before a first one are left out.
func (t *test) criticalPoints(dst []string, first *big.Rat) []string {
	if t == nil {
		return dst
	}
	switch t.family {
	case textFamily:
	case numberFamily:
		if first != nil {
			// The epoch of a date.
			return datesFrom(dst, t.points, first)
		}
		for _, p := range t.points {
			for _, v := range beside(p) {
				s := formatNumber(v)
				dst = append(dst, s, "0"+s, s+".0")
			}
		}
		dst = append(dst, "0")
	case dateFamily:
		return datesFrom(dst, t.points, first)
	case addressFamily:
		dst = append(dst, "0.0.0.0", "::")
		for _, n := range t.nets {
			low, high := n.Addr(), lastAddress(n)
			for _, a := range [...]netip.Addr{low.Next(), low, high, low.Prev(), high.Next()} {
				if a.IsValid() {
					dst = append(dst, a.String())
				}
			}
		}
	}
	return dst
}

// datesFrom gives dates at bounds and beside them, from a first one on.
func datesFrom(dst []string, points []*big.Rat, first *big.Rat) []string {
	for _, p := range points {
		for _, v := range beside(p) {
			if first == nil || v.Cmp(first) >= 0 {
				dst = append(dst, formatDate(v))
			}
		}
	}
	return dst
}

// beside gives a number, those one more and one less, and the whole numbers next to it.
func beside(p *big.Rat) []*big.Rat {
	one := big.NewRat(1, 1)
	out := []*big.Rat{p, new(big.Rat).Add(p, one), new(big.Rat).Sub(p, one)}
	if p.IsInt() {
		return out
	}
	floor := new(big.Rat).SetInt(new(big.Int).Div(p.Num(), p.Denom()))
	return append(out, floor, new(big.Rat).Add(floor, one))
}

// midpoints adds the middle of each interval between bounds of number tests,
// and of date tests; of both together where first is the earliest of the dates
// whose epoch the numbers are.
func midpoints(dst []string, lits []lit, first *big.Rat) []string {
	var numbers, dates []*big.Rat
	for i := range lits {
		switch t := lits[i].t; {
		case t == nil:
		case t.family == numberFamily:
			numbers = append(numbers, t.points...)
		case t.family == dateFamily:
			dates = append(dates, t.points...)
		}
	}
	if first != nil {
		return between(dst, append(dates, numbers...), formatDate)
	}
	dst = between(dst, numbers, formatNumber)
	return between(dst, dates, formatDate)
}

func between(dst []string, points []*big.Rat, format func(*big.Rat) string) []string {
	slices.SortFunc(points, (*big.Rat).Cmp)
	half := big.NewRat(1, 2)
	for i := 1; i < len(points); i++ {
		if points[i-1].Cmp(points[i]) != 0 {
			middle := new(big.Rat).Add(points[i-1], points[i])
			dst = append(dst, format(middle.Mul(middle, half)))
		}
	}
	return dst
}

// formatNumber writes a decimal number in full.
func formatNumber(v *big.Rat) string {
	n, _ := v.FloatPrec()
	return v.FloatString(n)
}

// formatDate writes a date, to the nanosecond where it has fractions of a second.
func formatDate(v *big.Rat) string {
	if v.IsInt() {
		return time.Unix(v.Num().Int64(), 0).UTC().Format(time.RFC3339)
	}
	seconds := new(big.Int).Div(v.Num(), v.Denom())
	rest := new(big.Rat).Sub(v, new(big.Rat).SetInt(seconds))
	rest.Mul(rest, big.NewRat(1e9, 1))
	nanos := new(big.Int).Div(rest.Num(), rest.Denom())
	return time.Unix(seconds.Int64(), nanos.Int64()).UTC().Format(time.RFC3339Nano)
}

func lastAddress(n net) netip.Addr {
	b := n.Addr().AsSlice()
	for i := n.Bits(); i < len(b)*8; i++ {
		b[i/8] |= 0x80 >> (i % 8)
	}
	a, _ := netip.AddrFromSlice(b)
	return a
}
