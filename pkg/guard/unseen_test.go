package guard_test

import (
	"errors"
	"fmt"
	"strings"
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

// A quarantine whose handling ended between the document and the tags is told of
// as one without tags, since nothing sets them afterwards.
func TestAQuarantineWithoutItsTagsSaysSo(t *testing.T) {
	w := newWorld(t, rulesFile)
	w.put(prod, "app", "AROAAPP1111111111111", opened)
	r := w.roles[prod+"/app"]
	r.Created = w.now
	w.roles[prod+"/app"] = r
	body := w.created("ev1", "app", opened)
	w.ledger.concludeErr = errors.New("the table does not answer")
	if _, err := w.guard.Handle(t.Context(), body); err == nil {
		t.Fatal("it ended")
	}
	r = w.roles[prod+"/app"]
	r.Tags = nil
	w.roles[prod+"/app"] = r
	w.ledger.concludeErr = nil
	res := w.settle(w.handle(body))
	if res.End != ledger.Quarantined || len(w.told) == 0 || !strings.Contains(w.told[len(w.told)-1].Outcome.Problem, "tags are not there") {
		t.Errorf("ended in %s, told %+v", res.End, w.told)
	}
}
