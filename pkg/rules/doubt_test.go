package rules

import (
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
			if r := Judge(in); r.Verdict != finding.Noncompliant {
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
