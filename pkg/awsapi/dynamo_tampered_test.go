package awsapi_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/rolewarden/rolewarden/pkg/awsapi"
	"github.com/rolewarden/rolewarden/pkg/decision"
	"github.com/rolewarden/rolewarden/pkg/ledger"
	"github.com/rolewarden/rolewarden/pkg/role"
)

// T61: every bit of a stored baseline is turned, one after the other. Either it
// cannot be read any more, which is told, or what it says is no longer what was
// sealed, or it says the same as before.
func TestNoTurnedBitOfABaselineGoesUnseen(t *testing.T) {
	var number atomic.Int64
	_, _, r := told(t, &number)
	held, ok := r.find(t, "ROLE#"+prod+"#"+roleID+" / BASELINE")["body"].(*types.AttributeValueMemberB)
	if !ok {
		t.Fatal("the baseline has no body")
	}
	body := held.Value
	was := storyBaseline()
	broken, other := 0, 0
	for bit := range 8 * len(body) {
		turned := bytes.Clone(body)
		turned[bit/8] ^= 1 << (bit % 8)
		item := `{"Items":[{"pk":{"S":"ROLE#` + prod + `#` + roleID + `"},"sk":{"S":"BASELINE#sha256:a"},"form":{"N":"1"},"body":{"B":"` +
			base64.StdEncoding.EncodeToString(turned) + `"}}]}`
		d, _ := scripted(t, reply{200, item})
		got, err := d.Recall(t.Context(), prod, roleID)
		switch {
		case err != nil:
			broken++
		case len(got.Baselines) != 1:
			t.Fatalf("bit %d: the baseline is taken for nothing", bit)
		case !bytes.Equal(got.Baselines[0].Message(), was.Message()) || !bytes.Equal(got.Baselines[0].Seal, was.Seal):
			other++
		}
	}
	if broken == 0 || other == 0 {
		t.Errorf("of %d bits %d broke the item and %d changed it", 8*len(body), broken, other)
	}
}

// A handling that was stopped finds its intent whole or is told that it cannot.
func TestATamperedIntentIsTold(t *testing.T) {
	for _, intent := range []string{`{"B":"H4sIAAAA"}`, `{"S":"{}"}`, `{"B":"W10="}`} {
		d, _ := scripted(t, reply{200, `{"Attributes":{"pk":{"S":"EVENT#x"},"sk":{"S":"EVENT"},"attempts":{"N":"2"},"intent":` + intent + `}}`})
		taken, err := d.Take(t.Context(), storyEvent(), now())
		if err == nil || taken.Intent != nil || !strings.Contains(err.Error(), "EVENT#x") {
			t.Errorf("the intent %s gives %+v, %v", intent, taken, err)
		}
	}
	d, _ := scripted(t, reply{200, `{"Attributes":{"pk":{"S":"EVENT#x"},"sk":{"S":"EVENT"},"form":{"N":"2"},"attempts":{"N":"2"},"intent":{"B":"e30="}}}`})
	if _, err := d.Take(t.Context(), storyEvent(), now()); err == nil {
		t.Error("an intent of an unknown form was read")
	}
}

// A decision whose event is gone has no known end.
func TestADecisionWithoutItsEventIsTold(t *testing.T) {
	var number atomic.Int64
	d, _, r := told(t, &number)
	r.remove(t, r.find(t, "EVENT#"))
	_, _, ok, err := d.Decided(t.Context(), "dec1")
	if err == nil || ok || !strings.Contains(err.Error(), "EVENT#"+prod+"#e1") {
		t.Errorf("the decision gives %v, %v", ok, err)
	}
}

// What does not fit an item is refused whole, and nothing of it is written.
func TestWhatIsTooLargeIsRefused(t *testing.T) {
	d, calls := scripted(t, reply{200, `{}`})
	noise := make([]byte, 600_000)
	random := rand.NewChaCha8([32]byte{3})
	_, _ = random.Read(noise)
	b, i := storyBaseline(), storyIntent()
	b.Document = base64.StdEncoding.EncodeToString(noise)
	i.Before = b.Document
	s := &ledger.RoleState{Account: prod, RoleID: roleID, Document: strings.Repeat("x", 5<<20)}
	for what, err := range map[string]error{
		"a baseline":  d.AddBaseline(t.Context(), b),
		"a candidate": d.SetCandidate(t.Context(), b),
		"an intent":   d.Intend(t.Context(), i),
		"a state":     d.Conclude(t.Context(), ledger.Conclusion{Event: storyEvent(), End: ledger.Told, At: now(), State: s}),
		"notes":       d.SaveSwept(t.Context(), ledger.SweptAccount{Sweep: "s", Account: prod, Notes: noise}),
	} {
		if !errors.Is(err, role.ErrLimit) {
			t.Errorf("%s: %v", what, err)
		}
	}
	if *calls != 0 {
		t.Errorf("%d calls were made", *calls)
	}
}

// IAM takes 131,072 characters of which nearly all must be white space, and
// whoever writes them chooses which. The worst still fits many times over.
func TestTheWorstWhiteSpaceFits(t *testing.T) {
	var number atomic.Int64
	d, w, _ := table(t, &number)
	space := make([]byte, 131_000)
	random := rand.New(rand.NewPCG(1, 1))
	for i := range space {
		space[i] = " \n\t\r"[random.IntN(4)]
	}
	i := storyIntent()
	i.Before = `{"Statement":[` + string(space) + `]}`
	must(t, d.Intend(t.Context(), i))
	largest := 0
	for _, s := range w.take() {
		largest = max(largest, len(fmt.Sprint(s.json["TransactItems"])))
	}
	if largest > 150_000 {
		t.Errorf("the intent is a request of %d bytes", largest)
	}
	got, _, ok, err := d.Decided(t.Context(), "dec1")
	if err != nil || !ok || got.Before != i.Before {
		t.Errorf("the document did not come back: %v, %v", ok, err)
	}
}

// DynamoDB down: nothing that is asked gives an answer.
func TestLedgerDownAnswersNothing(t *testing.T) {
	for name, answer := range map[string]reply{
		"500": {500, prefix + `InternalServerError","message":"x"}`}, "no answer": {}, "denied": {400, prefix + `AccessDeniedException","message":"x"}`},
		"garbage": {200, `{"Item":`},
	} {
		calls := func(d *awsapi.Dynamo) map[string]func(context.Context) error {
			all := readings(d)
			all["Intend"] = func(c context.Context) error { return d.Intend(c, storyIntent()) }
			all["Delivered"] = func(c context.Context) error { return d.Delivered(c, storyLetter()) }
			all["Reset"] = func(c context.Context) error { return d.Reset(c, "c", "alice", "", now()) }
			all["SetSwitch"] = func(c context.Context) error { return d.SetSwitch(c, decision.WritesStopped, "alice", "", now()) }
			return all
		}
		var wg sync.WaitGroup
		for what := range calls(nil) {
			d, _ := scripted(t, answer)
			wg.Go(func() {
				err := calls(d)[what](t.Context())
				var stop *ledger.TrippedError
				if err == nil && name != "garbage" || errors.As(err, &stop) || errors.Is(err, ledger.ErrConcluded) || errors.Is(err, ledger.ErrNotTripped) && name != "garbage" {
					t.Errorf("%s: %s gives %v", name, what, err)
				}
			})
		}
		wg.Wait()
	}
}
