package rules

import (
	"fmt"
	"slices"

	"github.com/rolewarden/rolewarden/pkg/finding"
	"github.com/rolewarden/rolewarden/pkg/proof"
)

// strangeSources are the accounts and organizations that a document names and
// that are neither ours nor a partner's, and the accounts that are.
type strangeSources struct{ accounts, organizations, known []string }

func sourcesApart(in Input, s said) strangeSources {
	if in.Role.ARN == "" || !mentions(in.Document, "aws:Source") {
		return strangeSources{}
	}
	known := slices.Concat(in.insiders(), in.Org.PartnerIDs())
	out := strangeSources{accounts: without(s.accounts, known), known: known}
	if len(known) > fewMembers {
		// As in spared: only those that are written can be told from others.
		out.known = append(without(s.accounts, out.accounts), in.Role.Account)
	}
	if len(in.ours()) > 0 {
		out.organizations = without(s.organizations, in.ours())
	}
	return out
}

// strangeSource tells of strangers whom the document names as a service's
// source. Somebody wrote them, so it asks for nothing; it may be a slip, or a
// way in.
func strangeSource(in Input, strange strangeSources, service string) Judgement {
	var group []proof.Requirement
	if len(strange.accounts) > 0 {
		group = append(group, demand(proof.Holds, "StringEquals", sourceAccountKey, strange.accounts...), demand(proof.Holds, "ArnLike", sourceARNKey, sourcesOf(strange.accounts)...))
	}
	if len(strange.organizations) > 0 {
		group = append(group, demand(proof.Holds, "StringEquals", sourceOrgIDKey, strange.organizations...))
	}
	if len(group) == 0 {
		return Judgement{}
	}
	where := [][]proof.Requirement{group}
	sends := assumerOf(service).sends
	if sends.account() {
		where = append(where, must(demand(proof.Holds, "Null", sourceAccountKey, "false")),
			must(demand(proof.Fails, "StringEquals", sourceAccountKey, strange.known...)))
	}
	if sends.arn() {
		where = append(where, must(demand(proof.Holds, "ArnLike", sourceARNKey, sourcesOf([]string{anyAccountID})...)))
	}
	a := askPlainly(in, where, service)
	if a.Outcome != proof.Found {
		return Judgement{}
	}
	return Judgement{Findings: []finding.Finding{{
		Rule: serviceConfusedDeputyID, Severity: finding.Advice, Where: servicePlace(in.Document, first(a.Statements), service),
		Message: fmt.Sprintf("%s may assume the role on behalf of a source that is neither the organization's nor a listed partner's: %s; if that is meant, list whose it is in the rules file",
			word(service), sourceGuards(in.Document, a.Statements, sends)),
		Fix:      "remove the account or organization from the condition, or list it under organization.accounts or partners in the rules file",
		Evidence: witness(finding.Allowed, a),
	}}}
}
