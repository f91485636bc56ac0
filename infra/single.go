package main

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsevents"

	"github.com/rolewarden/rolewarden/pkg/deployment"
	"github.com/rolewarden/rolewarden/pkg/grants"
)

// newSingle adds the stack that holds everything in one account, and one for
// each other Region whose AssumeRole events are watched.
func newSingle(app awscdk.App, d *deployment.Deployment, code assets) error {
	stack := awscdk.NewStack(app, str(deployment.SingleStack), stackProps(d, deployment.SingleStack,
		"rolewarden in one account: takes in its changes of roles, judges them, acts and tells."))
	external := externalID(stack)
	if err := newCore(stack, d, code, external, nil); err != nil {
		return err
	}
	w := worldOf(d)
	w.ExternalID = *external.ValueAsString()
	newMemberRoles(stack, d, w)
	newCanaryTarget(stack, w)
	newAbroad(app, stack, d)
	return nil
}

// newAbroad adds the stacks of the other Regions: AssumeRole events appear
// where the call was made, and are sent to the default bus of IAM's home, where
// the rules of the way Single are.
func newAbroad(app awscdk.App, home awscdk.Stack, d *deployment.Deployment) {
	regions := regionsAbroad(d)
	if len(regions) == 0 {
		return
	}
	bus := hubARN(d, "events", "event-bus/default")
	for _, region := range regions {
		abroad := *d
		abroad.Region = region
		props := stackProps(&abroad, deployment.SingleStack+"-"+region, "rolewarden in another Region: AssumeRole events of sensitive roles go to "+d.Region+".")
		props.Synthesizer = plain()
		stack := awscdk.NewStack(app, props.StackName, props)
		// Its rules use a role that the first stack makes.
		stack.AddStackDependency(home, nil)
		for _, r := range assumeRoleRoutes(d) {
			awsevents.NewCfnRule(stack, str(logicalName(r.name)+"Rule"), &awsevents.CfnRuleProps{
				Name: str(r.name), State: str(r.state), EventPattern: patternObject(r.pattern),
				Description: str("rolewarden: sends AssumeRole events of sensitive roles to " + d.Region + "."),
				Targets: []any{&awsevents.CfnRule_TargetProperty{
					Id: str("home"), Arn: str(bus), RoleArn: str(d.RoleARN(d.Account, deployment.Path, deployment.EventsRole)),
				}},
			})
		}
	}
	w := worldOf(d)
	policy := grants.Events(w)
	for i := range policy.Statement {
		policy.Statement[i].Resource = []string{bus}
	}
	newRole(home, "EventsRole", roleConfig{
		name: deployment.EventsRole, path: deployment.Path, description: "Sends events of other Regions to this account's bus, and can do nothing else.",
		trust: grants.EventsTrust(w, watching(d, w)), policy: policy,
	})
}
