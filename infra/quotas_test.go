package main

import (
	"fmt"
	"maps"
	"strings"
	"testing"

	"github.com/rolewarden/rolewarden/pkg/deployment"
	"github.com/rolewarden/rolewarden/pkg/grants"
	"github.com/rolewarden/rolewarden/pkg/org"
)

// What grows with the rules file is refused before CloudFormation stops half
// way, and the error says where and what to do.
func TestADocumentThatAWSWouldRefuseIsRefusedHere(t *testing.T) {
	for name, spoil := range map[string]struct {
		rules func(*org.Rules)
		want  string
	}{
		"protected": {func(r *org.Rules) {
			for i := range 300 {
				r.Protected = append(r.Protected, fmt.Sprintf("arn:aws:iam::111122223333:role/vault/keeper-%03d", i))
			}
		}, "rules.yaml: protected:"},
		"partners": {func(r *org.Rules) {
			p := org.Partner{Name: "initech"}
			for i := range 400 {
				p.Accounts = append(p.Accounts, fmt.Sprintf("2222%08d", i))
			}
			r.Partners = append(r.Partners, p)
		}, "guardrails.rcp"},
	} {
		d, err := load("organization.yaml", "members")
		if err != nil {
			t.Fatal(err)
		}
		rules := *d.Rules
		spoil.rules(&rules)
		d.Rules = &rules
		if _, err := render(d); err == nil || !strings.Contains(err.Error(), spoil.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// allRegions are more than an account can have enabled today.
func allRegions() []string {
	out := []string{"us-east-1"}
	for _, part := range []string{"af", "ap", "ca", "eu", "il", "me", "mx", "sa", "us"} {
		for _, name := range []string{"central-1", "north-1", "northeast-1", "southeast-1", "west-2"} {
			out = append(out, part+"-"+name)
		}
	}
	return out
}

// watchful gives a deployment with so many sensitive roles, watched in so many
// Regions.
func watchful(t *testing.T, file, way string, roles int, regions []string) *deployment.Deployment {
	t.Helper()
	d := load1(t, file, way)
	rules := *d.Rules
	rules.Settings = maps.Clone(rules.Settings)
	setting := rules.Setting("session-policy")
	setting.Roles = nil
	for i := range roles {
		setting.Roles = append(setting.Roles, fmt.Sprintf("arn:aws:iam::111122223333:role/finance/payroll-administrator-%03d", i))
	}
	rules.Settings["session-policy"] = setting
	d.Rules, d.AssumeRoleRegions = &rules, regions
	if n := len(d.AssumeRoleRules()); n < roles/30 {
		t.Fatalf("%d roles have %d rules", roles, n)
	}
	return d
}

// Whoever watches every Region for some hundred sensitive roles, as the operator's
// page says to, gets trust policies that IAM takes: they do not grow with what is
// watched.
func TestEveryRegionCanBeWatched(t *testing.T) {
	for file, way := range map[string]string{"organization.yaml": "members", "single.yaml": ""} {
		a, err := render(watchful(t, file, way, 100, allRegions()))
		if err != nil {
			t.Fatal(err)
		}
		found := 0
		for stack, tpl := range a.templates {
			for id, r := range tpl.Resources {
				if r.Type != "AWS::IAM::Role" || r.Properties["RoleName"] != deployment.EventsRole {
					continue
				}
				found++
				if n := size(r.Properties["AssumeRolePolicyDocument"]); n > grants.MaxTrust {
					t.Errorf("%s: the trust policy of %s has %d characters, and IAM takes %d", stack, id, n, grants.MaxTrust)
				}
			}
		}
		if found == 0 {
			t.Errorf("%s: no template has the role %s", file, deployment.EventsRole)
		}
	}
}

// A template that CloudFormation would refuse is refused before anything is
// deployed, and the error says what makes it so large: that of a StackSet, and
// those of the stacks that are deployed without a bucket.
func TestATemplateThatCloudFormationWouldRefuseIsRefusedHere(t *testing.T) {
	for _, tt := range []struct {
		roles int
		names []string
	}{
		{300, []string{"the stack " + deployment.MembersStack, "the stack " + deployment.ManagementStack}},
		{600, []string{"the StackSet " + deployment.MemberStackSet}},
	} {
		_, err := render(watchful(t, "organization.yaml", "members", tt.roles, []string{"us-east-1", "eu-west-1"}))
		for _, want := range append(tt.names, "rules.yaml: ", "takes 51200", "rules.session-policy.roles") {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%d roles: the error does not speak of %q: %v", tt.roles, want, err)
			}
		}
	}
	// The hub's code goes to a bucket, and its template with it.
	if _, err := render(watchful(t, "organization.yaml", "hub", 300, []string{"us-east-1", "eu-west-1"})); err != nil {
		t.Errorf("the hub: %v", err)
	}
}
