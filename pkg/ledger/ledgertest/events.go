package ledgertest

import (
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rolewarden/rolewarden/pkg/decision"
	"github.com/rolewarden/rolewarden/pkg/ledger"
	"github.com/rolewarden/rolewarden/pkg/role"
)

func eventPromises() []promise {
	return []promise{
		{"of fifty takings of one event exactly one is First and none is lost", takeOnce},
		{"the same event id in two accounts is two events", takeByAccount},
		{"a taking tells how the event ended before", takeTellsEnd},
		{"an event without account or id is refused", takeNeedsKey},
		{"after a crash a taking gives the intent, the last one, until the end", resume},
		{"an intent of the largest policies comes back whole", largeIntent},
		{"no intent after the end", intendAfterEnd},
		{"an event ends once and a second conclusion changes nothing", concludeOnce},
		{"of fifty conclusions of one event exactly one counts", concludeRace},
		{"no event ends in InFlight", concludeNeedsEnd},
	}
}

func take(t *testing.T, l ledger.Ledger, k ledger.Key) ledger.Taken {
	t.Helper()
	taken, err := l.Take(t.Context(), k, at(0))
	if err != nil {
		t.Fatal(err)
	}
	return taken
}

func intent(k ledger.Key) ledger.Intent {
	return ledger.Intent{
		Event: k, Role: role.Ref{Account: account, Name: "App"}, RoleID: "AROAEXAMPLE1",
		Decision: decision.Decision{
			ID: "dec1", Action: decision.Revert, Reasons: []string{"public", "listed"},
			Rules: []string{"public-principal"}, RulesHash: "sha256:rules", At: at(3),
		},
		Before: `{"Statement":[{"Effect":"Allow"}]}`, After: `{"Statement":[]}`, BeforeDigest: "sha256:before", AfterDigest: "sha256:after",
		Boundary: "arn:aws:iam::aws:policy/ReadOnlyAccess", Payment: "dec1/2", ReadAt: at(2), At: at(4),
	}
}

func takeOnce(t *testing.T, l ledger.Ledger) {
	const workers = 50
	taken := make([]ledger.Taken, workers)
	errs := make([]error, workers)
	var wg sync.WaitGroup
	for i := range workers {
		wg.Go(func() { taken[i], errs[i] = l.Take(t.Context(), key("e1"), at(i)) })
	}
	wg.Wait()
	firsts, attempts := 0, map[int]bool{}
	for i, got := range taken {
		if errs[i] != nil {
			t.Fatal(errs[i])
		}
		if got.First == ledger.First {
			firsts++
		}
		attempts[got.Attempts] = true
	}
	if firsts != 1 {
		t.Errorf("%d takings were First, want 1", firsts)
	}
	if len(attempts) != workers || !attempts[1] || !attempts[workers] {
		t.Errorf("the attempts were not counted 1 to %d: %v", workers, attempts)
	}
}

func takeByAccount(t *testing.T, l ledger.Ledger) {
	take(t, l, key("e1"))
	got := take(t, l, ledger.Key{Account: other, EventID: "e1"})
	equal(t, "the other account's event", got, ledger.Taken{First: ledger.First, Attempts: 1})
}

func takeTellsEnd(t *testing.T, l ledger.Ledger) {
	for _, end := range ledger.Ends()[1:] {
		k := key(end.String())
		equal(t, "new", take(t, l, k), ledger.Taken{First: ledger.First, Attempts: 1})
		equal(t, "unfinished", take(t, l, k), ledger.Taken{Attempts: 2})
		conclude(t, l, ledger.Conclusion{Event: k, End: end, Reason: "a test", At: at(2)})
		equal(t, "ended", take(t, l, k), ledger.Taken{End: end, Attempts: 3})
	}
}

func takeNeedsKey(t *testing.T, l ledger.Ledger) {
	for _, k := range []ledger.Key{{}, {Account: account}, {EventID: "e1"}} {
		_, err := l.Take(t.Context(), k, at(0))
		refused(t, "taking "+k.String(), err)
		refused(t, "concluding "+k.String(), l.Conclude(t.Context(), ledger.Conclusion{Event: k, End: ledger.Told}))
		refused(t, "intending "+k.String(), l.Intend(t.Context(), intent(k)))
	}
}

func resume(t *testing.T, l ledger.Ledger) {
	k := key("e1")
	take(t, l, k)
	first := intent(k)
	first.After = "another"
	for _, i := range []ledger.Intent{first, intent(k)} {
		if err := l.Intend(t.Context(), i); err != nil {
			t.Fatal(err)
		}
	}
	want := intent(k)
	equal(t, "after the crash", take(t, l, k), ledger.Taken{Attempts: 2, Intent: &want})
	equal(t, "after another", take(t, l, k), ledger.Taken{Attempts: 3, Intent: &want})
	conclude(t, l, ledger.Conclusion{Event: k, End: ledger.Reverted, At: at(9)})
	equal(t, "after the end", take(t, l, k), ledger.Taken{End: ledger.Reverted, Attempts: 4})
}

// IAM takes 131,072 characters, white space among them, and 4,096 without
// (IAM API Reference, API_UpdateAssumeRolePolicy).
func largeIntent(t *testing.T, l ledger.Ledger) {
	i := intent(key("e1"))
	i.Before = `{"Statement":[` + strings.Repeat(" \n\t", 43000) + `]}`
	i.After = `{"Sid":"` + strings.Repeat("Zß∂", 1300) + `"}`
	if err := l.Intend(t.Context(), i); err != nil {
		t.Fatal(err)
	}
	if got := take(t, l, key("e1")).Intent; got == nil || got.Before != i.Before || got.After != i.After {
		t.Error("the documents did not come back as they were")
	}
}

func intendAfterEnd(t *testing.T, l ledger.Ledger) {
	k := key("e1")
	take(t, l, k)
	conclude(t, l, ledger.Conclusion{Event: k, End: ledger.Held, At: at(1)})
	wants(t, l.Intend(t.Context(), intent(k)), ledger.ErrConcluded)
	if got := take(t, l, k); got.Intent != nil || got.End != ledger.Held {
		t.Errorf("the refused intent was kept: %+v", got)
	}
}

func concludeOnce(t *testing.T, l ledger.Ledger) {
	first, second := state("AROA1", "e1", 5), state("AROA1", "e1", 6)
	second.Digest = "sha256:late"
	remember(t, l, first)
	conclude(t, l, ledger.Conclusion{
		Event: key("e1"), End: ledger.Compliant, At: at(9), State: &second,
		Seen: []ledger.Identity{identity("AIDALATE", userARN("late"), 9)},
	})
	if got := take(t, l, key("e1")).End; got != ledger.Told {
		t.Errorf("the event ended as %v, want the first end, Told", got)
	}
	got, _, err := l.State(t.Context(), account, "AROA1")
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "the state", got, first)
	if _, ok, err := l.Identify(t.Context(), "AIDALATE"); ok || err != nil {
		t.Errorf("the second conclusion's sightings were recorded (%v)", err)
	}
}

func concludeRace(t *testing.T, l ledger.Ledger) {
	ends := ledger.Ends()[1:]
	var wg sync.WaitGroup
	for i := range 50 {
		wg.Go(func() {
			s := state("AROA1", "e1", 5)
			s.Decision = ends[i%len(ends)].String()
			c := ledger.Conclusion{Event: key("e1"), End: ends[i%len(ends)], At: at(9).Add(time.Duration(i)), State: &s}
			if err := l.Conclude(t.Context(), c); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	got, _, err := l.State(t.Context(), account, "AROA1")
	if err != nil {
		t.Fatal(err)
	}
	if end := take(t, l, key("e1")).End; end.String() != got.Decision {
		t.Errorf("the event ended as %v and the state is of the conclusion %s", end, got.Decision)
	}
}

func concludeNeedsEnd(t *testing.T, l ledger.Ledger) {
	refused(t, "InFlight", l.Conclude(t.Context(), ledger.Conclusion{Event: key("e1"), At: at(1)}))
	refused(t, "an unknown end", l.Conclude(t.Context(), ledger.Conclusion{Event: key("e1"), End: 99, At: at(1)}))
	equal(t, "the event", take(t, l, key("e1")), ledger.Taken{First: ledger.First, Attempts: 1})
}
