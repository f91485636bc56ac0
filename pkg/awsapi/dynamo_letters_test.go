package awsapi_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/rolewarden/rolewarden/pkg/awsapi"
	"github.com/rolewarden/rolewarden/pkg/ledger"
)

// find gives the one item whose keys begin as given.
func (r raw) find(t *testing.T, begin string) stored {
	t.Helper()
	for _, i := range r.items(t) {
		if strings.HasPrefix(keysOf(i), begin) {
			return i
		}
	}
	t.Fatalf("no item is %s", begin)
	return nil
}

// The letters that can be read go out although one beside them is broken.
func TestABrokenLetterStandsInNobodysWay(t *testing.T) {
	var number atomic.Int64
	d, _, r := told(t, &number)
	var want []string
	for n := range 12 {
		l := ledger.Letter{ID: fmt.Sprint("q", n), Body: []byte("{}"), At: now().AddDate(0, 0, n+1)}
		_, err := d.Post(t.Context(), l.ID, l)
		must(t, err)
		want = append(want, l.ID)
	}
	for _, i := range r.items(t) {
		if id := textIn(i, "id"); strings.HasPrefix(keysOf(i), "OUTBOX") && (id == "a1" || id == "p1") {
			delete(i, "body")
			r.put(t, i)
		}
	}
	for _, limit := range []int{1, 3, 99} {
		got, err := d.Undelivered(t.Context(), limit)
		if err == nil || !strings.Contains(err.Error(), "OUTBOX#") {
			t.Errorf("the broken letters are told as %v", err)
		}
		for n, l := range got {
			if l.ID != want[n] {
				t.Errorf("letter %d is %s, want %s", n, l.ID, want[n])
			}
		}
		if len(got) != min(limit, len(want)) {
			t.Errorf("of at most %d letters %d came", limit, len(got))
		}
	}
}

// A broken role hides no other from people, and is told.
func TestABrokenStateHidesNoOther(t *testing.T) {
	var number atomic.Int64
	d, _, r := told(t, &number)
	whole := ledger.RoleState{Account: prod, RoleID: "AROA2", Event: ledger.Key{Account: prod, EventID: "e5"}, EventTime: now()}
	must(t, d.Conclude(t.Context(), ledger.Conclusion{Event: whole.Event, End: ledger.Told, At: now(), State: &whole}))
	broken := r.find(t, "ROLE#"+prod+"#"+roleID+" / STATE")
	broken["form"] = aNumber("2")
	r.put(t, broken)
	var seen []string
	err := d.States(t.Context(), prod, func(s ledger.RoleState) error {
		seen = append(seen, s.RoleID)
		return nil
	})
	if err == nil || !strings.Contains(err.Error(), "ROLE#"+prod+"#"+roleID) || len(seen) != 1 || seen[0] != "AROA2" {
		t.Errorf("the states %v were shown, with the error %v", seen, err)
	}
}

// A letter that an event lists and that somebody removed is not taken for
// delivered.
func TestALetterThatIsGoneIsTold(t *testing.T) {
	var number atomic.Int64
	d, _, r := told(t, &number)
	for _, i := range r.items(t) {
		if textIn(i, "id") == "a1" {
			r.remove(t, i)
		}
	}
	_, err := d.Take(t.Context(), storyEvent(), now())
	if err == nil || !strings.Contains(err.Error(), "OUTBOX#") || !strings.Contains(err.Error(), "never delivered") {
		t.Errorf("the letter that is gone is told as %v", err)
	}
}

// One that was delivered between the two readings of a taking is delivered.
func TestADeliveryDuringATakingIsNoLoss(t *testing.T) {
	event := `{"attempts":{"N":"2"},"pk":{"S":"EVENT#` + prod + `#e1"},"ended":{"S":"Told"},"letters":{"M":{`
	lists := event + `"a1":{"S":"2026-11-21T09:00:00.000000000Z"}}}}`
	d, calls := scripted(t, reply{200, `{"Attributes":` + lists + `}`}, reply{200, `{"Responses":{}}`}, reply{200, `{"Item":` + event + `}}}}`})
	taken, err := d.Take(t.Context(), storyEvent(), now())
	if err != nil || len(taken.Letters) != 0 || taken.End != ledger.Told || *calls != 3 {
		t.Errorf("%d calls give %+v, %v", *calls, taken, err)
	}
}

// A letter whose place was lost is taken out all the same, so that it is not
// sent for ever.
func TestALetterWithoutItsEventIsTakenOut(t *testing.T) {
	var number atomic.Int64
	d, _, r := told(t, &number)
	r.remove(t, r.find(t, "EVENT#"))
	r.remove(t, r.find(t, "LETTER#"))
	letters, err := d.Undelivered(t.Context(), 9)
	if err != nil || len(letters) != 2 {
		t.Fatalf("%v, %v", letters, err)
	}
	for _, l := range letters {
		must(t, d.Delivered(t.Context(), l))
	}
	if letters, err = d.Undelivered(t.Context(), 9); err != nil || len(letters) != 0 {
		t.Errorf("there still wait %v, %v", letters, err)
	}
}

// losing is a DynamoDB whose first answer is lost, with what it was asked.
func losing(t *testing.T, answers ...reply) (*awsapi.Dynamo, *[]string) {
	t.Helper()
	names := &[]string{}
	n := 0
	cfg := awsapi.Fixed(awsapi.Keys{Endpoint: "http://127.0.0.1:1", Region: "us-east-1", AccessKeyID: "AKIAEXAMPLE", SecretAccessKey: "x"})
	cfg.HTTPClient = clientFunc(func(r *http.Request) (*http.Response, error) {
		var body struct{ ClientRequestToken string }
		if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
			return nil, err
		}
		*names = append(*names, body.ClientRequestToken)
		a := answers[min(n, len(answers)-1)]
		if n++; a.status == 0 {
			return nil, errors.New("connection reset by peer")
		}
		h := http.Header{"Content-Type": {"application/x-amz-json-1.0"}}
		return &http.Response{StatusCode: a.status, Header: h, Body: io.NopCloser(strings.NewReader(a.body)), Request: r}, nil
	})
	d, err := awsapi.NewDynamo(awsapi.DynamoConfig{AWS: cfg, Table: "ledger"})
	must(t, err)
	return d, names
}

// The answer that a letter was posted, or a sweep begun, may be lost. The
// repetition bears the same name, so DynamoDB does it once and the first is
// told that it was (Amazon DynamoDB API Reference, API_TransactWriteItems).
func TestALostAnswerDoesNotMakeTheFirstAgain(t *testing.T) {
	for what, call := range map[string]func(*awsapi.Dynamo) (ledger.Firstness, error){
		"a post": func(d *awsapi.Dynamo) (ledger.Firstness, error) {
			return d.Post(t.Context(), "t", ledger.Letter{ID: "a", Body: []byte("{}"), At: now()})
		},
		"a sweep": func(d *awsapi.Dynamo) (ledger.Firstness, error) {
			return d.BeginSweep(t.Context(), ledger.Sweep{ID: "s", At: now()})
		},
	} {
		d, names := losing(t, reply{}, reply{200, `{}`})
		first, err := call(d)
		if first != ledger.First || err != nil {
			t.Errorf("%s: %s, %v", what, first, err)
		}
		if len(*names) != 2 || (*names)[0] == "" || (*names)[0] != (*names)[1] {
			t.Errorf("%s was asked for under the names %q", what, *names)
		}
	}
}
