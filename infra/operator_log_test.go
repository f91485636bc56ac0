package main

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	ddb "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"

	"github.com/rolewarden/rolewarden/functions/runtimetest"
	"github.com/rolewarden/rolewarden/pkg/awsapi"
	"github.com/rolewarden/rolewarden/pkg/deployment"
	"github.com/rolewarden/rolewarden/pkg/policy"
	"github.com/rolewarden/rolewarden/pkg/role"
)

// The accounts of the week's roles.
const prod, trial = "111122223333", "777788889999"

const (
	onlyEC2   = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole"}]}`
	openToAll = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"*"},"Action":"sts:AssumeRole"}]}`
	// anyName lets users of a member account in under any name, which only tags.
	anyName = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::555555555555:root"},"Action":"sts:AssumeRole"}]}`
	// stranger breaks three rules at once.
	stranger = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::222222222222:root"},"Action":"sts:AssumeRole"}]}`
	// unsettled asks for something that no value of the condition is.
	unsettled = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::555555555555:root"},"Action":"sts:AssumeRole","Condition":{"Null":{"aws:PrincipalTag/team":"maybe"}}}]}`

	// weekRules let every action happen: rolewarden writes in prod, but for one
	// role, only tags under one rule, and only tells in trial.
	weekRules = `version: 1
organization:
  id: o-exampleorgid
  management: "999999999999"
  complete: true
  accounts:
    - {id: "555555555555", name: security}
    - {id: "111122223333", name: prod}
    - {id: "777788889999", name: trial}
protected: ["arn:aws:iam::111122223333:role/vault"]
modes:
  default: enforce
  accounts: {"777788889999": observe}
rules:
  session-name: {mode: tag}
`
)

// week is guard's built function in the lab, under the roles, the policies and
// the settings of the templates.
type week struct {
	*house
	ledger  *awsapi.Dynamo
	handler *runtimetest.Runtime
}

func newWeek(t *testing.T) *week {
	t.Helper()
	w := &week{house: newHouse(t)}
	w.makeTable(deployment.Table)
	w.handler = w.start(deployment.GuardFunction, map[string]string{"AWS_ENDPOINT_URL_DYNAMODB": moto.URL(t)})
	return w
}

// makeTable makes the ledger's table in moto's own account, where nobody else does.
func (w *week) makeTable(name string) {
	w.t.Helper()
	visit(w.t)
	_, err := dynamodb.NewFromConfig(moto.AWS(w.t)).CreateTable(w.t.Context(), &dynamodb.CreateTableInput{
		TableName: &name, BillingMode: ddb.BillingModePayPerRequest,
		AttributeDefinitions: []ddb.AttributeDefinition{{AttributeName: aws.String("pk"), AttributeType: "S"}, {AttributeName: aws.String("sk"), AttributeType: "S"}},
		KeySchema:            []ddb.KeySchemaElement{{AttributeName: aws.String("pk"), KeyType: "HASH"}, {AttributeName: aws.String("sk"), KeyType: "RANGE"}},
	})
	w.must(err)
	w.ledger, err = awsapi.NewDynamo(awsapi.DynamoConfig{AWS: moto.AWS(w.t), Table: name})
	w.must(err)
}

// happens sends the events of what is done meanwhile to the function.
func (w *week) happens(what func()) {
	w.t.Helper()
	w.lab.Settle()
	before := len(w.seen)
	what()
	w.lab.Settle()
	var bodies [][]byte
	for _, e := range w.seen[before:] {
		bodies = append(bodies, e.Raw)
	}
	w.handles(bodies...)
}

// handles has the function handle a batch.
func (w *week) handles(bodies ...[]byte) {
	w.t.Helper()
	batch := events.SQSEvent{}
	for i, body := range bodies {
		batch.Records = append(batch.Records, events.SQSMessage{MessageId: fmt.Sprint(i), ReceiptHandle: "r", Body: string(body)})
	}
	payload, err := json.Marshal(batch)
	w.must(err)
	if a := w.handler.Invoke(w.t, payload); len(batch.Records) == 0 || !strings.Contains(string(a.Body), `"batchItemFailures":[]`) {
		w.t.Fatalf("%d events, answered with %s\n%s", len(batch.Records), a.Body, w.handler.Log())
	}
}

func (w *week) creates(account, name, document string) {
	w.t.Helper()
	w.happens(func() {
		_, err := w.iam(account).CreateRole(w.t.Context(), &iam.CreateRoleInput{RoleName: &name, AssumeRolePolicyDocument: &document})
		w.must(err)
	})
}

func (w *week) updates(account, name, document string) {
	w.t.Helper()
	w.happens(func() {
		_, err := w.iam(account).UpdateAssumeRolePolicy(w.t.Context(), &iam.UpdateAssumeRolePolicyInput{RoleName: &name, PolicyDocument: &document})
		w.must(err)
	})
}

// stood makes a role two days ago, and gives it a baseline, as a sweep would.
func (w *week) stood(account, name string) {
	w.t.Helper()
	w.ago.Store(int64(48 * time.Hour))
	w.creates(account, name, onlyEC2)
	w.ago.Store(0)
	got, err := w.iam(account).GetRole(w.t.Context(), &iam.GetRoleInput{RoleName: &name})
	w.must(err)
	doc, err := policy.Parse([]byte(onlyEC2))
	w.must(err)
	stood := time.Now().UTC().Truncate(time.Millisecond)
	b := role.Baseline{
		Account: account, RoleID: *got.Role.RoleId, Document: onlyEC2, Digest: doc.Digest("aws"), Provenance: role.Observed, Actor: "alice", EventID: "1b4e28ba",
		Since: stood.Add(-48 * time.Hour), Sealed: stood.Add(-24 * time.Hour),
	}
	b.Seal, err = w.seals.Seal(w.t.Context(), b)
	w.must(err)
	w.must(w.ledger.AddBaseline(w.t.Context(), b))
}

// linesOf are the lines of a log, by the flat names that Logs Insights gives
// their fields (CloudWatch Logs User Guide, CWL_AnalyzeLogData-discoverable-fields).
func (w *house) linesOf(log string) []map[string]string {
	w.t.Helper()
	var out []map[string]string
	for text := range strings.Lines(log) {
		var line map[string]any
		w.must(json.Unmarshal([]byte(text), &line))
		flat := map[string]string{"@timestamp": fmt.Sprint(line["time"])}
		flatten("", line, flat)
		out = append(out, flat)
	}
	return out
}

func flatten(name string, v any, into map[string]string) {
	switch v := v.(type) {
	case map[string]any:
		for k, one := range v {
			flatten(strings.TrimPrefix(name+"."+k, "."), one, into)
		}
	case []any:
		for i, one := range v {
			flatten(fmt.Sprintf("%s.%d", name, i), one, into)
		}
	case nil:
	default:
		into[name] = fmt.Sprint(v)
	}
}
