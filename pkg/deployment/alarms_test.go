package deployment

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rolewarden/rolewarden/pkg/meter"
	"github.com/rolewarden/rolewarden/pkg/org"
)

func everyDeployment() []*Deployment {
	var out []*Deployment
	for _, way := range []Way{Single, Hub} {
		for _, slack := range []Presence{Absent, Present} {
			for _, every := range []time.Duration{15 * time.Minute, time.Hour, 24 * time.Hour} {
				for _, sweeps := range []time.Duration{time.Hour, 6 * time.Hour, 24 * time.Hour} {
					out = append(out, &Deployment{Way: way, Slack: slack, CanaryEvery: every, SweepEvery: sweeps})
				}
			}
		}
	}
	return out
}

// quiet are the metrics without an alarm, with the reason.
var quiet = map[string]string{
	meter.EventsIgnored:   "most events ask for nothing",
	meter.Decided:         "no-event and the canary tell when there are none",
	meter.DecisionSeconds: "how long IAM takes to show a change is not ours; what waits on a queue has an alarm",
	meter.Findings:        "findings are told by alerts",
	meter.Written:         "writes are told by alerts and bounded by limits",
	meter.AlertPublished:  "alerts are told by themselves",
	meter.AlertTold:       "it is what ought to happen",
	meter.AlertDelayed:    "the age of the alert queue has an alarm",
	meter.CanaryAccounts:  "how many accounts there are is no fault",
	meter.SweepAccounts:   "how many accounts there are is no fault",
	meter.SweepRoles:      "how many roles there are is no fault",
	meter.SweepFound:      "what was found is told by alerts",
	meter.BaselinesSealed: "a day on which nothing is sealed is a quiet one; sweep-missed tells when nothing can be",
	meter.CanarySeconds:   "what is late beyond the grace is missed, and that has an alarm",
}

// quietIn are those that are without an alarm in one function only.
var quietIn = map[[2]string]string{
	{meter.Guard, meter.AlertsUndelivered}: "what SNS did not take at once is sent again within minutes, and what waits longer has an alarm",
}

// Whatever rolewarden counts is watched, or there is a reason why not: a
// metric that nobody looks at tells nobody.
func TestEveryMetricIsWatchedOrHasAReasonNotToBe(t *testing.T) {
	for _, d := range everyDeployment() {
		watched := map[[2]string]bool{}
		for _, a := range d.Alarms() {
			if a.Namespace == meter.Space {
				watched[[2]string{a.Dimensions[0].Value, a.Metric}] = true
				if _, ok := meter.Find(a.Dimensions[0].Value, a.Metric); !ok {
					t.Errorf("%s watches %s of %s, which nothing counts", a.Name, a.Metric, a.Dimensions[0].Value)
				}
			}
		}
		for _, m := range meter.All() {
			if m.Function == meter.Notify && d.Slack == Absent {
				continue
			}
			_, excused := quiet[m.Name]
			if _, here := quietIn[[2]string{m.Function, m.Name}]; here {
				excused = true
			}
			if watched[[2]string{m.Function, m.Name}] == excused {
				t.Errorf("%s of %s: watched and excused at once, or neither (slack %d)", m.Name, m.Function, d.Slack)
			}
		}
	}
}

// T10, T12, T13: whatever can be lost on its way has an alarm on it.
func TestEveryQueueAndFunctionIsWatched(t *testing.T) {
	for _, d := range everyDeployment() {
		watches := func(metric, value string) bool {
			return slices.ContainsFunc(d.Alarms(), func(a Alarm) bool {
				return a.Metric == metric && slices.ContainsFunc(a.Dimensions, func(one Dimension) bool { return one.Value == value })
			})
		}
		for _, q := range d.Queues() {
			if !watches("ApproximateAgeOfOldestMessage", q) || !watches("ApproximateNumberOfMessagesVisible", q+DLQ) {
				t.Errorf("queue %s has no alarm on its age or on its dead letters", q)
			}
		}
		for _, f := range d.Functions() {
			if !watches("Errors", f) || !watches("Throttles", f) {
				t.Errorf("function %s has no alarm on errors or throttles", f)
			}
		}
		if !watches("ApproximateNumberOfMessagesVisible", RuleDLQ) || !watches("InvocationsFailedToBeSentToDlq", IntakeRule) {
			t.Error("what the rule could not deliver has no alarm")
		}
	}
}

// An alarm on a metric that nobody has is one that never goes off: each
// namespace has its own dimensions (Amazon CloudWatch metrics of SQS, SNS,
// Lambda and EventBridge).
func TestAlarmsNameTheDimensionsOfTheirService(t *testing.T) {
	want := map[string][]string{
		"AWS/SQS": {"QueueName"}, "AWS/SNS": {"TopicName"}, "AWS/Lambda": {"FunctionName"},
		"AWS/Events": {"EventBusName", "RuleName"}, meter.Space: {meter.Dimension},
	}
	for _, d := range everyDeployment() {
		for _, a := range d.Alarms() {
			var names []string
			for _, one := range a.Dimensions {
				names = append(names, one.Name)
			}
			ok := slices.Equal(names, want[a.Namespace]) || a.Namespace == "AWS/Events" && slices.Equal(names, []string{"RuleName"})
			if !ok {
				t.Errorf("%s: %s has %v, want %v", a.Name, a.Namespace, names, want[a.Namespace])
			}
			// Counts are added up; what is measured is the worst of it.
			statistic := Sum
			if a.Namespace == "AWS/SQS" || a.Metric == meter.RulesFingerprint {
				statistic = Maximum
			}
			if a.Statistic != statistic {
				t.Errorf("%s: %s", a.Name, a.Statistic)
			}
		}
	}
}

// T76: the alarm on other rules is on a change of the number, which is never
// small; on the number itself it would be on for ever. It sees two datapoints
// at least, however seldom the canary runs.
func TestTheAlarmOnOtherRulesIsOnTheirChange(t *testing.T) {
	for _, d := range everyDeployment() {
		for _, a := range d.Alarms() {
			if changes := a.Change == AnyChange; changes != (a.Metric == meter.RulesFingerprint) {
				t.Errorf("%s: on a change is %v", a.Name, changes)
			}
			if a.Change == AnyChange && a.Period*time.Duration(a.Periods) < 2*d.CanaryEvery {
				t.Errorf("%s looks back %s, and the canary runs every %s", a.Name, a.Period*time.Duration(a.Periods), d.CanaryEvery)
			}
		}
	}
}

// T10: whatever is wrong with the way of events sets an alarm off within two
// intervals of the canary.
func TestABlindGuardIsToldWithinTwoIntervals(t *testing.T) {
	for _, d := range everyDeployment() {
		for _, name := range []string{"no-event", "no-canary", "canary-missed", "account-uncovered"} {
			i := slices.IndexFunc(d.Alarms(), func(a Alarm) bool { return a.Name == AlarmPrefix+name })
			if a := d.Alarms()[i]; a.Period*time.Duration(a.Breaching) > 2*d.CanaryEvery {
				t.Errorf("%s takes %d of %s", name, a.Breaching, a.Period)
			}
		}
	}
}

// What no event told of is found by the sweep alone: that it does not come, or
// does not see an account, is told within two of its intervals (T14).
func TestASweepThatDoesNotSeeIsToldWithinTwoIntervals(t *testing.T) {
	for _, d := range everyDeployment() {
		for _, name := range []string{"sweep-missed", "coverage-gap"} {
			i := slices.IndexFunc(d.Alarms(), func(a Alarm) bool { return a.Name == AlarmPrefix+name })
			if a := d.Alarms()[i]; a.Period*time.Duration(a.Breaching) > 2*d.SweepEvery || a.Period < d.SweepEvery {
				t.Errorf("%s takes %d of %s, and a sweep comes every %s", name, a.Breaching, a.Period, d.SweepEvery)
			}
		}
	}
}

// Every rule that feeds the intake queue has its alarms, those for AssumeRole too.
func TestEveryRuleIsWatched(t *testing.T) {
	d := &Deployment{Way: Hub, CanaryEvery: time.Hour, AssumeRoleRegions: []string{"us-east-1"}, Rules: &org.Rules{
		Settings: map[string]org.Setting{"session-policy": {Roles: []string{"arn:aws:iam::111122223333:role/payroll"}}},
	}}
	for _, rule := range []string{IntakeRule, AssumeRoleRule + "-1", CanaryRule, SweepRule, DeliverRule} {
		n := 0
		for _, a := range d.Alarms() {
			if a.Namespace == "AWS/Events" && slices.ContainsFunc(a.Dimensions, func(one Dimension) bool { return one.Value == rule }) {
				n++
			}
		}
		if want := map[bool]int{true: 2, false: 4}[strings.HasSuffix(rule, "-schedule")]; n != want {
			t.Errorf("%s has %d alarms, want %d", rule, n, want)
		}
	}
}

// Silence is an alarm: without any data, these go off and no others.
func TestSilenceSetsOffTheAlarmsOnSilence(t *testing.T) {
	for _, d := range everyDeployment() {
		var off []string
		for _, a := range d.Alarms() {
			if a.Missing == MissingIsBad {
				off = append(off, a.Name)
			}
		}
		if want := []string{"rolewarden-no-event", "rolewarden-no-canary", "rolewarden-sweep-missed"}; !slices.Equal(off, want) {
			t.Errorf("without data %v go off, want %v", off, want)
		}
	}
}

// CloudWatch refuses alarms that look back too far (CloudWatch User Guide,
// cloudwatch_limits: one day, seven days from a period of an hour on).
func TestAlarmsAreOfAKindThatCloudWatchTakes(t *testing.T) {
	for _, d := range everyDeployment() {
		seen := map[string]bool{}
		for _, a := range d.Alarms() {
			if seen[a.Name] || !strings.HasPrefix(a.Name, AlarmPrefix) || strings.Contains(a.Name, AlarmPrefix+AlarmPrefix) {
				t.Errorf("the name %q is there twice, or has not one prefix", a.Name)
			}
			seen[a.Name] = true
			back := 24 * time.Hour
			if a.Period >= time.Hour {
				back = 7 * 24 * time.Hour
			}
			if a.Period%time.Minute != 0 || a.Period <= 0 || a.Period*time.Duration(a.Periods) > back || a.Breaching > a.Periods || a.Breaching < 1 {
				t.Errorf("%s: %d of %d times %s", a.Name, a.Breaching, a.Periods, a.Period)
			}
			if len(a.Description) < 40 || len(a.Description) > 1024 || a.Threshold <= 0 {
				t.Errorf("%s: description of %d characters, threshold %v", a.Name, len(a.Description), a.Threshold)
			}
		}
	}
}
