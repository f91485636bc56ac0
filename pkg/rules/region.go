package rules

import (
	"fmt"
	"slices"
	"strings"

	"github.com/rolewarden/rolewarden/pkg/finding"
	"github.com/rolewarden/rolewarden/pkg/org"
	"github.com/rolewarden/rolewarden/pkg/org/vendor"
	"github.com/rolewarden/rolewarden/pkg/proof"

	"github.com/rolewarden/rolewarden/pkg/policy"
)

// The actions by which a role is assumed.
const (
	assume     = "sts:AssumeRole"
	assumeSAML = "sts:AssumeRoleWithSAML"
	assumeOIDC = "sts:AssumeRoleWithWebIdentity"
)

// The keys that rules ask of.
const (
	sessionNameKey    = "sts:RoleSessionName"
	externalIDKey     = "sts:ExternalId"
	sourceIdentityKey = "sts:SourceIdentity"
	heldIdentityKey   = "aws:SourceIdentity"
	organizationKey   = "aws:PrincipalOrgID"
)

// world is what is known about the role and its surroundings.
func (in Input) world() proof.World {
	o := in.Org.Organization
	w := proof.World{
		Partition: in.Role.Partition, RoleARN: in.Role.ARN, Own: in.Role.Account,
		Members: in.members(), Now: in.Now,
	}
	if o.Complete {
		w.OtherMembers = proof.Complete
	}
	// A role that is judged under an organization's rules file is in that
	// organization, unless the file lists all of its accounts and not this one.
	if !o.Complete || in.Org.Member(in.Role.Account) {
		w.OrganizationID = o.ID
	}
	return w
}

// query asks about one action in some classes of callers.
func (in Input) query(action string, where [][]proof.Requirement, callers ...proof.Callers) proof.Query {
	return proof.Query{World: in.world(), Callers: callers, Actions: []string{action}, Where: where}
}

// find puts a question to proof.
func (in Input) find(q proof.Query) proof.Answer {
	a := in.ask(q)
	if in.misjudged(a) {
		return in.ask(in.ofAll(q))
	}
	return a
}

func (in Input) ask(q proof.Query) proof.Answer {
	q.Budget = in.budget
	if in.compiled == nil {
		return proof.Find(in.Document, q)
	}
	return in.compiled.Find(q)
}

// findRefused asks proof for a refused twin.
func (in Input) findRefused(q proof.Query, key string, extra []string, legal []proof.Requirement) proof.Answer {
	a := in.askRefused(q, key, extra, legal)
	if in.misjudged(a) {
		return in.askRefused(in.ofAll(q), key, extra, legal)
	}
	return a
}

func (in Input) askRefused(q proof.Query, key string, extra []string, legal []proof.Requirement) proof.Answer {
	q.Budget = in.budget
	if in.compiled == nil {
		return proof.FindRefused(in.Document, q, key, extra, legal)
	}
	return in.compiled.FindRefused(q, key, extra, legal)
}

// demand makes a requirement.
func demand(sense proof.Sense, operator, key string, values ...string) proof.Requirement {
	return proof.Requirement{Condition: policy.Condition{Operator: operator, Key: key, Values: values}, Sense: sense}
}

// must makes a list of one requirement without alternative.
func must(r proof.Requirement) []proof.Requirement { return []proof.Requirement{r} }

// awsCallers are the users and role sessions of some accounts, of which some ARNs are left out.
func awsCallers(accounts proof.Accounts, except []string) []proof.Callers {
	return []proof.Callers{
		{Kind: proof.Users, Accounts: accounts, Except: except},
		{Kind: proof.RoleSessions, Accounts: accounts, Except: except},
	}
}

// outside requires callers that belong to none of the organizations. A list of
// accounts may lack some; whom a condition holds to our organization is a
// member, listed or not. proof knows that the organization's paths go with its
// id. Where the document does not speak of organizations the requirement would
// change nothing.
func outside(s said, organizations []string) [][]proof.Requirement {
	if !s.speaksOfOrganizations || len(organizations) == 0 {
		return nil
	}
	return [][]proof.Requirement{must(demand(proof.Fails, "StringEquals", organizationKey, organizations...))}
}

// ours gives the organization's id as a list, empty when it is not known.
func (in Input) ours() []string {
	if id := in.Org.Organization.ID; id != "" {
		return []string{id}
	}
	return nil
}

// insider says whether an account is the role's own or the organization's.
func (in Input) insider(account string) bool {
	return account == in.Role.Account || in.Org.Member(account)
}

// insiders are the role's own account and the organization's, as proof is told
// of them.
func (in Input) insiders() []string {
	return in.rolls.with(in.members(), in.Role.Account)
}

// without gives the accounts of a list that are not in another.
func without(accounts, others []string) []string {
	if len(accounts) == 0 {
		return nil
	}
	left := &once{list: others}
	if len(accounts) > fewTexts {
		left = setOf(others)
	}
	return slices.DeleteFunc(slices.Clone(accounts), left.has)
}

// judged turns an answer into a judgement; found makes the finding of a witness.
func judged(a proof.Answer, found func(proof.Answer) finding.Finding) Judgement {
	switch a.Outcome {
	case proof.Found:
		return Judgement{Findings: []finding.Finding{found(a)}}
	case proof.None:
		return Judgement{}
	case proof.Unknown:
		return Judgement{Undecided: doubtsOf(a)}
	default:
		return Judgement{Undecided: []string{fmt.Sprintf("an outcome that does not exist: %d", a.Outcome)}}
	}
}

// doubtsOf gives the reasons of an answer, at least one.
func doubtsOf(a proof.Answer) []string {
	if len(a.Undecided) == 0 {
		return []string{"the document could not be decided"}
	}
	return a.Undecided
}

// and puts two judgements together.
func (j Judgement) and(k Judgement) Judgement {
	return Judgement{
		Findings:  append(j.Findings, k.Findings...),
		Undecided: append(j.Undecided, k.Undecided...),
	}
}

// witness is the evidence of a request.
func witness(kind finding.EvidenceKind, a proof.Answer) finding.Evidence {
	sentence := a.Witness.Sentence()
	if kind == finding.Refused {
		sentence = a.Witness.Refusal()
	}
	return finding.Evidence{Kind: kind, Request: a.Witness, Sentence: sentence}
}

// callerAccount gives the account of a witness's caller.
func callerAccount(a proof.Answer) string {
	if a.Witness == nil {
		return ""
	}
	return accountOf(a.Witness.Caller.AWS)
}

func accountOf(arn string) string {
	parts := strings.SplitN(arn, ":", 6)
	if len(parts) != 6 {
		return ""
	}
	return parts[4]
}

// whose tells whose an account is. An account that nobody named stands for
// every other that nobody named.
func (in Input) whose(s said, account string) string {
	if account == in.Role.Account {
		return "the role's own account"
	}
	if p, ok := in.Org.Partner(account); ok {
		return fmt.Sprintf("account %s (partner %s)", account, quoted(p.Name))
	}
	if in.Org.Member(account) {
		return "account " + account + " of the organization"
	}
	if name, ok := vendor.Name(account); ok {
		return fmt.Sprintf("account %s (published by %s as its own)", account, name)
	}
	if slices.Contains(s.accounts, account) {
		return "account " + account
	}
	return "accounts that nobody named"
}

// The principals that are everybody, as entry shows them.
const (
	bareStar   = `"*"`
	anyoneText = `{"AWS":"*"}`
)

// opensToAnyone says whether a principal, as entry shows it, is everybody.
func opensToAnyone(text string) bool { return text == bareStar || text == anyoneText }

// entry gives the place and the text of the principal by which a witness is let
// in: the one that names it, else its account, else everybody.
func entry(d policy.Document, a proof.Answer) (place, text string) {
	i := first(a.Statements)
	p, caller := d.Statements[i].Principal, a.Witness.Caller
	if p.Star {
		return at(i) + ".Principal", bareStar
	}
	arn, _ := a.Witness.Get("aws:PrincipalArn")
	account := accountOf(caller.AWS)
	fits := []func(policy.Principal) bool{
		func(one policy.Principal) bool {
			return one.Value == caller.AWS || slices.Contains(arn.Values, one.Value)
		},
		func(one policy.Principal) bool { return one.Kind == policy.Account && one.Account == account },
		func(one policy.Principal) bool { return one.Kind == policy.Anyone },
	}
	for _, fit := range fits {
		if j := slices.IndexFunc(p.List, fit); j >= 0 {
			if p.List[j].Kind == policy.Anyone {
				return principalAt(i, "Principal", p, j), anyoneText
			}
			return principalAt(i, "Principal", p, j), quoted(p.List[j].Value)
		}
	}
	return at(i), at(i)
}

// permitted says whether a role may trust a partner, and whether that is known.
func permitted(p org.Partner, in Input, matches func(pattern, arn string) bool) (permitted, known bool) {
	if len(p.Roles) == 0 {
		return true, true
	}
	if in.Role.ARN == "" {
		return false, false
	}
	return slices.ContainsFunc(p.Roles, func(pattern string) bool { return matches(pattern, in.Role.ARN) }), true
}
