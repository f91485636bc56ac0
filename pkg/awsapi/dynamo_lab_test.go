package awsapi_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/iam"

	"github.com/rolewarden/rolewarden/pkg/awsapi"
	"github.com/rolewarden/rolewarden/pkg/awsapi/actions"
	"github.com/rolewarden/rolewarden/pkg/decision"
	"github.com/rolewarden/rolewarden/pkg/deployment"
	"github.com/rolewarden/rolewarden/pkg/grants"
	"github.com/rolewarden/rolewarden/pkg/lab"
	"github.com/rolewarden/rolewarden/pkg/ledger"
	"github.com/rolewarden/rolewarden/pkg/ledger/ledgertest"
	"github.com/rolewarden/rolewarden/pkg/role"
)

// labTable gives a ledger on an empty table of a lab of its own.
func labTable(t *testing.T) (*awsapi.Dynamo, *world) {
	t.Helper()
	w := labWorld(t)
	_, err := w.lab.SeedTable(hub, lab.SeedTable{Name: deployment.Table, Expires: "expires"})
	must(t, err)
	return ledgerOf(t, w.hub), w
}

func ledgerOf(t *testing.T, cfg aws.Config) *awsapi.Dynamo {
	t.Helper()
	d, err := awsapi.NewDynamo(awsapi.DynamoConfig{AWS: cfg, Table: deployment.Table})
	must(t, err)
	return d
}

// The contract holds on the lab's DynamoDB as it does on moto's; and here many
// workers write at once, which moto cannot bear.
func TestDynamoKeepsTheContractInTheLab(t *testing.T) {
	ledgertest.Conformance(t, func(t *testing.T) ledger.Ledger {
		d, _ := labTable(t)
		return d
	})
}

// What the ledger in memory answers, on which most tests rest, the one in
// DynamoDB answers too, whatever is asked in whatever order.
func TestDynamoAgreesWithMemoryInTheLab(t *testing.T) {
	ledgertest.Agreement(t, "100", func(t *testing.T) (one, two ledger.Ledger) {
		d, _ := labTable(t)
		return ledger.NewMemory(), d
	})
}

// function opens the AWS of a deployed function: its role, with the
// permissions that the stack gives it and no others.
func function(t *testing.T, w *world, name, roleName, seal string) aws.Config {
	t.Helper()
	here := grants.World{Partition: "aws", Region: "us-east-1", Hub: hub, Account: hub}
	ofHub := func(service, resource string) string {
		return "arn:aws:" + service + ":us-east-1:" + hub + ":" + resource
	}
	client := iam.NewFromConfig(w.admin(t, hub))
	_, err := client.CreateRole(t.Context(), &iam.CreateRoleInput{
		Path: aws.String("/rolewarden/"), RoleName: &roleName, AssumeRolePolicyDocument: aws.String(grants.FunctionTrust(here, name).JSON()),
	})
	must(t, err)
	_, err = client.PutRolePolicy(t.Context(), &iam.PutRolePolicyInput{
		RoleName: &roleName, PolicyName: aws.String("own"),
		PolicyDocument: aws.String(grants.Function(here, name, grants.Resources{Table: ofHub("dynamodb", "table/"+deployment.Table), SealKey: seal}).JSON()),
	})
	must(t, err)
	c, err := w.lab.AssumeAsService(lab.ServiceCall{Service: "lambda.amazonaws.com", RoleARN: "arn:aws:iam::" + hub + ":role/rolewarden/" + roleName, SessionName: "fn"})
	must(t, err)
	cfg := w.admin(t, hub)
	cfg.Credentials = credentials.NewStaticCredentialsProvider(c.AccessKeyID, c.SecretAccessKey, c.SessionToken)
	cfg.Retryer = func() aws.Retryer { return aws.NopRetryer{} }
	return cfg
}

// T61, T73: under the permissions and the key policy that are deployed, the
// sweep seals and the guard checks; the guard cannot seal, and neither can the
// account's administrator. A sweep's role that was made anew seals as before.
func TestTwoKeysUnderTheDeployedPermissions(t *testing.T) {
	_, w := labTable(t)
	here := grants.World{Partition: "aws", Region: "us-east-1", Hub: hub, Account: hub}
	key, err := w.lab.SeedKey(hub, lab.SeedKey{Alias: deployment.SealKey, Policy: grants.SealKeyPolicy(here).JSON()})
	must(t, err)
	seals := func(cfg aws.Config) *awsapi.Seals {
		s, err := awsapi.NewSeals(awsapi.SealsConfig{AWS: cfg, KeyID: key})
		must(t, err)
		return s
	}
	sweep := seals(function(t, w, actions.Sweep, deployment.SweepRole, key))
	guard := seals(function(t, w, actions.Guard, deployment.GuardRole, key))
	b := baseline()
	seal, err := sweep.Seal(t.Context(), b)
	must(t, err)
	b.Seal = seal
	must(t, guard.Verify(t.Context(), b))
	if err := sweep.Verify(t.Context(), b); !errors.Is(err, role.ErrAccessDenied) {
		t.Errorf("the sweep checks, which is not for it: %v", err)
	}
	for name, s := range map[string]*awsapi.Seals{"the guard": guard, "an administrator": seals(w.admin(t, hub))} {
		if _, err := s.Seal(t.Context(), b); !errors.Is(err, role.ErrAccessDenied) {
			t.Errorf("%s seals: %v", name, err)
		}
	}
	if err := seals(w.admin(t, hub)).Verify(t.Context(), b); !errors.Is(err, role.ErrAccessDenied) {
		t.Errorf("an administrator checks: %v", err)
	}
	b.Document += " "
	if err := guard.Verify(t.Context(), b); !errors.Is(err, role.ErrSealBroken) {
		t.Errorf("a changed baseline: %v", err)
	}
	client := iam.NewFromConfig(w.admin(t, hub))
	_, err = client.DeleteRolePolicy(t.Context(), &iam.DeleteRolePolicyInput{RoleName: aws.String(deployment.SweepRole), PolicyName: aws.String("own")})
	must(t, err)
	_, err = client.DeleteRole(t.Context(), &iam.DeleteRoleInput{RoleName: aws.String(deployment.SweepRole)})
	must(t, err)
	if _, err := seals(function(t, w, actions.Sweep, deployment.SweepRole, key)).Seal(t.Context(), baseline()); err != nil {
		t.Errorf("the sweep's new role: %v", err)
	}
}

// What a key that is disabled or gone cannot say is not known, and is no broken
// seal.
func TestADeadKeyIsNoBrokenSeal(t *testing.T) {
	for _, state := range []lab.KeyState{lab.KeyDisabled, lab.KeyPendingDeletion} {
		w := labWorld(t)
		key, err := w.lab.SeedKey(hub, lab.SeedKey{ID: "1234abcd-12ab-34cd-56ef-1234567890ab"})
		must(t, err)
		s, err := awsapi.NewSeals(awsapi.SealsConfig{AWS: w.hub, KeyID: key})
		must(t, err)
		b := baseline()
		b.Seal, err = s.Seal(t.Context(), b)
		must(t, err)
		_, err = w.lab.SeedKey(hub, lab.SeedKey{ID: "1234abcd-12ab-34cd-56ef-1234567890ab", State: state})
		must(t, err)
		if err := s.Verify(t.Context(), b); err == nil || errors.Is(err, role.ErrSealBroken) {
			t.Errorf("%s: %v", state, err)
		}
	}
}

// The guard does its part of the ledger under the permissions that are deployed,
// transactions included, and reads no more than it must: to go through the
// whole table is for people.
func TestTheGuardsLedgerUnderTheDeployedPermissions(t *testing.T) {
	_, w := labTable(t)
	d := ledgerOf(t, function(t, w, actions.Guard, deployment.GuardRole, ""))
	k := ledger.Key{Account: prod, EventID: "e1"}
	if _, err := d.Take(t.Context(), k, now()); err != nil {
		t.Fatal(err)
	}
	must(t, d.Lease(t.Context(), role.Ref{Account: prod, Name: "app"}, "h", now(), now().Add(time.Minute)))
	must(t, d.Spend(t.Context(), "token", now(), []ledger.Counter{{Name: "c", Window: time.Hour, Limit: 3}}))
	must(t, d.Conclude(t.Context(), ledger.Conclusion{
		Event: k, End: ledger.Compliant, Reason: "all rules hold", At: now(), Expect: ledger.NoOpenAlert,
		State: &ledger.RoleState{Account: prod, RoleID: "AROAEXAMPLEAPP", Event: k, EventTime: now()},
	}))
	if _, err := d.Recall(t.Context(), prod, "AROAEXAMPLEAPP"); err != nil {
		t.Error(err)
	}
	must(t, d.Release(t.Context(), role.Ref{Account: prod, Name: "app"}, "h"))
	if err := d.States(t.Context(), "", func(ledger.RoleState) error { return nil }); !errors.Is(err, role.ErrAccessDenied) {
		t.Errorf("the guard reads all states: %v", err)
	}
	if calls := w.lab.Calls(); slices.ContainsFunc(calls, func(c lab.Call) bool { return c.Service == "dynamodb" && c.Resource != deployment.Table }) {
		t.Errorf("calls on another table: %v", calls)
	}
}

// A breaker trips under the guard's permissions, and is put back by people alone;
// so is the kill switch turned.
func TestTheGuardTurnsNothingThatPeopleTurn(t *testing.T) {
	_, w := labTable(t)
	d := ledgerOf(t, function(t, w, actions.Guard, deployment.GuardRole, ""))
	counter := []ledger.Counter{{Name: "account/" + prod, Window: time.Hour, Limit: 1, Full: ledger.Trip}}
	must(t, d.Spend(t.Context(), "one", now(), counter))
	var tripped *ledger.TrippedError
	if err := d.Spend(t.Context(), "two", now(), counter); !errors.As(err, &tripped) {
		t.Errorf("after as many writes as are allowed: %v", err)
	}
	if err := d.Reset(t.Context(), "account/"+prod, "guard", "to go on", now()); !errors.Is(err, role.ErrAccessDenied) {
		t.Errorf("the guard puts a breaker back: %v", err)
	}
	for _, to := range []decision.Switch{decision.WritesStopped, decision.WritesAllowed} {
		if err := d.SetSwitch(t.Context(), to, "guard", "to go on", now()); !errors.Is(err, role.ErrAccessDenied) {
			t.Errorf("the guard turns the kill switch: %v", err)
		}
	}
	if s, err := d.Switch(t.Context()); err != nil || s != decision.WritesAllowed {
		t.Errorf("the guard reads the kill switch as %s, %v", s, err)
	}
}
