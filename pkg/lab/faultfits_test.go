package lab_test

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	iamtypes "github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"
	"github.com/aws/aws-sdk-go-v2/service/organizations"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/google/go-cmp/cmp"

	"github.com/rolewarden/rolewarden/pkg/lab"
)

// An error after the effect is told to the caller, and to nobody else: the
// write stands, and its event is that of a write that was made.
func TestErrorAfterTheEffect(t *testing.T) {
	w := newWorld(t)
	w.role(prod, "app", trusting(arn(prod, "root")))
	w.Inject(lab.Fault{Service: "iam", Action: "UpdateAssumeRolePolicy", Kind: lab.ServerError, When: lab.AfterEffect})
	_, err := w.admin(prod).UpdateAssumeRolePolicy(ctx, &iam.UpdateAssumeRolePolicyInput{RoleName: aws.String("app"), PolicyDocument: aws.String(trusting(arn(dev, "root")))})
	w.refused(err, "ServiceFailure")
	if w.trust(prod, "app") != trusting(arn(dev, "root")) {
		t.Error("the write was not made")
	}
	if events := w.seen(); len(events) != 2 || strings.Contains(string(events[1].Raw), "errorCode") {
		t.Errorf("events %v", events)
	}
	if calls := w.Calls(); calls[len(calls)-2].ErrorCode != "ServiceFailure" || calls[len(calls)-2].Fault != lab.ServerError {
		t.Errorf("%+v", calls[len(calls)-2])
	}
}

// Each kind that fits a call can be seen on it: the call fails, or it sees what
// was or a part. What does not fit is what AWS never answers there.
func TestWhichFaultsFit(t *testing.T) {
	w := newWorld(t)
	w.ledger()
	key, err := w.SeedKey(prod, lab.SeedKey{})
	w.must(err)
	w.role(prod, "app", trusting(arn(prod, "root")))
	keys, tables := kms.NewFromConfig(w.adminConfig(prod)), dynamodb.NewFromConfig(w.adminConfig(prod))
	calls := map[[2]string]func() error{
		{"iam", "GetRole"}: func() error {
			_, err := w.admin(prod).GetRole(ctx, &iam.GetRoleInput{RoleName: aws.String("app")})
			return err
		},
		{"iam", "TagRole"}: func() error {
			_, err := w.admin(prod).TagRole(ctx, &iam.TagRoleInput{RoleName: aws.String("app"), Tags: []iamtypes.Tag{{Key: aws.String("a"), Value: aws.String("b")}}})
			return err
		},
		{"iam", "PutRolePermissionsBoundary"}: func() error {
			_, err := w.admin(prod).PutRolePermissionsBoundary(ctx, &iam.PutRolePermissionsBoundaryInput{RoleName: aws.String("app"), PermissionsBoundary: aws.String(denyAll)})
			return err
		},
		{"kms", "GenerateMac"}: func() error {
			_, err := generate(keys, key, []byte{1}, types.MacAlgorithmSpecHmacSha256)
			return err
		},
		{"dynamodb", "DeleteItem"}: func() error {
			_, err := tables.DeleteItem(ctx, &dynamodb.DeleteItemInput{TableName: aws.String("ledger"), Key: at("a", "1")})
			return err
		},
		{"sts", "GetCallerIdentity"}: func() error {
			_, err := sts.NewFromConfig(w.adminConfig(prod)).GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
			return err
		},
	}
	unfit := map[string][]string{
		"GetRole":                    {"UnmodifiableEntity", "LimitExceeded", "ConcurrentModification", "RefusePolicy", "PartialAnswer"},
		"TagRole":                    {"Malformed", "StaleRead", "RefusePolicy", "PartialAnswer"},
		"PutRolePermissionsBoundary": {"Malformed", "StaleRead", "RefusePolicy", "PartialAnswer"},
		"GenerateMac":                {"StaleRead", "UnmodifiableEntity", "LimitExceeded", "ConcurrentModification", "RefusePolicy", "PartialAnswer"},
		"DeleteItem":                 {"StaleRead", "UnmodifiableEntity", "RefusePolicy", "PartialAnswer"},
		"GetCallerIdentity":          {"AccessDenied", "NotFound", "StaleRead", "UnmodifiableEntity", "LimitExceeded", "ConcurrentModification", "RefusePolicy", "PartialAnswer"},
	}
	for name, call := range calls {
		w.must(call())
		var not []string
		for _, kind := range lab.FaultKinds() {
			if !kind.Fits(name[0], name[1]) {
				not = append(not, kind.String())
				continue
			}
			remove := w.Inject(lab.Fault{Service: name[0], Action: name[1], Kind: kind})
			if err := call(); err == nil && kind != lab.StaleRead {
				t.Errorf("%v under %s succeeds", name, kind)
			}
			remove()
		}
		if diff := cmp.Diff(unfit[name[1]], not); diff != "" {
			t.Errorf("what does not fit %v (-want +got):\n%s", name, diff)
		}
	}
}

// A user that was just made is not there for a stale read, and one that was
// just deleted is.
func TestStaleReadsOfUsers(t *testing.T) {
	w := newWorld(t)
	admin := w.admin(prod)
	exists := func(name string) bool {
		_, err := admin.GetUser(ctx, &iam.GetUserInput{UserName: &name})
		if err != nil {
			w.refused(err, "NoSuchEntity")
		}
		return err == nil
	}
	for _, name := range []string{"alice", "bob"} {
		_, err := admin.CreateUser(ctx, &iam.CreateUserInput{UserName: &name})
		w.must(err)
	}
	_, err := admin.TagUser(ctx, &iam.TagUserInput{UserName: aws.String("bob"), Tags: []iamtypes.Tag{{Key: aws.String("a"), Value: aws.String("b")}}})
	w.must(err)
	remove := w.Inject(lab.Fault{Service: "iam", Action: "GetUser", Kind: lab.StaleRead})
	if exists("alice") || !exists("bob") {
		t.Error("a stale read shows a user that was just made, or not one that was written since")
	}
	_, err = admin.DeleteUser(ctx, &iam.DeleteUserInput{UserName: aws.String("alice")})
	w.must(err)
	if !exists("alice") {
		t.Error("a stale read does not show a user that was just deleted")
	}
	remove()
	if exists("alice") || !exists("bob") {
		t.Error("a fresh read is stale")
	}
}

// A partial answer is a page of one, and the rest is found behind it.
func TestPartialAnswers(t *testing.T) {
	w := newWorld(t)
	for _, name := range []string{"a", "b", "c"} {
		w.role(prod, name, trusting(arn(prod, "root")))
	}
	w.Inject(lab.Fault{Kind: lab.PartialAnswer})
	pages, found := 0, 0
	list := iam.NewGetAccountAuthorizationDetailsPaginator(w.admin(prod), &iam.GetAccountAuthorizationDetailsInput{Filter: []iamtypes.EntityType{iamtypes.EntityTypeRole}})
	for list.HasMorePages() {
		page, err := list.NextPage(ctx)
		w.must(err)
		pages++
		found += len(page.RoleDetailList)
	}
	if pages != 3 || found != 3 {
		t.Errorf("%d roles on %d pages", found, pages)
	}
	accounts, pages := 0, 0
	members := organizations.NewListAccountsPaginator(organizations.NewFromConfig(w.adminConfig(prod)), &organizations.ListAccountsInput{})
	for members.HasMorePages() {
		page, err := members.NextPage(ctx)
		w.must(err)
		pages++
		accounts += len(page.Accounts)
	}
	if pages != 2 || accounts != 2 {
		t.Errorf("%d accounts on %d pages", accounts, pages)
	}
}
