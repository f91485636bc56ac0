package guard_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/rolewarden/rolewarden/pkg/alert"
	"github.com/rolewarden/rolewarden/pkg/ledger"
)

func TestACompliantEventCostsOneReadAndTwoLedgerCalls(t *testing.T) {
	w := newWorld(t, rulesFile)
	w.put(prod, "app", "AROAAPP1111111111111", closed)
	res := w.handle(w.created("ev1", "app", closed))
	if res.End != ledger.Compliant || len(w.told) != 0 {
		t.Fatalf("ended in %s with %d alerts: %s", res.End, len(w.told), res.Reason)
	}
	if got := strings.Join(w.calls, " "); got != "GetRole" {
		t.Errorf("AWS calls: %s", got)
	}
	if w.ledger.n != 2 {
		t.Errorf("%d ledger calls", w.ledger.n)
	}
}

// T66: our own write comes back as an event, resolves the alert and writes nothing.
func TestOurOwnWriteEndsInNoSecondWrite(t *testing.T) {
	w := withBaseline(t, rulesFile)
	w.open("ev2")
	before := w.writes()
	res := w.handle(w.updated("ev3", "app", closed))
	if res.End != ledger.Compliant || w.writes() != before {
		t.Fatalf("ended in %s after %d more writes", res.End, w.writes()-before)
	}
	if len(w.told) != 2 || w.told[1].State != alert.Resolved || w.told[1].ID != w.told[0].ID {
		t.Errorf("the alert is not resolved under its id: %+v", w.told[1:])
	}
	opened, resolved := w.told[0].Attributes(), w.told[1].Attributes()
	if !slices.Equal(opened["rule"].StringArray, resolved["rule"].StringArray) || opened["severity"].String != resolved["severity"].String {
		t.Errorf("who was sent the one is not sent the other: %v, %v", opened, resolved)
	}
}

func BenchmarkCompliantEvent(b *testing.B) {
	w := newWorld(b, rulesFile)
	w.put(prod, "app", "AROAAPP1111111111111", closed)
	i := 0
	for b.Loop() {
		i++
		w.steps, w.calls = w.steps[:0], w.calls[:0]
		w.handle(w.created(fmt.Sprintf("ev%d", i), "app", closed))
	}
}
