package guard_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rolewarden/rolewarden/pkg/ledger"
	"github.com/rolewarden/rolewarden/pkg/trail"
)

// records names the folder of real CloudTrail records: JSON lists of
// {"_source_path", "event"}.
const records = "ROLEWARDEN_CLOUDTRAIL_RECORDS"

// Every real record goes through the whole line and ends: none crashes, none is lost.
func TestEveryRealRecordEnds(t *testing.T) {
	dir := os.Getenv(records)
	if dir == "" {
		t.Skipf("set %s to a folder of CloudTrail records to send them through the line; events/ covers their shapes", records)
	}
	files, err := filepath.Glob(filepath.Join(dir, "*.json"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no records in %s: %v", dir, err)
	}
	ends := map[string]int{}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var list []struct {
			Event json.RawMessage `json:"event"`
		}
		if err := json.Unmarshal(text, &list); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		for i, r := range list {
			body, err := trail.Envelope(r.Event)
			if err != nil {
				t.Errorf("%s[%d]: %v", file, i, err)
				continue
			}
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
