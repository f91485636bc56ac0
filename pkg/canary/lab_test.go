package canary_test

import (
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"

	"github.com/rolewarden/rolewarden/pkg/awsapi/actions"
	"github.com/rolewarden/rolewarden/pkg/canary"
	"github.com/rolewarden/rolewarden/pkg/deployment"
	"github.com/rolewarden/rolewarden/pkg/finding"
	"github.com/rolewarden/rolewarden/pkg/grants"
	"github.com/rolewarden/rolewarden/pkg/lab"
	"github.com/rolewarden/rolewarden/pkg/policy"
)

// The whole way, over the wire and under the documents that are deployed: the
// canary writes, the lab tells, guard finds the role compliant and records it at
// the time of its decision under the digest of what IAM shows, and the next run
// measures that very time.
func TestTheWholeWayInTheLab(t *testing.T) {
	h := newHouse(t)
	r := h.run()
	for _, id := range []string{hub, prod, dev} {
		is(t, r, id, canary.First)
	}
	written := h.now
	h.guards(7 * time.Second)
	decided := written.Add(7 * time.Second)
	for _, id := range []string{hub, prod, dev} {
		live := h.target(id)
		d, err := policy.Parse([]byte(live.TrustPolicy))
		h.must(err)
		s, ok, err := h.ledger.State(t.Context(), id, live.ID)
		if err != nil || !ok || s.Digest != d.Digest("aws") || !s.UpdatedAt.Equal(decided) || s.Verdict != finding.Compliant {
			t.Errorf("account %s: the ledger holds %+v, %v, %v; the role shows %s", id, s, ok, err, live.TrustPolicy)
		}
		if b, err := h.ledger.Baselines(t.Context(), id, live.ID); err != nil || len(b) != 0 {
			t.Errorf("account %s: every run would leave a baseline: %d, %v", id, len(b), err)
		}
	}
	if len(h.told) != 0 {
		t.Errorf("guard told %+v", h.told)
	}
	r = h.run()
	for _, id := range []string{hub, prod, dev} {
		if a := is(t, r, id, canary.Reached); a.Took != 7*time.Second || !a.Written.Equal(written) {
			t.Errorf("account %s: took %s since %s", id, a.Took, a.Written)
		}
	}
	if len(h.told) != 0 {
		t.Errorf("the canary told %+v", h.told)
	}
}

// The time that a reading lags behind is part of what is measured: so long it
// takes until a decision.
func TestAReadThatLagsIsPartOfTheTime(t *testing.T) {
	h := newHouse(t)
	h.run()
	h.lab.SetReadLag(4 * time.Second)
	h.guards(time.Second)
	h.lab.SetReadLag(0)
	if a := is(t, h.run(), prod, canary.Reached); a.Took < 4*time.Second || a.Took > time.Minute {
		t.Errorf("it took %s", a.Took)
	}
}

// T71, T10: with an account's rule disabled its canary is missed and told, the
// others come through; with all of them off, all are missed.
func TestT71ADisabledRuleInTheLabIsMissed(t *testing.T) {
	h := newHouse(t)
	h.run()
	h.guards(time.Second)
	h.off[dev] = true
	h.run()
	h.guards(time.Second)
	r := h.run()
	is(t, r, prod, canary.Reached)
	is(t, r, dev, canary.Missed)
	if len(h.told) != 1 || h.told[0].Account != dev {
		t.Errorf("told %+v", h.told)
	}
	h.off[hub], h.off[prod] = true, true
	h.guards(time.Second)
	h.run()
	r = h.run()
	for _, id := range []string{hub, prod, dev} {
		is(t, r, id, canary.Missed)
	}
	h.off = map[string]bool{}
	h.events = nil
	h.run()
	h.guards(time.Second)
	is(t, h.run(), dev, canary.Reached)
}

// T84: an SCP that denies the canary's calls makes the account unreachable,
// whichever call it stops, and a throttled one unknown. T14: so is an account
// whose stack is gone.
func TestT84AndT14InTheLab(t *testing.T) {
	for name, c := range map[string]struct {
		fault lab.Fault
		want  canary.State
	}{
		"T14, no role to assume": {lab.Fault{Service: "sts", Action: "AssumeRole", Resource: deployment.CanaryWriterRole, Kind: lab.AccessDenied}, canary.Unreachable},
		"T84, reading is denied": {lab.Fault{Service: "iam", Action: "GetRole", Resource: deployment.CanaryTarget, Kind: lab.AccessDenied}, canary.Unreachable},
		"T84, writing is denied": {lab.Fault{Service: "iam", Action: "UpdateAssumeRolePolicy", Resource: deployment.CanaryTarget, Kind: lab.AccessDenied}, canary.Unreachable},
		"T14, no target":         {lab.Fault{Service: "iam", Action: "GetRole", Resource: deployment.CanaryTarget, Kind: lab.NotFound}, canary.Unreachable},
		"throttled for good":     {lab.Fault{Service: "iam", Action: "GetRole", Account: prod, Resource: deployment.CanaryTarget, Kind: lab.Throttle}, canary.Unknown},
		"throttled for a moment": {lab.Fault{Service: "iam", Action: "UpdateAssumeRolePolicy", Resource: deployment.CanaryTarget, Kind: lab.Throttle, Times: 1}, canary.Reached},
		"the answer gets lost":   {lab.Fault{Service: "iam", Action: "UpdateAssumeRolePolicy", Resource: deployment.CanaryTarget, Kind: lab.TimeoutAfter}, canary.Unknown},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHouse(t)
			h.run()
			h.guards(time.Second)
			remove := h.lab.Inject(c.fault)
			r := h.run()
			if a := is(t, r, prod, c.want); strings.Contains(a.Why, external) {
				t.Error("the reason shows the external id")
			}
			if quiet := len(h.told) == 0; quiet != (c.want == canary.Reached) {
				t.Errorf("%d alerts", len(h.told))
			}
			remove()
			h.guards(time.Second)
			is(t, h.run(), prod, canary.Reached)
		})
	}
}

// Somebody opens the canary's own role: guard tells of it and may not write it,
// and the canary tells of it and puts its own document back.
func TestAnOpenedCanaryRoleIsToldAndClosed(t *testing.T) {
	h := newHouse(t)
	h.run()
	h.guards(time.Second)
	_, err := h.admin(prod).UpdateAssumeRolePolicy(t.Context(), &iam.UpdateAssumeRolePolicyInput{
		RoleName:       aws.String(deployment.CanaryTarget),
		PolicyDocument: aws.String(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::` + outsider + `:root"},"Action":"sts:AssumeRole"}]}`),
	})
	h.must(err)
	h.guards(time.Second)
	if len(h.told) != 1 || h.told[0].Verdict != "Noncompliant" || h.told[0].Decision.Action != "Hold" || h.told[0].Outcome.Done != "Ignore" {
		t.Errorf("guard told %+v", h.told)
	}
	r := h.run()
	is(t, r, prod, canary.Missed)
	is(t, r, dev, canary.Reached)
	if len(h.told) != 1 || h.told[0].Account != prod || !strings.Contains(h.told[0].Reasons[0], "somebody changed") {
		t.Errorf("told %+v", h.told)
	}
	h.guards(time.Second)
	if a := is(t, h.run(), prod, canary.Reached); a.Took != time.Second {
		t.Errorf("it took %s", a.Took)
	}
}

// The canary's sessions can do nothing but their work: every IAM call of a run
// is on the target, under the names that the member roles ask for.
func TestTheCanaryTouchesNothingElse(t *testing.T) {
	h := newHouse(t)
	h.lab.ResetCalls()
	h.run()
	n := 0
	for _, c := range h.lab.Calls() {
		if c.SourceIdentity != actions.CanarySourceIdentity {
			continue
		}
		if n++; c.Service != "iam" || c.Action != "GetRole" && c.Action != "UpdateAssumeRolePolicy" || c.Resource != deployment.CanaryTarget || c.ErrorCode != "" {
			t.Errorf("%+v", c)
		}
	}
	if n != 6 {
		t.Errorf("%d calls, want two in each account", n)
	}
}

// T71: with an account's rule off, its target is deleted and made anew before
// each run, as it is deployed. Guard has remembered the one before by its name,
// so no run takes it for a first time.
func TestT71ATargetMadeAnewInTheLabIsTold(t *testing.T) {
	h := newHouse(t)
	h.run()
	h.guards(time.Second)
	h.off[prod] = true
	world := grants.World{Partition: "aws", Region: "us-east-1", Hub: hub, Organization: orgID, ExternalID: external, Account: prod}
	for range 24 {
		_, err := h.admin(prod).DeleteRole(t.Context(), &iam.DeleteRoleInput{RoleName: aws.String(deployment.CanaryTarget)})
		h.must(err)
		h.role(prod, deployment.CanaryPath, deployment.CanaryTarget, grants.CanaryTargetTrust(world), grants.Document{})
		r := h.run()
		if a := is(t, r, prod, canary.Missed); !strings.Contains(a.Why, "made anew") || len(h.told) != 1 || h.told[0].Account != prod {
			t.Fatalf("%s, told %+v", a.Why, h.told)
		}
		is(t, r, dev, canary.Reached)
		h.guards(time.Second)
	}
	h.off[prod] = false
	h.run()
	h.guards(time.Second)
	is(t, h.run(), prod, canary.Reached)
}

// T71: nor does it help to have guard forget it: to open the role, so that an
// alert is open, and to delete it while guard still sees that.
func TestT71ATargetWhoseAlertEndedIsRemembered(t *testing.T) {
	h := newHouse(t)
	h.run()
	h.guards(time.Second)
	_, err := h.admin(prod).UpdateAssumeRolePolicy(t.Context(), &iam.UpdateAssumeRolePolicyInput{
		RoleName:       aws.String(deployment.CanaryTarget),
		PolicyDocument: aws.String(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::` + outsider + `:root"},"Action":"sts:AssumeRole"}]}`),
	})
	h.must(err)
	h.guards(time.Second)
	_, err = h.admin(prod).DeleteRole(t.Context(), &iam.DeleteRoleInput{RoleName: aws.String(deployment.CanaryTarget)})
	h.must(err)
	h.guards(time.Second)
	world := grants.World{Partition: "aws", Region: "us-east-1", Hub: hub, Organization: orgID, ExternalID: external, Account: prod}
	h.off[prod] = true
	h.role(prod, deployment.CanaryPath, deployment.CanaryTarget, grants.CanaryTargetTrust(world), grants.Document{})
	is(t, h.run(), prod, canary.Missed)
}
