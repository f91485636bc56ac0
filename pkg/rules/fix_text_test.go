package rules

import (
	"encoding/json"
	"regexp"
	"strings"
	"testing"

	"github.com/rolewarden/rolewarden/pkg/finding"
	"github.com/rolewarden/rolewarden/pkg/policy"
	"github.com/rolewarden/rolewarden/pkg/proof"
	"github.com/rolewarden/rolewarden/pkg/rules/issuer"
)

// condition is the JSON block of a Fix; placeholder, a word to be replaced in it.
var (
	condition   = regexp.MustCompile(`\{"[A-Za-z:]+": \{"[^"]+": "[^"]*"\}\}`)
	placeholder = regexp.MustCompile(`[A-Z]{3,}|THE-`)
)

// conditionsOf gives the conditions that a Fix writes out.
func conditionsOf(t *testing.T, fix string) []policy.Condition {
	t.Helper()
	var out []policy.Condition
	for _, text := range condition.FindAllString(fix, -1) {
		var block map[string]map[string]string
		if err := json.Unmarshal([]byte(text), &block); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		for operator, entries := range block {
			for key, value := range entries {
				out = append(out, policy.Condition{Operator: operator, Key: key, Values: []string{value}})
			}
		}
	}
	return out
}

// Who pastes the condition of a finding's Fix into the statement that it is
// about asks for a claim of that statement's own provider, and locks nobody out
// whom the provider sends and who has what is asked for.
func TestSubjectFixesFit(t *testing.T) {
	_, cases := readCases(t, fileOf(webIdentitySubjectID, ".txtar"))
	tried := 0
	for _, c := range cases {
		in, text := c.input(t)
		if _, err := policy.Parse([]byte(text)); err != nil {
			continue
		}
		in.Document = parsed(t, text)
		for _, f := range Judge(in).Findings {
			i, ok := statementOf(in.Document, f)
			if !ok || f.Rule != webIdentitySubjectID {
				continue
			}
			for _, add := range conditionsOf(t, f.Fix) {
				if !claimOfOwn(in.Document.Statements[i], add.Key) {
					t.Errorf("%s: %s asks for a claim that is none of the provider's", c.name, f.Fix)
				}
				if placeholder.MatchString(add.Values[0]) {
					continue
				}
				tried++
				if locksOut(in, i, add, f) {
					t.Errorf("%s: nobody whom the statement lets in meets %s", c.name, f.Fix)
				}
			}
		}
	}
	if tried < 5 {
		t.Errorf("only %d conditions were tried", tried)
	}
}

// claimOfOwn says whether a key is a claim that a provider of the statement is
// known to have, or its audience.
func claimOfOwn(st policy.Statement, key string) bool {
	for _, p := range st.Principal.List {
		row := issuer.Find(p.Name)
		for _, c := range append(row.Claims, issuer.Claim{Key: "aud"}) {
			if p.Kind == policy.OIDCProvider && strings.EqualFold(c.ConditionKey(p.Name), key) {
				return true
			}
		}
	}
	return false
}

// locksOut says whether nobody comes in by a statement once it has a condition more.
func locksOut(in Input, i int, add policy.Condition, f finding.Finding) bool {
	in = in.settled()
	st := in.Document.Statements[i]
	st.Conditions = append(withoutEmpty(append([]policy.Condition{}, st.Conditions...)), add)
	q := in.query(assumeOIDC, nil, proof.Callers{Kind: proof.OIDCIdentities, Names: providersOf(st)})
	q.Where = ofProvider(st, f)
	return proof.Find(policy.Document{Version: in.Document.Version, Statements: []policy.Statement{st}}, q).Outcome == proof.None
}

func providersOf(st policy.Statement) []string {
	var out []string
	for _, p := range st.Principal.List {
		out = append(out, p.Value)
	}
	return out
}

// ofProvider requires subjects that the provider makes.
func ofProvider(st policy.Statement, f finding.Finding) [][]proof.Requirement {
	if f.Evidence.Request == nil {
		return nil
	}
	for _, p := range st.Principal.List {
		if row := issuer.Find(p.Name); p.Value == f.Evidence.Request.Caller.Federated && len(row.Legal) > 0 {
			return [][]proof.Requirement{must(demand(proof.Holds, "StringLike", row.Claims[0].ConditionKey(p.Name), append(row.Legal, row.Templates...)...))}
		}
	}
	return nil
}

// A Fix writes the condition that the proposal writes: who reads both is told
// one thing.
func TestSessionNameFixIsTheProposal(t *testing.T) {
	for want, operator := range map[string]string{"": "StringEquals", "${aws:username}-*": "StringLike"} {
		in := Input{Now: noon(), Role: roleOf(t, "arn:aws:iam::111122223333:role/app")}
		text := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:user/bob"},"Action":"sts:AssumeRole"}]}`
		in.Document = parsed(t, text)
		in.Org = rulesFile(t, "version: 1\n"+map[bool]string{true: "", false: "rules:\n  session-name: {sessionName: \"" + want + "\"}\n"}[want == ""])
		r := Judge(in)
		f, ok := opinion{findings: r.Findings}.of(sessionNameID, finding.Medium)
		if !ok || conditionsOf(t, f.Fix)[0].Operator != operator {
			t.Errorf("%q: the fix is %s", want, f.Fix)
		}
		p, ok := Propose(in, r)
		if !ok || !strings.Contains(string(p.Document.Print()), operator) {
			t.Errorf("%q: the proposal is %s", want, p.Document.Print())
		}
	}
}

// The bare star is no principal that IAM saves in a trust policy, so no Fix
// keeps it.
func TestFixKeepsNoBareStar(t *testing.T) {
	for _, principal := range []string{`"*"`, `{"AWS":"*"}`} {
		in := Input{Now: noon(), Role: roleOf(t, "arn:aws:iam::111122223333:role/app")}
		r := JudgeText(in, `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":`+principal+`,"Action":"sts:AssumeRole"}]}`)
		f, ok := opinion{findings: r.Findings}.of(publicPrincipalID, finding.Critical)
		if !ok || !strings.Contains(f.Fix, `{"AWS": "*"}`) {
			t.Errorf("%s: the fix is %s", principal, f.Fix)
		}
	}
}

// A user or provider who ought to come in and does not is not said to come in:
// the sentence of refused evidence says that it is refused.
func TestRefusedEvidenceSaysRefused(t *testing.T) {
	in := Input{Now: noon(), Role: roleOf(t, "arn:aws:iam::111122223333:role/app")}
	r := JudgeText(in, `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Federated":"arn:aws:iam::111122223333:saml-provider/corp"},
		"Action":"sts:AssumeRoleWithSAML","Condition":{"StringEquals":{"SAML:aud":"https://signin.aws.amazon.com/saml"}}}]}`)
	f, ok := opinion{findings: r.Findings}.of(setSourceIdentityID, finding.Low)
	if s := f.Evidence.Sentence; !ok || strings.Contains(s, "may call") || !strings.Contains(s, " is refused sts:AssumeRoleWithSAML and sts:SetSourceIdentity with ") {
		t.Errorf("the evidence says: %s", s)
	}
}
