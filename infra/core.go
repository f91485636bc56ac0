package main

import (
	"strconv"
	"strings"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsdynamodb"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsevents"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssns"

	"github.com/rolewarden/rolewarden/pkg/awsapi/actions"
	"github.com/rolewarden/rolewarden/pkg/deployment"
	"github.com/rolewarden/rolewarden/pkg/grants"
)

// The timeouts of the functions, in seconds. The guard's lease on a role lasts
// two minutes (pkg/guard), so a run ends before its leases do.
const (
	guardTimeout  = 60
	notifyTimeout = 60
	canaryTimeout = 600
	// The longest that Lambda allows: one account may have thousands of roles.
	sweepTimeout = 900
)

// core is what the ways Single and Hub share, while it is being built.
type core struct {
	stack awscdk.Stack
	d     *deployment.Deployment
	code  assets
	// key and external are tokens: the ARN of the data key, and the external id.
	key, external string
	seals         sealKeys
	// bus is nil in the way Single.
	bus awsevents.CfnEventBus

	intake, later, alerts, sweeps queue
	ledger                        awsdynamodb.CfnTable
	// alertTopic and alarmTopic are ARNs. They are tokens, so that what uses them
	// waits for them.
	alertTopic, alarmTopic string
}

// newCore adds what takes events in, judges, remembers and tells.
func newCore(stack awscdk.Stack, d *deployment.Deployment, code assets, external awscdk.CfnParameter, bus awsevents.CfnEventBus) error {
	w := worldOf(d)
	c := &core{stack: stack, d: d, code: code, external: *external.ValueAsString(), bus: bus}
	c.key = newDataKey(stack, w)
	c.seals = newSealKeys(stack, w, max(d.SealKeys, 1))
	c.ledger = newLedger(stack, c.key)
	dead := newDeadLetters(stack, d, "RuleDead", deployment.RuleDLQ, []grants.Sender{grants.RulesSender(append(routeARNs(d), scheduleARNs(d)...)...)}, map[string]any{
		"redrivePermission": "denyAll",
	})
	c.intake = newQueue(stack, d, queueConfig{name: deployment.IntakeQueue, key: c.key, timeout: guardTimeout, senders: []grants.Sender{grants.RulesSender(routeARNs(d)...)}})
	c.later = newQueue(stack, d, queueConfig{name: deployment.LaterQueue, key: c.key, timeout: guardTimeout})
	topic := newAlertTopic(stack, d, c.key)
	c.alertTopic = *topic.Ref()
	c.alarmTopic = *newAlarmTopic(stack, d).Ref()
	newRoutes(stack, d, bus, c.intake, dead)
	c.newGuard()
	if d.Slack == deployment.Present {
		c.newNotify(topic)
	}
	newSchedules(stack, d, map[string]awslambda.CfnFunction{deployment.CanaryFunction: c.newCanary(), deployment.SweepFunction: c.newSweep()}, c.ledger, dead)
	newQueries(stack)
	newAlarms(stack, d, c.alarmTopic)
	if err := newDashboard(stack, d); err != nil {
		return err
	}
	c.outputs()
	return nil
}

// newGuard adds the function that judges and acts.
func (c *core) newGuard() {
	newFunction(c.stack, c.d, c.key, c.code, function{
		ledger: c.ledger, word: actions.Guard, name: deployment.GuardFunction, role: deployment.GuardRole,
		description: "Judges each role whose trust changed, and acts on it within the limits of the rules file.",
		memory:      256, timeout: guardTimeout, concurrency: deployment.GuardConcurrency, loops: loopsByDesign,
		environment: map[string]any{
			"ROLEWARDEN_TABLE": deployment.Table, "ROLEWARDEN_TOPIC_ARN": c.alertTopic, "ROLEWARDEN_LATER_QUEUE": c.later.url, "ROLEWARDEN_EXTERNAL_ID": c.external,
			"ROLEWARDEN_SEAL_KEY": c.seals.setting(),
		},
		resources: grants.Resources{
			Table: hubARN(c.d, "dynamodb", "table/"+deployment.Table), Topic: hubARN(c.d, "sns", deployment.AlertTopic), SealKey: c.seals.current, FormerSealKeys: c.seals.former,
			Consumes: []string{c.intake.arn, c.later.arn}, Sends: []string{c.later.arn},
		},
		// IAM throttles by account: a batch that is small and a bound on how many
		// run at once keep a burst in the queue rather than in IAM's errors.
		sources: []source{
			{id: "GuardIntake", queue: c.intake, batch: 10, atOnce: 9},
			{id: "GuardLater", queue: c.later, batch: 10, atOnce: 3},
		},
	})
}

// newNotify adds the function that takes alerts to Slack, its queue and its secret.
func (c *core) newNotify(topic awssns.CfnTopic) {
	sns := grants.TopicSender(hubARN(c.d, "sns", deployment.AlertTopic))
	c.alerts = newQueue(c.stack, c.d, queueConfig{
		name: deployment.AlertQueue, key: c.key, timeout: notifyTimeout, senders: []grants.Sender{sns}, deadSenders: []grants.Sender{sns},
	})
	subscribe(c.stack, topic, c.alerts)
	secret := newSlackSecret(c.stack, c.key)
	newFunction(c.stack, c.d, c.key, c.code, function{
		ledger: c.ledger, word: actions.Notify, name: deployment.NotifyFunction, role: deployment.NotifyRole,
		description: "Takes alerts from their queue to Slack.",
		memory:      128, timeout: notifyTimeout, concurrency: deployment.NotifyConcurrency,
		environment: map[string]any{
			"ROLEWARDEN_SLACK_SECRET": deployment.SlackSecret, "ROLEWARDEN_ALERT_QUEUE": c.alerts.url, "ROLEWARDEN_ALERT_DLQ": c.alerts.deadURL,
		},
		resources: grants.Resources{Secret: *secret.Ref(), Consumes: []string{c.alerts.arn}, Sends: []string{c.alerts.deadARN}},
		// Slack takes one message a second from a webhook, and may take ten
		// seconds for one: five of them are done within the timeout. Two at once is
		// the least that can be asked for.
		sources: []source{{id: "NotifyAlerts", queue: c.alerts, batch: 5, atOnce: 2}},
	})
}

// newCanary adds the function that proves that the whole way is open.
func (c *core) newCanary() awslambda.CfnFunction {
	environment := map[string]any{
		"ROLEWARDEN_TABLE": deployment.Table, "ROLEWARDEN_TOPIC_ARN": c.alertTopic, "ROLEWARDEN_EXTERNAL_ID": c.external, "ROLEWARDEN_PARTITION": c.d.Partition,
		"ROLEWARDEN_EVERY_MINUTES": strconv.Itoa(int(c.d.CanaryEvery.Minutes())), "ROLEWARDEN_RULE": deployment.ForwardRule,
	}
	if c.d.Way == deployment.Single {
		environment["ROLEWARDEN_ACCOUNTS"] = c.d.Account
		// Nothing is forwarded here: the intake's rule is on the default bus.
		environment["ROLEWARDEN_RULE"] = deployment.IntakeRule
	} else {
		environment["ROLEWARDEN_TARGETS"] = strings.Join(c.d.Targets, ",")
		// StackSets skip it, a stack of its own does not.
		environment["ROLEWARDEN_MANAGEMENT"] = c.d.Rules.Organization.Management
	}
	return newFunction(c.stack, c.d, c.key, c.code, function{
		ledger: c.ledger, word: actions.Canary, name: deployment.CanaryFunction, role: deployment.CanaryRole,
		description: "Changes a role of its own in every account, and tells where that was not seen.",
		memory:      256, timeout: canaryTimeout, concurrency: deployment.CanaryConcurrency,
		environment: environment,
		resources: grants.Resources{
			Table: hubARN(c.d, "dynamodb", "table/"+deployment.Table), Topic: hubARN(c.d, "sns", deployment.AlertTopic),
		},
	})
}

// outputs say what an operator needs to go on.
func (c *core) outputs() {
	for _, o := range []struct{ name, value, description string }{
		{"AlertTopicArn", c.alertTopic, "Subscribe programs and people to this topic to be told of roles."},
		{"AlarmTopicArn", c.alarmTopic, "Subscribe to this topic to be told when rolewarden is blind or kept from its work."},
		{"LedgerTable", *c.ledger.Ref(), "What rolewarden remembers, and its kill switch."},
		{"IntakeDeadLetters", c.intake.deadURL, "Events that could not be handled. Redrive them once the cause is gone."},
		{"LaterDeadLetters", c.later.deadURL, "Steps that could not be taken. Redrive them once the cause is gone."},
		{"SweepDeadLetters", c.sweeps.deadURL, "Accounts that a sweep could not come to the end of. The next sweep reads them anew."},
		{"RulesHash", c.d.Rules.Hash, "The hash of the rules file in use, which every decision names."},
		{"DashboardName", deployment.Dashboard, "The CloudWatch dashboard."},
	} {
		awscdk.NewCfnOutput(c.stack, str(o.name), &awscdk.CfnOutputProps{Value: str(o.value), Description: str(o.description)})
	}
	if c.d.Slack == deployment.Present {
		awscdk.NewCfnOutput(c.stack, str("SlackSecretName"), &awscdk.CfnOutputProps{
			Value: str(deployment.SlackSecret), Description: str("Put the URL of the Slack webhook into this secret, as plain text."),
		})
	}
	if c.bus != nil {
		awscdk.NewCfnOutput(c.stack, str("BusArn"), &awscdk.CfnOutputProps{Value: c.bus.AttrArn(), Description: str("The bus that the members' rules send to.")})
	}
}
