package rules

import (
	_ "embed"
	"fmt"
	"slices"
	"strings"

	"github.com/rolewarden/rolewarden/pkg/access"
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
		Mend: mendGuards,
	}
}

// checkPublicPrincipal looks for a user or role in an account and organization
// that neither the rules file nor the document names. Services and identity
// providers that are named are no accounts; other rules ask about them.
func checkPublicPrincipal(in Input) Judgement {
	s := newSaid(in)
	if s.onlyTrusts(anyAccount) {
		return Judgement{}
	}
	named := slices.Concat(in.insiders(), in.Org.PartnerIDs(), s.accounts)
	a := in.find(in.query(assume,
		outside(s, append(in.ours(), s.organizations...)),
		awsCallers(proof.Accounts{Except: named}, nil)...))
	j := judged(a, func(a proof.Answer) finding.Finding { return publicFound(in, a) })
	if len(j.Findings) == 0 {
		j.Undecided = appendMissing(j.Undecided, nameless(in))
	}
	return j
}

func publicFound(in Input, a proof.Answer) finding.Finding {
	place, text := entry(in.Document, a)
	keep := `keep {"AWS": "*"}`
	if text == bareStar {
		keep = `write {"AWS": "*"}, since IAM saves no bare "*",`
	}
	return finding.Finding{
		Rule: publicPrincipalID, Severity: finding.Critical, Where: place,
		Message:  text + " lets anybody with an AWS account assume the role" + besides(in.Document, a) + "; name the accounts, roles or users that need it",
		Fix:      `"Principal": {"AWS": "arn:aws:iam::111122223333:role/NAME"}; where any account of the organization may come in, ` + keep + ` and add {"StringEquals": {"aws:PrincipalOrgID": "` + organizationOr(in) + `"}}`,
		Evidence: witness(finding.Allowed, a),
	}
}

// tryStrangers has a few strangers call, one by one: a user and a role session of
// an account that nobody named and that is in no organization. It is for
// documents that are left undecided as a whole, so that nobody hides an open door
// behind their size; that it finds nobody says nothing.
func tryStrangers(in Input) []finding.Finding {
	s := newSaid(in)
	s.accounts = append(s.accounts, in.Role.Account)
	account := s.unsaidAccount(in)
	arn := "arn:" + in.Role.Partition + ":"
	for _, caller := range []access.Caller{
		{AWS: arn + "iam::" + account + ":user/mallory", ID: "AIDAEXAMPLEMALLORY000"},
		{AWS: arn + "sts::" + account + ":assumed-role/mallory/s1", Issuer: arn + "iam::" + account + ":role/mallory", ID: "AROAEXAMPLEMALLORY000:s1"},
	} {
		r := access.Request{Actions: []string{assume}, Role: in.Role.ARN, Caller: caller, Context: map[string]access.Value{sessionNameKey: access.One("bob")}}.Complete(inNone{})
		if result := access.Evaluate(in.Document, r); result.Decision == access.Allowed {
			return []finding.Finding{publicFound(in, proof.Answer{Outcome: proof.Found, Witness: &r, Statements: result.Statements})}
		}
	}
	return nil
}

// inNone says of every account that it is in no organization.
type inNone struct{}

// OrganizationOf implements access.Facts.
func (inNone) OrganizationOf(string) (id string, ok bool) { return "", true }

// nameless asks about services, and identities of providers, that the document
// does not name: whom a star among its principals covers beside AWS principals
// is not documented (IAM User Guide, reference_policies_elements_principal).
func nameless(in Input) []string {
	named, issuers := outsidersNamed(in.Document)
	var open []string
	for _, class := range []struct {
		action  string
		callers []proof.Callers
	}{
		{assume, []proof.Callers{{Kind: proof.Services, Except: named}}},
		{assumeSAML, []proof.Callers{{Kind: proof.SAMLIdentities, Except: named}}},
		{assumeOIDC, []proof.Callers{{Kind: proof.OIDCIdentities, Except: named}, {Kind: proof.OIDCIdentities, Except: named, Names: issuers}}},
	} {
		if a := in.find(in.query(class.action, noAWSPrincipal(in.Document), class.callers...)); a.Outcome != proof.None {
			open = appendMissing(open, doubtsOf(a))
		}
	}
	return open
}

// outsidersNamed gives the services and providers that a document names as
// principals, and the issuers whose claims it asks for.
func outsidersNamed(d policy.Document) (named, issuers []string) {
	issuers = []string{}
	for _, st := range d.Statements {
		for _, p := range st.Principal.List {
			if p.Type == "Service" || p.Type == "Federated" {
				named = append(named, p.Name, p.Value)
			}
		}
		for _, c := range st.Conditions {
			if i := strings.LastIndexByte(c.Key, ':'); i > 0 && strings.Contains(c.Key[:i], ".") {
				issuers = appendMissing(issuers, []string{strings.ToLower(c.Key[:i])})
			}
		}
	}
	return named, issuers
}

// noAWSPrincipal requires the keys that only AWS principals are documented to
// have to be absent, as far as the document speaks of them.
func noAWSPrincipal(d policy.Document) [][]proof.Requirement {
	var where [][]proof.Requirement
	for _, key := range []string{"aws:PrincipalArn", "aws:PrincipalAccount", "aws:PrincipalOrgID", "aws:PrincipalOrgPaths", "aws:PrincipalType", "aws:userid"} {
		speaks := func(st policy.Statement) bool {
			return slices.ContainsFunc(st.Conditions, func(c policy.Condition) bool { return strings.EqualFold(c.Key, key) })
		}
		if slices.ContainsFunc(d.Statements, speaks) {
			where = append(where, must(demand(proof.Holds, "Null", key, "true")))
		}
	}
	return where
}

func appendMissing(list, more []string) []string {
	if len(more) <= 1 || len(list)+len(more) <= fewTexts {
		for _, m := range more {
			if !slices.Contains(list, m) {
				list = append(list, m)
			}
		}
		return list
	}
	all := setOf(list)
	for _, m := range more {
		all.add(m)
	}
	return all.list
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
	const most = 4
	if more := len(looks) - most; more > 0 {
		looks = append(looks[:most], fmt.Sprintf("%d more", more))
	}
	return ", which " + strings.Join(looks, " and ") + " cannot prevent"
}
