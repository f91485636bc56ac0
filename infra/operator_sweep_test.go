package main

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/rolewarden/rolewarden/functions/runtimetest"
	"github.com/rolewarden/rolewarden/pkg/alert"
	"github.com/rolewarden/rolewarden/pkg/awsapi"
	"github.com/rolewarden/rolewarden/pkg/deployment"
	"github.com/rolewarden/rolewarden/pkg/lab"
	"github.com/rolewarden/rolewarden/pkg/meter"
	"github.com/rolewarden/rolewarden/pkg/meter/metertest"
	"github.com/rolewarden/rolewarden/pkg/policy"
	"github.com/rolewarden/rolewarden/pkg/role"
)

// twoKeys are guard's and sweep's built functions in the house, with the ledger
// in the lab too, which holds each call to what the function's role may do.
type twoKeys struct {
	*house
	ledger       *awsapi.Dynamo
	guard, sweep *runtimetest.Runtime
	told         []alert.Alert
}

func newTwoKeys(t *testing.T) *twoKeys {
	t.Helper()
	w := &twoKeys{house: newHouse(t)}
	_, err := w.lab.SeedTable(security, lab.SeedTable{Name: deployment.Table, Expires: "expires"})
	w.must(err)
	w.ledger, err = awsapi.NewDynamo(awsapi.DynamoConfig{AWS: w.admin(), Table: deployment.Table})
	w.must(err)
	w.lab.OnMessage(func(m lab.Message) {
		a, err := alert.Parse([]byte(m.For("sqs")))
		w.must(err)
		w.told = append(w.told, a)
	})
	w.guard, w.sweep = w.start(deployment.GuardFunction, nil), w.start(deployment.SweepFunction, nil)
	return w
}

// admin is the configuration of the hub's administrator.
func (w *twoKeys) admin() aws.Config {
	w.t.Helper()
	keys, err := w.lab.Admin(security)
	w.must(err)
	return aws.Config{
		Region: "us-east-1", BaseEndpoint: aws.String(w.url), Credentials: credentials.NewStaticCredentialsProvider(keys.AccessKeyID, keys.SecretAccessKey, keys.SessionToken),
	}
}

// empties hands what is on a queue to a function until nothing is left, as Lambda
// does; waits are not waited for.
func (w *twoKeys) empties(queue string, function *runtimetest.Runtime) {
	w.t.Helper()
	client, url := sqs.NewFromConfig(w.admin()), w.lab.Queue(security, queue)
	for range 20 {
		got, err := client.ReceiveMessage(w.t.Context(), &sqs.ReceiveMessageInput{QueueUrl: &url, MaxNumberOfMessages: 10})
		w.must(err)
		if len(got.Messages) == 0 {
			// Delays are long: the lab's clock goes on, and nobody else's.
			if w.ago.Add(-int64(15 * time.Minute)); w.ago.Load() < -int64(45*time.Minute) {
				w.ago.Store(0)
				return
			}
			continue
		}
		for _, m := range got.Messages {
			payload, err := json.Marshal(events.SQSEvent{Records: []events.SQSMessage{{
				MessageId: *m.MessageId, ReceiptHandle: *m.ReceiptHandle, Body: *m.Body, EventSource: "aws:sqs", EventSourceARN: "arn:aws:sqs:us-east-1:" + security + ":" + queue,
				Attributes: map[string]string{"ApproximateReceiveCount": "1"},
			}}})
			w.must(err)
			if a := function.Invoke(w.t, payload); !strings.Contains(string(a.Body), `"batchItemFailures":[]`) {
				w.t.Fatalf("%s was answered with %s\n%s", *m.Body, a.Body, function.Log())
			}
			_, err = client.DeleteMessage(w.t.Context(), &sqs.DeleteMessageInput{QueueUrl: &url, ReceiptHandle: m.ReceiptHandle})
			w.must(err)
		}
	}
	w.t.Fatalf("there is no end to %s\n%s", queue, function.Log())
}

// makes makes a role two days ago, and no event tells of it.
func (w *twoKeys) makes(account, name, document string) string {
	w.t.Helper()
	w.ago.Store(int64(48 * time.Hour))
	defer w.ago.Store(0)
	got, err := w.iam(account).CreateRole(w.t.Context(), &iam.CreateRoleInput{RoleName: &name, AssumeRolePolicyDocument: &document})
	w.must(err)
	return *got.Role.RoleId
}

// trust reads a role's trust policy.
func (w *twoKeys) trust(account, name string) string {
	w.t.Helper()
	got, err := w.iam(account).GetRole(w.t.Context(), &iam.GetRoleInput{RoleName: &name})
	w.must(err)
	return *got.Role.AssumeRolePolicyDocument
}

// With what the templates let each of them do, and no more: a sweep that the
// schedule starts reads every account, finds open roles of which no event told,
// hands the new one to the guard and tells of the old, seals the document that has stood for a day, and tells
// of all in one summary; the guard verifies the seal and goes back to that
// document. An account without member roles is told as a gap, and nothing else is
// refused to either (T14, T61).
func TestTheDeployedSweepSealsAndTheDeployedGuardGoesBack(t *testing.T) {
	t.Parallel()
	w := newTwoKeys(t)
	id := w.makes(prod, "app", onlyEC2)
	w.makes(prod, "left-open", openToAll)
	_, err := w.iam(prod).CreateRole(t.Context(), &iam.CreateRoleInput{RoleName: aws.String("open"), AssumeRolePolicyDocument: aws.String(openToAll)})
	w.must(err)
	doc, err := policy.Parse([]byte(onlyEC2))
	w.must(err)
	w.must(w.ledger.SetCandidate(t.Context(), role.Baseline{
		Account: prod, RoleID: id, Document: onlyEC2, Digest: doc.Digest("aws"), Provenance: role.Observed, Actor: "alice", EventID: "1b4e28ba", Principals: map[string]string{},
		Since: time.Now().Add(-25 * time.Hour).UTC().Truncate(time.Millisecond),
	}))

	tick := fmt.Sprintf(`{"version":"0","id":"53dc4d37-cffa-4f76-80c9-8b7d4a4d2eaa","detail-type":"Scheduled Event","source":"aws.events","time":%q}`, time.Now().UTC().Format(time.RFC3339))
	if a := w.sweep.Invoke(t, []byte(tick)); !strings.Contains(string(a.Body), `"accounts":4`) {
		t.Fatalf("the schedule was answered with %s\n%s", a.Body, w.sweep.Log())
	}
	w.empties(deployment.SweepQueue, w.sweep)
	w.empties(deployment.LaterQueue, w.guard)

	known, err := w.ledger.Recall(t.Context(), prod, id)
	w.must(err)
	if len(known.Baselines) != 1 || len(known.Baselines[0].Seal) == 0 {
		t.Errorf("the document that has stood is no baseline: %+v\n%s", known, w.sweep.Log())
	}
	if got := w.trust(prod, "open"); strings.Contains(got, "Allow") {
		t.Errorf("the new open role is still open: %s\n%s", got, w.guard.Log())
	}
	if got := w.trust(prod, "left-open"); !strings.Contains(got, "Allow") {
		t.Errorf("a role without a past was written: %s\n%s", got, w.guard.Log())
	}
	var summaries []string
	for _, a := range w.told {
		if a.Notice == alert.NoticeSweep {
			summaries = append(summaries, a.Text())
		}
	}
	if len(summaries) != 1 || !strings.Contains(summaries[0], "role/left-open") || !strings.Contains(summaries[0], "999999999999") {
		t.Errorf("the summaries are %q", summaries)
	}

	before := len(w.seen)
	_, err = w.iam(prod).UpdateAssumeRolePolicy(t.Context(), &iam.UpdateAssumeRolePolicyInput{RoleName: aws.String("app"), PolicyDocument: aws.String(openToAll)})
	w.must(err)
	w.lab.Settle()
	batch := events.SQSEvent{}
	for _, e := range w.seen[before:] {
		batch.Records = append(batch.Records, events.SQSMessage{MessageId: e.EventID, Body: string(e.Raw), EventSourceARN: "arn:aws:sqs:us-east-1:" + security + ":" + deployment.IntakeQueue})
	}
	payload, err := json.Marshal(batch)
	w.must(err)
	w.guard.Invoke(t, payload)
	if got := w.trust(prod, "app"); !strings.Contains(got, "ec2.amazonaws.com") {
		t.Errorf("the guard did not go back: %s\n%s", got, w.guard.Log())
	}

	w.refusedNothing()
	w.listsItsSweeps()
	lines := metertest.Lines(t, w.sweep.Log())
	for name, want := range map[string]float64{meter.SweepAccounts: 4, meter.SweepFinished: 1, meter.BaselinesSealed: 1} {
		if got := metertest.Sum(lines, name); got != want {
			t.Errorf("%s is %v, want %v", name, got, want)
		}
	}
	if gaps := metertest.Sum(lines, meter.SweepCoverageGap); gaps < 1 {
		t.Errorf("no gap was counted")
	}
}

// listsItsSweeps asks the sweep's log what the operator asks it.
func (w *twoKeys) listsItsSweeps() {
	w.t.Helper()
	for _, one := range queries() {
		if one.name != "sweeps" {
			continue
		}
		q, found := asked(w.t, one.text, w.linesOf(w.sweep.Log()))
		if len(found) != 1 {
			w.t.Errorf("%s finds %v", one.name, found)
		}
		for _, field := range q.shows {
			if !slices.ContainsFunc(found, func(line map[string]string) bool { return line[field] != "" }) {
				w.t.Errorf("%s shows %s, which no line has", one.name, field)
			}
		}
		return
	}
	w.t.Error("there is no query for sweeps")
}

// refusedNothing looks for what was refused to a function: nothing but sessions in
// accounts that have no member roles.
func (w *twoKeys) refusedNothing() {
	w.t.Helper()
	for _, f := range []*runtimetest.Runtime{w.guard, w.sweep} {
		for line := range strings.Lines(f.Log()) {
			refused := slices.ContainsFunc([]string{"AccessDenied", "not authorized", "UnauthorizedOperation", meter.WordTrouble, meter.WordPanic}, func(word string) bool { return strings.Contains(line, word) })
			if refused && !strings.Contains(line, `"`+meter.WordCoverageGap+`"`) && !strings.Contains(line, `"state":"Gap"`) && !strings.Contains(line, `"problem":"`) {
				w.t.Errorf("something was refused: %s", line)
			}
		}
	}
}
