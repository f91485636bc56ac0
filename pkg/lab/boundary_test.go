package lab_test

import (
	"encoding/json"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/organizations"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/rolewarden/rolewarden/pkg/lab"
)

const (
	denyAll  = "arn:aws:iam::aws:policy/AWSDenyAll"
	allowAll = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}`
)

func (w *world) bound(account, role, boundary string) {
	w.t.Helper()
	_, err := w.admin(account).PutRolePermissionsBoundary(ctx, &iam.PutRolePermissionsBoundaryInput{RoleName: &role, PermissionsBoundary: &boundary})
	w.must(err)
}

// allow gives a role a permission policy.
func (w *world) allow(account, role, document string) {
	w.t.Helper()
	_, err := w.admin(account).PutRolePolicy(ctx, &iam.PutRolePolicyInput{RoleName: &role, PolicyName: aws.String("own"), PolicyDocument: &document})
	w.must(err)
}

// T69: a session that was issued before its role was contained may do nothing
// from then on. Who may assume the role is the trust's matter and stays as it
// was; and the session has its rights again when the boundary is taken off.
func TestContainmentReachesSessionsAlreadyIssued(t *testing.T) {
	w := newWorld(t)
	caller := w.user(prod, "caller", "")
	w.role(prod, "app", trusting(arn(prod, "user/caller")))
	w.role(prod, "next", trusting(arn(prod, "role/app")))
	w.allow(prod, "app", allowAll)
	in := &sts.AssumeRoleInput{RoleArn: aws.String(arn(prod, "role/app")), RoleSessionName: aws.String("s1")}
	session, err := w.assume(caller, in)
	w.must(err)
	attempts := map[string]func() error{
		"read": func() error {
			_, err := iam.NewFromConfig(w.config(session)).GetRole(ctx, &iam.GetRoleInput{RoleName: aws.String("app")})
			return err
		},
		"take the boundary off": func() error {
			_, err := iam.NewFromConfig(w.config(session)).DeleteRolePermissionsBoundary(ctx, &iam.DeleteRolePermissionsBoundaryInput{RoleName: aws.String("app")})
			return err
		},
		"go on to a role that trusts it by name": func() error {
			_, err := w.assume(session, &sts.AssumeRoleInput{RoleArn: aws.String(arn(prod, "role/next")), RoleSessionName: aws.String("s1")})
			return err
		},
		"another API": func() error {
			_, err := organizations.NewFromConfig(w.config(session)).DescribeOrganization(ctx, &organizations.DescribeOrganizationInput{})
			return err
		},
	}
	for name, attempt := range attempts {
		if err := attempt(); err != nil {
			t.Errorf("before, %s: %v", name, err)
		}
	}
	w.bound(prod, "app", denyAll)
	for _, attempt := range attempts {
		err := attempt()
		if e := w.code(err); e != "AccessDenied" && e != "AccessDeniedException" {
			t.Errorf("contained, but got %v", err)
		}
	}
	_, err = w.assume(caller, in)
	w.must(err)
	_, err = w.admin(prod).DeleteRolePermissionsBoundary(ctx, &iam.DeleteRolePermissionsBoundaryInput{RoleName: aws.String("app")})
	w.must(err)
	w.must(attempts["read"]())
}

// GetRole shows the boundary, and late within the read lag, as it shows all
// writes; a service-linked role takes none; what does not exist is no boundary.
func TestBoundaryIsShown(t *testing.T) {
	w := newWorld(t)
	w.role(prod, "app", trusting(arn(prod, "root")))
	shown := func() string {
		out, err := w.admin(prod).GetRole(ctx, &iam.GetRoleInput{RoleName: aws.String("app")})
		w.must(err)
		if out.Role.PermissionsBoundary == nil {
			return ""
		}
		return aws.ToString(out.Role.PermissionsBoundary.PermissionsBoundaryArn)
	}
	w.bound(prod, "app", denyAll)
	if got := shown(); got != denyAll {
		t.Errorf("the boundary is %q", got)
	}
	remove := w.Inject(lab.Fault{Action: "GetRole", Kind: lab.StaleRead})
	if got := shown(); got != "" {
		t.Errorf("a stale read shows the boundary %q", got)
	}
	remove()
	admin := w.admin(prod)
	_, err := admin.PutRolePermissionsBoundary(ctx, &iam.PutRolePermissionsBoundaryInput{RoleName: aws.String("app"), PermissionsBoundary: aws.String(arn(prod, "policy/none"))})
	w.refused(err, "NoSuchEntity")
	_, err = admin.PutRolePermissionsBoundary(ctx, &iam.PutRolePermissionsBoundaryInput{RoleName: aws.String("app"), PermissionsBoundary: aws.String("")})
	w.refused(err, "ValidationError")
	_, err = admin.CreateServiceLinkedRole(ctx, &iam.CreateServiceLinkedRoleInput{AWSServiceName: aws.String("ecs.amazonaws.com")})
	w.must(err)
	_, err = admin.PutRolePermissionsBoundary(ctx, &iam.PutRolePermissionsBoundaryInput{RoleName: aws.String("AWSServiceRoleForEcs"), PermissionsBoundary: aws.String(denyAll)})
	w.refused(err, "UnmodifiableEntity")
}

// CloudTrail tells of both calls.
func TestBoundaryEvents(t *testing.T) {
	w := newWorld(t)
	w.role(prod, "app", trusting(arn(prod, "root")))
	w.bound(prod, "app", denyAll)
	_, err := w.admin(prod).DeleteRolePermissionsBoundary(ctx, &iam.DeleteRolePermissionsBoundaryInput{RoleName: aws.String("app")})
	w.must(err)
	events := w.seen()[1:]
	if len(events) != 2 || events[0].EventName != "PutRolePermissionsBoundary" || events[1].EventName != "DeleteRolePermissionsBoundary" {
		t.Fatalf("events %v", events)
	}
	var e struct {
		Detail struct {
			RequestParameters struct{ RoleName, PermissionsBoundary string }
		}
	}
	w.must(json.Unmarshal(events[0].Raw, &e))
	if p := e.Detail.RequestParameters; p.RoleName != "app" || p.PermissionsBoundary != denyAll {
		t.Errorf("parameters %+v", p)
	}
}

// Who may set one boundary only can set no other, and can take off none but
// the one that the condition names: what the containing session is held to.
func TestConditionOnTheBoundary(t *testing.T) {
	w := newWorld(t)
	w.role(prod, "app", trusting(arn(prod, "root")))
	w.role(prod, "free", trusting(arn(prod, "root")))
	keys := w.user(prod, "keeper", `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["iam:PutRolePermissionsBoundary","iam:DeleteRolePermissionsBoundary","iam:GetRole"],"Resource":"*","Condition":{"StringEqualsIfExists":{"iam:PermissionsBoundary":"`+denyAll+`"}}}]}`)
	keeper := iam.NewFromConfig(w.config(keys))
	put := func(boundary string) error {
		_, err := keeper.PutRolePermissionsBoundary(ctx, &iam.PutRolePermissionsBoundaryInput{RoleName: aws.String("app"), PermissionsBoundary: &boundary})
		return err
	}
	remove := func() error {
		_, err := keeper.DeleteRolePermissionsBoundary(ctx, &iam.DeleteRolePermissionsBoundaryInput{RoleName: aws.String("app")})
		return err
	}
	w.refused(put("arn:aws:iam::aws:policy/AdministratorAccess"), "AccessDenied")
	w.must(put(denyAll))
	w.must(remove())
	w.bound(prod, "app", "arn:aws:iam::aws:policy/ReadOnlyAccess")
	w.refused(remove(), "AccessDenied")
	// A call that the key does not belong to does not see it.
	_, err := keeper.GetRole(ctx, &iam.GetRoleInput{RoleName: aws.String("app")})
	w.must(err)
}
