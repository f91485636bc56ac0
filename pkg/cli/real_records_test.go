package cli

import (
	"errors"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/rolewarden/rolewarden/pkg/org"
	"github.com/rolewarden/rolewarden/pkg/trail"
	"github.com/rolewarden/rolewarden/pkg/trail/trailtest"
)

// Real records go through the whole line: none crashes it, none is lost, and
// each ends as the reader of events says: nothing to do, rejected, or judged
// with an end of its own.
func TestEveryRealRecordGoesThroughTheLine(t *testing.T) {
	for file, envelopes := range trailtest.Envelopes(t) {
		t.Run(file, func(t *testing.T) {
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

// endOfRecord is how an event must end, from what its reader says of it.
func endOfRecord(envelope []byte) string {
	c, err := trail.Parse(envelope)
	var m *trail.MalformedError
	switch {
	case errors.As(err, &m):
		// What can be read of it is enough to tell of: every real record has a name.
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
