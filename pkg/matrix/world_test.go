package matrix

import (
	"bytes"
	"context"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"

	"github.com/rolewarden/rolewarden/pkg/awsapi"
	"github.com/rolewarden/rolewarden/pkg/awsapi/actions"
	"github.com/rolewarden/rolewarden/pkg/deployment"
	"github.com/rolewarden/rolewarden/pkg/grants"
	"github.com/rolewarden/rolewarden/pkg/guard"
	"github.com/rolewarden/rolewarden/pkg/invariant"
	"github.com/rolewarden/rolewarden/pkg/lab"
	"github.com/rolewarden/rolewarden/pkg/ledger"
	"github.com/rolewarden/rolewarden/pkg/org"
	"github.com/rolewarden/rolewarden/pkg/policy"
	"github.com/rolewarden/rolewarden/pkg/role"
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
	// judge remembers the verdicts on documents.
	judge *invariant.Judge
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
		rules: rules, judge: invariant.NewJudge(), members: members, trust: grants.FunctionTrust(w, actions.Guard).JSON(),
		guard: grants.Function(w, actions.Guard, own).JSON(), sweep: grants.Function(w, actions.Sweep, swept).JSON(),
		sealKey: grants.SealKeyPolicy(w).JSON(),
	}, nil
})

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
	// history is what happened, for the invariants, and judge what they share.
	history *invariant.History
	judge   *invariant.Judge
	// runs counts the handlings, working is the one at work; 0 for none.
	runs, working int
	// transactions are those that DynamoDB has done.
	transactions map[string]bool
	// about are the roles that events are about, last is the id of the last event.
	about map[ledger.Key]role.Ref
	last  string
	// meddle breaks a function on purpose, to see that it is noticed; nil for not.
	meddle func(*guard.Config)
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
	w := &world{
		t: t, rules: same.rules, admins: map[string]*iam.Client{}, queue: map[string]string{}, intents: map[string]time.Time{},
		history: &invariant.History{}, judge: same.judge, transactions: map[string]bool{}, about: map[ledger.Key]role.Ref{},
	}
	w.note(0, invariant.Ruled{Rules: w.rules})
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
	w.lives("alice")
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
