package doctor

import (
	"context"
	"fmt"
)

// Quotas says how many functions may run at once.
type Quotas interface {
	Concurrency(ctx context.Context) (Concurrency, error)
}

// Concurrency is how many executions of Lambda an account may have at once in
// the deployment's Region (AWS Lambda API Reference, API_AccountLimit).
type Concurrency struct {
	// Quota is the account's, Unreserved what no function has set aside of it.
	Quota, Unreserved int
}

// leftUnreserved is what Lambda keeps for the functions that set nothing aside:
// of the unreserved executions all but these can be (AWS Lambda Developer Guide,
// configuration-concurrency).
const leftUnreserved = 100

// concurrency makes sure that the functions can set aside what they need. A new
// account often has a quota of 10, and the hub's first deployment would be rolled
// back.
func concurrency() Check {
	return Check{
		ID:    "lambda-concurrency",
		Looks: "how many functions may run at once in the account (Lambda GetAccountSettings, CloudFormation DescribeStacks)",
		look: func(ctx context.Context, e *exam, n *notes) {
			s, err := e.stack(ctx, e.mainStack())
			switch {
			case err == nil && !madeNothing(s.Status):
				n.skip("The stack " + s.Name + " is there; its functions have set aside what they need.")
				return
			case err != nil && !absent(err):
				n.unknown(err)
				return
			}
			have, err := e.AWS.Concurrency(ctx)
			if err != nil {
				n.unknown(err)
				return
			}
			e.room(n, have)
		},
	}
}

// room says whether the quota has room for what the functions set aside.
func (e *exam) room(n *notes, have Concurrency) {
	needs, taken := e.Deployment.Reserved(), have.Quota-have.Unreserved
	switch most := e.Deployment.AtOnce(); {
	case needs > 0 && have.Unreserved-needs < leftUnreserved:
		n.problem(fmt.Sprintf("The functions set aside %d executions, and Lambda keeps %d for all others; of this account's %d only %d are free. The deployment would be rolled back.",
			needs, leftUnreserved, have.Quota, have.Unreserved), e.askFor(taken+needs+leftUnreserved))
	case needs == 0 && have.Unreserved < most:
		n.warn(fmt.Sprintf("Lambda runs %d functions at once in this account, those of others included, and rolewarden's may want %d: when much happens at once, it is judged later.", have.Unreserved, most),
			e.askFor(taken+most))
	default:
		n.fine(fmt.Sprintf("Of %d executions at once %d are not set aside; the functions set aside %d.", have.Quota, have.Unreserved, needs))
	}
}

// askFor says how to get a larger quota.
func (e *exam) askFor(least int) string {
	return fmt.Sprintf("Ask for a quota of at least %d: aws service-quotas request-service-quota-increase --service-code lambda --quota-code %s --region %s --desired-value %d. An answer may take days.",
		least, concurrencyQuota, e.Deployment.Region, max(least, usualQuota))
}

// concurrencyQuota is the code of Lambda's quota "Concurrent executions", and
// usualQuota what an account has that is no longer new (AWS Lambda Developer
// Guide, gettingstarted-limits).
const (
	concurrencyQuota = "L-B99A9384"
	usualQuota       = 1000
)
