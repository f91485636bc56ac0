package deployment

import (
	"strconv"
	"strings"
	"time"

	"github.com/rolewarden/rolewarden/pkg/meter"
	"github.com/rolewarden/rolewarden/pkg/trail"
)

// Alarm is one CloudWatch alarm of the hub: when rolewarden is blind, late, or
// kept from its work. Its description says what to do, since it is read at
// night.
type Alarm struct {
	Name        string
	Description string
	Namespace   string
	Metric      string
	Statistic   Statistic
	Dimensions  []Dimension
	// Period is the length of one datapoint; Breaching of Periods datapoints
	// beyond Threshold set the alarm off.
	Period     time.Duration
	Breaching  int
	Periods    int
	Threshold  float64
	Comparison Comparison
	Missing    MissingData
	// Change says whether the alarm is on the metric or on its change.
	Change Change
}

// Change says what of a metric is compared. The zero value is the metric itself.
type Change uint8

// What is compared.
const (
	NoChange Change = iota
	// AnyChange compares how far the metric moved from one datapoint to the next.
	AnyChange
)

// Dimension is one dimension of a metric.
type Dimension struct{ Name, Value string }

// Statistic is how datapoints are made. The zero value is Sum.
type Statistic uint8

// The statistics.
const (
	Sum Statistic = iota
	Maximum
)

// String gives CloudWatch's word.
func (s Statistic) String() string {
	switch s {
	case Sum:
		return "Sum"
	case Maximum:
		return "Maximum"
	}
	return "Statistic?"
}

// Comparison says on which side of the threshold the alarm goes off. The zero
// value is AtLeast.
type Comparison uint8

// The comparisons.
const (
	AtLeast Comparison = iota
	Below
)

// String gives CloudWatch's word.
func (c Comparison) String() string {
	switch c {
	case AtLeast:
		return "GreaterThanOrEqualToThreshold"
	case Below:
		return "LessThanThreshold"
	}
	return "Comparison?"
}

// MissingData says what a period without data means. The zero value is that
// it sets the alarm off: silence is not taken for health.
type MissingData uint8

// The meanings of missing data.
const (
	MissingIsBad MissingData = iota
	// MissingIsGood is for what is only counted when it happens.
	MissingIsGood
)

// String gives CloudWatch's word.
func (m MissingData) String() string {
	switch m {
	case MissingIsBad:
		return "breaching"
	case MissingIsGood:
		return "notBreaching"
	}
	return "MissingData?"
}

// Functions gives the names of the functions that are deployed in the hub.
func (d *Deployment) Functions() []string {
	if d.Slack == Present {
		return []string{GuardFunction, NotifyFunction, CanaryFunction}
	}
	return []string{GuardFunction, CanaryFunction}
}

// Queues gives the names of the queues that functions take from; each has a
// dead-letter queue of its name with DLQ behind it.
func (d *Deployment) Queues() []string {
	if d.Slack == Present {
		return []string{IntakeQueue, LaterQueue, AlertQueue}
	}
	return []string{IntakeQueue, LaterQueue}
}

// Alarms gives every alarm of the hub, in the order in which they are shown.
func (d *Deployment) Alarms() []Alarm {
	var out []Alarm
	out = append(out, d.silence()...)
	out = append(out, d.ownMetrics()...)
	out = append(out, d.queueAlarms()...)
	out = append(out, d.routingAlarms()...)
	out = append(out, d.functionAlarms()...)
	for i := range out {
		out[i].Name = AlarmPrefix + out[i].Name
	}
	return out
}

// silence are the alarms that go off when nothing comes.
func (d *Deployment) silence() []Alarm {
	every := max(d.CanaryEvery, time.Minute)
	canary := []Dimension{{meter.Dimension, meter.Canary}}
	return []Alarm{
		{
			Name: "no-event", Namespace: meter.Space, Metric: meter.EventsReceived, Dimensions: []Dimension{{meter.Dimension, meter.Guard}},
			Period: every, Breaching: 2, Periods: 2, Threshold: 1, Comparison: Below,
			Description: "No event has reached guard for two intervals of the canary, which changes a role in every account. Nothing is being guarded. Run `rolewarden doctor`: look at the trail, the rules, the bus and the intake queue.",
		},
		{
			Name: "no-canary", Namespace: meter.Space, Metric: meter.CanaryReached, Dimensions: canary,
			Period: every, Breaching: 2, Periods: 2, Threshold: 1, Comparison: Below,
			Description: "No canary has come through for two intervals: the whole way from CloudTrail to a decision is shut, or the canary does not run. Look at the log of " + CanaryFunction + ", then run `rolewarden doctor`.",
		},
		{
			Name: "canary-missed", Namespace: meter.Space, Metric: meter.CanaryMissed, Dimensions: canary,
			Period: every, Breaching: 1, Periods: 1, Threshold: 1, Missing: MissingIsGood,
			Description: "An account's canary changed its role and nothing was decided in time, or its role or rule was changed: its rule, its trail or its role for events is off. The alert topic and the log of " + CanaryFunction + " name the account.",
		},
		{
			Name: "canary-begins-anew", Namespace: meter.Space, Metric: meter.CanaryFirst, Dimensions: canary,
			Period: every, Breaching: 4, Periods: 4, Threshold: 1, Missing: MissingIsGood,
			Description: "For four runs in a row some account's canary role was new. New accounts look like that; so does somebody who makes that role anew all the time, so that nobody sees that no event comes through. The log of " + CanaryFunction + " names the accounts.",
		},
		{
			Name: "account-uncovered", Namespace: meter.Space, Metric: meter.CanaryUnreachable, Dimensions: canary,
			Period: every, Breaching: 1, Periods: 1, Threshold: 1, Missing: MissingIsGood,
			Description: "An account that ought to be guarded has no member roles, or refuses them. The log of " + CanaryFunction + " names it; look at the StackSet's instances with `rolewarden doctor`.",
		},
	}
}

// ownMetrics are the alarms on what rolewarden itself counts.
func (d *Deployment) ownMetrics() []Alarm {
	list := []struct{ name, metric, function, description string }{
		{"read-denied", meter.ReadDenied, meter.Guard, "A role may not be read, so nobody judges it. The alert names account and role: look at the member roles, and at SCPs that deny iam:GetRole."},
		{"writes-stopped", meter.WritesStopped, meter.Guard, "A limit or the kill switch held back a write. What was found stands; the alerts name the roles. Find out what changes so many roles before anything is reset."},
		{"writes-held", meter.WritesHeld, meter.Guard, "A write was due and was not made: a protected role, a doubt, or IAM refused. The alert says which and why; a person has to mend the role."},
		{"writes-incomplete", meter.WritesIncomplete, meter.Guard, "A write was made in part, or it is not known whether it took effect. The alert says what was meant; look at the role as it stands."},
		{"kill-switch-unreadable", meter.KillSwitchUnreadable, meter.Guard, "The kill switch cannot be read, so nothing is written. Look at the ledger's table and its key."},
		{"exemption-expired", meter.ExemptionExpired, meter.Guard, "An exemption in the deployed rules file has ended and exempts nothing. Take it out of the file, or agree on a new one, and deploy."},
		{"trouble", meter.Trouble, meter.Guard, "An event could not be judged or settled. The alert and the log line with alarm=trouble say which and why."},
		{"message-failed", meter.MessageFailed, meter.Guard, "A message was not done and comes again. The log line with alarm=message-failed says why; it ends on the dead-letter queue if it lasts."},
		{"canary-trouble", meter.Trouble, meter.Canary, "Something kept the canary from its work. Its log says what."},
	}
	if d.Slack == Present {
		list = append(list, []struct{ name, metric, function, description string }{
			{"alert-not-told", meter.AlertNotTold, meter.Notify, "An alert did not reach Slack and lies on the dead-letter queue. The log of " + NotifyFunction + " says why; a webhook that was revoked is replaced in the secret " + SlackSecret + "."},
			{"alert-message-failed", meter.MessageFailed, meter.Notify, "An alert could neither be told nor put on the dead-letter queue; it comes again. The log of " + NotifyFunction + " says why."},
		}...)
	}
	for _, f := range d.Functions() {
		f = short(f)
		list = append(list, []struct{ name, metric, function, description string }{
			{f + "-not-started", meter.NotStarted, f, "The function " + AlarmPrefix + f + " cannot start. Its log's last line says what is missing."},
			{f + "-panic", meter.Panic, f, "The code of " + AlarmPrefix + f + " failed. Keep the log line with its stack, and report it; the message comes again."},
			{f + "-alarm", meter.Alarm, f, "A line in the log of " + AlarmPrefix + f + " asks for attention: it carries the attribute alarm."},
			{f + "-unwritten", meter.Unwritten, f, "Metrics of " + AlarmPrefix + f + " could not be written, so other alarms may be silent."},
		}...)
	}
	var out []Alarm
	for _, a := range list {
		out = append(out, Alarm{
			Name: a.name, Namespace: meter.Space, Metric: a.metric, Dimensions: []Dimension{{meter.Dimension, a.function}},
			Period: 5 * time.Minute, Breaching: 1, Periods: 1, Threshold: 1, Missing: MissingIsGood, Description: a.description,
		})
	}
	return append(out, Alarm{
		Name: "rules-changed", Namespace: meter.Space, Metric: meter.RulesFingerprint, Statistic: Maximum, Change: AnyChange,
		Dimensions: []Dimension{{meter.Dimension, meter.Guard}},
		Period:     max(time.Hour, d.CanaryEvery), Breaching: 1, Periods: 6, Threshold: 1, Missing: MissingIsGood,
		Description: "Another rules file is in use than in the hours before. If nobody deployed one, somebody has changed the guardrail: compare the hash in guard's log line \"started\" with your file's.",
	})
}

// queueAlarms watch the queues: what lies dead, and what waits too long.
func (d *Deployment) queueAlarms() []Alarm {
	var out []Alarm
	dead := []string{RuleDLQ}
	for _, q := range d.Queues() {
		dead = append(dead, q+DLQ)
	}
	for _, q := range dead {
		remedy := "Find the cause, then send it back to its queue (SQS, dead-letter queue redrive)."
		if q == RuleDLQ {
			// SQS redrives what came from a queue only.
			remedy = "Its attributes say why. Find the cause, then send its body to " + IntakeQueue + " by hand; there is no redrive for what a rule put there."
		}
		out = append(out, Alarm{
			Name: short(q) + "-not-empty", Namespace: "AWS/SQS", Metric: "ApproximateNumberOfMessagesVisible", Statistic: Maximum,
			Dimensions: []Dimension{{"QueueName", q}}, Period: time.Minute, Breaching: 1, Periods: 1, Threshold: 1, Missing: MissingIsGood,
			Description: "A message lies on " + q + ": it was not handled, and is kept for 14 days. " + remedy,
		})
	}
	age := map[string]time.Duration{
		IntakeQueue: 5 * time.Minute,
		// Steps wait up to 15 minutes on purpose.
		LaterQueue: 30 * time.Minute,
		AlertQueue: 10 * time.Minute,
	}
	for _, q := range d.Queues() {
		out = append(out, Alarm{
			Name: short(q) + "-late", Namespace: "AWS/SQS", Metric: "ApproximateAgeOfOldestMessage", Statistic: Maximum,
			Dimensions: []Dimension{{"QueueName", q}}, Period: time.Minute, Breaching: 3, Periods: 5, Threshold: age[q].Seconds(), Missing: MissingIsGood,
			Description: "The oldest message on " + q + " has waited for more than " + strconv.Itoa(int(age[q].Minutes())) + " minutes. Look at the function's errors and throttles, and at IAM's throttling.",
		})
	}
	return append(out, Alarm{
		Name: "alerts-not-delivered", Namespace: "AWS/SNS", Metric: "NumberOfNotificationsFailed",
		Dimensions: []Dimension{{"TopicName", AlertTopic}}, Period: 5 * time.Minute, Breaching: 1, Periods: 1, Threshold: 1, Missing: MissingIsGood,
		Description: "SNS could not deliver an alert to a subscriber. Look at the subscriptions of the topic " + AlertTopic + ".",
	})
}

// routingAlarms watch the rules that feed the intake queue and start the
// canary. EventBridge counts a custom bus's rules under bus and rule together
// (EventBridge User Guide, eb-monitoring); its table lists some of these metrics
// under the rule alone, so both are watched.
func (d *Deployment) routingAlarms() []Alarm {
	type watch struct {
		suffix, target string
		dimensions     []Dimension
	}
	var all []watch
	for _, rule := range append([]string{IntakeRule}, d.AssumeRoleRules()...) {
		suffix := strings.TrimPrefix("-"+short(rule), "-"+short(IntakeRule))
		all = append(all, watch{suffix, "the intake queue", []Dimension{{"RuleName", rule}}})
		if d.Way != Single {
			all = append(all, watch{suffix + "-on-bus", "the intake queue", []Dimension{{"EventBusName", Bus}, {"RuleName", rule}}})
		}
	}
	all = append(all, watch{"-" + short(CanaryRule), "the canary", []Dimension{{"RuleName", CanaryRule}}})
	var out []Alarm
	for _, w := range all {
		for _, m := range []struct{ name, metric, description string }{
			{"rule-failed", "FailedInvocations", "EventBridge could not hand an event to " + w.target + ". Look at its policy and at the data key's."},
			{"rule-dlq-failed", "InvocationsFailedToBeSentToDlq", "EventBridge could neither hand an event to " + w.target + " nor put it on " + RuleDLQ + ": it is lost to the event path. Look at that queue's policy."},
		} {
			out = append(out, Alarm{
				Name: m.name + w.suffix, Namespace: "AWS/Events", Metric: m.metric, Dimensions: w.dimensions,
				Period: time.Minute, Breaching: 1, Periods: 1, Threshold: 1, Missing: MissingIsGood, Description: m.description,
			})
		}
	}
	return out
}

// AssumeRoleRules gives the names of the rules for the AssumeRole events of the
// sensitive roles; a pattern has room for so many roles, so there may be
// several. There are none where no Region is listed for it.
func (d *Deployment) AssumeRoleRules() []string {
	if len(d.AssumeRoleRegions) == 0 {
		return nil
	}
	var out []string
	for i := range trail.Patterns(trail.PatternOptions{AssumeRole: d.AssumeRoleRoles()})[1:] {
		out = append(out, AssumeRoleRule+"-"+strconv.Itoa(i+1))
	}
	return out
}

// functionAlarms watch what Lambda itself says of the functions.
func (d *Deployment) functionAlarms() []Alarm {
	var out []Alarm
	for _, f := range d.Functions() {
		for _, m := range []struct {
			metric, description string
			breaching, periods  int
		}{
			{"Errors", f + " ended in an error, or could not start. Its log's last line says why; the messages come again.", 1, 1},
			{"Throttles", f + " is throttled: its reserved concurrency, or the account's, is used up.", 3, 5},
		} {
			out = append(out, Alarm{
				Name: short(f) + "-" + strings.ToLower(m.metric), Namespace: "AWS/Lambda", Metric: m.metric, Dimensions: []Dimension{{"FunctionName", f}},
				Period: time.Minute, Breaching: m.breaching, Periods: m.periods, Threshold: 1, Missing: MissingIsGood, Description: m.description,
			})
		}
	}
	return out
}

// short takes the common beginning off a name.
func short(name string) string { return strings.TrimPrefix(name, AlarmPrefix) }
