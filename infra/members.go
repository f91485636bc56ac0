package main

import (
	"encoding/json"
	"fmt"
	"os"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/constructs-go/constructs/v10"

	"github.com/rolewarden/rolewarden/pkg/deployment"
)

// rollout is how many accounts in a hundred a StackSet changes at once, and in
// how many it may fail before it stops: a change that breaks is stopped early.
const rollout = 10

// newMembers adds the stack with the StackSets that bring the member template
// to every account of the targets, and the stack for the management account,
// which StackSets skip (CloudFormation User Guide,
// stacksets-orgs-manage-auto-deployment).
func newMembers(app constructs.Construct, d *deployment.Deployment) error {
	props := stackProps(d, deployment.MembersStack, "rolewarden: brings the member template to every account of the organization. Deployed in the hub, which is delegated administrator for StackSets.")
	props.Synthesizer = plain()
	stack := awscdk.NewStack(app, props.StackName, props)
	external := externalID(stack)
	member, err := template(d, deployment.MemberStackSet, newMember)
	if err != nil {
		return err
	}
	set := stackSet(stack, d, deployment.MemberStackSet, member, []string{d.Region})
	set.SetParameters([]any{&awscdk.CfnStackSet_ParameterProperty{ParameterKey: str(deployment.ExternalIDParameter), ParameterValue: external.ValueAsString()}})
	if regions := regionsAbroad(d); len(regions) > 0 {
		regional, err := template(d, deployment.RegionalStackSet, newRegional)
		if err != nil {
			return err
		}
		// Its rules use a role that the member template makes.
		stackSet(stack, d, deployment.RegionalStackSet, regional, regions).AddResourceDependency(set, nil)
	}
	return newManagement(app, d)
}

// stackSet adds one StackSet for all targets, accounts that join later included.
func stackSet(stack awscdk.Stack, d *deployment.Deployment, name, body string, regions []string) awscdk.CfnStackSet {
	return awscdk.NewCfnStackSet(stack, str(logicalName(name)), &awscdk.CfnStackSetProps{
		StackSetName:    str(name),
		Description:     str("rolewarden's part in a member account: events go out, rolewarden's sessions come in."),
		PermissionModel: str("SERVICE_MANAGED"),
		CallAs:          str("DELEGATED_ADMIN"),
		Capabilities:    strs([]string{"CAPABILITY_NAMED_IAM"}),
		AutoDeployment: &awscdk.CfnStackSet_AutoDeploymentProperty{
			Enabled: yes(),
			// An account that leaves keeps no role of rolewarden behind.
			RetainStacksOnAccountRemoval: no(),
		},
		ManagedExecution: map[string]any{"Active": true},
		OperationPreferences: &awscdk.CfnStackSet_OperationPreferencesProperty{
			FailureTolerancePercentage: num(rollout), MaxConcurrentPercentage: num(rollout), RegionConcurrencyType: str("PARALLEL"),
		},
		StackInstancesGroup: []any{&awscdk.CfnStackSet_StackInstancesProperty{
			DeploymentTargets: &awscdk.CfnStackSet_DeploymentTargetsProperty{OrganizationalUnitIds: strs(d.Targets)},
			Regions:           strs(regions),
		}},
		TemplateBody: str(body),
	})
}

// template renders a template by itself, as a StackSet takes it. It is for no
// account in particular.
func template(d *deployment.Deployment, name string, fill func(awscdk.Stack, *deployment.Deployment)) (string, error) {
	dir, err := os.MkdirTemp("", "rolewarden-template-")
	if err != nil {
		return "", fmt.Errorf("rendering the template %s: %w", name, err)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	app := awscdk.NewApp(&awscdk.AppProps{Outdir: str(dir), AnalyticsReporting: no(), TreeMetadata: no()})
	stack := awscdk.NewStack(app, str(name), &awscdk.StackProps{Synthesizer: plain()})
	fill(stack, d)
	body, err := json.Marshal(app.Synth(nil).GetStackByName(str(name)).Template())
	if err != nil {
		return "", fmt.Errorf("rendering the template %s: %w", name, err)
	}
	return string(body), nil
}

// plain renders a template without assets, so that nothing of the CDK's own
// has to be in the account.
func plain() awscdk.IStackSynthesizer {
	return awscdk.NewBootstraplessSynthesizer(&awscdk.BootstraplessSynthesizerProps{})
}

// newMember fills the template of a member account.
func newMember(stack awscdk.Stack, d *deployment.Deployment) {
	stack.TemplateOptions().SetDescription(str("rolewarden in a member account: events of role changes go to the hub; the hub may read roles, and write them where that is deployed."))
	w := memberWorld(stack, d)
	newMemberRoles(stack, d, w)
	newForwarding(stack, d, w)
}

// newRegional fills the template for a Region that is not IAM's home: only
// AssumeRole events appear there.
func newRegional(stack awscdk.Stack, d *deployment.Deployment) {
	stack.TemplateOptions().SetDescription(str("rolewarden in another Region of a member account: AssumeRole events of sensitive roles go to the hub."))
	w := worldOf(d)
	w.Account = *awscdk.Aws_ACCOUNT_ID()
	newAssumeRoleRules(stack, d, w)
}
