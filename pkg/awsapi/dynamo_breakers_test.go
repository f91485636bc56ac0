package awsapi_test

import (
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/rolewarden/rolewarden/pkg/ledger"
	"github.com/rolewarden/rolewarden/pkg/role"
)

const (
	none    = `{"Code":"None"}`
	unmet   = `{"Code":"ConditionalCheckFailed"}`
	nothing = `{}`
)

func tripping(limit int) []ledger.Counter {
	return []ledger.Counter{{Name: "c", Window: time.Hour, Limit: limit, Full: ledger.Trip}}
}

// counted is a canceled spending whose counter stands at a number.
func counted(n int) reply {
	return canceled(none + "," + none + fmt.Sprintf(`,{"Code":"ConditionalCheckFailed","Item":{"pk":{"S":"COUNT#c"},"sk":{"S":"x"},"written":{"N":"%d"}}}`, n))
}

// A person resets a breaker while a spending finds it tripped: it is tried anew.
func TestSpendingMeetsAReset(t *testing.T) {
	d, calls := scripted(t, canceled(none+","+unmet+","+none), reply{200, nothing}, reply{200, nothing}, reply{200, nothing})
	if err := d.Spend(t.Context(), "t1", now(), tripping(5)); err != nil || *calls != 4 {
		t.Errorf("%d calls, %v", *calls, err)
	}
}

// Another takes the last but one in between: the limit holds, and the breaker
// trips with the one that reaches it.
func TestSpendingMeetsAnother(t *testing.T) {
	// Four are found, so the fifth would trip; then five are, so it is refused, and it trips itself.
	d, calls := scripted(t, counted(4), reply{200, nothing}, counted(5), reply{200, nothing}, reply{200, nothing})
	var stop *ledger.TrippedError
	if err := d.Spend(t.Context(), "t1", now(), tripping(5)); !errors.As(err, &stop) || stop.Breaker.Count != 5 || *calls != 5 {
		t.Errorf("%d calls, %v", *calls, err)
	}
	// A race that goes on is an error by which the queue brings the event again.
	d, calls = scripted(t, counted(4), reply{200, nothing}, counted(4), reply{200, nothing}, counted(4), reply{200, nothing},
		counted(4), reply{200, nothing}, counted(4), reply{200, nothing}, counted(4), reply{200, nothing}, reply{200, nothing})
	if err := d.Spend(t.Context(), "t1", now(), tripping(5)); !errors.Is(err, role.ErrConflict) || *calls > 12 {
		t.Errorf("%d calls, %v", *calls, err)
	}
}

// DynamoDB need not name every reason: one that stops earlier is looked for.
func TestSpendingIsStoppedByWhatIsNotNamed(t *testing.T) {
	d, calls := scripted(t, counted(5), reply{200, `{"Item":{"pk":{"S":"SPENT#t1"}}}`})
	if err := d.Spend(t.Context(), "t1", now(), tripping(5)); err != nil || *calls != 2 {
		t.Errorf("a token that was counted: %d calls, %v", *calls, err)
	}
	breaker := `{"pk":{"S":"BREAKER"},"sk":{"S":"c"},"form":{"N":"1"},"body":{"B":"` +
		base64.StdEncoding.EncodeToString([]byte(`{"scope":"c","count":5,"token":"t0"}`)) + `"}}`
	d, calls = scripted(t, counted(5), reply{200, nothing}, canceled(`{"Code":"ConditionalCheckFailed","Item":`+breaker+`},`+none))
	var stop *ledger.TrippedError
	if err := d.Spend(t.Context(), "t1", now(), tripping(5)); !errors.As(err, &stop) || stop.Breaker.Token != "t0" || *calls != 3 {
		t.Errorf("a breaker that is tripped: %d calls, %v", *calls, err)
	}
}

// A counter that cannot be read lets nothing through.
func TestSpendingOnABrokenCounterIsAnError(t *testing.T) {
	for _, number := range []string{`{"S":"1"}`, `{"N":"many"}`} {
		bad := canceled(none + "," + none + `,{"Code":"ConditionalCheckFailed","Item":{"pk":{"S":"COUNT#c"},"sk":{"S":"COUNT#1"},"written":` + number + `}}`)
		d, _ := scripted(t, bad, reply{200, nothing})
		err := d.Spend(t.Context(), "t1", now(), tripping(5))
		var limit *ledger.LimitError
		var stop *ledger.TrippedError
		if err == nil || errors.As(err, &limit) || errors.As(err, &stop) || !strings.Contains(err.Error(), "COUNT#1") {
			t.Errorf("a counter of %s: %v", number, err)
		}
	}
}

// between does something once, before a request of one kind goes on.
type between struct {
	kind string
	do   func()
	next aws.HTTPClient
}

// Do implements aws.HTTPClient.
func (b *between) Do(r *http.Request) (*http.Response, error) {
	if do := b.do; do != nil && strings.HasSuffix(r.Header.Get("X-Amz-Target"), b.kind) {
		b.do = nil
		do()
	}
	return b.next.Do(r)
}

// A breaker that was reset and tripped anew between the reading and the closing
// is another, and stays.
func TestResetOfAnotherBreaker(t *testing.T) {
	var number atomic.Int64
	d, w, _ := table(t, &number)
	must(t, d.Spend(t.Context(), "t1", now(), tripping(1)))
	w.next = &between{kind: "TransactWriteItems", next: w.next, do: func() {
		must(t, d.Reset(t.Context(), "c", "bob", "", now()))
		must(t, d.Spend(t.Context(), "t2", now().Add(time.Minute), tripping(1)))
	}}
	if err := d.Reset(t.Context(), "c", "alice", "", now()); !errors.Is(err, ledger.ErrNotTripped) {
		t.Errorf("the late reset gives %v", err)
	}
	list, err := d.Breakers(t.Context())
	if err != nil || len(list) != 1 || list[0].Token != "t2" {
		t.Errorf("the breakers are %v, %v", list, err)
	}
	if err := d.Spend(t.Context(), "t3", now(), tripping(1)); err == nil {
		t.Error("the late reset let one through")
	}
}

// A scope may have more windows behind it than fit one transaction.
func TestResetOfManyWindows(t *testing.T) {
	var number atomic.Int64
	d, _, r := told(t, &number)
	for n := range 110 {
		r.put(t, stored{"pk": aText("COUNT#c"), "sk": aText(fmt.Sprint("COUNT#3600#", n)), "written": aNumber("1")})
	}
	must(t, d.Spend(t.Context(), "x", now(), tripping(1)))
	must(t, d.Reset(t.Context(), "c", "alice", "", now()))
	for _, i := range r.items(t) {
		if textIn(i, "pk") == "COUNT#c" {
			t.Fatalf("the counter %s is left", keysOf(i))
		}
	}
}
