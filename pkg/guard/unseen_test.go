package guard_test

import (
	"fmt"
	"testing"

	"github.com/rolewarden/rolewarden/pkg/ledger"
	"github.com/rolewarden/rolewarden/pkg/remediate"
	"github.com/rolewarden/rolewarden/pkg/role"
)

// A user whom the baseline lets in and who is not to be seen for a moment is not
// gone, since IAM's reads may lag: the role is reverted to the baseline a little
// later, and not quarantined for want of anybody to let in. Who stays away is
// left out at last, as before.
func TestWhoIsNotSeenForAMomentIsNotGone(t *testing.T) {
	for _, c := range []struct {
		name string
		back bool
	}{{"back a moment later", true}, {"gone", false}} {
		t.Run(c.name, func(t *testing.T) {
			w := withBaseline(t, rulesFile)
			w.put(prod, "app", "AROAAPP1111111111111", opened)
			w.principalErr = fmt.Errorf("reading: %w", role.ErrNotFound)
			res := w.handle(w.updated("ev2", "app", opened))
			if len(res.Steps) != 1 || w.writes() != 0 || len(w.told) != 0 {
				t.Fatalf("it does not wait: %d steps, %d writes, %d told", len(res.Steps), w.writes(), len(w.told))
			}
			if c.back {
				w.principalErr = nil
			}
			res = w.settle(res)
			if text := w.roles[prod+"/app"].TrustPolicy; res.End != ledger.Reverted || (text == closed) != c.back || remediate.IsQuarantine(text) == c.back {
				t.Errorf("ended in %s with %s", res.End, text)
			}
		})
	}
}
