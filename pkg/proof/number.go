package proof

import (
	"math"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/rolewarden/rolewarden/pkg/access"
)

// net is an address range as a policy writes it.
type net = netip.Prefix

// parseNumber reads a plain decimal number; other spellings are not settled.
func parseNumber(s string) (float64, bool) {
	if s == "" || strings.Trim(s, "0123456789.-") != "" {
		return 0, false
	}
	v, err := strconv.ParseFloat(s, 64)
	return v, err == nil && !math.IsInf(v, 0)
}

// parseDate reads a date as access does, in seconds since 1970.
func parseDate(s string) (float64, bool) {
	t, ok := access.ParseDate(s)
	return float64(t.Unix()) + float64(t.Nanosecond())/1e9, ok
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

// criticalPoints gives values at which tests may change their truth: every
// bound, just below, just above. Truth is constant between neighbouring ones.
func (t *test) criticalPoints(dst []string, now float64) []string {
	if t == nil {
		return dst
	}
	switch t.family {
	case textFamily:
	case numberFamily:
		for _, p := range t.points {
			for _, v := range [...]float64{p, p + 1, p - 1, p + 0.5, p - 0.5, math.Floor(p), math.Ceil(p), math.Floor(p) + 1, math.Ceil(p) - 1} {
				s := formatNumber(v)
				dst = append(dst, s, "0"+s, s+".0")
			}
		}
		dst = append(dst, "0")
	case dateFamily:
		for _, p := range t.points {
			for _, v := range [...]float64{p, p + 1, p - 1} {
				if v >= now {
					dst = append(dst, formatDate(v))
				}
			}
		}
	case addressFamily:
		dst = append(dst, "0.0.0.0", "::")
		for _, n := range t.nets {
			first, last := n.Addr(), lastAddress(n)
			for _, a := range [...]netip.Addr{first.Next(), first, last, first.Prev(), last.Next()} {
				if a.IsValid() {
					dst = append(dst, a.String())
				}
			}
		}
	}
	return dst
}

func formatNumber(v float64) string { return strconv.FormatFloat(v, 'f', -1, 64) }

func formatDate(v float64) string {
	return time.Unix(int64(v), 0).UTC().Format(time.RFC3339)
}

func lastAddress(n net) netip.Addr {
	b := n.Addr().AsSlice()
	for i := n.Bits(); i < len(b)*8; i++ {
		b[i/8] |= 0x80 >> (i % 8)
	}
	a, _ := netip.AddrFromSlice(b)
	return a
}
