package rules

import (
	"slices"
	"strings"

	"github.com/rolewarden/rolewarden/pkg/policy"
	"github.com/rolewarden/rolewarden/pkg/proof"
)

// anybody says whether a statement is for everybody of AWS.
func anybody(st policy.Statement) bool {
	return st.Principal.Star || slices.ContainsFunc(st.Principal.List, func(p policy.Principal) bool { return p.Kind == policy.Anyone })
}

// letsInOthers says whether an Allow names services or identity providers.
func letsInOthers(d policy.Document) bool {
	return slices.ContainsFunc(audience(policy.Statement{Principal: everyPrincipal(d)}), func(c proof.Callers) bool {
		return c.Kind != proof.Users && c.Kind != proof.RoleSessions
	})
}

func unique(p policy.Principal) bool { return p.Kind == policy.UniqueID }

// settledStatement says that a statement has no element that may void it, and
// no principal of whom nobody knows whom it matches.
func settledStatement(st policy.Statement) bool {
	unsettled := func(p policy.Principal) bool {
		return p.Kind == policy.UnknownPrincipal || p.Kind == policy.CanonicalUser || p.Kind == policy.AnyFederated || p.Kind == policy.AnyService
	}
	return !st.NotPrincipal.Present() && len(st.Resources)+len(st.NotResources)+len(st.NotActions) == 0 && !slices.ContainsFunc(st.Principal.List, unsettled)
}

// carriesOnly says that a statement is about actions that go with another.
func carriesOnly(st policy.Statement) bool {
	return len(st.Actions) > 0 && !slices.ContainsFunc(st.Actions, func(a string) bool { return !carried(a) })
}

func carried(action string) bool {
	return slices.ContainsFunc(carriedActions(), func(a string) bool { return strings.EqualFold(a, action) })
}

func carriedActions() []string {
	return []string{"sts:TagSession", "sts:SetSourceIdentity", "sts:SetContext"}
}

// carriers gives the Allows, two at most, that may grant what goes with a
// statement's action: one of them is another than whichever is asked about.
func carriers(d policy.Document) []int {
	var out []int
	for i, st := range d.Statements {
		if len(out) < 2 && st.Effect == policy.Allow && slices.ContainsFunc(carriedActions(), func(a string) bool { return covers(st, a) }) {
			out = append(out, i)
		}
	}
	return out
}

// covers says whether a statement's actions hold an action; patterns are taken
// to, for this only chooses questions and words.
func covers(st policy.Statement, action string) bool {
	return len(st.NotActions) > 0 || slices.ContainsFunc(st.Actions, func(a string) bool {
		return strings.EqualFold(a, action) || strings.ContainsAny(a, "*?")
	})
}

// namesOnly says that a statement names users, roles or services one by one.
func namesOnly(st policy.Statement) bool {
	return len(st.Principal.List) > 0 && !st.Principal.Star && settledStatement(st) &&
		!slices.ContainsFunc(st.Principal.List, func(p policy.Principal) bool {
			return p.Kind != policy.User && p.Kind != policy.Role && p.Kind != policy.RoleSession && p.Kind != policy.Service && p.Kind != policy.UniqueID
		})
}
