package trail_test

import (
	"strings"
	"testing"

	"github.com/rolewarden/rolewarden/pkg/trail"
)

// The timeline says with what a change was made.
func TestToolIsNamedInWordsPeopleKnow(t *testing.T) {
	t.Parallel()
	for file, want := range map[string]string{
		"CreateRole.terraform":                   "Terraform",
		"CreateRole.console":                     "console",
		"CreateRole.cloudformation":              "CloudFormation",
		"CreateRole.sdk-stranger":                "AWS SDK",
		"UpdateAssumeRolePolicy.session-name":    "AWS CLI",
		"AssumeRole.source-identity":             "AWS SDK",
		"CreateServiceLinkedRole.inspector":      "inspector2.amazonaws.com",
		"AssumeRole.by-service":                  "inspector2.amazonaws.com",
		"UpdateAssumeRolePolicy.account-wide":    "console",
		"UpdateAssumeRolePolicy.duplicate-again": "AWS CLI",
	} {
		if got := mustParse(t, event(t, file)).Tool(); got != want {
			t.Errorf("%s was made with %q, want %q", file, got, want)
		}
	}
	for agent, want := range map[string]string{
		"": "", "stratus-red-team_39f9": "stratus-red-team_39f9", "curl/8.1 x": "curl", "[Boto3/1.2]": "AWS SDK",
		"signin.amazonaws.com": "console", "OpenTofu/1.9 HashiCorp Terraform/1.0": "OpenTofu", "Pulumi/3": "Pulumi",
		"<!channel>\x1b[31m\u202e next": "<!channel>[31m", strings.Repeat("a", 200): strings.Repeat("a", 64),
	} {
		if got := (trail.Change{UserAgent: agent}).Tool(); got != want {
			t.Errorf("user agent %q gives %q, want %q", agent, got, want)
		}
	}
}

func TestEnumsHaveWords(t *testing.T) {
	t.Parallel()
	kinds := map[string]bool{}
	for k := trail.Ignored; k <= trail.RoleAssumed; k++ {
		kinds[k.String()] = true
	}
	if len(kinds) != 7 || kinds["Kind?"] {
		t.Errorf("kinds %v", kinds)
	}
	for _, s := range []string{
		trail.Kind(99).String(), trail.Given(9).String(), trail.Where(9).String(), trail.Routing(9).String(),
	} {
		if !strings.HasSuffix(s, "?") {
			t.Errorf("an impossible value is called %q", s)
		}
	}
	if trail.NotGiven.String() == trail.WasGiven.String() || trail.HomeRegion.String() == trail.AnyRegion.String() || trail.ByDefault.String() == trail.OnRequest.String() {
		t.Error("two values have one word")
	}
}
