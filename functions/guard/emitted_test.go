package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	ddb "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	iamtypes "github.com/aws/aws-sdk-go-v2/service/iam/types"

	"github.com/rolewarden/rolewarden/functions/runtimetest"
	"github.com/rolewarden/rolewarden/functions/start"
	"github.com/rolewarden/rolewarden/pkg/decision"
	"github.com/rolewarden/rolewarden/pkg/guard"
	"github.com/rolewarden/rolewarden/pkg/lab"
	"github.com/rolewarden/rolewarden/pkg/meter"
	"github.com/rolewarden/rolewarden/pkg/meter/metertest"
	"github.com/rolewarden/rolewarden/pkg/policy"
	"github.com/rolewarden/rolewarden/pkg/role"
	"github.com/rolewarden/rolewarden/pkg/trail"
)

const (
	// openToAll lets everybody in.
	openToAll = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"*"},"Action":"sts:AssumeRole"}]}`
	// uncovered is an account without member roles.
	uncovered = "444455556666"

	carefulRules = `
limits: {perRolePerDay: 1}
containment: {rules: [public-principal]}
`
	moreRules = `
protected: ["arn:aws:iam::111122223333:role/break-glass"]
exemptions:
  - {rules: [public-principal], role: "arn:aws:iam::111122223333:role/old", owner: alice, reason: migration, ticket: SEC-1, expires: 2026-01-31}
`
)

// notByTheBinary are the metrics that no working binary emits, and the test
// that shows them.
var notByTheBinary = map[string]string{
	meter.Panic:     "TestABatchIsOneLineOfNumbers",
	meter.Alarm:     "TestAnUnknownWordCountsAsAlarm of pkg/meter",
	meter.Unwritten: "TestLinesThatCannotBeWrittenAreCounted of pkg/meter",

	meter.WriteWithoutIntent: "TestEveryWordHasItsMetric of pkg/meter",
	meter.LostUpdate:         "TestEveryWordHasItsMetric of pkg/meter",
}

// The built binary emits every metric of its table, each for what the table
// says, and none that is not in it: alarms and dashboard wait for no number
// that never comes.
func TestTheBuiltBootstrapEmitsEveryMetricOfItsTable(t *testing.T) {
	s := newStage(t)
	s.restart(stageRules + moreRules)
	for name, happen := range map[string]func(*stage){
		"":                         func(*stage) {},
		meter.ExemptionExpired:     func(s *stage) { s.restart(stageRules + moreRules) },
		meter.EventsReceived:       func(s *stage) { s.send(s.sample("PutRolePolicy.unknown.json")) },
		meter.EventsIgnored:        func(s *stage) { s.send(s.sample("PutRolePolicy.unknown.json")) },
		meter.RulesFingerprint:     func(s *stage) { s.send(s.sample("PutRolePolicy.unknown.json")) },
		meter.Decided:              func(s *stage) { s.send(s.create("closed", nobodyButEC2)) },
		meter.DecisionSeconds:      func(s *stage) { s.send(s.create("quick", nobodyButEC2)) },
		meter.Findings:             func(s *stage) { s.send(s.create("found", openToAll)) },
		meter.Written:              func(s *stage) { s.send(s.create("new", openToAll)) },
		meter.AlertPublished:       func(s *stage) { s.send(s.create("told", openToAll)) },
		meter.WritesHeld:           func(s *stage) { s.send(s.create("break-glass", openToAll)) },
		meter.WritesIncomplete:     func(s *stage) { s.send(s.create("full", openToAll, fiftyTags()...)) },
		meter.ReadDenied:           func(s *stage) { s.lastLook() },
		meter.Trouble:              func(s *stage) { s.send(forged(s.create("forged", openToAll))) },
		meter.MessageFailed:        func(s *stage) { s.send([]byte(`{"no": "envelope`)) },
		meter.WritesStopped:        func(s *stage) { s.stopped(s.create("stopped", openToAll)) },
		meter.KillSwitchUnreadable: func(s *stage) { s.unreadable(s.create("unknown", openToAll)) },
	} {
		s.counts(name, happen)
	}
	careful := newStage(t)
	careful.restart(stageRules + carefulRules)
	for name, happen := range map[string]func(*stage){
		meter.SealBroken:        func(s *stage) { s.send(s.tampered("planted")) },
		meter.BreakerTripped:    func(s *stage) { s.send(s.create("often", openToAll)) },
		meter.Contained:         func(s *stage) { s.send(s.create("inside", openToAll)) },
		meter.AlertsUndelivered: func(s *stage) { s.untold(s.create("untold", openToAll)) },
	} {
		careful.counts(name, happen)
	}
	got := metertest.Names(metertest.Lines(t, s.log()+careful.log()+s.notStarted()))
	for _, m := range meter.All() {
		if m.Function == meter.Guard && !slices.Contains(got, m.Name) && notByTheBinary[m.Name] == "" {
			t.Errorf("%s was never counted", m.Name)
		}
	}
	for name, test := range notByTheBinary {
		if slices.Contains(got, name) {
			t.Errorf("%s was counted, which only %s ought to see:\n%s", name, test, s.log())
		}
	}
	if log := s.log(); strings.Contains(log, "example-external-id") {
		t.Error("the log shows the external id")
	}
}

// counts lets something happen, and demands that a metric counts it.
func (s *stage) counts(name string, happen func(*stage)) {
	s.t.Helper()
	before := len(s.log())
	happen(s)
	lines := metertest.Lines(s.t, s.log()[before:])
	if name != "" && (!slices.Contains(metertest.Names(lines), name) || metertest.Sum(lines, name) == 0 && name != meter.DecisionSeconds) {
		s.t.Errorf("%s was not counted:\n%s", name, s.log()[before:])
	}
	for _, l := range lines {
		if l.Function != meter.Guard || time.Since(l.Time) > time.Hour {
			s.t.Errorf("a line of %s at %s", l.Function, l.Time)
		}
	}
}

// tampered makes a role with a baseline that nobody sealed, and gives an event
// after which it would be gone back to (T61).
func (s *stage) tampered(name string) []byte {
	s.t.Helper()
	s.behind.Store(int64(48 * time.Hour))
	body := s.create(name, openToAll)
	s.behind.Store(0)
	got, err := s.iam.GetRole(s.t.Context(), &iam.GetRoleInput{RoleName: &name})
	s.must(err)
	doc, err := policy.Parse([]byte(nobodyButEC2))
	s.must(err)
	s.must(s.ledger.AddBaseline(s.t.Context(), role.Baseline{
		Account: prod, RoleID: *got.Role.RoleId, Document: nobodyButEC2, Digest: doc.Digest("aws"), Provenance: role.Observed,
		Since: time.Now().Add(-48 * time.Hour), Sealed: time.Now().Add(-24 * time.Hour), Seal: make([]byte, 32),
	}))
	return body
}

// untold sends an event while the topic is down.
func (s *stage) untold(event []byte) {
	s.t.Helper()
	defer s.lab.Inject(lab.Fault{Action: "Publish", Kind: lab.ServerError})()
	if failed := s.send(event); len(failed) != 1 {
		s.t.Errorf("%d messages come again", len(failed))
	}
}

// T76: each start says which rules file is in use, by the hash that stands in
// every decision, once.
func TestTheBuiltBootstrapSaysWhichRulesItUses(t *testing.T) {
	s := newStage(t)
	rules, err := start.Rules(s.env["ROLEWARDEN_RULES"], time.Now())
	s.must(err)
	s.send(s.create("told", openToAll))
	var started []map[string]any
	for line := range strings.Lines(s.log()) {
		m := map[string]any{}
		s.must(json.Unmarshal([]byte(line), &m))
		if m["msg"] == "started" {
			started = append(started, m)
		}
	}
	if len(started) != 1 || started[0]["rules_hash"] != rules.Hash || started[0]["rules_file"] == "" || started[0]["version"] == nil {
		t.Errorf("started: %v\n%s", started, s.log())
	}
	role, err := s.iam.GetRole(t.Context(), &iam.GetRoleInput{RoleName: aws.String("told")})
	s.must(err)
	if state, ok, err := s.ledger.State(t.Context(), prod, *role.Role.RoleId); err != nil || !ok || state.RulesHash != rules.Hash {
		t.Errorf("the ledger says %+v, %t, %v", state, ok, err)
	}
	lines := metertest.Lines(t, s.log())
	if got := metertest.Sum(lines, meter.RulesFingerprint); got != fingerprint(rules.Hash) || got == 0 {
		t.Errorf("the fingerprint of %s is counted as %v", rules.Hash, got)
	}
}

// log is what this run and those before it have logged.
func (s *stage) log() string { return s.earlier + s.runtime.Log() }

// restart runs the function anew, with other rules.
func (s *stage) restart(rules string) {
	s.t.Helper()
	s.runtime.Stop(s.t)
	s.earlier = s.log()
	path := filepath.Join(s.t.TempDir(), "rules.yaml")
	s.must(os.WriteFile(path, []byte(rules), 0o600))
	s.env["ROLEWARDEN_RULES"] = path
	s.runtime = runtimetest.Start(s.t, s.bootstrap, s.env)
	// It has started once it answers.
	s.send(s.sample("PutRolePolicy.unknown.json"))
}

// create makes a role in the lab and gives the event of it.
func (s *stage) create(name, document string, tags ...iamtypes.Tag) []byte {
	s.t.Helper()
	_, err := s.iam.CreateRole(s.t.Context(), &iam.CreateRoleInput{RoleName: &name, AssumeRolePolicyDocument: &document, Tags: tags})
	s.must(err)
	e := s.seen[len(s.seen)-1]
	if e.EventName != "CreateRole" {
		s.t.Fatalf("the newest event is %s", e.EventName)
	}
	return e.Raw
}

// fiftyTags leave no room for another.
func fiftyTags() []iamtypes.Tag {
	var out []iamtypes.Tag
	for i := range 50 {
		out = append(out, iamtypes.Tag{Key: aws.String(fmt.Sprintf("tag-%d", i)), Value: aws.String("x")})
	}
	return out
}

// forged is an event whose accounts disagree.
func forged(event []byte) []byte {
	return bytes.Replace(event, []byte(`"recipientAccountId":"`+prod), []byte(`"recipientAccountId":"`+uncovered), 1)
}

// lastLook is the last of the looks at a role that may not be read.
func (s *stage) lastLook() {
	s.t.Helper()
	step := guard.Step{
		Version: 1, Account: uncovered, RoleName: "app", Step: guard.Settle, Attempt: 4, NotBefore: time.Now().Add(-time.Minute),
		Change: trail.Change{Kind: trail.TrustUpdated, EventID: "ev-uncovered", EventName: "UpdateAssumeRolePolicy", Account: uncovered, Partition: "aws", RoleName: "app", Time: time.Now().Add(-time.Hour)},
	}
	body, err := step.Body()
	s.must(err)
	payload, err := json.Marshal(events.SQSEvent{Records: []events.SQSMessage{{MessageId: "a", Body: string(body), EventSourceARN: "arn:aws:sqs:us-east-1:" + hub + ":later"}}})
	s.must(err)
	s.runtime.Invoke(s.t, payload)
}

// stopped sends an event while the kill switch stops every write.
func (s *stage) stopped(event []byte) {
	s.t.Helper()
	s.must(s.ledger.SetSwitch(s.t.Context(), decision.WritesStopped, "alice", "exercise", time.Now()))
	s.send(event)
	s.must(s.ledger.SetSwitch(s.t.Context(), decision.WritesAllowed, "alice", "exercise", time.Now()))
}

// unreadable sends an event while the kill switch has a position that nobody knows.
func (s *stage) unreadable(event []byte) {
	s.t.Helper()
	text := func(v string) ddb.AttributeValue { return &ddb.AttributeValueMemberS{Value: v} }
	table := s.env["ROLEWARDEN_TABLE"]
	_, err := dynamodb.NewFromConfig(moto.AWS(s.t)).PutItem(s.t.Context(), &dynamodb.PutItemInput{
		TableName: &table, Item: map[string]ddb.AttributeValue{"pk": text("SWITCH"), "sk": text("SWITCH"), "setting": text("perhaps")},
	})
	s.must(err)
	s.send(event)
	s.must(s.ledger.SetSwitch(s.t.Context(), decision.WritesAllowed, "alice", "exercise", time.Now()))
}

// notStarted runs the function without its settings, and gives what it logs.
func (s *stage) notStarted() string {
	s.t.Helper()
	cmd := exec.CommandContext(s.t.Context(), s.bootstrap)
	cmd.Env = []string{"PATH=" + os.Getenv("PATH")}
	out, err := cmd.Output()
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != 1 {
		s.t.Errorf("it ended with %v", err)
	}
	return string(out)
}
