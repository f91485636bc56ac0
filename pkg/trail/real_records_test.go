package trail_test

import (
	"errors"
	"maps"
	"slices"
	"testing"

	"github.com/rolewarden/rolewarden/pkg/trail"
	"github.com/rolewarden/rolewarden/pkg/trail/trailtest"
)

// Real records, some of them partial or anonymised, never crash the reader and
// none is lost: each ends as a change, a counted no-op or a refusal.
func TestEveryRealRecordEndsInOneOutcome(t *testing.T) {
	for file, envelopes := range trailtest.Envelopes(t) {
		t.Run(file, func(t *testing.T) {
			counts := map[string]int{}
			for i, envelope := range envelopes {
				counts[outcomeOfRecord(t, i, envelope)]++
			}
			for _, k := range slices.Sorted(maps.Keys(counts)) {
				t.Logf("%3d %s", counts[k], k)
			}
		})
	}
}

func outcomeOfRecord(t *testing.T, i int, envelope []byte) string {
	t.Helper()
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
