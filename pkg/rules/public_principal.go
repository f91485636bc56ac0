package rules

import (
	_ "embed"
	"slices"
	"strings"

	"github.com/rolewarden/rolewarden/pkg/finding"
	"github.com/rolewarden/rolewarden/pkg/policy"
	"github.com/rolewarden/rolewarden/pkg/proof"
)

//go:embed public_principal.md
var publicPrincipalPage string

const publicPrincipalID = "public-principal"

func publicPrincipal() Rule {
	return Rule{
		ID: publicPrincipalID, Title: "Nobody unknown may assume the role",
		Severity: finding.Critical, Reach: MayWrite, Page: publicPrincipalPage, Check: checkPublicPrincipal,
	}
}

// checkPublicPrincipal looks for a user or role in an account and organization
// that neither the rules file nor the document names. Services and identity
// providers are no accounts; other rules ask about them.
func checkPublicPrincipal(in Input) Judgement {
	s := newSaid(in)
	named := slices.Concat(in.insiders(), in.Org.PartnerIDs(), s.accounts)
	a := in.find(in.query(assume,
		outside(s, append(in.ours(), s.organizations...)),
		awsCallers(proof.Accounts{Except: named}, nil)...))
	return judged(a, func(a proof.Answer) finding.Finding {
		place, text := entry(in.Document, a)
		return finding.Finding{
			Rule: publicPrincipalID, Severity: finding.Critical, Where: place,
			Message:  text + " lets anybody with an AWS account assume the role" + besides(in.Document, a) + "; name the accounts, roles or users that need it",
			Fix:      `"Principal": {"AWS": "arn:aws:iam::111122223333:role/NAME"}; where any account of the organization may come in, keep "*" and add {"StringEquals": {"aws:PrincipalOrgID": "` + organizationOr(in) + `"}}`,
			Evidence: witness(finding.Allowed, a),
		}
	})
}

func organizationOr(in Input) string {
	if id := in.Org.Organization.ID; id != "" {
		return id
	}
	return "o-exampleorgid"
}

// besides names the conditions and Denies that look like a limit and are none.
func besides(d policy.Document, a proof.Answer) string {
	var looks []string
	for _, c := range d.Statements[first(a.Statements)].Conditions {
		looks = append(looks, word(c.Operator)+" "+word(c.Key))
	}
	for i, st := range d.Statements {
		if st.Effect == policy.Deny {
			looks = append(looks, "the Deny in "+at(i))
		}
	}
	if len(looks) == 0 {
		return ""
	}
	return ", which " + strings.Join(looks, " and ") + " cannot prevent"
}
