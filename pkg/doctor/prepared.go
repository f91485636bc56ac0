package doctor

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/rolewarden/rolewarden/pkg/org"
	"github.com/rolewarden/rolewarden/pkg/rules"
)

// bootstrapStack is the stack that the CDK's command deploys with, and
// bootstrapVersion the least version that the templates ask for (AWS CDK
// Developer Guide, bootstrapping-env).
const (
	bootstrapStack   = "CDKToolkit"
	bootstrapVersion = 6
)

// bootstrap makes sure that the CDK can deploy the functions. The stacks of the
// members have no assets and need nothing.
func bootstrap() Check {
	return Check{
		ID:    "cdk-bootstrap",
		Looks: "the stack " + bootstrapStack + " that cdk bootstrap makes (CloudFormation DescribeStacks)",
		look: func(ctx context.Context, e *exam, n *notes) {
			// Of what is there it keeps the permissions, unless others are given.
			remedy := "Run cdk bootstrap aws://" + e.Deployment.Account + "/" + e.Deployment.Region
			s, err := e.stack(ctx, bootstrapStack)
			if absent(err) {
				n.problem("The stack "+bootstrapStack+" does not exist: cdk deploy needs it.", remedy+" "+e.executionPolicy(),
					"Without that option CloudFormation would deploy everything there as an administrator. Section 2 of infra/README.md says how to make the policy.")
				return
			}
			if err != nil {
				n.unknown(err)
				return
			}
			text := s.Outputs["BootstrapVersion"]
			version, err := strconv.Atoi(text)
			switch {
			case !settled(s.Status):
				n.problem(fmt.Sprintf("The stack %s is in the state %s.", bootstrapStack, s.Status), remedy)
			case err != nil:
				n.unsure(fmt.Sprintf("The stack %s names no version (its output BootstrapVersion is %q).", bootstrapStack, text), remedy)
			case version < bootstrapVersion:
				n.problem(fmt.Sprintf("The stack %s has the version %d, and %d is needed.", bootstrapStack, version, bootstrapVersion), remedy)
			default:
				n.fine(fmt.Sprintf("The stack %s is there, with the version %d.", bootstrapStack, version))
			}
		},
	}
}

// executionPolicy is the option of cdk bootstrap that says what CloudFormation
// may do when it deploys; left out, the first time, that is everything (AWS CDK
// Developer Guide, bootstrapping-customizing).
func (e *exam) executionPolicy() string {
	d := e.Deployment
	return "--cloudformation-execution-policies arn:" + d.Partition + ":iam::" + d.Account + ":policy/rolewarden-deployer"
}

// endsSoon is how long before its end an exemption is spoken of.
const endsSoon = 14 * 24 * time.Hour

// rulesFile tells what the rules file will stop doing by itself.
func rulesFile() Check {
	return Check{
		ID: "rules-file", Seats: everySeat(),
		Looks: "the exemptions and modes of the rules file",
		look: func(_ context.Context, e *exam, n *notes) {
			d := e.Deployment
			for _, x := range d.Rules.Expired {
				n.warn(fmt.Sprintf("The exemption of %s from %s ended on %s and exempts nothing.", x.Role, strings.Join(x.Rules, ", "), x.Expires.Format(time.DateOnly)),
					"Take it out of "+d.RulesFile+", or let its owner ("+x.Owner+") give it a new end.")
			}
			for _, x := range d.Rules.Exemptions {
				if left := x.Expires.Sub(e.Now); left <= endsSoon {
					n.warn(fmt.Sprintf("The exemption of %s from %s ends on %s.", x.Role, strings.Join(x.Rules, ", "), x.Expires.Format(time.DateOnly)),
						"Ask its owner ("+x.Owner+") before it ends.")
				}
			}
			if acting := actsAnywhere(d.Rules); len(acting) > 0 {
				n.warn(fmt.Sprintf("In accounts that no unit of modes.units fits, %s may write as far as the rule itself says.", strings.Join(acting, ", ")),
					"Add a line for the rest to modes.units of "+d.RulesFile+", such as /: observe, unless that is meant.")
			}
			n.fine(fmt.Sprintf("%s has %d exemptions and the digest %s.", d.RulesFile, len(d.Rules.Exemptions), d.Rules.Hash))
		},
	}
}

// actsAnywhere names the rules that may tag or write where no unit fits, in a
// file that narrows by units: whoever lists some units seldom means all others.
func actsAnywhere(r *org.Rules) []string {
	if _, all := r.Units["/"]; len(r.Units) == 0 || all {
		return nil
	}
	var out []string
	for _, rule := range rules.Under(r) {
		said := r.Settings[rule.ID]
		mode := r.Default
		if said.ModeSet {
			mode = said.Mode
		}
		if !said.Off && mode > org.Observe && rule.Reach > rules.TellOnly {
			out = append(out, rule.ID)
		}
	}
	return out
}
