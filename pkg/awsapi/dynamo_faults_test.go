package awsapi_test

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/rolewarden/rolewarden/pkg/awsapi"
	"github.com/rolewarden/rolewarden/pkg/decision"
	"github.com/rolewarden/rolewarden/pkg/ledger"
	"github.com/rolewarden/rolewarden/pkg/role"
)

// reply is one answer of a scripted DynamoDB.
type reply struct {
	status int
	body   string
}

const prefix = `{"__type":"com.amazonaws.dynamodb.v20120810#`

func canceled(reasons string) reply {
	return reply{400, prefix + `TransactionCanceledException","Message":"canceled","CancellationReasons":[` + reasons + `]}`}
}

// scripted makes a ledger whose calls get the given answers in turn, the last
// one for ever, and counts them.
func scripted(t *testing.T, answers ...reply) (*awsapi.Dynamo, *int) {
	t.Helper()
	calls := new(int)
	cfg := awsapi.Fixed(awsapi.Keys{Endpoint: "http://127.0.0.1:1", Region: "us-east-1", AccessKeyID: "AKIAEXAMPLE", SecretAccessKey: "x"})
	cfg.HTTPClient = clientFunc(func(r *http.Request) (*http.Response, error) {
		a := answers[min(*calls, len(answers)-1)]
		*calls++
		if a.status == 0 {
			return nil, errors.New("connection reset by peer")
		}
		h := http.Header{"X-Amzn-Requestid": {"REQ1"}, "Content-Type": {"application/x-amz-json-1.0"}}
		return &http.Response{StatusCode: a.status, Header: h, Body: io.NopCloser(strings.NewReader(a.body)), Request: r}, nil
	})
	d, err := awsapi.NewDynamo(awsapi.DynamoConfig{AWS: cfg, Table: "ledger"})
	must(t, err)
	return d, calls
}

var _ aws.HTTPClient = clientFunc(nil)

func conclusion() ledger.Conclusion {
	return ledger.Conclusion{Event: ledger.Key{Account: prod, EventID: "e1"}, End: ledger.Told, At: now()}
}

// Two workers on one item: the loser tries again by itself.
func TestLostRaceIsTriedAgain(t *testing.T) {
	d, calls := scripted(t, canceled(`{"Code":"TransactionConflict"}`), canceled(`{"Code":"ThrottlingError"}`), reply{200, `{}`})
	must(t, d.Conclude(t.Context(), conclusion()))
	if *calls != 3 {
		t.Errorf("%d calls were made", *calls)
	}
}

// A race that goes on ends in an error by which the queue brings the event again.
func TestRaceWithoutEndIsAnError(t *testing.T) {
	d, calls := scripted(t, canceled(`{"Code":"TransactionConflict"}`))
	if err := d.Conclude(t.Context(), conclusion()); !errors.Is(err, role.ErrConflict) {
		t.Errorf("got %v, want ErrConflict", err)
	}
	if *calls > 10 {
		t.Errorf("%d calls were made", *calls)
	}
}

// What a repetition cannot mend is not repeated.
func TestRefusedTransactionIsAnError(t *testing.T) {
	d, calls := scripted(t, canceled(`{"Code":"ValidationError","Message":"too large"}`))
	err := d.Conclude(t.Context(), conclusion())
	if err == nil || errors.Is(err, role.ErrConflict) || !strings.Contains(err.Error(), "REQ1") {
		t.Errorf("got %v", err)
	}
	if *calls != 1 {
		t.Errorf("%d calls were made", *calls)
	}
}

// DynamoDB down: every call says so, and the kill switch is unreadable, which stops writes.
func TestLedgerDownIsAnError(t *testing.T) {
	for name, answer := range map[string]reply{
		"500":           {500, prefix + `InternalServerError","message":"x"}`},
		"no answer":     {},
		"denied":        {400, prefix + `AccessDeniedException","message":"x"}`},
		"no table":      {400, prefix + `ResourceNotFoundException","message":"x"}`},
		"garbage":       {200, `{"Item":`},
		"another thing": {200, `[]`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel() // the SDK waits between its tries
			d, _ := scripted(t, answer)
			if s, err := d.Switch(t.Context()); s != decision.Unreadable || err == nil {
				t.Errorf("the switch reads %s, %v", s, err)
			}
			if _, err := d.Take(t.Context(), ledger.Key{Account: prod, EventID: "e1"}, now()); err == nil {
				t.Error("the taking succeeded")
			}
			if err := d.Intend(t.Context(), ledger.Intent{Event: ledger.Key{Account: prod, EventID: "e1"}}); err == nil || errors.Is(err, ledger.ErrConcluded) {
				t.Errorf("the intent: %v", err)
			}
			err := d.Lease(t.Context(), role.Ref{Account: prod, Name: "App"}, "h", now(), now())
			if name != "garbage" && name != "another thing" && (err == nil || errors.Is(err, ledger.ErrLeased)) {
				t.Errorf("the lease: %v", err)
			}
			var limit *ledger.LimitError
			err = d.Spend(t.Context(), "t", now(), []ledger.Counter{{Name: "c", Window: 1e12, Limit: 1}})
			if errors.As(err, &limit) {
				t.Errorf("the spending: %v", err)
			}
		})
	}
}

// A switch that somebody set to a word that is none stops writes.
func TestUnknownSwitchStopsWrites(t *testing.T) {
	for _, setting := range []string{`{"S":"on"}`, `{"S":"Unreadable"}`, `{"S":""}`, `{"N":"2"}`} {
		d, _ := scripted(t, reply{200, `{"Item":{"pk":{"S":"SWITCH"},"setting":` + setting + `}}`})
		if s, err := d.Switch(t.Context()); s != decision.Unreadable || err == nil {
			t.Errorf("the setting %s reads %s, %v", setting, s, err)
		}
	}
}

// A record that was tampered with, or that a later version wrote, is an error
// and no empty state.
func TestBrokenRecordIsAnError(t *testing.T) {
	for _, attribute := range []string{`{"S":"text"}`, `{"B":"e30"}`, `{"B":"H4sIAAAA"}`, `{"B":"eyJ2ZXJkaWN0IjoiTWF5YmUifQ=="}`} {
		d, _ := scripted(t, reply{200, `{"Item":{"pk":{"S":"x"},"body":` + attribute + `}}`})
		if _, ok, err := d.State(t.Context(), prod, "AROA1"); ok || err == nil {
			t.Errorf("the record %s was read", attribute)
		}
	}
	d, _ := scripted(t, reply{200, `{"Attributes":{"attempts":{"N":"2"},"ended":{"S":"Forgotten"}}}`})
	if _, err := d.Take(t.Context(), ledger.Key{Account: prod, EventID: "e1"}, now()); err == nil {
		t.Error("an unknown end was read")
	}
}

// Throttled means try again later, and says so.
func TestThrottledLedger(t *testing.T) {
	d, _ := scripted(t, reply{400, prefix + `ProvisionedThroughputExceededException","message":"slow"}`})
	if _, _, err := d.State(t.Context(), prod, "AROA1"); !errors.Is(err, role.ErrThrottled) {
		t.Errorf("got %v, want ErrThrottled", err)
	}
}

// DynamoDB may give a batch in parts.
func TestBatchInParts(t *testing.T) {
	entry := `{"Items":[{"pk":{"S":"p"},"sk":{"S":"TRUSTED#1"},"account":{"S":"` + prod + `"},"roleId":{"S":"AROA1"}}]}`
	rest := `{"Responses":{},"UnprocessedKeys":{"ledger":{"Keys":[{"pk":{"S":"a"},"sk":{"S":"STATE"}}]}}}`
	alice := ledger.PrincipalKey{Account: prod, Kind: "user", Name: "alice"}
	d, calls := scripted(t, reply{200, entry}, reply{200, rest}, reply{200, rest}, reply{200, `{"Responses":{}}`})
	if _, err := d.Trusting(t.Context(), alice); err != nil || *calls != 4 {
		t.Errorf("%d calls, %v", *calls, err)
	}
	d, calls = scripted(t, reply{200, entry}, reply{200, rest})
	if _, err := d.Trusting(t.Context(), alice); err == nil || *calls > 20 {
		t.Errorf("parts without end: %d calls, %v", *calls, err)
	}
}
