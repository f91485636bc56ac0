package rules

import (
	_ "embed"
	"fmt"
	"slices"
	"strings"

	"github.com/rolewarden/rolewarden/pkg/finding"
	"github.com/rolewarden/rolewarden/pkg/policy"
	"github.com/rolewarden/rolewarden/pkg/proof"
	"github.com/rolewarden/rolewarden/pkg/rules/issuer"
)

//go:embed web_identity_subject.md
var webIdentitySubjectPage string

const webIdentitySubjectID = "web-identity-subject"

func webIdentitySubject() Rule {
	return Rule{
		ID: webIdentitySubjectID, Title: "Trust in an OIDC provider names whom it lets in, and the audience of their tokens",
		Severity: finding.Critical, Reach: MayWrite, Page: webIdentitySubjectPage, Check: checkWebIdentitySubject, Mend: mendWebIdentitySubject,
	}
}

// checkWebIdentitySubject looks, for each OIDC provider that the document
// trusts, for somebody with a token of that provider whom the document does not
// name, and for a token made for an audience that it does not name.
func checkWebIdentitySubject(in Input) Judgement {
	var j Judgement
	for _, f := range federations(in.Document) {
		subject := subjectJudged(in, f)
		one := subject.and(audienceJudged(in, f))
		if len(one.Undecided) == 0 {
			one.Findings = append(one.Findings, vacuous(in, f, one.Findings)...)
			one.Findings = append(one.Findings, unsaved(in, f, subject.Findings)...)
		}
		j = j.and(in.vouched(webIdentitySubjectID, assumeOIDC, f.principal, proof.OIDCIdentities)).and(one)
	}
	j.Undecided = appendMissing(appendMissing(nil, j.Undecided), in.starred(assumeOIDC, proof.OIDCIdentities))
	return j
}

// subjectJudged asks for the strangers twice: for those of no project that is
// named, and, where there is one, for those of no tenant that is.
func subjectJudged(in Input, f federation) Judgement {
	pins := f.pins(in.Document, f.Claims)
	inner := f.ask(in, pins, byProject)
	if inner.Outcome == proof.None && !slices.ContainsFunc(pins, func(p pin) bool { return p.claim.Loose && p.mentioned }) {
		return Judgement{}
	}
	outer := f.ask(in, pins, byTenant)
	if outer.Outcome == proof.Found {
		return Judgement{Findings: []finding.Finding{f.anyone(in, pins, f.readable(in, pins, byTenant, outer))}}
	}
	j := judged(inner, func(a proof.Answer) finding.Finding {
		return f.inside(in, pins, f.readable(in, pins, byProject, a))
	})
	if outer.Outcome == proof.Unknown {
		j.Undecided = append(j.Undecided, doubtsOf(outer)...)
	}
	return j
}

// ask asks for a stranger to the pins. more are further requirements.
func (f federation) ask(in Input, pins []pin, by depth, more ...[]proof.Requirement) proof.Answer {
	where := append(strangersTo(pins, by), f.legal(in.Document, pins)...)
	return in.find(in.query(assumeOIDC, append(where, more...), f.callers()))
}

// anyone is the finding that the provider's other tenants come in.
func (f federation) anyone(in Input, pins []pin, a proof.Answer) finding.Finding {
	who, severity := f.Everyone, finding.High
	switch f.Tenancy {
	case issuer.Shared:
		severity = finding.Critical
	case issuer.Own:
		severity = finding.Medium
	case issuer.Unknown:
	}
	who = f.orOthers(who, a)
	if severity == finding.Critical && len(f.Code) > 0 {
		code := append(slices.Clone(pins), f.pins(in.Document, f.Code)...)
		if f.ask(in, code, byTenant).Outcome == proof.None {
			who, severity = "any repository that may call the workflows that the policy names", finding.Medium
		}
	}
	return f.let(in, a, f.asked(in, pins, a), severity, who, "name "+f.Naming)
}

// orOthers gives the words for all who are not named, unless the witness is
// just anybody, whose name was not chosen to fit what the document writes.
func (f federation) orOthers(who string, a proof.Answer) string {
	v, _ := a.Witness.Get(f.Claims[0].ConditionKey(f.issuer))
	if f.Others == "" || len(v.Values) == 1 && slices.Contains(f.Claims[0].Strangers, v.Values[0]) {
		return who
	}
	return f.Others
}

// inside is the finding that anyone within the tenants that are named comes in.
func (f federation) inside(in Input, pins []pin, a proof.Answer) finding.Finding {
	if f.Tenancy == issuer.Own {
		return f.let(in, a, f.asked(in, pins, a), finding.Medium, f.orOthers(f.Everyone, a), "name "+f.Naming)
	}
	switch f.Inner {
	case finding.Low:
		return f.let(in, a, f.issuer+":amr", f.Inner, f.Inside, "demand that they signed in")
	case finding.Advice:
		key := f.Claims[1].ConditionKey(f.issuer)
		return f.let(in, a, key, f.Inner, f.Inside, "where not everybody is meant, say by "+key+" who is")
	case finding.Medium, finding.High, finding.Critical:
	}
	if len(f.Code) > 0 {
		code := append(slices.Clone(pins), f.pins(in.Document, f.Code)...)
		if f.ask(in, code, byProject).Outcome == proof.None {
			return f.let(in, a, f.asked(in, pins, a), finding.Low, f.Inside+" by the workflows that it names,", "name "+f.Naming)
		}
	}
	return f.let(in, a, f.asked(in, pins, a), f.Inner, f.Inside, "name "+f.Naming)
}

func (f federation) let(in Input, a proof.Answer, key string, severity finding.Severity, who, remedy string) finding.Finding {
	return finding.Finding{
		Rule: webIdentitySubjectID, Severity: severity, Where: claimAt(in.Document, a, key),
		Message: fmt.Sprintf("%s may assume the role: %s; %s", who, guards(in.Document, a.Statements, key), remedy),
		Fix:     f.subjectFix(a, key, severity), Evidence: witness(finding.Allowed, a),
	}
}

// claimAt gives the place of the condition on a claim by which a witness comes
// in, else that of its provider.
func claimAt(d policy.Document, a proof.Answer, key string) string {
	for _, c := range d.Statements[first(a.Statements)].Conditions {
		if strings.EqualFold(c.Key, key) {
			return conditionAt(first(a.Statements), c)
		}
	}
	return providerAt(d, a)
}

// asked gives the condition key that a message speaks of: the first by which
// the statement tries to say who comes in, else the one that it should ask for.
func (f federation) asked(in Input, pins []pin, a proof.Answer) string {
	st := in.Document.Statements[first(a.Statements)]
	for _, p := range append(pins[:len(pins):len(pins)], f.pins(in.Document, f.Code)...) {
		if slices.ContainsFunc(st.Conditions, func(c policy.Condition) bool { return strings.EqualFold(c.Key, p.key) }) {
			return p.key
		}
	}
	return pins[0].key
}

func (f federation) subjectFix(a proof.Answer, key string, severity finding.Severity) string {
	operator, value := "StringEquals", f.Example
	switch {
	case severity == finding.Low && f.many(key):
		// How somebody signed in is the one claim of many values.
		operator, value = "ForAnyValue:StringLike", "authenticated"
	case severity == finding.Advice:
		value = "WHO-MAY-COME-IN"
	default:
		key = f.Claims[0].ConditionKey(f.issuer)
		if strings.Contains(value, "*") {
			operator = "StringLike"
		}
	}
	return fmt.Sprintf(`add to the Condition of %s: {"%s": {"%s": "%s"}} (%s)`, at(first(a.Statements)), operator, key, value, f.Page)
}

// audienceJudged asks for a token made for an audience that is not written out.
func audienceJudged(in Input, f federation) Judgement {
	if f.AudienceTells {
		return Judgement{}
	}
	key := f.issuer + ":aud"
	var where [][]proof.Requirement
	if exact := writtenAudiences(in.Document, key); len(exact) > 0 {
		where = append(where, must(demand(proof.Fails, "StringEquals", key, exact...)))
	}
	where = append(where, must(demand(proof.Holds, "Null", key, "false")))
	return judged(in.find(in.query(assumeOIDC, where, f.callers())), func(a proof.Answer) finding.Finding {
		pins := f.pins(in.Document, f.Claims[:1])
		if values := pins[0].filled(); pins[0].mentioned {
			group := must(demand(proof.Holds, "StringEquals", pins[0].key, values...))
			if b := in.find(in.query(assumeOIDC, append(where, group), f.callers())); b.Outcome == proof.Found {
				a = b
			}
		}
		severity := finding.Low
		if f.Tenancy == issuer.Own {
			severity = finding.Advice
		}
		audience := f.audience(in)
		return finding.Finding{
			Rule: webIdentitySubjectID, Severity: severity, Where: claimAt(in.Document, a, key),
			Message: fmt.Sprintf("a token made for any audience that %s lists will do: %s; demand %s with StringEquals",
				quoted(f.principal.Value), guards(in.Document, a.Statements, key), quoted(audience)),
			Fix:      "add to the Condition of " + at(first(a.Statements)) + `: {"StringEquals": {"` + key + `": "` + audience + `"}} (` + f.Page + ")",
			Evidence: witness(finding.Allowed, a),
		}
	})
}

// audience gives the audience of tokens for AWS, or a word for one.
func (f federation) audience(in Input) string {
	switch {
	case f.Audience == "sts.amazonaws.com" && in.Role.Partition == "aws-cn":
		return "sts.amazonaws.com.cn"
	case f.Audience != "":
		return f.Audience
	default:
		return "THE-AUDIENCE"
	}
}

// writtenAudiences gives the audiences that a document writes out.
func writtenAudiences(d policy.Document, key string) []string {
	var exact []string
	for _, st := range d.Statements {
		for _, c := range st.Conditions {
			o, ok := policy.ParseOperator(c.Operator)
			if !ok || !strings.EqualFold(c.Key, key) {
				continue
			}
			for _, v := range c.Values {
				// A variable is no name: it may stand for whatever the token says.
				if !strings.Contains(v, "${") && (o.Base == policy.String || o.Base == policy.StringIgnoreCase || !strings.ContainsAny(v, "*?")) {
					exact = append(exact, v)
				}
			}
		}
	}
	return exact
}

// unsaved advises to write the claim too that IAM demands of trust in a shared
// issuer whenever a policy is saved: by other claims nobody else may come in, and
// still no later version of the policy would be taken. Where a Deny speaks of the
// claim that may do. A finding about the statement's subject says to write it already.
func unsaved(in Input, f federation, found []finding.Finding) []finding.Finding {
	key := f.issuer + ":" + f.Demanded
	speaks := func(st policy.Statement) bool {
		return slices.ContainsFunc(st.Conditions, func(c policy.Condition) bool { return strings.EqualFold(c.Key, key) })
	}
	if f.Demanded == "" || slices.ContainsFunc(in.Document.Statements, func(st policy.Statement) bool { return st.Effect == policy.Deny && speaks(st) }) {
		return nil
	}
	var out []finding.Finding
	for i, st := range in.Document.Statements {
		told := slices.ContainsFunc(found, func(f finding.Finding) bool {
			about, ok := statementOf(in.Document, f)
			return ok && about == i
		})
		j := slices.IndexFunc(st.Principal.List, f.names)
		if j < 0 || told || st.Effect != policy.Allow || !covers(st, assumeOIDC) || speaks(st) {
			continue
		}
		out = append(out, finding.Finding{
			Rule: webIdentitySubjectID, Severity: finding.Advice, Where: principalAt(i, "Principal", st.Principal, j),
			Message:  fmt.Sprintf("nothing in %s asks for %s, and IAM refuses to save trust in %s without it, so that no later change of this policy would be taken; write it beside what is asked", at(i), key, f.Name),
			Fix:      fmt.Sprintf(`add to the Condition of %s: {"StringEquals": {"%s": "%s"}} (IAM User Guide, id_roles_providers_oidc_secure-by-default)`, at(i), key, f.Example),
			Evidence: finding.Evidence{Kind: finding.Place, Sentence: at(i) + " has no condition on " + key},
		})
	}
	return out
}

// vacuous advises against ForAllValues on a claim of one value: it holds for a
// token without the claim. No provider makes one without sub and aud, so nobody
// comes in by it.
func vacuous(in Input, f federation, found []finding.Finding) []finding.Finding {
	var out []finding.Finding
	for i, st := range in.Document.Statements {
		for _, c := range st.Conditions {
			claim, of := f.claim(c.Key)
			o, ok := policy.ParseOperator(c.Operator)
			if !of || !ok || claim != "sub" && claim != "aud" || o.Set != policy.ForAllValues || st.Effect != policy.Allow {
				continue
			}
			place := conditionAt(i, c)
			if slices.ContainsFunc(found, func(f finding.Finding) bool { return f.Where == place }) {
				continue
			}
			plain := strings.TrimPrefix(c.Operator, "ForAllValues:")
			out = append(out, finding.Finding{
				Rule: webIdentitySubjectID, Severity: finding.Advice, Where: place,
				Message:  fmt.Sprintf("%s also holds for a token without %s; no token lacks it, but IAM advises against it in an Allow: write %s", word(c.Operator), word(c.Key), plain),
				Fix:      "write " + plain + " in place of " + word(c.Operator),
				Evidence: finding.Evidence{Kind: finding.Place, Sentence: word(c.Operator) + " on " + word(c.Key) + " holds when the key is absent"},
			})
		}
	}
	return out
}
