package deployment_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/rolewarden/rolewarden/pkg/deployment"
	"github.com/rolewarden/rolewarden/pkg/rules"
)

// People read the words of the file in messages, and a value that does not exist
// never looks like one that does.
func TestEveryValueHasTheWordOfTheFile(t *testing.T) {
	t.Parallel()
	for value, want := range map[fmt.Stringer]string{
		deployment.NoWay: "none", deployment.Single: "single", deployment.Hub: "hub", deployment.Members: "members", deployment.Way(9): "way?",
		deployment.ARM64: "arm64", deployment.X8664: "x86_64", deployment.Architecture(9): "architecture?",
		deployment.Absent: "absent", deployment.Present: "present", deployment.Presence(9): "presence?",
	} {
		if got := value.String(); got != want {
			t.Errorf("%#v is %q, want %q", value, got, want)
		}
	}
}

// Each partition has one Region in which IAM shows its changes; of partitions
// that nobody has looked at, none is guessed.
func TestIAMHasOneHomeInEachPartition(t *testing.T) {
	t.Parallel()
	for partition, want := range map[string]string{
		"aws": "us-east-1", "aws-cn": "cn-north-1", "aws-us-gov": "us-gov-west-1", "aws-iso": "", "aws-eusc": "", "": "",
	} {
		if got, ok := deployment.HomeRegion(partition); got != want || ok != (want != "") {
			t.Errorf("IAM of %q lives in %q, %v; want %q", partition, got, ok, want)
		}
	}
}

// The sensitive roles are those of a rule that there is.
func TestTheSensitiveRolesAreThoseOfARule(t *testing.T) {
	t.Parallel()
	d, err := loadText(t, "version: 1\nway: single\naccount: '555555555555'\nrules: rules.yaml\n",
		"version: 1\nrules: {session-policy: {roles: ['arn:aws:iam::555555555555:role/payroll']}}\n")
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := rules.Find("session-policy"); !ok || len(d.AssumeRoleRoles()) != 1 {
		t.Errorf("the sensitive roles are %q", d.AssumeRoleRoles())
	}
	d.AssumeRoleRoles()[0] = "mallory"
	if got := strings.Join(d.AssumeRoleRoles(), " "); got != "arn:aws:iam::555555555555:role/payroll" {
		t.Errorf("whoever asks for the roles can change them: %s", got)
	}
}

// A role's ARN is of the deployment's partition, in its path.
func TestRoleARNsAreOfThePartition(t *testing.T) {
	t.Parallel()
	d := &deployment.Deployment{Partition: "aws-us-gov"}
	if got := d.RoleARN("111122223333", deployment.CanaryPath, deployment.CanaryTarget); got != "arn:aws-us-gov:iam::111122223333:role/rolewarden-canary/rolewarden-canary-target" {
		t.Error(got)
	}
}
