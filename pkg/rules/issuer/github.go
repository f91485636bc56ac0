package issuer

import (
	"slices"

	"github.com/rolewarden/rolewarden/pkg/finding"
)

// composed gives the forms of subjects that are put together from other claims.
func composed() []string {
	var shapes []string
	for _, s := range []string{
		"repository:<t>/<p>:", "repository_id:<p>:", "repository_owner:<t>:", "repository_owner_id:<t>:",
		"enterprise:<t>:", "enterprise_id:<t>:", "workflow_ref:<t>/<p>/",
	} {
		shapes = append(shapes, s, "<any>:"+s)
	}
	return append(shapes, "<any>:repo:<t>/<p>:", "<any>:repo:<t>@<any>/<p>@")
}

// templates gives patterns of the subjects that a tenant may put together, by
// the claim that stands first (GitHub Docs, OpenID Connect reference, OIDC token
// claims). What context stands for on a pull request has no value.
func templates() []string {
	patterns := []string{"pull_request", "pull_request:?*", "repo_property_?*:?*", "repository:?*/?*"}
	for _, claim := range []string{
		"actor", "actor_id", "aud", "base_ref", "check_run_id", "context", "enterprise", "enterprise_id", "environment", "environment_node_id",
		"event_name", "head_ref", "iss", "issuer_scope", "job_workflow_ref", "job_workflow_sha", "jti", "ref", "ref_protected", "ref_type",
		"repository_id", "repository_owner", "repository_owner_id", "repository_visibility", "run_attempt", "run_id", "run_number",
		"runner_environment", "sha", "workflow", "workflow_ref", "workflow_sha",
	} {
		patterns = append(patterns, claim+":?*")
	}
	return patterns
}

// github is GitHub Actions, of which three kinds of issuers differ only in whom
// they serve.
func github(name string, tenancy Tenancy, issuers ...string) Provider {
	p := Provider{
		Name: name, Issuers: issuers, Tenancy: tenancy,
		Everyone: "any GitHub repository whatsoever", Others: "GitHub repositories of owners whom the policy does not name", Inside: "repositories that the policy does not name, of the owners whom it names,",
		Naming: "the organization and the repository", Inner: finding.Medium,
		Claims: []Claim{
			{
				// Both formats of the subject, by names and by names with ids behind
				// an @, begin so; no name holds an @. A subject may also be put together
				// from other claims in any order. A colon inside of one is written %3A,
				// so what stands between colons is a claim's name or all of its value.
				Key: "sub", Shapes: slices.Concat([]string{"repo:<t>/<p>:", "repo:<t>@<any>/<p>@"}, composed()),
				Strangers: []string{"repo:mallory/app:ref:refs/heads/main", "repo:mallory/app:pull_request", "repo:mallory/app:environment:prod", "repo:eve/tool:ref:refs/heads/main", "repo:mallory@123456/app@456789:ref:refs/heads/main", "environment:prod"},
			},
			{Key: "repository", Shapes: []string{"<t>/<p>"}, Strangers: []string{"mallory/app"}},
			{Key: "repository_id", Shapes: []string{"<p>"}, Strangers: []string{"456789"}},
			{Key: "repository_owner", Shapes: []string{"<t>"}, Strangers: []string{"mallory"}},
			{Key: "repository_owner_id", Shapes: []string{"<t>"}, Strangers: []string{"123456"}},
			{Key: "enterprise_id", Shapes: []string{"<t>"}, Strangers: []string{"1234"}},
			{Key: "enterprise", Shapes: []string{"<t>"}, Strangers: []string{"mallory-enterprise"}},
			{Key: "workflow_ref", Shapes: []string{"<t>/<p>/"}, Strangers: []string{"mallory/app/.github/workflows/deploy.yml@refs/heads/main"}},
		},
		// A workflow that others may call runs in their repositories.
		Code: []Claim{
			{Key: "job_workflow_ref", Shapes: []string{"<t>/<p>/"}},
			{Key: "sub", Shapes: []string{"job_workflow_ref:<t>/<p>/", "<any>:job_workflow_ref:<t>/<p>/"}},
		},
		// Without a colon behind it where a tenant wants the repository alone.
		Legal: []string{"repo:?*/?*"}, Templates: templates(),
		Example: "repo:OWNER/REPOSITORY:ref:refs/heads/BRANCH", Audience: sts,
		Page: "GitHub Docs, actions/reference/security/oidc",
	}
	if tenancy == Shared {
		p.Demanded = "sub"
	}
	if tenancy == Own {
		p.Everyone, p.Others = "any repository of the whole enterprise", ""
	}
	return p
}
