package awsapi

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/organizations"
	"github.com/aws/aws-sdk-go-v2/service/organizations/types"

	"github.com/rolewarden/rolewarden/pkg/role"
)

// OrganizationConfig is what an Organization needs. The function's account must
// be the management account or a delegated administrator.
type OrganizationConfig struct {
	AWS aws.Config
	// Targets are the ids of the roots and organizational units (r-…, ou-…-…)
	// whose accounts are wanted, with those of all units below them.
	Targets []string
}

// Organization lists the accounts below some roots and organizational units.
type Organization struct {
	targets []string
	client  func() *organizations.Client
}

// parentForm is the form of a root's and a unit's id (Organizations API
// Reference, API_ListAccountsForParent: ParentId).
var parentForm = regexp.MustCompile(`^(r-[0-9a-z]{4,32}|ou-[0-9a-z]{4,32}-[0-9a-z]{8,32})$`)

// NewOrganization makes one, or says which target is none.
func NewOrganization(cfg OrganizationConfig) (*Organization, error) {
	if len(cfg.Targets) == 0 {
		return nil, errors.New("opening the organization: Targets is empty: give the ids of roots or organizational units")
	}
	for _, t := range cfg.Targets {
		if !parentForm.MatchString(t) {
			return nil, fmt.Errorf("opening the organization: the target %q is no id of a root or organizational unit: write one like r-abcd or ou-abcd-11111111", t)
		}
	}
	return &Organization{targets: slices.Clone(cfg.Targets), client: sync.OnceValue(func() *organizations.Client {
		return organizations.NewFromConfig(cfg.AWS, func(o *organizations.Options) { o.Retryer = patient() })
	})}, nil
}

// Accounts gives the ids of all active accounts below the targets, sorted, each
// once. A part that Organizations did not list is an error, and the accounts of
// the other parts are given all the same: nobody is left out for a neighbour's
// sake.
//
// The management account is among them where it stands below a target.
// StackSets skip it, so it is covered by a stack of its own or it is a gap.
func (o *Organization) Accounts(ctx context.Context) ([]string, error) {
	var wrong []error
	accounts, seen := map[string]bool{}, map[string]bool{}
	// A target may stand below another, and each parent is asked once.
	for todo := slices.Clone(o.targets); len(todo) > 0; {
		parent := todo[0]
		if todo = todo[1:]; seen[parent] {
			continue
		}
		seen[parent] = true
		wrong = append(wrong, o.accountsOf(ctx, parent, accounts))
		units, err := o.unitsOf(ctx, parent)
		wrong, todo = append(wrong, err), append(todo, units...)
	}
	var out []string
	for id := range accounts {
		out = append(out, id)
	}
	slices.Sort(out)
	return out, errors.Join(wrong...)
}

// pages asks for page after page. A token that comes again would be followed
// for ever.
func pages(ask func(token *string) (next *string, err error)) error {
	seen := map[string]bool{}
	for token := (*string)(nil); ; {
		next, err := ask(token)
		switch {
		case err != nil:
			return sorted(err)
		case aws.ToString(next) == "":
			return nil
		case seen[*next]:
			return errors.New("the listing does not end: a page that was read is offered again")
		}
		seen[*next], token = true, next
	}
}

// accountsOf adds the active accounts that stand directly in a parent.
func (o *Organization) accountsOf(ctx context.Context, parent string, into map[string]bool) error {
	err := pages(func(token *string) (*string, error) {
		out, err := o.client().ListAccountsForParent(ctx, &organizations.ListAccountsForParentInput{ParentId: aws.String(parent), NextToken: token})
		if err != nil {
			return nil, err
		}
		for _, a := range out.Accounts {
			id := aws.ToString(a.Id)
			if !role.ValidAccount(id) {
				return nil, fmt.Errorf("%q is no account's id", id)
			}
			if active(a) {
				into[id] = true
			}
		}
		return out.NextToken, nil
	})
	if err != nil {
		return fmt.Errorf("listing the accounts in %s: %w", parent, err)
	}
	return nil
}

// unitsOf gives the organizational units directly in a parent.
func (o *Organization) unitsOf(ctx context.Context, parent string) ([]string, error) {
	var units []string
	err := pages(func(token *string) (*string, error) {
		out, err := o.client().ListOrganizationalUnitsForParent(ctx, &organizations.ListOrganizationalUnitsForParentInput{ParentId: aws.String(parent), NextToken: token})
		if err != nil {
			return nil, err
		}
		for _, u := range out.OrganizationalUnits {
			if !parentForm.MatchString(aws.ToString(u.Id)) {
				return nil, fmt.Errorf("%q is no organizational unit's id", aws.ToString(u.Id))
			}
			units = append(units, *u.Id)
		}
		return out.NextToken, nil
	})
	if err != nil {
		return units, fmt.Errorf("listing the organizational units in %s: %w", parent, err)
	}
	return units, nil
}

// active says whether an account can be used. State replaces Status
// (Organizations API Reference, API_Account), and either may be missing. An
// account of which neither says that it cannot be used is looked at: a word
// nobody knows hides nothing.
func active(a types.Account) bool {
	state := string(a.State)
	if state == "" {
		state = string(a.Status)
	}
	switch types.AccountState(state) {
	case types.AccountStateSuspended, types.AccountStatePendingClosure, types.AccountStateClosed, types.AccountStatePendingActivation:
		return false
	default:
		return true
	}
}
