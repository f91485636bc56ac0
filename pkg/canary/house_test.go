package canary_test

import (
	"context"
	"log/slog"
	"net/url"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"

	"github.com/rolewarden/rolewarden/pkg/alert"
	"github.com/rolewarden/rolewarden/pkg/awsapi"
	"github.com/rolewarden/rolewarden/pkg/awsapi/actions"
	"github.com/rolewarden/rolewarden/pkg/canary"
	"github.com/rolewarden/rolewarden/pkg/deployment"
	"github.com/rolewarden/rolewarden/pkg/grants"
	"github.com/rolewarden/rolewarden/pkg/guard"
	"github.com/rolewarden/rolewarden/pkg/lab"
	"github.com/rolewarden/rolewarden/pkg/ledger"
	"github.com/rolewarden/rolewarden/pkg/meter"
	"github.com/rolewarden/rolewarden/pkg/notify"
	"github.com/rolewarden/rolewarden/pkg/org"
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
	// off are the accounts whose events do not come through, rules what
	// EventBridge shows of their rules, which the lab does not know.
	off   map[string]bool
	rules map[string]canary.Rule
	// events and steps are what waits for guard.
	events  [][]byte
	steps   []guard.Step
	told    []alert.Alert
	samples []meter.Sample
}

func newHouse(t *testing.T) *house {
	h := &house{t: t, now: time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC), ledger: ledger.NewMemory(), off: map[string]bool{}, rules: map[string]canary.Rule{hub: deployed(), prod: deployed(), dev: deployed()}}
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
		WriterRole: "rolewarden/" + deployment.CanaryWriterRole, Target: "rolewarden-canary/" + deployment.CanaryTarget, Rule: deployment.ForwardRule,
	})
	h.must(err)
	h.canary, err = canary.New(canary.Config{
		Accounts: h, Sessions: ruled{sessions, h.rules}, Ledger: h.ledger, Channel: h, Meter: h, Now: h.clock, Log: slog.New(slog.DiscardHandler), Parallel: 1,
	})
	h.must(err)
}

// ruled shows rules in sessions of the lab.
type ruled struct {
	canary.Sessions
	rules map[string]canary.Rule
}

// Open implements canary.Sessions.
func (r ruled) Open(ctx context.Context, account string) (canary.Session, error) {
	s, err := r.Sessions.Open(ctx, account)
	if err != nil {
		return nil, err
	}
	return ruledSession{s, r.rules[account]}, nil
}

type ruledSession struct {
	canary.Session
	rule canary.Rule
}

// Rule implements canary.Session.
func (r ruledSession) Rule(context.Context) (canary.Rule, error) { return r.rule, nil }

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
