package inspect

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/organizations"
	"github.com/aws/aws-sdk-go-v2/service/organizations/types"

	"github.com/rolewarden/rolewarden/pkg/awsapi"
	"github.com/rolewarden/rolewarden/pkg/doctor"
)

// Organization implements doctor.Organizations.
func (i *Inspection) Organization(ctx context.Context) (doctor.Organization, error) {
	out, err := i.organizations().DescribeOrganization(ctx, &organizations.DescribeOrganizationInput{})
	if err != nil {
		return doctor.Organization{}, unseen("organizations:DescribeOrganization", err)
	}
	if out.Organization == nil {
		return doctor.Organization{}, nil
	}
	o := out.Organization
	return doctor.Organization{ID: aws.ToString(o.Id), Management: aws.ToString(o.MasterAccountId), Features: string(o.FeatureSet)}, nil
}

// Accounts implements doctor.Organizations.
func (i *Inspection) Accounts(ctx context.Context) ([]doctor.Account, error) {
	var all []doctor.Account
	err := awsapi.Pages(func(token *string) (*string, error) {
		out, err := i.organizations().ListAccounts(ctx, &organizations.ListAccountsInput{NextToken: token})
		if err != nil {
			return nil, err
		}
		for _, a := range out.Accounts {
			one := doctor.Account{ID: aws.ToString(a.Id), Name: aws.ToString(a.Name)}
			if !awsapi.Active(a) {
				one.Active = doctor.Suspended
			}
			all = append(all, one)
		}
		return out.NextToken, nil
	})
	if err != nil {
		return nil, unseen("organizations:ListAccounts", err)
	}
	return all, nil
}

// Below implements doctor.Organizations.
func (i *Inspection) Below(ctx context.Context, targets []string) ([]string, error) {
	o, err := awsapi.NewOrganization(awsapi.OrganizationConfig{AWS: i.cfg.AWS, Targets: targets})
	if err != nil {
		return nil, err
	}
	ids, err := o.Accounts(ctx)
	if err != nil {
		return ids, &doctor.Refusal{Needs: "organizations:ListAccountsForParent and organizations:ListOrganizationalUnitsForParent", Err: err}
	}
	return ids, nil
}

// Roots implements doctor.Organizations.
func (i *Inspection) Roots(ctx context.Context) ([]doctor.Root, error) {
	var all []doctor.Root
	err := awsapi.Pages(func(token *string) (*string, error) {
		out, err := i.organizations().ListRoots(ctx, &organizations.ListRootsInput{NextToken: token})
		if err != nil {
			return nil, err
		}
		for _, r := range out.Roots {
			one := doctor.Root{ID: aws.ToString(r.Id)}
			for _, p := range r.PolicyTypes {
				if p.Status == types.PolicyTypeStatusEnabled {
					one.PolicyTypes = append(one.PolicyTypes, string(p.Type))
				}
			}
			all = append(all, one)
		}
		return out.NextToken, nil
	})
	if err != nil {
		return nil, unseen("organizations:ListRoots", err)
	}
	return all, nil
}

// Unit implements doctor.Organizations.
func (i *Inspection) Unit(ctx context.Context, id string) (string, error) {
	out, err := i.organizations().DescribeOrganizationalUnit(ctx, &organizations.DescribeOrganizationalUnitInput{OrganizationalUnitId: aws.String(id)})
	if err != nil {
		return "", unseen("organizations:DescribeOrganizationalUnit", err)
	}
	if out.OrganizationalUnit == nil {
		return "", nil
	}
	return aws.ToString(out.OrganizationalUnit.Name), nil
}

// Trusted implements doctor.Organizations.
func (i *Inspection) Trusted(ctx context.Context) ([]string, error) {
	var all []string
	err := awsapi.Pages(func(token *string) (*string, error) {
		out, err := i.organizations().ListAWSServiceAccessForOrganization(ctx, &organizations.ListAWSServiceAccessForOrganizationInput{NextToken: token})
		if err != nil {
			return nil, err
		}
		all = append(all, texts(out.EnabledServicePrincipals, func(p types.EnabledServicePrincipal) *string { return p.ServicePrincipal })...)
		return out.NextToken, nil
	})
	if err != nil {
		return nil, unseen("organizations:ListAWSServiceAccessForOrganization", err)
	}
	return all, nil
}

// Delegated implements doctor.Organizations.
func (i *Inspection) Delegated(ctx context.Context, service string) ([]string, error) {
	var all []string
	err := awsapi.Pages(func(token *string) (*string, error) {
		out, err := i.organizations().ListDelegatedAdministrators(ctx, &organizations.ListDelegatedAdministratorsInput{ServicePrincipal: aws.String(service), NextToken: token})
		if err != nil {
			return nil, err
		}
		all = append(all, texts(out.DelegatedAdministrators, func(a types.DelegatedAdministrator) *string { return a.Id })...)
		return out.NextToken, nil
	})
	if err != nil {
		return nil, unseen("organizations:ListDelegatedAdministrators", err)
	}
	return all, nil
}

// Attached implements doctor.Policies.
func (i *Inspection) Attached(ctx context.Context, target, policyType string) ([]string, error) {
	var all []string
	err := awsapi.Pages(func(token *string) (*string, error) {
		out, err := i.organizations().ListPoliciesForTarget(ctx, &organizations.ListPoliciesForTargetInput{
			TargetId: aws.String(target), Filter: types.PolicyType(policyType), NextToken: token,
		})
		if err != nil {
			return nil, err
		}
		all = append(all, texts(out.Policies, func(p types.PolicySummary) *string { return p.Name })...)
		return out.NextToken, nil
	})
	if err != nil {
		return nil, unseen("organizations:ListPoliciesForTarget", err)
	}
	return all, nil
}
