package rules

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rolewarden/rolewarden/pkg/access"
	"github.com/rolewarden/rolewarden/pkg/finding"
	"github.com/rolewarden/rolewarden/pkg/org"
	"github.com/rolewarden/rolewarden/pkg/policy"
)

// rulesFile parses a rules file for a test.
func rulesFile(t testing.TB, text string) *org.Rules {
	t.Helper()
	r, err := org.Parse("rules.yaml", []byte(text), noon())
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func judgeOne(t testing.TB, rules, policyText string) (Input, finding.Report) {
	t.Helper()
	in := Input{Now: noon(), Org: rulesFile(t, rules), Role: roleOf(t, "arn:aws:iam::111122223333:role/app")}
	in.Document = parsed(t, policyText)
	return in, Judge(in)
}

const (
	stranger = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::123456789012:root"},"Action":"sts:AssumeRole"}]}`
	bare     = "version: 1\n"
)

// A nil rules file and an empty Input are judged, and their lists are lists in
// JSON: programs read them.
func TestJudgeNeedsNoRulesFile(t *testing.T) {
	text, err := json.Marshal(JudgeText(Input{}, `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole"}]}`))
	if err != nil {
		t.Fatal(err)
	}
	if want := `{"verdict":"Compliant","reasons":[],"findings":[]}`; string(text) != want {
		t.Errorf("got %s\nwant %s", text, want)
	}
}

// A text that is no policy is Undecided and says where it goes wrong; it is
// never Compliant.
func TestJudgeTextOfNoPolicy(t *testing.T) {
	for _, text := range []string{"", "null", "{}", `{"Statement":[]}`, `{"Version":"2012-10-17","statement":[]}`} {
		r := JudgeText(Input{Now: noon()}, text)
		if r.Verdict != finding.Undecided || len(r.Reasons) != 1 {
			t.Errorf("%q: %v %q", text, r.Verdict, r.Reasons)
		}
	}
}

// Before anything is written because of a stranger, somebody must ask
// Organizations about the account; Foreign says which.
func TestForeignNamesTheAccountsToConfirm(t *testing.T) {
	_, r := judgeOne(t, bare, stranger)
	asked := map[string][]string{}
	for _, f := range r.Findings {
		asked[f.Rule] = Foreign(f)
	}
	want := map[string][]string{externalAccountID: {"123456789012"}, externalIDID: {"123456789012"}, sessionNameID: nil}
	if diff := cmp.Diff(want, asked); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if got := Foreign(finding.Finding{Rule: externalAccountID}); got != nil {
		t.Errorf("without a witness: %v", got)
	}
}

// Every request in evidence is one that the policy decides as the evidence
// says: the reader can try it.
func TestEvidenceHolds(t *testing.T) {
	for _, p := range readCorpus(t) {
		d, err := policy.Parse([]byte(p.text))
		if err != nil {
			continue
		}
		in := p.in
		in.Document = d
		for _, f := range Judge(in).Findings {
			switch f.Evidence.Kind {
			case finding.Allowed:
				if got := access.Evaluate(d, *f.Evidence.Request); got.Decision != access.Allowed {
					t.Errorf("%s, %s: the witness is %v: %s", p.path, f.Rule, got.Decision, f.Evidence.Sentence)
				}
			case finding.Refused:
				if got := access.Evaluate(d, *f.Evidence.Request); got.Decision != access.Denied {
					t.Errorf("%s, %s: the refused twin is %v: %s", p.path, f.Rule, got.Decision, f.Evidence.Sentence)
				}
			case finding.Place, finding.Fact, finding.Pair:
			case finding.NoEvidence:
				t.Errorf("%s, %s: no evidence", p.path, f.Rule)
			}
		}
	}
}

// T80: external IDs are secrets. Nothing that a finding says shows one, and a
// masked report holds none anywhere.
func TestNoExternalIDIsSaid(t *testing.T) {
	secrets := []string{"acme-7f3k2p9q", "acme-11aa22bb", "globex-0a1b2c3d", "scan-99887766"}
	for _, p := range readCorpus(t) {
		r := JudgeText(p.in, p.text)
		words := strings.Join(r.Reasons, "\n")
		for _, f := range r.Findings {
			words += f.Where + f.Message + f.Fix + f.Evidence.Sentence
		}
		masked, err := json.Marshal(r.Masked())
		if err != nil {
			t.Fatal(err)
		}
		for _, secret := range secrets {
			if strings.Contains(words, secret) || strings.Contains(string(masked), secret) {
				t.Errorf("%s: the report shows an external ID", p.path)
			}
		}
	}
}

// A policy's text cannot forge a line of a report: control characters and line
// breaks in values do not reach messages.
func TestValuesCannotForgeLines(t *testing.T) {
	text := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"222222222222"},"Action":"sts:AssumeRole",` +
		`"Condition":{"StringLike":{"sts:RoleSessionName":["a*\u0085undecided: all is well\u00ad"],"sts:SourceIdentity":["b\u009b31m*"]}}},` +
		`{"Effect":"Allow","Principal":{"AWS":"*"},"Action":"sts:AssumeRole","Condition":{"StringEquals\u0085undecided":{"a\u009b31m":"x"},"StringEqualsIfExists":{"aws:PrincipalOrgID\u0085":"x"}}}]}`
	_, r := judgeOne(t, bare, text)
	if r.Verdict != finding.Noncompliant {
		t.Errorf("verdict %v", r.Verdict)
	}
	for _, f := range append(r.Findings, finding.Finding{Rule: "reasons", Message: strings.Join(r.Reasons, " ")}) {
		for _, said := range []string{f.Where, f.Message, f.Fix, f.Evidence.Sentence} {
			if strings.ContainsFunc(said, func(r rune) bool { return r < ' ' || r > '~' }) {
				t.Errorf("%s says %q", f.Rule, said)
			}
		}
	}
}

// A rule goes no further than its reach, whatever the rules file says, and
// advice moves nothing.
func TestModesAreCappedByReach(t *testing.T) {
	const file = bare + "modes:\n  default: enforce\n"
	in, r := judgeOne(t, file, `{"Version":"2012-10-17","Statement":[
		{"Effect":"Allow","Principal":{"AWS":["AIDA3ZFZ4X6FO5HB76XYS","arn:aws:iam::111122223333:user/alice"]},"Action":"sts:AssumeRole"}]}`)
	want := map[string]org.Mode{sessionNameID: org.Enforce, uniqueIDPrincipalID: org.Tag}
	if diff := cmp.Diff(want, Modes(in, r)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	in, r = judgeOne(t, file, `{"Version":"2012-10-17","Statement":[
		{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:role/ci"},"Action":"sts:AssumeRole","Condition":{"StringLike":{"sts:RoleSessionName":"${aws:username}"}}}]}`)
	if diff := cmp.Diff(map[string]org.Mode{sessionNameID: org.Observe, noEffectID: org.Observe}, Modes(in, r)); diff != "" {
		t.Errorf("advice alone (-want +got):\n%s", diff)
	}
	if r.Verdict != finding.Compliant {
		t.Errorf("advice alone: %v", r.Verdict)
	}
}

// An exempted finding stays in sight and changes no verdict; the same exemption
// for another document or role exempts nothing.
func TestExemptions(t *testing.T) {
	exemption := func(more string) string {
		return bare + "exemptions:\n  - rules: [external-account, external-id, session-name]\n    role: arn:aws:iam::111122223333:role/app\n" + more +
			"    owner: data@acme.example\n    reason: A migration.\n    ticket: SEC-7\n    expires: 2026-06-30\n"
	}
	in, r := judgeOne(t, exemption(""), stranger)
	if r.Verdict != finding.Compliant || len(r.Findings) != 3 || len(r.Open()) != 0 {
		t.Errorf("%v\n%s", r.Verdict, lines(r, ""))
	}
	digest := in.Document.Digest("aws")
	if _, r := judgeOne(t, exemption("    digest: "+digest+"\n"), stranger); r.Verdict != finding.Compliant {
		t.Errorf("with its digest: %v", r.Verdict)
	}
	if _, r := judgeOne(t, exemption("    digest: sha256:"+strings.Repeat("0", 64)+"\n"), stranger); r.Verdict != finding.Noncompliant {
		t.Errorf("with another digest: %v", r.Verdict)
	}
	if _, r := judgeOne(t, exemption("    roleId: AROAEXAMPLELEGACY0001\n"), stranger); r.Verdict != finding.Noncompliant {
		t.Errorf("for another role of that name: %v", r.Verdict)
	}
}

// A slip in a rule's id is told with its line and what was meant; without that
// a rule would quietly go without its setting.
func TestCheckNamesTheNearestRule(t *testing.T) {
	err := Check(rulesFile(t, bare+"rules:\n  session-nam:\n    mode: enforce\n  public-principal:\n    mode: tag\n"))
	if err == nil || !strings.HasPrefix(err.Error(), `3:3: "session-nam" is no rule: write session-name,`) {
		t.Errorf("got %v", err)
	}
	if err := Check(rulesFile(t, bare)); err != nil {
		t.Error(err)
	}
	if err := Check(nil); err != nil {
		t.Error(err)
	}
}

// T56: tags are output; they change no verdict.
func TestTagsChangeNothing(t *testing.T) {
	in, plain := judgeOne(t, bare, stranger)
	in.Role.Tags = map[string]string{"rolewarden:state": "compliant", "rolewarden:exempt": "all"}
	if diff := cmp.Diff(plain, Judge(in)); diff != "" {
		t.Errorf("(-without +with tags):\n%s", diff)
	}
}

// Where nobody says whose role it is and the policy names more accounts than
// are tried, what hinges on it is undecided; it is never Compliant.
func TestTooManyAccountsForAnUnknownHome(t *testing.T) {
	var names []string
	for i := range maxReadings + 10 {
		names = append(names, fmt.Sprintf(`"arn:aws:iam::%012d:role/x"`, 200000000000+i))
	}
	text := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":[` + strings.Join(names, ",") + `]},"Action":"sts:AssumeRole"}]}`
	r := JudgeText(Input{Now: noon()}, text)
	if r.Verdict != finding.Undecided || !slices.ContainsFunc(r.Reasons, func(s string) bool { return strings.Contains(s, "--role-arn") }) {
		t.Errorf("%v\n%s", r.Verdict, lines(r, ""))
	}
}

// A role's own account follows from its ARN.
func TestAccountFollowsFromARN(t *testing.T) {
	in := Input{Now: noon()}
	in.Role.ARN = "arn:aws:iam::123456789012:role/app"
	in.Document = parsed(t, stranger)
	for _, f := range Judge(in).Findings {
		if f.Rule == externalAccountID {
			t.Errorf("its own account is no stranger: %s", f.Message)
		}
	}
}
