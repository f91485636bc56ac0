package awsapi_test

import (
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/google/go-cmp/cmp"

	"github.com/rolewarden/rolewarden/pkg/awsapi"
	"github.com/rolewarden/rolewarden/pkg/ledger"
	"github.com/rolewarden/rolewarden/pkg/ledger/ledgertest"
)

// table makes an empty table and gives a ledger on it with the wire to it.
func table(t *testing.T, number *atomic.Int64) (*awsapi.Dynamo, *wire, aws.Config) {
	t.Helper()
	cfg := motoServer.AWS(t)
	name := aws.String("ledger-" + time.Duration(number.Add(1)).String() + "-" + strings.ReplaceAll(t.Name()[:min(40, len(t.Name()))], "/", "."))
	client := dynamodb.NewFromConfig(cfg, func(o *dynamodb.Options) { o.Retryer = aws.NopRetryer{} })
	_, err := client.CreateTable(t.Context(), &dynamodb.CreateTableInput{
		TableName: name, BillingMode: types.BillingModePayPerRequest,
		AttributeDefinitions: []types.AttributeDefinition{
			{AttributeName: aws.String("pk"), AttributeType: types.ScalarAttributeTypeS},
			{AttributeName: aws.String("sk"), AttributeType: types.ScalarAttributeTypeS},
		},
		KeySchema: []types.KeySchemaElement{
			{AttributeName: aws.String("pk"), KeyType: types.KeyTypeHash}, {AttributeName: aws.String("sk"), KeyType: types.KeyTypeRange},
		},
	})
	must(t, err)
	w := newWire()
	w.next = &atomicItems{next: cfg.HTTPClient}
	cfg.HTTPClient = w
	d, err := awsapi.NewDynamo(awsapi.DynamoConfig{AWS: cfg, Table: *name})
	must(t, err)
	return d, w, cfg
}

// atomicItems lets one request through at a time. DynamoDB makes each write of
// an item, and each transaction, atomic; moto serves in threads and loses
// updates within a request. How the requests of several workers interleave
// stays open.
type atomicItems struct {
	mu   sync.Mutex
	next aws.HTTPClient
}

// Do implements aws.HTTPClient.
func (a *atomicItems) Do(r *http.Request) (*http.Response, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.next.Do(r)
}

func TestDynamoKeepsTheContract(t *testing.T) {
	var number atomic.Int64
	ledgertest.Conformance(t, func(t *testing.T) ledger.Ledger {
		d, _, _ := table(t, &number)
		return d
	})
}

// The budget: a compliant event costs two calls, be the role new or known.
func TestCompliantEventCostsTwoCalls(t *testing.T) {
	var number atomic.Int64
	d, w, _ := table(t, &number)
	for i, id := range []string{"e1", "e2"} {
		k := ledger.Key{Account: prod, EventID: id}
		if _, err := d.Take(t.Context(), k, now()); err != nil {
			t.Fatal(err)
		}
		at := now().Add(time.Duration(i) * time.Minute)
		alice := "arn:aws:iam::" + prod + ":user/alice"
		key, _ := ledger.PrincipalOf(alice)
		must(t, d.Conclude(t.Context(), ledger.Conclusion{
			Event: k, End: ledger.Compliant, Reason: "all rules hold", At: at, Expect: ledger.NoOpenAlert,
			State: &ledger.RoleState{Account: prod, RoleID: "AROA1", Event: k, EventTime: at, Trusts: []ledger.PrincipalKey{key}},
			Seen:  []ledger.Identity{{ID: "AIDA1", ARN: alice, SeenAt: at}},
		}))
		if d := cmp.Diff([]string{"dynamodb:UpdateItem", "dynamodb:TransactWriteItems"}, w.calls()); d != "" {
			t.Errorf("the calls of event %s (-want +got):\n%s", id, d)
		}
	}
}

// As in the lab, and over the wire to another's DynamoDB.
func TestDynamoAgreesWithMemory(t *testing.T) {
	var number atomic.Int64
	ledgertest.Agreement(t, "15", func(t *testing.T) (one, two ledger.Ledger) {
		d, _, _ := table(t, &number)
		return ledger.NewMemory(), d
	})
}
