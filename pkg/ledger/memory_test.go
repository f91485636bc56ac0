package ledger_test

import (
	"context"
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/rolewarden/rolewarden/pkg/decision"
	"github.com/rolewarden/rolewarden/pkg/ledger"
	"github.com/rolewarden/rolewarden/pkg/ledger/ledgertest"
	"github.com/rolewarden/rolewarden/pkg/role"
)

func TestMemoryKeepsTheContract(t *testing.T) {
	ledgertest.Conformance(t, func(*testing.T) ledger.Ledger { return ledger.NewMemory() })
}

// everyCall makes each call of the contract.
func everyCall(gone context.Context, m *ledger.Memory) map[string]func() error {
	k := ledger.Key{Account: "111122223333", EventID: "e1"}
	letter := ledger.Letter{ID: "a", Body: []byte("x"), At: moment(1)}
	return map[string]func() error{
		"Take": func() error { _, err := m.Take(gone, k, time.Time{}); return err },
		"Intend": func() error {
			return m.Intend(gone, ledger.Intent{Event: k, Role: role.Ref{Account: "1"}, RoleID: "2", Decision: decision.Decision{ID: "3"}})
		},
		"Conclude":    func() error { return m.Conclude(gone, ledger.Conclusion{Event: k, End: ledger.Told}) },
		"State":       func() error { _, _, err := m.State(gone, "", ""); return err },
		"Baselines":   func() error { _, err := m.Baselines(gone, "", ""); return err },
		"AddBaseline": func() error { return m.AddBaseline(gone, role.Baseline{Account: "1", RoleID: "2", Digest: "3"}) },
		"Lease":       func() error { return m.Lease(gone, role.Ref{}, "", time.Time{}, time.Time{}) },
		"Release":     func() error { return m.Release(gone, role.Ref{}, "") },
		"Spend":       func() error { return m.Spend(gone, "t", time.Time{}, nil) },
		"Switch":      func() error { _, err := m.Switch(gone); return err },
		"SetSwitch":   func() error { return m.SetSwitch(gone, 1, "alice", "", time.Time{}) },
		"Identify":    func() error { _, _, err := m.Identify(gone, ""); return err },
		"Identities":  func() error { _, err := m.Identities(gone, ""); return err },
		"Record":      func() error { return m.Record(gone, nil) },
		"Deleted":     func() error { _, err := m.Deleted(gone, ledger.Deletion{Event: k}); return err },
		"Renamed": func() error {
			to := ledger.PrincipalKey{Account: "111122223333", Kind: "user", Name: "bob"}
			return m.Renamed(gone, ledger.PrincipalKey{}, to, "arn:aws:iam::111122223333:user/bob", time.Time{})
		},
		"Decided":      func() error { _, _, _, err := m.Decided(gone, "d"); return err },
		"Delivered":    func() error { return m.Delivered(gone, ledger.Letter{ID: "a"}) },
		"Undelivered":  func() error { _, err := m.Undelivered(gone, 1); return err },
		"Post":         func() error { _, err := m.Post(gone, "t", letter); return err },
		"Recall":       func() error { _, err := m.Recall(gone, "", ""); return err },
		"States":       func() error { return m.States(gone, "", nil) },
		"SetCandidate": func() error { return m.SetCandidate(gone, role.Baseline{Account: "1", RoleID: "2", Digest: "3"}) },
		"GiveWord": func() error {
			return m.GiveWord(gone, ledger.Word{Account: "1", RoleID: "2", Digest: "3", By: "alice", Until: moment(1)})
		},
		"Breakers":     func() error { _, err := m.Breakers(gone); return err },
		"Reset":        func() error { return m.Reset(gone, "c", "alice", "", time.Time{}) },
		"Setting":      func() error { _, _, err := m.Setting(gone); return err },
		"Ends":         func() error { _, err := m.Ends(gone, nil); return err },
		"SeeRules":     func() error { _, err := m.SeeRules(gone, "h", time.Time{}); return err },
		"ConfirmRules": func() error { return m.ConfirmRules(gone, "h", "alice", "", time.Time{}) },
		"BeginSweep":   func() error { _, err := m.BeginSweep(gone, ledger.Sweep{ID: "s"}); return err },
		"Sweeping":     func() error { _, _, _, err := m.Sweeping(gone, "s"); return err },
		"Swept":        func() error { _, _, err := m.Swept(gone, "s", "1"); return err },
		"SaveSwept":    func() error { return m.SaveSwept(gone, ledger.SweptAccount{Sweep: "s", Account: "1"}) },
		"Trusting":     func() error { _, err := m.Trusting(gone, ledger.PrincipalKey{}); return err },
	}
}

// A call whose time is up has no effect and says so.
func TestMemoryStopsWithItsContext(t *testing.T) {
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	m := ledger.NewMemory()
	k := ledger.Key{Account: "111122223333", EventID: "e1"}
	calls := everyCall(gone, m)
	contract := reflect.TypeFor[ledger.Ledger]()
	for i := range contract.NumMethod() {
		if name := contract.Method(i).Name; calls[name] == nil {
			t.Errorf("%s is not tried", name)
		}
	}
	for name, call := range calls {
		if err := call(); !errors.Is(err, context.Canceled) {
			t.Errorf("%s: got %v, want context.Canceled", name, err)
		}
	}
	if got, err := m.Take(t.Context(), k, time.Time{}); err != nil || got.Attempts != 1 || got.End != ledger.InFlight {
		t.Errorf("a call without time had an effect: %+v, %v", got, err)
	}
}

func TestEveryWordReadsBack(t *testing.T) {
	for _, e := range ledger.Ends() {
		if got, err := ledger.ParseEnd(e.String()); err != nil || got != e {
			t.Errorf("%s reads back as %v, %v", e, got, err)
		}
	}
	if _, err := ledger.ParseEnd("End?"); err == nil {
		t.Error("a word that is none was read")
	}
	if ledger.End(99).String() != "End?" || ledger.Firstness(9).String() != "Firstness?" {
		t.Error("an unknown value has a known word")
	}
	if ledger.Anything.String() != "Anything" || ledger.NoOpenAlert.String() != "NoOpenAlert" || ledger.Expectation(9).String() != "Expectation?" {
		t.Error("the expectations are not called so")
	}
	if ledger.Refuse.String() != "Refuse" || ledger.Trip.String() != "Trip" || ledger.OnFull(9).String() != "OnFull?" {
		t.Error("what a full counter does is not called so")
	}
	if ledger.First.String() != "First" || ledger.Again.String() != "Again" {
		t.Error("First and Again are not called so")
	}
}

// The operator who reads that a limit stopped a write must see which.
func TestLimitErrorNamesTheCounter(t *testing.T) {
	err := &ledger.LimitError{Counter: ledger.Counter{Name: "account/111122223333", Window: time.Hour, Limit: 5}, Count: 5}
	for _, part := range []string{"account/111122223333", "5", "1h0m0s"} {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("%q does not say %q", err, part)
		}
	}
}

// Whoever finds the writes stopped reads what tripped, when, and who can undo it.
func TestTrippedErrorNamesTheBreaker(t *testing.T) {
	c := ledger.Counter{Name: "organization", Window: time.Hour, Limit: 25, Full: ledger.Trip}
	err := &ledger.TrippedError{Breaker: c.Tripped(26, moment(0), "t1")}
	for _, part := range []string{"organization", "25", "26", "1h0m0s", "2026-11-21T09:00:00Z", "a person has to reset it"} {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("%q does not say %q", err, part)
		}
	}
}

func TestPrincipalOfAnARN(t *testing.T) {
	tests := map[string]ledger.PrincipalKey{
		"arn:aws:iam::111122223333:user/Alice":               {Account: "111122223333", Kind: "user", Name: "alice"},
		"arn:aws-cn:iam::111122223333:role/a/b/App":          {Account: "111122223333", Kind: "role", Name: "app"},
		"arn:aws:iam::111122223333:root":                     {},
		"arn:aws:iam::111122223333:group/x":                  {},
		"arn:aws:iam::111122223333:user/":                    {},
		"arn:aws:iam::1111:user/alice":                       {},
		"arn:aws:sts::111122223333:assumed-role/app/session": {},
		"AIDAEXAMPLE": {},
		"arn:aws:iam::111122223333:oidc-provider/a.example/b/c":  {},
		"arn:aws:iam:us-east-1:111122223333:saml-provider/alice": {},
	}
	for arn, want := range tests {
		got, ok := ledger.PrincipalOf(arn)
		if got != want || ok != (want != ledger.PrincipalKey{}) {
			t.Errorf("%s names %v, %v; want %v", arn, got, ok, want)
		}
	}
}
