package rules

import (
	"slices"
	"strings"

	"github.com/rolewarden/rolewarden/pkg/finding"
	"github.com/rolewarden/rolewarden/pkg/org"
	"github.com/rolewarden/rolewarden/pkg/policy"
)

// mend adds a demanded condition to the statement of a finding, for the callers
// that the rule speaks of; all others of the statement stay as they were. Where
// several conditions would do, or one is forbidden, or nobody may come in, it is
// not known what is meant.
func (c custom) mend(in Input, f finding.Finding) []policy.Document {
	i, ok := statementOf(in.Document, f)
	if !ok || in.Document.Statements[i].Effect != policy.Allow {
		return nil
	}
	var out []policy.Document
	for _, d := range c.demands() {
		if len(d.conditions) != 1 || d.forbidden {
			continue
		}
		one, document := d.conditions[0], in.Document
		if slices.ContainsFunc(one.Values, func(v string) bool { return strings.Contains(v, "${") }) {
			if document, ok = speaksVariables(document); !ok {
				continue
			}
		}
		binding := func(d policy.Document, bind func(policy.Statement) (policy.Statement, bool)) {
			out = append(out, divided(in, d, i, c.meant(in), bind)...)
		}
		binding(in.Document, func(st policy.Statement) (policy.Statement, bool) { return allTightened(st, one.Key) })
		binding(document, func(st policy.Statement) (policy.Statement, bool) { return narrowed(st, one, writtenToo) })
		binding(document, func(st policy.Statement) (policy.Statement, bool) { return narrowed(st, one, demandedAlone) })
		binding(document, func(st policy.Statement) (policy.Statement, bool) {
			return demanding(st, one.Key, one.Values, one.Operator)
		})
	}
	return out
}

// Which of the demanded values a condition is narrowed to: those that it has
// already, or all.
func writtenToo(demanded, written []string) []string {
	return slices.DeleteFunc(slices.Clone(written), func(v string) bool { return !slices.Contains(demanded, v) })
}

func demandedAlone(demanded, _ []string) []string { return demanded }

// narrowed gives the statement with a condition that is there already, with the
// demanded operator and key, narrowed to demanded values alone; it fails where
// there is none, or nothing to narrow. That nothing is let in anew by it, proof
// has to say.
func narrowed(st policy.Statement, demanded policy.Condition, which func(demanded, written []string) []string) (policy.Statement, bool) {
	st.Conditions = slices.Clone(st.Conditions)
	some := false
	for k, c := range st.Conditions {
		if c.Operator != demanded.Operator || !strings.EqualFold(c.Key, demanded.Key) {
			continue
		}
		if values := which(demanded.Values, c.Values); len(values) > 0 && !slices.Equal(values, c.Values) {
			st.Conditions[k].Values, some = values, true
		}
	}
	return st, some
}

// meant gives the share of each principal that the rule speaks of.
func (c custom) meant(in Input) func(policy.Principal) share {
	return shares(func(word string, p policy.Principal) bool { return c.speaksOf(in, word, p) })
}

// speaksOf says whether the rule speaks of all callers of a kind whom a
// principal stands for. Where it excepts some who may be among them it does not.
func (c custom) speaksOf(in Input, kind string, p policy.Principal) bool {
	return slices.ContainsFunc(c.Callers, func(callers org.CustomCallers) bool {
		if callers.Kind != kind || len(callers.Names) > 0 && !slices.Contains(callers.Names, p.Value) && !slices.Contains(callers.Names, p.Name) {
			return false
		}
		single := p.Kind != policy.Account && p.Kind != policy.Anyone && p.Kind != policy.RoleSession
		if len(callers.Except) > 0 && (!single || excepted(callers.Except, p)) {
			return false
		}
		return within(in, callers, p.Account)
	})
}

// excepted says whether an exception may speak of a principal.
func excepted(except []string, p policy.Principal) bool {
	return slices.ContainsFunc(except, func(e string) bool { return e == p.Value || e == p.Name || strings.ContainsAny(e, "*?") })
}

// within says whether an account is surely one of those that a class of users
// or roles is of; no account stands for all of them.
func within(in Input, callers org.CustomCallers, account string) bool {
	inside := in.insiders()
	switch callers.Accounts {
	case org.AnyAccount:
		return true
	case org.OwnAccount:
		return account != "" && account == in.Role.Account
	case org.OrganizationAccounts:
		return account != "" && slices.Contains(inside, account)
	case org.PartnerAccounts:
		return slices.Contains(in.Org.PartnerIDs(), account)
	case org.OutsideAccounts:
		return account != "" && !slices.Contains(inside, account)
	case org.ListedAccounts:
		return slices.Contains(callers.IDs, account)
	default:
		return false
	}
}
