package canary_test

import (
	"context"
	"log/slog"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"

	"github.com/rolewarden/rolewarden/pkg/alert"
	"github.com/rolewarden/rolewarden/pkg/awsapi"
	"github.com/rolewarden/rolewarden/pkg/awsapi/actions"
	"github.com/rolewarden/rolewarden/pkg/canary"
	"github.com/rolewarden/rolewarden/pkg/deployment"
	"github.com/rolewarden/rolewarden/pkg/finding"
	"github.com/rolewarden/rolewarden/pkg/grants"
	"github.com/rolewarden/rolewarden/pkg/guard"
	"github.com/rolewarden/rolewarden/pkg/lab"
	"github.com/rolewarden/rolewarden/pkg/ledger"
	"github.com/rolewarden/rolewarden/pkg/meter"
	"github.com/rolewarden/rolewarden/pkg/notify"
	"github.com/rolewarden/rolewarden/pkg/org"
	"github.com/rolewarden/rolewarden/pkg/policy"
	"github.com/rolewarden/rolewarden/pkg/role"
)

const (
	hub      = "555555555555"
	outsider = "999999999999"
	orgID    = "o-exampleorgid"
	external = "example-external-id"
	houseYML = `
version: 1
organization:
  id: o-exampleorgid
  management: "555555555555"
  complete: true
  accounts:
    - {id: "555555555555", name: hub}
    - {id: "111122223333", name: prod}
    - {id: "444455556666", name: dev}
modes: {default: enforce}
`
)

// house is an organization in the lab with rolewarden in it: the roles and
// documents that are deployed, guard's whole line, and the canary.
type house struct {
	t      *testing.T
	now    time.Time
	lab    *lab.Lab
	url    string
	ledger *ledger.Memory
	guard  *guard.Guard
	canary *canary.Canary
	// off are the accounts whose rule is disabled.
	off map[string]bool
	// events and steps are what waits for guard.
	events  [][]byte
	steps   []guard.Step
	told    []alert.Alert
	samples []meter.Sample
}

func newHouse(t *testing.T) *house {
	h := &house{t: t, now: time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC), ledger: ledger.NewMemory(), off: map[string]bool{}}
	var err error
	h.lab, err = lab.New(lab.Config{
		OrganizationID: orgID, ManagementAccount: hub, Now: h.clock,
		Accounts: []lab.Account{{ID: hub, Name: "hub"}, {ID: prod, Name: "prod"}, {ID: dev, Name: "dev"}, {ID: outsider, Name: "mallory", Outside: true}},
	})
	h.must(err)
	server, err := h.lab.Start("127.0.0.1:0")
	h.must(err)
	t.Cleanup(func() { _ = server.Close() })
	h.url = server.URL
	h.deploy()
	h.lab.OnEvent(func(e lab.Envelope) {
		if !h.off[e.Account] {
			h.events = append(h.events, e.Raw)
		}
	})
	h.start()
	return h
}

func (h *house) must(err error) {
	h.t.Helper()
	if err != nil {
		h.t.Fatal(err)
	}
}

func (h *house) clock() time.Time { return h.now }

// deploy makes the roles of hub and members from the documents that are
// deployed, so that what they forbid is forbidden here.
func (h *house) deploy() {
	world := grants.World{Partition: "aws", Region: "us-east-1", Hub: hub, Organization: orgID, ExternalID: external}
	for name, function := range map[string]string{deployment.GuardRole: actions.Guard, deployment.CanaryRole: actions.Canary} {
		h.role(hub, deployment.Path, name, grants.FunctionTrust(world, function), grants.Function(world, function, grants.Resources{}))
	}
	for _, account := range []string{hub, prod, dev} {
		world.Account = account
		h.role(account, deployment.Path, deployment.ReaderRole, grants.ReaderTrust(world), grants.Reader(world))
		h.role(account, deployment.Path, deployment.RemediatorRole, grants.RemediatorTrust(world), grants.Remediator(world))
		h.role(account, deployment.Path, deployment.CanaryWriterRole, grants.CanaryWriterTrust(world), grants.CanaryWriter(world))
		h.role(account, deployment.CanaryPath, deployment.CanaryTarget, grants.CanaryTargetTrust(world), grants.Document{})
	}
}

func (h *house) role(account, path, name string, trust, may grants.Document) {
	client := h.admin(account)
	_, err := client.CreateRole(h.t.Context(), &iam.CreateRoleInput{Path: &path, RoleName: &name, AssumeRolePolicyDocument: aws.String(trust.JSON())})
	h.must(err)
	if len(may.Statement) > 0 {
		_, err = client.PutRolePolicy(h.t.Context(), &iam.PutRolePolicyInput{RoleName: &name, PolicyName: aws.String("rolewarden"), PolicyDocument: aws.String(may.JSON())})
		h.must(err)
	}
}

func (h *house) admin(account string) *iam.Client {
	keys, err := h.lab.Admin(account)
	h.must(err)
	return iam.NewFromConfig(awsapi.Fixed(awsapi.Keys{Endpoint: h.url, Region: "us-east-1", AccessKeyID: keys.AccessKeyID, SecretAccessKey: keys.SecretAccessKey}))
}

// function gives the credentials that Lambda gives a function.
func (h *house) function(name string) aws.Config {
	keys, err := h.lab.AssumeAsService(lab.ServiceCall{
		Service: "lambda.amazonaws.com", RoleARN: "arn:aws:iam::" + hub + ":role" + deployment.Path + name, SessionName: name, SourceAccount: hub,
	})
	h.must(err)
	return awsapi.Fixed(awsapi.Keys{Endpoint: h.url, Region: "us-east-1", AccessKeyID: keys.AccessKeyID, SecretAccessKey: keys.SecretAccessKey, SessionToken: keys.SessionToken})
}

// start wires guard and the canary as the functions do, under fresh credentials.
func (h *house) start() {
	rules, err := org.Parse("rules.yaml", []byte(houseYML), h.now)
	h.must(err)
	own := h.function(deployment.GuardRole)
	accounts, err := awsapi.NewAccounts(awsapi.Config{
		AWS: own, Now: h.clock, ExternalID: awsapi.NewSecret(external), ReaderRole: "rolewarden/rolewarden-reader", WriterRole: "rolewarden/rolewarden-remediator",
	})
	h.must(err)
	h.guard, err = guard.New(guard.Config{
		Rules: rules, Reader: accounts, Writers: accounts, Members: awsapi.NewMembership(awsapi.MembershipConfig{AWS: own}),
		Ledger: h.ledger, Channel: h, Later: h, Now: h.clock, Log: slog.New(slog.DiscardHandler),
		Wait: func(_ context.Context, d time.Duration) error { h.now = h.now.Add(d); return nil },
	})
	h.must(err)
	sessions, err := awsapi.NewCanarySessions(awsapi.CanaryConfig{
		AWS: h.function(deployment.CanaryRole), Now: h.clock, ExternalID: awsapi.NewSecret(external),
		WriterRole: "rolewarden/" + deployment.CanaryWriterRole, Target: "rolewarden-canary/" + deployment.CanaryTarget,
	})
	h.must(err)
	h.canary, err = canary.New(canary.Config{
		Accounts: h, Sessions: sessions, Ledger: h.ledger, Channel: h, Meter: h, Now: h.clock, Log: slog.New(slog.DiscardHandler), Parallel: 1,
	})
	h.must(err)
}

// Accounts implements canary.Accounts.
func (h *house) Accounts(context.Context) ([]string, error) { return []string{hub, prod, dev}, nil }

// Put implements canary.Meter.
func (h *house) Put(s ...meter.Sample) { h.samples = append(h.samples, s...) }

// Name implements notify.Channel.
func (h *house) Name() string { return "test" }

// Notify implements notify.Channel.
func (h *house) Notify(_ context.Context, a alert.Alert) (notify.Retry, error) {
	h.told = append(h.told, a)
	return notify.Retry{}, nil
}

// Send implements guard.Later.
func (h *house) Send(_ context.Context, s guard.Step) error {
	h.steps = append(h.steps, s)
	return nil
}

// guards lets some time pass, then lets guard handle every event that waits and
// every step that comes of it, and gives what it did.
func (h *house) guards(after time.Duration) []guard.Result {
	h.now = h.now.Add(after)
	var out []guard.Result
	for _, e := range h.events {
		r, err := h.guard.Handle(h.t.Context(), e)
		h.must(err)
		out = append(out, r)
	}
	h.events = nil
	for i := 0; i < len(h.steps) && i < 100; i++ {
		h.now = h.now.Add(max(0, h.steps[i].NotBefore.Sub(h.now)))
		body, err := h.steps[i].Body()
		h.must(err)
		r, err := h.guard.HandleStep(h.t.Context(), body)
		h.must(err)
		out = append(out, r)
	}
	h.steps = nil
	return out
}

// run lets an hour pass and runs the canary.
func (h *house) run() canary.Report {
	h.t.Helper()
	h.now, h.told, h.samples = h.now.Add(time.Hour), nil, nil
	h.start()
	r, err := h.canary.Run(h.t.Context())
	h.must(err)
	return r
}

// target reads the canary's role as its account's administrator sees it.
func (h *house) target(account string) role.Role {
	out, err := h.admin(account).GetRole(h.t.Context(), &iam.GetRoleInput{RoleName: aws.String(deployment.CanaryTarget)})
	h.must(err)
	text, err := url.PathUnescape(*out.Role.AssumeRolePolicyDocument)
	h.must(err)
	return role.Role{Partition: "aws", Account: account, ID: *out.Role.RoleId, TrustPolicy: text}
}

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
