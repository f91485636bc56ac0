package guard_test

import (
	"testing"

	"github.com/rolewarden/rolewarden/pkg/ledger"
)

// T63: right before the write a reading lags and shows the good document that
// stood before. That is no proof of a write: nobody is told of a revert that was
// never made, and the role does not stay open.
func TestALaggingReadingIsNoProofOfARevert(t *testing.T) {
	w := withBaseline(t, rulesFile)
	w.put(prod, "app", "AROAAPP1111111111111", opened)
	reads := 0
	w.onRead(func() {
		// The first reading is the one that is judged, the second the one before the write.
		if reads++; reads == 2 {
			w.lagging = closed
		} else {
			w.lagging = ""
		}
	})
	res := w.handle(w.updated("ev2", "app", opened))
	for _, a := range w.told {
		if a.Outcome.Done == "Revert" && w.writes() == 0 {
			t.Errorf("told of a revert, and nothing was written: %v", w.calls)
		}
	}
	res = w.settle(res)
	if res.End != ledger.Reverted || w.live(prod, "app").TrustPolicy != closed {
		t.Errorf("ended in %s (%s), and the role shows %s", res.End, res.Reason, w.live(prod, "app").TrustPolicy)
	}
}
