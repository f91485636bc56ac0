package guard_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/rolewarden/rolewarden/pkg/guard"
	"github.com/rolewarden/rolewarden/pkg/ledger"
	"github.com/rolewarden/rolewarden/pkg/trail"
)

// clock is a time that a test moves.
type clock struct{ now time.Time }

func turns(t testing.TB) (*guard.Turns, *clock) {
	t.Helper()
	c := &clock{now: time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)}
	turns, err := guard.NewTurns(guard.TurnsConfig{Now: func() time.Time { return c.now }})
	if err != nil {
		t.Fatal(err)
	}
	return turns, c
}

// straight counts how many of n events have their turn at once.
func straight(turns *guard.Turns, account string, n int, role func(int) string) int {
	now := 0
	for i := range n {
		if turns.Wait(account, role(i)) == 0 {
			now++
		}
	}
	return now
}

func oneRole(int) string { return "role/app" }

// T11: whoever floods one role is held to a share, and no other account waits.
func TestOneAccountsFloodDelaysNoOther(t *testing.T) {
	turns, c := turns(t)
	noisy, others := 0, 0
	for range 60 {
		noisy += straight(turns, prod, 180, oneRole)
		others += straight(turns, dev, 5, oneRole)
		c.now = c.now.Add(time.Second)
	}
	if others != 300 {
		t.Errorf("%d of 300 events of the quiet account had their turn", others)
	}
	if noisy < 300 || noisy > 420 {
		t.Errorf("%d of 10800 events of the noisy account had their turn; it has 100 and 5 more a second", noisy)
	}
}

// T11: who keeps changing one role in a flood does not delay what is found in
// another, nor does a plan that touches some hundred roles wait at all.
func TestAnotherRoleOfAFloodedAccountHasItsTurn(t *testing.T) {
	turns, _ := turns(t)
	straight(turns, prod, 10_000, oneRole)
	if d := turns.Wait(prod, "role/opened"); d != 0 {
		t.Errorf("the change of another role waits %s", d)
	}
	if d := turns.Wait(prod, "role/OPENED"); d == 0 {
		t.Error("another spelling of its name makes it another role")
	}
	if n := straight(turns, dev, 300, func(i int) string { return fmt.Sprint("role/", i) }); n != 300 {
		t.Errorf("%d of a plan's 300 roles had their turn", n)
	}
}

// What waits comes back within what SQS can delay, evenly: however much it is,
// it is no flood when it comes back, and who is quiet for a while has its whole
// share again.
func TestWhatWaitsComesBackEvenly(t *testing.T) {
	turns, c := turns(t)
	straight(turns, prod, 100, oneRole)
	turns.Wait(prod, "role/app")
	perSecond := map[int]int{}
	const n = 20_000
	for range n {
		d := turns.Wait(prod, "role/app")
		if d < time.Second || d > 900*time.Second {
			t.Fatalf("waits %s", d)
		}
		perSecond[int(d/time.Second)]++
	}
	for s, k := range perSecond {
		if k > 3*n/890 {
			t.Errorf("%d events come back in second %d", k, s)
		}
	}
	c.now = c.now.Add(15 * time.Minute)
	if k := straight(turns, prod, 100, oneRole); k != 100 {
		t.Errorf("%d of 100 events had their turn after a quiet while", k)
	}
}

func TestTurnsNeedAClock(t *testing.T) {
	if _, err := guard.NewTurns(guard.TurnsConfig{}); err == nil {
		t.Error("turns without a clock")
	}
}

// crowded is a world whose guard gives turns, and a role that obeys the rules.
func crowded(t testing.TB) *world {
	w := newWorld(t, rulesFile)
	turns, err := guard.NewTurns(guard.TurnsConfig{Now: func() time.Time { return w.now }})
	if err != nil {
		t.Fatal(err)
	}
	w.rebuild(func(c *guard.Config) { c.Turns = turns })
	return w
}

// flood handles n events of one role at one time and gives what waits.
func (w *world) flood(n int) []guard.Step {
	w.t.Helper()
	var waits []guard.Step
	for i := range n {
		res := w.handle(w.eventAt(w.now, "UpdateAssumeRolePolicy", fmt.Sprint("ev-", i), map[string]any{"roleName": "app", "policyDocument": closed}, nil))
		for _, s := range res.Steps {
			if s.Step == guard.Queued {
				waits = append(waits, s)
			}
		}
	}
	return waits
}

// An event that waits asks AWS and the ledger for nothing meanwhile, and is
// handled when it comes back, though its account floods on: it waits once.
func TestWhatWaitsIsHandledWhenItComesBack(t *testing.T) {
	w := crowded(t)
	w.put(prod, "app", appID, closed)
	if len(w.flood(120)) == 0 {
		t.Fatal("nothing waits")
	}
	w.calls = nil
	res := w.handle(w.eventAt(w.now, "UpdateAssumeRolePolicy", "ev-last", map[string]any{"roleName": "app", "policyDocument": closed}, nil))
	if len(res.Steps) != 1 || res.Steps[0].Step != guard.Queued || res.End != ledger.InFlight || len(w.calls) != 0 {
		t.Fatalf("ended in %s with %d steps and calls %v", res.End, len(res.Steps), w.calls)
	}
	body, err := res.Steps[0].Body()
	if err != nil {
		t.Fatal(err)
	}
	w.now = res.Steps[0].NotBefore
	w.flood(200)
	if res, err = w.guard.HandleStep(t.Context(), body); err != nil || res.End != ledger.Compliant || res.Key.EventID != "ev-last" {
		t.Errorf("ended in %s: %s, %v", res.End, res.Reason, err)
	}
}

// Events about users have turns as well, and come back whole.
func TestADeletedUsersEventMayWait(t *testing.T) {
	w := crowded(t)
	gone := func(i int) []byte {
		return w.eventAt(w.now, "DeleteUser", fmt.Sprint("ev-", i), map[string]any{"userName": "carol"}, nil)
	}
	var waits guard.Step
	for i := range 110 {
		if res := w.handle(gone(i)); len(res.Steps) == 1 {
			waits = res.Steps[0]
		}
	}
	if waits.Step != guard.Queued || waits.Change.Kind != trail.UserDeleted {
		t.Fatalf("waits: %+v", waits)
	}
	body, err := waits.Body()
	if err != nil {
		t.Fatal(err)
	}
	w.now = waits.NotBefore
	if res, err := w.guard.HandleStep(t.Context(), body); err != nil || res.End == ledger.InFlight {
		t.Errorf("ended in %s, %v", res.End, err)
	}
}

var errFull = errors.New("the queue takes nothing")

// full is a later queue that takes nothing.
type full struct{}

func (full) Send(context.Context, guard.Step) error { return errFull }

// While the later queue takes nothing, an event that would wait is not done, and
// is delivered again: nothing is lost between the queues.
func TestWhatTheLaterQueueDoesNotTakeIsNotDone(t *testing.T) {
	w := crowded(t)
	w.put(prod, "app", appID, closed)
	turns, _ := turns(t)
	straight(turns, prod, 200, oneRole)
	w.rebuild(func(c *guard.Config) { c.Turns, c.Later = turns, full{} })
	if res, err := w.guard.Handle(t.Context(), w.updated("ev-x", "app", closed)); !errors.Is(err, errFull) || len(res.Steps) != 0 {
		t.Errorf("an event that nobody took is done: %+v, %v", res.Steps, err)
	}
}

// Whatever comes in what order, twice or not, each event has exactly one end once
// all that waits has come back (I1).
func TestEveryEventEndsExactlyOnceThoughItWaits(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		w := crowded(t)
		n := rapid.IntRange(100, 160).Draw(rt, "events")
		roles := rapid.IntRange(1, 15).Draw(rt, "roles")
		for i := range roles {
			w.put(prod, fmt.Sprint("app", i), fmt.Sprintf("AROAAPP%014d", i), closed)
		}
		ends := map[string]map[ledger.End]int{}
		note := func(res guard.Result) {
			if res.End != ledger.InFlight {
				if ends[res.Key.EventID] == nil {
					ends[res.Key.EventID] = map[ledger.End]int{}
				}
				ends[res.Key.EventID][res.End]++
			}
		}
		for i := range n {
			name := fmt.Sprint("app", rapid.IntRange(0, roles-1).Draw(rt, "role"))
			body := w.eventAt(w.now, "UpdateAssumeRolePolicy", fmt.Sprint("ev-", i), map[string]any{"roleName": name, "policyDocument": closed}, nil)
			note(w.handle(body))
			if rapid.IntRange(0, 9).Draw(rt, "again") == 0 {
				w.handle(body)
			}
			if rapid.IntRange(0, 20).Draw(rt, "pause") == 0 {
				w.now = w.now.Add(time.Second)
			}
		}
		for len(w.steps) > 0 {
			s := w.steps[0]
			if res := w.due(); s.Step == guard.Queued && len(ends[res.Key.EventID]) == 0 {
				note(res)
			}
		}
		for i := range n {
			taken, err := w.ledger.Take(t.Context(), ledger.Key{Account: prod, EventID: fmt.Sprint("ev-", i)}, w.now)
			if got := ends[fmt.Sprint("ev-", i)]; err != nil || len(got) != 1 || got[taken.End] != 1 {
				rt.Fatalf("event %d of %d: ends %v, recorded %s, %v", i, n, got, taken.End, err)
			}
		}
	})
}
