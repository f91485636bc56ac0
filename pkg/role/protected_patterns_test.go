package role_test

import (
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/rolewarden/rolewarden/pkg/role"
)

// T70: what the code never writes, the role that writes is denied as well: the
// patterns of its policy cover every role that Protected does. Only names in
// another case than AWS's own are left to the code.
func TestTheDeniedPatternsCoverEveryProtectedRole(t *testing.T) {
	t.Parallel()
	paths := []string{"/", "/service-role/", "/aws-service-role/x/", "/aws-reserved/sso.amazonaws.com/", "/rolewarden/", "/rolewarden-canary/", "/breakglass/", "/team/", "/rolewarden-x/"}
	starts := []string{"", "OrganizationAccountAccessRole", "AWSControlTower", "aws-controltower-", "stacksets-exec-", "AWSCloudFormationStackSet", "app"}
	rapid.Check(t, func(t *rapid.T) {
		path := rapid.SampledFrom(paths).Draw(t, "path")
		name := rapid.SampledFrom(starts).Draw(t, "start") + rapid.StringMatching(`[a-z]{0,3}`).Draw(t, "rest")
		arn := "arn:aws:iam::111122223333:role" + path + name
		_, protected := role.Protected(role.Role{ARN: arn, Path: path, Name: name}, nil)
		denied := false
		for _, pattern := range role.GuardedPatterns("aws") {
			denied = denied || role.MatchARN(pattern, arn)
		}
		if protected != denied {
			t.Fatalf("%s: the code says %v, the policy %v", arn, protected, denied)
		}
	})
}

func TestThePatternsAreOfTheirPartition(t *testing.T) {
	t.Parallel()
	for _, partition := range []string{"aws", "aws-cn", "aws-us-gov"} {
		for _, pattern := range role.GuardedPatterns(partition) {
			if !strings.HasPrefix(pattern, "arn:"+partition+":iam::*:role/") {
				t.Errorf("%s is of another partition than %s", pattern, partition)
			}
		}
	}
}
