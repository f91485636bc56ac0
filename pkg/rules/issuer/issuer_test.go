package issuer

import (
	"path"
	"slices"
	"strings"
	"testing"
)

// Every issuer that AWS calls shared is known to be, and those that are named
// after one tenant are known to be its own: what a policy must say hangs on it.
func TestIssuersAreKnown(t *testing.T) {
	for issuer, want := range map[string]Tenancy{
		"token.actions.githubusercontent.com":                Shared,
		"Token.Actions.GithubUserContent.com":                Shared,
		"vstoken.actions.githubusercontent.com":              Shared,
		"oidc-configuration.audit-log.githubusercontent.com": Shared,
		"gitlab.com":                     Shared,
		"agent.buildkite.com":            Shared,
		"app.terraform.io":               Shared,
		"oidc.codefresh.io":              Shared,
		"scalr.io":                       Shared,
		"api.pulumi.com/oidc":            Shared,
		"oidc.vercel.com":                Shared,
		"proidc.upbound.io":              Shared,
		"studio.datachain.ai/api":        Shared,
		"tokens.cloud.shisho.dev":        Shared,
		"sandboxes.cloud":                Shared,
		"accounts.google.com":            Shared,
		"cognito-identity.amazonaws.com": Shared,
		"sts.windows.net/33e01921-4d64-4f8c-a055-5bdaffd5e33d/":                   Shared,
		"rh-oidc.s3.us-east-1.amazonaws.com/23e3sd27sju1hoou6ohfs68vbno607tr":     Shared,
		"rh-oidc.s3.us-east-1.amazonaws.com/1v966985p8pu6spphij1hdtclbalqrn9":     Own,
		"token.actions.githubusercontent.com/acme":                                Own,
		"token.actions.acme.ghe.com/acme":                                         Own,
		"app.eu.terraform.io":                                                     Shared,
		"studio.iterative.ai/api":                                                 Shared,
		"acme-oidc.s3.eu-west-1.amazonaws.com":                                    Own,
		"token.actions.acme.ghe.com":                                              Own,
		"github.acme.example/_services/token":                                     Own,
		"gitlab.acme.example":                                                     Unknown,
		"api.bitbucket.org/2.0/workspaces/acme/pipelines-config/identity/oidc":    Own,
		"oidc.circleci.com/org/11111111-aaaa-bbbb-cccc-dddddddddddd":              Own,
		"oidc.eks.eu-central-1.amazonaws.com/id/EXAMPLED539D4633E53DE1B71EXAMPLE": Own,
		"oidc.eks.cn-north-1.amazonaws.com.cn/id/EXAMPLE":                         Own,
		"oidc.vercel.com/acme":                                                    Own,
		"acme.app.spacelift.io":                                                   Own,
		"acme.eu.auth0.com/":                                                      Own,
		"acme.auth0.com/":                                                         Own,
		"id.acme.example":                                                         Unknown,
		"token.actions.githubusercontent.com.acme.example":                        Unknown,
		"gitlab.com.acme.example":                                                 Unknown,
		"app.terraform.io/acme":                                                   Unknown,
	} {
		if got := Find(issuer); got.Tenancy != want {
			t.Errorf("%s is %v (%s), want %v", issuer, got.Tenancy, got.Name, want)
		}
	}
}

// Every row is whole: no finding of it lacks a word, a value to write or a page,
// and its strangers are subjects that it may make, of a tenant they name.
func TestRowsAreWhole(t *testing.T) {
	for _, p := range append(table(), Find("id.acme.example")) {
		if p.Name == "" || p.Everyone == "" || p.Naming == "" || p.Example == "" || p.Page == "" || len(p.Claims) == 0 {
			t.Errorf("%q lacks something: %+v", p.Name, p)
		}
		if p.Tenancy == Shared && p.Inside == "" && p.Inner != 0 {
			t.Errorf("%s does not say who comes in inside a tenant", p.Name)
		}
		for _, pattern := range p.Issuers {
			if _, err := path.Match(pattern, ""); err != nil || pattern != strings.ToLower(pattern) || strings.HasPrefix(pattern, "https:") {
				t.Errorf("%s: issuer %q", p.Name, pattern)
			}
		}
		for i, c := range p.Claims {
			if len(c.Strangers) == 0 || len(c.Shapes) == 0 && !c.Free {
				t.Errorf("%s: claim %s lacks strangers or shapes", p.Name, c.Key)
			}
			if n := c.Read(p.Example); i == 0 && n == (Named{}) && !strings.Contains(p.Example, "*") {
				t.Errorf("%s: its own example %q names nobody", p.Name, p.Example)
			}
			if n := c.Read("*"); n != (Named{}) {
				t.Errorf("%s: claim %s reads a star as %+v", p.Name, c.Key, n)
			}
		}
	}
}

// A value names the tenant and the project as far as it writes them out, and no
// further: what is read as named is never asked about again.
func TestValuesNameWhatTheyWriteOut(t *testing.T) {
	for _, c := range []struct{ issuer, value, tenant, project string }{
		{"token.actions.githubusercontent.com", "repo:acme/app:ref:refs/heads/main", "repo:acme/*", "repo:acme/app:*"},
		{"token.actions.githubusercontent.com", "repo:acme/app:*", "repo:acme/*", "repo:acme/app:*"},
		{"token.actions.githubusercontent.com", "repo:acme/app", "repo:acme/*", "repo:acme/app"},
		{"token.actions.githubusercontent.com", "repo:acme/app*", "repo:acme/*", ""},
		{"token.actions.githubusercontent.com", "repo:acme/*", "repo:acme/*", ""},
		{"token.actions.githubusercontent.com", "repo:acme*", "", ""},
		{"token.actions.githubusercontent.com", "repo:acm?/app:*", "", ""},
		{"token.actions.githubusercontent.com", "repo:${aws:PrincipalTag/org}/app:*", "", ""},
		{"token.actions.githubusercontent.com", "repo:*", "", ""},
		{"token.actions.githubusercontent.com", "*:ref:refs/heads/main", "", ""},
		{"token.actions.githubusercontent.com", "Repo:acme/app:*", "", ""},
		{"token.actions.githubusercontent.com", "repo:acme@1/app@2:ref:refs/heads/main", "repo:acme@1/*", "repo:acme@1/app@2:*"},
		{"token.actions.githubusercontent.com", "repo:acme@*/app@*:*", "repo:acme@*", "repo:acme@*/app@*"},
		{"token.actions.githubusercontent.com", "repository_owner_id:1:*", "repository_owner_id:1:*", ""},
		{"token.actions.githubusercontent.com", "environment:prod", "", ""},
		{"token.actions.githubusercontent.com", "environment:prod:repository_owner:acme", "environment:prod:repository_owner:acme", ""},
		{"token.actions.githubusercontent.com", "repository_owner_id:1:repository_id:7:*", "repository_owner_id:1:*", "repository_owner_id:1:repository_id:7:*"},
		{"token.actions.githubusercontent.com", "environment:prod:repository_owner:acme*", "", ""},
		{"token.actions.githubusercontent.com", "environment:prod-repository_owner:acme", "", ""},
		{"token.actions.githubusercontent.com", "*repo:acme/app:*", "", ""},
		{"token.actions.githubusercontent.com", "workflow:deploy:repository_id:7*", "", ""},
		{"agent.buildkite.com", "66666666-7777-8888-9999-00000000000?", "", ""},
		{"studio.datachain.ai/api", "credentials:*", "", ""},
		{"studio.datachain.ai/api", "credentials:acme/*", "credentials:acme/*", ""},
		{"tokens.cloud.shisho.dev", "job:a*", "", ""},
		{"tokens.cloud.shisho.dev", "job:acme:*", "job:acme:*", "job:acme:*"},
		{"rh-oidc.s3.us-east-1.amazonaws.com/23e3sd27sju1hoou6ohfs68vbno607tr", "system:serviceaccount:*", "", ""},
		{"sandboxes.cloud", "https://*", "", ""},
		{"id.acme.example", "https://*", "https://*", ""},
		{"id.acme.example", "project:*", "project:*", ""},
		{"id.acme.example", "spiffe://acme.example/*", "spiffe://acme.example/*", "spiffe://acme.example/*"},
		{"gitlab.com", "project_path:acme/team/app:ref_type:branch:ref:main", "project_path:acme/*", "project_path:acme/team/app:*"},
		{"gitlab.com", "project_path:acme/team/*", "project_path:acme/*", ""},
		{"app.terraform.io", "organization:acme:project:*:workspace:net:run_phase:*", "organization:acme:*", "organization:acme:project:*:workspace:net:*"},
		{"app.terraform.io", "organization:acme:project:core:*", "organization:acme:*", "organization:acme:project:core:*"},
		{"app.terraform.io", "organization:*:project:core:workspace:net:*", "", ""},
		{"oidc.eks.eu-west-1.amazonaws.com/id/X", "system:serviceaccount:shop:*", "system:serviceaccount:shop:*", "system:serviceaccount:shop:*"},
		{"oidc.eks.eu-west-1.amazonaws.com/id/X", "system:serviceaccount:shop*", "", ""},
		{"id.acme.example", "svc-deploy", "svc-deploy", "svc-deploy"},
		{"id.acme.example", "svc-*", "svc-*", "svc-*"},
		{"id.acme.example", "s*", "", ""},
		{"id.acme.example", "repo:acme/*", "repo:acme/*", ""},
		{"accounts.google.com", "1234", "1234", ""},
		{"accounts.google.com", "12*", "", ""},
		{"id.acme.example", "", "", ""},
	} {
		if got := Find(c.issuer).Claims[0].Read(c.value); got != (Named{c.tenant, c.project}) {
			t.Errorf("%s: %q names %+v, want %q and %q", c.issuer, c.value, got, c.tenant, c.project)
		}
	}
}

// What IAM demands of a trust is a claim of the issuer's own, and it demands it of
// shared issuers alone; of GitHub Actions it is the subject.
func TestDemandedClaims(t *testing.T) {
	for _, p := range table() {
		own := slices.ContainsFunc(p.Claims, func(c Claim) bool { return c.Key == p.Demanded })
		if p.Demanded != "" && (!own || p.Tenancy != Shared) {
			t.Errorf("%s: %q is demanded of a %v issuer", p.Name, p.Demanded, p.Tenancy)
		}
	}
	if got := Find("token.actions.githubusercontent.com").Demanded; got != "sub" {
		t.Errorf("of GitHub Actions %q is demanded", got)
	}
}

// A pattern that a value was read as holds for the value: nobody who is named
// counts as a stranger.
func FuzzRead(f *testing.F) {
	for _, p := range table() {
		for _, c := range p.Claims {
			for _, s := range c.Strangers {
				f.Add(s)
			}
		}
		f.Add(p.Example)
	}
	rows := append(table(), Find("id.acme.example"))
	f.Fuzz(func(t *testing.T, value string) {
		for _, p := range rows {
			for _, c := range p.Claims {
				n := c.Read(value)
				for _, pattern := range []string{n.Tenant, n.Project} {
					head, _, _ := strings.Cut(pattern, "*")
					if !strings.HasPrefix(value, head) || pattern != "" && head == "" {
						t.Fatalf("%s, %s: %q was read as %q", p.Name, c.Key, value, pattern)
					}
				}
			}
		}
	})
}
