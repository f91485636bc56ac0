package cli

import (
	"encoding/json"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/rolewarden/rolewarden/pkg/org"
	"github.com/rolewarden/rolewarden/pkg/trail"
)

// recordsVariable names a folder of real CloudTrail records: JSON files, each a
// list of {"_source_path", "event"} where event is a bare record.
const recordsVariable = "ROLEWARDEN_CLOUDTRAIL_RECORDS"

// Real records go through the whole line: none crashes it, none is lost, and
// each ends as the reader of events says: nothing to do, rejected, on the
// dead-letter queue, or judged with an end of its own.
func TestEveryRealRecordGoesThroughTheLine(t *testing.T) {
	folder := os.Getenv(recordsVariable)
	if folder == "" {
		t.Skipf("set %s to a folder of JSON files, each a list of {\"_source_path\", \"event\"}, to send real CloudTrail records through the line", recordsVariable)
	}
	files, err := filepath.Glob(filepath.Join(folder, "*.json"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no records in %s: %v", folder, err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			envelopes := realEnvelopes(t, file)
			h, err := newHouse(t.Context(), houseOf(org.Empty(), envelopes, time.Now()))
			if err != nil {
				t.Fatal(err)
			}
			defer func() {
				if err := h.close(); err != nil {
					t.Error(err)
				}
			}()
			counts := map[string]int{}
			for i, text := range envelopes {
				e, err := h.take(t.Context(), file, text)
				if err != nil {
					t.Errorf("record %d: %v", i, err)
					continue
				}
				if want := endOfRecord(text); want != e.End && (want != "judged" || !slices.Contains(judgedEnds(), e.End)) {
					t.Errorf("record %d ends %s (%s), want %s", i, e.End, e.Reason, want)
				}
				counts[e.Event+" "+e.End+" "+e.Verdict]++
			}
			for _, k := range slices.Sorted(maps.Keys(counts)) {
				t.Logf("%3d %s", counts[k], k)
			}
		})
	}
}

func realEnvelopes(t *testing.T, file string) [][]byte {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var records []struct {
		Event json.RawMessage `json:"event"`
	}
	if err := json.Unmarshal(text, &records); err != nil {
		t.Fatal(err)
	}
	var out [][]byte
	for i, r := range records {
		envelope, err := trail.Envelope(r.Event)
		if err != nil {
			t.Fatalf("record %d: %v", i, err)
		}
		out = append(out, envelope)
	}
	return out
}

// endOfRecord is how an event must end, from what its reader says of it.
func endOfRecord(envelope []byte) string {
	c, err := trail.Parse(envelope)
	var m *trail.MalformedError
	switch {
	case errors.As(err, &m):
		if account, id := m.Key(); account == "" || id == "" {
			return endDeadLetter
		}
		return "Rejected"
	case c.Kind == trail.Ignored:
		return endIgnored
	default:
		return "judged"
	}
}

func judgedEnds() []string {
	return []string{"Compliant", "Tagged", "Reverted", "Quarantined", "Told", "Held", "Superseded"}
}
