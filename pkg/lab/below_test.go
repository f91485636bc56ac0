package lab_test

import (
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/organizations"

	"github.com/rolewarden/rolewarden/pkg/lab"
)

// Who goes through the organization from its root meets each account once, and
// no account outside it.
func TestEachAccountIsBelowTheRootOnce(t *testing.T) {
	w := newWorld(t)
	w.must(w.AddAccount(lab.Account{ID: "222222222222", Name: "stage", OU: "workloads"}))
	w.Inject(lab.Fault{Service: "organizations", Kind: lab.PartialAnswer})
	client := organizations.NewFromConfig(w.adminConfig(prod))
	roots, err := client.ListRoots(ctx, &organizations.ListRootsInput{})
	w.must(err)
	var walk func(parent string) []string
	walk = func(parent string) (out []string) {
		accounts := organizations.NewListAccountsForParentPaginator(client, &organizations.ListAccountsForParentInput{ParentId: &parent})
		for accounts.HasMorePages() {
			page, err := accounts.NextPage(ctx)
			w.must(err)
			for _, a := range page.Accounts {
				out = append(out, *a.Name)
			}
		}
		units := organizations.NewListOrganizationalUnitsForParentPaginator(client, &organizations.ListOrganizationalUnitsForParentInput{ParentId: &parent})
		for units.HasMorePages() {
			page, err := units.NextPage(ctx)
			w.must(err)
			for _, u := range page.OrganizationalUnits {
				out = append(out, *u.Name+":")
				out = append(out, walk(*u.Id)...)
			}
		}
		return out
	}
	got := walk(*roots.Roots[0].Id)
	if want := []string{"dev", "workloads:", "prod", "stage"}; !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
	_, err = client.ListAccountsForParent(ctx, &organizations.ListAccountsForParentInput{ParentId: aws.String("ou-none-12345678")})
	w.refused(err, "ParentNotFoundException")
}

// Who may list what is below one unit lists nothing below another or the root.
func TestWhatIsBelowIsListedByTheParentsARN(t *testing.T) {
	w := newWorld(t)
	admin := organizations.NewFromConfig(w.adminConfig(prod))
	roots, err := admin.ListRoots(ctx, &organizations.ListRootsInput{})
	w.must(err)
	root := roots.Roots[0]
	units, err := admin.ListOrganizationalUnitsForParent(ctx, &organizations.ListOrganizationalUnitsForParentInput{ParentId: root.Id})
	w.must(err)
	unit := units.OrganizationalUnits[0]
	for name, one := range map[string]struct{ arn, may, not *string }{
		"root": {root.Arn, root.Id, unit.Id},
		"unit": {unit.Arn, unit.Id, root.Id},
	} {
		client := organizations.NewFromConfig(w.config(w.user(prod, name, `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["organizations:ListAccountsForParent","organizations:ListOrganizationalUnitsForParent"],"Resource":"`+*one.arn+`"}]}`)))
		_, err = client.ListAccountsForParent(ctx, &organizations.ListAccountsForParentInput{ParentId: one.may})
		w.must(err)
		_, err = client.ListOrganizationalUnitsForParent(ctx, &organizations.ListOrganizationalUnitsForParentInput{ParentId: one.may})
		w.must(err)
		_, err = client.ListAccountsForParent(ctx, &organizations.ListAccountsForParentInput{ParentId: one.not})
		w.refused(err, "AccessDeniedException")
		_, err = client.ListOrganizationalUnitsForParent(ctx, &organizations.ListOrganizationalUnitsForParentInput{ParentId: one.not})
		w.refused(err, "AccessDeniedException")
	}
}

// A rule of EventBridge is shown as it was put there, to who may see it.
func TestRulesOfEventBridge(t *testing.T) {
	w := newWorld(t)
	_, err := w.SeedRule(prod, lab.SeedRule{Name: "rolewarden-forward", Pattern: `{"source":["aws.iam"]}`})
	w.must(err)
	see := func(keys lab.Credentials, name string) (*eventbridge.DescribeRuleOutput, error) {
		return eventbridge.NewFromConfig(w.config(keys)).DescribeRule(ctx, &eventbridge.DescribeRuleInput{Name: &name})
	}
	admin, err := w.Admin(prod)
	w.must(err)
	got, err := see(admin, "rolewarden-forward")
	w.must(err)
	if string(got.State) != "ENABLED" || *got.EventPattern != `{"source":["aws.iam"]}` || *got.Arn != "arn:aws:events:us-east-1:111122223333:rule/rolewarden-forward" {
		t.Errorf("%+v", got)
	}
	_, err = see(admin, "other")
	w.refused(err, "ResourceNotFoundException")
	_, err = see(w.user(prod, "other", `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"events:DescribeRule","Resource":"arn:aws:events:us-east-1:111122223333:rule/other"}]}`), "rolewarden-forward")
	w.refused(err, "AccessDeniedException")
	_, err = w.SeedRule(prod, lab.SeedRule{Name: "rolewarden-forward", State: lab.RuleDisabled})
	w.must(err)
	if got, err = see(admin, "rolewarden-forward"); err != nil || string(got.State) != "DISABLED" || got.EventPattern != nil {
		t.Errorf("%+v, %v", got, err)
	}
}
