package doctor

import (
	"context"
	"fmt"
	"strings"

	"github.com/rolewarden/rolewarden/pkg/deployment"
)

// The outputs of the stack of the functions that the doctor reads.
const (
	// RulesHashOutput is the digest of the rules file that guard was deployed with.
	RulesHashOutput = "RulesHash"
	// ManagementOutput is the management account, where the canary is told to
	// look after it.
	ManagementOutput = "CanaryManagement"
)

// settled says whether a stack is as its last deployment wanted it. A stack
// that went back to what it was before is whole, and not what was wanted.
func settled(status string) bool {
	switch status {
	case "CREATE_COMPLETE", "UPDATE_COMPLETE", "IMPORT_COMPLETE", "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS":
		return true
	}
	return false
}

// stack makes sure that the stacks of the deployment are there and whole.
func stack() Check {
	return Check{
		ID: "stack", Seats: []Seat{Hub, Management},
		Looks: "the stacks of the deployment (CloudFormation DescribeStacks)",
		look: func(ctx context.Context, e *exam, n *notes) {
			names := e.stackNames()
			if len(names) == 0 {
				n.skip("It is looked at after the deployment.")
				return
			}
			for _, name := range names {
				s, err := e.stack(ctx, name)
				switch {
				case absent(err):
					n.problem("The stack "+name+" does not exist in this account and Region.", "Deploy it: npx cdk deploy "+name)
				case err != nil:
					n.unknown(err)
				default:
					stackState(n, s)
				}
			}
		},
	}
}

// stackNames are the stacks that should be there by now. The members cannot be
// deployed before the hub is.
func (e *exam) stackNames() []string {
	switch {
	case e.Seat == Management && e.When == After:
		return []string{deployment.ManagementStack}
	case e.Seat == Management:
		return nil
	case e.Deployment.Way == deployment.Members && e.When == After:
		return []string{deployment.HubStack, deployment.MembersStack}
	case e.Deployment.Way == deployment.Members:
		return []string{deployment.HubStack}
	case e.When == After:
		return []string{e.mainStack()}
	}
	return nil
}

func stackState(n *notes, s Stack) {
	reason := ""
	if s.Reason != "" {
		reason = ": " + strings.TrimSuffix(s.Reason, ".")
	}
	switch {
	case settled(s.Status):
		n.fine(fmt.Sprintf("The stack %s is in the state %s.", s.Name, s.Status))
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
				n.unsure(fmt.Sprintf("The stack %s does not say which rules it was deployed with.", s.Name), "Deploy it again with this version: npx cdk deploy "+s.Name)
			case deployed != d.Rules.Hash:
				n.problem(fmt.Sprintf("What is deployed judges by the rules %s, and %s has the digest %s.", deployed, d.RulesFile, d.Rules.Hash),
					"Deploy the rules file that is meant: npx cdk deploy "+s.Name)
			default:
				n.fine(fmt.Sprintf("What is deployed judges by %s, %s.", d.RulesFile, deployed))
			}
		},
	}
}
