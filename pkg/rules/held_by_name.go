package rules

import (
	"slices"
	"strings"

	"github.com/rolewarden/rolewarden/pkg/policy"
)

// The condition keys that say who calls.
const (
	userNameKey = "aws:username"
	userIDKey   = "aws:userid"
)

// ByName is a place where a document lets somebody in, or spares somebody, by
// a name or an id that IAM does not keep in step with whom it stood for.
type ByName struct {
	// Where is the place, such as Statement[0].Condition.ArnEquals.aws:PrincipalArn.
	Where string
	// Key is the condition key, as it is written; empty for a principal.
	Key string
	// Principal is the user or role by its account, kind and name, and under
	// aws:userid the UniqueID alone. Value is what the document writes.
	Principal policy.Principal
}

// HeldByName gives the users and roles that a document lets in, or spares, by
// name or id in a condition: by aws:PrincipalArn, by aws:username in the accounts
// that the statement names, by aws:userid; and those of which a single session is
// a principal. IAM turns none of these into another name or id when somebody is
// deleted (IAM User Guide, reference_policies_elements_principal).
//
// A value with a wildcard or a variable names nobody and is not among them.
func HeldByName(d policy.Document) []ByName {
	var out []ByName
	for i, st := range d.Statements {
		if st.Effect == policy.Allow {
			for k, p := range st.Principal.List {
				if p.Kind == policy.RoleSession {
					p.Kind, p.Session = policy.Role, ""
					out = append(out, ByName{Where: principalAt(i, "Principal", st.Principal, k), Principal: p})
				}
			}
		}
		for _, c := range st.Conditions {
			o, ok := policy.ParseOperator(c.Operator)
			if !ok || (st.Effect == policy.Deny) != o.Negated {
				continue
			}
			for _, p := range callersOf(st, c) {
				out = append(out, ByName{Where: conditionAt(i, c), Key: c.Key, Principal: p})
			}
		}
	}
	return out
}

// callersOf gives whom a condition names.
func callersOf(st policy.Statement, c policy.Condition) []policy.Principal {
	var out []policy.Principal
	for _, v := range c.Values {
		switch {
		case strings.EqualFold(c.Key, principalARNKey):
			p, err := policy.ParsePrincipal("AWS", v)
			if err == nil && (p.Kind == policy.User || p.Kind == policy.Role) && !strings.ContainsAny(v, "*?$") {
				out = append(out, p)
			}
		case strings.EqualFold(c.Key, userIDKey):
			id, _, _ := strings.Cut(v, ":")
			if p, err := policy.ParsePrincipal("AWS", id); err == nil && p.OrphanLike() {
				out = append(out, p)
			}
		case strings.EqualFold(c.Key, userNameKey) && v != "" && !strings.ContainsAny(v, "*?$"):
			for _, p := range st.Principal.List {
				user := policy.Principal{Type: "AWS", Value: v, Kind: policy.User, Account: p.Account, Name: v}
				if p.Kind == policy.Account && !slices.Contains(out, user) {
					out = append(out, user)
				}
			}
		}
	}
	return out
}
