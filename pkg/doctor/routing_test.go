package doctor_test

import (
	"strings"
	"testing"

	"github.com/rolewarden/rolewarden/pkg/deployment"
	"github.com/rolewarden/rolewarden/pkg/doctor"
)

const intake = usEast + "/rolewarden/rolewarden-intake"

// rule changes one rule.
func rule(at string, change func(*doctor.Rule)) func(*deployment.Deployment, *account) {
	return func(_ *deployment.Deployment, a *account) {
		r, ok := a.rules[at]
		if !ok {
			panic("there is no rule " + at)
		}
		change(&r)
		a.rules[at] = r
	}
}

// T71: whoever disables a rule, its target or its pattern makes rolewarden blind.
func TestWhatIsWrongWithTheWayOfEvents(t *testing.T) {
	t.Parallel()
	policy := func(change func(string) string) func(*deployment.Deployment, *account) {
		return func(_ *deployment.Deployment, a *account) {
			b := a.buses[usEast+"/rolewarden"]
			b.Policy = change(b.Policy)
			a.buses[usEast+"/rolewarden"] = b
		}
	}
	always := func(s string) func(string) string { return func(string) string { return s } }
	sick(t, doctor.After, []ailment{
		{name: "no bus", check: "bus-policy", state: doctor.Problem, found: "does not exist", do: "rolewarden-hub", harm: func(_ *deployment.Deployment, a *account) { a.buses = nil }},
		{name: "no policy", check: "bus-policy", state: doctor.Problem, found: "has no policy", do: "rolewarden-hub", harm: policy(always(""))},
		{name: "no JSON", check: "bus-policy", state: doctor.Problem, found: "cannot be read", do: "rolewarden-hub", harm: policy(always("{"))},
		{name: "T2 everybody may send", check: "bus-policy", state: doctor.Problem, found: `has the statement "All"`, do: "Find out who", harm: policy(func(p string) string {
			return strings.Replace(p, `"Statement":[`, `"Statement":[{"Sid":"All","Effect":"Allow","Principal":"*","Action":"events:PutEvents","Resource":"*"},`, 1)
		})},
		{name: "T2 another organization may send", check: "bus-policy", state: doctor.Problem, found: `lacks the statement "Members"`, do: "rolewarden-hub", harm: policy(func(p string) string { return strings.Replace(p, orgID, "o-otherorgid", 1) })},
		{name: "the same in other words", check: "bus-policy", state: doctor.OK, found: "nobody else", harm: policy(func(p string) string {
			p = strings.Replace(p, `"Principal":"*"`, `"Principal":{"AWS":["*"]}`, 1)
			p = strings.Replace(p, `"events:PutEvents"`, `["events:PutEvents"]`, 1)
			return strings.Replace(p, `"Sid":"Members"`, `"Sid":"other"`, 1)
		})},
		{name: "no rule", check: "intake-rule", state: doctor.Problem, found: "does not exist", do: "rolewarden-hub", harm: func(_ *deployment.Deployment, a *account) { delete(a.rules, intake) }},
		{name: "a disabled rule", check: "intake-rule", state: doctor.Problem, found: "is DISABLED", do: "who switched it off", harm: rule(intake, func(r *doctor.Rule) { r.State = "DISABLED" })},
		{name: "a rule with reads", check: "intake-rule", state: doctor.OK, found: "leads to", harm: rule(intake, func(r *doctor.Rule) { r.State = "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS" })},
		{name: "a narrower pattern", check: "intake-rule", state: doctor.Problem, found: "another event pattern", do: "rolewarden-hub", harm: rule(intake, func(r *doctor.Rule) { r.Pattern = strings.Replace(r.Pattern, `"CreateRole",`, "", 1) })},
		{name: "T8 a pattern in another order", check: "intake-rule", state: doctor.OK, found: "leads to", harm: rule(intake, func(r *doctor.Rule) {
			r.Pattern = strings.Replace(strings.Replace(r.Pattern, `"CreateRole",`, "", 1), `"eventName":[`, `"eventName":["CreateRole",`, 1)
		})},
		{name: "no pattern", check: "intake-rule", state: doctor.Problem, found: "another event pattern", do: "rolewarden-hub", harm: rule(intake, func(r *doctor.Rule) { r.Pattern = "" })},
		{name: "another target", check: "intake-rule", state: doctor.Problem, found: "does not lead to arn:aws:sqs:us-east-1:555555555555:rolewarden-intake", do: "rolewarden-hub", harm: rule(intake, func(r *doctor.Rule) { r.Targets[0].ARN += "-of-mallory" })},
		{name: "one target more", check: "intake-rule", state: doctor.Warning, found: "also leads to arn:aws:sqs:us-east-1:666666666666:x", do: "Find out who", harm: rule(intake, func(r *doctor.Rule) {
			r.Targets = append(r.Targets, doctor.Target{ARN: "arn:aws:sqs:us-east-1:666666666666:x"})
		})},
		{name: "T1 a transformer", check: "intake-rule", state: doctor.Problem, found: "changes the events", do: "Find out who", harm: rule(intake, func(r *doctor.Rule) { r.Targets[0].Input = doctor.Transformed })},
		{name: "T12 no dead letters", check: "intake-rule", state: doctor.Problem, found: "or none", do: "rolewarden-hub", harm: rule(intake, func(r *doctor.Rule) { r.Targets[0].DeadLetters = "" })},
		{name: "another role", seat: doctor.Member, check: "forward-rule", state: doctor.Problem, found: "with another role", do: "rolewarden-members", harm: rule(usEast+"/default/rolewarden-forward", func(r *doctor.Rule) {
			r.Targets[0].Role = "arn:aws:iam::111122223333:role/mallory"
		})},
		{name: "a rule for AssumeRole without read events", seat: doctor.Member, check: "assume-role-rules", state: doctor.Problem, found: "In us-east-1, 1 of the 1", do: "Deploy again", harm: rule(usEast+"/default/rolewarden-assume-role-1", func(r *doctor.Rule) { r.State = "ENABLED" })},
		{name: "read events on a bus of one's own", check: "assume-role-rules", state: doctor.OK, found: "In us-east-1 each", harm: rule(usEast+"/rolewarden/rolewarden-assume-role-1", func(r *doctor.Rule) { r.State = "ENABLED" })},
		{name: "the only account's rule", way: "single", check: "intake-rule", state: doctor.Problem, found: "on the bus default in us-east-1 is DISABLED", do: "cdk deploy rolewarden", harm: rule(usEast+"/default/rolewarden-intake", func(r *doctor.Rule) { r.State = "DISABLED" })},
		{name: "a member's rule", seat: doctor.Member, check: "forward-rule", state: doctor.Problem, found: "is DISABLED", do: "cdk deploy rolewarden-members", harm: rule(usEast+"/default/rolewarden-forward", func(r *doctor.Rule) { r.State = "DISABLED" })},
		{name: "the management account's rule", seat: doctor.Management, check: "forward-rule", state: doctor.Problem, found: "does not exist", do: "cdk deploy rolewarden-management", harm: func(_ *deployment.Deployment, a *account) { delete(a.rules, usEast+"/default/rolewarden-forward") }},
		{name: "no rule for AssumeRole in a Region", seat: doctor.Member, check: "assume-role-rules", state: doctor.Problem, found: "In eu-west-1, 1 of the 1", do: "Deploy again", harm: func(_ *deployment.Deployment, a *account) {
			delete(a.rules, "eu-west-1/default/rolewarden-assume-role-1")
		}},
		{name: "a disabled rule for AssumeRole", check: "assume-role-rules", state: doctor.Problem, found: "on the bus rolewarden", do: "Deploy again", harm: rule(usEast+"/rolewarden/rolewarden-assume-role-1", func(r *doctor.Rule) { r.State = "DISABLED" })},
		{name: "T71 a rule for AssumeRole without a target", check: "assume-role-rules", state: doctor.Problem, found: "The rule rolewarden-assume-role-1 on the bus rolewarden in us-east-1 does not lead to arn:aws:sqs:us-east-1:555555555555:rolewarden-intake", do: "cdk deploy rolewarden-hub", harm: rule(usEast+"/rolewarden/rolewarden-assume-role-1", func(r *doctor.Rule) { r.Targets = nil })},
		{name: "T71 a member's rule for AssumeRole without a target", seat: doctor.Member, check: "assume-role-rules", state: doctor.Problem, found: "on the bus default in eu-west-1 does not lead to arn:aws:events:us-east-1:555555555555:event-bus/rolewarden", do: "cdk deploy rolewarden-members", harm: rule("eu-west-1/default/rolewarden-assume-role-1", func(r *doctor.Rule) { r.Targets = nil })},
		{name: "T71 the management account's rule for AssumeRole with another role", seat: doctor.Management, check: "assume-role-rules", state: doctor.Problem, found: "with another role", do: "who changed the target", harm: rule("eu-west-1/default/rolewarden-assume-role-1", func(r *doctor.Rule) { r.Targets[0].Role = "arn:aws:iam::999999999999:role/mallory" })},
		{name: "the sensitive roles changed", check: "assume-role-rules", state: doctor.Problem, found: "1 of the 1", do: "the sensitive roles changed", harm: rule(usEast+"/rolewarden/rolewarden-assume-role-1", func(r *doctor.Rule) {
			r.Pattern = strings.Replace(r.Pattern, "payroll", "other", 1)
		})},
	})
}
