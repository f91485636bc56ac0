package rules

import (
	"slices"
	"strings"
	"testing"

	"github.com/rolewarden/rolewarden/pkg/finding"
	"github.com/rolewarden/rolewarden/pkg/policy"
)

// unsettled are statements that hold an element whose meaning AWS's
// documentation leaves open, or that IAM would not save. They are written as
// Allows of one member's role.
func unsettled() map[string]string {
	const head = `{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::222222222222:role/deploy"},"Action":"sts:AssumeRole"`
	return map[string]string{
		"NotPrincipal":                   `{"Effect":"Allow","NotPrincipal":{"AWS":"arn:aws:iam::111122223333:root"},"Action":"sts:AssumeRole"}`,
		"Resource":                       head + `,"Resource":"*"}`,
		"NotResource":                    head + `,"NotResource":"arn:aws:s3:::x"}`,
		"Service star":                   `{"Effect":"Allow","Principal":{"Service":"*"},"Action":"sts:AssumeRole"}`,
		"Federated star":                 `{"Effect":"Allow","Principal":{"Federated":"*"},"Action":"sts:AssumeRoleWithWebIdentity"}`,
		"star for web identities":        `{"Effect":"Allow","Principal":{"AWS":"*"},"Action":"sts:AssumeRoleWithWebIdentity"}`,
		"star for SAML":                  `{"Effect":"Allow","Principal":{"AWS":"*"},"Action":"sts:AssumeRoleWithSAML"}`,
		"unknown principal":              `{"Effect":"Allow","Principal":{"AWS":"somebody"},"Action":"sts:AssumeRole"}`,
		"multi-valued key, plain":        head + `,"Condition":{"StringEquals":{"aws:PrincipalOrgPaths":"o-exampleorgid/*"}}}`,
		"multi-valued key, plain, tags":  head + `,"Condition":{"StringLike":{"aws:TagKeys":"team"}}}`,
		"ArnLike without six parts":      head + `,"Condition":{"ArnLike":{"aws:PrincipalArn":"*deploy*"}}}`,
		"ArnNotLike of no ARN":           head + `,"Condition":{"ArnNotLike":{"sts:RoleSessionName":"arn:aws:iam::*:role/x"}}}`,
		"Bool in capitals":               head + `,"Condition":{"Bool":{"aws:MultiFactorAuthPresent":"TRUE"}}}`,
		"empty list":                     head + `,"Condition":{"StringEquals":{"sts:ExternalId":[]}}}`,
		"empty list, ForAllValues":       head + `,"Condition":{"ForAllValues:StringEquals":{"sts:ExternalId":[]}}}`,
		"unknown operator":               head + `,"Condition":{"StringResembles":{"sts:ExternalId":"acme"}}}`,
		"NullIfExists":                   head + `,"Condition":{"NullIfExists":{"sts:ExternalId":"true"}}}`,
		"literal by variable":            head + `,"Condition":{"StringEquals":{"sts:RoleSessionName":"a${*}b"}}}`,
		"variable in a numeric operator": head + `,"Condition":{"NumericEquals":{"aws:MultiFactorAuthAge":"${aws:userid}"}}}`,
		"variable with a star in it":     head + `,"Condition":{"StringLike":{"sts:RoleSessionName":"${aws:PrincipalTag/name}"}}}`,
		"unknown key":                    head + `,"Condition":{"StringEquals":{"acme:tier":"gold"}}}`,
		"no date":                        head + `,"Condition":{"DateLessThan":{"aws:CurrentTime":"tomorrow"}}}`,
		"no address":                     head + `,"Condition":{"IpAddress":{"aws:SourceIp":"office"}}}`,
		"two spellings of a key":         head + `,"Condition":{"StringEquals":{"sts:ExternalId":"acme-7f3k2p9q"},"StringLike":{"STS:EXTERNALID":"acme-*"}}}`,
	}
}

// T41, promise 2: doubt is no hiding place. A breach stays one whatever
// unsettled statement stands beside it, and a doubtful Deny never makes it clean.
func TestDoubtHidesNothing(t *testing.T) {
	for name, text := range unsettled() {
		doubtful := parsed(t, `{"Version":"2012-10-17","Statement":[`+text+`]}`).Statements[0]
		for _, p := range readCorpus(t) {
			d, err := policy.Parse([]byte(p.text))
			if err != nil || p.verdict != finding.Noncompliant {
				continue
			}
			in := p.in
			in.Document = with(d, doubtful)
			proven := slices.ContainsFunc(p.says, func(s string) bool {
				return !strings.ContainsAny(s, "?~") && s != noEffectID && s != unsupportedID
			})
			if r := Judge(in); r.Verdict == finding.Compliant || proven && r.Verdict != finding.Noncompliant {
				t.Errorf("%s beside %s: %v\n%s", name, p.path, r.Verdict, lines(r, ""))
			}
			denying := doubtful
			denying.Effect = policy.Deny
			in.Document = with(d, denying)
			if r := Judge(in); r.Verdict == finding.Compliant {
				t.Errorf("%s as a Deny beside %s: Compliant", name, p.path)
			}
		}
	}
}

// A document that is undecided because of an element without a meaning stays
// so, which pages, though the element is a finding by itself; the same for a
// guard that is none. Nobody has been shown to get in, and nobody kept out (T41).
func TestFindingsOfTheTextSettleNothing(t *testing.T) {
	const open = `{"Effect":"Allow","NotPrincipal":{"AWS":"arn:aws:iam::111122223333:root"},"Action":"sts:AssumeRole"}`
	const idle = `{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::222222222222:role/deploy"},"Action":"sts:AssumeRole","Condition":{"IpAddressIfExists":{"aws:SourceIp":"203.0.113.0/24"}}}`
	const public = `{"Effect":"Allow","Principal":{"AWS":"*"},"Action":"sts:AssumeRole"}`
	const exempt = bare + "exemptions:\n  - rules: [unsupported, no-effect]\n    role: arn:aws:iam::111122223333:role/app\n    owner: data@acme.example\n    reason: A migration.\n    ticket: SEC-7\n    expires: 2026-06-30\n"
	const member = bare + "organization:\n  id: o-exampleorgid\n  accounts:\n    - {id: \"111122223333\", name: prod, unit: prod}\n    - {id: \"222222222222\", name: people, unit: people}\n"
	for _, row := range []struct {
		name, rules, statements string
		want                    finding.Verdict
		says                    []string
	}{
		{"no meaning", member, open, finding.Undecided, []string{unsupportedID}},
		{"no meaning, exempted", exempt, open, finding.Undecided, []string{unsupportedID}},
		{"no meaning beside a false guard", member, open + "," + idle, finding.Undecided, []string{unsupportedID, noEffectID}},
		{"a false guard alone", member, idle, finding.Noncompliant, []string{noEffectID}},
		{"nothing hinges on it", member, strings.Replace(idle, "IfExists", "", 1) + `,{"Sid":"a b","Effect":"Deny","Principal":{"AWS":"*"},"Action":"sts:TagSession"}`, finding.Noncompliant, []string{unsupportedID}},
		{"no meaning beside a breach", member, open + "," + public, finding.Noncompliant, []string{publicPrincipalID, unsupportedID}},
	} {
		_, r := judgeOne(t, row.rules, `{"Version":"2012-10-17","Statement":[`+row.statements+`]}`)
		said := saidBy(r)
		for _, rule := range row.says {
			if !slices.Contains(said, rule) && len(r.Open()) == len(r.Findings) {
				t.Errorf("%s: %s is silent: %v", row.name, rule, said)
			}
		}
		if r.Verdict != row.want || (r.Verdict == finding.Undecided) != (len(r.Reasons) > 0 && row.want == finding.Undecided) {
			t.Errorf("%s: %v, want %v\n%s", row.name, r.Verdict, row.want, lines(r, ""))
		}
	}
}

// A text that IAM's grammar refuses stays undecided, with a reason and a finding
// that both name the element and what to write; a text that is no policy at all
// has the reason alone.
func TestWhatIsRefusedIsAFindingToo(t *testing.T) {
	for text, where := range map[string]string{
		`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"*"},"Action":"sts:AssumeRole","Conditions":{}}]}`: "Statement[0].Conditions",
		`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","effect":"Deny","Principal":{"AWS":"*"},"Action":"sts:AssumeRole"}]}`: "Statement[0].effect",
		`not a policy`: "", `[]`: "",
	} {
		r := JudgeText(Input{Now: noon()}, text)
		if r.Verdict != finding.Undecided || len(r.Reasons) != 1 {
			t.Errorf("%s: %v %q", text, r.Verdict, r.Reasons)
		}
		switch {
		case where == "" && len(r.Findings) == 0:
		case where != "" && len(r.Findings) == 1 && r.Findings[0].Where == where && r.Findings[0].Fix != "" && strings.Contains(r.Reasons[0], where):
		default:
			t.Errorf("%s: %+v", text, r)
		}
	}
}

func parsed(t testing.TB, text string) policy.Document {
	t.Helper()
	d, err := policy.Parse([]byte(text))
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	return d
}

// with gives the document with a statement more, at the front.
func with(d policy.Document, s policy.Statement) policy.Document {
	d.Statements = append([]policy.Statement{s}, d.Statements...)
	return d
}
