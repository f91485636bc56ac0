package doctor

import (
	"context"
	"fmt"
	"slices"

	"github.com/rolewarden/rolewarden/pkg/deployment"
)

// schedules makes sure that canary and sweep are started, as often as the file
// says (T71).
func schedules() Check {
	return Check{
		ID: "schedules", When: After,
		Looks: "the rules " + deployment.CanaryRule + ", " + deployment.SweepRule + " and " + deployment.DeliverRule + " and their targets" + ruleCalls,
		look: func(ctx context.Context, e *exam, n *notes) {
			for _, s := range e.Deployment.Schedules() {
				e.schedule(ctx, n, s)
			}
		},
	}
}

// schedule looks at one schedule.
func (e *exam) schedule(ctx context.Context, n *notes, s deployment.Schedule) {
	where, again := "The schedule "+s.Rule, e.deploy(e.mainStack())
	r, err := e.AWS.Rule(ctx, e.Deployment.Region, defaultBus, s.Rule)
	switch {
	case absent(err):
		n.problem(fmt.Sprintf("%s does not exist: nothing starts %s.", where, s.Function), again)
		return
	case err != nil:
		n.unknown(err)
		return
	}
	if r.State != "ENABLED" {
		n.problem(fmt.Sprintf("%s is %s: nothing starts %s.", where, r.State, s.Function), "Find out who switched it off.", again)
	}
	if r.Schedule != s.Expression() {
		n.problem(fmt.Sprintf("%s is %s, and this version's is %s.", where, r.Schedule, s.Expression()), "Find out who changed it.", again)
	}
	function := e.arn("lambda", "function:"+s.Function)
	at := slices.IndexFunc(r.Targets, func(t Target) bool { return t.ARN == function })
	switch {
	case at < 0:
		n.problem(where+" does not start "+s.Function+".", "Find out who changed the target.", again)
	case r.Targets[at].DeadLetters != e.arn("sqs", deployment.RuleDLQ):
		n.problem(where+" has another dead-letter queue than this version's, or none: that it could not start "+s.Function+" may go unseen.", again)
	case (r.Targets[at].Input == WholeEvent) != (s.Input == ""):
		n.problem(where+" tells "+s.Function+" something else than this version's does.", "Find out who changed the target.", again)
	}
	n.fine(fmt.Sprintf("%s is %s and starts %s by %s.", where, r.State, s.Function, s.Expression()))
}

// sweep makes sure that what no event told of is found: that sweeps come to
// their end in time, and see every account (T14). CloudWatch knows both, and so
// nobody has to read the ledger.
func sweep() Check {
	return Check{
		ID: "sweep", When: After,
		Looks: "whether sweeps end in time and see every account (CloudWatch DescribeAlarms), and what waits for one (SQS GetQueueUrl, GetQueueAttributes)",
		look: func(ctx context.Context, e *exam, n *notes) {
			if have, err := e.alarms.get(ctx); err != nil {
				n.unknown(err)
			} else {
				e.sweepAlarm(n, have, "sweep-missed", fmt.Sprintf("A sweep has ended within the last %g hours.", (2*e.Deployment.SweepEvery).Hours()))
				e.sweepAlarm(n, have, "coverage-gap", "The last sweep read every account to its end.")
			}
			switch waiting, err := e.AWS.Waiting(ctx, deployment.SweepQueue); {
			case absent(err):
				n.problem("The queue "+deployment.SweepQueue+" does not exist: no account can be swept.", e.deploy(e.mainStack()))
			case err != nil:
				n.unknown(err)
			case waiting > 0:
				n.fine(fmt.Sprintf("%d messages are on the queue %s: a sweep is under way.", waiting, deployment.SweepQueue))
			}
		},
	}
}

// sweepAlarm notes what an alarm says of sweeps.
func (e *exam) sweepAlarm(n *notes, have []Alarm, name, well string) {
	name = deployment.AlarmPrefix + name
	at := slices.IndexFunc(have, func(a Alarm) bool { return a.Name == name })
	switch {
	case at < 0:
		n.problem("The alarm "+name+" is missing, and with it whoever would tell.", e.deploy(e.mainStack()))
	case have[at].State == "OK":
		n.fine(well)
	case have[at].State == "ALARM":
		n.problem("The alarm "+name+" has gone off: "+sentence(have[at].Reason), e.alarmText(name))
	default:
		n.unsure("The alarm "+name+" has no data yet.",
			fmt.Sprintf("The first sweep begins %g hours after the first deployment; look again once it has ended.", e.Deployment.SweepEvery.Hours()))
	}
}

// alarmText is what an alarm asks to do.
func (e *exam) alarmText(name string) string {
	for _, a := range e.Deployment.Alarms() {
		if a.Name == name {
			return a.Description
		}
	}
	return ""
}
