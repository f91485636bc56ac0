package awsapi

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"github.com/rolewarden/rolewarden/pkg/ledger"
	"github.com/rolewarden/rolewarden/pkg/role"
)

// detailsPage is how many roles and users are asked for at once; IAM may give
// fewer (IAM API Reference, API_GetAccountAuthorizationDetails: MaxItems). Each
// comes with its permissions policies, so a page is some megabytes at most.
const detailsPage = 200

// Details reads the roles and users of an account, a page at a time: the roles
// as Role reads them, and the unique ids that all their ARNs stand for now. The
// first marker is empty, and so is next after the last page.
//
// An error beside anything else is about single entries that could not be read,
// and the others of the page are given all the same: nobody is left out for a
// neighbour's sake. An error beside nothing is about the page.
func (a *Accounts) Details(ctx context.Context, account, marker string) (roles []role.Role, principals []ledger.Identity, next string, err error) {
	in := &iam.GetAccountAuthorizationDetailsInput{
		Filter: []types.EntityType{types.EntityTypeRole, types.EntityTypeUser}, Marker: optional(marker), MaxItems: aws.Int32(detailsPage),
	}
	var out *iam.GetAccountAuthorizationDetailsOutput
	err = a.read(ctx, reading{account, whole}, func(with func(*iam.Options)) (err error) {
		out, err = a.iam().GetAccountAuthorizationDetails(ctx, in, with)
		return err
	})
	if err != nil {
		return nil, nil, "", fmt.Errorf("reading the roles and users of account %s: %w", account, err)
	}
	if next, err = after(out, marker); err != nil {
		return nil, nil, "", fmt.Errorf("reading the roles and users of account %s: %w", account, err)
	}
	p := page{account: account, accounts: a}
	for _, r := range out.RoleDetailList {
		p.role(r)
	}
	for _, u := range out.UserDetailList {
		p.principal(aws.ToString(u.Arn), aws.ToString(u.UserId))
	}
	return p.roles, p.principals, next, errors.Join(p.wrong...)
}

// after gives the marker of the next page. One that was there before would be
// followed for ever.
func after(out *iam.GetAccountAuthorizationDetailsOutput, marker string) (string, error) {
	if !out.IsTruncated {
		return "", nil
	}
	next := aws.ToString(out.Marker)
	switch next {
	case "":
		return "", errors.New("the answer is cut short and does not say where it goes on")
	case marker:
		return "", errors.New("the listing does not end: the page that was read is offered again")
	}
	return next, nil
}

// page is what was read of one page.
type page struct {
	account    string
	accounts   *Accounts
	roles      []role.Role
	principals []ledger.Identity
	wrong      []error
}

func (p *page) role(d types.RoleDetail) {
	r, err := entry{d.Arn, d.RoleId, d.AssumeRolePolicyDocument, d.PermissionsBoundary, d.Tags, d.CreateDate}.role(p.accounts.cfg.Now())
	if err == nil && r.Account != p.account {
		err = fmt.Errorf("the answer about account %s names %s", p.account, r.ARN)
	}
	if err != nil {
		p.wrong = append(p.wrong, fmt.Errorf("reading role %q of account %s: %w", aws.ToString(d.Arn), p.account, err))
		return
	}
	p.roles = append(p.roles, r)
	p.principal(r.ARN, r.ID)
}

// principal notes whom a unique id stands for.
func (p *page) principal(arn, id string) {
	if key, ok := ledger.PrincipalOf(arn); !ok || key.Account != p.account || id == "" {
		p.wrong = append(p.wrong, fmt.Errorf("reading the unique id of %q in account %s: the answer gives %q", arn, p.account, id))
		return
	}
	p.principals = append(p.principals, ledger.Identity{ID: id, ARN: arn, SeenAt: p.accounts.cfg.Now()})
}
