package doctor

import (
	"context"
	"fmt"
	"strings"

	"github.com/rolewarden/rolewarden/pkg/deployment"
)

// everySeat are all the seats.
func everySeat() []Seat { return []Seat{Hub, Management, Member} }

// identity makes sure that one looks at, and deploys to, the right account.
func identity() Check {
	return Check{
		ID: "identity", Seats: everySeat(),
		Looks: "whose credentials these are (STS GetCallerIdentity)",
		look: func(ctx context.Context, e *exam, n *notes) {
			c, err := e.AWS.Caller(ctx)
			if err != nil {
				n.unknown(err)
				return
			}
			d, want := e.Deployment, e.Deployment.Account
			switch e.Seat {
			case Hub:
			case Management:
				want = d.Rules.Organization.Management
				if want == "" {
					n.unsure(fmt.Sprintf("These are credentials of account %s; whether that is the management account the rules file does not say.", c.Account),
						"Write organization.management into "+d.RulesFile+".")
					return
				}
			case Member:
				if c.Account == d.Account {
					n.problem(fmt.Sprintf("These are credentials of %s, the account that rolewarden is deployed to.", c.Account),
						"Leave --at out to look at it, or use the credentials of a member account.")
					return
				}
				n.fine(fmt.Sprintf("These are credentials of account %s: %s.", c.Account, c.ARN))
				return
			}
			if c.Account != want {
				n.problem(fmt.Sprintf("These are credentials of account %s, and not of %s, which %s names.", c.Account, want, d.File),
					"Use credentials of account "+want+", or mend the deployment file. What follows is about account "+c.Account+".")
				return
			}
			n.fine(fmt.Sprintf("These are credentials of account %s: %s.", c.Account, c.ARN))
		},
	}
}

// region makes sure that the Region is the one where IAM's events appear.
func region() Check {
	return Check{
		ID: "region", Seats: everySeat(),
		Looks: "the deployment file's Region and partition, and the partition of the credentials (STS GetCallerIdentity)",
		look: func(ctx context.Context, e *exam, n *notes) {
			d := e.Deployment
			home, ok := deployment.HomeRegion(d.Partition)
			switch {
			case !ok:
				n.problem(fmt.Sprintf("In which Region the partition %s keeps IAM is not known.", d.Partition), "Write partition: aws, aws-cn or aws-us-gov into "+d.RulesFile+".")
			case d.Region != home:
				n.problem(fmt.Sprintf("The Region is %s, and IAM's events appear only in %s.", d.Region, home), "Write region: "+home+" into "+d.File+", or leave it out.")
			default:
				n.fine(fmt.Sprintf("%s is where the partition %s keeps IAM.", d.Region, d.Partition))
			}
			c, err := e.AWS.Caller(ctx)
			if err != nil {
				n.unknown(err)
				return
			}
			if part := strings.Split(c.ARN, ":"); len(part) > 1 && part[1] != d.Partition {
				n.problem(fmt.Sprintf("The credentials are of the partition %s, and the rules file is for %s.", part[1], d.Partition),
					"Use credentials of the partition "+d.Partition+", or mend organization.partition in "+d.RulesFile+".")
			}
		},
	}
}
