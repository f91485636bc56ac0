package doctor_test

import (
	"testing"

	"github.com/rolewarden/rolewarden/pkg/deployment"
	"github.com/rolewarden/rolewarden/pkg/doctor"
	"github.com/rolewarden/rolewarden/pkg/role"
)

// Whoever switches a schedule off, makes it rare, or points it elsewhere is seen:
// nothing else would tell that alerts which wait are not sent again (T71).
func TestASwitchedOffScheduleIsSeen(t *testing.T) {
	t.Parallel()
	rule := func(name string, change func(*doctor.Rule)) func(*deployment.Deployment, *account) {
		return func(_ *deployment.Deployment, a *account) {
			r := a.rules["us-east-1/default/"+name]
			change(&r)
			a.rules["us-east-1/default/"+name] = r
		}
	}
	sick(t, doctor.After, []ailment{
		{name: "the sweep's is off", check: "schedules", state: doctor.Problem, found: "rolewarden-sweep-schedule is DISABLED: nothing starts rolewarden-sweep", do: "switched it off", harm: rule("rolewarden-sweep-schedule", func(r *doctor.Rule) { r.State = "DISABLED" })},
		{name: "in one account too", way: "single", check: "schedules", state: doctor.Problem, found: "is DISABLED", do: "cdk deploy rolewarden ", harm: rule("rolewarden-sweep-schedule", func(r *doctor.Rule) { r.State = "DISABLED" })},
		{name: "the canary's comes once a year", check: "schedules", state: doctor.Problem, found: "rolewarden-canary-schedule is rate(365 days), and this version's is rate(60 minutes)", do: "changed it", harm: rule("rolewarden-canary-schedule", func(r *doctor.Rule) { r.Schedule = "rate(365 days)" })},
		{name: "the file has sweeps more often than what is deployed", check: "schedules", state: doctor.Problem, found: "is rate(360 minutes), and this version's is rate(60 minutes)", do: "cdk deploy rolewarden-hub", harm: func(d *deployment.Deployment, _ *account) { d.SweepEvery /= 6 }},
		{name: "that of the alerts is gone", check: "schedules", state: doctor.Problem, found: "rolewarden-deliver-schedule does not exist", do: "cdk deploy rolewarden-hub", harm: func(_ *deployment.Deployment, a *account) {
			delete(a.rules, "us-east-1/default/rolewarden-deliver-schedule")
		}},
		{name: "it starts something else", check: "schedules", state: doctor.Problem, found: "does not start rolewarden-sweep", do: "changed the target", harm: rule("rolewarden-sweep-schedule", func(r *doctor.Rule) {
			r.Targets = []doctor.Target{{ARN: here("lambda", "function:mallory")}}
		})},
		{name: "it tells something else", check: "schedules", state: doctor.Problem, found: "tells rolewarden-sweep something else", do: "changed the target", harm: rule("rolewarden-deliver-schedule", func(r *doctor.Rule) {
			r.Targets = []doctor.Target{{ARN: here("lambda", "function:rolewarden-sweep"), DeadLetters: here("sqs", "rolewarden-rule-dlq")}}
		})},
		{name: "it has no dead-letter queue", check: "schedules", state: doctor.Problem, found: "another dead-letter queue", do: "cdk deploy rolewarden-hub", harm: rule("rolewarden-sweep-schedule", func(r *doctor.Rule) {
			r.Targets = []doctor.Target{{ARN: here("lambda", "function:rolewarden-sweep")}}
		})},
		{name: "A9 it may not be looked at", check: "schedules", state: doctor.Unknown, found: "events:DescribeRule", do: "Allow events:DescribeRule", harm: func(_ *deployment.Deployment, a *account) {
			a.fails["events:DescribeRule"] = &doctor.Refusal{Needs: "events:DescribeRule", Err: role.ErrAccessDenied}
		}},
	})
}

// T14: sweeps that do not end in time, or do not see an account, are told, and
// what is not known yet is no health.
func TestASweepThatDoesNotSeeIsSeen(t *testing.T) {
	t.Parallel()
	alarm := func(name, state string) func(*deployment.Deployment, *account) {
		return func(_ *deployment.Deployment, a *account) {
			for i := range a.alarms {
				if a.alarms[i].Name == name {
					a.alarms[i].State, a.alarms[i].Reason = state, "Threshold crossed."
				}
			}
		}
	}
	sick(t, doctor.After, []ailment{
		{name: "none has ended", check: "sweep", state: doctor.Problem, found: "rolewarden-sweep-missed has gone off: Threshold crossed.", do: "Look at the log of rolewarden-sweep", harm: alarm("rolewarden-sweep-missed", "ALARM")},
		{name: "T14 an account is not read", check: "sweep", state: doctor.Problem, found: "rolewarden-coverage-gap has gone off", do: "name the account", harm: alarm("rolewarden-coverage-gap", "ALARM")},
		{name: "none has come yet", check: "sweep", state: doctor.Unknown, found: "rolewarden-sweep-missed has no data yet", do: "6 hours after the first deployment", harm: alarm("rolewarden-sweep-missed", "INSUFFICIENT_DATA")},
		{name: "the alarm is gone", check: "sweep", state: doctor.Problem, found: "rolewarden-sweep-missed is missing", do: "cdk deploy rolewarden-hub", harm: func(_ *deployment.Deployment, a *account) { a.alarms = nil }},
		{name: "one is under way", check: "sweep", state: doctor.OK, found: "has ended within the last 12 hours", harm: func(_ *deployment.Deployment, a *account) { a.queues["rolewarden-sweep"] = 40 }},
		{name: "its queue is gone", check: "sweep", state: doctor.Problem, found: "rolewarden-sweep does not exist", do: "cdk deploy rolewarden-hub", harm: func(_ *deployment.Deployment, a *account) { delete(a.queues, "rolewarden-sweep") }},
		{name: "A9 alarms may not be looked at", check: "sweep", state: doctor.Unknown, found: "cloudwatch:DescribeAlarms", do: "Allow cloudwatch:DescribeAlarms", harm: func(_ *deployment.Deployment, a *account) {
			a.fails["cloudwatch:DescribeAlarms"] = &doctor.Refusal{Needs: "cloudwatch:DescribeAlarms", Err: role.ErrAccessDenied}
		}},
	})
}
