package cli

import (
	"context"
	"fmt"

	"github.com/rolewarden/rolewarden/pkg/awsapi"
	"github.com/rolewarden/rolewarden/pkg/awsapi/inspect"
	"github.com/rolewarden/rolewarden/pkg/deployment"
	"github.com/rolewarden/rolewarden/pkg/doctor"
)

// hub is a deployment whose ledger a person opened.
type hub struct {
	deployment *deployment.Deployment
	own        inspect.Config
	// by is whose credentials these are; it is kept beside whatever they turn.
	by    string
	table *awsapi.Dynamo
}

// openHub opens the ledger of a deployment under a person's own credentials, which
// must be of its account.
func openHub(ctx context.Context, s *session, file string) (hub, error) {
	d, err := deployment.LoadDeployed(file, s.now())
	if err != nil {
		return hub{}, err
	}
	h := hub{deployment: d}
	if h.own, err = signedIn(ctx, d); err != nil {
		return h, err
	}
	if h.by, err = caller(ctx, h.own, d); err != nil {
		return h, err
	}
	h.table, err = awsapi.NewDynamo(awsapi.DynamoConfig(h.own))
	return h, err
}

// caller says whose credentials these are; those of another account have
// another table, or none.
func caller(ctx context.Context, own inspect.Config, d *deployment.Deployment) (string, error) {
	c, err := whose(ctx, own)
	if err != nil {
		return "", err
	}
	if c.Account != d.Account {
		return "", fmt.Errorf("these are credentials of account %s, and the ledger is in account %s: set AWS_PROFILE to one of that account", c.Account, d.Account)
	}
	return c.ARN, nil
}

// whose asks AWS whose credentials these are, of whatever account.
func whose(ctx context.Context, theirs inspect.Config) (doctor.Caller, error) {
	// An inspection asks for the ledger's table, also where it does not look into it.
	theirs.Table = deployment.Table
	sight, err := inspect.New(theirs)
	if err != nil {
		return doctor.Caller{}, err
	}
	c, err := sight.Caller(ctx)
	if err != nil {
		return c, fmt.Errorf("asking whose credentials these are: %w", err)
	}
	return c, nil
}
