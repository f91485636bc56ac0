package access

import (
	"encoding/base64"
	"net/netip"
	"strings"

	"github.com/rolewarden/rolewarden/pkg/policy"
)

// Match compares one value of a request with one value of a policy, before
// negation. The policy's value is taken as it stands: its wildcards count under
// StringLike and the ARN operators, and "${" is no variable. Null compares no
// values and is Unsettled here, as is every pair that AWS's documentation gives
// no meaning.
func Match(op policy.Operator, pattern, value string) Tri {
	return MatchPattern(op, Wild(pattern), value)
}

// MatchPattern is Match with variables already put in.
func MatchPattern(op policy.Operator, p Pattern, value string) Tri {
	switch op.Base {
	case policy.String:
		return settled(p.text == value)
	case policy.StringIgnoreCase:
		return matchIgnoreCase(p.text, value)
	case policy.StringLike:
		return settled(MatchGlob(p, value))
	case policy.ARN:
		return matchARNOperator(op, p, value)
	case policy.NumericEquals, policy.NumericLessThan, policy.NumericLessThanEquals,
		policy.NumericGreaterThan, policy.NumericGreaterThanEquals:
		return matchNumber(op.Base, p.text, value)
	case policy.DateEquals, policy.DateLessThan, policy.DateLessThanEquals,
		policy.DateGreaterThan, policy.DateGreaterThanEquals:
		return matchDate(op.Base, p.text, value)
	case policy.Bool:
		return matchBool(p.text, value)
	case policy.Binary:
		return matchBinary(p.text, value)
	case policy.IP:
		return matchIP(p.text, value)
	case policy.Null, policy.NoBase:
		return Unsettled
	default:
		return Unsettled
	}
}

func matchIgnoreCase(want, have string) Tri {
	switch {
	case sameFold(want, have):
		return Yes
	case strings.EqualFold(want, have):
		// Which letters outside ASCII AWS folds is not documented.
		return Unsettled
	default:
		return No
	}
}

// matchARNOperator adds to MatchARN that a negated operator on a value that is
// no ARN is not settled.
func matchARNOperator(op policy.Operator, p Pattern, value string) Tri {
	if op.Negated {
		if _, ok := arnParts(value); !ok {
			return Unsettled
		}
	}
	return MatchARN(p, value)
}

// matchBool settles only the spellings true and false.
func matchBool(want, have string) Tri {
	switch {
	case want == have && (want == "true" || want == "false"):
		return Yes
	case strings.EqualFold(want, have):
		return Unsettled
	default:
		return No
	}
}

// matchBinary compares the bytes that both base-64 texts stand for (IAM User
// Guide, reference_policies_elements_condition_operators, Conditions_BinaryEquals).
func matchBinary(want, have string) Tri {
	a, errA := base64.StdEncoding.DecodeString(want)
	b, errB := base64.StdEncoding.DecodeString(have)
	if errA != nil || errB != nil {
		return Unsettled
	}
	switch {
	case want == have:
		return Yes
	case string(a) == string(b):
		// That the same bytes may be spelled in two ways is not documented.
		return Unsettled
	default:
		return No
	}
}

// matchIP looks for an address in a CIDR range; a bare address is a range of
// one (same page, Conditions_IPAddress).
func matchIP(want, have string) Tri {
	addr, err := netip.ParseAddr(have)
	if err != nil {
		return Unsettled
	}
	prefix, err := netip.ParsePrefix(want)
	if err != nil {
		one, err := netip.ParseAddr(want)
		if err != nil {
			return Unsettled
		}
		prefix = netip.PrefixFrom(one, one.BitLen())
	}
	if addr.Zone() != "" || !prefix.IsValid() || addr.Is4In6() || prefix.Addr().Is4In6() {
		// Whether ::ffff:192.0.2.1 is 192.0.2.1 is not documented.
		return Unsettled
	}
	return settled(prefix.Contains(addr))
}
