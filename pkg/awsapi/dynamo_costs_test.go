package awsapi_test

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rolewarden/rolewarden/pkg/awsapi"
	"github.com/rolewarden/rolewarden/pkg/ledger"
	"github.com/rolewarden/rolewarden/pkg/role"
)

// calling is one call and the requests that it makes.
type calling struct {
	what string
	call func(context.Context) error
	want []string
}

const (
	getItem  = "dynamodb:GetItem"
	putItem  = "dynamodb:PutItem"
	query    = "dynamodb:Query"
	scan     = "dynamodb:Scan"
	update   = "dynamodb:UpdateItem"
	transact = "dynamodb:TransactWriteItems"
	batchGet = "dynamodb:BatchGetItem"
)

func makes(t *testing.T, w *wire, list []calling) {
	t.Helper()
	w.take()
	for _, c := range list {
		if err := c.call(t.Context()); err != nil {
			t.Errorf("%s: %v", c.what, err)
		}
		if d := cmp.Diff(c.want, w.calls()); d != "" {
			t.Errorf("the requests of %s (-want +got):\n%s", c.what, d)
		}
	}
}

// What the README says each call costs is what it costs on the wire.
func TestWhatEachCallCosts(t *testing.T) {
	var number atomic.Int64
	d, w, _ := told(t, &number)
	taken := func(ctx context.Context) error { _, err := d.Take(ctx, storyEvent(), now()); return err }
	first := func(ctx context.Context) error {
		_, err := d.BeginSweep(ctx, ledger.Sweep{ID: "s9", At: now()})
		return err
	}
	posting := func(ctx context.Context) error {
		_, err := d.Post(ctx, "t9", ledger.Letter{ID: "p9", Body: []byte("{}"), At: now()})
		return err
	}
	reads := readings(d)
	other := ledger.Key{Account: prod, EventID: "e2"}
	intent := storyIntent()
	intent.Event, intent.Decision.ID = other, "dec2"
	makes(t, w, []calling{
		{"Take of an ended event with a letter", taken, []string{update, batchGet}},
		{"Undelivered", reads["Undelivered"], []string{query, query, query, query}},
		{"Delivered", func(ctx context.Context) error { return d.Delivered(ctx, storyLetter()) }, []string{transact}},
		{"Take of an ended event without letters", taken, []string{update}},
		{"Intend", func(ctx context.Context) error { return d.Intend(ctx, intent) }, []string{transact}},
		{"Conclude with a letter and a state", func(ctx context.Context) error { return d.Conclude(ctx, costly(other)) }, []string{transact}},
		{"Delivered without a time", func(ctx context.Context) error { return d.Delivered(ctx, ledger.Letter{ID: "a1", Event: other}) }, []string{transact, transact}},
		{"Recall", reads["Recall"], []string{query}},
		{"Decided", reads["Decided"], []string{getItem, getItem}},
		{"Post", posting, []string{transact}},
		{"Post again", posting, []string{transact}},
		{"BeginSweep", first, []string{transact}},
		{"BeginSweep again", first, []string{transact}},
		{"SaveSwept", func(ctx context.Context) error {
			return d.SaveSwept(ctx, ledger.SweptAccount{Sweep: "s9", Account: prod})
		}, []string{putItem}},
		{"Swept", reads["Swept"], []string{getItem}},
		{"Sweeping", reads["Sweeping"], []string{query}},
		{"SeeRules", reads["SeeRules"], []string{update}},
		{"ConfirmRules", func(ctx context.Context) error { return d.ConfirmRules(ctx, "sha256:rules", "bob", "", now()) }, []string{update}},
		{"SetCandidate", func(ctx context.Context) error { return d.SetCandidate(ctx, storyBaseline()) }, []string{putItem}},
		{"AddBaseline", func(ctx context.Context) error { return d.AddBaseline(ctx, storyBaseline()) }, []string{putItem}},
		{"State", reads["State"], []string{getItem}},
		{"States", reads["States"], []string{scan}},
		{"Breakers", reads["Breakers"], []string{query}},
		{"a lease", func(ctx context.Context) error {
			return d.Lease(ctx, role.Ref{Account: prod, Name: "App2"}, "worker", now(), now())
		}, []string{putItem}},
	})
	makes(t, w, spendings(d))
}

// costly is a conclusion with all that an event may lead to.
func costly(k ledger.Key) ledger.Conclusion {
	return ledger.Conclusion{
		Event: k, End: ledger.Reverted, At: now(), Letters: []ledger.Letter{{ID: "a1", Event: k, Body: []byte("{}"), At: now()}},
		State: &ledger.RoleState{Account: prod, RoleID: roleID, Event: k, EventTime: now(), Trusts: []ledger.PrincipalKey{aliceKey()}},
		Seen:  []ledger.Identity{{ID: "AIDA1", ARN: aliceARN, SeenAt: now()}},
	}
}

// spendings go from a free limit to a reset.
func spendings(d *awsapi.Dynamo) []calling {
	counters := []ledger.Counter{{Name: "account", Window: time.Hour, Limit: 99}, {Name: "rule", Window: time.Hour, Limit: 2, Full: ledger.Trip}}
	spend := func(token string) func(context.Context) error {
		return func(ctx context.Context) error { return d.Spend(ctx, token, now(), counters) }
	}
	refused := func(ctx context.Context) error {
		if err := d.Spend(ctx, "c", now(), counters); err == nil {
			return fmt.Errorf("a tripped breaker lets through")
		}
		return nil
	}
	return []calling{
		{"Spend below the limit", spend("a"), []string{transact}},
		{"Spend that trips", spend("b"), []string{transact, getItem, transact}},
		{"Spend that is refused", refused, []string{transact, getItem}},
		{"Spend of a token that was counted", spend("b"), []string{transact}},
		{"Reset", func(ctx context.Context) error { return d.Reset(ctx, "rule", "alice", "", now()) }, []string{getItem, query, transact}},
	}
}
