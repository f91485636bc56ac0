package main

import (
	"strings"
	"time"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsevents"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/constructs-go/constructs/v10"

	"github.com/rolewarden/rolewarden/pkg/deployment"
)

// scheduleRoute is the rule of a schedule. Schedules are on the default bus.
func scheduleRoute(s deployment.Schedule) route { return route{name: s.Rule, state: "ENABLED"} }

// scheduleARNs are those of the rules that start functions.
func scheduleARNs(d *deployment.Deployment) []string {
	var out []string
	for _, s := range d.Schedules() {
		out = append(out, scheduleRoute(s).arn(d))
	}
	return out
}

// scheduleWhy says what a schedule is for.
func scheduleWhy(s deployment.Schedule) string {
	switch s.Rule {
	case deployment.CanaryRule:
		return "rolewarden: starts the canary, which proves that changes of roles are seen."
	case deployment.SweepRule:
		return "rolewarden: starts a sweep, which reads every role and finds what no event told of."
	case deployment.DeliverRule:
		return "rolewarden: has alerts sent again that were not delivered."
	}
	return "rolewarden: starts " + s.Function + "."
}

// newSchedules adds the rules that start functions, which are given by their
// names. They start the functions themselves: an alert that waits must not wait
// behind the accounts of a sweep.
func newSchedules(scope constructs.Construct, d *deployment.Deployment, started map[string]awslambda.CfnFunction, ledger awscdk.CfnResource, dead deadLetters) {
	for _, s := range d.Schedules() {
		id, r, function := logicalName(strings.TrimSuffix(s.Rule, "-schedule")), scheduleRoute(s), started[s.Function]
		permission := awslambda.NewCfnPermission(scope, str(id+"Permission"), &awslambda.CfnPermissionProps{
			Action: str("lambda:InvokeFunction"), FunctionName: function.AttrArn(), Principal: str("events.amazonaws.com"),
			SourceArn: str(r.arn(d)), SourceAccount: str(d.Account),
		})
		to := target(dead, strings.TrimPrefix(s.Function, deployment.AlarmPrefix), *function.AttrArn(), min(s.Every, 24*time.Hour))
		if s.Input != "" {
			to.Input = str(s.Input)
		}
		after(awsevents.NewCfnRule(scope, str(id+"Rule"), &awsevents.CfnRuleProps{
			Name: str(r.name), State: str(r.state), Description: str(scheduleWhy(s)),
			ScheduleExpression: str(s.Expression()), Targets: []any{to},
		}), permission, dead.policy, ledger)
	}
	// A canary that failed would measure something else were it tried again; the
	// next run is. A sweep that did not begin is tried twice more within the hour,
	// and what it began it does not begin twice.
	for _, i := range []struct {
		id, function     string
		retries, seconds float64
	}{{"CanaryInvocation", deployment.CanaryFunction, 0, 900}, {"SweepInvocation", deployment.SweepFunction, 2, 3600}} {
		awslambda.NewCfnEventInvokeConfig(scope, str(i.id), &awslambda.CfnEventInvokeConfigProps{
			FunctionName: started[i.function].Ref(), Qualifier: str("$LATEST"), MaximumRetryAttempts: num(i.retries), MaximumEventAgeInSeconds: num(i.seconds),
		})
	}
}
