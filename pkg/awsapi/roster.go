package awsapi

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/organizations"
	"github.com/aws/aws-sdk-go-v2/service/organizations/types"

	"github.com/rolewarden/rolewarden/pkg/org"
)

// RosterConfig is what a Roster needs. The function's account must be the
// management account or a delegated administrator.
type RosterConfig struct {
	AWS aws.Config
	// Pace, where there is one, is asked for a turn before each call, repetitions
	// included, in the name of "organizations".
	Pace *Pace
	// Units says whether the accounts' units are wanted too, which takes two calls
	// for each unit there is.
	Units Units
}

// Units says whether units are asked for.
type Units uint8

// The zero value asks for them.
const (
	WithUnits Units = iota
	WithoutUnits
)

// Roster lists the accounts of the organization with their units.
type Roster struct {
	units  Units
	client func() *organizations.Client
}

// NewRoster makes one.
func NewRoster(cfg RosterConfig) *Roster {
	return &Roster{units: cfg.Units, client: sync.OnceValue(func() *organizations.Client {
		return organizations.NewFromConfig(cfg.AWS, func(o *organizations.Options) {
			if o.Retryer = patient(); cfg.Pace != nil {
				o.Retryer = cfg.Pace.patient("organizations")
			}
		})
	})}
}

// Members gives every active account, sorted by id, each once, with the path of
// its organizational unit: the names of the units from the root down, joined by
// "/", or "/" for the root. Which accounts there are is for the list of all of
// them to say, and not for the units (T14): an account that was found in none
// has an empty Unit, which means that it is not known. So has one below a unit
// whose name no path can hold, such as one with a "/" in it.
//
// What Organizations did not list is an error, and whoever was found is given
// all the same.
func (r *Roster) Members(ctx context.Context) ([]org.Account, error) {
	members := map[string]org.Account{}
	accounts, unlisted := r.all(ctx)
	for _, a := range accounts {
		members[*a.Id] = org.Account{ID: *a.Id, Name: aws.ToString(a.Name)}
	}
	var rootless, unplaced error
	if r.units == WithUnits {
		var roots []unit
		roots, rootless = r.roots(ctx)
		unplaced = walk(ctx, r.client(), roots, func(a types.Account, u unit) {
			members[*a.Id] = org.Account{ID: *a.Id, Name: aws.ToString(a.Name), Unit: u.path}
		})
	}
	out := slices.SortedFunc(maps.Values(members), func(a, b org.Account) int { return strings.Compare(a.ID, b.ID) })
	return out, errors.Join(unlisted, rootless, unplaced)
}

// all gives the active accounts of the organization.
func (r *Roster) all(ctx context.Context) ([]types.Account, error) {
	var all []types.Account
	err := pages(func(token *string) (*string, error) {
		out, err := r.client().ListAccounts(ctx, &organizations.ListAccountsInput{NextToken: token})
		if err != nil {
			return nil, err
		}
		all, err = usable(all, out.Accounts)
		return out.NextToken, err
	})
	if err != nil {
		return all, fmt.Errorf("listing the accounts of the organization: %w", err)
	}
	return all, nil
}

// roots gives the root of the organization; there is one.
func (r *Roster) roots(ctx context.Context) ([]unit, error) {
	var roots []unit
	err := pages(func(token *string) (*string, error) {
		out, err := r.client().ListRoots(ctx, &organizations.ListRootsInput{NextToken: token})
		if err != nil {
			return nil, err
		}
		for _, root := range out.Roots {
			if !parentForm.MatchString(aws.ToString(root.Id)) {
				return nil, fmt.Errorf("%q is no root's id", aws.ToString(root.Id))
			}
			roots = append(roots, unit{*root.Id, "/"})
		}
		return out.NextToken, nil
	})
	if err != nil {
		return roots, fmt.Errorf("listing the roots of the organization: %w", err)
	}
	return roots, nil
}
