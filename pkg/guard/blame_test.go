package guard_test

import (
	"strings"
	"testing"

	"github.com/rolewarden/rolewarden/pkg/ledger"
)

// T5: a second look finds what no event told of. Whoever made the good change
// before is not named as who made it, nor is their event where to find it.
func TestWhatASecondLookFindsIsNotBlamedOnTheEventBefore(t *testing.T) {
	w := withBaseline(t, rulesFile)
	mended := strings.Replace(closed, `"Effect"`, `"Sid":"Mended","Effect"`, 1)
	w.put(prod, "app", "AROAAPP1111111111111", mended)
	w.handle(w.updated("ev2", "app", mended))
	w.put(prod, "app", "AROAAPP1111111111111", opened)
	if res := w.settle(w.due()); res.End != ledger.Reverted || len(w.told) != 1 {
		t.Fatalf("ended in %s, told %d times", res.End, len(w.told))
	}
	a := w.told[0]
	if c := a.Change; c.EventID != "ev2" || c.SourceIP != "" || c.Tool != "" || strings.Contains(c.Actor, "user/bob") || !strings.Contains(c.Actor, "nobody is known") {
		t.Errorf("the alert names %q from %q with %q", c.Actor, c.SourceIP, c.Tool)
	}
	if strings.Contains(a.Undo, "CloudTrail") {
		t.Errorf("the document that was replaced is not in the event: %s", a.Undo)
	}
	if s := w.recalled().State; s.Actor != "" || len(s.Changers) != 1 || strings.Contains(s.Changers[0], "bob") {
		t.Errorf("the ledger remembers %q and %q", s.Actor, s.Changers)
	}
}

// A breach that stands for minutes is acted on though the event says another
// document, and the alert does not hide that it may be somebody else's.
func TestABreachThatTheEventDoesNotTellOfIsToldSo(t *testing.T) {
	w := withBaseline(t, rulesFile)
	mended := strings.Replace(closed, `"Effect"`, `"Sid":"Mended","Effect"`, 1)
	w.put(prod, "app", "AROAAPP1111111111111", opened)
	if res := w.settle(w.handle(w.updated("ev2", "app", mended))); res.End != ledger.Reverted || len(w.told) != 1 {
		t.Fatalf("ended in %s, told %d times", res.End, len(w.told))
	}
	if text := w.told[0].Text(); !strings.Contains(text, "somebody else may have made what stands") || strings.Contains(w.told[0].Undo, "CloudTrail") {
		t.Errorf("the alert says\n%s", text)
	}
}
