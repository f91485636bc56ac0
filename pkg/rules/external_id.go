package rules

import (
	_ "embed"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/rolewarden/rolewarden/pkg/finding"
	"github.com/rolewarden/rolewarden/pkg/org"
	"github.com/rolewarden/rolewarden/pkg/policy"
	"github.com/rolewarden/rolewarden/pkg/proof"
)

//go:embed external_id.md
var externalIDPage string

const externalIDID = "external-id"

func externalID() Rule {
	return Rule{
		ID: externalIDID, Title: "Third parties must give an exact external ID that is long enough",
		Severity: finding.High, Reach: MayWrite, Page: externalIDPage, Check: checkExternalID,
		Mend: mendExternalID,
	}
}

// checkExternalID looks for a third party's request whose external ID is none of
// those written out in the document, and where there is one, whether it may
// even be left out. Services and identity providers cannot send an external ID
// and are not asked.
func checkExternalID(in Input) Judgement {
	s := newSaid(in)
	if s.onlyTrusts(in.insider) {
		return Judgement{}
	}
	var where []proof.Requirement
	exact, folded := writtenExternalIDs(in, s)
	if len(exact) > 0 {
		where = append(where, demand(proof.Fails, "StringEquals", externalIDKey, exact...))
	}
	if len(folded) > 0 {
		where = append(where, demand(proof.Fails, "StringEqualsIgnoreCase", externalIDKey, folded...))
	}
	a := thirdParties(in, s, where...)
	if a.Outcome == proof.Found {
		if absent := thirdParties(in, s, demand(proof.Holds, "Null", externalIDKey, "true")); absent.Outcome == proof.Found {
			return judged(absent, func(a proof.Answer) finding.Finding { return noExternalID(in, s, a) })
		}
	}
	j := judged(a, func(a proof.Answer) finding.Finding { return looseExternalID(in, s, a) })
	return j.and(accountLike(in, s, slices.Concat(exact, folded)))
}

// thirdParties asks about the callers outside the organization, those of the
// accounts that the document names first.
func thirdParties(in Input, s said, where ...proof.Requirement) proof.Answer {
	inside := in.insiders()
	except := specificRoles(in)
	var classes []proof.Callers
	if named := without(s.accounts, inside); len(named) > 0 {
		classes = awsCallers(proof.Accounts{Only: named}, except)
	}
	classes = append(classes, awsCallers(proof.Accounts{Except: inside}, except)...)
	all := outside(s, in.ours())
	for _, r := range where {
		all = append(all, must(r))
	}
	return in.find(in.query(assume, all, classes...))
}

// specificRoles gives the roles that may stand in the place of an external ID:
// those whose ARN the document writes out, as a principal or as the exact
// aws:PrincipalArn, of partners for whom the rules file accepts that. Nobody
// but the role itself is left out by it: every other way in, such as the rest
// of its account, is still asked about.
func specificRoles(in Input) []string {
	var arns []string
	for _, st := range in.Document.Statements {
		for _, p := range st.Principal.List {
			arns = appendExcused(in, arns, p)
		}
		for _, c := range st.Conditions {
			if !strings.EqualFold(c.Key, "aws:PrincipalArn") {
				continue
			}
			for _, v := range c.Values {
				if p, err := policy.ParsePrincipal("AWS", v); err == nil && !strings.ContainsAny(v, "*?$") {
					arns = appendExcused(in, arns, p)
				}
			}
		}
	}
	return arns
}

func appendExcused(in Input, arns []string, p policy.Principal) []string {
	if p.Kind != policy.Role {
		return arns
	}
	if partner, ok := in.Org.Partner(p.Account); ok && partner.ExternalID == org.RolePrincipalSuffices {
		return append(arns, p.Value)
	}
	return arns
}

// writtenExternalIDs gives the external IDs that the document writes out, that
// are long enough and nobody's public knowledge, apart by whether case counts.
// The list only says which values are nobody's guess; that no other is let in
// is for proof to say.
func writtenExternalIDs(in Input, s said) (exact, folded []string) {
	least, known := in.Org.Setting(externalIDID).MinLength, newPublicNames(in, s)
	for _, st := range in.Document.Statements {
		for _, c := range st.Conditions {
			o, ok := policy.ParseOperator(c.Operator)
			if !ok || !strings.EqualFold(c.Key, externalIDKey) {
				continue
			}
			for _, v := range c.Values {
				switch {
				case utf8.RuneCountInString(v) < least || strings.Contains(v, "${") || known.tell(in, v) != "":
				case o.Base == policy.StringIgnoreCase:
					folded = append(folded, v)
				case o.Base == policy.String, o.Base == policy.StringLike && !strings.ContainsAny(v, "*?"):
					exact = append(exact, v)
				}
			}
		}
	}
	return exact, folded
}

func noExternalID(in Input, s said, a proof.Answer) finding.Finding {
	account := callerAccount(a)
	place, _ := entry(in.Document, a)
	return finding.Finding{
		Rule: externalIDID, Severity: finding.High, Where: place,
		Message: fmt.Sprintf("%s may assume the role without an external ID, on behalf of whoever asks it to: %s; demand one with StringEquals",
			in.whose(s, account), guards(in.Document, a.Statements, externalIDKey)),
		Fix:      externalIDFix(in, a, account),
		Evidence: witness(finding.Allowed, a),
	}
}

// looseExternalID is about a witness whose external ID is none that is
// written out: too short, or matched by something looser than equality.
func looseExternalID(in Input, s said, a proof.Answer) finding.Finding {
	account, where := callerAccount(a), at(first(a.Statements))
	for _, c := range in.Document.Statements[first(a.Statements)].Conditions {
		if strings.EqualFold(c.Key, externalIDKey) {
			where = conditionAt(first(a.Statements), c)
		}
	}
	f := finding.Finding{
		Rule: externalIDID, Severity: finding.High, Where: where,
		Message: fmt.Sprintf("%s may assume the role with an external ID of its choice: %s; demand one exact value with StringEquals",
			in.whose(s, account), guards(in.Document, a.Statements, externalIDKey)),
		Fix:      externalIDFix(in, a, account),
		Evidence: witness(finding.Allowed, a),
	}
	v, ok := a.Witness.Get(externalIDKey)
	if !ok || len(v.Values) != 1 || !writes(in, v.Values[0]) {
		return f
	}
	least := in.Org.Setting(externalIDID).MinLength
	switch id := v.Values[0]; {
	case knownID(in, s, id) != "":
		f.Severity = finding.Medium
		f.Message = fmt.Sprintf("the external ID is %s, which is no secret; give %s an ID of its own that nobody can look up",
			knownID(in, s, id), in.whose(s, account))
	case utf8.RuneCountInString(id) < least:
		f.Severity = finding.Medium
		f.Message = fmt.Sprintf("the external ID has %d characters and can be guessed; give %s one of its own with at least %d",
			utf8.RuneCountInString(id), in.whose(s, account), least)
	}
	return f
}

// writes says whether the document writes an external ID out.
func writes(in Input, id string) bool {
	for _, st := range in.Document.Statements {
		for _, c := range st.Conditions {
			if strings.EqualFold(c.Key, externalIDKey) && slices.ContainsFunc(c.Values, func(v string) bool { return strings.EqualFold(v, id) }) {
				return true
			}
		}
	}
	return false
}

func externalIDFix(in Input, a proof.Answer, account string) string {
	fix := "add to the Condition of " + at(first(a.Statements)) + `: {"StringEquals": {"sts:ExternalId": "AN-ID-OF-THIS-PARTNER-ALONE"}}`
	if p, ok := partnerOf(in, account); ok && p.ExternalID == org.RolePrincipalSuffices {
		fix += ", or name the partner's role as the principal instead of its account"
	}
	return fix
}

// mendExternalID makes a condition strict that asks for a written external ID
// only of who sends one, and asks in the Allow for the ID that a Deny for
// everybody means to ask for. Callers inside the organization, whom nobody gives
// an ID, are taken out of that, and so are roles that may do without one. Any other ID would be an invention: the partner
// has to give it out.
func mendExternalID(in Input, f finding.Finding) []policy.Document {
	i, ok := statementOf(in.Document, f)
	if !ok || in.Document.Statements[i].Effect != policy.Allow {
		return nil
	}
	inside := in.insiders()
	outsiders := func(p policy.Principal) share {
		if p.Account != "" && slices.Contains(inside, p.Account) || len(appendExcused(in, nil, p)) > 0 {
			return nobody
		}
		return everybody
	}
	out := divided(in, in.Document, i, outsiders, func(st policy.Statement) (policy.Statement, bool) {
		return allTightened(st, externalIDKey)
	})
	for _, values := range deniedBut(in.Document) {
		out = append(out, divided(in, in.Document, i, outsiders, func(st policy.Statement) (policy.Statement, bool) {
			return demanding(st, externalIDKey, values, equality(values)...)
		})...)
	}
	return out
}

// deniedBut gives the external IDs all but which a Deny for everybody speaks of.
func deniedBut(d policy.Document) [][]string {
	var out [][]string
	for _, st := range d.Statements {
		everybody := st.Principal.Star || slices.ContainsFunc(st.Principal.List, func(p policy.Principal) bool { return p.Kind == policy.Anyone })
		if st.Effect != policy.Deny || !everybody {
			continue
		}
		for _, c := range st.Conditions {
			o, ok := policy.ParseOperator(c.Operator)
			if ok && o.Negated && o.Base == policy.String && strings.EqualFold(c.Key, externalIDKey) && len(c.Values) > 0 {
				out = append(out, c.Values)
			}
		}
	}
	return out
}
