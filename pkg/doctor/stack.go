package doctor

import (
	"context"
	"fmt"
	"strings"

	"github.com/rolewarden/rolewarden/pkg/deployment"
)

// RulesHashOutput is the output of the functions' stack that holds the digest
// of the rules file which guard was deployed with.
const RulesHashOutput = "RulesHash"

// settled says whether a stack is as its last deployment wanted it. A stack
// that went back to what it was before is whole, and not what was wanted.
func settled(status string) bool {
	switch status {
	case "CREATE_COMPLETE", "UPDATE_COMPLETE", "IMPORT_COMPLETE", "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS":
		return true
	}
	return false
}

// stack makes sure that the stacks of the deployment are there and whole; before
// the deployment, that none is in the way.
func stack() Check {
	return Check{
		ID: "stack", Seats: []Seat{Hub, Management},
		Looks: "the stacks of the deployment (CloudFormation DescribeStacks)",
		look: func(ctx context.Context, e *exam, n *notes) {
			for _, at := range e.stackPlaces() {
				s, err := e.stackIn(ctx, at)
				switch {
				case absent(err) && e.When == Before && !e.first(at.name):
					n.fine("The stack " + at.name + " is not there yet.")
				case absent(err):
					n.problem("The stack "+at.name+" does not exist in "+at.region+".", e.deploy(at.name))
				case err != nil:
					n.unknown(err)
				default:
					e.stackState(n, s)
				}
			}
		},
	}
}

// stackPlace is a stack and the Region that it is in.
type stackPlace struct{ region, name string }

// stackPlaces are the stacks of the deployment that this account has.
func (e *exam) stackPlaces() []stackPlace {
	d := e.Deployment
	switch {
	case e.Seat == Management:
		return []stackPlace{{d.Region, deployment.ManagementStack}}
	case d.Way == deployment.Single:
		out := []stackPlace{{d.Region, deployment.SingleStack}}
		for _, region := range e.abroad() {
			out = append(out, stackPlace{region, deployment.SingleStack + "-" + region})
		}
		return out
	default:
		return []stackPlace{{d.Region, deployment.HubStack}, {d.Region, deployment.MembersStack}}
	}
}

// first says whether a stack has to be there before the others: the members
// send their events to the hub.
func (e *exam) first(name string) bool {
	return e.Deployment.Way == deployment.Members && name == deployment.HubStack
}

// abroad are the Regions beside IAM's home whose AssumeRole events are watched.
func (e *exam) abroad() []string {
	d := e.Deployment
	if len(d.AssumeRoleRoles()) == 0 {
		return nil
	}
	return without(d.AssumeRoleRegions, []string{d.Region})
}

func (e *exam) stackState(n *notes, s Stack) {
	reason := ""
	if s.Reason != "" {
		reason = ": " + strings.TrimSuffix(s.Reason, ".")
	}
	switch {
	case settled(s.Status):
		n.fine(fmt.Sprintf("The stack %s is in the state %s.", s.Name, s.Status))
	case s.Status == "ROLLBACK_COMPLETE":
		n.problem(fmt.Sprintf("The stack %s could not be made%s. It cannot be updated; what it may have left behind is looked at under %s.", s.Name, reason, leftoversID),
			"Read the stack's events, mend the cause, delete the stack (aws cloudformation delete-stack --stack-name "+s.Name+"), and deploy again.")
	case strings.HasSuffix(s.Status, "_IN_PROGRESS"):
		n.warn(fmt.Sprintf("The stack %s is in the state %s%s.", s.Name, s.Status, reason), "Wait for it to end, and look again.")
	default:
		n.problem(fmt.Sprintf("The stack %s is in the state %s%s.", s.Name, s.Status, reason),
			"Read the stack's events (aws cloudformation describe-stack-events --stack-name "+s.Name+"), mend the cause, and deploy again.")
	}
	if s.Drift == "DRIFTED" {
		n.problem(fmt.Sprintf("The stack %s has drifted: somebody changed what it made.", s.Name),
			"See what (aws cloudformation describe-stack-resource-drifts --stack-name "+s.Name+"), find out who, and deploy again.")
	}
}

// rulesHash makes sure that what judges is the rules file at hand (T76).
func rulesHash() Check {
	return Check{
		ID: "rules-hash", When: After,
		Looks: "the output " + RulesHashOutput + " of the functions' stack (CloudFormation DescribeStacks), and the rules file",
		look: func(ctx context.Context, e *exam, n *notes) {
			d := e.Deployment
			s, err := e.stack(ctx, e.mainStack())
			switch deployed := s.Outputs[RulesHashOutput]; {
			case err != nil:
				n.unknown(err)
			case deployed == "":
				n.unsure(fmt.Sprintf("The stack %s does not say which rules it was deployed with.", s.Name), e.deploy(s.Name))
			case deployed != d.Rules.Hash:
				n.problem(fmt.Sprintf("What is deployed judges by the rules %s, and %s has the digest %s.", deployed, d.RulesFile, d.Rules.Hash),
					"Make sure that the file is the one that is meant.", e.deploy(s.Name))
			default:
				n.fine(fmt.Sprintf("What is deployed judges by %s, %s.", d.RulesFile, deployed))
			}
		},
	}
}

// madeNothing says whether a stack in a state stands without its resources: its
// first deployment failed, or was only looked at.
func madeNothing(status string) bool {
	return status == "REVIEW_IN_PROGRESS" || strings.HasPrefix(status, "ROLLBACK_")
}

const leftoversID = "leftovers"

// leftovers makes sure that nothing of an earlier deployment is in the way: the
// ledger outlives its stack, be it removed or rolled back at its first
// deployment, and CloudFormation does not take what is there.
func leftovers() Check {
	return Check{
		ID: leftoversID, Looks: "whether the table " + deployment.Table + " is there without its stack (DynamoDB GetItem, CloudFormation DescribeStacks)",
		look: func(ctx context.Context, e *exam, n *notes) {
			s, err := e.stack(ctx, e.mainStack())
			switch {
			case err == nil && !madeNothing(s.Status):
				n.skip("The stack " + e.mainStack() + " is there; the table is its own.")
				return
			case err != nil && !absent(err):
				n.unknown(err)
				return
			}
			switch _, err := e.AWS.Switch(ctx); {
			case absent(err):
				n.fine("No ledger of an earlier deployment is left.")
			case err != nil:
				n.unknown(err)
			default:
				e.leftTable(n, s)
			}
		},
	}
}

// leftTable tells of a table without its stack, and how to be rid of it or to
// take it up again.
func (e *exam) leftTable(n *notes, s Stack) {
	if s.Status == "" {
		n.problem("The table "+deployment.Table+" is left from an earlier deployment, without its stack.", append([]string{
			"To keep what rolewarden remembers, bring the table into the new stack (cdk import); else remove it:",
		}, e.removeTable()...)...)
		return
	}
	n.problem(fmt.Sprintf("The table %s is left, though the stack %s could not be made (%s): the next deployment would fail at it.", deployment.Table, s.Name, s.Status), append([]string{
		"Remove it, unless an earlier deployment left it with something in it that you want to keep:",
	}, e.removeTable()...)...)
}

// removeTable says how to remove what a stack keeps on purpose.
func (e *exam) removeTable() []string {
	region := " --region " + e.Deployment.Region
	return []string{
		"aws dynamodb update-table --no-deletion-protection-enabled --table-name " + deployment.Table + region,
		"aws dynamodb delete-table --table-name " + deployment.Table + region,
		"Once the table is gone, keys without an alias whose description begins with rolewarden are of no use, and cost a dollar a month each: schedule their deletion.",
	}
}
