package doctor_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/rolewarden/rolewarden/pkg/decision"
	"github.com/rolewarden/rolewarden/pkg/deployment"
	"github.com/rolewarden/rolewarden/pkg/doctor"
	"github.com/rolewarden/rolewarden/pkg/grants"
	"github.com/rolewarden/rolewarden/pkg/notify"
	"github.com/rolewarden/rolewarden/pkg/role"
	"github.com/rolewarden/rolewarden/pkg/trail"
)

const (
	hub    = "555555555555"
	boss   = "999999999999" // the management account
	prod   = "111122223333"
	test   = "777788889999"
	orgID  = "o-exampleorgid"
	usEast = "us-east-1"
	hook   = "https://hooks.slack.com/services/T0EXAMPLE/B0EXAMPLE/notforanyone"
)

func today() time.Time { return time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC) }

// account is an AWS as one account sees it: what is not in it does not exist,
// and what fails fails with the error that is written beside the call's name.
type account struct {
	caller        doctor.Caller
	trails        map[string][]doctor.Trail
	organization  doctor.Organization
	accounts      []doctor.Account
	below         []string
	roots         []doctor.Root
	units         map[string]string
	trusted       []string
	delegated     []string
	attached      map[string][]string
	stacks        map[string]doctor.Stack
	sets          map[string]doctor.StackSet
	instances     map[string][]doctor.Instance
	buses         map[string]doctor.Bus
	rules         map[string]doctor.Rule // by region/bus/name
	alarms        []doctor.Alarm
	subscriptions map[string][]doctor.Subscription
	queues        map[string]int
	secrets       map[string]string
	kill          decision.Switch
	ledger        bool // whether the table is there
	lambda        doctor.Concurrency

	fails map[string]error
	calls []string
}

// has answers a call: its error, or not found.
func (a *account) has(call string, found bool) error {
	a.calls = append(a.calls, call)
	if err := a.fails[call]; err != nil {
		return err
	}
	if !found {
		return &doctor.Refusal{Needs: call, Err: role.ErrNotFound}
	}
	return nil
}

func get[T any](a *account, call string, m map[string]T, key string) (T, error) {
	v, ok := m[key]
	if err := a.has(call, ok); err != nil {
		var none T
		return none, err
	}
	return v, nil
}

func (a *account) Caller(context.Context) (doctor.Caller, error) {
	return a.caller, a.has("sts:GetCallerIdentity", true)
}

func (a *account) Trails(_ context.Context, region string) ([]doctor.Trail, error) {
	return a.trails[region], a.has("cloudtrail:DescribeTrails", true)
}

func (a *account) Organization(context.Context) (doctor.Organization, error) {
	return a.organization, a.has("organizations:DescribeOrganization", a.organization.ID != "")
}

func (a *account) Accounts(context.Context) ([]doctor.Account, error) {
	return a.accounts, a.has("organizations:ListAccounts", true)
}

func (a *account) Below(context.Context, []string) ([]string, error) {
	return append([]string{}, a.below...), a.has("organizations:ListAccountsForParent", true)
}

func (a *account) Roots(context.Context) ([]doctor.Root, error) {
	return a.roots, a.has("organizations:ListRoots", true)
}

func (a *account) Unit(_ context.Context, id string) (string, error) {
	return get(a, "organizations:DescribeOrganizationalUnit", a.units, id)
}

func (a *account) Trusted(context.Context) ([]string, error) {
	return a.trusted, a.has("organizations:ListAWSServiceAccessForOrganization", true)
}

func (a *account) Delegated(_ context.Context, service string) ([]string, error) {
	if service != "member.org.stacksets.cloudformation.amazonaws.com" {
		return nil, errors.New("asked for " + service)
	}
	return a.delegated, a.has("organizations:ListDelegatedAdministrators", true)
}

func (a *account) Attached(_ context.Context, target, kind string) ([]string, error) {
	return a.attached[target+"/"+kind], a.has("organizations:ListPoliciesForTarget", true)
}

func (a *account) Stack(_ context.Context, region, name string) (doctor.Stack, error) {
	if region != usEast && !strings.HasSuffix(name, region) {
		return doctor.Stack{}, errors.New("asked for " + name + " in " + region)
	}
	return get(a, "cloudformation:DescribeStacks", a.stacks, name)
}

func (a *account) StackSet(_ context.Context, name string) (doctor.StackSet, error) {
	return get(a, "cloudformation:DescribeStackSet", a.sets, name)
}

func (a *account) Instances(_ context.Context, name string) ([]doctor.Instance, error) {
	return get(a, "cloudformation:ListStackInstances", a.instances, name)
}

func (a *account) Bus(_ context.Context, region, name string) (doctor.Bus, error) {
	return get(a, "events:DescribeEventBus", a.buses, region+"/"+name)
}

func (a *account) Rule(_ context.Context, region, bus, name string) (doctor.Rule, error) {
	return get(a, "events:DescribeRule", a.rules, region+"/"+bus+"/"+name)
}

func (a *account) RuleNames(_ context.Context, region, bus, prefix string) ([]string, error) {
	var out []string
	for at, r := range a.rules {
		if strings.HasPrefix(at, region+"/"+bus+"/"+prefix) {
			out = append(out, r.Name)
		}
	}
	return out, a.has("events:ListRules", true)
}

func (a *account) Alarms(context.Context, string) ([]doctor.Alarm, error) {
	return a.alarms, a.has("cloudwatch:DescribeAlarms", true)
}

func (a *account) Subscriptions(_ context.Context, topic string) ([]doctor.Subscription, error) {
	return get(a, "sns:ListSubscriptionsByTopic", a.subscriptions, topic)
}

func (a *account) Waiting(_ context.Context, queue string) (int, error) {
	return get(a, "sqs:GetQueueAttributes", a.queues, queue)
}

func (a *account) Value(_ context.Context, id string) (notify.Secret, error) {
	v, err := get(a, "secretsmanager:GetSecretValue", a.secrets, id)
	return notify.NewSecret(v), err
}

func (a *account) Switch(context.Context) (decision.Switch, error) {
	return a.kill, a.has("dynamodb:GetItem", a.ledger)
}

func (a *account) Concurrency(context.Context) (doctor.Concurrency, error) {
	return a.lambda, a.has("lambda:GetAccountSettings", true)
}

// load reads the sample for an organization, with Slack.
func load(t *testing.T, way string) *deployment.Deployment {
	t.Helper()
	file := "organization.yaml"
	if way == "single" {
		file = "single.yaml"
	}
	d, err := deployment.Load("../../testdata/deployments/"+file, deployment.Override{Way: way}, today())
	if err != nil {
		t.Fatal(err)
	}
	d.Slack = deployment.Present
	return d
}

// everything takes the management events of reads and writes.
func everything() []doctor.Selector {
	return []doctor.Selector{{{Name: "eventCategory", Equals: []string{"Management"}}}}
}

// orgTrail records everything of everybody.
func orgTrail() doctor.Trail {
	return doctor.Trail{
		Name: "org-trail", ARN: "arn:aws:cloudtrail:us-east-1:" + boss + ":trail/org-trail", Home: usEast,
		Reach: doctor.EveryRegion, Global: doctor.WithGlobal, Owner: doctor.WholeOrganization,
		Logging: doctor.Recording, Selectors: everything(),
	}
}

// well is an organization in which rolewarden was deployed as the file says,
// seen from an account.
func well(d *deployment.Deployment, who string) *account {
	a := prepared(d, who)
	stack := func(name string, outputs map[string]string) {
		a.stacks[name] = doctor.Stack{Name: name, Status: "UPDATE_COMPLETE", Drift: "NOT_CHECKED", Outputs: outputs}
	}
	outputs := map[string]string{doctor.RulesHashOutput: d.Rules.Hash}
	stack(deployment.SingleStack, outputs)
	stack(deployment.HubStack, outputs)
	stack(deployment.MembersStack, nil)
	stack(deployment.ManagementStack, nil)
	set := doctor.StackSet{Status: "ACTIVE", Permission: "SERVICE_MANAGED", AutoDeploy: "enabled", Targets: d.Targets, Drift: "IN_SYNC", DriftAt: today().Add(-24 * time.Hour)}
	for name, region := range map[string]string{deployment.MemberStackSet: usEast, deployment.CanaryStackSet: usEast, deployment.RegionalStackSet: "eu-west-1"} {
		set.Name = name
		set.Drift = "IN_SYNC"
		if name == deployment.CanaryStackSet {
			set.Drift = "DRIFTED" // as it should
		}
		a.sets[name] = set
		for _, id := range []string{prod, test, hub} {
			a.instances[name] = append(a.instances[name], doctor.Instance{Account: id, Region: region, Status: "CURRENT", Detail: "SUCCEEDED", Drift: set.Drift})
		}
	}
	a.route(d)
	a.watch(d)
	return a
}

// prepared is an organization in which all is ready and nothing is deployed.
func prepared(d *deployment.Deployment, who string) *account {
	return &account{
		caller:       doctor.Caller{Account: who, ARN: "arn:aws:sts::" + who + ":assumed-role/admin/alice"},
		trails:       map[string][]doctor.Trail{usEast: {orgTrail()}, "eu-west-1": {orgTrail()}},
		organization: doctor.Organization{ID: orgID, Management: boss, Features: "ALL"},
		accounts:     []doctor.Account{{ID: boss, Name: "root"}, {ID: hub, Name: "security"}, {ID: prod, Name: "prod"}, {ID: test, Name: "test"}},
		below:        []string{prod, test, hub, boss},
		roots:        []doctor.Root{{ID: "r-abcd", PolicyTypes: []string{"SERVICE_CONTROL_POLICY", "RESOURCE_CONTROL_POLICY"}}},
		units:        map[string]string{"ou-abcd-11111111": "workloads"},
		trusted:      []string{"cloudtrail.amazonaws.com", "member.org.stacksets.cloudformation.amazonaws.com"},
		delegated:    []string{hub},
		stacks:       map[string]doctor.Stack{"CDKToolkit": {Name: "CDKToolkit", Status: "CREATE_COMPLETE", Outputs: map[string]string{"BootstrapVersion": "25"}}},
		sets:         map[string]doctor.StackSet{}, instances: map[string][]doctor.Instance{},
		buses: map[string]doctor.Bus{}, rules: map[string]doctor.Rule{},
		subscriptions: map[string][]doctor.Subscription{}, queues: map[string]int{}, secrets: map[string]string{},
		attached: map[string][]string{}, fails: map[string]error{},
		lambda: doctor.Concurrency{Quota: 1000, Unreserved: 1000},
	}
}

func here(service, name string) string {
	return "arn:aws:" + service + ":us-east-1:" + hub + ":" + name
}

// route adds buses and rules, and the guarding policies.
func (a *account) route(d *deployment.Deployment) {
	w := grants.World{Partition: "aws", Region: usEast, Hub: hub, Organization: orgID}
	a.buses[usEast+"/rolewarden"] = doctor.Bus{Name: "rolewarden", Policy: grants.Bus(w).JSON()}
	patterns := trail.Patterns(trail.PatternOptions{AssumeRole: d.AssumeRoleRoles()})
	add := func(region, bus, name, pattern, target string) {
		r := doctor.Rule{Name: name, State: "ENABLED", Pattern: pattern, Targets: []doctor.Target{{ARN: target, DeadLetters: here("sqs", "rolewarden-rule-dlq")}}}
		if strings.Contains(target, ":event-bus/") {
			r.Targets = []doctor.Target{{ARN: target, Role: "arn:aws:iam::" + a.caller.Account + ":role/rolewarden/rolewarden-events"}}
		}
		if strings.Contains(name, "assume-role") {
			r.State = "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS"
		}
		a.rules[region+"/"+bus+"/"+name] = r
	}
	queue, bus, home := here("sqs", "rolewarden-intake"), here("events", "event-bus/rolewarden"), here("events", "event-bus/default")
	add(usEast, "rolewarden", "rolewarden-intake", patterns[0], queue)
	add(usEast, "default", "rolewarden-intake", patterns[0], queue)
	add(usEast, "default", "rolewarden-forward", patterns[0], bus)
	for _, p := range patterns[1:] {
		add(usEast, "rolewarden", "rolewarden-assume-role-1", p, queue)
		add(usEast, "default", "rolewarden-assume-role-1", p, bus)
		add("eu-west-1", "default", "rolewarden-assume-role-1", p, bus)
		if a.caller.Account == hub { // one account, where nothing is forwarded but from other Regions
			add(usEast, "default", "rolewarden-assume-role-1", p, queue)
			add("eu-west-1", "default", "rolewarden-assume-role-1", p, home)
		}
	}
	for _, s := range d.Schedules() {
		to := doctor.Target{ARN: here("lambda", "function:"+s.Function), DeadLetters: here("sqs", "rolewarden-rule-dlq")}
		if s.Input != "" {
			to.Input = doctor.Transformed
		}
		a.rules[usEast+"/default/"+s.Rule] = doctor.Rule{Name: s.Rule, State: "ENABLED", Schedule: s.Expression(), Targets: []doctor.Target{to}}
	}
	a.attached["ou-abcd-11111111/SERVICE_CONTROL_POLICY"] = []string{"FullAWSAccess", "rolewarden-scp"}
	a.attached["ou-abcd-11111111/RESOURCE_CONTROL_POLICY"] = []string{"RCPFullAWSAccess", "rolewarden-rcp"}
}

// watch adds alarms, topics, queues, the secret and the kill switch.
func (a *account) watch(d *deployment.Deployment) {
	for _, w := range d.Alarms() {
		a.alarms = append(a.alarms, doctor.Alarm{Name: w.Name, State: "OK", Metric: w.Namespace + " " + w.Metric, Actions: []string{here("sns", "rolewarden-alarms")}})
	}
	for _, topic := range []string{"rolewarden-alarms", "rolewarden-alerts"} {
		a.subscriptions[here("sns", topic)] = []doctor.Subscription{{Protocol: "email", Confirmed: doctor.Confirmed}}
	}
	for _, q := range append(d.Queues(), "rolewarden-rule") {
		a.queues[q+"-dlq"] = 0
	}
	a.queues[deployment.SweepQueue] = 0
	a.secrets["rolewarden/slack-webhook"] = hook
	a.kill, a.ledger = decision.WritesAllowed, true
}

// examine looks at an account as its seat and time say.
func examine(t *testing.T, d *deployment.Deployment, a *account, when doctor.When, seat doctor.Seat) map[string]doctor.Result {
	t.Helper()
	out := map[string]doctor.Result{}
	for _, r := range doctor.Examine(t.Context(), doctor.Config{Deployment: d, AWS: a, When: when, Seat: seat, Now: today()}) {
		out[r.Check] = r
	}
	return out
}
