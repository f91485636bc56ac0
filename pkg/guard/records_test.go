package guard_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rolewarden/rolewarden/pkg/ledger"
	"github.com/rolewarden/rolewarden/pkg/trail"
	"github.com/rolewarden/rolewarden/pkg/trail/trailtest"
)

// Every real record goes through the whole line and ends: none crashes, none is lost.
func TestEveryRealRecordEnds(t *testing.T) {
	ends := map[string]int{}
	for _, envelopes := range trailtest.Envelopes(t) {
		for _, body := range envelopes {
			ends[through(t, body)]++
		}
	}
	t.Logf("ends: %v", ends)
}

// Every sample goes through the whole line and ends.
func TestEverySampleEnds(t *testing.T) {
	files, err := filepath.Glob("../../events/*.json")
	if err != nil || len(files) < 16 {
		t.Fatalf("%d samples, %v", len(files), err)
	}
	for _, file := range files {
		body, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		t.Run(filepath.Base(file), func(t *testing.T) { through(t, body) })
	}
}

// through sends one envelope through the line, with the role that it speaks of
// as the event leaves it, and says how it ended.
func through(t *testing.T, body []byte) string {
	t.Helper()
	w := newWorld(t, rulesFile)
	if c, err := trail.Parse(body); err == nil && c.RoleName != "" {
		document := c.Document
		if document == "" {
			document = closed
		}
		w.put(c.Account, c.RoleName, "AROAEXAMPLE111111111", document)
		if c.RoleID != "" {
			w.put(c.Account, c.RoleName, c.RoleID, document)
		}
		w.now = c.Time
	}
	res, err := w.guard.Handle(t.Context(), body)
	if err != nil {
		// Without an account and an event id it stays on the queue, and ends on
		// the dead-letter queue.
		if !strings.Contains(err.Error(), "dead-letter queue") {
			t.Errorf("neither ended nor left to the dead-letter queue: %v", err)
		}
		return "dead-letter queue"
	}
	if res.Ignored != "" {
		return "ignored: " + res.Ignored
	}
	for res.End == ledger.InFlight && len(w.steps) > 0 {
		res = w.due()
	}
	if res.End == ledger.InFlight {
		t.Errorf("lost: %s", res.Reason)
	}
	again, err := w.guard.Handle(t.Context(), body)
	if err != nil || again.End != res.End {
		t.Errorf("ended in %s, and again in %s: %v", res.End, again.End, err)
	}
	return res.End.String()
}
