package awsapi

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
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
	var targets []unit
	for _, t := range o.targets {
		targets = append(targets, unit{id: t})
	}
	accounts := map[string]bool{}
	err := walk(ctx, o.client(), targets, func(a types.Account, _ unit) { accounts[*a.Id] = true })
	return slices.Sorted(maps.Keys(accounts)), err
}

// unit is a root or organizational unit, with its path where that is known.
type unit struct{ id, path string }

// walk visits every active account in some units and all units below them. A
// unit may stand below another, and each is asked once.
func walk(ctx context.Context, client *organizations.Client, from []unit, visit func(types.Account, unit)) error {
	var wrong []error
	seen := map[string]bool{}
	for todo := slices.Clone(from); len(todo) > 0; {
		u := todo[0]
		if todo = todo[1:]; seen[u.id] {
			continue
		}
		seen[u.id] = true
		accounts, err := accountsOf(ctx, client, u.id)
		wrong = append(wrong, err)
		for _, a := range accounts {
			visit(a, u)
		}
		below, err := unitsOf(ctx, client, u)
		wrong, todo = append(wrong, err), append(todo, below...)
	}
	return errors.Join(wrong...)
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

// accountsOf gives the active accounts that stand directly in a parent.
func accountsOf(ctx context.Context, client *organizations.Client, parent string) ([]types.Account, error) {
	var all []types.Account
	err := pages(func(token *string) (*string, error) {
		out, err := client.ListAccountsForParent(ctx, &organizations.ListAccountsForParentInput{ParentId: aws.String(parent), NextToken: token})
		if err != nil {
			return nil, err
		}
		all, err = usable(all, out.Accounts)
		return out.NextToken, err
	})
	if err != nil {
		return all, fmt.Errorf("listing the accounts in %s: %w", parent, err)
	}
	return all, nil
}

// usable adds the accounts that can be used.
func usable(to, accounts []types.Account) ([]types.Account, error) {
	for _, a := range accounts {
		if !role.ValidAccount(aws.ToString(a.Id)) {
			return to, fmt.Errorf("%q is no account's id", aws.ToString(a.Id))
		}
		if active(a) {
			to = append(to, a)
		}
	}
	return to, nil
}

// unitsOf gives the organizational units directly in a parent.
func unitsOf(ctx context.Context, client *organizations.Client, parent unit) ([]unit, error) {
	var units []unit
	err := pages(func(token *string) (*string, error) {
		out, err := client.ListOrganizationalUnitsForParent(ctx, &organizations.ListOrganizationalUnitsForParentInput{ParentId: aws.String(parent.id), NextToken: token})
		if err != nil {
			return nil, err
		}
		for _, u := range out.OrganizationalUnits {
			if !parentForm.MatchString(aws.ToString(u.Id)) {
				return nil, fmt.Errorf("%q is no organizational unit's id", aws.ToString(u.Id))
			}
			units = append(units, unit{*u.Id, parent.join(aws.ToString(u.Name))})
		}
		return out.NextToken, nil
	})
	if err != nil {
		return units, fmt.Errorf("listing the organizational units in %s: %w", parent.id, err)
	}
	return units, nil
}

// join is the path of a unit below this one; empty where it is not known or no
// path can hold the name.
func (u unit) join(name string) string {
	if u.path == "" || name == "" || strings.ContainsFunc(name, func(r rune) bool { return r == '/' || r < ' ' }) {
		return ""
	}
	if u.path == "/" {
		return name
	}
	return u.path + "/" + name
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
