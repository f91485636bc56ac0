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
	var member awscdk.CfnStackSet
	for _, t := range memberTemplates(d) {
		body, err := template(d, t)
		if err != nil {
			return err
		}
		if err := checkBody(d, t.name, body); err != nil {
			return err
		}
		switch set := stackSet(stack, d, t, body); t.name {
		case deployment.MemberStackSet:
			member = set
			set.SetParameters([]any{&awscdk.CfnStackSet_ParameterProperty{ParameterKey: str(deployment.ExternalIDParameter), ParameterValue: external.ValueAsString()}})
		default:
			// Its rules and its role are of use only with the roles of the member template.
			set.AddResourceDependency(member, nil)
		}
	}
	return newManagement(app, d)
}

// memberTemplate is a template that a StackSet brings to the member accounts.
type memberTemplate struct {
	name, description string
	regions           []string
	fill              func(awscdk.Stack, *deployment.Deployment)
}

// memberTemplates are all of them, that with the roles first.
func memberTemplates(d *deployment.Deployment) []memberTemplate {
	home := []string{d.Region}
	out := []memberTemplate{
		{
			deployment.MemberStackSet, "rolewarden in a member account: events of changes of roles go to the hub; the hub may read roles, and write them where that is deployed.",
			home, newMember,
		},
		{
			deployment.CanaryStackSet, "rolewarden in a member account: the role that the canary changes at every run, to prove that changes are seen. It drifts on purpose.",
			home, newCanary,
		},
	}
	if abroad := regionsAbroad(d); len(abroad) > 0 {
		out = append(out, memberTemplate{
			deployment.RegionalStackSet, "rolewarden in another Region of a member account: AssumeRole events of sensitive roles go to the hub.",
			abroad, newRegional,
		})
	}
	return out
}

// stackSet adds one StackSet for all targets, accounts that join later included.
func stackSet(stack awscdk.Stack, d *deployment.Deployment, t memberTemplate, body string) awscdk.CfnStackSet {
	return awscdk.NewCfnStackSet(stack, str(logicalName(t.name)), &awscdk.CfnStackSetProps{
		StackSetName:    str(t.name),
		Description:     str(t.description),
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
			Regions:           strs(t.regions),
		}},
		TemplateBody: str(body),
	})
}

// template renders a template by itself, as a StackSet takes it. It is for no
// account in particular.
func template(d *deployment.Deployment, t memberTemplate) (string, error) {
	dir, err := os.MkdirTemp("", "rolewarden-template-")
	if err != nil {
		return "", fmt.Errorf("rendering the template %s: %w", t.name, err)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	app := newApp(dir, nil)
	stack := awscdk.NewStack(app, str(t.name), &awscdk.StackProps{Description: str(t.description), Synthesizer: plain()})
	t.fill(stack, d)
	body, err := json.Marshal(app.Synth(nil).GetStackByName(str(t.name)).Template())
	if err != nil {
		return "", fmt.Errorf("rendering the template %s: %w", t.name, err)
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
	w := memberWorld(stack, d)
	newMemberRoles(stack, d, w)
	newForwarding(stack, d, w)
}

// newCanary fills the template with the role that the canary changes.
func newCanary(stack awscdk.Stack, d *deployment.Deployment) {
	newCanaryTarget(stack, hereWorld(d))
}

// newRegional fills the template for a Region that is not IAM's home: only
// AssumeRole events appear there.
func newRegional(stack awscdk.Stack, d *deployment.Deployment) {
	newAssumeRoleRules(stack, d, hereWorld(d))
}
