package doctor

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"
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
			remedy := "Run cdk bootstrap aws://" + e.Deployment.Account + "/" + e.Deployment.Region
			s, err := e.stack(ctx, bootstrapStack)
			if absent(err) {
				n.problem("The stack "+bootstrapStack+" does not exist: cdk deploy needs it.", remedy)
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

// endsSoon is how long before its end an exemption is spoken of.
const endsSoon = 14 * 24 * time.Hour

// rulesFile tells what the rules file will stop doing by itself.
func rulesFile() Check {
	return Check{
		ID: "rules-file", Seats: everySeat(),
		Looks: "the exemptions of the rules file",
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
			n.fine(fmt.Sprintf("%s has %d exemptions and the digest %s.", d.RulesFile, len(d.Rules.Exemptions), d.Rules.Hash))
		},
	}
}
