package ledgertest

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/rolewarden/rolewarden/pkg/ledger"
)

func rulesPromises() []promise {
	return []promise{
		{"the first sight of the rules stays", rulesFirst},
		{"a person's last word on the rules counts, before their first sight too", rulesConfirmed},
		{"rules without hash, and a confirmation nobody answers for, are refused", rulesRefused},
	}
}

func sweepPromises() []promise {
	return []promise{
		{"of fifty beginnings of one sweep exactly one is First, and it stays", sweepOnce},
		{"a sweep goes on where it stopped, account by account", sweepGoesOn},
		{"an account that has ended stays ended", sweepEnded},
		{"nothing is known of a sweep that was never begun", sweepUnknown},
		{"a sweep of many accounts with long notes comes back whole", sweepLarge},
		{"a sweep without name and progress of no account are refused", sweepRefused},
	}
}

func seen(t *testing.T, l ledger.Ledger, hash string, seconds int) ledger.RulesSeen {
	t.Helper()
	got, err := l.SeeRules(t.Context(), hash, at(seconds))
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func confirm(t *testing.T, l ledger.Ledger, hash, by, reason string, seconds int) {
	t.Helper()
	if err := l.ConfirmRules(t.Context(), hash, by, reason, at(seconds)); err != nil {
		t.Fatal(err)
	}
}

func rulesFirst(t *testing.T, l ledger.Ledger) {
	for _, seconds := range []int{10, 20, 5} {
		equal(t, "the rules", seen(t, l, "sha256:a", seconds), ledger.RulesSeen{Hash: "sha256:a", First: at(10)})
	}
	equal(t, "other rules", seen(t, l, "sha256:b", 30), ledger.RulesSeen{Hash: "sha256:b", First: at(30)})
}

// T76: who stands for a changed rules file is known.
func rulesConfirmed(t *testing.T, l ledger.Ledger) {
	seen(t, l, "sha256:a", 10)
	confirm(t, l, "sha256:a", "alice", "", 20)
	want := ledger.RulesSeen{Hash: "sha256:a", First: at(10), ConfirmedBy: "alice", ConfirmedAt: at(20)}
	equal(t, "confirmed", seen(t, l, "sha256:a", 30), want)
	confirm(t, l, "sha256:a", "bob", "read once more", 40)
	want.ConfirmedBy, want.Reason, want.ConfirmedAt = "bob", "read once more", at(40)
	equal(t, "confirmed again", seen(t, l, "sha256:a", 50), want)
	confirm(t, l, "sha256:b", "carol", "before it is deployed", 60)
	equal(t, "confirmed before the first sight", seen(t, l, "sha256:b", 70), ledger.RulesSeen{
		Hash: "sha256:b", First: at(70), ConfirmedBy: "carol", Reason: "before it is deployed", ConfirmedAt: at(60),
	})
}

func rulesRefused(t *testing.T, l ledger.Ledger) {
	_, err := l.SeeRules(t.Context(), "", at(1))
	refused(t, "rules without hash", err)
	refused(t, "a confirmation of nothing", l.ConfirmRules(t.Context(), "", "alice", "", at(1)))
	refused(t, "nobody's confirmation", l.ConfirmRules(t.Context(), "sha256:a", "", "because", at(1)))
	equal(t, "the rules", seen(t, l, "sha256:a", 5), ledger.RulesSeen{Hash: "sha256:a", First: at(5)})
}

func aSweep(id string, accounts ...string) ledger.Sweep {
	return ledger.Sweep{ID: id, At: at(1), RulesHash: "sha256:rules", Accounts: accounts}
}

func begin(t *testing.T, l ledger.Ledger, s ledger.Sweep) ledger.Firstness {
	t.Helper()
	first, err := l.BeginSweep(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	return first
}

func save(t *testing.T, l ledger.Ledger, a ledger.SweptAccount) {
	t.Helper()
	if err := l.SaveSwept(t.Context(), a); err != nil {
		t.Fatal(err)
	}
}

func sweeping(t *testing.T, l ledger.Ledger, id string) (ledger.Sweep, []ledger.SweptAccount, bool) {
	t.Helper()
	s, accounts, ok, err := l.Sweeping(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	return s, accounts, ok
}

func sweepOnce(t *testing.T, l ledger.Ledger) {
	var firsts atomic.Int32
	var wg sync.WaitGroup
	for range 50 {
		wg.Go(func() {
			first, err := l.BeginSweep(t.Context(), aSweep("s1", account, other))
			if err != nil {
				t.Error(err)
			}
			if first == ledger.First {
				firsts.Add(1)
			}
		})
	}
	wg.Wait()
	equal(t, "how many were First", firsts.Load(), 1)
	equal(t, "another of the name", begin(t, l, ledger.Sweep{ID: "s1", At: at(99), Accounts: []string{"777788889999"}}), ledger.Again)
	equal(t, "another name", begin(t, l, aSweep("s10")), ledger.First)
	got, accounts, ok := sweeping(t, l, "s1")
	equal(t, "known", ok, true)
	equal(t, "the sweep", got, aSweep("s1", account, other))
	equal(t, "its accounts", accounts, nil)
}

func sweepGoesOn(t *testing.T, l ledger.Ledger) {
	begin(t, l, aSweep("s1", other, account))
	begin(t, l, aSweep("s2"))
	far := ledger.SweptAccount{Sweep: "s1", Account: other, Marker: "page2", Counts: map[string]int{"roles": 100}, Notes: []byte{0, 1, 255}}
	here := ledger.SweptAccount{Sweep: "s1", Account: account, Problem: "access denied", Ended: at(9)}
	for _, a := range []ledger.SweptAccount{far, here, {Sweep: "s2", Account: account, Marker: "x"}} {
		save(t, l, a)
	}
	_, accounts, _ := sweeping(t, l, "s1")
	equal(t, "half way", accounts, []ledger.SweptAccount{here, far})
	far.Marker, far.Counts["roles"] = "page3", 200
	save(t, l, far)
	far.Counts["roles"], far.Notes[0] = 0, 9
	_, accounts, _ = sweeping(t, l, "s1")
	equal(t, "further", accounts[1], ledger.SweptAccount{
		Sweep: "s1", Account: other, Marker: "page3", Counts: map[string]int{"roles": 200}, Notes: []byte{0, 1, 255},
	})
}

func sweepEnded(t *testing.T, l ledger.Ledger) {
	begin(t, l, aSweep("s1", account))
	progress := ledger.SweptAccount{Sweep: "s1", Account: account, Marker: "page2"}
	ended := ledger.SweptAccount{Sweep: "s1", Account: account, Ended: at(9), Counts: map[string]int{"roles": 3}}
	again := ledger.SweptAccount{Sweep: "s1", Account: account, Ended: at(20), Problem: "one page could not be read"}
	for _, step := range []struct{ saved, want ledger.SweptAccount }{
		{progress, progress}, {ended, ended}, {progress, ended}, {again, again}, {progress, again},
	} {
		save(t, l, step.saved)
		_, accounts, _ := sweeping(t, l, "s1")
		equal(t, "the account", accounts, []ledger.SweptAccount{step.want})
		got, ok, err := l.Swept(t.Context(), "s1", account)
		if err != nil || !ok {
			t.Fatalf("the account alone: %v, %v", ok, err)
		}
		equal(t, "the account alone", got, step.want)
	}
}

func sweepUnknown(t *testing.T, l ledger.Ledger) {
	save(t, l, ledger.SweptAccount{Sweep: "s1", Account: account, Marker: "page2"})
	for _, id := range []string{"", "s1", "s2"} {
		s, accounts, ok := sweeping(t, l, id)
		equal(t, "known", ok, false)
		equal(t, "the sweep", s, ledger.Sweep{})
		equal(t, "its accounts", len(accounts), 0)
	}
	for _, k := range [][2]string{{"s1", other}, {"s2", account}, {"s1", ""}} {
		if got, ok, err := l.Swept(t.Context(), k[0], k[1]); ok || err != nil || got.Marker != "" {
			t.Errorf("of account %q in the sweep %q is known: %v, %v", k[1], k[0], got, err)
		}
	}
	equal(t, "the late beginning", begin(t, l, aSweep("s1", account)), ledger.First)
	_, accounts, _ := sweeping(t, l, "s1")
	equal(t, "its accounts", len(accounts), 1)
}

// More than the megabyte that one answer of DynamoDB has.
func sweepLarge(t *testing.T, l ledger.Ledger) {
	random := rand.NewChaCha8([32]byte{2})
	s := aSweep("s1")
	var want []ledger.SweptAccount
	for i := range 30 {
		a := ledger.SweptAccount{Sweep: "s1", Account: fmt.Sprintf("%012d", i), Ended: at(i), Notes: make([]byte, 60_000)}
		_, _ = random.Read(a.Notes)
		s.Accounts, want = append(s.Accounts, a.Account), append(want, a)
		save(t, l, a)
	}
	begin(t, l, s)
	got, accounts, _ := sweeping(t, l, "s1")
	equal(t, "the sweep", got, s)
	equal(t, "how many accounts", len(accounts), len(want))
	for i, a := range accounts {
		if a.Account != want[i].Account || !a.Ended.Equal(want[i].Ended) || !bytes.Equal(a.Notes, want[i].Notes) {
			t.Errorf("account %s came back as %s with %d bytes", want[i].Account, a.Account, len(a.Notes))
		}
	}
}

func sweepRefused(t *testing.T, l ledger.Ledger) {
	_, err := l.BeginSweep(t.Context(), ledger.Sweep{At: at(1)})
	refused(t, "a sweep without name", err)
	refused(t, "progress of no sweep", l.SaveSwept(t.Context(), ledger.SweptAccount{Account: account}))
	refused(t, "progress of no account", l.SaveSwept(t.Context(), ledger.SweptAccount{Sweep: "s1"}))
}
