package deployment_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/rolewarden/rolewarden/pkg/deployment"
)

// What a file says is what is deployed: whatever a deployment is, writing it
// down and reading it gives it back, with the fields in any order.
func TestWhatIsWrittenIsDeployed(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	const rulesText = "version: 1\norganization: {id: o-exampleorgid, management: '999999999999'}\n" +
		"rules: {session-policy: {roles: ['arn:aws:iam::111122223333:role/payroll']}}\n"
	if err := os.WriteFile(filepath.Join(dir, "rules.yaml"), []byte(rulesText), 0o600); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "deployment.yaml")
	rapid.Check(t, func(t *rapid.T) {
		want := draw(t)
		want.File, want.RulesFile = file, filepath.Join(dir, "rules.yaml")
		lines := rapid.Permutation(written(t, want)).Draw(t, "lines")
		got, err := deployment.Parse(file, []byte(strings.Join(lines, "\n")+"\n"), today())
		if err != nil {
			t.Fatal(err)
		}
		holds(t, got)
		if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(deployment.Deployment{}, "Rules", "RulesText"), cmpopts.EquateEmpty()); diff != "" {
			t.Fatal(diff)
		}
	})
}

// draw gives a deployment that holds.
func draw(t *rapid.T) *deployment.Deployment {
	some := func(name string, from ...string) []string {
		return rapid.SliceOfNDistinct(rapid.SampledFrom(from), 0, len(from), rapid.ID[string]).Draw(t, name)
	}
	presence := rapid.SampledFrom([]deployment.Presence{deployment.Absent, deployment.Present})
	d := &deployment.Deployment{
		Way:               rapid.SampledFrom([]deployment.Way{deployment.Single, deployment.Hub, deployment.Members}).Draw(t, "way"),
		Account:           rapid.SampledFrom([]string{"555555555555", "012345678901", "000000000008"}).Draw(t, "account"),
		Partition:         "aws",
		Region:            "us-east-1",
		Architecture:      rapid.SampledFrom([]deployment.Architecture{deployment.ARM64, deployment.X8664}).Draw(t, "architecture"),
		Remediator:        presence.Draw(t, "remediator"),
		Slack:             presence.Draw(t, "slack"),
		AssumeRoleRegions: some("regions", "us-east-1", "eu-central-2", "ap-southeast-4", "mx-central-1"),
		AlarmEmails:       some("email", "alice@acme.example", "bob.o'neill+aws@mail.acme.example"),
		CanaryEvery:       time.Duration(rapid.IntRange(15, 1440).Draw(t, "minutes")) * time.Minute,
		SweepEvery:        time.Duration(rapid.IntRange(1, 24).Draw(t, "hours")) * time.Hour,
		SealKeys:          rapid.IntRange(1, 9).Draw(t, "keys"),
		LogDays:           rapid.SampledFrom([]int{1, 30, 365, 400, 3653}).Draw(t, "days"),
	}
	if d.Way == deployment.Single {
		return d
	}
	places := [][]string{{"r-ab12"}, {"ou-ab12-abcdefgh"}, {"ou-ab12-abcdefgh", "ou-ab12-12345678"}}
	d.Targets = rapid.SampledFrom(places).Draw(t, "targets")
	attached := append(places, nil, []string{"111122223333", "ou-ab12-abcdefgh"})
	d.AttachSCP = rapid.SampledFrom(attached).Draw(t, "scp")
	d.AttachRCP = rapid.SampledFrom(attached).Draw(t, "rcp")
	return d
}

// written gives the fields of a file for a deployment, leaving out some whose
// default will do.
func written(t *rapid.T, d *deployment.Deployment) []string {
	out := []string{"version: 1", "rules: rules.yaml", "way: " + d.Way.String(), fmt.Sprintf("account: %q", d.Account)}
	for _, f := range []struct{ line, byDefault string }{
		{"region: " + d.Region, "region: us-east-1"},
		{"architecture: " + d.Architecture.String(), "architecture: arm64"},
		{"remediator: " + d.Remediator.String(), "remediator: absent"},
		{"slack: " + d.Slack.String(), "slack: absent"},
		{fmt.Sprintf("canary: {everyMinutes: %d}", int(d.CanaryEvery.Minutes())), "canary: {everyMinutes: 60}"},
		{fmt.Sprintf("sweep: {everyHours: %d}", int(d.SweepEvery.Hours())), "sweep: {everyHours: 6}"},
		{fmt.Sprintf("seals: {keys: %d}", d.SealKeys), "seals: {keys: 1}"},
		{fmt.Sprintf("logs: {days: %d}", d.LogDays), "logs: {days: 400}"},
	} {
		if f.line != f.byDefault || rapid.Bool().Draw(t, f.line) {
			out = append(out, f.line)
		}
	}
	list := func(format string, ids []string) {
		if len(ids) > 0 {
			out = append(out, fmt.Sprintf(format, `["`+strings.Join(ids, `", "`)+`"]`))
		}
	}
	list("members: {targets: %s}", d.Targets)
	list("assumeRole: {regions: %s}", d.AssumeRoleRegions)
	list("alarms: {email: %s}", d.AlarmEmails)
	switch {
	case len(d.AttachSCP) > 0 && len(d.AttachRCP) > 0:
		out = append(out, fmt.Sprintf(`guardrails: {scp: ["%s"], rcp: ["%s"]}`, strings.Join(d.AttachSCP, `", "`), strings.Join(d.AttachRCP, `", "`)))
	default:
		list("guardrails: {scp: %s}", d.AttachSCP)
		list("guardrails: {rcp: %s}", d.AttachRCP)
	}
	return out
}
