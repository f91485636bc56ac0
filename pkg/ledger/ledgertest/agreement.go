package ledgertest

import (
	"context"
	"errors"
	"flag"
	"maps"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/rolewarden/rolewarden/pkg/ledger"
)

// Agreement makes random calls on two ledgers and holds them to the same
// answers, call by call, and to the same memory at the end. Each sequence gets
// two empty ones from open. It is short unless -rapid.checks asks for more.
func Agreement(t *testing.T, sequences string, open func(t *testing.T) (one, two ledger.Ledger)) {
	t.Helper()
	few(t, sequences)
	rapid.Check(t, func(rt *rapid.T) {
		p := &pair{}
		p.one, p.two = open(t)
		actions := map[string]func(*rapid.T){}
		for _, some := range []map[string]func(*rapid.T){p.eventCalls(), p.letterCalls(), p.roleCalls(), p.limitCalls(), p.principalCalls(), p.sweepCalls()} {
			maps.Copy(actions, some)
		}
		rt.Repeat(actions)
		p.memory(rt)
	})
}

// few lowers the number of sequences, unless whoever runs the test gave one.
func few(t *testing.T, sequences string) {
	t.Helper()
	checks := flag.Lookup("rapid.checks")
	if was := checks.Value.String(); was == checks.DefValue {
		if err := flag.Set(checks.Name, sequences); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = flag.Set(checks.Name, was) })
	}
}

// pair is two ledgers that get the same calls.
type pair struct {
	one, two ledger.Ledger
}

// both makes one call on both.
func (p *pair) both(t *rapid.T, what string, call func(l ledger.Ledger) (any, error)) {
	t.Helper()
	a, errA := call(p.one)
	b, errB := call(p.two)
	if d := cmp.Diff(kind(errA), kind(errB), cmpopts.EquateEmpty()); d != "" {
		t.Fatalf("%s: one gives the error %v, the other %v (-one +other):\n%s", what, errA, errB, d)
	}
	if d := cmp.Diff(a, b, cmpopts.EquateEmpty()); d != "" {
		t.Fatalf("%s (-one +other):\n%s", what, d)
	}
}

// only makes a call that gives nothing but an error.
func (p *pair) only(t *rapid.T, what string, call func(l ledger.Ledger) error) {
	t.Helper()
	p.both(t, what, func(l ledger.Ledger) (any, error) { return nil, call(l) })
}

// kinds are the errors that callers tell apart.
func kinds() []error {
	return []error{ledger.ErrConcluded, ledger.ErrOpenAlert, ledger.ErrWritten, ledger.ErrLeased, ledger.ErrLetterWaits, ledger.ErrNotTripped}
}

// kind is what callers can see of an error.
func kind(err error) []any {
	if err == nil {
		return nil
	}
	out := []any{"an error"}
	for _, k := range kinds() {
		if errors.Is(err, k) {
			out = append(out, k.Error())
		}
	}
	var limit *ledger.LimitError
	if errors.As(err, &limit) {
		out = append(out, *limit)
	}
	var trip *ledger.TrippedError
	if errors.As(err, &trip) {
		out = append(out, *trip)
	}
	return out
}

// memory compares all that can be read.
func (p *pair) memory(t *rapid.T) {
	t.Helper()
	for _, a := range accounts() {
		for _, id := range roleIDs() {
			p.both(t, "Recall", func(l ledger.Ledger) (any, error) { return l.Recall(t.Context(), a, id) })
		}
	}
	for _, id := range decisionIDs() {
		p.both(t, "Decided", func(l ledger.Ledger) (any, error) { return found(l.Decided(t.Context(), id)) })
	}
	for _, id := range uniqueIDs() {
		p.both(t, "Identify", func(l ledger.Ledger) (any, error) {
			who, ok, err := l.Identify(t.Context(), id)
			return []any{who, ok}, err
		})
	}
	for _, name := range names() {
		p.both(t, "Identities", func(l ledger.Ledger) (any, error) { return l.Identities(t.Context(), userARN(name)) })
		p.both(t, "Trusting", func(l ledger.Ledger) (any, error) { return l.Trusting(t.Context(), user(name)) })
	}
	for _, of := range accounts() {
		p.both(t, "Trusting", func(l ledger.Ledger) (any, error) { return l.Trusting(t.Context(), itself(of)) })
	}
	p.both(t, "Undelivered", func(l ledger.Ledger) (any, error) { return l.Undelivered(t.Context(), 999) })
	p.both(t, "Breakers", func(l ledger.Ledger) (any, error) { return l.Breakers(t.Context()) })
	p.both(t, "Sweeping", func(l ledger.Ledger) (any, error) { return swept(l.Sweeping(t.Context(), "s1")) })
	p.both(t, "States", func(l ledger.Ledger) (any, error) { return all(t.Context(), l, "") })
}

func found(i ledger.Intent, e ledger.End, ok bool, err error) (any, error) {
	return []any{i, e, ok}, err
}

func swept(s ledger.Sweep, a []ledger.SweptAccount, ok bool, err error) (any, error) {
	return []any{s, a, ok}, err
}

func all(ctx context.Context, l ledger.Ledger, account string) ([]ledger.RoleState, error) {
	var out []ledger.RoleState
	err := l.States(ctx, account, func(s ledger.RoleState) error {
		out = append(out, s)
		return nil
	})
	ledger.SortStates(out)
	return out, err
}
