package ledgertest

import (
	"sync"
	"testing"

	"github.com/rolewarden/rolewarden/pkg/ledger"
)

func decidedPromises() []promise {
	return []promise{
		{"a decision is found with what was there before it and how its event ended", decidedFound},
		{"of one decision intended twice the last intent is found", decidedLast},
		{"two decisions of one event are both found", decidedEach},
		{"an intent that was refused is found nowhere", decidedRefused},
		{"an older intent never hides a newer one of the role", writtenOrder},
		{"of fifty intents at once the newest is the role's", writtenRace},
		{"an intent without decision or role is refused", intentRefused},
	}
}

func intend(t *testing.T, l ledger.Ledger, i ledger.Intent) {
	t.Helper()
	if err := l.Intend(t.Context(), i); err != nil {
		t.Fatal(err)
	}
}

// decided wants a decision to be found.
func decided(t *testing.T, l ledger.Ledger, id string, want ledger.Intent, end ledger.End) {
	t.Helper()
	i, e, ok, err := l.Decided(t.Context(), id)
	if err != nil || !ok {
		t.Fatalf("the decision %s is not found: %v, %v", id, ok, err)
	}
	equal(t, "the intent", i, want)
	equal(t, "the end", e, end)
}

func undecided(t *testing.T, l ledger.Ledger, id string) {
	t.Helper()
	if i, e, ok, err := l.Decided(t.Context(), id); err != nil || ok || i.Before != "" || e != ledger.InFlight {
		t.Errorf("the decision %s is found: %v, %v", id, ok, err)
	}
}

func decidedFound(t *testing.T, l ledger.Ledger) {
	undecided(t, l, "dec1")
	take(t, l, key("e1"))
	intend(t, l, intent(key("e1")))
	decided(t, l, "dec1", intent(key("e1")), ledger.InFlight)
	conclude(t, l, ledger.Conclusion{Event: key("e1"), End: ledger.Reverted, At: at(9)})
	decided(t, l, "dec1", intent(key("e1")), ledger.Reverted)
	undecided(t, l, "dec")
	undecided(t, l, "")
}

func decidedLast(t *testing.T, l ledger.Ledger) {
	first, second := intent(key("e1")), intent(key("e1"))
	second.Before, second.Contains, second.Void, second.At, second.WrittenAt = "another", true, true, at(5), at(6)
	intend(t, l, first)
	intend(t, l, second)
	decided(t, l, "dec1", second, ledger.InFlight)
}

func decidedEach(t *testing.T, l ledger.Ledger) {
	first, second := intent(key("e1")), intent(key("e1"))
	second.Decision.ID, second.RoleID, second.At = "dec2", "AROAEXAMPLE2", at(5)
	intend(t, l, first)
	intend(t, l, second)
	decided(t, l, "dec1", first, ledger.InFlight)
	decided(t, l, "dec2", second, ledger.InFlight)
	equal(t, "what a taking gives back", take(t, l, key("e1")).Intent, &second)
	for id, i := range map[string]ledger.Intent{"AROAEXAMPLE1": first, "AROAEXAMPLE2": second} {
		want := i.Written()
		equal(t, "the role's", recall(t, l, account, id).Written, &want)
	}
}

func decidedRefused(t *testing.T, l ledger.Ledger) {
	conclude(t, l, ledger.Conclusion{Event: key("e1"), End: ledger.Held, At: at(1)})
	wants(t, l.Intend(t.Context(), intent(key("e1"))), ledger.ErrConcluded)
	undecided(t, l, "dec1")
	equal(t, "the role", recall(t, l, account, "AROAEXAMPLE1"), ledger.Recalled{})
}

func writtenOrder(t *testing.T, l ledger.Ledger) {
	newer, older := intent(key("e1")), intent(key("e2"))
	newer.At, older.At, older.Decision.ID = at(50), at(40), "dec2"
	intend(t, l, newer)
	intend(t, l, older)
	want := newer.Written()
	equal(t, "the role's", recall(t, l, account, "AROAEXAMPLE1").Written, &want)
	decided(t, l, "dec2", older, ledger.InFlight)
	equal(t, "the older event's", take(t, l, key("e2")).Intent, &older)
	same := intent(key("e3"))
	same.At, same.Decision.ID = at(50), "dec3"
	intend(t, l, same)
	want = same.Written()
	equal(t, "of the same time", recall(t, l, account, "AROAEXAMPLE1").Written, &want)
}

func writtenRace(t *testing.T, l ledger.Ledger) {
	var wg sync.WaitGroup
	for n := range 50 {
		wg.Go(func() {
			i := intent(key("e1"))
			i.At = at(n)
			if err := l.Intend(t.Context(), i); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	equal(t, "the role's", recall(t, l, account, "AROAEXAMPLE1").Written.At, at(49))
}

func intentRefused(t *testing.T, l ledger.Ledger) {
	for what, f := range map[string]func(*ledger.Intent){
		"decision": func(i *ledger.Intent) { i.Decision.ID = "" },
		"account":  func(i *ledger.Intent) { i.Role.Account = "" },
		"RoleId":   func(i *ledger.Intent) { i.RoleID = "" },
	} {
		i := intent(key("e1"))
		f(&i)
		refused(t, "an intent without "+what, l.Intend(t.Context(), i))
	}
	equal(t, "the event", take(t, l, key("e1")), ledger.Taken{First: ledger.First, Attempts: 1})
}
