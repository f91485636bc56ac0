package rules

import (
	"slices"
	"strings"

	"github.com/rolewarden/rolewarden/pkg/access"
	"github.com/rolewarden/rolewarden/pkg/policy"
	"github.com/rolewarden/rolewarden/pkg/proof"
)

// entriesByName gives the entries with a value to ask about.
func entriesByName(in Input, s said) []byName {
	var out []byName
	for i, st := range in.Document.Statements {
		for k, c := range st.Conditions {
			if !strings.EqualFold(c.Key, principalARNKey) {
				continue
			}
			o, ok := policy.ParseOperator(c.Operator)
			if !ok || (st.Effect == policy.Deny) != o.Negated {
				continue
			}
			e := byName{statement: i, condition: k, operator: o.Base.String()}
			switch o.Base {
			case policy.ARN, policy.StringLike, policy.String, policy.StringIgnoreCase:
				e.values(in, s, o.Base, c.Values)
			default: // no other comparison is for names
			}
			if len(e.open)+len(e.gone) > 0 {
				out = append(out, e)
			}
		}
	}
	return out
}

func (e *byName) values(in Input, s said, base policy.Base, values []string) {
	patterns, variables := base == policy.ARN || base == policy.StringLike, in.Document.Version == "2012-10-17"
	for _, v := range values {
		if _, gone := in.Gone[strings.ToLower(v)]; gone {
			e.gone = append(e.gone, v)
			continue
		}
		pattern := v
		switch {
		case !strings.Contains(v, "${"):
		case !variables:
			continue
		case base == policy.String:
			// Equal to a text that depends on the caller: open as a pattern is.
			pattern, patterns, e.operator = withoutVariables(v), true, policy.StringLike.String()
		default:
			pattern = withoutVariables(v)
		}
		if patterns && leavesNamesOpen(pattern, in.Role.Partition, s.accounts) {
			e.open = append(e.open, pattern)
		}
	}
}

// NamesInConditions gives the users and roles whose whole ARNs the document
// writes where a condition lets them in by name: those of whom somebody should
// know whether they still exist (Input.Gone).
func NamesInConditions(d policy.Document) []policy.Principal {
	var out []policy.Principal
	for _, n := range HeldByName(d) {
		if strings.EqualFold(n.Key, principalARNKey) && !slices.Contains(out, n.Principal) {
			out = append(out, n.Principal)
		}
	}
	return out
}

// withoutVariables puts a wildcard in the place of each policy variable.
func withoutVariables(v string) string {
	for {
		head, rest, ok := strings.Cut(v, "${")
		if !ok {
			return v
		}
		_, tail, closed := strings.Cut(rest, "}")
		if !closed {
			return v
		}
		v = head + "*" + tail
	}
}

// leavesNamesOpen says whether a pattern is one for names: it holds a part of a
// name, or a whole one in any account. A pattern that every role or user of an
// account fits holds none; one whose only wildcard is in the path holds one
// name, which one role of the account can have at a time, whatever its path.
func leavesNamesOpen(pattern, partition string, accounts []string) bool {
	if !strings.ContainsAny(pattern, "*?") || forWholeAccounts(pattern, partition, accounts) {
		return false
	}
	parts := strings.SplitN(pattern, ":", 6)
	if len(parts) < 6 {
		return true
	}
	if strings.HasPrefix(parts[5], "role/aws-reserved/") || strings.HasPrefix(parts[5], "role/aws-service-role/") {
		return false // nobody but AWS makes roles there (reserved)
	}
	kind, name, named := strings.Cut(parts[5], "/")
	return strings.ContainsAny(parts[4], "*?") || !named || strings.ContainsAny(kind, "*?") || strings.ContainsAny(name[strings.LastIndexByte(name, '/')+1:], "*?")
}

// forWholeAccounts says whether names of nothing in common all fit a pattern, in
// an account that the document names or in some other.
func forWholeAccounts(pattern, partition string, accounts []string) bool {
	fits := func(account, kind string) bool {
		for _, name := range []string{"w", "Zq7", "x_y-9.k@e,u=v+b"} {
			o := policy.Operator{Base: policy.StringLike}
			if access.Match(o, pattern, "arn:"+partition+":iam::"+account+":"+kind+"/"+name) != access.Yes {
				return false
			}
		}
		return true
	}
	return slices.ContainsFunc(append([]string{"000000000000"}, accounts...), func(a string) bool { return fits(a, "role") || fits(a, "user") })
}

// writtenARNs gives the users and roles that the document writes out, as
// principals or in conditions; a name in any account counts as written for the
// accounts that are.
func writtenARNs(d policy.Document, s said) []string {
	var out []string
	add := func(v string) {
		if p, err := policy.ParsePrincipal("AWS", v); err == nil && (p.Kind == policy.User || p.Kind == policy.Role) && !strings.ContainsAny(v, "*?$") {
			out = appendMissing(out, []string{v})
		}
	}
	for _, st := range d.Statements {
		for _, p := range st.Principal.List {
			add(p.Value)
		}
		for _, c := range st.Conditions {
			if !strings.EqualFold(c.Key, principalARNKey) {
				continue
			}
			for _, v := range c.Values {
				add(v)
				if head, name, ok := strings.Cut(withoutVariables(v), ":*:"); ok {
					for _, account := range s.accounts {
						add(head + ":" + account + ":" + name)
					}
				}
			}
		}
	}
	return out
}

// reserved are the paths in which AWS alone makes roles: those of IAM Identity
// Center's permission sets, and the service-linked ones.
func reserved() proof.Requirement {
	return demand(proof.Fails, "ArnLike", principalARNKey, "arn:*:iam::*:role/aws-reserved/*", "arn:*:iam::*:role/aws-service-role/*")
}
