package main

import (
	"encoding/json"
	"slices"

	"github.com/aws/aws-cdk-go/awscdk/v2/awsevents"
	"github.com/aws/constructs-go/constructs/v10"

	"github.com/rolewarden/rolewarden/pkg/deployment"
	"github.com/rolewarden/rolewarden/pkg/grants"
	"github.com/rolewarden/rolewarden/pkg/trail"
)

// allEvents is the state of a rule that also gets read-only management events,
// as AssumeRole is one (EventBridge User Guide,
// eb-service-event-cloudtrail-management). The pattern names the one call, so
// the rule gets nothing more by it.
const allEvents = "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS"

// newForwarding adds the rules on a member account's default bus that send the
// events of the table to the hub's bus, and the role they do it with.
func newForwarding(stack constructs.Construct, d *deployment.Deployment, w grants.World) {
	newRole(stack, "EventsRole", roleConfig{
		name: deployment.EventsRole, path: deployment.Path, description: "Sends events of changes of roles to rolewarden's bus, and can do nothing else.",
		trust: grants.EventsTrust(w, append([]string{defaultRule(d, w, d.Region, deployment.ForwardRule)}, watching(d, w)...)), policy: grants.Events(w),
	})
	forward(stack, d, w, route{name: deployment.ForwardRule, state: "ENABLED", pattern: trail.Patterns(trail.PatternOptions{})[0]})
	if slices.Contains(d.AssumeRoleRegions, d.Region) {
		newAssumeRoleRules(stack, d, w)
	}
}

// newAssumeRoleRules adds the rules for the AssumeRole events of the sensitive
// roles.
func newAssumeRoleRules(stack constructs.Construct, d *deployment.Deployment, w grants.World) {
	for _, r := range assumeRoleRoutes(d) {
		forward(stack, d, w, r)
	}
}

// assumeRoleRoutes are the rules for the AssumeRole events of the sensitive
// roles, on no bus in particular.
func assumeRoleRoutes(d *deployment.Deployment) []route {
	patterns := trail.Patterns(trail.PatternOptions{AssumeRole: watchedRoles(d)})[1:]
	var out []route
	for i, name := range d.AssumeRoleRules() {
		out = append(out, route{name: name, state: allEvents, pattern: patterns[i]})
	}
	return out
}

// forward adds one rule to the default bus whose target is the hub's bus.
func forward(stack constructs.Construct, d *deployment.Deployment, w grants.World, r route) {
	awsevents.NewCfnRule(stack, str(logicalName(r.name)+"Rule"), &awsevents.CfnRuleProps{
		Name: str(r.name), State: str(r.state), EventPattern: patternObject(r.pattern),
		Description: str("rolewarden: sends changes of roles to the security account."),
		Targets: []any{&awsevents.CfnRule_TargetProperty{
			Id: str("hub"), Arn: str(hubARN(d, "events", "event-bus/"+deployment.Bus)), RoleArn: str(d.RoleARN(w.Account, deployment.Path, deployment.EventsRole)),
		}},
	})
}

// watching is the pattern of the rules for AssumeRole, in whichever Region and in
// whichever account the template is for; nothing where there are none. How many
// there are of them grows with the Regions and with the sensitive roles, so they
// are not listed.
func watching(d *deployment.Deployment, w grants.World) []string {
	if len(assumeRoleRoutes(d)) == 0 {
		return nil
	}
	return []string{defaultRule(d, w, "*", deployment.AssumeRoleRule+"-*")}
}

// defaultRule is a rule on the default bus of the account that a template is for.
func defaultRule(d *deployment.Deployment, w grants.World, region, name string) string {
	return "arn:" + d.Partition + ":events:" + region + ":" + w.Account + ":rule/" + name
}

// patternObject takes a pattern apart again, since the CDK takes objects.
func patternObject(pattern string) any {
	var m map[string]any
	if err := json.Unmarshal([]byte(pattern), &m); err != nil {
		// trail renders JSON; a test holds it to that.
		panic("reading an event pattern: " + err.Error())
	}
	return object(m)
}
