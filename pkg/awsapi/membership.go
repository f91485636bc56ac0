package awsapi

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/organizations"
	"github.com/aws/aws-sdk-go-v2/service/organizations/types"

	"github.com/rolewarden/rolewarden/pkg/org"
	"github.com/rolewarden/rolewarden/pkg/role"
)

// MembershipConfig is what a Membership needs. The function's account must be
// the management account or a delegated administrator.
type MembershipConfig struct{ AWS aws.Config }

// Membership asks Organizations.
type Membership struct {
	client func() *organizations.Client
}

// NewMembership makes one.
func NewMembership(cfg MembershipConfig) *Membership {
	return &Membership{client: sync.OnceValue(func() *organizations.Client {
		return organizations.NewFromConfig(cfg.AWS, func(o *organizations.Options) { o.Retryer = patient() })
	})}
}

// Confirm says whether an account belongs to the organization now. Only
// Organizations' own word makes it NotMember; every other failure is an error,
// and nothing is known.
func (m *Membership) Confirm(ctx context.Context, account string) (org.Membership, error) {
	if !role.ValidAccount(account) {
		return org.UnknownMembership, fmt.Errorf("asking Organizations about account %q: an account id has twelve digits", account)
	}
	out, err := m.client().DescribeAccount(ctx, &organizations.DescribeAccountInput{AccountId: aws.String(account)})
	var absent *types.AccountNotFoundException
	switch {
	case errors.As(err, &absent):
		return org.NotMember, nil
	case err != nil:
		return org.UnknownMembership, fmt.Errorf("asking Organizations about account %s: %w", account, sorted(err))
	case out.Account == nil || aws.ToString(out.Account.Id) != account:
		return org.UnknownMembership, fmt.Errorf("asking Organizations about account %s: the answer is about another", account)
	}
	// A suspended account still belongs to the organization.
	return org.Member, nil
}
