package rules

import (
	_ "embed"
	"fmt"
	"slices"
	"strings"

	"github.com/rolewarden/rolewarden/pkg/finding"
	"github.com/rolewarden/rolewarden/pkg/policy"
	"github.com/rolewarden/rolewarden/pkg/proof"
	"github.com/rolewarden/rolewarden/pkg/role"
)

//go:embed service_confused_deputy.md
var serviceConfusedDeputyPage string

const serviceConfusedDeputyID = "service-confused-deputy"

// The keys in which a service says on whose behalf it calls.
const (
	sourceAccountKey  = "aws:SourceAccount"
	sourceARNKey      = "aws:SourceArn"
	sourceOrgIDKey    = "aws:SourceOrgID"
	sourceOrgPathsKey = "aws:SourceOrgPaths"
)

func serviceConfusedDeputy() Rule {
	return Rule{
		ID: serviceConfusedDeputyID, Title: "Services that say on whose behalf they call must be held to it",
		Severity: finding.Medium, Reach: MayWrite, Page: serviceConfusedDeputyPage, Check: checkServiceConfusedDeputy,
		Mend: mendServiceConfusedDeputy,
	}
}

// checkServiceConfusedDeputy looks, for each service that is named and known to
// send source keys, for a call on behalf of an account that is neither ours nor
// a partner's nor written out. Each service is asked about by itself, so that
// one that sends nothing speaks for no other. The trust of a service-linked role
// is AWS's own and cannot be changed (IAM User Guide,
// using-service-linked-roles).
func checkServiceConfusedDeputy(in Input) Judgement {
	asked := askedServices(in.Document)
	if len(asked) == 0 || serviceLinked(in) {
		return Judgement{}
	}
	s := newSaid(in)
	strange := sourcesApart(in, s)
	var j Judgement
	for _, service := range asked {
		j = j.and(judgeService(in, s, strange, service))
	}
	return j
}

// askedServices gives the services that the document lets in by name and that
// are documented to send source keys.
func askedServices(d policy.Document) []string {
	var names []string
	for _, st := range d.Statements {
		if st.Effect != policy.Allow {
			continue
		}
		for _, p := range st.Principal.List {
			if p.Kind == policy.Service && assumerOf(p.Value).sends > sendsNone && !slices.Contains(names, p.Value) {
				names = append(names, p.Value)
			}
		}
	}
	return names
}

func serviceLinked(in Input) bool {
	a, err := role.ParseARN(in.Role.ARN)
	return err == nil && strings.HasPrefix(a.Path, "/aws-service-role/")
}

// judgeService judges one service. Where source keys are shown for some of what
// it does only, this use may be one of the others: that is told and asks for
// nothing, and so does a doubt about it.
func judgeService(in Input, s said, strange strangeSources, service string) Judgement {
	known := assumerOf(service)
	a := askService(in, s, service)
	switch {
	case a.Outcome == proof.None:
		return strangeSource(in, strange, service)
	case a.Outcome == proof.Unknown && !known.sure():
		return Judgement{}
	}
	across := false
	if a.Outcome == proof.Found && len(s.accounts) > 0 && likensText(in.Document) {
		switch b := askAcrossNoColon(in, s, service); b.Outcome {
		case proof.Found:
			a = b
		case proof.None:
			across = true
		case proof.Unknown:
		}
	}
	return judged(a, func(a proof.Answer) finding.Finding {
		f := finding.Finding{
			Rule: serviceConfusedDeputyID, Severity: finding.Medium, Where: servicePlace(in.Document, first(a.Statements), service),
			Fix:      sourceFix(in, service, first(a.Statements)),
			Evidence: witness(finding.Allowed, a),
		}
		asked := sourceGuards(in.Document, a.Statements, known.sends)
		advice := fmt.Sprintf("it sends %s, so demand the role's own account or resource", known.sends)
		switch {
		case !known.sure():
			f.Severity = finding.Advice
			advice = fmt.Sprintf("for some of what it does it sends %s: if this is one, demand them", known.sends)
		case across:
			f.Severity = finding.Advice
			advice = "the star of StringLike crosses colons, so a source of another account whose own name holds the account fits: write ArnLike"
		}
		f.Message = fmt.Sprintf("%s may assume the role on behalf of accounts that nobody named: %s; %s", word(service), asked, advice)
		return f
	})
}

// likensText says whether a condition compares the source's ARN as text.
func likensText(d policy.Document) bool {
	return slices.ContainsFunc(d.Statements, func(st policy.Statement) bool {
		return slices.ContainsFunc(st.Conditions, func(c policy.Condition) bool {
			o, ok := policy.ParseOperator(c.Operator)
			return ok && o.Base == policy.StringLike && strings.EqualFold(c.Key, sourceARNKey)
		})
	})
}

// askAcrossNoColon leaves out sources whose ARNs hold a named account elsewhere
// than in their account. They fit a pattern such as arn:aws:logs:*:111122223333:*
// where it is compared as text, and only there (IAM User Guide,
// reference_policies_elements_condition_operators). Who wrote it meant the
// account, and few services have names that can hold it.
func askAcrossNoColon(in Input, s said, service string) proof.Answer {
	// An account that the document does not write is in none of its patterns.
	held := make([]string, len(s.accounts))
	for i, account := range s.accounts {
		held[i] = "*:" + account + ":*"
	}
	return askService(in, s, service, must(demand(proof.Fails, "StringLike", sourceARNKey, held...)))
}

// askService looks for a call of a service on behalf of an account and
// organization that nobody named.
func askService(in Input, s said, service string, more ...[]proof.Requirement) proof.Answer {
	sends, named := assumerOf(service).sends, spared(in, s)
	aboutARN := sends.arn() && mentions(in.Document, sourceARNKey)
	// Of two keys that say the same, the one that the document speaks of will do.
	aboutAccount := sends.account() && (!aboutARN || mentions(in.Document, sourceAccountKey))
	var where [][]proof.Requirement
	if aboutAccount {
		where = append(where,
			must(demand(proof.Holds, "Null", sourceAccountKey, "false")),
			must(demand(proof.Fails, "StringEquals", sourceAccountKey, named...)))
	}
	if aboutARN || !aboutAccount {
		// The services of the table act for resources of their own, whose ARNs
		// hold the account.
		where = append(where, must(demand(proof.Holds, "ArnLike", sourceARNKey, sourcesOf([]string{anyAccountID})...)))
	}
	if !aboutAccount {
		where = append(where, must(demand(proof.Fails, "ArnLike", sourceARNKey, sourcesOf(named)...)))
		if mentions(in.Document, sourceAccountKey) {
			// It agrees with the ARN where it comes all the same.
			where = append(where, must(demand(proof.Fails, "StringEquals", sourceAccountKey, named...)))
		}
	}
	where = append(where, outsideSource(in.Document, append(in.ours(), s.organizations...))...)
	where = append(where, more...)
	return askPlainly(in, where, service)
}

// askPlainly asks about a service's call without an external ID (T38): Redshift
// alone can give one, and it holds the account (Amazon Redshift Management
// Guide, authorizing-redshift-service-database-users). What is left open then, and
// closed for a call as AWS documents it, is closed: a call without the keys that
// only AWS principals are documented to have, whose source is outside of the
// role's organization, whichever that is.
func askPlainly(in Input, where [][]proof.Requirement, service string) proof.Answer {
	if mentions(in.Document, externalIDKey) {
		where = append(where, must(demand(proof.Holds, "Null", externalIDKey, "true")))
	}
	ask := func() proof.Answer {
		return in.find(in.query(assume, where, proof.Callers{Kind: proof.Services, Names: []string{service}}))
	}
	open := ask()
	if open.Outcome != proof.Unknown {
		return open
	}
	where = append(where, noAWSPrincipal(in.Document)...)
	if mentions(in.Document, "aws:SourceOrg") {
		where = append(where, must(demand(proof.Fails, "StringEquals", sourceOrgIDKey, "${aws:ResourceOrgID}")))
	}
	if plain := ask(); plain.Outcome == proof.None {
		return plain
	}
	return open
}

// anyAccountID matches every account's id in an ARN.
const anyAccountID = "????????????"

// sourcesOf gives the patterns of the ARNs of some accounts' resources.
func sourcesOf(accounts []string) []string {
	out := make([]string, len(accounts))
	for i, a := range accounts {
		out[i] = "arn:*:*:*:" + a + ":*"
	}
	return out
}

// spared gives the accounts that a witness is kept out of: all that are ours, a
// partner's or written out, where they are few. Of many only the role's own and
// those written out: no condition singles out an account that it does not
// write, so leaving out the others costs no finding and makes none.
func spared(in Input, s said) []string {
	written := appendMissing([]string{in.Role.Account}, s.accounts)
	if len(in.Org.Organization.Accounts)+len(in.Org.Partners) > fewMembers {
		return written
	}
	return appendMissing(appendMissing(written, in.memberIDs()), in.Org.PartnerIDs())
}

// outsideSource requires a source outside of the organizations, where the
// document speaks of the source's organization.
func outsideSource(d policy.Document, organizations []string) [][]proof.Requirement {
	if len(organizations) == 0 || !mentions(d, "aws:SourceOrg") {
		return nil
	}
	paths := make([]string, len(organizations))
	for i, o := range organizations {
		paths[i] = o + "/*"
	}
	return [][]proof.Requirement{
		must(demand(proof.Fails, "StringEquals", sourceOrgIDKey, organizations...)),
		must(demand(proof.Fails, "ForAnyValue:StringLike", sourceOrgPathsKey, paths...)),
	}
}

// mentions says whether a condition or a variable of the document is about a
// key that begins so.
func mentions(d policy.Document, key string) bool {
	begins := func(s string) bool { return len(s) >= len(key) && strings.EqualFold(s[:len(key)], key) }
	for _, st := range d.Statements {
		for _, c := range st.Conditions {
			if begins(c.Key) {
				return true
			}
			for _, v := range c.Values {
				for _, after := range strings.Split(v, "${")[1:] {
					if begins(after) {
						return true
					}
				}
			}
		}
	}
	return false
}

// servicePlace gives the place of a service among a statement's principals.
func servicePlace(d policy.Document, i int, service string) string {
	list := d.Statements[i].Principal
	for j, p := range list.List {
		if p.Value == service {
			return principalAt(i, "Principal", list, j)
		}
	}
	return at(i)
}

// sourceGuards tells what the statements say of the source, first of what the
// service sends.
func sourceGuards(d policy.Document, used []int, sends sourceKeys) string {
	for _, key := range []string{sourceAccountKey, sourceARNKey, sourceOrgIDKey, sourceOrgPathsKey} {
		for _, i := range used {
			if slices.ContainsFunc(d.Statements[i].Conditions, func(c policy.Condition) bool { return strings.EqualFold(c.Key, key) }) {
				return guards(d, used, key)
			}
		}
	}
	if sends.account() {
		return guards(d, used, sourceAccountKey)
	}
	return guards(d, used, sourceARNKey)
}

func sourceFix(in Input, service string, i int) string {
	known := assumerOf(service)
	fix := "add to the Condition of " + at(i) + ": " + string(ownSource(in, known.sends).print())
	if len(in.Document.Statements[i].Principal.List) > 1 {
		fix = "give " + word(service) + " a statement of its own with the Condition " + string(ownSource(in, known.sends).print())
	}
	return fix + ` or {"StringEquals": {"aws:SourceOrgID": "` + organizationOr(in) + `"}} (` + known.page + ")"
}
