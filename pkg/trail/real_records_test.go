package trail_test

import (
	"encoding/json"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/rolewarden/rolewarden/pkg/trail"
)

// recordsVariable names a folder of real CloudTrail records: JSON files, each a
// list of {"_source_path", "event"} where event is a bare record.
const recordsVariable = "ROLEWARDEN_CLOUDTRAIL_RECORDS"

// Real records, some of them partial or anonymised, never crash the reader and
// none is lost: each ends as a change, a counted no-op or a refusal.
func TestEveryRealRecordEndsInOneOutcome(t *testing.T) {
	folder := os.Getenv(recordsVariable)
	if folder == "" {
		t.Skipf("set %s to a folder of JSON files, each a list of {\"_source_path\", \"event\"}, to read real CloudTrail records", recordsVariable)
	}
	files, err := filepath.Glob(filepath.Join(folder, "*.json"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no records in %s: %v", folder, err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
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
			counts := map[string]int{}
			for i, r := range records {
				counts[outcomeOfRecord(t, i, r.Event)]++
			}
			for _, k := range slices.Sorted(maps.Keys(counts)) {
				t.Logf("%3d %s", counts[k], k)
			}
		})
	}
}

func outcomeOfRecord(t *testing.T, i int, bare []byte) string {
	t.Helper()
	envelope, err := trail.Envelope(bare)
	if err != nil {
		t.Fatalf("record %d: %v", i, err)
	}
	c, err := trail.Parse(envelope)
	var m *trail.MalformedError
	switch {
	case errors.As(err, &m):
		return "refused: " + m.Place + ": " + m.Problem
	case err != nil:
		t.Fatalf("record %d: an error of another type: %v", i, err)
		return ""
	case c.Kind == trail.Ignored:
		return "Ignored: " + c.Ignored
	default:
		return c.Kind.String() + " by " + c.Actor.Type
	}
}
