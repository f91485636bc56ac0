package main

import (
	"fmt"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsorganizations"
	"github.com/aws/constructs-go/constructs/v10"

	"github.com/rolewarden/rolewarden/pkg/deployment"
	"github.com/rolewarden/rolewarden/pkg/grants"
)

// newManagement adds the stack for the management account: what the member
// template has, without the role that may write, and, if asked for, the
// policies that guard rolewarden's parts in the member accounts.
func newManagement(app constructs.Construct, d *deployment.Deployment) error {
	management := d.Rules.Organization.Management
	if management == "" {
		return fmt.Errorf("building the stack %s: the rules file %s does not name the management account: give organization.management", deployment.ManagementStack, d.RulesFile)
	}
	here := *d
	here.Account = management
	props := stackProps(&here, deployment.ManagementStack, "rolewarden in the management account, which StackSets skip: it detects and tells, and can write nothing.")
	props.Synthesizer = plain()
	stack := awscdk.NewStack(app, props.StackName, props)
	detect := *d
	detect.Remediator = deployment.Absent
	newMember(stack, &detect)
	newCanary(stack, &detect)
	for _, region := range regionsAbroad(d) {
		newManagementAbroad(app, stack, d, region)
	}
	w := worldOf(d)
	attach(stack, "ServiceControlPolicy", "SERVICE_CONTROL_POLICY", "rolewarden-scp", "Keeps member accounts from switching rolewarden off.", grants.SCP(w), d.AttachSCP)
	attach(stack, "ResourceControlPolicy", "RESOURCE_CONTROL_POLICY", "rolewarden-rcp", "Keeps strangers out of roles while rolewarden looks at them.", grants.RCP(w), d.AttachRCP)
	return nil
}

// newManagementAbroad adds the rules for AssumeRole in another Region of the
// management account, as the regional StackSet does in the members.
func newManagementAbroad(app constructs.Construct, home awscdk.Stack, d *deployment.Deployment, region string) {
	there := *d
	there.Account, there.Region = d.Rules.Organization.Management, region
	props := stackProps(&there, deployment.ManagementStack+"-"+region, "rolewarden in another Region of the management account: AssumeRole events of sensitive roles go to the hub.")
	props.Synthesizer = plain()
	stack := awscdk.NewStack(app, props.StackName, props)
	// Its rules use a role that the first stack makes.
	stack.AddStackDependency(home, nil)
	newRegional(stack, d)
}

// attach adds a policy of Organizations where there are targets for it.
func attach(stack awscdk.Stack, id, kind, name, description string, document grants.Document, targets []string) {
	if len(targets) == 0 {
		return
	}
	awsorganizations.NewCfnPolicy(stack, str(id), &awsorganizations.CfnPolicyProps{
		Name: str(name), Type: str(kind), Description: str(description), Content: document.Value(), TargetIds: strs(targets),
	})
}
