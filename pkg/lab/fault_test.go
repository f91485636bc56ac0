package lab_test

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/smithy-go"

	"github.com/rolewarden/rolewarden/pkg/lab"
)

// Each fault shows as the SDK sees it in life, and takes effect or not as its
// name says.
func TestFaults(t *testing.T) {
	for _, c := range []struct {
		kind    lab.FaultKind
		code    string // "" for a call that fails without an API error
		changed bool
	}{
		{lab.Throttle, "Throttling", false},
		{lab.TimeoutBefore, "", false},
		{lab.TimeoutAfter, "", true},
		{lab.ServerError, "ServiceFailure", false},
		{lab.AccessDenied, "AccessDenied", false},
		{lab.NotFound, "NoSuchEntity", false},
		{lab.UnmodifiableEntity, "UnmodifiableEntity", false},
		{lab.LimitExceeded, "LimitExceeded", false},
		{lab.ConcurrentModification, "ConcurrentModification", false},
		{lab.RefusePolicy, "MalformedPolicyDocument", false},
	} {
		t.Run(c.kind.String(), func(t *testing.T) {
			w := newWorld(t)
			w.role(prod, "app", trusting(arn(prod, "root")))
			remove := w.Inject(lab.Fault{Service: "iam", Action: "UpdateAssumeRolePolicy", Account: prod, Resource: "app", Kind: c.kind})
			update := func() error {
				_, err := w.admin(prod).UpdateAssumeRolePolicy(ctx, &iam.UpdateAssumeRolePolicyInput{RoleName: aws.String("app"), PolicyDocument: aws.String(trusting(arn(dev, "root")))})
				return err
			}
			err := update()
			var api smithy.APIError
			switch {
			case err == nil:
				t.Fatal("the call succeeded")
			case c.code != "":
				w.refused(err, c.code)
			case errors.As(err, &api):
				t.Errorf("got the API error %v, want a dropped connection", err)
			}
			if changed := w.trust(prod, "app") == trusting(arn(dev, "root")); changed != c.changed {
				t.Errorf("changed: %v", changed)
			}
			remove()
			w.must(update())
		})
	}
}

// A garbled answer is an error on the client's side.
func TestMalformedAnswer(t *testing.T) {
	w := newWorld(t)
	w.role(prod, "app", trusting(arn(prod, "root")))
	w.Inject(lab.Fault{Action: "GetRole", Kind: lab.Malformed, Times: 1})
	if _, err := w.admin(prod).GetRole(ctx, &iam.GetRoleInput{RoleName: aws.String("app")}); err == nil {
		t.Error("the garbled answer was read")
	}
	w.trust(prod, "app")
}

// Skip lets calls through, Times ends the fault.
func TestFaultCounts(t *testing.T) {
	w := newWorld(t)
	w.role(prod, "app", trusting(arn(prod, "root")))
	w.Inject(lab.Fault{Action: "GetRole", Kind: lab.Throttle, Skip: 1, Times: 2})
	var got []bool
	for range 5 {
		_, err := w.admin(prod).GetRole(ctx, &iam.GetRoleInput{RoleName: aws.String("app")})
		got = append(got, err == nil)
	}
	if want := "[true false false true true]"; fmt.Sprint(got) != want {
		t.Errorf("got %v, want %s", got, want)
	}
}

// A stale read shows the role before its last write; the lag shows every
// write late, creation and deletion included.
func TestReadsThatLag(t *testing.T) {
	w := newWorld(t)
	admin := w.admin(prod)
	get := func() string {
		out, err := admin.GetRole(ctx, &iam.GetRoleInput{RoleName: aws.String("app")})
		if err != nil {
			w.refused(err, "NoSuchEntity")
			return "none"
		}
		return aws.ToString(out.Role.Description)
	}
	update := func(description string) {
		_, err := admin.UpdateRole(ctx, &iam.UpdateRoleInput{RoleName: aws.String("app"), Description: &description})
		w.must(err)
	}
	check := func(step, want string) {
		t.Helper()
		if got := get(); got != want {
			t.Errorf("%s: got %q, want %q", step, got, want)
		}
	}
	w.role(prod, "app", trusting(arn(prod, "root")))
	update("one")
	update("two")
	remove := w.Inject(lab.Fault{Action: "GetRole", Kind: lab.StaleRead})
	check("stale", "one")
	remove()
	w.SetReadLag(5 * time.Second)
	check("just made", "none")
	w.wait(5 * time.Second)
	check("five seconds on", "two")
	update("three")
	w.wait(4 * time.Second)
	check("within the lag", "two")
	w.wait(time.Second)
	check("after the lag", "three")
	_, err := admin.DeleteRole(ctx, &iam.DeleteRoleInput{RoleName: aws.String("app")})
	w.must(err)
	check("just deleted", "three")
	w.wait(5 * time.Second)
	check("deleted", "none")
}

// A new principal is unknown to trust policies until it has spread.
func TestPropagation(t *testing.T) {
	w := newWorld(t)
	w.SetPropagation(10 * time.Second)
	_, err := w.admin(dev).CreateUser(ctx, &iam.CreateUserInput{UserName: aws.String("new")})
	w.must(err)
	create := func() error {
		_, err := w.admin(prod).CreateRole(ctx, &iam.CreateRoleInput{RoleName: aws.String("app"), AssumeRolePolicyDocument: aws.String(trusting(arn(dev, "user/new")))})
		return err
	}
	w.refused(create(), "MalformedPolicyDocument")
	w.wait(10 * time.Second)
	w.must(create())
}

// The log holds each call with its caller and its error.
func TestCallLog(t *testing.T) {
	w := newWorld(t)
	admin := w.admin(prod)
	_, err := admin.GetRole(ctx, &iam.GetRoleInput{RoleName: aws.String("none")})
	w.refused(err, "NoSuchEntity")
	calls := w.Calls()
	want := lab.Call{
		Time: w.clock(), Account: prod, Service: "iam", Action: "GetRole", Resource: "none",
		CallerARN: arn(prod, "user/lab-admin"), ErrorCode: "NoSuchEntity",
	}
	if len(calls) != 1 || calls[0] != want {
		t.Errorf("got %+v, want %+v", calls, want)
	}
	w.ResetCalls()
	if len(w.Calls()) != 0 {
		t.Error("ResetCalls left calls behind")
	}
}

// A lab for millions of calls remembers the last ones only.
func TestLastCalls(t *testing.T) {
	l, err := lab.New(lab.Config{Accounts: []lab.Account{{ID: prod}}, LastCalls: 10})
	if err != nil {
		t.Fatal(err)
	}
	for i := range 100 {
		_, err := l.AssumeAsService(lab.ServiceCall{Service: "ec2.amazonaws.com", RoleARN: arn(prod, fmt.Sprintf("role/r%d", i)), SessionName: "s1"})
		if err == nil {
			t.Fatal("the role exists")
		}
	}
	calls := l.Calls()
	if n := len(calls); n < 10 || n > 20 || calls[n-1].Resource != "r99" || calls[0].Resource != fmt.Sprintf("r%d", 100-n) {
		t.Errorf("%d calls, from %s to %s", n, calls[0].Resource, calls[n-1].Resource)
	}
}

// What the lab does not serve it says before it is asked.
func TestServes(t *testing.T) {
	for call, want := range map[[2]string]bool{{"iam", "GetRole"}: true, {"dynamodb", "TransactWriteItems"}: true, {"kms", "VerifyMac"}: true, {"events", "DescribeRule"}: true, {"kms", "Encrypt"}: false, {"s3", "GetObject"}: false} {
		if got := lab.Serves(call[0], call[1]); got != want {
			t.Errorf("%v: %v", call, got)
		}
	}
}

// Many clients at once leave a lab with every role made and every event told
// in order; a listener may call the lab itself.
func TestConcurrentCallsAndListeners(t *testing.T) {
	w := newWorld(t)
	w.OnEvent(func(e lab.Envelope) {
		if e.EventName == "CreateRole" {
			if _, err := w.admin(prod).CreateUser(ctx, &iam.CreateUserInput{UserName: aws.String("u-" + e.EventID)}); err != nil {
				t.Error(err)
			}
		}
	})
	var all sync.WaitGroup
	for i := range 20 {
		all.Go(func() {
			_, err := w.admin(prod).CreateRole(ctx, &iam.CreateRoleInput{RoleName: aws.String(fmt.Sprintf("r%d", i)), AssumeRolePolicyDocument: aws.String(trusting(arn(prod, "root")))})
			if err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	counts := map[string]int{}
	for _, e := range w.seen() {
		counts[e.EventName]++
	}
	if counts["CreateRole"] != 20 || counts["CreateUser"] != 20 {
		t.Errorf("events %v", counts)
	}
}
