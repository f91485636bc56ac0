package ledgertest

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rolewarden/rolewarden/pkg/ledger"
	"github.com/rolewarden/rolewarden/pkg/role"
)

func writePromises() []promise {
	return []promise{
		{"of fifty holders exactly one gets a lease", leaseRace},
		{"a lease ends with its time, is renewed by its holder, and ignores the name's case", leaseTime},
		{"a lease is given back by its holder only", leaseRelease},
		{"fifty spenders never pass the limit", spendRace},
		{"a limit that is used up leaves every counter as it was", spendNone},
		{"a token counts once, also under concurrency", spendToken},
		{"a refused token may be spent later", spendRefusedToken},
		{"windows are aligned to the epoch", spendWindow},
		{"a counter named twice counts once, under the lower limit", spendTwice},
		{"a limit of zero allows nothing", spendZero},
		{"spending refuses what it cannot count", spendRefuses},
	}
}

func app() role.Ref { return role.Ref{Account: account, Name: "App"} }

func leaseRace(t *testing.T, l ledger.Ledger) {
	var got atomic.Int32
	var wg sync.WaitGroup
	for i := range 50 {
		wg.Go(func() {
			err := l.Lease(t.Context(), app(), fmt.Sprint("worker", i), at(0), at(60))
			switch {
			case err == nil:
				got.Add(1)
			case !errors.Is(err, ledger.ErrLeased):
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if got.Load() != 1 {
		t.Errorf("%d holders got the lease", got.Load())
	}
}

func leaseTime(t *testing.T, l ledger.Ledger) {
	steps := []struct {
		name, holder string
		now, until   int
		want         error
	}{
		{"App", "a", 0, 60, nil},
		{"App", "b", 59, 120, ledger.ErrLeased},
		{"APP", "b", 59, 120, ledger.ErrLeased}, // T52
		{"Other", "b", 59, 120, nil},
		{"app", "a", 30, 90, nil},
		{"App", "b", 89, 120, ledger.ErrLeased},
		{"App", "b", 90, 120, nil},
		{"App", "a", 91, 120, ledger.ErrLeased},
	}
	for i, s := range steps {
		err := l.Lease(t.Context(), role.Ref{Account: account, Name: s.name}, s.holder, at(s.now), at(s.until))
		if !errors.Is(err, s.want) || (s.want == nil && err != nil) {
			t.Errorf("step %d: got %v, want %v", i, err, s.want)
		}
	}
	if err := l.Lease(t.Context(), role.Ref{Account: other, Name: "App"}, "c", at(91), at(120)); err != nil {
		t.Errorf("the role of the same name in another account: %v", err)
	}
}

func leaseRelease(t *testing.T, l ledger.Ledger) {
	release := func(r role.Ref, holder string) {
		t.Helper()
		if err := l.Release(t.Context(), r, holder); err != nil {
			t.Fatal(err)
		}
	}
	release(app(), "a")
	if err := l.Lease(t.Context(), app(), "a", at(0), at(60)); err != nil {
		t.Fatal(err)
	}
	release(app(), "b")
	wants(t, l.Lease(t.Context(), app(), "b", at(1), at(60)), ledger.ErrLeased)
	release(role.Ref{Account: account, Name: "aPP"}, "a")
	if err := l.Lease(t.Context(), app(), "b", at(1), at(60)); err != nil {
		t.Errorf("after the release: %v", err)
	}
}

func counter(name string, limit int) ledger.Counter {
	return ledger.Counter{Name: name, Window: time.Hour, Limit: limit}
}

func spend(t *testing.T, l ledger.Ledger, token string, when time.Time, counters ...ledger.Counter) {
	t.Helper()
	if err := l.Spend(t.Context(), token, when, counters); err != nil {
		t.Fatal(err)
	}
}

// stopped wants the limit of a counter to stop a spending.
func stopped(t *testing.T, l ledger.Ledger, token string, when time.Time, name string, count int, counters ...ledger.Counter) {
	t.Helper()
	var limit *ledger.LimitError
	if err := l.Spend(t.Context(), token, when, counters); !errors.As(err, &limit) {
		t.Fatalf("got %v, want a LimitError", err)
	}
	equal(t, "the counter", limit.Counter.Name, name)
	equal(t, "its count", limit.Count, count)
}

// I10: caps hold under concurrency.
func spendRace(t *testing.T, l ledger.Ledger) {
	const limit = 7
	var spent atomic.Int32
	var wg sync.WaitGroup
	for i := range 50 {
		wg.Go(func() {
			err := l.Spend(t.Context(), fmt.Sprint("token", i), at(0), []ledger.Counter{counter("organization", 100), counter("account", limit)})
			var used *ledger.LimitError
			switch {
			case err == nil:
				spent.Add(1)
			case !errors.As(err, &used):
				t.Error(err)
			}
		})
	}
	wg.Wait()
	equal(t, "how many were let through", spent.Load(), limit)
	stopped(t, l, "one more", at(0), "organization", limit, counter("organization", limit))
}

func spendNone(t *testing.T, l ledger.Ledger) {
	spend(t, l, "t1", at(0), counter("narrow", 1), counter("wide", 10))
	for range 3 {
		stopped(t, l, "t2", at(1), "narrow", 1, counter("wide", 10), counter("narrow", 1))
	}
	stopped(t, l, "t3", at(1), "wide", 1, counter("wide", 1))
}

func spendToken(t *testing.T, l ledger.Ledger) {
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			if err := l.Spend(t.Context(), "t1", at(0), []ledger.Counter{counter("c", 1)}); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	spend(t, l, "t1", at(7200), counter("c", 0))
	stopped(t, l, "t2", at(0), "c", 1, counter("c", 1))
}

func spendRefusedToken(t *testing.T, l ledger.Ledger) {
	spend(t, l, "t1", at(0), counter("c", 1))
	stopped(t, l, "t2", at(1), "c", 1, counter("c", 1))
	spend(t, l, "t2", at(3600), counter("c", 1))
}

func spendWindow(t *testing.T, l ledger.Ledger) {
	day := ledger.Counter{Name: "c", Window: 24 * time.Hour, Limit: 1}
	midnight := time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC)
	spend(t, l, "t1", midnight.Add(-time.Nanosecond), day)
	stopped(t, l, "t2", midnight.Add(-24*time.Hour), "c", 1, day)
	spend(t, l, "t3", midnight, day)
	stopped(t, l, "t4", midnight.Add(24*time.Hour-time.Nanosecond), "c", 1, day)
	spend(t, l, "t5", midnight, ledger.Counter{Name: "c", Window: time.Hour, Limit: 1})
}

func spendTwice(t *testing.T, l ledger.Ledger) {
	spend(t, l, "t1", at(0), counter("c", 9), counter("c", 2))
	spend(t, l, "t2", at(0), counter("c", 2), counter("c", 9))
	stopped(t, l, "t3", at(0), "c", 2, counter("c", 9), counter("c", 2))
}

func spendZero(t *testing.T, l ledger.Ledger) {
	stopped(t, l, "t1", at(0), "c", 0, counter("c", 0))
	stopped(t, l, "t1", at(0), "c", 0, counter("c", -1))
	spend(t, l, "t2", at(0))
}

func spendRefuses(t *testing.T, l ledger.Ledger) {
	refused(t, "an empty token", l.Spend(t.Context(), "", at(0), []ledger.Counter{counter("c", 1)}))
	refused(t, "a counter without name", l.Spend(t.Context(), "t", at(0), []ledger.Counter{counter("", 1)}))
	refused(t, "a counter without window", l.Spend(t.Context(), "t", at(0), []ledger.Counter{{Name: "c", Limit: 1}}))
}
