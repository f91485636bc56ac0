package main

import (
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	ddb "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"

	"github.com/rolewarden/rolewarden/functions/runtimetest"
	"github.com/rolewarden/rolewarden/pkg/alert"
	"github.com/rolewarden/rolewarden/pkg/awsapi"
	"github.com/rolewarden/rolewarden/pkg/awsapi/mototest"
	"github.com/rolewarden/rolewarden/pkg/lab"
	"github.com/rolewarden/rolewarden/pkg/policy"
	"github.com/rolewarden/rolewarden/pkg/role"
)

const (
	hub  = "555555555555"
	prod = "111122223333"

	stageRules = `
version: 1
organization:
  id: o-exampleorgid
  management: "555555555555"
  complete: true
  accounts:
    - {id: "555555555555", name: hub}
    - {id: "111122223333", name: prod}
modes:
  default: enforce
`
	// nobodyButEC2 is what the roles of the samples were before.
	nobodyButEC2 = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole"}]}`

	memberTrust = `{"Version":"2012-10-17","Statement":[
{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::555555555555:root"},"Action":"sts:AssumeRole","Condition":{"StringEquals":{"sts:ExternalId":"example-external-id"},"StringLike":{"sts:RoleSessionName":"rw-*"}}},
{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::555555555555:root"},"Action":"sts:SetSourceIdentity","Condition":{"StringLike":{"sts:SourceIdentity":"rolewarden-*"}}}]}`
	memberPolicy = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"iam:*","Resource":"*"}]}`
)

var moto mototest.Server

func TestMain(m *testing.M) { os.Exit(moto.Main(m)) }

// stage is a lab with rolewarden's member roles, a table in moto, and the
// built bootstrap running against both.
type stage struct {
	t      testing.TB
	lab    *lab.Lab
	ledger *awsapi.Dynamo
	seals  *awsapi.Seals
	// behind is how far the lab's clock is behind the world's.
	behind atomic.Int64
	iam    *iam.Client
	told   []lab.Message
	// seen are the events of the lab's bus.
	seen    []lab.Envelope
	runtime *runtimetest.Runtime
	// bootstrap and env are what runtime runs.
	bootstrap string
	env       map[string]string
	// earlier is what runs that ended have logged.
	earlier string
}

func newStage(t testing.TB) *stage {
	t.Helper()
	s := &stage{t: t}
	var err error
	s.lab, err = lab.New(lab.Config{Now: func() time.Time { return time.Now().Add(-time.Duration(s.behind.Load())) }, OrganizationID: "o-exampleorgid", ManagementAccount: hub, Accounts: []lab.Account{{ID: hub, Name: "hub"}, {ID: prod, Name: "prod"}}})
	s.must(err)
	server, err := s.lab.Start("127.0.0.1:0")
	s.must(err)
	t.Cleanup(func() { _ = server.Close() })
	for _, account := range []string{hub, prod} {
		s.iam = s.client(account, server.URL)
		s.member("rolewarden-reader")
		s.member("rolewarden-remediator")
	}
	s.lab.OnEvent(func(e lab.Envelope) { s.seen = append(s.seen, e) })
	s.lab.OnMessage(func(m lab.Message) { s.told = append(s.told, m) })
	table := s.makeTable()
	s.ledger, err = awsapi.NewDynamo(awsapi.DynamoConfig{AWS: moto.AWS(t), Table: table})
	s.must(err)

	key, err := s.lab.SeedKey(hub, lab.SeedKey{})
	s.must(err)
	rules := filepath.Join(t.TempDir(), "rules.yaml")
	s.must(os.WriteFile(rules, []byte(stageRules), 0o600))
	keys, err := s.lab.Admin(hub)
	s.must(err)
	s.seals, err = awsapi.NewSeals(awsapi.SealsConfig{KeyID: key, AWS: awsapi.Fixed(awsapi.Keys{
		Endpoint: server.URL, Region: "us-east-1", AccessKeyID: keys.AccessKeyID, SecretAccessKey: keys.SecretAccessKey,
	})})
	s.must(err)
	s.bootstrap, s.env = runtimetest.Build(t, "."), map[string]string{
		"AWS_REGION": "us-east-1", "AWS_ENDPOINT_URL": server.URL, "AWS_ENDPOINT_URL_DYNAMODB": moto.URL(t),
		"AWS_ACCESS_KEY_ID": keys.AccessKeyID, "AWS_SECRET_ACCESS_KEY": keys.SecretAccessKey,
		"ROLEWARDEN_RULES": rules, "ROLEWARDEN_TABLE": table, "ROLEWARDEN_EXTERNAL_ID": "example-external-id",
		"ROLEWARDEN_TOPIC_ARN": s.lab.Topic(hub, "alerts"), "ROLEWARDEN_LATER_QUEUE": s.lab.Queue(hub, "later"),
		"ROLEWARDEN_SEAL_KEY": key,
	}
	s.runtime = runtimetest.Start(t, s.bootstrap, s.env)
	return s
}

func (s *stage) must(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

func (s *stage) client(account, endpoint string) *iam.Client {
	keys, err := s.lab.Admin(account)
	s.must(err)
	return iam.NewFromConfig(aws.Config{
		Region: "us-east-1", BaseEndpoint: aws.String(endpoint),
		Credentials: credentials.NewStaticCredentialsProvider(keys.AccessKeyID, keys.SecretAccessKey, ""),
	})
}

func (s *stage) member(name string) {
	ctx := s.t.Context()
	_, err := s.iam.CreateRole(ctx, &iam.CreateRoleInput{Path: aws.String("/rolewarden/"), RoleName: &name, AssumeRolePolicyDocument: aws.String(memberTrust)})
	s.must(err)
	_, err = s.iam.PutRolePolicy(ctx, &iam.PutRolePolicyInput{RoleName: &name, PolicyName: aws.String("member"), PolicyDocument: aws.String(memberPolicy)})
	s.must(err)
}

// makeTable makes a ledger's table of the test's own.
func (s *stage) makeTable() string {
	name := fmt.Sprintf("ledger-%d", time.Now().UnixNano())
	_, err := dynamodb.NewFromConfig(moto.AWS(s.t)).CreateTable(s.t.Context(), &dynamodb.CreateTableInput{
		TableName: &name, BillingMode: ddb.BillingModePayPerRequest,
		AttributeDefinitions: []ddb.AttributeDefinition{{AttributeName: aws.String("pk"), AttributeType: "S"}, {AttributeName: aws.String("sk"), AttributeType: "S"}},
		KeySchema:            []ddb.KeySchemaElement{{AttributeName: aws.String("pk"), KeyType: "HASH"}, {AttributeName: aws.String("sk"), KeyType: "RANGE"}},
	})
	s.must(err)
	return name
}

// was gives a role a past: it was made two days ago, with the document that
// rolewarden knows to be good, and has the one that the event at hand left.
func (s *stage) was(name, good, now string) {
	s.t.Helper()
	s.behind.Store(int64(48 * time.Hour))
	s.must(s.lab.SeedRole(prod, lab.SeedRole{Name: name, TrustPolicy: now}))
	s.behind.Store(0)
	got, err := s.iam.GetRole(s.t.Context(), &iam.GetRoleInput{RoleName: &name})
	s.must(err)
	doc, err := policy.Parse([]byte(good))
	s.must(err)
	b := role.Baseline{
		Account: prod, RoleID: *got.Role.RoleId, Document: good, Digest: doc.Digest("aws"), Provenance: role.Observed,
		Since: time.Now().Add(-48 * time.Hour), Sealed: time.Now().Add(-24 * time.Hour),
	}
	b.Seal, err = s.seals.Seal(s.t.Context(), b)
	s.must(err)
	s.must(s.ledger.AddBaseline(s.t.Context(), b))
}

func (s *stage) live(name string) string {
	s.t.Helper()
	got, err := s.iam.GetRole(s.t.Context(), &iam.GetRoleInput{RoleName: &name})
	s.must(err)
	text, err := url.PathUnescape(*got.Role.AssumeRolePolicyDocument)
	s.must(err)
	return text
}

// sample reads a file of events/.
func (s *stage) sample(name string) []byte {
	s.t.Helper()
	body, err := os.ReadFile(filepath.Join("..", "..", "events", name))
	s.must(err)
	return body
}

// send hands the function one batch and gives the ids that must come again.
func (s *stage) send(bodies ...[]byte) []string {
	s.t.Helper()
	batch := events.SQSEvent{}
	for i, b := range bodies {
		batch.Records = append(batch.Records, events.SQSMessage{MessageId: string(rune('a' + i)), ReceiptHandle: "r", Body: string(b), EventSource: "aws:sqs"})
	}
	payload, err := json.Marshal(batch)
	s.must(err)
	a := s.runtime.Invoke(s.t, payload)
	var res events.SQSEventResponse
	if a.Failed != runtimetest.Answered || json.Unmarshal(a.Body, &res) != nil {
		s.t.Fatalf("the function answered %s\n%s", a.Body, s.runtime.Log())
	}
	var failed []string
	for _, f := range res.BatchItemFailures {
		failed = append(failed, f.ItemIdentifier)
	}
	return failed
}

// sent is the document that a sample says was written.
func sent(t *testing.T, sample []byte) (name, document string) {
	t.Helper()
	var e struct {
		Detail struct {
			RequestParameters struct{ RoleName, PolicyDocument string }
		}
	}
	if err := json.Unmarshal(sample, &e); err != nil {
		t.Fatal(err)
	}
	return e.Detail.RequestParameters.RoleName, e.Detail.RequestParameters.PolicyDocument
}

// The built binary, over the Runtime API: an event of events/ in, a reverted
// role and a published alert out.
func TestTheBuiltBootstrapRevertsAnOpenedRoleAndTells(t *testing.T) {
	s := newStage(t)
	sample := s.sample("UpdateAssumeRolePolicy.backdoor.json")
	name, document := sent(t, sample)
	s.was(name, nobodyButEC2, document)
	if failed := s.send(sample); len(failed) != 0 {
		t.Fatalf("failed: %v\n%s", failed, s.runtime.Log())
	}
	want, _ := policy.Parse([]byte(nobodyButEC2))
	got, err := policy.Parse([]byte(s.live(name)))
	if err != nil || !got.Equal(want, "aws") {
		t.Errorf("the role reads %s, %v\n%s", s.live(name), err, s.runtime.Log())
	}
	if len(s.told) != 1 {
		t.Fatalf("%d alerts\n%s", len(s.told), s.runtime.Log())
	}
	a, err := alert.Parse([]byte(s.told[0].For("sqs")))
	if err != nil || a.Outcome.Done != "Revert" || !a.Outcome.Verified {
		t.Errorf("the alert says %+v, %v", a, err)
	}
	if log := s.runtime.Log(); strings.Contains(log, "example-external-id") {
		t.Error("the log shows the external id")
	}

	// The same message again, and our own write's event: no second write, and
	// nothing more told than that it is resolved.
	own := s.seen[len(s.seen)-1]
	for _, e := range s.seen {
		if e.EventName == "UpdateAssumeRolePolicy" {
			own = e
		}
	}
	s.lab.ResetCalls()
	if failed := s.send(sample, own.Raw); len(failed) != 0 {
		t.Errorf("failed: %v\n%s", failed, s.runtime.Log())
	}
	for _, c := range s.lab.Calls() {
		if c.Action == "UpdateAssumeRolePolicy" {
			t.Error("the role was written again")
		}
	}
	if len(s.told) != 2 {
		t.Fatalf("%d alerts\n%s", len(s.told), s.runtime.Log())
	}
	if a, err = alert.Parse([]byte(s.told[1].For("sqs"))); err != nil || a.State != alert.Resolved {
		t.Errorf("the second alert says %+v, %v", a, err)
	}
}

// A batch is answered message by message: what cannot be read comes again, and
// nothing else does (T12).
func TestTheBuiltBootstrapFailsOnlyWhatFailed(t *testing.T) {
	s := newStage(t)
	failed := s.send(
		s.sample("UpdateAssumeRolePolicy.denied.json"),
		[]byte(`{"no": "envelope`),
		s.sample("PutRolePolicy.unknown.json"),
	)
	if len(failed) != 1 || failed[0] != "b" {
		t.Errorf("failed: %v\n%s", failed, s.runtime.Log())
	}
}
