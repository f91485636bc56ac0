package guard_test

import (
	"errors"
	"testing"
	"time"

	"github.com/rolewarden/rolewarden/pkg/alert"
	"github.com/rolewarden/rolewarden/pkg/guard"
	"github.com/rolewarden/rolewarden/pkg/ledger"
)

// What a second look began is ended, whatever the role shows when its message
// comes again: here its revert took effect and its end could not be recorded, and
// people are told of the revert all the same (I1, I7).
func TestALookThatWroteIsEndedAndTold(t *testing.T) {
	w := withBaseline(t, rulesFile)
	w.handle(w.updated("ev2", "app", closed))
	w.put(prod, "app", "AROAAPP1111111111111", opened)
	w.due()
	if len(w.steps) == 0 {
		t.Fatal("the role is not looked at again")
	}
	s := w.steps[0]
	body, err := s.Body()
	if err != nil {
		t.Fatal(err)
	}
	w.ledger.concludeErr = errors.New("the table does not answer")
	for range 3 {
		w.now = w.now.Add(time.Minute)
		_, err = w.guard.HandleStep(t.Context(), body)
	}
	if err == nil || w.live(prod, "app").TrustPolicy != closed {
		t.Fatalf("got %v, and the role shows %s", err, w.live(prod, "app").TrustPolicy)
	}
	w.ledger.concludeErr = nil
	res, err := w.guard.HandleStep(t.Context(), body)
	if err != nil || w.settle(res).End != ledger.Reverted || len(w.told) == 0 || w.told[0].Outcome.Done != "Revert" {
		t.Errorf("ended in %s, %v, told %d", res.End, err, len(w.told))
	}
}

// A role that was made after the deletion of one of its name is another one: the
// late event of that deletion resolves nothing about it, though a reading lags
// and shows the old role (T53).
func TestALateDeletionResolvesNothingOfTheNewRole(t *testing.T) {
	w := newWorld(t, rulesFile)
	gone := w.event("DeleteRole", "ev1", map[string]any{"roleName": "app"}, nil)
	w.put(prod, "app", "AROANEW1111111111111", opened)
	res := w.settle(w.handle(w.updated("ev2", "app", opened)))
	if len(w.told) == 0 {
		t.Fatalf("the new role is not told of: %s", res.End)
	}
	w.onRead(func() { w.put(prod, "app", "AROAOLD1111111111111", closed) })
	told := len(w.told)
	w.handle(gone)
	for _, a := range w.told[told:] {
		if a.State == alert.Resolved {
			t.Errorf("resolved: %s", a.Headline())
		}
	}
}

// What a sweep left to its summary is told by the event that comes later, also
// where an alert about a former document is open.
func TestWhatASweepLeftToItsSummaryIsToldByItsEvent(t *testing.T) {
	w := newWorld(t, rulesFile+"rules: {external-account: {mode: observe}, external-id: {mode: observe}}\n")
	w.put(prod, "app", "AROAAPP1111111111111", opened)
	w.settle(w.handle(w.updated("ev1", "app", opened)))
	if len(w.told) != 1 || w.told[0].State != alert.Opened {
		t.Fatalf("told %d", len(w.told))
	}
	other := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::999999999998:root"},"Action":"sts:AssumeRole"}]}`
	w.put(prod, "app", "AROAAPP1111111111111", other)
	late := w.updated("ev2", "app", other)
	w.now = w.now.Add(time.Hour)
	w.sight(w.sweepers(), "20260301T100000Z", guard.Quietly)
	if len(w.told) != 1 {
		t.Fatalf("the quiet sighting told %d", len(w.told)-1)
	}
	w.settle(w.handle(late))
	if len(w.told) != 2 || w.told[1].ID != w.told[0].ID {
		t.Errorf("the event told %d of the new document", len(w.told)-1)
	}
}
