package rules

import (
	_ "embed"
	"fmt"
	"slices"
	"strings"

	"github.com/rolewarden/rolewarden/pkg/finding"
	"github.com/rolewarden/rolewarden/pkg/org"
	"github.com/rolewarden/rolewarden/pkg/policy"
	"github.com/rolewarden/rolewarden/pkg/proof"
	"github.com/rolewarden/rolewarden/pkg/role"
)

//go:embed external_account.md
var externalAccountPage string

const externalAccountID = "external-account"

func externalAccount() Rule {
	return Rule{
		ID: externalAccountID, Title: "Only the organization's accounts and listed partners may assume the role",
		Severity: finding.High, Reach: MayWrite, Page: externalAccountPage, Check: checkExternalAccount,
		Mend: mendGuards,
	}
}

// checkExternalAccount looks for a user or role in an account that is neither
// the role's own, nor the organization's, nor that of a partner whom this role
// may trust.
func checkExternalAccount(in Input) Judgement {
	s := newSaid(in)
	trusted, doubtful := trustedPartners(in)
	j := strangers(in, s, append(trusted, doubtful...))
	if len(j.Findings) > 0 || len(doubtful) == 0 {
		return j
	}
	if strict := strangers(in, s, trusted); len(strict.Findings) > 0 {
		account := Foreign(strict.Findings[0])[0]
		j.Undecided = append(j.Undecided, fmt.Sprintf("account %s may only be trusted by some roles: say which role this is with --role-arn", account))
	}
	return j
}

// trustedPartners gives the accounts of the partners whom the role may trust,
// and of those of whom that hinges on the role's unknown ARN.
func trustedPartners(in Input) (trusted, doubtful []string) {
	for _, p := range in.Org.Partners {
		switch may, known := permitted(p, in, role.MatchARN); {
		case !known:
			doubtful = append(doubtful, p.Accounts...)
		case may:
			trusted = append(trusted, p.Accounts...)
		}
	}
	return trusted, doubtful
}

// strangers asks about the accounts that the document names first, so that the
// witness is in one of them where it can be, and about partners' last: where
// others come in too, they are what is to be told.
func strangers(in Input, s said, partners []string) Judgement {
	if s.onlyTrusts(func(a string) bool { return in.insider(a) || slices.Contains(partners, a) }) {
		return Judgement{}
	}
	trusted := append(in.insiders(), partners...)
	found := func(a proof.Answer) finding.Finding { return strangerFound(in, s, a) }
	var classes []proof.Callers
	if named := without(s.accounts, trusted); len(named) > 0 {
		classes = awsCallers(proof.Accounts{Only: named}, nil)
	}
	elsewhere := without(in.Org.PartnerIDs(), trusted)
	classes = append(classes, awsCallers(proof.Accounts{Except: slices.Concat(trusted, elsewhere)}, nil)...)
	if len(elsewhere) > 0 {
		classes = append(classes, awsCallers(proof.Accounts{Only: elsewhere}, nil)...)
	}
	return judged(in.find(in.query(assume, outside(s, in.ours()), classes...)), found)
}

func strangerFound(in Input, s said, a proof.Answer) finding.Finding {
	account := callerAccount(a)
	place, text := entry(in.Document, a)
	f := finding.Finding{Rule: externalAccountID, Severity: finding.High, Where: place, Evidence: witness(finding.Allowed, a)}
	if p, ok := in.Org.Partner(account); ok {
		f.Message = fmt.Sprintf("%s lets in account %s of partner %s, who may only be trusted by %s; this role is none of them: trust the partner there", text, account, quoted(p.Name), strings.Join(p.Roles, ", "))
		f.Fix = "remove " + text + " from " + place + ", or add this role to the partner's roles in the rules file"
		return f
	}
	if organization, who := strangeOrganization(in, s, a); organization != "" {
		f.Message = fmt.Sprintf("%s lets in %s, which is not the role's own; write the organization that is meant, or name the accounts, roles or users that need it", text, who)
		f.Fix = `name whom you mean in ` + place + `, or add to the Condition of ` + at(first(a.Statements)) + `: {"StringEquals": {"aws:PrincipalOrgID": "` + organizationOr(in) + `"}} in place of ` + quoted(organization)
		return f
	}
	who := in.whose(s, account)
	f.Message = fmt.Sprintf("%s lets in %s, which belong neither to the organization nor to a listed partner; remove it, or list whose it is in the rules file", text, who)
	if strings.HasPrefix(who, "account ") {
		f.Message = fmt.Sprintf("%s lets in %s, which belongs neither to the organization nor to a listed partner; remove it, or list whose it is in the rules file", text, who)
	}
	f.Fix = "remove " + text + " from " + place + ", or list the account under organization.accounts or partners in the rules file"
	return f
}

// strangeOrganization gives the organization that the document writes and by
// which a witness comes in whose account nobody named, and in words who else does.
func strangeOrganization(in Input, s said, a proof.Answer) (organization, who string) {
	v, _ := a.Witness.Get(organizationKey)
	if in.Org.Organization.ID == "" || slices.Contains(s.accounts, callerAccount(a)) || len(v.Values) != 1 || !slices.Contains(s.organizations, v.Values[0]) {
		return "", ""
	}
	others := func(c policy.Condition) bool { return !strings.EqualFold(c.Key, organizationKey) }
	organization, who = v.Values[0], "every account of organization "+v.Values[0]
	if slices.ContainsFunc(in.Document.Statements[first(a.Statements)].Conditions, others) {
		who = "accounts of organization " + organization
	}
	return organization, who
}

// Foreign gives the accounts that a finding takes for strangers to the
// organization. Before anything is written because of it, Organizations must
// confirm that they are: one may have joined a minute ago. Findings of rules
// that do not rest on it have none. A rule of the organization's own may rest on
// it, so each of its findings is one to confirm, unless the account is listed.
func Foreign(f finding.Finding) []string {
	_, catalogue := Find(f.Rule)
	if catalogue && !slices.Contains([]string{externalAccountID, externalIDID, publicPrincipalID}, f.Rule) || f.Evidence.Request == nil {
		return nil
	}
	if account := accountOf(f.Evidence.Request.Caller.AWS); account != "" {
		return []string{account}
	}
	return nil
}

// Strangers gives those of a finding's Foreign accounts that Organizations is to be
// asked about. An account that the document does not write stands for anybody, and
// one that the rules file lists need not be asked about. JSON may spell the digits
// of an account as it likes; printed they are digits.
func Strangers(in Input, f finding.Finding) []string {
	text := string(in.Document.Print())
	return slices.DeleteFunc(Foreign(f), func(account string) bool {
		return !strings.Contains(text, account) || in.Org.Member(account)
	})
}

// partnerOf gives the partner of an account, or none.
func partnerOf(in Input, account string) (org.Partner, bool) { return in.Org.Partner(account) }
