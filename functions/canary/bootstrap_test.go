package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	ddb "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/organizations"

	"github.com/rolewarden/rolewarden/functions/runtimetest"
	"github.com/rolewarden/rolewarden/pkg/alert"
	"github.com/rolewarden/rolewarden/pkg/awsapi"
	"github.com/rolewarden/rolewarden/pkg/awsapi/actions"
	"github.com/rolewarden/rolewarden/pkg/awsapi/mototest"
	"github.com/rolewarden/rolewarden/pkg/canary"
	"github.com/rolewarden/rolewarden/pkg/deployment"
	"github.com/rolewarden/rolewarden/pkg/grants"
	"github.com/rolewarden/rolewarden/pkg/lab"
	"github.com/rolewarden/rolewarden/pkg/trail"
)

const (
	hub      = mototest.Account
	orgID    = "o-exampleorgid"
	external = "example-external-id"
)

var moto mototest.Server

func TestMain(m *testing.M) { os.Exit(moto.Main(m)) }

// stage is an organization whose accounts are listed by moto and live in the
// lab, with the roles that are deployed, a ledger in moto, and the built
// bootstraps of guard and canary.
type stage struct {
	t *testing.T
	// members are the accounts beside the hub's.
	members []string
	lab     *lab.Lab
	url     string
	root    string
	events  [][]byte
	told    []lab.Message
	guard   *runtimetest.Runtime
	canary  *runtimetest.Runtime
}

func newStage(t *testing.T) *stage {
	t.Helper()
	s := &stage{t: t}
	s.empties()
	s.organization()
	accounts := []lab.Account{{ID: hub, Name: "hub"}}
	for _, id := range s.members {
		accounts = append(accounts, lab.Account{ID: id, Name: "app"})
	}
	var err error
	s.lab, err = lab.New(lab.Config{OrganizationID: orgID, ManagementAccount: hub, Accounts: accounts})
	s.must(err)
	server, err := s.lab.Start("127.0.0.1:0")
	s.must(err)
	t.Cleanup(func() { _ = server.Close() })
	s.url = server.URL
	topic := s.lab.Topic(hub, deployment.AlertTopic)
	s.deploy(topic)
	s.puts(trail.Patterns(trail.PatternOptions{})[0])
	s.lab.OnEvent(func(e lab.Envelope) { s.events = append(s.events, e.Raw) })
	s.lab.OnMessage(func(m lab.Message) { s.told = append(s.told, m) })
	env := map[string]string{
		"AWS_REGION": "us-east-1", "AWS_ENDPOINT_URL": server.URL, "AWS_ENDPOINT_URL_DYNAMODB": moto.URL(t), "AWS_ENDPOINT_URL_ORGANIZATIONS": moto.URL(t),
		"AWS_ENDPOINT_URL_EVENTBRIDGE": moto.URL(t),
		"ROLEWARDEN_TABLE":             s.makeTable(), "ROLEWARDEN_EXTERNAL_ID": external, "ROLEWARDEN_TOPIC_ARN": topic,
		"ROLEWARDEN_LATER_QUEUE": s.lab.Queue(hub, deployment.LaterQueue), "ROLEWARDEN_RULES": s.rules(), "ROLEWARDEN_SEAL_KEY": "arn:aws:kms:us-east-1:" + hub + ":key/1",
		"ROLEWARDEN_TARGETS": s.root, "ROLEWARDEN_MANAGEMENT": hub, "ROLEWARDEN_EVERY_MINUTES": "60",
	}
	s.guard = s.start("../guard", deployment.GuardRole, env)
	s.canary = s.start(".", deployment.CanaryRole, env)
	s.events = nil
	return s
}

func (s *stage) must(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

// empties takes away what an earlier run of the test left in moto, where an
// account founds one organization.
func (s *stage) empties() {
	request, err := http.NewRequestWithContext(s.t.Context(), http.MethodPost, moto.URL(s.t)+"/moto-api/reset", nil)
	s.must(err)
	answer, err := http.DefaultClient.Do(request)
	s.must(err)
	s.must(answer.Body.Close())
	if answer.StatusCode != http.StatusOK {
		s.t.Fatal(answer.Status)
	}
}

// organization makes one in moto: an account below the root, one below a unit,
// and the hub, which is the management account.
func (s *stage) organization() {
	client := organizations.NewFromConfig(moto.AWS(s.t))
	_, err := client.CreateOrganization(s.t.Context(), &organizations.CreateOrganizationInput{})
	s.must(err)
	roots, err := client.ListRoots(s.t.Context(), &organizations.ListRootsInput{})
	s.must(err)
	s.root = *roots.Roots[0].Id
	unit, err := client.CreateOrganizationalUnit(s.t.Context(), &organizations.CreateOrganizationalUnitInput{ParentId: &s.root, Name: aws.String("apps")})
	s.must(err)
	for i := range 2 {
		made, err := client.CreateAccount(s.t.Context(), &organizations.CreateAccountInput{AccountName: aws.String("app"), Email: aws.String(fmt.Sprintf("app-%d@acme.example", i))})
		s.must(err)
		s.members = append(s.members, *made.CreateAccountStatus.AccountId)
	}
	_, err = client.MoveAccount(s.t.Context(), &organizations.MoveAccountInput{AccountId: &s.members[1], SourceParentId: &s.root, DestinationParentId: unit.OrganizationalUnit.Id})
	s.must(err)
}

// deploy makes the roles from the documents that are deployed.
func (s *stage) deploy(topic string) {
	w := grants.World{Partition: "aws", Region: "us-east-1", Hub: hub, Organization: orgID, ExternalID: external}
	for name, function := range map[string]string{deployment.GuardRole: actions.Guard, deployment.CanaryRole: actions.Canary} {
		s.role(hub, deployment.Path, name, grants.FunctionTrust(w, function), grants.Function(w, function, grants.Resources{Topic: topic, Sends: []string{"*"}}))
	}
	for _, account := range append([]string{hub}, s.members...) {
		w.Account = account
		s.role(account, deployment.Path, deployment.ReaderRole, grants.ReaderTrust(w), grants.Reader(w))
		s.role(account, deployment.Path, deployment.RemediatorRole, grants.RemediatorTrust(w), grants.Remediator(w))
		s.role(account, deployment.Path, deployment.CanaryWriterRole, grants.CanaryWriterTrust(w), grants.CanaryWriter(w))
		s.role(account, deployment.CanaryPath, deployment.CanaryTarget, grants.CanaryTargetTrust(w), grants.Document{})
	}
}

// puts makes or changes the rule. To moto the keys of the lab's sessions are
// those of its own account, so there is one for all accounts.
func (s *stage) puts(pattern string) {
	_, err := eventbridge.NewFromConfig(moto.AWS(s.t)).PutRule(s.t.Context(), &eventbridge.PutRuleInput{Name: aws.String(deployment.ForwardRule), EventPattern: &pattern})
	s.must(err)
}

func (s *stage) role(account, path, name string, trust, may grants.Document) {
	_, err := s.admin(account).CreateRole(s.t.Context(), &iam.CreateRoleInput{Path: &path, RoleName: &name, AssumeRolePolicyDocument: aws.String(trust.JSON())})
	s.must(err)
	if len(may.Statement) > 0 {
		_, err = s.admin(account).PutRolePolicy(s.t.Context(), &iam.PutRolePolicyInput{RoleName: &name, PolicyName: aws.String("rolewarden"), PolicyDocument: aws.String(may.JSON())})
		s.must(err)
	}
}

func (s *stage) admin(account string) *iam.Client {
	keys, err := s.lab.Admin(account)
	s.must(err)
	return iam.NewFromConfig(awsapi.Fixed(awsapi.Keys{Endpoint: s.url, Region: "us-east-1", AccessKeyID: keys.AccessKeyID, SecretAccessKey: keys.SecretAccessKey}))
}

// start runs a function under the credentials that Lambda would give it.
func (s *stage) start(folder, role string, env map[string]string) *runtimetest.Runtime {
	keys, err := s.lab.AssumeAsService(lab.ServiceCall{
		Service: "lambda.amazonaws.com", RoleARN: "arn:aws:iam::" + hub + ":role" + deployment.Path + role, SessionName: role, SourceAccount: hub,
	})
	s.must(err)
	own := map[string]string{"AWS_ACCESS_KEY_ID": keys.AccessKeyID, "AWS_SECRET_ACCESS_KEY": keys.SecretAccessKey, "AWS_SESSION_TOKEN": keys.SessionToken}
	for k, v := range env {
		own[k] = v
	}
	return runtimetest.Start(s.t, runtimetest.Build(s.t, folder), own)
}

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

func (s *stage) rules() string {
	text := "version: 1\norganization:\n  id: " + orgID + "\n  management: \"" + hub + "\"\n  accounts:\n    - {id: \"" + hub + "\", name: hub}\n"
	for i, id := range s.members {
		text += fmt.Sprintf("    - {id: %q, name: app-%d}\n", id, i)
	}
	path := filepath.Join(s.t.TempDir(), "rules.yaml")
	s.must(os.WriteFile(path, []byte(text+"modes: {default: enforce}\n"), 0o600))
	return path
}

// guards hands guard every event so far.
func (s *stage) guards() {
	s.t.Helper()
	batch := events.SQSEvent{}
	for i, e := range s.events {
		batch.Records = append(batch.Records, events.SQSMessage{MessageId: fmt.Sprint(i), Body: string(e), EventSource: "aws:sqs"})
	}
	s.events = nil
	payload, err := json.Marshal(batch)
	s.must(err)
	if a := s.guard.Invoke(s.t, payload); string(a.Body) != `{"batchItemFailures":[]}` {
		s.t.Fatalf("guard answered %s\n%s", a.Body, s.guard.Log())
	}
}

// runs starts the canary as its schedule does.
func (s *stage) runs() answer {
	s.t.Helper()
	s.told = nil
	a := s.canary.Invoke(s.t, []byte(`{"source":"aws.events","detail-type":"Scheduled Event","detail":{}}`))
	var out answer
	if a.Failed != runtimetest.Answered || json.Unmarshal(a.Body, &out) != nil {
		s.t.Fatalf("the canary answered %s\n%s", a.Body, s.canary.Log())
	}
	return out
}

// The built binaries of canary and guard, over the Runtime API: every account of
// the organization is written, decided on and measured; an account whose rule is
// off is missed, one without its stack unreachable, and both are told on SNS
// (T14, T71).
func TestTheBuiltBootstrapsProveTheWayAndTellWhereItIsShut(t *testing.T) {
	s := newStage(t)
	if got, want := s.runs(), (answer{Accounts: 3, FirstTime: 3}); got != want {
		t.Fatalf("the first run: %+v\n%s", got, s.canary.Log())
	}
	s.guards()
	if got, want := s.runs(), (answer{Accounts: 3, Reached: 3}); got != want {
		t.Fatalf("the second run: %+v\n%s\n%s", got, s.canary.Log(), s.guard.Log())
	}
	s.guards()

	// Nothing came of an older change in one account, the other lost a role.
	missed, lost := s.members[0], s.members[1]
	_, err := s.admin(missed).UpdateAssumeRolePolicy(t.Context(), &iam.UpdateAssumeRolePolicyInput{
		RoleName: aws.String(deployment.CanaryTarget), PolicyDocument: aws.String(canary.Document("aws", missed, time.Now().Add(-time.Hour))),
	})
	s.must(err)
	_, err = s.admin(lost).DeleteRolePolicy(t.Context(), &iam.DeleteRolePolicyInput{RoleName: aws.String(deployment.CanaryWriterRole), PolicyName: aws.String("rolewarden")})
	s.must(err)
	_, err = s.admin(lost).DeleteRole(t.Context(), &iam.DeleteRoleInput{RoleName: aws.String(deployment.CanaryWriterRole)})
	s.must(err)
	if got, want := s.runs(), (answer{Accounts: 3, Reached: 1, Missed: 1, Unreachable: 1, Told: 2}); got != want {
		t.Fatalf("the third run: %+v\n%s", got, s.canary.Log())
	}
	accounts := map[string]bool{}
	for _, m := range s.told {
		a, err := alert.Parse([]byte(m.For("sqs")))
		if err != nil {
			t.Errorf("an alert: %v", err)
		}
		accounts[a.Account] = true
	}
	if len(s.told) != 2 || !accounts[missed] || !accounts[lost] {
		t.Errorf("told of %v, %d messages", accounts, len(s.told))
	}
	// Everywhere the rule lets the canary's own role through and no other.
	whole := trail.Patterns(trail.PatternOptions{})[0]
	s.puts(strings.Replace(whole, `"detail":{`, `"detail":{"requestParameters":{"roleName":["`+deployment.CanaryTarget+`"]},`, 1))
	s.guards()
	if got, want := s.runs(), (answer{Accounts: 3, Missed: 2, Unreachable: 1, Told: 3}); got != want {
		t.Fatalf("the fourth run: %+v\n%s", got, s.canary.Log())
	}
	log := s.canary.Log()
	if strings.Contains(log, external) {
		t.Error("the log shows the external id")
	}
	for _, metric := range []string{"CanaryAccounts", "CanaryReached", "CanaryMissed", "CanaryUnreachable", "CanaryFirst", "CanarySeconds"} {
		if !strings.Contains(log, `"`+metric+`"`) {
			t.Errorf("%s is not in the log", metric)
		}
	}
}

// A canary that lacks a setting does not start, says which, and counts that.
func TestTheBuiltBootstrapSaysWhyItCannotStart(t *testing.T) {
	cmd := exec.CommandContext(t.Context(), runtimetest.Build(t, "."))
	cmd.Env = []string{"AWS_REGION=us-east-1"}
	log, err := cmd.CombinedOutput()
	if err == nil {
		t.Error("it ended well")
	}
	for _, part := range []string{`"alarm":"not-started"`, "ROLEWARDEN_TABLE", `"NotStarted"`} {
		if !strings.Contains(string(log), part) {
			t.Errorf("%s is not in the log:\n%s", part, log)
		}
	}
}
