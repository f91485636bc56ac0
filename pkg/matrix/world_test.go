package matrix

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"

	"github.com/rolewarden/rolewarden/pkg/alert"
	"github.com/rolewarden/rolewarden/pkg/awsapi"
	"github.com/rolewarden/rolewarden/pkg/awsapi/actions"
	"github.com/rolewarden/rolewarden/pkg/deployment"
	"github.com/rolewarden/rolewarden/pkg/grants"
	"github.com/rolewarden/rolewarden/pkg/guard"
	"github.com/rolewarden/rolewarden/pkg/lab"
	"github.com/rolewarden/rolewarden/pkg/ledger"
	"github.com/rolewarden/rolewarden/pkg/meter"
	"github.com/rolewarden/rolewarden/pkg/notify"
	"github.com/rolewarden/rolewarden/pkg/org"
	"github.com/rolewarden/rolewarden/pkg/policy"
	"github.com/rolewarden/rolewarden/pkg/role"
	"github.com/rolewarden/rolewarden/pkg/sweep"
	"github.com/rolewarden/rolewarden/pkg/trail"
)

const (
	hub  = "555555555555"
	prod = "111122223333"
	// trial is where roles are tagged and no more: one account less to sweep.
	trial   = hub
	foreign = "999999999999"
	region  = "us-east-1"

	organization = "o-exampleorgid"
	externalID   = "external-id-that-nobody-may-see"

	alice = "arn:aws:iam::111122223333:user/alice"

	closed  = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:user/alice"},"Action":"sts:AssumeRole","Condition":{"StringLike":{"sts:RoleSessionName":"${aws:username}"}}}]}`
	narrow  = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:user/alice"},"Action":"sts:AssumeRole","Condition":{"StringEquals":{"sts:RoleSessionName":"${aws:username}"}}}]}`
	onlyEC2 = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole"}]}`
	mixed   = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole"},{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:user/alice"},"Action":"sts:AssumeRole","Condition":{"StringLike":{"sts:RoleSessionName":"${aws:username}"}}}]}`
	opened  = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::999999999999:root"},"Action":"sts:AssumeRole"}]}`
	public  = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"*"},"Action":"sts:AssumeRole"}]}`
)

// rulesFile enforces everywhere but in the hub, where it tags.
const rulesFile = `
version: 1
organization:
  id: o-exampleorgid
  management: "555555555555"
  accounts:
    - {id: "555555555555", name: security}
    - {id: "111122223333", name: prod}
modes:
  default: enforce
  accounts:
    "555555555555": tag
containment:
  rules: [public-principal]
pruning:
  orphans: true
`

// start is when every world begins.
func start() time.Time { return time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC) }

// immutable is what all worlds share.
type immutable struct {
	rules *org.Rules
	// guard, sweep and sealKey are what the hub's roles and key allow, trust who
	// may be the functions.
	guard, sweep, trust, sealKey string
	members                      map[string]member
}

// member are the documents of a member account's roles.
type member struct{ readers, reader, writers, writer string }

var shared = sync.OnceValues(func() (immutable, error) {
	rules, err := org.Parse("rules.yaml", []byte(rulesFile), start())
	if err != nil {
		return immutable{}, err
	}
	w := grants.World{Partition: "aws", Region: region, Hub: hub, Organization: organization, ExternalID: externalID, Account: prod}
	here := func(service, resource string) string {
		return "arn:aws:" + service + ":" + region + ":" + hub + ":" + resource
	}
	key := here("kms", "key/11111111-2222-3333-4444-555555555555")
	later := here("sqs", deployment.LaterQueue)
	own := grants.Resources{
		Table: here("dynamodb", "table/"+deployment.Table), Topic: here("sns", deployment.AlertTopic), SealKey: key,
		Consumes: []string{here("sqs", deployment.IntakeQueue), later}, Sends: []string{later},
		LogGroup: here("logs", "log-group:x:*"),
	}
	swept := own
	swept.Consumes, swept.Sends = []string{here("sqs", deployment.SweepQueue)}, []string{later, here("sqs", deployment.SweepQueue)}
	members := map[string]member{}
	for _, account := range []string{hub, prod} {
		w.Account = account
		members[account] = member{grants.ReaderTrust(w).JSON(), grants.Reader(w).JSON(), grants.RemediatorTrust(w).JSON(), grants.Remediator(w).JSON()}
	}
	return immutable{
		rules: rules, members: members, trust: grants.FunctionTrust(w, actions.Guard).JSON(),
		guard: grants.Function(w, actions.Guard, own).JSON(), sweep: grants.Function(w, actions.Sweep, swept).JSON(),
		sealKey: grants.SealKeyPolicy(w).JSON(),
	}, nil
})

// message is one message of a queue.
type message struct {
	queue string
	body  string
	due   time.Time
	tries int
}

// The queues. Lambda takes messages from them, which is no call of ours.
const (
	intake = deployment.IntakeQueue
	later  = deployment.LaterQueue
	swept  = deployment.SweepQueue
)

// visibility is for how long a message that failed stays out of sight, and
// mostTries how often it is handed out before it goes to the dead-letter queue.
const (
	visibility = 3 * time.Minute
	mostTries  = 5
)

// published is an alert as SNS took it.
type published struct {
	at    time.Time
	id    string
	alert alert.Alert
	raw   string
}

// world is an organization in a lab, with rolewarden at work in it as it is
// deployed. Time is the bubble's: it passes when everybody waits.
type world struct {
	t       testing.TB
	rules   *org.Rules
	lab     *lab.Lab
	wire    *Wire
	admins  map[string]*iam.Client
	topic   string
	key     string
	queue   map[string]string
	waiting []message
	dead    []message
	told    []published
	// keys are the events that were received, documents what rolewarden wrote.
	keys   []ledger.Key
	wrote  []written
	log    bytes.Buffer
	errors []string
	ends   []string
	// crashes counts the functions that crashed.
	crashes int
	guard   *running
	sweep   *running
	memory  *awsapi.Dynamo
	// intents are when the ledger first knew of each decision that writes.
	intents map[string]time.Time
	// cures end what goes wrong beside the cell's fault.
	cures []func()
	// unbegun says that a sweep failed to begin, as often as Lambda tries: the
	// function's alarm rings.
	unbegun bool
	// multiplies says that messages led to more and more of them.
	multiplies bool
	// well says that nothing goes wrong any more.
	well bool
	// stopped says that the kill switch is off.
	stopped bool
	// loose says that events are not handed on, as before the start of a story.
	loose bool
}

// running is a function at work.
type running struct {
	process *Process
	ctx     context.Context
	began   time.Time
	guard   *guard.Guard
	sweeper *sweep.Sweeper
}

// written is a trust policy that rolewarden wrote.
type written struct {
	at                      time.Time
	account, role, document string
}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

// newWorld makes one. It belongs in a bubble of testing/synctest.
func newWorld(t testing.TB) *world {
	t.Helper()
	same, err := shared()
	if err != nil {
		t.Fatal(err)
	}
	time.Sleep(time.Until(start()))
	w := &world{t: t, rules: same.rules, admins: map[string]*iam.Client{}, queue: map[string]string{}, intents: map[string]time.Time{}}
	w.lab, err = lab.New(lab.Config{
		OrganizationID: organization, ManagementAccount: hub, Now: time.Now,
		Accounts: []lab.Account{{ID: hub}, {ID: prod}, {ID: foreign, Outside: true}},
	})
	w.must(err)
	w.wire = NewWire(w.lab, map[string]actions.Session{deployment.ReaderRole: actions.Reader, deployment.RemediatorRole: actions.Writer})
	w.wire.Took = w.took
	w.topic = w.lab.Topic(hub, deployment.AlertTopic)
	for _, name := range []string{later, swept} {
		w.queue[name] = w.lab.Queue(hub, name)
	}
	_, err = w.lab.SeedTable(hub, lab.SeedTable{Name: deployment.Table, Expires: "expires"})
	w.must(err)
	w.moveIn(same)
	w.must(w.lab.SeedUser(prod, "alice", "/"))
	w.lab.OnEvent(w.event)
	w.lab.OnMessage(w.message)
	w.memory, err = awsapi.NewDynamo(awsapi.DynamoConfig{AWS: w.admin(hub), Table: deployment.Table})
	w.must(err)
	return w
}

// moveIn makes rolewarden's roles and its key.
func (w *world) moveIn(same immutable) {
	for _, account := range []string{hub, prod} {
		w.admins[account] = iam.NewFromConfig(w.admin(account))
		w.seed(account, deployment.ReaderRole, same.members[account].readers, same.members[account].reader)
		w.seed(account, deployment.RemediatorRole, same.members[account].writers, same.members[account].writer)
	}
	w.seed(hub, deployment.GuardRole, same.trust, same.guard)
	w.seed(hub, deployment.SweepRole, same.trust, same.sweep)
	var err error
	w.key, err = w.lab.SeedKey(hub, lab.SeedKey{ID: "11111111-2222-3333-4444-555555555555", Alias: deployment.SealKey, Policy: same.sealKey})
	w.must(err)
}

func (w *world) seed(account, name, trust, permissions string) {
	w.must(w.lab.SeedRole(account, lab.SeedRole{Name: name, Path: deployment.Path, TrustPolicy: trust}))
	_, err := w.admins[account].PutRolePolicy(context.Background(), &iam.PutRolePolicyInput{RoleName: &name, PolicyName: aws.String("rolewarden"), PolicyDocument: &permissions})
	w.must(err)
}

// admin is the configuration of an account's administrator, whose calls never
// go wrong.
func (w *world) admin(account string) aws.Config {
	keys, err := w.lab.Admin(account)
	w.must(err)
	p, _ := w.wire.Start(context.Background(), "person")
	return w.config(p, keys)
}

func (w *world) config(p *Process, keys lab.Credentials) aws.Config {
	cfg := awsapi.Fixed(awsapi.Keys{
		Endpoint: "http://lab.invalid", Region: region,
		AccessKeyID: keys.AccessKeyID, SecretAccessKey: keys.SecretAccessKey, SessionToken: keys.SessionToken,
	})
	cfg.HTTPClient = p
	return cfg
}

// working gives a process that runs as a function, with the credentials that
// Lambda gives it.
func (w *world) working(function, roleName string) (*running, aws.Config) {
	keys, err := w.lab.AssumeAsService(lab.ServiceCall{
		Service: "lambda.amazonaws.com", RoleARN: "arn:aws:iam::" + hub + ":role" + deployment.Path + roleName, SessionName: function, SourceAccount: hub,
	})
	w.must(err)
	p, ctx := w.wire.Start(context.Background(), function)
	return &running{process: p, ctx: ctx, began: time.Now()}, w.config(p, keys)
}

// shift is how long a function works before Lambda starts another.
const shift = 40 * time.Minute

func (r *running) over() bool {
	return r == nil || r.process.Dead() || time.Since(r.began) > shift
}

// wait lets time pass.
func wait(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}

func (w *world) logger() *slog.Logger { return slog.New(slog.NewJSONHandler(&w.log, nil)) }

// guarding gives the guard, wired as the function is.
func (w *world) guarding() *running {
	if !w.guard.over() {
		return w.guard
	}
	run, cfg := w.working(actions.Guard, deployment.GuardRole)
	accounts, err := awsapi.NewAccounts(awsapi.Config{
		AWS: cfg, Now: time.Now, ReaderRole: "rolewarden/" + deployment.ReaderRole, WriterRole: "rolewarden/" + deployment.RemediatorRole, ExternalID: notify.NewSecret(externalID),
	})
	w.must(err)
	table, err := awsapi.NewDynamo(awsapi.DynamoConfig{AWS: cfg, Table: deployment.Table})
	w.must(err)
	queue, err := awsapi.NewQueue(awsapi.QueueConfig{AWS: cfg, URL: w.queue[later]})
	w.must(err)
	seals, err := awsapi.NewSeals(awsapi.SealsConfig{AWS: cfg, KeyID: w.key})
	w.must(err)
	run.guard, err = guard.New(guard.Config{
		Rules: w.rules, Reader: accounts, Writers: accounts, Census: accounts, Seals: seals, Containers: accounts,
		Members: awsapi.NewMembership(awsapi.MembershipConfig{AWS: cfg}), Ledger: table,
		Channel: notify.SNS{Publisher: awsapi.NewSNS(awsapi.SNSConfig{AWS: cfg}), TopicARN: w.topic},
		Later:   steps{queue}, Now: time.Now, Wait: wait, Log: w.logger(),
	})
	w.must(err)
	w.guard = run
	return run
}

// steps sends steps to the later queue, as the functions do.
type steps struct{ queue *awsapi.Queue }

func (s steps) Send(ctx context.Context, step guard.Step) error {
	body, err := step.Body()
	if err != nil {
		return err
	}
	return s.queue.Send(ctx, string(body), step.Delay(time.Now()))
}

// messages sends to the sweep's own queue, as the function does.
type messages struct{ queue *awsapi.Queue }

func (q messages) Send(ctx context.Context, m sweep.Message, delay time.Duration) error {
	body, err := m.Body()
	if err != nil {
		return err
	}
	return q.queue.Send(ctx, string(body), delay)
}

// sweeping gives the sweep, wired as the function is.
func (w *world) sweeping() *running {
	if !w.sweep.over() {
		return w.sweep
	}
	run, cfg := w.working(actions.Sweep, deployment.SweepRole)
	pace, err := awsapi.NewPace(awsapi.PaceConfig{Now: time.Now, Wait: wait})
	w.must(err)
	accounts, err := awsapi.NewAccounts(awsapi.Config{
		AWS: cfg, Now: time.Now, ReaderRole: "rolewarden/" + deployment.ReaderRole, WriterRole: "rolewarden/" + deployment.ReaderRole,
		ExternalID: notify.NewSecret(externalID), Pace: pace,
	})
	w.must(err)
	table, err := awsapi.NewDynamo(awsapi.DynamoConfig{AWS: cfg, Table: deployment.Table})
	w.must(err)
	steps1, err := awsapi.NewQueue(awsapi.QueueConfig{AWS: cfg, URL: w.queue[later]})
	w.must(err)
	own, err := awsapi.NewQueue(awsapi.QueueConfig{AWS: cfg, URL: w.queue[swept]})
	w.must(err)
	g, err := guard.New(guard.Config{
		Rules: w.rules, Reader: accounts, Writers: guard.HandsOff{}, Census: accounts,
		Members: &sweep.Remembering{Members: awsapi.NewMembership(awsapi.MembershipConfig{AWS: cfg}), Now: time.Now}, Ledger: table,
		Channel: notify.SNS{Publisher: awsapi.NewSNS(awsapi.SNSConfig{AWS: cfg}), TopicARN: w.topic},
		Later:   steps{steps1}, Now: time.Now, Wait: wait, Log: w.logger(),
	})
	w.must(err)
	seals, err := awsapi.NewSeals(awsapi.SealsConfig{AWS: cfg, KeyID: w.key})
	w.must(err)
	run.sweeper, err = sweep.New(sweep.Config{
		Rules: w.rules, Details: accounts, Reader: accounts, Line: g, Ledger: table, Queue: messages{own}, Sealer: seals,
		Organization: awsapi.NewRoster(awsapi.RosterConfig{AWS: cfg, Pace: pace, Units: awsapi.WithoutUnits}),
		Meter:        meter.New(meter.Config{Function: meter.Sweep, Out: discard{}, Now: time.Now}), Now: time.Now, Log: w.logger(),
	})
	w.must(err)
	w.sweep = run
	return run
}

type discard struct{}

func (discard) Write(p []byte) (int, error) { return len(p), nil }

// took notes the messages that SQS has, and the intents that the ledger has.
func (w *world) took(call string, body []byte) {
	switch call {
	case "sqs:SendMessage":
		var m struct {
			QueueURL     string `json:"QueueUrl"`
			MessageBody  string
			DelaySeconds int
		}
		w.must(json.Unmarshal(body, &m))
		w.waiting = append(w.waiting, message{
			queue: m.QueueURL[strings.LastIndexByte(m.QueueURL, '/')+1:], body: m.MessageBody, due: time.Now().Add(time.Duration(m.DelaySeconds) * time.Second),
		})
	case "dynamodb:TransactWriteItems":
		for _, found := range decisions.FindAllSubmatch(body, -1) {
			if id := string(found[1]); w.intents[id].IsZero() {
				w.intents[id] = time.Now()
			}
		}
	}
}

// decisions finds the decisions whose intents a transaction records.
var decisions = regexp.MustCompile(`"DECISION#([^"]+)"`)

// event takes an event off the bus, as the EventBridge rules do.
func (w *world) event(e lab.Envelope) {
	c, err := trail.Parse(e.Raw)
	if err != nil {
		w.t.Errorf("the lab's event is not understood: %v", err)
		return
	}
	if c.EventName == "UpdateAssumeRolePolicy" && ours(e.Raw) && c.Kind == trail.TrustUpdated {
		w.wrote = append(w.wrote, written{time.Now(), c.Account, c.RoleName, c.Document})
	}
	routed := c.Kind != trail.Ignored && c.Kind != trail.RoleAssumed
	if w.loose || !routed {
		return
	}
	w.keys = append(w.keys, ledger.Key{Account: c.Account, EventID: c.EventID})
	w.waiting = append(w.waiting, message{queue: intake, body: string(e.Raw), due: time.Now()})
}

// ours says whether rolewarden made the call of an event.
func ours(raw []byte) bool {
	return bytes.Contains(raw, []byte(`"sourceIdentity":"`+actions.SourceIdentityPrefix))
}

// message takes what SNS was given.
func (w *world) message(m lab.Message) {
	body := m.For("sqs")
	a, err := alert.Parse([]byte(body))
	if err != nil {
		w.t.Errorf("what was published is no alert: %v: %s", err, body)
		return
	}
	w.told = append(w.told, published{time.Now(), a.ID + "/" + a.State.String(), a, body + m.Subject + fmt.Sprint(m.Attributes)})
}

// manyMessages is from when on messages multiply, mostMessages how many are
// handled at most once all is well.
const (
	manyMessages = 200
	mostMessages = 5000
)

// run hands every message that is due to its function, until none waits that
// comes before a time.
func (w *world) run(until time.Time) {
	for n := 0; ; n++ {
		if n > mostMessages && w.well {
			w.t.Fatalf("%d messages and no end: something answers itself", n)
		}
		if n > manyMessages && !w.well {
			w.multiplies = true
			return
		}
		slices.SortStableFunc(w.waiting, func(a, b message) int { return a.due.Compare(b.due) })
		if len(w.waiting) == 0 || w.waiting[0].due.After(until) {
			return
		}
		m := w.waiting[0]
		w.waiting = w.waiting[1:]
		time.Sleep(time.Until(m.due))
		w.hand(m)
	}
}

// hand hands out one message.
func (w *world) hand(m message) {
	m.tries++
	err := w.handle(m)
	if err == nil {
		return
	}
	w.errors = append(w.errors, err.Error())
	if m.tries >= mostTries {
		w.dead = append(w.dead, m)
		return
	}
	m.due = time.Now().Add(visibility)
	w.waiting = append(w.waiting, m)
}

// handle lets the function have a message.
func (w *world) handle(m message) error {
	var err error
	var run *running
	switch m.queue {
	case swept:
		run = w.sweeping()
		var asked sweep.Message
		if asked, err = sweep.ParseMessage([]byte(m.body)); err == nil {
			_, err = run.sweeper.Handle(run.ctx, asked, m.tries)
		}
	default:
		run = w.guarding()
		handle := run.guard.Handle
		if m.queue == later {
			handle = run.guard.HandleStep
		}
		var res guard.Result
		if res, err = handle(run.ctx, []byte(m.body)); err == nil && !run.process.Dead() && res.Ignored == "" && len(res.Steps) == 0 {
			w.ends = append(w.ends, res.End.String())
		}
	}
	return w.survived(run, err)
}

// survived gives the error of a handling; a crash is one.
func (w *world) survived(run *running, err error) error {
	if run.process.Dead() {
		w.crashes++
		return errors.Join(errCrashed)
	}
	return err
}

// begin begins a sweep, as the schedule does: one that fails comes again, as
// Lambda's two retries do.
func (w *world) begin() error {
	var err error
	id := sweep.IDAt(time.Now())
	for range 3 {
		run := w.sweeping()
		_, err = run.sweeper.Begin(run.ctx, id)
		if err = w.survived(run, err); err == nil {
			return nil
		}
		w.errors = append(w.errors, err.Error())
		time.Sleep(time.Minute)
	}
	return err
}

// deliver sends what waits, as the schedule does.
func (w *world) deliver() {
	run := w.sweeping()
	_, err := run.sweeper.Deliver(run.ctx)
	if err = w.survived(run, err); err != nil {
		w.errors = append(w.errors, err.Error())
	}
}

// trust gives a role's trust policy as it truly is; nothing when there is none.
func (w *world) trust(account, name string) (role.Role, bool) {
	out, err := w.admins[account].GetRole(context.Background(), &iam.GetRoleInput{RoleName: &name})
	if err != nil {
		return role.Role{}, false
	}
	text, err := decode(aws.ToString(out.Role.AssumeRolePolicyDocument))
	w.must(err)
	r := role.Role{Account: account, Name: name, ID: aws.ToString(out.Role.RoleId), ARN: aws.ToString(out.Role.Arn), Partition: "aws", Path: aws.ToString(out.Role.Path), TrustPolicy: text, Tags: map[string]string{}, Created: aws.ToTime(out.Role.CreateDate)}
	if b := out.Role.PermissionsBoundary; b != nil {
		r.Boundary = aws.ToString(b.PermissionsBoundaryArn)
	}
	for _, tag := range out.Role.Tags {
		r.Tags[aws.ToString(tag.Key)] = aws.ToString(tag.Value)
	}
	return r, true
}

// same says whether two documents say the same.
func (w *world) same(a, b string) bool {
	x, err := policy.Parse([]byte(a))
	y, err2 := policy.Parse([]byte(b))
	return err == nil && err2 == nil && x.Equal(y, "aws")
}

// raw gives all that came out of rolewarden, where no secret may be.
func (w *world) raw() string {
	var out strings.Builder
	out.Write(w.log.Bytes())
	for _, e := range w.errors {
		out.WriteString(e)
	}
	for _, p := range w.told {
		out.WriteString(p.raw)
	}
	for _, m := range slices.Concat(w.waiting, w.dead) {
		out.WriteString(m.body)
	}
	return out.String()
}
