package canary_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rolewarden/rolewarden/pkg/canary"
	"github.com/rolewarden/rolewarden/pkg/meter"
	"github.com/rolewarden/rolewarden/pkg/role"
)

// What is still shut is one thread: every run tells it under the same id and
// fingerprint, and every account has its own.
func TestOneThreadForWhatIsStillShut(t *testing.T) {
	w := newWorld(t, prod, dev)
	w.members[prod].rule, w.members[dev].openErr = shut, role.ErrAccessDenied
	w.run()
	w.run()
	before := w.told
	w.run()
	if len(before) != 2 || len(w.told) != 2 {
		t.Fatalf("told %d and %d", len(before), len(w.told))
	}
	for i, a := range w.told {
		if a.ID != before[i].ID || a.Fingerprint != before[i].Fingerprint || a.ID == w.told[1-i].ID || a.Fingerprint == w.told[1-i].Fingerprint {
			t.Errorf("alert %d: %s %s, before %s %s", i, a.ID, a.Fingerprint, before[i].ID, before[i].Fingerprint)
		}
	}
}

// What is wrong is not written over before it was told: when telling fails, the
// next run finds the same and tells it.
func TestNothingIsWrittenOverBeforeItIsTold(t *testing.T) {
	for name, breakIt := range map[string]func(*member){
		"missed":  func(m *member) { m.rule = shut },
		"changed": func(m *member) { m.rule = shut; m.target.TrustPolicy = "{}" },
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, prod, dev)
			w.run()
			breakIt(w.members[dev])
			w.members[dev].rule = shut
			w.run()
			w.tellErr = errors.New("SNS does not answer")
			shown := w.members[dev].target.TrustPolicy
			r, err := w.later(time.Hour)
			if err == nil || !strings.Contains(err.Error(), "SNS does not answer") || !strings.Contains(w.log.String(), `"alarm":"trouble"`) {
				t.Errorf("got %v, logged %s", err, w.log.String())
			}
			is(t, r, dev, canary.Missed)
			if is(t, r, prod, canary.Reached); w.members[dev].target.TrustPolicy != shown {
				t.Error("the target was written")
			}
			w.tellErr = nil
			if is(t, w.run(), dev, canary.Missed); len(w.told) != 1 || w.members[dev].target.TrustPolicy == shown {
				t.Errorf("%d alerts", len(w.told))
			}
		})
	}
}

// many gives account ids.
func many(n int) []string {
	var out []string
	for i := range n {
		out = append(out, fmt.Sprintf("%012d", 100000000000+i))
	}
	return out
}

// When something that all accounts share is broken, people get one message and
// not a thousand; with ten accounts they get ten.
func TestManyAccountsAreToldAtOnce(t *testing.T) {
	for n, want := range map[int]int{1: 1, 10: 10, 11: 1, 1000: 1} {
		w := newWorld(t, many(n)...)
		for i, id := range w.ids {
			if w.members[id].rule = shut; i%2 == 1 {
				w.members[id].openErr = role.ErrAccessDenied
			}
		}
		w.run()
		r := w.run()
		if len(w.told) != want || r.Told != want {
			t.Errorf("%d accounts: %d alerts, want %d", n, len(w.told), want)
		}
		if n <= 10 {
			continue
		}
		text := w.told[0].Reasons[0]
		for _, part := range []string{fmt.Sprintf("Of %d accounts", n), "nothing came through", "cannot get", w.ids[0], w.ids[1], "look at the hub first"} {
			if !strings.Contains(text, part) {
				t.Errorf("%d accounts: %q is not in %q", n, part, text)
			}
		}
	}
}

// What is listed in part is looked at all the same, and told to be a part.
func TestAListThatIsNotWholeIsToldAndUsed(t *testing.T) {
	w := newWorld(t, prod)
	w.ids, w.listErr = []string{prod, prod}, errors.New("listing the accounts in r-abcd: throttled")
	r, err := w.later(time.Hour)
	if err == nil || len(r.Accounts) != 1 || len(w.told) != 1 || !strings.Contains(w.told[0].Reasons[0], "r-abcd") || !strings.Contains(w.log.String(), `"alarm":"trouble"`) {
		t.Errorf("got %+v, %v, told %+v", r, err, w.told)
	}
	is(t, r, prod, canary.First)
}

// No account at all is no good news.
func TestNoAccountAtAllIsTold(t *testing.T) {
	w := newWorld(t)
	if r, err := w.later(time.Hour); err == nil || len(r.Accounts) != 0 || len(w.told) != 1 {
		t.Errorf("got %+v, %v, %d alerts", r, err, len(w.told))
	}
}

// A run whose time is up tells what it found, and that it did not look at the
// rest: that rest is never left out.
func TestWhatARunHasNoTimeForIsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, many(48)...)
		w.now = time.Now()
		w.opening = func(string) {
			time.Sleep(9 * time.Second)
			w.mu.Lock()
			w.now = time.Now()
			w.mu.Unlock()
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		r, err := w.canary().Run(ctx)
		if err != nil || ctx.Err() != nil {
			t.Fatalf("%v, %v", err, ctx.Err())
		}
		// Eight side by side, nine seconds each, forty seconds: four rounds come
		// through, the fifth is cut off, the sixth never begins.
		for state, want := range map[canary.State]int{canary.First: 32, canary.Unknown: 8, canary.NotLooked: 8} {
			if got := r.Count(state); got != want {
				t.Errorf("%s: %d, want %d", state, got, want)
			}
		}
		if len(w.told) != 1 || !strings.Contains(w.told[0].Reasons[0], "16 of 48") || !strings.Contains(w.told[0].Reasons[0], "no time") {
			t.Errorf("told %+v", w.told)
		}
		if w.sum(meter.CanaryAccounts) != 48 {
			t.Errorf("counted %v", w.samples)
		}
	})
}

// Alerts of the canary follow the published schema's demands, and say what the
// canary wrote.
func TestAlertsAreTrueOfTheCanary(t *testing.T) {
	w := newWorld(t, prod)
	w.members[prod].openErr = role.ErrAccessDenied
	w.run()
	a := w.told[0]
	if !json.Valid(a.JSON()) || a.Verdict != "Undecided" || a.Decision.Action != "Tell" || a.ID == "" || !strings.Contains(a.Undo, "canary's own role") || !strings.Contains(a.Mend, "doctor") {
		t.Errorf("%s", a.JSON())
	}
}

// BenchmarkRun prints what a run costs for each account beside its AWS calls.
func BenchmarkRun(b *testing.B) {
	w := newWorld(b, many(1000)...)
	c := w.canary()
	for b.Loop() {
		w.now, w.samples = w.now.Add(time.Hour), nil
		w.log.Reset()
		if r, err := c.Run(b.Context()); err != nil || len(r.Accounts) != 1000 {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Microseconds())/1000/float64(b.N), "us-per-account")
	b.ReportMetric(0, "ns/op")
}
