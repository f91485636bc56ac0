package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/rolewarden/rolewarden/functions/runtimetest"
	"github.com/rolewarden/rolewarden/pkg/alert"
	"github.com/rolewarden/rolewarden/pkg/deployment"
	"github.com/rolewarden/rolewarden/pkg/lab"
)

const (
	hub  = "555555555555"
	prod = "111122223333"
	dev  = "444455556666"

	stageRules = `
version: 1
organization:
  id: o-exampleorgid
  management: "555555555555"
  accounts:
    - {id: "555555555555", name: hub}
    - {id: "111122223333", name: prod}
modes:
  default: enforce
`
	nobodyButEC2 = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole"}]}`
	wideOpen     = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::999999999999:root"},"Action":"sts:AssumeRole"}]}`

	memberTrust = `{"Version":"2012-10-17","Statement":[
{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::555555555555:root"},"Action":"sts:AssumeRole","Condition":{"StringEquals":{"sts:ExternalId":"example-external-id"},"StringLike":{"sts:RoleSessionName":"rw-*"}}},
{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::555555555555:root"},"Action":"sts:SetSourceIdentity","Condition":{"StringLike":{"sts:SourceIdentity":"rolewarden-*"}}}]}`
	readerPolicy = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["iam:GetRole","iam:GetUser","iam:GetAccountAuthorizationDetails"],"Resource":"*"}]}`
)

// stage is an organization in the lab, with a ledger, a key and queues there,
// and the built bootstrap running against it.
type stage struct {
	t       testing.TB
	lab     *lab.Lab
	queues  *sqs.Client
	sweeps  string
	told    []lab.Message
	runtime *runtimetest.Runtime
}

func newStage(t testing.TB) *stage {
	t.Helper()
	s := &stage{t: t}
	var err error
	s.lab, err = lab.New(lab.Config{OrganizationID: "o-exampleorgid", ManagementAccount: hub, Accounts: []lab.Account{{ID: hub, Name: "hub"}, {ID: prod, Name: "prod"}, {ID: dev, Name: "dev"}}})
	s.must(err)
	server, err := s.lab.Start("127.0.0.1:0")
	s.must(err)
	t.Cleanup(func() { _ = server.Close() })
	for _, account := range []string{hub, prod} {
		s.reader(account, server.URL)
	}
	s.must(s.lab.SeedRole(prod, lab.SeedRole{Name: "app", TrustPolicy: nobodyButEC2}))
	s.must(s.lab.SeedRole(prod, lab.SeedRole{Name: "open", TrustPolicy: wideOpen}))
	s.lab.OnMessage(func(m lab.Message) { s.told = append(s.told, m) })
	_, err = s.lab.SeedTable(hub, lab.SeedTable{Name: deployment.Table, Expires: "expires"})
	s.must(err)
	key, err := s.lab.SeedKey(hub, lab.SeedKey{})
	s.must(err)
	rules := filepath.Join(t.TempDir(), "rules.yaml")
	s.must(os.WriteFile(rules, []byte(stageRules), 0o600))
	keys, err := s.lab.Admin(hub)
	s.must(err)
	s.queues = sqs.NewFromConfig(aws.Config{
		Region: "us-east-1", BaseEndpoint: aws.String(server.URL), Credentials: credentials.NewStaticCredentialsProvider(keys.AccessKeyID, keys.SecretAccessKey, ""),
	})
	s.sweeps = s.lab.Queue(hub, deployment.SweepQueue)
	s.runtime = runtimetest.Start(t, runtimetest.Build(t, "."), map[string]string{
		"AWS_REGION": "us-east-1", "AWS_ENDPOINT_URL": server.URL, "AWS_ACCESS_KEY_ID": keys.AccessKeyID, "AWS_SECRET_ACCESS_KEY": keys.SecretAccessKey,
		"ROLEWARDEN_RULES": rules, "ROLEWARDEN_TABLE": deployment.Table, "ROLEWARDEN_EXTERNAL_ID": "example-external-id", "ROLEWARDEN_SEAL_KEY": key,
		"ROLEWARDEN_TOPIC_ARN": s.lab.Topic(hub, deployment.AlertTopic), "ROLEWARDEN_LATER_QUEUE": s.lab.Queue(hub, deployment.LaterQueue), "ROLEWARDEN_SWEEP_QUEUE": s.sweeps,
	})
	return s
}

func (s *stage) must(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

// reader makes the role that an account is read by.
func (s *stage) reader(account, endpoint string) {
	keys, err := s.lab.Admin(account)
	s.must(err)
	client, name := iam.NewFromConfig(aws.Config{
		Region: "us-east-1", BaseEndpoint: aws.String(endpoint), Credentials: credentials.NewStaticCredentialsProvider(keys.AccessKeyID, keys.SecretAccessKey, ""),
	}), aws.String(deployment.ReaderRole)
	_, err = client.CreateRole(s.t.Context(), &iam.CreateRoleInput{Path: aws.String(deployment.Path), RoleName: name, AssumeRolePolicyDocument: aws.String(memberTrust)})
	s.must(err)
	_, err = client.PutRolePolicy(s.t.Context(), &iam.PutRolePolicyInput{RoleName: name, PolicyName: aws.String("reader"), PolicyDocument: aws.String(readerPolicy)})
	s.must(err)
	s.lab.ResetCalls()
}

// call calls the function.
func (s *stage) call(payload []byte, into any) {
	s.t.Helper()
	a := s.runtime.Invoke(s.t, payload)
	if a.Failed != runtimetest.Answered || json.Unmarshal(a.Body, into) != nil {
		s.t.Fatalf("the function answered %s\n%s", a.Body, s.runtime.Log())
	}
}

// receive takes all messages that the queue holds.
func (s *stage) receive() []types.Message {
	s.t.Helper()
	var all []types.Message
	for {
		out, err := s.queues.ReceiveMessage(s.t.Context(), &sqs.ReceiveMessageInput{QueueUrl: &s.sweeps, MaxNumberOfMessages: 10})
		s.must(err)
		if len(out.Messages) == 0 {
			return all
		}
		all = append(all, out.Messages...)
	}
}

// batch hands messages to the function as Lambda does, and gives those that failed.
func (s *stage) batch(bodies ...string) []events.SQSBatchItemFailure {
	s.t.Helper()
	batch := events.SQSEvent{}
	for i, b := range bodies {
		batch.Records = append(batch.Records, events.SQSMessage{MessageId: string(rune('a' + i)), Body: b, EventSource: "aws:sqs", Attributes: map[string]string{"ApproximateReceiveCount": "1"}})
	}
	payload, err := json.Marshal(batch)
	s.must(err)
	var res events.SQSEventResponse
	s.call(payload, &res)
	return res.BatchItemFailures
}

// The built binary, over the Runtime API: the schedule's event in, every account
// swept, an account that cannot be read told of, and one summary out. It writes
// no role, and shows no secret.
func TestTheBuiltBootstrapSweepsAnOrganization(t *testing.T) {
	s := newStage(t)
	schedule := `{"version":"0","id":"53dc4d37-cffa-4f76-80c9-8b7d4a4d2eaa","detail-type":"Scheduled Event","source":"aws.events","account":"555555555555","time":"2026-03-01T06:00:00Z","region":"us-east-1","resources":["arn:aws:events:us-east-1:555555555555:rule/rolewarden-sweep-schedule"],"detail":{}}`
	for range 2 {
		var began answer
		if s.call([]byte(schedule), &began); began.Sweep != "20260301T060000Z" || began.Accounts != 3 {
			t.Fatalf("it began %+v\n%s", began, s.runtime.Log())
		}
	}
	var bodies []string
	for _, m := range s.receive() {
		bodies = append(bodies, aws.ToString(m.Body))
	}
	if failed := s.batch(bodies...); len(failed) > 0 {
		t.Fatalf("failed: %v\n%s", failed, s.runtime.Log())
	}
	// What ends the sweep waits in the queue.
	if failed := s.batch(`{"version":1,"task":"close","sweep":"20260301T060000Z"}`); len(failed) > 0 {
		t.Fatalf("failed: %v\n%s", failed, s.runtime.Log())
	}
	var summaries, gaps int
	for _, m := range s.told {
		a, err := alert.Parse([]byte(m.For("sqs")))
		s.must(err)
		switch {
		case a.Notice == alert.NoticeSweep:
			summaries++
			if text := a.Text(); !strings.Contains(text, "roles in 2 of 3 accounts") || !strings.Contains(text, "role/open") || !strings.Contains(text, "Account "+dev+" was not read") {
				t.Errorf("the summary says\n%s", text)
			}
		case a.Account == dev:
			gaps++
		default:
			t.Errorf("told: %s", a.Headline())
		}
	}
	if summaries != 1 || gaps != 1 {
		t.Errorf("%d summaries and %d gaps\n%s", summaries, gaps, s.runtime.Log())
	}
	for _, c := range s.lab.Calls() {
		if c.Service == "iam" && !strings.HasPrefix(c.Action, "Get") {
			t.Errorf("the sweep called %s", c.Action)
		}
	}
	if log := s.runtime.Log(); strings.Contains(log, "example-external-id") || strings.Contains(log, "panic") {
		t.Errorf("the log is\n%s", log)
	}
	var delivered answer
	if s.call([]byte(deployment.DeliverInput), &delivered); delivered.Delivered != 0 || delivered.Sweep != "" {
		t.Errorf("asked to deliver, it answered %+v", delivered)
	}
}

// A batch is answered message by message: what is no message comes again.
func TestTheBuiltBootstrapFailsOnlyWhatFailed(t *testing.T) {
	s := newStage(t)
	failed := s.batch(`{"no":"message"}`, `{"version":1,"task":"account","sweep":"x","account":"`+prod+`"}`)
	if len(failed) != 1 || failed[0].ItemIdentifier != "a" {
		t.Errorf("failed: %v\n%s", failed, s.runtime.Log())
	}
}
