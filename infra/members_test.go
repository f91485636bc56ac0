package main

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/rolewarden/rolewarden/pkg/deployment"
)

// must gives a rendered way.
func must(t *testing.T, way func() (assembly, error)) assembly {
	t.Helper()
	a, err := way()
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// stackSets gives the properties of the StackSets by name, and their templates.
func stackSets(t *testing.T) (sets map[string]map[string]any, templates map[string]stackTemplate) {
	t.Helper()
	sets, templates = map[string]map[string]any{}, map[string]stackTemplate{}
	for _, r := range must(t, membersWay).templates[deployment.MembersStack].Resources {
		if r.Type != "AWS::CloudFormation::StackSet" {
			continue
		}
		name := r.Properties["StackSetName"].(string)
		var body stackTemplate
		if err := json.Unmarshal([]byte(r.Properties["TemplateBody"].(string)), &body); err != nil {
			t.Fatal(err)
		}
		sets[name], templates[name] = r.Properties, body
	}
	return sets, templates
}

// T14: an account that joins later gets the member template by itself, and one
// that leaves keeps no role behind.
func TestStackSetsCoverWhoJoinsAndLeaveNothingWithWhoLeaves(t *testing.T) {
	sets, _ := stackSets(t)
	for _, name := range []string{deployment.MemberStackSet, deployment.CanaryStackSet, deployment.RegionalStackSet} {
		p := sets[name]
		if p == nil {
			t.Errorf("there is no StackSet %s", name)
			continue
		}
		if p["PermissionModel"] != "SERVICE_MANAGED" || p["CallAs"] != "DELEGATED_ADMIN" {
			t.Errorf("%s is not deployed from the hub as delegated administrator: %v, %v", name, p["PermissionModel"], p["CallAs"])
		}
		if at(p, "AutoDeployment", "Enabled") != true || at(p, "AutoDeployment", "RetainStacksOnAccountRemoval") != false {
			t.Errorf("%s: %v", name, p["AutoDeployment"])
		}
		// A second deployment while the first still goes from account to account waits
		// for it, rather than being refused (AWS CloudFormation API Reference,
		// API_ManagedExecution).
		if at(p, "ManagedExecution", "Active") != true {
			t.Errorf("%s refuses a change while another one is on its way: %v", name, p["ManagedExecution"])
		}
		if failing := at(p, "OperationPreferences", "FailureTolerancePercentage").(float64); failing > 20 {
			t.Errorf("%s goes on while %v%% of the accounts fail", name, failing)
		}
	}
}

// The external id reaches the members as a parameter, and their roles as a
// reference to it.
func TestMembersGetTheExternalIdAsAParameter(t *testing.T) {
	sets, templates := stackSets(t)
	parameters := sets[deployment.MemberStackSet]["Parameters"].([]any)
	if len(parameters) != 1 || shown(at(parameters[0].(map[string]any), "ParameterValue", "Ref")) != deployment.ExternalIDParameter {
		t.Errorf("the StackSet is given %v", parameters)
	}
	if p := templates[deployment.MemberStackSet].Parameters[deployment.ExternalIDParameter]; p["NoEcho"] != true || p["Default"] != nil {
		t.Errorf("the member template takes %v", p)
	}
}

// Drift of the member StackSet means something: what the canary changes is not
// in it.
func TestWhatDriftsOnPurposeStandsApart(t *testing.T) {
	_, templates := stackSets(t)
	for name, tpl := range templates {
		for id, r := range tpl.Resources {
			drifts := r.Properties["RoleName"] == deployment.CanaryTarget
			if drifts != (name == deployment.CanaryStackSet) {
				t.Errorf("%s holds %s", name, id)
			}
		}
	}
}

// Other Regions get rules for AssumeRole and nothing that is global, which the
// first Region has already.
func TestOtherRegionsGetOnlyRulesForAssumeRole(t *testing.T) {
	sets, templates := stackSets(t)
	for id, r := range templates[deployment.RegionalStackSet].Resources {
		if r.Type != "AWS::Events::Rule" || shown(at(r.Properties, "EventPattern", "detail", "eventName")) == "" || r.Properties["State"] != allEvents {
			t.Errorf("%s is a %s, %v", id, r.Type, r.Properties["State"])
		}
	}
	group := sets[deployment.RegionalStackSet]["StackInstancesGroup"].([]any)[0].(map[string]any)
	if regions := group["Regions"].([]any); slices.Contains(regions, any("us-east-1")) || len(regions) == 0 {
		t.Errorf("it goes to %v", regions)
	}
}

// T83: in the management account rolewarden looks and cannot write, and where
// guarding policies are asked for they are attached there.
func TestInTheManagementAccountNothingCanBeWritten(t *testing.T) {
	tpl := must(t, membersWay).templates[deployment.ManagementStack]
	policies := map[any]any{}
	for id, r := range tpl.Resources {
		switch r.Type {
		case "AWS::Organizations::Policy":
			policies[r.Properties["Type"]] = r.Properties["TargetIds"]
		case "AWS::IAM::Role":
			if r.Properties["RoleName"] == deployment.RemediatorRole {
				t.Errorf("%s is there", deployment.RemediatorRole)
			}
			text, err := json.Marshal(r.Properties["Policies"])
			if err != nil {
				t.Fatal(err)
			}
			writes := strings.Contains(string(text), "iam:UpdateAssumeRolePolicy")
			if writes && r.Properties["RoleName"] != deployment.CanaryWriterRole {
				t.Errorf("%s may write", id)
			}
		}
	}
	d, err := load("organization.yaml", "members")
	if err != nil {
		t.Fatal(err)
	}
	for kind, targets := range map[string][]string{"SERVICE_CONTROL_POLICY": d.AttachSCP, "RESOURCE_CONTROL_POLICY": d.AttachRCP} {
		got, ok := policies[kind].([]any)
		if !ok || len(got) != len(targets) || len(got) > 0 && got[0] != targets[0] {
			t.Errorf("%s is attached to %v, want %v", kind, policies[kind], targets)
		}
	}
}

// Without targets for them the guarding policies are files only.
func TestGuardingPoliciesAreAttachedOnlyIfAsked(t *testing.T) {
	d, err := load("organization.yaml", "members")
	if err != nil {
		t.Fatal(err)
	}
	d.AttachSCP, d.AttachRCP = nil, nil
	a, err := render(d)
	if err != nil {
		t.Fatal(err)
	}
	for id, r := range a.templates[deployment.ManagementStack].Resources {
		if r.Type == "AWS::Organizations::Policy" {
			t.Errorf("%s is attached all the same", id)
		}
	}
	for _, file := range []string{scpFile, rcpFile} {
		if !json.Valid([]byte(a.files[file])) {
			t.Errorf("%s is not written beside the templates: %q", file, a.files[file])
		}
	}
}

// The partners of the rules file are let through by the RCP: attached, it must
// not cut off whom the organization trusts.
func TestTheRCPSparesThePartners(t *testing.T) {
	a := must(t, membersWay)
	d, err := load("organization.yaml", "members")
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, p := range d.Rules.Partners {
		for _, account := range p.Accounts {
			n++
			if !strings.Contains(a.files[rcpFile], account) {
				t.Errorf("partner %s (%s) is not spared", p.Name, account)
			}
		}
	}
	if n == 0 {
		t.Error("the rules file of this test has no partner")
	}
}

// A management account that the rules file does not name cannot be deployed to,
// and the error says what is missing.
func TestWithoutAManagementAccountTheErrorSaysSo(t *testing.T) {
	d, err := load("organization.yaml", "members")
	if err != nil {
		t.Fatal(err)
	}
	rules := *d.Rules
	rules.Organization.Management = ""
	d.Rules = &rules
	if _, err := render(d); err == nil || !strings.Contains(err.Error(), "organization.management") {
		t.Errorf("got %v", err)
	}
}

// In other Regions the management account has the members' rules for AssumeRole,
// since StackSets skip it there too.
func TestOtherRegionsOfTheManagementAccountAreWatched(t *testing.T) {
	a := must(t, membersWay)
	tpl, ok := a.templates[deployment.ManagementStack+"-eu-west-1"]
	if !ok {
		t.Fatal("there is no stack for eu-west-1")
	}
	for id, r := range tpl.Resources {
		target := r.Properties["Targets"].([]any)[0].(map[string]any)
		if r.Type != "AWS::Events::Rule" || r.Properties["State"] != allEvents || target["Arn"] != "arn:aws:events:us-east-1:555555555555:event-bus/"+deployment.Bus {
			t.Errorf("%s is %v", id, r)
		}
	}
}
