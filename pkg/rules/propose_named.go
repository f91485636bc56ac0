package rules

import (
	"slices"

	"github.com/rolewarden/rolewarden/pkg/policy"
	"github.com/rolewarden/rolewarden/pkg/proof"
)

// namedBy asks, for each principal of a document's Allows, whether somebody of
// it is let in. Users and roles are asked about apart: who speaks of a whole
// account means both. Those of the organization are asked about without an
// external ID too: nobody gives them one.
func namedBy(d policy.Document, w proof.World) []proof.Query {
	n := asking{world: w}
	for _, st := range d.Statements {
		if st.Effect != policy.Allow {
			continue
		}
		if st.Principal.Star || st.NotPrincipal.Present() {
			n.people(proof.Accounts{})
		}
		for _, p := range st.Principal.List {
			n.principal(p)
		}
	}
	return n.queries
}

// asking gathers questions about one role.
type asking struct {
	world   proof.World
	queries []proof.Query
}

// principal asks about the callers whom a principal stands for. A unique ID
// stands for nobody.
func (n *asking) principal(p policy.Principal) {
	switch p.Kind {
	case policy.Anyone, policy.UnknownPrincipal, policy.CanonicalUser:
		n.people(proof.Accounts{})
	case policy.Account, policy.RoleSession, policy.FederatedUser:
		n.people(proof.Accounts{Only: []string{p.Account}})
	case policy.User, policy.Role:
		n.people(proof.Accounts{Only: []string{p.Account}}, must(demand(proof.Holds, "ArnEquals", "aws:PrincipalArn", p.Value)))
	case policy.Service:
		n.add(assume, nil, proof.Callers{Kind: proof.Services, Names: []string{p.Value}})
	case policy.AnyService:
		n.add(assume, nil, proof.Callers{Kind: proof.Services})
	case policy.SAMLProvider:
		n.add(assumeSAML, nil, proof.Callers{Kind: proof.SAMLIdentities, Names: []string{p.Value}})
	case policy.OIDCProvider:
		n.add(assumeOIDC, nil, proof.Callers{Kind: proof.OIDCIdentities, Names: []string{p.Value}})
	case policy.AnyFederated:
		n.add(assumeSAML, nil, proof.Callers{Kind: proof.SAMLIdentities})
		n.add(assumeOIDC, nil, proof.Callers{Kind: proof.OIDCIdentities})
	case policy.UniqueID:
	}
}

// people asks about users and about role sessions.
func (n *asking) people(accounts proof.Accounts, where ...[]proof.Requirement) {
	n.add(assume, where, proof.Callers{Kind: proof.Users, Accounts: accounts})
	n.add(assume, where, proof.Callers{Kind: proof.RoleSessions, Accounts: accounts})
	if len(accounts.Only) == 1 && (accounts.Only[0] == n.world.Own || slices.Contains(n.world.Members, accounts.Only[0])) {
		without := slices.Concat(where, [][]proof.Requirement{must(demand(proof.Holds, "Null", externalIDKey, "true"))})
		n.add(assume, without, proof.Callers{Kind: proof.Users, Accounts: accounts})
		n.add(assume, without, proof.Callers{Kind: proof.RoleSessions, Accounts: accounts})
	}
}

func (n *asking) add(action string, where [][]proof.Requirement, callers ...proof.Callers) {
	n.queries = append(n.queries, proof.Query{World: n.world, Callers: callers, Actions: []string{action}, Where: where})
}
