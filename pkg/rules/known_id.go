package rules

import (
	"fmt"
	"slices"
	"strings"

	"github.com/rolewarden/rolewarden/pkg/finding"
	"github.com/rolewarden/rolewarden/pkg/org/vendor"
	"github.com/rolewarden/rolewarden/pkg/policy"
	"github.com/rolewarden/rolewarden/pkg/proof"
)

// knownID says in words what an external ID is, when it is something that
// anybody can look up and that therefore binds the role to nobody; else nothing.
// It never says the ID.
func knownID(in Input, s said, id string) string { return newPublicNames(in, s).tell(in, id) }

// publicNames are the names of partners and of the vendors whose accounts the
// document writes, in letters and digits.
type publicNames struct{ partners, vendors once }

func newPublicNames(in Input, s said) *publicNames {
	var n publicNames
	for _, p := range in.Org.Partners {
		n.partners.add(lettersOf(p.Name))
	}
	for _, account := range s.accounts {
		if name, ok := vendor.Name(account); ok {
			n.vendors.add(lettersOf(name))
		}
	}
	return &n
}

func (n *publicNames) tell(in Input, id string) string {
	if policy.IsAccountID(id) {
		_, partner := in.Org.Partner(id)
		switch {
		case id == in.Role.Account:
			return "the number of the role's own account"
		case partner, in.Org.Member(id), trusts(in.Document, id):
			return "the number of an account that the policy or the rules file names"
		default:
			return ""
		}
	}
	if len(n.partners.list)+len(n.vendors.list) == 0 {
		return ""
	}
	switch letters := lettersOf(id); {
	case letters == "":
		return ""
	case n.partners.has(letters):
		return "a partner's name"
	case n.vendors.has(letters):
		return "the vendor's name"
	default:
		return ""
	}
}

// trusts says whether a principal of the document is in an account.
func trusts(d policy.Document, account string) bool {
	return slices.ContainsFunc(d.Statements, func(st policy.Statement) bool {
		return slices.ContainsFunc(st.Principal.List, func(p policy.Principal) bool { return p.Account == account })
	})
}

// lettersOf gives the letters and digits of a text, in lower case: "Acme, Inc."
// and "acme-inc" are the same guess.
func lettersOf(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r > 0x7f {
			return r
		}
		return -1
	}, strings.ToLower(s))
}

// accountLike advises against external IDs that have the form of an account id
// and let a third party in: whose it would be is not known.
func accountLike(in Input, s said, ids []string) Judgement {
	for _, id := range ids {
		if !policy.IsAccountID(id) {
			continue
		}
		a := thirdParties(in, s, demand(proof.Holds, "StringEquals", externalIDKey, id))
		if a.Outcome != proof.Found {
			continue
		}
		place := at(first(a.Statements))
		return Judgement{Findings: []finding.Finding{{
			Rule: externalIDID, Severity: finding.Advice, Where: place,
			Message:  fmt.Sprintf("the external ID of %s has the form of an account id; if it is one, anybody can look it up", in.whose(s, callerAccount(a))),
			Fix:      "ask the partner for an ID that is random, or take the digits for what they are",
			Evidence: witness(finding.Allowed, a),
		}}}
	}
	return Judgement{}
}
