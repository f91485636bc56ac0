package lab_test

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	iamtypes "github.com/aws/aws-sdk-go-v2/service/iam/types"

	"github.com/rolewarden/rolewarden/pkg/lab"
)

// details reads the whole account, two entries a page.
func (w *world) details(filter ...iamtypes.EntityType) *iam.GetAccountAuthorizationDetailsOutput {
	w.t.Helper()
	all := &iam.GetAccountAuthorizationDetailsOutput{}
	pages := iam.NewGetAccountAuthorizationDetailsPaginator(w.admin(prod), &iam.GetAccountAuthorizationDetailsInput{MaxItems: aws.Int32(2), Filter: filter})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		w.must(err)
		if n := len(page.UserDetailList) + len(page.RoleDetailList) + len(page.GroupDetailList) + len(page.Policies); n > 2 {
			w.t.Errorf("a page of two holds %d", n)
		}
		all.UserDetailList = append(all.UserDetailList, page.UserDetailList...)
		all.RoleDetailList = append(all.RoleDetailList, page.RoleDetailList...)
		all.Policies = append(all.Policies, page.Policies...)
	}
	return all
}

func plain(t *testing.T, document *string) string {
	t.Helper()
	if strings.ContainsAny(*document, `{"`) {
		t.Errorf("the document %s is not encoded", *document)
	}
	text, err := url.PathUnescape(*document)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// The details of an account are what the single reads show: ids, tags,
// boundaries, inline and attached policies, documents encoded as AWS does.
func TestDetailsTellWhatTheSingleReadsTell(t *testing.T) {
	w := newWorld(t)
	admin := w.admin(prod)
	w.user(prod, "alice", allowAssume)
	made, err := admin.CreatePolicy(ctx, &iam.CreatePolicyInput{PolicyName: aws.String("limit"), PolicyDocument: aws.String(allowAll), Path: aws.String("/team/")})
	w.must(err)
	_, err = admin.CreateRole(ctx, &iam.CreateRoleInput{
		RoleName: aws.String("App"), Path: aws.String("/x/"), AssumeRolePolicyDocument: aws.String(trusting(arn(prod, "user/alice"))),
		PermissionsBoundary: made.Policy.Arn, Tags: []iamtypes.Tag{{Key: aws.String("team"), Value: aws.String("a b")}},
	})
	w.must(err)
	_, err = admin.AttachRolePolicy(ctx, &iam.AttachRolePolicyInput{RoleName: aws.String("App"), PolicyArn: aws.String(denyAll)})
	w.must(err)
	all := w.details()
	if len(all.UserDetailList) != 2 || len(all.RoleDetailList) != 1 || len(all.Policies) != 3 {
		t.Fatalf("%d users, %d roles, %d policies", len(all.UserDetailList), len(all.RoleDetailList), len(all.Policies))
	}
	alice, r := all.UserDetailList[0], all.RoleDetailList[0]
	if *alice.UserName != "alice" || !strings.HasPrefix(*alice.UserId, "AIDA") || plain(t, alice.UserPolicyList[0].PolicyDocument) != allowAssume {
		t.Errorf("alice: %+v", alice)
	}
	got, err := admin.GetRole(ctx, &iam.GetRoleInput{RoleName: aws.String("App")})
	w.must(err)
	if *r.RoleId != *got.Role.RoleId || *r.Arn != arn(prod, "role/x/App") || plain(t, r.AssumeRolePolicyDocument) != trusting(arn(prod, "user/alice")) ||
		*r.PermissionsBoundary.PermissionsBoundaryArn != *made.Policy.Arn || *r.Tags[0].Value != "a b" || *r.AttachedManagedPolicies[0].PolicyArn != denyAll {
		t.Errorf("the role: %+v", r)
	}
	own, awsOwn := all.Policies[0], all.Policies[1] // and the administrator's own
	if *own.Arn != arn(prod, "policy/team/limit") || *own.PermissionsBoundaryUsageCount != 1 || *own.AttachmentCount != 0 || plain(t, own.PolicyVersionList[0].Document) != allowAll {
		t.Errorf("the policy: %+v", own)
	}
	if *awsOwn.Arn != denyAll || *awsOwn.AttachmentCount != 1 {
		t.Errorf("AWS's policy: %+v", awsOwn)
	}
}

// Filter gives the kinds it names and no other; a kind that is none is refused.
func TestDetailsFilter(t *testing.T) {
	w := newWorld(t)
	w.role(prod, "app", trusting(arn(prod, "root")))
	some := w.details(iamtypes.EntityTypeRole, iamtypes.EntityTypeLocalManagedPolicy)
	if len(some.UserDetailList) != 0 || len(some.RoleDetailList) != 1 || len(some.Policies) != 0 {
		t.Errorf("%+v", some)
	}
	_, err := w.admin(prod).GetAccountAuthorizationDetails(ctx, &iam.GetAccountAuthorizationDetailsInput{Filter: []iamtypes.EntityType{"Roles"}})
	w.refused(err, "ValidationError")
	_, err = w.admin(prod).GetAccountAuthorizationDetails(ctx, &iam.GetAccountAuthorizationDetailsInput{Marker: aws.String("x")})
	w.refused(err, "ValidationError")
}

// A reading of the whole account may lag behind as a reading of one role
// does: within the lag it shows what was, and a stale one what was before the
// last write of any role.
func TestDetailsLag(t *testing.T) {
	w := newWorld(t)
	w.role(prod, "app", trusting(arn(prod, "root")))
	w.role(prod, "old", trusting(arn(prod, "root")))
	w.wait(time.Minute)
	w.SetReadLag(5 * time.Second)
	trusts := func() string {
		out := ""
		for _, r := range w.details(iamtypes.EntityTypeRole).RoleDetailList {
			account := dev
			if plain(t, r.AssumeRolePolicyDocument) == trusting(arn(prod, "root")) {
				account = prod
			}
			out += *r.RoleName + " " + account + " "
		}
		return out
	}
	_, err := w.admin(prod).UpdateAssumeRolePolicy(ctx, &iam.UpdateAssumeRolePolicyInput{RoleName: aws.String("app"), PolicyDocument: aws.String(trusting(arn(dev, "root")))})
	w.must(err)
	before, after := "app "+prod+" old "+prod+" ", "app "+dev+" old "+prod+" "
	if got := trusts(); got != before {
		t.Errorf("within the lag: %s", got)
	}
	w.wait(5 * time.Second)
	if got := trusts(); got != after {
		t.Errorf("after the lag: %s", got)
	}
	remove := w.Inject(lab.Fault{Action: "GetAccountAuthorizationDetails", Kind: lab.StaleRead})
	if got := trusts(); got != before {
		t.Errorf("stale: %s", got)
	}
	remove()
	_, err = w.admin(prod).DeleteRole(ctx, &iam.DeleteRoleInput{RoleName: aws.String("old")})
	w.must(err)
	if got := trusts(); got != after {
		t.Errorf("just deleted: %s", got)
	}
	w.wait(5 * time.Second)
	if got := trusts(); got != "app "+dev+" " {
		t.Errorf("deleted: %s", got)
	}
}
