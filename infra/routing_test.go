package main

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rolewarden/rolewarden/pkg/deployment"
	"github.com/rolewarden/rolewarden/pkg/trail"
)

// Routing follows the table of the room trail, and nothing else.
func TestTheRulesCarryThePatternsOfTheTable(t *testing.T) {
	want := trail.Patterns(trail.PatternOptions{AssumeRole: []string{"arn:aws:iam::111122223333:role/payroll-admin"}})
	for stack, tpl := range cores(t) {
		for name, pattern := range map[string]string{deployment.IntakeRule: want[0], deployment.AssumeRoleRule + "-1": want[1]} {
			var parsed any
			if err := json.Unmarshal([]byte(pattern), &parsed); err != nil {
				t.Fatal(err)
			}
			r := named(t, tpl, "AWS::Events::Rule", "Name", name)
			if diff := cmp.Diff(parsed, r.Properties["EventPattern"]); diff != "" {
				t.Errorf("%s: %s (-want +got):\n%s", stack, name, diff)
			}
			if onBus := r.Properties["EventBusName"] != nil; onBus != (stack == deployment.HubStack) {
				t.Errorf("%s: %s is on the bus %v", stack, name, r.Properties["EventBusName"])
			}
		}
	}
}

// Events of AssumeRole are read-only: a rule in the usual state gets none.
func TestOnlyTheRulesForAssumeRoleGetReadOnlyEvents(t *testing.T) {
	for stack, tpl := range every(t) {
		for id, r := range tpl.Resources {
			if r.Type != "AWS::Events::Rule" {
				continue
			}
			want := "ENABLED"
			if strings.HasPrefix(shown(r.Properties["Name"]), deployment.AssumeRoleRule) {
				want = "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS"
			}
			if r.Properties["State"] != want {
				t.Errorf("%s: %s is %v", stack, id, r.Properties["State"])
			}
		}
	}
}

// An event that cannot be delivered ends on the rules' dead-letter queue, which
// lets in every rule by its ARN, and the intake queue lets in those that feed it.
func TestNoRuleLosesAnEvent(t *testing.T) {
	for stack, tpl := range cores(t) {
		dead := senders(t, tpl, "RuleDeadPolicy")
		intake := senders(t, tpl, "IntakeQueuePolicy")
		for id, r := range of(t, tpl, "AWS::Events::Rule") {
			arn := ruleARN(tpl, r)
			if !slices.Contains(dead, arn) {
				t.Errorf("%s: the rules' dead-letter queue does not let in %s: %v", stack, arn, dead)
			}
			targets, _ := r.Properties["Targets"].([]any)
			if len(targets) != 1 {
				t.Fatalf("%s: %s has %d targets", stack, id, len(targets))
			}
			if q := referred(at(targets[0], "DeadLetterConfig", "Arn")); q != "RuleDead" {
				t.Errorf("%s: %s has the dead-letter queue %q", stack, id, q)
			}
			if referred(at(targets[0], "Arn")) != "IntakeQueue" {
				continue
			}
			if !slices.Contains(intake, arn) {
				t.Errorf("%s: the intake queue does not let in %s: %v", stack, arn, intake)
			}
			if number(t, at(targets[0], "RetryPolicy", "MaximumEventAgeInSeconds")) != 86400 {
				t.Errorf("%s: %s does not try for a day", stack, id)
			}
			if waits := listOf(r.DependsOn); !slices.Contains(waits, "IntakeQueuePolicy") || !slices.Contains(waits, "RuleDeadPolicy") {
				t.Errorf("%s: %s may send before it is let in: it waits for %v", stack, id, waits)
			}
		}
		if len(intake) != 2 {
			t.Errorf("%s: the intake queue lets in %v", stack, intake)
		}
	}
}

// senders are the ARNs that a queue's policy lets in.
func senders(t *testing.T, tpl stackTemplate, policy string) []string {
	t.Helper()
	var out []string
	for _, s := range statements(t, tpl.Resources[policy].Properties["PolicyDocument"]) {
		out = append(out, listOf(at(s, "Condition", "ArnEquals", "aws:SourceArn"))...)
	}
	return out
}

// ruleARN is the ARN that AWS gives a rule, made without the code that is tested.
func ruleARN(tpl stackTemplate, r resource) string {
	account := "111122223333"
	if tpl.Resources["Bus"].Type != "" {
		account = "555555555555"
	}
	name := shown(r.Properties["Name"])
	if bus := referred(r.Properties["EventBusName"]); r.Properties["EventBusName"] != nil {
		name = shown(tpl.Resources[bus].Properties["Name"]) + "/" + name
	}
	return "arn:aws:events:us-east-1:" + account + ":rule/" + name
}

// T2: nobody puts events on the hub's bus but the events roles of the
// organization's accounts.
func TestOnlyTheOrganizationsEventsRolesReachTheBus(t *testing.T) {
	tpl := cores(t)[deployment.HubStack]
	for id, r := range of(t, tpl, "AWS::Events::EventBusPolicy") {
		s := r.Properties["Statement"]
		if at(s, "Action") != "events:PutEvents" || at(s, "Condition", "StringEquals", "aws:PrincipalOrgID") != "o-exampleorgid" {
			t.Errorf("%s: %v", id, s)
		}
		if at(s, "Condition", "ArnLike", "aws:PrincipalArn") != "arn:aws:iam::*:role/rolewarden/rolewarden-events" {
			t.Errorf("%s lets in more than the events roles: %v", id, s)
		}
		if at(s, "Resource") != "arn:aws:events:us-east-1:555555555555:event-bus/rolewarden" {
			t.Errorf("%s is about %v", id, at(s, "Resource"))
		}
	}
}

// A bus that is encrypted with the data key could deliver nothing while that
// is disabled.
func TestTheBusDoesNotDependOnTheDataKey(t *testing.T) {
	bus := named(t, cores(t)[deployment.HubStack], "AWS::Events::EventBus", "Name", deployment.Bus)
	if bus.Properties["KmsKeyIdentifier"] != nil {
		t.Errorf("the bus is encrypted with %v", bus.Properties["KmsKeyIdentifier"])
	}
}

// In one account the other Regions send their AssumeRole events home, with a
// role that rules of their name alone can use.
func TestInOneAccountOtherRegionsSendHome(t *testing.T) {
	a := way(t, singleWay)
	abroad := a.templates[deployment.SingleStack+"-eu-west-1"]
	rule := named(t, abroad, "AWS::Events::Rule", "Name", deployment.AssumeRoleRule+"-1")
	target := rule.Properties["Targets"].([]any)[0]
	if at(target, "Arn") != "arn:aws:events:us-east-1:111122223333:event-bus/default" || at(target, "RoleArn") != "arn:aws:iam::111122223333:role/rolewarden/rolewarden-events" {
		t.Errorf("the rule sends to %v", target)
	}
	role := named(t, a.templates[deployment.SingleStack], "AWS::IAM::Role", "RoleName", deployment.EventsRole)
	trust := statements(t, role.Properties["AssumeRolePolicyDocument"])[0]
	if got := listOf(at(trust, "Condition", "ArnLike", "aws:SourceArn")); !slices.Equal(got, []string{"arn:aws:events:*:111122223333:rule/" + deployment.AssumeRoleRule + "-*"}) {
		t.Errorf("the role may be used by %v", got)
	}
	policy := statements(t, at(role.Properties["Policies"].([]any)[0], "PolicyDocument"))[0]
	if policy["Resource"] != "arn:aws:events:us-east-1:111122223333:event-bus/default" || policy["Action"] != "events:PutEvents" {
		t.Errorf("the role may %v", policy)
	}
}

// Every stack says where it goes and cannot be deleted by mistake.
func TestStacksNameTheirPlaceAndAreProtected(t *testing.T) {
	for stack, one := range map[string]struct {
		get         func() (assembly, error)
		environment string
	}{
		deployment.HubStack:                   {hubWay, "aws://555555555555/us-east-1"},
		deployment.SingleStack:                {singleWay, "aws://111122223333/us-east-1"},
		deployment.SingleStack + "-eu-west-1": {singleWay, "aws://111122223333/eu-west-1"},
		deployment.MembersStack:               {membersWay, "aws://555555555555/us-east-1"},
		deployment.ManagementStack:            {membersWay, "aws://999999999999/us-east-1"},
	} {
		a := way(t, one.get)
		var manifest struct {
			Artifacts map[string]struct {
				Environment string
				Properties  struct {
					TerminationProtection bool
					Tags                  map[string]string
				}
			}
		}
		if err := json.Unmarshal([]byte(a.files["manifest.json"]), &manifest); err != nil {
			t.Fatal(err)
		}
		got := manifest.Artifacts[stack]
		if got.Environment != one.environment || !got.Properties.TerminationProtection {
			t.Errorf("%s: %+v", stack, got)
		}
		if a.templates[stack].Description == "" {
			t.Errorf("%s does not say what it is", stack)
		}
		if stack != deployment.MembersStack && stack != deployment.ManagementStack && got.Properties.Tags["application"] != "rolewarden" {
			t.Errorf("%s is tagged %v", stack, got.Properties.Tags)
		}
	}
}
