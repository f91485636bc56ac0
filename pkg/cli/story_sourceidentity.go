package cli

import (
	"context"
	"encoding/json"
	"time"

	"github.com/rolewarden/rolewarden/pkg/access"
)

// corp is the company's identity provider.
const corp = "arn:aws:iam::" + prod + ":saml-provider/corp"

// The conditions of roles behind the identity provider.
const (
	fromCorp     = `"StringEquals":{"SAML:aud":"https://signin.aws.amazon.com/saml"}`
	seniors      = `["Saanvi","Diego"]`
	withIdentity = `{` + fromCorp + `,"StringLike":{"sts:SourceIdentity":` + seniors + `}}`
)

// login is a request through the identity provider, "" without a source identity.
func login(role, who, identity string) access.Request {
	r := access.Request{
		Actions: []string{"sts:AssumeRoleWithSAML"}, Role: roleARN(prod, role), Caller: access.Caller{Federated: corp},
		Context: map[string]access.Value{"sts:RoleSessionName": access.One(who), "SAML:aud": access.One("https://signin.aws.amazon.com/saml"), "SAML:sub": access.One(who)},
	}
	if identity != "" {
		r.Actions = append(r.Actions, "sts:SetSourceIdentity")
		r.Context["sts:SourceIdentity"] = access.One(identity)
	}
	return r
}

// sourceIdentityStory is S4.
func sourceIdentityStory(ctx context.Context, t *tale) {
	gina := t.staff(ctx, prod, "gina")
	_, result := t.does(ctx, gina, "CreateSAMLProvider corp", "iam", "CreateSAMLProvider", map[string]string{"Name": "corp", "SAMLMetadataDocument": "<EntityDescriptor/>"})
	t.expect("gina calls CreateSAMLProvider", ok, result)

	t.writes(ctx, gina, "CreateRole", "developer", trusting("Federated", quote(corp), `"sts:AssumeRoleWithSAML"`, `{`+fromCorp+`}`), "behind the identity provider, without sts:SetSourceIdentity")
	t.expect("a login that carries a source identity", denied, t.tries(ctx, "Saanvi", login("developer", "Saanvi", "Saanvi")))
	t.watch(ctx)
	t.expect("the verdict on developer", "Noncompliant set-source-identity", t.verdict("developer"))
	t.expect("what was done", "Tag", t.done("developer"))
	t.pass(ctx, 2*time.Minute)
	t.writes(ctx, gina, "UpdateAssumeRolePolicy", "developer", trusting("Federated", quote(corp), `["sts:AssumeRoleWithSAML","sts:SetSourceIdentity"]`, `{`+fromCorp+`}`), "with sts:SetSourceIdentity, as the alert says")
	t.watch(ctx)
	t.expect("the verdict on developer", "Compliant", t.verdict("developer"))
	t.expect("what was done", "Clear", t.done("developer"))
	t.expect("the same login", credentials, t.tries(ctx, "Saanvi", login("developer", "Saanvi", "Saanvi")))

	t.pass(ctx, 10*time.Minute)
	both := `["sts:AssumeRoleWithSAML","sts:SetSourceIdentity"]`
	t.writes(ctx, gina, "CreateRole", "critical", trusting("Federated", quote(corp), both, withIdentity), "Saanvi and Diego only, by source identity")
	t.watch(ctx)
	t.expect("the verdict on critical", "Compliant", t.verdict("critical"))
	t.stand(ctx)
	t.writes(ctx, gina, "UpdateAssumeRolePolicy", "critical", trusting("Federated", quote(corp), both, `{`+fromCorp+`}`), "no source identity is asked for")
	witness := t.witness(ctx, "critical", "source-identity")
	t.expect("the witness, tried before rolewarden acts", credentials, t.tries(ctx, "the witness", witness))
	t.watch(ctx)
	t.expect("the verdict on critical", "Noncompliant source-identity", t.verdict("critical"))
	t.expect("what was done", "Revert", t.done("critical"))
	t.expect("the same request again", denied, t.tries(ctx, "the witness", witness))

	t.pass(ctx, 10*time.Minute)
	t.chain(ctx, gina)
}

// chain carries a source identity from one role into the next.
func (t *tale) chain(ctx context.Context, gina actor) {
	hana := t.staff(ctx, dev, "hana")
	t.writes(ctx, hana, "CreateRole", "critical-2", trusting("AWS", quote(roleARN(prod, "critical")), `["sts:AssumeRole","sts:SetSourceIdentity"]`, `{"StringLike":{"aws:SourceIdentity":`+seniors+`}}`),
		"sessions of critical only, if they carry Saanvi's or Diego's identity")
	for _, p := range []struct {
		by   actor
		role string
	}{{gina, "critical"}, {hana, "critical-2"}} {
		_, err := p.by.call(ctx, "iam", "PutRolePolicy", map[string]string{"RoleName": p.role, "PolicyName": "work", "PolicyDocument": `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["sts:AssumeRole","sts:SetSourceIdentity","iam:TagRole"],"Resource":"*"}]}`})
		t.must(err)
	}
	t.watch(ctx)
	t.expect("the verdict on critical-2", "Compliant", t.verdict("critical-2"))
	first, err := t.h.try(ctx, login("critical", "diego", "Diego"))
	t.must(err)
	diego := actor{person: t.h.person(first), name: "Diego", account: prod}
	second, result := t.does(ctx, diego, "AssumeRole critical-2, from the session of critical", "sts", "AssumeRole", map[string]string{"RoleArn": roleARN(dev, "critical-2"), "RoleSessionName": "audit"})
	t.expect("Diego goes on to critical-2", ok, result)
	diego.person, diego.account = t.h.person(second.credentials()), dev
	_, result = t.does(ctx, diego, "TagRole critical-2, from there", "iam", "TagRole", map[string]string{"RoleName": "critical-2", "Tags.member.1.Key": "seen", "Tags.member.1.Value": "yes"})
	t.expect("Diego works in critical-2", ok, result)
	var e struct {
		Detail struct {
			UserIdentity struct {
				SessionContext struct {
					SourceIdentity string `json:"sourceIdentity"`
				} `json:"sessionContext"`
			} `json:"userIdentity"`
		} `json:"detail"`
	}
	t.must(json.Unmarshal(t.h.newest("TagRole"), &e))
	t.expect("the source identity in CloudTrail's record of TagRole", "Diego", e.Detail.UserIdentity.SessionContext.SourceIdentity)
}
