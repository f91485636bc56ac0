package deployment

import (
	"strconv"
	"strings"
	"time"

	"github.com/rolewarden/rolewarden/pkg/trail"
)

// queueAlarms watch the queues: what lies dead, and what waits too long.
func (d *Deployment) queueAlarms() []Alarm {
	var out []Alarm
	dead := []string{RuleDLQ}
	for _, q := range d.Queues() {
		dead = append(dead, q+DLQ)
	}
	for _, q := range dead {
		remedy := "Find the cause, then send it back to its queue (SQS, dead-letter queue redrive)."
		switch q {
		case SweepQueue + DLQ:
			// Every sweep in between has read the account anew, or has told that it could not.
			remedy = "Find the cause in the log of " + SweepFunction + " and empty the queue: the next sweep reads the account anew, and nothing need be sent back."
		case RuleDLQ:
			// SQS redrives what came from a queue only.
			remedy = "Its attributes say why, and which rule it is of. Find the cause; what a schedule could not start, its next run makes up for. Send the body of anything else to " + IntakeQueue + " by hand; there is no redrive for what a rule put there."
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
		// An account waits for those before it, and as long as the next sweep has not
		// begun that is no harm.
		SweepQueue: max(d.SweepEvery, time.Hour),
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
// canary and the sweep. EventBridge counts a custom bus's rules under bus and rule together
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
	for _, s := range []struct{ rule, target string }{{CanaryRule, "the canary"}, {SweepRule, "the sweep"}, {DeliverRule, "the sweep, which sends alerts again"}} {
		all = append(all, watch{"-" + short(s.rule), s.target, []Dimension{{"RuleName", s.rule}}})
	}
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
