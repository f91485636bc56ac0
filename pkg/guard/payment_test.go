package guard_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/rolewarden/rolewarden/pkg/ledger"
	"github.com/rolewarden/rolewarden/pkg/role"
)

// T65, I10: a handling whose end cannot be recorded comes again and again, and
// somebody opens the role after each revert. Each revert is counted: there are no
// more than the limit allows, however long the ledger stays down.
func TestOneEventPaysForEachOfItsWrites(t *testing.T) {
	w := withBaseline(t, rulesFile)
	w.put(prod, "app", "AROAAPP1111111111111", opened)
	body := w.updated("ev2", "app", opened)
	written := 0
	w.onWrite = func() { written++ }
	w.ledger.concludeErr = errors.New("the table does not answer")
	for range 10 {
		_, _ = w.guard.Handle(t.Context(), body)
		w.put(prod, "app", "AROAAPP1111111111111", opened)
	}
	if limit := w.rules.Limits.PerRolePerDay; written > limit {
		t.Errorf("%d writes, and the limit is %d", written, limit)
	}
}

// A write that IAM refuses is paid for once, however often it is tried: a role
// whose principal is too new does not use up its limit by waiting.
func TestARefusedWriteIsPaidForOnce(t *testing.T) {
	w := withBaseline(t, rulesFile)
	w.put(prod, "app", "AROAAPP1111111111111", opened)
	w.writeErr = fmt.Errorf("writing: %w", role.ErrInvalidPrincipal)
	res := w.handle(w.updated("ev2", "app", opened))
	for range 2 {
		res = w.due()
	}
	w.writeErr = nil
	if res = w.settle(res); res.End != ledger.Reverted {
		t.Fatalf("ended in %s: %s", res.End, res.Reason)
	}
	tripped, err := w.ledger.Breakers(t.Context())
	if err != nil || len(tripped) != 0 {
		t.Errorf("one write tripped %v, %v", tripped, err)
	}
}
