package inspect_test

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/organizations"
	organizationstypes "github.com/aws/aws-sdk-go-v2/service/organizations/types"

	"github.com/rolewarden/rolewarden/pkg/doctor"
)

// anOrganization makes moto's account the management account of one.
func anOrganization(t *testing.T, w *world) *organizations.Client {
	t.Helper()
	client := organizations.NewFromConfig(w.hub)
	_, err := client.CreateOrganization(t.Context(), &organizations.CreateOrganizationInput{FeatureSet: organizationstypes.OrganizationFeatureSetAll})
	if err != nil && !strings.Contains(err.Error(), "AlreadyInOrganization") {
		t.Fatal(err)
	}
	return client
}

func TestInspectionOfMotosOrganization(t *testing.T) {
	w := motoWorld(t)
	client, i := anOrganization(t, w), inspection(t, w.hub)
	o, err := i.Organization(t.Context())
	if err != nil || !strings.HasPrefix(o.ID, "o-") || o.Management != hub || o.Features != "ALL" {
		t.Errorf("the organization is %+v, %v", o, err)
	}
	made, err := client.CreateAccount(t.Context(), &organizations.CreateAccountInput{AccountName: aws.String("inspected"), Email: aws.String("inspected@acme.example")})
	must(t, err)
	id := *made.CreateAccountStatus.AccountId
	all, err := i.Accounts(t.Context())
	if err != nil || !slices.Contains(all, doctor.Account{ID: id, Name: "inspected"}) {
		t.Errorf("the accounts are %+v, %v", all, err)
	}

	roots, err := i.Roots(t.Context())
	must(t, err)
	root := roots[0].ID
	unit, err := client.CreateOrganizationalUnit(t.Context(), &organizations.CreateOrganizationalUnitInput{ParentId: aws.String(root), Name: aws.String("inspected")})
	must(t, err)
	ou := *unit.OrganizationalUnit.Id
	if name, err := i.Unit(t.Context(), ou); name != "inspected" || err != nil {
		t.Errorf("the unit is %q, %v", name, err)
	}
	_, err = client.MoveAccount(t.Context(), &organizations.MoveAccountInput{AccountId: aws.String(id), SourceParentId: aws.String(root), DestinationParentId: aws.String(ou)})
	must(t, err)
	if below, err := i.Below(t.Context(), []string{ou}); !slices.Equal(below, []string{id}) || err != nil {
		t.Errorf("below %s are %q, %v", ou, below, err)
	}
	if _, err := i.Below(t.Context(), []string{"ou-abcd-99999999"}); err == nil || !strings.Contains(needs(t, err), "organizations:ListAccountsForParent") {
		t.Errorf("below no unit: %v", err)
	}
	policies(t, client, root, ou, i.Roots, i.Attached)

	_, err = client.EnableAWSServiceAccess(t.Context(), &organizations.EnableAWSServiceAccessInput{ServicePrincipal: aws.String("ssm.amazonaws.com")})
	must(t, err)
	if trusted, err := i.Trusted(t.Context()); err != nil || !slices.Contains(trusted, "ssm.amazonaws.com") {
		t.Errorf("trusted are %q, %v", trusted, err)
	}
	_, err = client.RegisterDelegatedAdministrator(t.Context(), &organizations.RegisterDelegatedAdministratorInput{AccountId: aws.String(id), ServicePrincipal: aws.String("ssm.amazonaws.com")})
	must(t, err)
	if admins, err := i.Delegated(t.Context(), "ssm.amazonaws.com"); err != nil || !slices.Contains(admins, id) {
		t.Errorf("delegated are %q, %v", admins, err)
	}
}

// policies attaches a policy to a unit and looks for it.
func policies(t *testing.T, client *organizations.Client, root, ou string, roots func(context.Context) ([]doctor.Root, error), attached func(context.Context, string, string) ([]string, error)) {
	t.Helper()
	const kind = "SERVICE_CONTROL_POLICY"
	_, err := client.EnablePolicyType(t.Context(), &organizations.EnablePolicyTypeInput{RootId: aws.String(root), PolicyType: organizationstypes.PolicyTypeServiceControlPolicy})
	must(t, err)
	if all, err := roots(t.Context()); err != nil || !slices.Contains(all[0].PolicyTypes, kind) {
		t.Errorf("the roots are %+v, %v", all, err)
	}
	policy, err := client.CreatePolicy(t.Context(), &organizations.CreatePolicyInput{
		Name: aws.String("rolewarden-scp"), Description: aws.String("guards"), Type: organizationstypes.PolicyTypeServiceControlPolicy,
		Content: aws.String(`{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"iam:CreateUser","Resource":"*"}]}`),
	})
	must(t, err)
	_, err = client.AttachPolicy(t.Context(), &organizations.AttachPolicyInput{PolicyId: policy.Policy.PolicySummary.Id, TargetId: aws.String(ou)})
	must(t, err)
	if names, err := attached(t.Context(), ou, kind); err != nil || !slices.Contains(names, "rolewarden-scp") {
		t.Errorf("attached are %q, %v", names, err)
	}
}
