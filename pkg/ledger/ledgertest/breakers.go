package ledgertest

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rolewarden/rolewarden/pkg/ledger"
)

func breakerPromises() []promise {
	return []promise{
		{"a limit that is reached trips its breaker in the same step", tripAtLimit},
		{"fifty spenders never pass a limit that trips, and trip it once", tripRace},
		{"a tripped breaker refuses whatever the window, and nothing is counted", tripHolds},
		{"a token that was counted is let through a tripped breaker, one that was not is not", tripToken},
		{"a counter that refuses keeps another from tripping", tripNot},
		{"a limit that was lowered trips when it is found reached, one of zero at once", tripLowered},
		{"a counter named twice trips if one of them does", tripTwice},
		{"one spending may trip several breakers, and all are listed", tripSeveral},
		{"a person resets a breaker and its counters, and no others", resetEmpties},
		{"of fifty resets of one breaker exactly one counts", resetRace},
		{"a breaker that is not tripped, or that nobody answers for, is not reset", resetRefused},
		{"a breaker that trips anew after a reset counts from nothing", resetAnew},
	}
}

func tripping(name string, limit int) ledger.Counter {
	c := counter(name, limit)
	c.Full = ledger.Trip
	return c
}

// tripped wants a tripped breaker to stop a spending.
func tripped(t *testing.T, l ledger.Ledger, token string, when time.Time, scope string, counters ...ledger.Counter) ledger.Breaker {
	t.Helper()
	var stop *ledger.TrippedError
	if err := l.Spend(t.Context(), token, when, counters); !errors.As(err, &stop) {
		t.Fatalf("got %v, want a TrippedError", err)
	}
	equal(t, "the scope", stop.Breaker.Scope, scope)
	return stop.Breaker
}

func breakers(t *testing.T, l ledger.Ledger) []ledger.Breaker {
	t.Helper()
	got, err := l.Breakers(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func reset(t *testing.T, l ledger.Ledger, scope string) {
	t.Helper()
	if err := l.Reset(t.Context(), scope, "alice", "the rule is mended", at(500)); err != nil {
		t.Fatal(err)
	}
}

func tripAtLimit(t *testing.T, l ledger.Ledger) {
	spend(t, l, "t1", at(0), tripping("c", 3))
	spend(t, l, "t2", at(1), tripping("c", 3))
	equal(t, "below the limit", breakers(t, l), nil)
	spend(t, l, "t3", at(2), tripping("c", 3))
	want := ledger.Breaker{Scope: "c", Limit: 3, Count: 3, Window: time.Hour, TrippedAt: at(2), Token: "t3"}
	equal(t, "at the limit", breakers(t, l), []ledger.Breaker{want})
	equal(t, "what the next is told", tripped(t, l, "t4", at(3), "c", tripping("c", 3)), want)
	equal(t, "after a refusal", breakers(t, l), []ledger.Breaker{want})
	spend(t, l, "t5", at(3), tripping("other", 1))
	equal(t, "at a limit of one", len(breakers(t, l)), 2)
}

// I10: caps hold under concurrency.
func tripRace(t *testing.T, l ledger.Ledger) {
	const limit = 7
	var spent atomic.Int32
	var wg sync.WaitGroup
	for i := range 50 {
		wg.Go(func() {
			err := l.Spend(t.Context(), fmt.Sprint("token", i), at(i), []ledger.Counter{counter("wide", 100), tripping("c", limit)})
			var stop *ledger.TrippedError
			switch {
			case err == nil:
				spent.Add(1)
			case !errors.As(err, &stop):
				t.Error(err)
			}
		})
	}
	wg.Wait()
	equal(t, "how many were let through", spent.Load(), limit)
	list := breakers(t, l)
	if len(list) != 1 || list[0].Scope != "c" || list[0].Count != limit {
		t.Errorf("the breakers are %+v", list)
	}
	stopped(t, l, "one more", at(0), "wide", limit, counter("wide", limit))
}

func tripHolds(t *testing.T, l ledger.Ledger) {
	spend(t, l, "t1", at(0), tripping("c", 1))
	day := ledger.Counter{Name: "c", Window: 24 * time.Hour, Limit: 99}
	for i, c := range []ledger.Counter{tripping("c", 1), tripping("c", 99), counter("c", 99), day} {
		for _, when := range []time.Time{at(0), at(3600), at(-9000), at(1e6)} {
			tripped(t, l, fmt.Sprint("later", i), when, "c", counter("wide", 99), c)
		}
	}
	stopped(t, l, "t2", at(0), "wide", 0, counter("wide", 0))
	stopped(t, l, "t2", at(1e6), "wide", 0, counter("wide", 0))
	// The breaker is told before a limit that is used up, wherever it stands.
	tripped(t, l, "t2", at(0), "c", counter("used up", 0), tripping("c", 1))
	spend(t, l, "t3", at(0), counter("wide", 99))
}

// A handling that stopped after it was counted goes on under the same token.
func tripToken(t *testing.T, l ledger.Ledger) {
	spend(t, l, "t1", at(0), tripping("c", 2))
	spend(t, l, "t2", at(0), tripping("c", 2))
	for range 2 {
		spend(t, l, "t1", at(1), tripping("c", 2))
		spend(t, l, "t2", at(1), tripping("c", 2))
		tripped(t, l, "t3", at(1), "c", tripping("c", 2))
	}
	reset(t, l, "c")
	spend(t, l, "t3", at(1), tripping("c", 2))
	spend(t, l, "t1", at(1), tripping("c", 2))
	equal(t, "the breakers", breakers(t, l), nil)
}

func tripNot(t *testing.T, l ledger.Ledger) {
	spend(t, l, "t1", at(0), counter("narrow", 1), tripping("c", 3))
	spend(t, l, "t2", at(0), tripping("c", 3))
	for _, counters := range [][]ledger.Counter{{counter("narrow", 1), tripping("c", 3)}, {tripping("c", 3), counter("narrow", 1)}} {
		stopped(t, l, "t3", at(0), "narrow", 1, counters...)
		equal(t, "the breakers", breakers(t, l), nil)
	}
	spend(t, l, "t3", at(0), tripping("c", 3))
	equal(t, "the breakers", len(breakers(t, l)), 1)
}

func tripLowered(t *testing.T, l ledger.Ledger) {
	for i := range 4 {
		spend(t, l, fmt.Sprint("t", i), at(0), tripping("c", 9))
	}
	want := ledger.Breaker{Scope: "c", Limit: 2, Count: 4, Window: time.Hour, TrippedAt: at(7), Token: "t9"}
	equal(t, "the lowered one", tripped(t, l, "t9", at(7), "c", counter("wide", 9), tripping("c", 2)), want)
	zero := ledger.Breaker{Scope: "zero", Limit: 0, Count: 0, Window: time.Hour, TrippedAt: at(8), Token: "t9"}
	equal(t, "the one of zero", tripped(t, l, "t9", at(8), "zero", tripping("zero", 0)), zero)
	equal(t, "the breakers", breakers(t, l), []ledger.Breaker{want, zero})
	stopped(t, l, "t9", at(7), "wide", 0, counter("wide", 0))
	// A limit that is raised opens nothing: a person does.
	tripped(t, l, "t9", at(8), "c", tripping("c", 1000))
}

func tripTwice(t *testing.T, l ledger.Ledger) {
	for scope, counters := range map[string][]ledger.Counter{
		"c": {counter("c", 2), tripping("c", 5)}, "d": {tripping("d", 5), counter("d", 2)},
	} {
		spend(t, l, "t1"+scope, at(0), counters...)
		spend(t, l, "t2"+scope, at(0), counters...)
		tripped(t, l, "t3"+scope, at(0), scope, counter(scope, 5))
	}
}

func tripSeveral(t *testing.T, l ledger.Ledger) {
	day := tripping("c", 2)
	day.Window = 24 * time.Hour
	spend(t, l, "t1", at(0), tripping("b", 2), day, tripping("c", 2), tripping("a", 2), counter("d", 2))
	spend(t, l, "t2", at(1), tripping("b", 2), day, tripping("c", 2), tripping("a", 2), counter("d", 2))
	var scopes []string
	for _, b := range breakers(t, l) {
		scopes = append(scopes, b.Scope)
		equal(t, "when", b.TrippedAt, at(1))
	}
	equal(t, "the scopes", scopes, []string{"a", "b", "c"})
	tripped(t, l, "t3", at(1), "c", day, tripping("a", 2))
	stopped(t, l, "t3", at(1), "d", 2, counter("d", 2))
}

func resetEmpties(t *testing.T, l ledger.Ledger) {
	day := ledger.Counter{Name: "c", Window: 24 * time.Hour, Limit: 2}
	spend(t, l, "t1", at(0), tripping("c", 2), tripping("other", 1), day, counter("cc", 1))
	spend(t, l, "t2", at(0), tripping("c", 2), day)
	tripped(t, l, "t3", at(0), "c", tripping("c", 2))
	reset(t, l, "c")
	list := breakers(t, l)
	if len(list) != 1 || list[0].Scope != "other" {
		t.Errorf("the breakers are %+v", list)
	}
	stopped(t, l, "t3", at(0), "cc", 1, counter("cc", 1))
	spend(t, l, "t3", at(0), tripping("c", 2), day)
	spend(t, l, "t4", at(0), tripping("c", 2), day)
	tripped(t, l, "t5", at(0), "c", tripping("c", 2))
	tripped(t, l, "t5", at(0), "other", tripping("other", 1))
}

func resetRace(t *testing.T, l ledger.Ledger) {
	spend(t, l, "t1", at(0), tripping("c", 1))
	var done atomic.Int32
	var wg sync.WaitGroup
	for i := range 50 {
		wg.Go(func() {
			err := l.Reset(t.Context(), "c", "alice", "", at(i))
			switch {
			case err == nil:
				done.Add(1)
			case !errors.Is(err, ledger.ErrNotTripped):
				t.Error(err)
			}
		})
	}
	wg.Wait()
	equal(t, "how many counted", done.Load(), 1)
	equal(t, "the breakers", breakers(t, l), nil)
}

func resetRefused(t *testing.T, l ledger.Ledger) {
	wants(t, l.Reset(t.Context(), "c", "alice", "", at(0)), ledger.ErrNotTripped)
	spend(t, l, "t1", at(0), tripping("c", 1), counter("d", 1))
	refused(t, "nobody's word", l.Reset(t.Context(), "c", "", "because", at(0)))
	refused(t, "no scope", l.Reset(t.Context(), "", "alice", "because", at(0)))
	wants(t, l.Reset(t.Context(), "d", "alice", "", at(0)), ledger.ErrNotTripped)
	wants(t, l.Reset(t.Context(), "C", "alice", "", at(0)), ledger.ErrNotTripped)
	stopped(t, l, "t2", at(0), "d", 1, counter("d", 1))
	tripped(t, l, "t2", at(0), "c", tripping("c", 1))
	reset(t, l, "c")
	wants(t, l.Reset(t.Context(), "c", "alice", "", at(0)), ledger.ErrNotTripped)
}

func resetAnew(t *testing.T, l ledger.Ledger) {
	for round := range 3 {
		when := at(round * 10)
		spend(t, l, fmt.Sprint("a", round), when, tripping("c", 2))
		spend(t, l, fmt.Sprint("b", round), when, tripping("c", 2))
		got := tripped(t, l, fmt.Sprint("c", round), when, "c", tripping("c", 2))
		equal(t, "the breaker", got, ledger.Breaker{Scope: "c", Limit: 2, Count: 2, Window: time.Hour, TrippedAt: when, Token: fmt.Sprint("b", round)})
		reset(t, l, "c")
	}
}
