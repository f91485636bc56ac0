// Package trailtest gives tests real CloudTrail records from outside the
// repository.
//
// It takes the folder that ROLEWARDEN_CLOUDTRAIL_RECORDS names (JSON files, each
// a list of {"_source_path", "event"} where event is a bare record) and gives
// EventBridge envelopes. It is imported by tests only.
package trailtest

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/rolewarden/rolewarden/pkg/trail"
)

const variable = "ROLEWARDEN_CLOUDTRAIL_RECORDS"

// Envelopes gives the envelopes of each file, by the file's name. Where the
// variable is not set the test is skipped, and says how to set it: the records
// are nobody's to publish with the code, and events/ covers their shapes.
func Envelopes(t *testing.T) map[string][][]byte {
	t.Helper()
	folder := os.Getenv(variable)
	if folder == "" {
		t.Skipf("set %s to a folder of JSON files, each a list of {\"_source_path\", \"event\"}, to use real CloudTrail records", variable)
	}
	files, err := filepath.Glob(filepath.Join(folder, "*.json"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no records in %s: %v", folder, err)
	}
	out := map[string][][]byte{}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var records []struct {
			Event json.RawMessage `json:"event"`
		}
		if err := json.Unmarshal(text, &records); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		for i, r := range records {
			envelope, err := trail.Envelope(r.Event)
			if err != nil {
				t.Fatalf("%s: record %d: %v", file, i, err)
			}
			out[filepath.Base(file)] = append(out[filepath.Base(file)], envelope)
		}
	}
	return out
}
