package deployment_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rolewarden/rolewarden/pkg/deployment"
)

const samples = "../../testdata/deployments/"

// today is a day on which the files of the tests hold.
func today() time.Time { return time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC) }

func load(t *testing.T, path string, o deployment.Override) *deployment.Deployment {
	t.Helper()
	d, err := deployment.Load(path, o, today())
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// A new user's first file has four lines, and everything else has the default
// that the page names.
func TestTheSampleForOneAccountSaysWhatItsCommentsSay(t *testing.T) {
	t.Parallel()
	d := load(t, samples+"single.yaml", deployment.Override{})
	rules, text := d.Rules, d.RulesText
	d.Rules, d.RulesText = nil, nil
	want := &deployment.Deployment{
		File: samples + "single.yaml", Way: deployment.Single, Account: "555555555555",
		Partition: "aws", Region: "us-east-1", RulesFile: samples + "rules-single.yaml",
		CanaryEvery: time.Hour, SweepEvery: 6 * time.Hour, SealKeys: 1, LogDays: 400,
	}
	if diff := cmp.Diff(want, d); diff != "" {
		t.Error(diff)
	}
	if rules.Organization.ID != "" || len(text) == 0 {
		t.Errorf("the rules are of the organization %q, in %d bytes", rules.Organization.ID, len(text))
	}
}

// One file describes the hub and its members: the way can be given from outside.
func TestTheSampleForAnOrganizationIsDeployedInBothWays(t *testing.T) {
	t.Parallel()
	for word, way := range map[string]deployment.Way{"": deployment.Hub, "hub": deployment.Hub, "members": deployment.Members} {
		d := load(t, samples+"organization.yaml", deployment.Override{Way: word})
		d.Rules, d.RulesText = nil, nil
		want := &deployment.Deployment{
			File: samples + "organization.yaml", Way: way, Account: "555555555555",
			Partition: "aws", Region: "us-east-1", RulesFile: samples + "rules.yaml",
			Targets: []string{"r-abcd"}, AssumeRoleRegions: []string{"us-east-1", "eu-west-1"},
			AlarmEmails: []string{"security@acme.example"}, CanaryEvery: time.Hour, SweepEvery: 6 * time.Hour, SealKeys: 1, LogDays: 400,
			AttachSCP: []string{"ou-abcd-11111111"}, AttachRCP: []string{"ou-abcd-11111111"},
		}
		if diff := cmp.Diff(want, d); diff != "" {
			t.Errorf("way %q: %s", word, diff)
		}
	}
}
