package awsapi_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/google/go-cmp/cmp"

	"github.com/rolewarden/rolewarden/pkg/decision"
	"github.com/rolewarden/rolewarden/pkg/lab"
	"github.com/rolewarden/rolewarden/pkg/remediate"
	"github.com/rolewarden/rolewarden/pkg/role"
)

const denyAll = "arn:aws:iam::aws:policy/AWSDenyAll"

// openedContainer makes a role and a containing session for it.
func openedContainer(t *testing.T, w *world) (remediate.Boundaries, role.Role) {
	t.Helper()
	name := unique(t, "App")
	makeRole(t, w, name, "/team/")
	accounts := w.accounts(t)
	r, err := accounts.Role(t.Context(), ref(name))
	must(t, err)
	w.wire.take()
	session, err := accounts.Container(t.Context(), r, decide(decision.Revert))
	must(t, err)
	return session, r
}

// T74: a containing session names its decision and can do one thing to one role.
func TestContainingSessionIsNarrow(t *testing.T) {
	worlds(t, func(t *testing.T, w *world) {
		_, r := openedContainer(t, w)
		sent := w.wire.take()
		if len(sent) != 1 {
			t.Fatalf("%d calls were made", len(sent))
		}
		id := decide(decision.Revert).ID
		for key, value := range map[string]string{
			"Action": "AssumeRole", "RoleArn": "arn:aws:iam::" + prod + ":role/rolewarden/rolewarden-remediator",
			"RoleSessionName": "rw-" + id, "SourceIdentity": "rolewarden-" + id, "DurationSeconds": "900", "ExternalId": externalID,
			"Policy": `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["iam:GetRole","iam:PutRolePermissionsBoundary"],"Resource":["` + r.ARN + `"]}]}`,
		} {
			if got := sent[0].form.Get(key); got != value {
				t.Errorf("%s is %q, want %q", key, got, value)
			}
		}
	})
}

// What is set is what is read afterwards, and by whoever reads the role.
func TestABoundaryIsSet(t *testing.T) {
	worlds(t, func(t *testing.T, w *world) {
		session, r := openedContainer(t, w)
		must(t, session.PutBoundary(t.Context(), r.Ref(), denyAll))
		got, err := session.Role(t.Context(), r.Ref())
		must(t, err)
		want := r
		want.Boundary = denyAll
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("the role (-want +got):\n%s", d)
		}
	})
}

// T74, T75: another role, and any boundary but AWSDenyAll, is refused before AWS
// has to: also another partition's, and none at all.
func TestNothingButDenyAllIsAskedFor(t *testing.T) {
	w := labWorld(t)
	session, r := openedContainer(t, w)
	w.wire.take()
	for _, other := range []role.Ref{ref("Other"), {Account: hub, Name: r.Name}} {
		if _, err := session.Role(t.Context(), other); !errors.Is(err, role.ErrAccessDenied) {
			t.Errorf("reading %s: %v", other, err)
		}
		if err := session.PutBoundary(t.Context(), other, denyAll); !errors.Is(err, role.ErrAccessDenied) {
			t.Errorf("containing %s: %v", other, err)
		}
	}
	for _, policy := range []string{
		"", "AWSDenyAll", "arn:aws:iam::aws:policy/AdministratorAccess", "arn:aws:iam::aws:policy/AWSDenyAll2", "arn:aws:iam::aws:policy/*",
		"arn:aws-cn:iam::aws:policy/AWSDenyAll", "arn:aws:iam::" + prod + ":policy/AWSDenyAll", strings.ToUpper(denyAll),
	} {
		if err := session.PutBoundary(t.Context(), r.Ref(), policy); !errors.Is(err, role.ErrAccessDenied) {
			t.Errorf("%q was asked for: %v", policy, err)
		}
	}
	if calls := w.wire.calls(); len(calls) != 0 {
		t.Errorf("calls were made: %v", calls)
	}
}

// A write whose answer is lost may have happened: it is not sent again, and the
// error says that reading decides. What will never be taken is told so.
func TestBoundaryFaults(t *testing.T) {
	tests := []struct {
		kind  lab.FaultKind
		want  error
		sends int
	}{
		{lab.TimeoutBefore, role.ErrUncertain, 1},
		{lab.TimeoutAfter, role.ErrUncertain, 1},
		{lab.ServerError, role.ErrUncertain, 1},
		{lab.Throttle, role.ErrThrottled, 3},
		{lab.AccessDenied, role.ErrAccessDenied, 1},
		{lab.NotFound, role.ErrNotFound, 1},
		{lab.UnmodifiableEntity, role.ErrUnmodifiable, 1},
	}
	for _, test := range tests {
		t.Run(test.kind.String(), func(t *testing.T) {
			w := labWorld(t)
			session, r := openedContainer(t, w)
			w.wire.take()
			w.lab.Inject(lab.Fault{Service: "iam", Action: "PutRolePermissionsBoundary", Kind: test.kind})
			err := session.PutBoundary(t.Context(), r.Ref(), denyAll)
			if !errors.Is(err, test.want) || errors.Is(err, role.ErrUncertain) != errors.Is(test.want, role.ErrUncertain) {
				t.Errorf("got %v, want %v", err, test.want)
			}
			if n := len(w.wire.take()); n != test.sends {
				t.Errorf("the write was sent %d times, want %d", n, test.sends)
			}
		})
	}
	for _, code := range []string{"PolicyNotAttachable", "InvalidInput"} {
		t.Run(code, func(t *testing.T) {
			w := labWorld(t)
			session, r := openedContainer(t, w)
			w.wire.next = answering(http.StatusBadRequest, `<ErrorResponse><Error><Type>Sender</Type><Code>`+code+`</Code><Message>no</Message></Error><RequestId>1</RequestId></ErrorResponse>`, "iam:PutRolePermissionsBoundary", w.wire.next)
			if err := session.PutBoundary(t.Context(), r.Ref(), denyAll); !errors.Is(err, role.ErrUnmodifiable) {
				t.Errorf("got %v, want ErrUnmodifiable", err)
			}
		})
	}
}

// T55: where no policy for the one role can be had, or the decision contains
// nothing, no session is opened, no call is made, and the error says that it
// stays so.
func TestContainerRefuses(t *testing.T) {
	w := labWorld(t)
	a := w.accounts(t)
	good := role.Role{Partition: "aws", Account: prod, Name: "App", Path: "/", ARN: "arn:aws:iam::" + prod + ":role/App", ID: "AROA1"}
	for name, spoil := range map[string]func(*role.Role, *decision.Decision){
		"another account's ARN":  func(r *role.Role, _ *decision.Decision) { r.ARN = "arn:aws:iam::" + hub + ":role/App" },
		"another partition":      func(r *role.Role, _ *decision.Decision) { r.ARN = "arn:aws-cn:iam::" + prod + ":role/App" },
		"a wildcard in the path": func(r *role.Role, _ *decision.Decision) { r.ARN = "arn:aws:iam::" + prod + ":role/*/App" },
		"a variable in the path": func(r *role.Role, _ *decision.Decision) { r.ARN = "arn:aws:iam::" + prod + ":role/${aws:username}/App" },
		"a quote in the path":    func(r *role.Role, _ *decision.Decision) { r.ARN = "arn:aws:iam::" + prod + `:role/"/App` },
		"a decision without id":  func(_ *role.Role, d *decision.Decision) { d.ID = "" },
		"a decision to tag":      func(_ *role.Role, d *decision.Decision) { d.Action = decision.Tag },
		"a decision to hold":     func(_ *role.Role, d *decision.Decision) { d.Action = decision.Hold },
		"an unknown action":      func(_ *role.Role, d *decision.Decision) { d.Action = 99 },
	} {
		r, d := good, decide(decision.Revert)
		spoil(&r, &d)
		if _, err := a.Container(t.Context(), r, d); !errors.Is(err, role.ErrUnmodifiable) {
			t.Errorf("%s: %v, want ErrUnmodifiable", name, err)
		}
	}
	if calls := w.wire.calls(); len(calls) != 0 {
		t.Errorf("calls were made: %v", calls)
	}
}

// T69: a session that was issued before the role was contained can do nothing
// any more, and what the role's boundary was is in the outcome. The writing
// session of the same decision could not have set it.
func TestContainmentEndsSessionsAlreadyIssued(t *testing.T) {
	w := labWorld(t)
	name := unique(t, "App")
	makeRole(t, w, name, "/")
	admin := iam.NewFromConfig(w.admin(t, prod))
	_, err := admin.PutRolePolicy(t.Context(), &iam.PutRolePolicyInput{RoleName: aws.String(name), PolicyName: aws.String("p"), PolicyDocument: aws.String(
		`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"iam:GetRole","Resource":"*"}]}`)})
	must(t, err)
	_, err = admin.UpdateAssumeRolePolicy(t.Context(), &iam.UpdateAssumeRolePolicyInput{RoleName: aws.String(name), PolicyDocument: aws.String(closed)})
	must(t, err)
	stolen, err := sts.NewFromConfig(w.admin(t, prod)).AssumeRole(t.Context(), &sts.AssumeRoleInput{
		RoleArn: aws.String("arn:aws:iam::" + prod + ":role/" + name), RoleSessionName: aws.String("mallory"),
	})
	must(t, err)
	as := w.admin(t, prod)
	as.Credentials = credentials.NewStaticCredentialsProvider(*stolen.Credentials.AccessKeyId, *stolen.Credentials.SecretAccessKey, *stolen.Credentials.SessionToken)
	mallory := func() error {
		_, err := iam.NewFromConfig(as).GetRole(t.Context(), &iam.GetRoleInput{RoleName: aws.String(name)})
		return err
	}
	must(t, mallory())

	accounts := w.accounts(t)
	r, err := accounts.Role(t.Context(), ref(name))
	must(t, err)
	session, err := accounts.Container(t.Context(), r, decide(decision.Revert))
	must(t, err)
	remedier, err := remediate.New(remediate.Config{Now: now, Wait: func(context.Context, time.Duration) error { return nil }})
	must(t, err)
	task := remediate.Task{Decision: decide(decision.Revert), Role: r, Document: trust}
	out, err := remedier.Contain(t.Context(), session, task)
	must(t, err)
	want := remediate.Contained{Before: "arn:aws:iam::aws:policy/ReadOnlyAccess", After: denyAll, Done: true, Verified: true}
	if d := cmp.Diff(want, out); d != "" {
		t.Errorf("the outcome (-want +got):\n%s", d)
	}
	if err := mallory(); err == nil || !strings.Contains(err.Error(), "AccessDenied") {
		t.Errorf("a session already issued goes on: %v", err)
	}
}
