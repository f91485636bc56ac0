package main

import (
	"slices"
	"time"

	"github.com/aws/aws-cdk-go/awscdk/v2/awsevents"
	"github.com/aws/constructs-go/constructs/v10"

	"github.com/rolewarden/rolewarden/pkg/deployment"
	"github.com/rolewarden/rolewarden/pkg/grants"
	"github.com/rolewarden/rolewarden/pkg/trail"
)

// route is a rule that brings events to the intake queue.
type route struct{ bus, name, state, pattern string }

// routes follow trail's table. In the way Single they are on the default bus,
// where CloudTrail's events are; else on the hub's, where the members' arrive.
func routes(d *deployment.Deployment) []route {
	bus := deployment.Bus
	if d.Way == deployment.Single {
		bus = ""
	}
	out := []route{{bus, deployment.IntakeRule, "ENABLED", trail.Patterns(trail.PatternOptions{})[0]}}
	for _, r := range assumeRoleRoutes(d) {
		r.bus = bus
		out = append(out, r)
	}
	return out
}

// watchedRoles are the roles whose AssumeRole events are routed; none unless
// Regions are listed for it.
func watchedRoles(d *deployment.Deployment) []string {
	if len(d.AssumeRoleRegions) == 0 {
		return nil
	}
	return d.AssumeRoleRoles()
}

// arn is the ARN of a rule; that of a rule on a bus of one's own names the bus
// (Service Authorization Reference, Amazon EventBridge, resource types).
func (r route) arn(d *deployment.Deployment) string {
	if r.bus == "" {
		return hubARN(d, "events", "rule/"+r.name)
	}
	return hubARN(d, "events", "rule/"+r.bus+"/"+r.name)
}

func routeARNs(d *deployment.Deployment) []string {
	var out []string
	for _, r := range routes(d) {
		out = append(out, r.arn(d))
	}
	return out
}

// newBus adds the hub's bus and says who may put events on it. EventBridge
// encrypts it with a key of its own: were it the data key, events could not be
// delivered while that is disabled (EventBridge User Guide,
// eb-encryption-event-bus-cmkey).
func newBus(scope constructs.Construct, d *deployment.Deployment) awsevents.CfnEventBus {
	bus := awsevents.NewCfnEventBus(scope, str("Bus"), &awsevents.CfnEventBusProps{
		Name: str(deployment.Bus), Description: str("rolewarden: changes of roles, from every account of the organization."),
	})
	for _, s := range grants.Bus(worldOf(d)).Value()["Statement"].([]any) {
		statement := s.(map[string]any)
		sid := statement["Sid"].(string)
		awsevents.NewCfnEventBusPolicy(scope, str("BusPolicy"+sid), &awsevents.CfnEventBusPolicyProps{
			EventBusName: bus.Ref(), StatementId: str(sid), Statement: statement,
		})
	}
	return bus
}

// newRoutes adds the rules. EventBridge tries for a day to deliver an event,
// and then puts it on the rules' dead-letter queue; without one it would be
// lost (EventBridge User Guide, eb-rule-retry-policy).
func newRoutes(scope constructs.Construct, d *deployment.Deployment, bus awsevents.CfnEventBus, intake queue, dead deadLetters) {
	for _, r := range routes(d) {
		p := awsevents.CfnRuleProps{
			Name: str(r.name), State: str(r.state), EventPattern: patternObject(r.pattern),
			Description: str("rolewarden: brings changes of roles to the intake queue."),
			Targets:     []any{target(dead, "intake", *intake.resource.AttrArn(), 24*time.Hour)},
		}
		if bus != nil {
			p.EventBusName = bus.Ref()
		}
		after(awsevents.NewCfnRule(scope, str(logicalName(r.name)+"Rule"), &p), intake.policy, dead.policy)
	}
}

// target is a rule's target, with the rules' dead-letter queue behind it.
func target(dead deadLetters, id, arn string, age time.Duration) *awsevents.CfnRule_TargetProperty {
	return &awsevents.CfnRule_TargetProperty{
		Id: str(id), Arn: str(arn),
		DeadLetterConfig: &awsevents.CfnRule_DeadLetterConfigProperty{Arn: dead.resource.AttrArn()},
		RetryPolicy:      &awsevents.CfnRule_RetryPolicyProperty{MaximumEventAgeInSeconds: num(age.Seconds()), MaximumRetryAttempts: num(185)},
	}
}

// regionsAbroad are the Regions beside IAM's home whose AssumeRole events are
// watched in the way Single.
func regionsAbroad(d *deployment.Deployment) []string {
	return slices.DeleteFunc(slices.Clone(d.AssumeRoleRegions), func(r string) bool { return r == d.Region || len(watchedRoles(d)) == 0 })
}
