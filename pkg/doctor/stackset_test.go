package doctor_test

import (
	"testing"
	"time"

	"github.com/rolewarden/rolewarden/pkg/deployment"
	"github.com/rolewarden/rolewarden/pkg/doctor"
	"github.com/rolewarden/rolewarden/pkg/role"
)

const member = "rolewarden-member"

func TestWhatIsWrongWithTheMembers(t *testing.T) {
	t.Parallel()
	set := func(change func(*doctor.StackSet)) func(*deployment.Deployment, *account) {
		return func(_ *deployment.Deployment, a *account) {
			s := a.sets[member]
			change(&s)
			a.sets[member] = s
		}
	}
	instance := func(change func(*doctor.Instance)) func(*deployment.Deployment, *account) {
		return func(_ *deployment.Deployment, a *account) { change(&a.instances[member][0]) }
	}
	alarm := func(name, state string) func(*deployment.Deployment, *account) {
		return func(_ *deployment.Deployment, a *account) {
			for i := range a.alarms {
				if a.alarms[i].Name == name {
					a.alarms[i].State = state
				}
			}
		}
	}
	sick(t, doctor.After, []ailment{
		{name: "no StackSet", check: "stackset", state: doctor.Problem, found: "rolewarden-member does not exist", do: "cdk deploy rolewarden-members", harm: func(_ *deployment.Deployment, a *account) { delete(a.sets, member) }},
		{name: "deleted", check: "stackset", state: doctor.Problem, found: "DELETED", do: "rolewarden-members", harm: set(func(s *doctor.StackSet) { s.Status = "DELETED" })},
		{name: "self-managed", check: "stackset", state: doctor.Problem, found: "SELF_MANAGED", do: "rolewarden-members", harm: set(func(s *doctor.StackSet) { s.Permission = "SELF_MANAGED" })},
		{name: "T14 new accounts are left out", check: "stackset", state: doctor.Problem, found: "does not deploy to new accounts", do: "rolewarden-members", harm: set(func(s *doctor.StackSet) { s.AutoDeploy = "disabled" })},
		{name: "other targets", check: "stackset", state: doctor.Problem, found: "goes to ou-abcd-22222222", do: "rolewarden-members", harm: set(func(s *doctor.StackSet) { s.Targets = []string{"ou-abcd-22222222"} })},
		{name: "T71 drifted", check: "stackset", state: doctor.Problem, found: "had drifted on 2026-11-19", do: "Find out who", harm: set(func(s *doctor.StackSet) { s.Drift = "DRIFTED" })},
		{name: "nobody looked for drift", check: "stackset", state: doctor.Warning, found: "Nobody has looked", do: "detect-stack-set-drift", harm: set(func(s *doctor.StackSet) { s.Drift, s.DriftAt = "NOT_CHECKED", time.Time{} })},
		{name: "drift was looked for long ago", check: "stackset", state: doctor.Warning, found: "looked at last on 2026-10-01", do: "detect-stack-set-drift", harm: set(func(s *doctor.StackSet) { s.DriftAt = time.Date(2026, 10, 1, 0, 0, 0, 0, time.UTC) })},

		{name: "no StackSet and so no instance", way: "hub", check: "stack-instances", state: doctor.Problem, found: "does not exist", do: "cdk deploy rolewarden-members", harm: func(_ *deployment.Deployment, a *account) { delete(a.instances, member) }},
		{name: "no StackSet and so no coverage", way: "hub", check: "coverage", state: doctor.Problem, found: "111122223333/us-east-1", do: "cdk deploy rolewarden-members", harm: func(_ *deployment.Deployment, a *account) { delete(a.instances, member) }},
		{name: "no instance", check: "stack-instances", state: doctor.Problem, found: "no stack in any account", do: "rolewarden-members", harm: func(_ *deployment.Deployment, a *account) { a.instances[member] = nil }},
		{name: "outdated", check: "stack-instances", state: doctor.Problem, found: "are OUTDATED (an SCP says no): 111122223333/us-east-1", do: "Mend", harm: instance(func(i *doctor.Instance) { i.Status, i.Detail, i.Reason = "OUTDATED", "FAILED", "an SCP says no" })},
		{name: "failed and current", check: "stack-instances", state: doctor.Problem, found: "ended in FAILED", do: "Mend", harm: instance(func(i *doctor.Instance) { i.Detail = "FAILED" })},
		{name: "T71 a member's stack has drifted", check: "stack-instances", state: doctor.Problem, found: "have drifted", do: "Mend", harm: instance(func(i *doctor.Instance) { i.Drift = "DRIFTED" })},
		{name: "a suspended account", check: "stack-instances", state: doctor.OK, found: "3 stacks", harm: instance(func(i *doctor.Instance) { i.Status, i.Detail = "OUTDATED", "SKIPPED_SUSPENDED_ACCOUNT" })},

		{name: "T14 an account without a stack", check: "coverage", state: doctor.Problem, found: "no stack of rolewarden-member: 222222222222/us-east-1", do: "cdk deploy rolewarden-members", harm: func(_ *deployment.Deployment, a *account) {
			a.below = append(a.below, "222222222222")
		}},
		{name: "T14 an account without its stack in another Region", check: "coverage", state: doctor.Problem, found: "no stack of rolewarden-member-regional: 111122223333/eu-west-1", do: "rolewarden-members", harm: func(_ *deployment.Deployment, a *account) {
			a.instances["rolewarden-member-regional"] = a.instances["rolewarden-member-regional"][1:]
		}},
		{name: "T14 targets without any account", check: "coverage", state: doctor.Unknown, found: "No account is known", do: "members.targets", harm: func(_ *deployment.Deployment, a *account) { a.below = nil }},
		{name: "T14 an account in no target", check: "coverage", state: doctor.Warning, found: "in none of the targets: 777788889999", do: "members.targets", harm: func(_ *deployment.Deployment, a *account) { a.below = []string{prod, hub} }},
		{name: "nobody lists the accounts", check: "coverage", state: doctor.Unknown, found: "organizations:ListAccounts", do: "Allow organizations:ListAccounts", harm: func(_ *deployment.Deployment, a *account) {
			a.fails["organizations:ListAccounts"] = &doctor.Refusal{Needs: "organizations:ListAccounts", Err: role.ErrAccessDenied}
		}},
		{name: "a suspended account in no target", check: "coverage", state: doctor.OK, found: "has its stack", harm: func(_ *deployment.Deployment, a *account) {
			a.accounts = append(a.accounts, doctor.Account{ID: "222222222222", Active: doctor.Suspended})
		}},

		{name: "T83 nobody asks for the management account", check: "management-account", state: doctor.Warning, found: "999999999999 is not covered", do: "rolewarden-management", harm: func(d *deployment.Deployment, _ *account) {
			d.Rules.Organization.Management = ""
		}},
		{name: "T83 the canary was told by other rules", check: "management-account", state: doctor.Unknown, found: "other rules are deployed", do: "cdk deploy rolewarden-hub", harm: func(_ *deployment.Deployment, a *account) {
			a.stacks["rolewarden-hub"] = doctor.Stack{Name: "rolewarden-hub", Status: "CREATE_COMPLETE"}
		}},
		{name: "T83 the canary does not reach every account", check: "management-account", state: doctor.Unknown, found: "rolewarden-account-uncovered has gone off", do: "canary's log", harm: alarm("rolewarden-account-uncovered", "ALARM")},
		{name: "T83 the canary has not run", check: "management-account", state: doctor.Unknown, found: "rolewarden-no-canary has no data", do: "next runs", harm: alarm("rolewarden-no-canary", "INSUFFICIENT_DATA")},

		{name: "T71 a guarding policy was detached", check: "guardrails", state: doctor.Problem, found: "No guarding policy (SERVICE_CONTROL_POLICY) of rolewarden is attached to ou-abcd-11111111", do: "cdk deploy rolewarden-management", harm: func(_ *deployment.Deployment, a *account) {
			a.attached["ou-abcd-11111111/SERVICE_CONTROL_POLICY"] = []string{"FullAWSAccess"}
		}},
	})
}

func TestWhatIsWrongWithTheAlarms(t *testing.T) {
	t.Parallel()
	first := func(change func(*doctor.Alarm)) func(*deployment.Deployment, *account) {
		return func(_ *deployment.Deployment, a *account) { change(&a.alarms[0]) }
	}
	subscribers := func(topic string, all ...doctor.Subscription) func(*deployment.Deployment, *account) {
		return func(_ *deployment.Deployment, a *account) { a.subscriptions[here("sns", topic)] = all }
	}
	sick(t, doctor.After, []ailment{
		{name: "missing", check: "alarms", state: doctor.Problem, found: "Alarms are missing: rolewarden-no-event.", do: "rolewarden-hub", harm: func(_ *deployment.Deployment, a *account) { a.alarms = a.alarms[1:] }},
		{name: "switched off", check: "alarms", state: doctor.Problem, found: "Alarms do not tell", do: "rolewarden-hub", harm: first(func(a *doctor.Alarm) { a.Actions = nil })},
		{name: "telling another topic", check: "alarms", state: doctor.Problem, found: "rolewarden-no-event", do: "rolewarden-hub", harm: first(func(a *doctor.Alarm) { a.Actions[0] += "-of-mallory" })},
		{name: "looking elsewhere", check: "alarms", state: doctor.Problem, found: "another metric", do: "rolewarden-hub", harm: first(func(a *doctor.Alarm) { a.Metric = "AWS/EC2 CPUUtilization" })},
		{name: "gone off", check: "alarms", state: doctor.Problem, found: "rolewarden-no-event has gone off: no datapoints.", do: "Nothing is being guarded", harm: first(func(a *doctor.Alarm) { a.State, a.Reason = "ALARM", "no datapoints" })},
		{name: "without data yet", check: "alarms", state: doctor.OK, found: "alarms were looked for", harm: first(func(a *doctor.Alarm) { a.State = "INSUFFICIENT_DATA" })},
		{name: "nobody listens to alarms", check: "subscriptions", state: doctor.Problem, found: "Nobody subscribes to the topic rolewarden-alarms: an alarm wakes nobody", do: "alarms.email", harm: subscribers("rolewarden-alarms")},
		{name: "nobody listens to alerts", check: "subscriptions", state: doctor.Problem, found: "an alert reaches nobody", do: "slack: present", harm: subscribers("rolewarden-alerts")},
		{name: "nobody has confirmed", check: "subscriptions", state: doctor.Problem, found: "confirmed a subscription to the topic rolewarden-alarms (email)", do: "Follow the link", harm: subscribers("rolewarden-alarms", doctor.Subscription{Protocol: "email"})},
		{name: "not everybody has confirmed", check: "subscriptions", state: doctor.Warning, found: "not confirmed: https", do: "Follow the link", harm: subscribers("rolewarden-alarms", doctor.Subscription{Protocol: "https"}, doctor.Subscription{Protocol: "email", Confirmed: doctor.Confirmed})},
	})
}
