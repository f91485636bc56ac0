package lab_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/rolewarden/rolewarden/pkg/lab"
)

const (
	samlARN = "arn:aws:iam::444455556666:saml-provider/idp"
	devRole = "arn:aws:iam::444455556666:role/developer"
)

func samlTrust(actions string) string {
	return `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Federated":"` + samlARN + `"},"Action":` + actions +
		`,"Condition":{"StringEquals":{"SAML:aud":"https://signin.aws.amazon.com/saml"}}}]}`
}

func (w *world) saml(claims lab.SAMLClaims) (*sts.AssumeRoleWithSAMLOutput, error) {
	claims.Issuer, claims.Subject, claims.Role, claims.Provider = "https://idp.example.com", "diego", devRole, samlARN
	return sts.NewFromConfig(w.config(lab.Credentials{AccessKeyID: "none", SecretAccessKey: "none"})).AssumeRoleWithSAML(ctx, &sts.AssumeRoleWithSAMLInput{
		RoleArn: aws.String(devRole), PrincipalArn: aws.String(samlARN), SAMLAssertion: aws.String(lab.SAMLAssertion(claims)),
	})
}

// S4: behind a SAML provider a source identity needs sts:SetSourceIdentity; it
// then survives role chaining, cannot be changed, and every role of the chain
// must allow it.
func TestSourceIdentityFromSAMLThroughChain(t *testing.T) {
	w := newWorld(t)
	admin := w.admin(dev)
	_, err := admin.CreateSAMLProvider(ctx, &iam.CreateSAMLProviderInput{Name: aws.String("idp"), SAMLMetadataDocument: aws.String(strings.Repeat("x", 1000))})
	w.must(err)
	w.role(dev, "developer", samlTrust(`"sts:AssumeRoleWithSAML"`))
	claims := lab.SAMLClaims{SessionName: "diego", SourceIdentity: "Diego"}
	_, err = w.saml(claims)
	w.refused(err, "AccessDenied")
	_, err = w.saml(lab.SAMLClaims{SessionName: "diego"})
	w.must(err)

	_, err = admin.UpdateAssumeRolePolicy(ctx, &iam.UpdateAssumeRolePolicyInput{
		RoleName: aws.String("developer"), PolicyDocument: aws.String(samlTrust(`["sts:AssumeRoleWithSAML","sts:SetSourceIdentity"]`)),
	})
	w.must(err)
	_, err = admin.PutRolePolicy(ctx, &iam.PutRolePolicyInput{
		RoleName: aws.String("developer"), PolicyName: aws.String("chain"), PolicyDocument: aws.String(allowAssume),
	})
	w.must(err)
	out, err := w.saml(claims)
	w.must(err)
	if got := aws.ToString(out.SourceIdentity); got != "Diego" {
		t.Errorf("source identity %q", got)
	}

	w.role(prod, "critical", trusting(devRole))
	in := &sts.AssumeRoleInput{RoleArn: aws.String(arn(prod, "role/critical")), RoleSessionName: aws.String("diego")}
	_, err = w.assume(keys(out.Credentials), in)
	w.refused(err, "AccessDenied")
	trust := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"` + devRole +
		`"},"Action":["sts:AssumeRole","sts:SetSourceIdentity"],"Condition":{"StringEquals":{"aws:SourceIdentity":["Diego","Saanvi"],"sts:SourceIdentity":"Diego"}}}]}`
	_, err = w.admin(prod).UpdateAssumeRolePolicy(ctx, &iam.UpdateAssumeRolePolicyInput{RoleName: aws.String("critical"), PolicyDocument: &trust})
	w.must(err)
	chained, err := w.assume(keys(out.Credentials), in)
	w.must(err)
	in.SourceIdentity = aws.String("Saanvi")
	_, err = w.assume(keys(out.Credentials), in)
	w.refused(err, "AccessDenied")

	_, err = iam.NewFromConfig(w.config(chained)).CreateUser(ctx, &iam.CreateUserInput{UserName: aws.String("x")})
	w.refused(err, "AccessDenied")
	events := w.seen()
	var last struct {
		Detail struct {
			UserIdentity struct {
				SessionContext struct{ SourceIdentity string }
			}
		}
	}
	w.must(json.Unmarshal(events[len(events)-1].Raw, &last))
	if got := last.Detail.UserIdentity.SessionContext.SourceIdentity; got != "Diego" {
		t.Errorf("the chained session's event has the source identity %q", got)
	}
}

// S5: with an external ID in the trust, a caller without it, or with another
// customer's, is refused; another role of the partner's is refused too.
func TestExternalID(t *testing.T) {
	w := newWorld(t)
	vendor := w.user(partner, "vendor", allowAssume)
	w.role(prod, "audit", strings.Replace(trusting(partner), `"sts:AssumeRole"}`,
		`"sts:AssumeRole","Condition":{"StringEquals":{"sts:ExternalId":"customer-1"}}}`, 1))
	in := &sts.AssumeRoleInput{RoleArn: aws.String(arn(prod, "role/audit")), RoleSessionName: aws.String("vendor")}
	_, err := w.assume(vendor, in)
	w.refused(err, "AccessDenied")
	in.ExternalId = aws.String("customer-2")
	_, err = w.assume(vendor, in)
	w.refused(err, "AccessDenied")
	in.ExternalId = aws.String("customer-1")
	_, err = w.assume(vendor, in)
	w.must(err)

	w.role(partner, "reader", trusting(arn(partner, "user/vendor")))
	w.role(prod, "narrow", trusting(arn(partner, "role/reader")))
	_, err = w.assume(vendor, &sts.AssumeRoleInput{RoleArn: aws.String(arn(prod, "role/narrow")), RoleSessionName: aws.String("vendor")})
	w.refused(err, "AccessDenied")
}

// Web identity: the provider must be in the role's account, the audience one
// of its clients, and the trust policy must match the token's claims.
func TestWebIdentity(t *testing.T) {
	w := newWorld(t)
	const host = "token.actions.githubusercontent.com"
	w.role(prod, "deploy", `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Federated":"`+arn(prod, "oidc-provider/"+host)+
		`"},"Action":["sts:AssumeRoleWithWebIdentity","sts:TagSession"],"Condition":{"StringEquals":{"`+host+`:aud":"sts.amazonaws.com","`+host+
		`:ref":"refs/heads/main"},"StringLike":{"`+host+`:sub":"repo:acme/app:*"}}}]}`)
	try := func(claims map[string]any) error {
		_, err := sts.NewFromConfig(w.config(lab.Credentials{AccessKeyID: "none", SecretAccessKey: "none"})).AssumeRoleWithWebIdentity(ctx, &sts.AssumeRoleWithWebIdentityInput{
			RoleArn: aws.String(arn(prod, "role/deploy")), RoleSessionName: aws.String("ci"), WebIdentityToken: aws.String(lab.WebIdentityToken(claims)),
		})
		return err
	}
	claims := map[string]any{"iss": "https://" + host, "aud": "sts.amazonaws.com", "sub": "repo:acme/app:ref:refs/heads/main", "ref": "refs/heads/main"}
	w.refused(try(claims), "InvalidIdentityToken")
	_, err := w.admin(prod).CreateOpenIDConnectProvider(ctx, &iam.CreateOpenIDConnectProviderInput{
		Url: aws.String("https://" + host), ClientIDList: []string{"sts.amazonaws.com", "other"},
	})
	w.must(err)
	w.must(try(claims))
	change := func(key string, value any) map[string]any {
		changed := map[string]any{}
		for k, v := range claims {
			changed[k] = v
		}
		changed[key] = value
		return changed
	}
	w.refused(try(change("aud", "stranger")), "InvalidIdentityToken")
	w.refused(try(change("aud", "other")), "AccessDenied")
	w.refused(try(change("sub", "repo:mallory/app:x")), "AccessDenied")
	w.refused(try(change("ref", "refs/heads/evil")), "AccessDenied")
	w.must(try(change("https://aws.amazon.com/tags", map[string]any{"principal_tags": map[string]any{"team": []any{"a"}}})))
	w.refused(try(change("https://aws.amazon.com/source_identity", "alice")), "AccessDenied")
	w.refused(try(change("exp", 1000)), "ExpiredTokenException")
}
