package issuer

import (
	"slices"
	"sync"

	"github.com/rolewarden/rolewarden/pkg/finding"
)

// sts is the audience that most providers have tokens for AWS made for.
const sts = "sts.amazonaws.com"

// uuid is a pattern of ids.
const uuid = "????????-????-????-????-????????????"

// table gives the rows, in the order in which they are tried. Which issuers are
// shared, and by which claim AWS wants their tenants told apart, is said by the
// IAM User Guide, id_roles_providers_oidc_secure-by-default; which claims beside
// aud and sub are condition keys, by the service reference of STS
// (AssumeRoleWithWebIdentity) and reference_policies_iam-condition-keys.
var table = sync.OnceValue(func() []Provider {
	return slices.Concat(forges(), builders(), planners(), hosts(), others(), clusters(), identities())
})

// gitlab is GitLab CI. Whether an instance elsewhere is one's own or open to
// everybody its name does not tell.
func gitlab(name string, tenancy Tenancy, audience string, issuers ...string) Provider {
	p := Provider{
		Name: name, Issuers: issuers, Tenancy: tenancy,
		Everyone: "any GitLab project whatsoever", Others: "GitLab projects of groups that the policy does not name", Inside: "projects that the policy does not name, of the groups that it names,",
		Naming: "the group and the project", Inner: finding.Medium,
		Claims: []Claim{
			{
				Key: "sub", Shapes: []string{"project_path:<t>/<p>:"},
				Strangers: []string{"project_path:mallory/app:ref_type:branch:ref:main", "project_path:mallory/app:ref_type:tag:ref:v1"},
			},
			{Key: "project_id", Shapes: []string{"<p>"}, Strangers: []string{"456789"}},
			{Key: "namespace_id", Shapes: []string{"<t>"}, Strangers: []string{"123456"}},
		},
		// Without a colon behind it where a tenant wants the path alone.
		Legal:   []string{"project_path:?*/?*"},
		Example: "project_path:GROUP/PROJECT:ref_type:branch:ref:BRANCH", Audience: audience,
		Page: "GitLab Docs, ci/secrets/id_token_authentication",
	}
	if tenancy != Shared {
		p.Everyone, p.Others = "any project of the whole GitLab instance", ""
	}
	return p
}

func forges() []Provider {
	return []Provider{
		github("GitHub Actions", Shared, "token.actions.githubusercontent.com", "vstoken.actions.githubusercontent.com"),
		github("GitHub Actions of one enterprise", Own, "token.actions.githubusercontent.com/*", "token.actions.*.ghe.com", "token.actions.*.ghe.com/*", "github.com/enterprises/*"),
		github("GitHub Enterprise Server", Own, "*/_services/token"),
		{
			Name: "GitHub audit log streaming", Issuers: []string{"oidc-configuration.audit-log.githubusercontent.com"}, Tenancy: Shared,
			Everyone: "the audit log of any GitHub enterprise whatsoever", Naming: "the enterprise",
			Claims:  []Claim{{Key: "sub", Shapes: []string{"https://github.com/<p>"}, Strangers: []string{"https://github.com/mallory"}}},
			Legal:   []string{"https://github.com/?*"},
			Example: "https://github.com/ENTERPRISE", Audience: sts,
			Page: "GitHub Docs, Streaming the audit log for your enterprise",
		},
		gitlab("GitLab.com", Shared, "https://gitlab.com", "gitlab.com"),
		gitlab("GitLab", Unknown, "", "gitlab.*"),
		{
			Name: "Bitbucket Pipelines", Issuers: []string{"api.bitbucket.org/2.0/workspaces/*/pipelines-config/identity/oidc"}, Tenancy: Own,
			Everyone: "any repository of the Bitbucket workspace", Naming: "the repository's UUID", Inner: finding.Medium,
			Claims: []Claim{{
				Key: "sub", Shapes: []string{"{<p>}:"},
				Strangers: []string{"{11111111-2222-3333-4444-555555555555}:{66666666-7777-8888-9999-000000000000}", "{11111111-2222-3333-4444-555555555555}:{aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee}:{66666666-7777-8888-9999-000000000000}"},
			}},
			Legal:   []string{"{?*}:{?*}"},
			Example: "{REPOSITORY-UUID}:*", Page: "Bitbucket Cloud, Integrate Pipelines with resource servers using OIDC",
		},
	}
}

func builders() []Provider {
	return []Provider{
		{
			Name: "Buildkite", Issuers: []string{"agent.buildkite.com"}, Tenancy: Shared,
			Everyone: "any Buildkite pipeline whatsoever", Others: "Buildkite pipelines of organizations that the policy does not name", Inside: "pipelines that the policy does not name, of the organizations that it names,",
			Naming: "the organization and the pipeline", Inner: finding.Medium,
			Claims: []Claim{
				// In place of all that, a job may ask for the id alone of its pipeline,
				// cluster or organization.
				{Key: "sub", Shapes: []string{"organization:<t>:pipeline:<p>:", "<p>"}, Strangers: []string{"organization:mallory:pipeline:app:ref:refs/heads/main:commit:9f3182061f1e2cca4702c368cbc039b7dc9d4485:step:build"}},
				{Key: "organization_slug", Shapes: []string{"<t>"}, Strangers: []string{"mallory"}},
				{Key: "organization_id", Shapes: []string{"<t>"}, Strangers: []string{"11111111-2222-3333-4444-555555555555"}},
				{Key: "pipeline_id", Shapes: []string{"<p>"}, Strangers: []string{"66666666-7777-8888-9999-000000000000"}},
				{Key: "cluster_id", Shapes: []string{"<t>"}, Strangers: []string{"aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee"}},
				{Key: "pipeline_slug", Shapes: []string{"<p>"}, Loose: true, Strangers: []string{"app"}},
				// Session tags come from the token too, and Buildkite signs them.
				{Key: "aws:RequestTag/organization_slug", Shapes: []string{"<t>"}, Strangers: []string{"mallory"}},
				{Key: "aws:RequestTag/organization_id", Shapes: []string{"<t>"}, Strangers: []string{"11111111-2222-3333-4444-555555555555"}},
				{Key: "aws:RequestTag/pipeline_id", Shapes: []string{"<p>"}, Strangers: []string{"66666666-7777-8888-9999-000000000000"}},
				{Key: "aws:RequestTag/cluster_id", Shapes: []string{"<t>"}, Strangers: []string{"aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee"}},
				{Key: "aws:RequestTag/pipeline_slug", Shapes: []string{"<p>"}, Loose: true, Strangers: []string{"app"}},
			},
			Legal: []string{"organization:?*:pipeline:?*"}, Templates: []string{uuid},
			Example: "organization:ORGANIZATION:pipeline:PIPELINE:*", Audience: sts,
			Page: "Buildkite, pipelines/security/oidc/aws",
		},
		{
			Name: "HCP Terraform", Issuers: []string{"app.terraform.io", "app.eu.terraform.io"}, Tenancy: Shared,
			Everyone: "any HCP Terraform workspace whatsoever", Others: "HCP Terraform workspaces of organizations that the policy does not name", Inside: "projects and workspaces that the policy does not name, of the organizations that it names,",
			Naming: "the organization, and the project or the workspace", Inner: finding.Medium,
			Claims: []Claim{{
				Key: "sub", Shapes: []string{"organization:<t>:project:<p>:", "organization:<t>:project:<any>:workspace:<p>:"},
				Strangers: []string{"organization:mallory:project:app:workspace:net:run_phase:apply", "organization:mallory:project:app:workspace:net:run_phase:plan"},
			}},
			Legal:   []string{"organization:?*:project:?*"},
			Example: "organization:ORGANIZATION:project:PROJECT:workspace:WORKSPACE:run_phase:*", Audience: "aws.workload.identity",
			Page: "HashiCorp, Use dynamic credentials with the AWS provider",
		},
		{
			Name: "CircleCI", Issuers: []string{"oidc.circleci.com/org/*"}, Tenancy: Own,
			Everyone: "any project of the CircleCI organization", Naming: "the project", Inner: finding.Medium,
			Claims: []Claim{
				{Key: "sub", Shapes: []string{"org/<t>/project/<p>/"}, Strangers: []string{"org/11111111-2222-3333-4444-555555555555/project/66666666-7777-8888-9999-000000000000/user/aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee"}},
				{Key: "oidc.circleci.com/project-id", Shapes: []string{"<p>"}, Strangers: []string{"66666666-7777-8888-9999-000000000000"}},
			},
			Legal:   []string{"org/?*/project/?*"},
			Example: "org/ORGANIZATION-ID/project/PROJECT-ID/user/*", Page: "CircleCI, Using OpenID Connect tokens in jobs",
		},
		{
			Name: "Spacelift", Issuers: []string{"*.app.spacelift.io", "*.app.us.spacelift.io"}, Tenancy: Own,
			Everyone: "any stack of the Spacelift account", Naming: "the space, and the stack", Inner: finding.Medium,
			Claims:  []Claim{{Key: "sub", Shapes: []string{"space:<p>:", "space:<any>:stack:<p>:"}, Strangers: []string{"space:mallory:stack:app:run_type:TRACKED:scope:write"}}},
			Legal:   []string{"space:?*:?*"},
			Example: "space:SPACE:stack:STACK:run_type:*:scope:write", Page: "Spacelift, OIDC with AWS",
		},
	}
}

// planners are providers that build what infrastructure is planned.
func planners() []Provider {
	return []Provider{
		{
			Name: "Codefresh", Issuers: []string{"oidc.codefresh.io"}, Tenancy: Shared,
			Everyone: "any Codefresh pipeline whatsoever", Inside: "pipelines that the policy does not name, of the accounts that it names,",
			Naming: "the account and the pipeline", Inner: finding.Medium,
			Claims:  []Claim{{Key: "sub", Shapes: []string{"account:<t>:pipeline:<p>:"}, Strangers: []string{"account:64884faac2751b77ca7ab324:pipeline:64f7232ab698cfcb95d93cef:initiator:mallory"}}},
			Legal:   []string{"account:?*:pipeline:?*"},
			Example: "account:ACCOUNT-ID:pipeline:PIPELINE-ID:*", Audience: "https://g.codefresh.io", Page: "Codefresh, OpenID Connect providers",
		},
		{
			Name: "Scalr", Issuers: []string{"scalr.io"}, Tenancy: Shared,
			Everyone: "any Scalr workspace whatsoever", Inside: "workspaces that the policy does not name, of the accounts that it names,",
			Naming: "the account and the environment", Inner: finding.Medium,
			Claims:  []Claim{{Key: "sub", Shapes: []string{"account:<t>:environment:<p>:", "account:<t>:environment:<any>:workspace:<p>"}, Strangers: []string{"account:mallory:environment:prod:workspace:app"}}},
			Legal:   []string{"account:?*:environment:?*"},
			Example: "account:ACCOUNT:environment:ENVIRONMENT:workspace:WORKSPACE", Page: "Scalr Docs, AWS provider configuration",
		},
		{
			Name: "Pulumi Cloud", Issuers: []string{"api.pulumi.com/oidc"}, Tenancy: Shared,
			Everyone: "any Pulumi organization whatsoever", Inside: "stacks and environments that the policy does not name, of the organizations that it names,",
			Naming: "the organization and the project", Inner: finding.Medium,
			Claims: []Claim{
				{Key: "sub", Shapes: []string{"pulumi:deploy:org:<t>:project:<p>:", "pulumi:environments:org:<t>:env:<p>", "pulumi:environments:pulumi.organization.login:<t>:currentEnvironment.name:<p>:", "pulumi:cmk:pulumi.organization.login:<p>"}, Strangers: []string{"pulumi:deploy:org:mallory:project:app:stack:prod:operation:update:scope:write", "pulumi:environments:org:mallory:env:app/prod"}},
				{Key: "aud", Shapes: []string{"<t>"}, Strangers: []string{"aws:mallory", "mallory"}},
			},
			Legal:   []string{"pulumi:?*:?*"},
			Example: "pulumi:deploy:org:ORGANIZATION:project:PROJECT:*", AudienceTells: true, Page: "Pulumi, Configuring OIDC for AWS",
		},
	}
}

// hosts are providers whose guests are running programs.
func hosts() []Provider {
	return []Provider{
		{
			Name: "Vercel, global issuer", Issuers: []string{"oidc.vercel.com"}, Tenancy: Shared,
			Everyone: "any Vercel project whatsoever", Others: "Vercel projects of teams that the policy does not name", Inside: "projects that the policy does not name, of the teams that it names,",
			Naming: "the team and the project", Inner: finding.Medium,
			Claims: []Claim{
				{Key: "sub", Shapes: []string{"owner:<t>:project:<p>:"}, Strangers: []string{"owner:mallory:project:app:environment:production"}},
				{Key: "aud", Shapes: []string{"<t>"}, Strangers: []string{"https://vercel.com/mallory"}},
			},
			Legal:   []string{"owner:?*:project:?*"},
			Example: "owner:TEAM:project:PROJECT:environment:production", AudienceTells: true, Page: "Vercel, OIDC federation reference",
		},
		{
			Name: "Vercel", Issuers: []string{"oidc.vercel.com/*"}, Tenancy: Own,
			Everyone: "any project of the Vercel team", Naming: "the project", Inner: finding.Medium,
			Claims:  []Claim{{Key: "sub", Shapes: []string{"owner:<t>:project:<p>:"}, Strangers: []string{"owner:mallory:project:app:environment:production"}}},
			Legal:   []string{"owner:?*:project:?*"},
			Example: "owner:TEAM:project:PROJECT:environment:production", Page: "Vercel, OIDC federation reference",
		},
		{
			Name: "Upbound", Issuers: []string{"proidc.upbound.io"}, Tenancy: Shared,
			Everyone: "any Upbound control plane whatsoever", Inside: "control planes that the policy does not name, of the organizations that it names,",
			Naming: "the organization and the control plane", Inner: finding.Medium,
			Claims:  []Claim{{Key: "sub", Shapes: []string{"mcp:<t>/<p>:"}, Strangers: []string{"mcp:mallory/app:provider:provider-aws"}}},
			Legal:   []string{"mcp:?*/?*"},
			Example: "mcp:ORGANIZATION/CONTROL-PLANE:provider:provider-aws", Audience: sts, Page: "Upbound, Provider authentication",
		},
		{
			Name: "Fly.io", Issuers: []string{"oidc.fly.io/*"}, Tenancy: Own,
			Everyone: "any app of the Fly.io organization", Naming: "the app", Inner: finding.Medium,
			Claims:  []Claim{{Key: "sub", Shapes: []string{"<t>:<p>:"}, Strangers: []string{"mallory:app:148ed21a1d9e89"}}},
			Legal:   []string{"?*:?*:?*"},
			Example: "ORGANIZATION:APP:*", Audience: sts, Page: "Fly.io, OpenID Connect",
		},
	}
}

// others are shared issuers of which little is known.
func others() []Provider {
	return []Provider{
		shaped(plain("DVC Studio", "sub", "studio.datachain.ai/api", "studio.iterative.ai/api"), "credentials:<t>/<p>"),
		plain("Shisho Cloud", "sub", "tokens.cloud.shisho.dev"),
		plain("sandboxes.cloud", "aud", "sandboxes.cloud"),
		shaped(plain("IBM Turbonomic", "sub",
			"rh-oidc.s3.us-east-1.amazonaws.com/22ejnvnnturfmt6km08idd0nt4hekbn7", "rh-oidc.s3.us-east-1.amazonaws.com/23e3sd27sju1hoou6ohfs68vbno607tr",
			"rh-oidc.s3.us-east-1.amazonaws.com/23ne21h005qjl3n33d8dui5dlrmv2tmg", "rh-oidc.s3.us-east-1.amazonaws.com/24jrf12m5dj7ljlfb4ta2frhrcoadm26",
			"oidc.op1.openshiftapps.com/2f785sojlpb85i7402pk3qogugim5nfb", "oidc.op1.openshiftapps.com/2c51blsaqa9gkjt0o9rt11mle8mmropu"), "system:serviceaccount:<p>:"),
	}
}

// plain is a shared issuer of which no more is known than the claim that AWS
// wants its tenants told apart by.
func plain(name, claim string, issuers ...string) Provider {
	return Provider{
		Name: name, Issuers: issuers, Tenancy: Shared,
		Everyone: "any customer of " + name + " whatsoever", Inside: "whoever of the customers that the policy names it does not name",
		Naming: "whose tokens may come in", Inner: finding.Medium,
		Claims:  []Claim{{Key: claim, Free: true, Crowded: true, Strangers: []string{"mallory", "system:serviceaccount:mallory:app"}}},
		Example: "WHO-MAY-COME-IN", AudienceTells: claim == "aud",
		Page: "IAM User Guide, id_roles_providers_oidc_secure-by-default",
	}
}

// shaped gives a provider the forms that its first claim is known to have.
func shaped(p Provider, shapes ...string) Provider {
	p.Claims[0].Shapes = shapes
	return p
}

func clusters() []Provider {
	kubernetes := func(name, audience, page string, issuers ...string) Provider {
		return Provider{
			Name: name, Issuers: issuers, Tenancy: Own,
			Everyone: "any pod of the cluster", Others: "pods of namespaces that the policy does not name", Naming: "the namespace and the service account", Inner: finding.Medium,
			Claims:  []Claim{{Key: "sub", Shapes: []string{"system:serviceaccount:<p>:"}, Strangers: []string{"system:serviceaccount:mallory:app", "system:serviceaccount:default:default", "system:serviceaccount:kube-system:other"}}},
			Legal:   []string{"system:serviceaccount:?*:?*"},
			Example: "system:serviceaccount:NAMESPACE:SERVICE-ACCOUNT", Audience: audience, Page: page,
		}
	}
	return []Provider{
		kubernetes("Amazon EKS", sts, "Amazon EKS User Guide, associate-service-account-role", "oidc.eks.*.amazonaws.com/id/*", "oidc.eks.*.amazonaws.com.cn/id/*", "oidc-eks.*.api.aws/id/*", "oidc-eks.*.api.amazonwebservices.com.cn/id/*"),
		kubernetes("Google Kubernetes Engine", "", "Google Cloud, Kubernetes Engine, clusters.getOpenid-configuration", "container.googleapis.com/v1/projects/*/locations/*/clusters/*", "container.googleapis.com/v1/projects/*/zones/*/clusters/*"),
		kubernetes("Azure Kubernetes Service", "", "Microsoft Learn, AKS OpenID Connect issuer", "*.oic.prod-aks.azure.com/*/*", "oidc.prod-aks.azure.com/*"),
		kubernetes("Red Hat OpenShift on AWS", "openshift", "Red Hat, ROSA IAM resources", "rh-oidc.s3.*.amazonaws.com/*", "oidc.op1.openshiftapps.com/*"),
		kubernetes("Kubernetes with keys in Amazon S3", "", "Kubernetes, configure-service-account, service account issuer discovery", "*-oidc.s3.*.amazonaws.com"),
	}
}

// identities are providers of people's identities.
func identities() []Provider {
	app := func(name, issuer, key string, person Claim) Provider {
		return Provider{
			Name: name, Issuers: []string{issuer}, Tenancy: Shared,
			Everyone: "whoever signs in to any app of " + name + " whatsoever", Inside: "anybody who signs in to the apps that the policy names",
			Naming: "the app", Inner: finding.Advice,
			Claims:  []Claim{{Key: key, Shapes: []string{"<t>"}, Strangers: []string{"mallory-app"}}, person},
			Example: "APP-ID", AudienceTells: true, Page: "IAM User Guide, reference_policies_iam-condition-keys, keys for web identity federation",
		}
	}
	person := func(key string) Claim {
		return Claim{Key: key, Shapes: []string{"<p>"}, Strangers: []string{"110248495921238986420"}}
	}
	google := app("Google", "accounts.google.com", "aud", person("sub"))
	google.Claims = append(google.Claims,
		Claim{Key: "oaud", Shapes: []string{"<t>"}, Strangers: []string{"mallory-app"}},
		Claim{Key: "google/organization_number", Shapes: []string{"<t>"}, Strangers: []string{"123456789"}})
	return []Provider{
		google,
		app("Login with Amazon", "www.amazon.com", "app_id", person("user_id")),
		app("Facebook", "graph.facebook.com", "app_id", person("id")),
		{
			Name: "Amazon Cognito", Issuers: []string{"cognito-identity.amazonaws.com", "cognito-identity-us-gov.amazonaws.com", "cognito-identity.*.amazonaws.com.cn"}, Tenancy: Shared,
			Everyone: "the users of any Cognito identity pool whatsoever", Inside: "whoever signs in nowhere, where the identity pool has guests,",
			Naming: "the identity pool", Inner: finding.Low,
			Claims: []Claim{
				{Key: "aud", Shapes: []string{"<t>"}, Strangers: []string{"us-east-1:99999999-8888-7777-6666-555555555555"}},
				{Key: "sub", Shapes: []string{"<p>"}, Strangers: []string{"us-east-1:11111111-2222-3333-4444-555555555555"}},
				{Key: "amr", Shapes: []string{"<p>", "<p>:"}, Many: true, Loose: true, Strangers: []string{"unauthenticated"}},
			},
			Example: "REGION:IDENTITY-POOL-ID", AudienceTells: true, Page: "Amazon Cognito Developer Guide, iam-roles",
		},
		{
			Name: "Microsoft Sentinel and Defender for Cloud", Issuers: []string{"sts.windows.net/33e01921-4d64-4f8c-a055-5bdaffd5e33d"}, Tenancy: Shared,
			Everyone: "the Sentinel workspace of any customer of Microsoft's", Naming: "the workspace",
			Claims:  []Claim{{Key: "sts:RoleSessionName", Shapes: []string{"MicrosoftSentinel_<p>", "MicrosoftDefenderForClouds_<p>", "<p>"}, Strangers: []string{"MicrosoftSentinel_99999999-8888-7777-6666-555555555555"}}},
			Example: "MicrosoftSentinel_WORKSPACE-ID", Audience: "api://1462b192-27f7-4cb9-8523-0f4ecb54b47e",
			Page: "Microsoft Learn, Connect Microsoft Sentinel to Amazon Web Services",
		},
		tenant("Microsoft Entra ID", "Microsoft Learn, Access token claims reference", "sts.windows.net/*", "login.microsoftonline.com/*/v2.0", "login.microsoftonline.com/*"),
		tenant("Okta", "Okta Developer, Validate ID tokens", "*.okta.com", "*.okta.com/oauth2/*", "*.oktapreview.com", "*.oktapreview.com/oauth2/*"),
		tenant("Auth0", "Auth0 Docs, ID token structure", "*.auth0.com"),
		tenant("Amazon Cognito user pool", "Amazon Cognito Developer Guide, amazon-cognito-user-pools-using-the-id-token", "cognito-idp.*.amazonaws.com/*", "cognito-idp.*.amazonaws.com.cn/*"),
	}
}

// tenant is an issuer that knows the identities of one tenant, under subjects
// that are nothing but ids.
func tenant(name, page string, issuers ...string) Provider {
	return Provider{
		Name: name, Issuers: issuers, Tenancy: Own,
		Everyone: "anybody and any app of the tenant in " + name, Naming: "the user or app", Inner: finding.Medium,
		Claims:  []Claim{{Key: "sub", Free: true, Strangers: []string{"mallory", "11111111-2222-3333-4444-555555555555"}}},
		Example: "SUBJECT-ID", Page: page,
	}
}
