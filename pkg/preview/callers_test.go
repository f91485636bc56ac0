package preview_test

import (
	"testing"
	"time"

	"github.com/rolewarden/rolewarden/pkg/org"
	"github.com/rolewarden/rolewarden/pkg/policy"
	"github.com/rolewarden/rolewarden/pkg/preview"
	"github.com/rolewarden/rolewarden/pkg/trail"
)

func parse(t *testing.T, text string) policy.Document {
	t.Helper()
	d, err := policy.Parse([]byte(text))
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return d
}

func trusting(principal, condition string) string {
	if condition != "" {
		condition = `,"Condition":` + condition
	}
	return `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":` + principal +
		`,"Action":["sts:AssumeRole","sts:SetSourceIdentity","sts:TagSession","sts:AssumeRoleWithSAML","sts:AssumeRoleWithWebIdentity"]` + condition + `}]}`
}

// Who got in by the old document learns whether the new one would still let the
// same call in; of what a record does not show nothing is promised.
func TestRecentCallersLearnWhetherTheyLoseAccess(t *testing.T) {
	t.Parallel()
	const (
		anyone = `{"AWS":"*"}`
		home   = `{"AWS":"arn:aws:iam::111122223333:root"}`
		idp    = `{"Federated":"arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com"}`
		saml   = `{"Federated":"arn:aws:iam::111122223333:saml-provider/acme"}`
	)
	secret := "a-secret-of-some-length"
	at := time.Date(2026, 5, 4, 10, 0, 0, 0, time.UTC)
	alice := trail.Assumption{
		EventName: "AssumeRole", Time: at, RoleARN: "arn:aws:iam::111122223333:role/app", SessionName: "alice", SourceIP: "192.0.2.7",
		Caller: trail.Actor{Type: "IAMUser", ARN: "arn:aws:iam::111122223333:user/alice", ID: "AIDAEXAMPLEALICE00001", Account: "111122223333"},
	}
	stranger := alice
	stranger.Caller = trail.Actor{Type: "AWSAccount", ARN: "arn:aws:iam::999999999999:user/mallory", ID: "AIDAEXAMPLEMALLORY001", Account: "999999999999"}
	tagged := alice
	tagged.Tags, tagged.SourceIdentity, tagged.ExternalID, tagged.MFA = map[string]string{"team": "blue"}, "alice", &secret, "true"
	service := trail.Assumption{EventName: "AssumeRole", Time: at, RoleARN: alice.RoleARN, SourceIP: "lambda.amazonaws.com", Caller: trail.Actor{Type: "AWSService", InvokedBy: "lambda.amazonaws.com"}}
	run := trail.Assumption{
		EventName: "AssumeRoleWithWebIdentity", Time: at, RoleARN: alice.RoleARN, SessionName: "run-7",
		Provider: "arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com", Subject: "repo:acme/app:ref:refs/heads/main", Audience: "sts.amazonaws.com",
	}
	person := trail.Assumption{
		EventName: "AssumeRoleWithSAML", Time: at, RoleARN: alice.RoleARN, SessionName: "alice", Provider: "arn:aws:iam::111122223333:saml-provider/acme",
		Subject: "alice", SubjectType: "persistent", Audience: "https://signin.aws.amazon.com/saml", Issuer: "https://idp.acme.example", NameQualifier: "q",
	}
	for _, c := range []struct {
		name          string
		call          trail.Assumption
		before, after string
		want          preview.Fate
	}{
		{"a user of the account, which stays", alice, trusting(anyone, ""), trusting(home, ""), preview.Kept},
		{"a stranger", stranger, trusting(anyone, ""), trusting(home, ""), preview.Lost},
		{"a stranger whom the old document did not let in", stranger, trusting(home, ""), trusting(home, ""), preview.Unclear},
		{"a condition on what the record does not show", alice, trusting(anyone, ""), trusting(home, `{"StringEquals":{"aws:PrincipalTag/team":"blue"}}`), preview.Unclear},
		{"an external id that was not given", alice, trusting(home, ""), trusting(home, `{"StringEquals":{"sts:ExternalId":"a-secret-of-some-length"}}`), preview.Lost},
		{"a second factor that was not used", alice, trusting(home, ""), trusting(home, `{"Bool":{"aws:MultiFactorAuthPresent":"true"}}`), preview.Lost},
		{"all that a call can carry", tagged, trusting(home, ""), trusting(home, `{"StringEquals":{"sts:RoleSessionName":"${aws:username}","sts:SourceIdentity":"alice","sts:ExternalId":"a-secret-of-some-length","aws:RequestTag/team":"blue"},"Bool":{"aws:MultiFactorAuthPresent":"true"},"IpAddress":{"aws:SourceIp":"192.0.2.0/24"},"ForAllValues:StringEquals":{"aws:TagKeys":"team"}}`), preview.Kept},
		{"another external id", tagged, trusting(home, ""), trusting(home, `{"StringEquals":{"sts:ExternalId":"another-secret"}}`), preview.Lost},
		{"a service", service, trusting(`{"Service":"lambda.amazonaws.com"}`, ""), trusting(`{"Service":"ec2.amazonaws.com"}`, ""), preview.Lost},
		{"a token of the pinned repository", run, trusting(idp, ""), trusting(idp, `{"StringEquals":{"token.actions.githubusercontent.com:aud":"sts.amazonaws.com"},"StringLike":{"token.actions.githubusercontent.com:sub":"repo:acme/app:*"}}`), preview.Kept},
		{"a token of another repository", run, trusting(idp, ""), trusting(idp, `{"StringLike":{"token.actions.githubusercontent.com:sub":"repo:acme/web:*"}}`), preview.Lost},
		{"an assertion", person, trusting(saml, ""), trusting(saml, `{"StringEquals":{"SAML:aud":"https://signin.aws.amazon.com/saml","SAML:iss":"https://idp.acme.example","SAML:sub":"alice","SAML:sub_type":"persistent","SAML:namequalifier":"q"}}`), preview.Kept},
		{"an assertion for another audience", person, trusting(saml, ""), trusting(saml, `{"StringEquals":{"SAML:aud":"https://eu-west-1.signin.aws.amazon.com/saml"}}`), preview.Lost},
		{"an organization that is not known", stranger, trusting(anyone, ""), trusting(anyone, `{"StringEquals":{"aws:PrincipalOrgID":"o-exampleorgid"}}`), preview.Unclear},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if got := preview.FateOf(c.call, parse(t, c.before), parse(t, c.after), org.Empty()); got != c.want {
				t.Errorf("access would be %s, want %s", got, c.want)
			}
		})
	}
}
