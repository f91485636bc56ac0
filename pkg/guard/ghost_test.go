package guard_test

import (
	"strings"
	"testing"
	"time"

	"github.com/rolewarden/rolewarden/pkg/alert"
	"github.com/rolewarden/rolewarden/pkg/guard"
	"github.com/rolewarden/rolewarden/pkg/ledger"
)

func states(told []alert.Alert) string {
	var out []string
	for _, a := range told {
		out = append(out, a.State.String())
	}
	return strings.Join(out, " ")
}

// I6: an alert that an event opens which is older than what is remembered of the
// role, such as one that came a day late, is remembered too: the next look that
// finds the role good resolves it, and nobody looks for what is not there.
func TestAnAlertThatAnOlderEventOpensIsResolved(t *testing.T) {
	w := withBaseline(t, rulesFile)
	late := w.updated("ev-late", "app", opened)
	w.handle(w.updated("ev-later", "app", closed))
	w.steps = nil
	renamed := strings.Replace(closed, `"Effect"`, `"Sid":"ByNobody","Effect"`, 1)
	w.put(prod, "app", appID, renamed)
	if res := w.settle(w.handle(late)); res.End != ledger.Told || states(w.told) != "opened" {
		t.Fatalf("ended in %s, told %q", res.End, states(w.told))
	}
	if known := w.recalled(); known.State.AlertID != w.told[0].ID || known.State.Event.EventID != "ev-later" {
		t.Errorf("remembered: alert %q of event %s", known.State.AlertID, known.State.Event)
	}
	w.now = w.now.Add(time.Hour)
	w.steps = nil
	if w.settle(w.sight(w.guard, "s1", guard.Aloud)); states(w.told) != "opened resolved" || w.told[1].ID != w.told[0].ID {
		t.Errorf("told %q", states(w.told))
	}
}
