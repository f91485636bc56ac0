package guard_test

import (
	"strings"
	"testing"
	"time"

	"github.com/rolewarden/rolewarden/pkg/alert"
)

// T53: a role was deleted and made anew, and no event told of it; then the second
// one is deleted too. The alert about each of the two is resolved, and once.
func TestTwoRolesOfOneNameAreResolvedOnceEach(t *testing.T) {
	const anew = "AROAAPP2222222222222"
	w := withBaseline(t, strings.Replace(rulesFile, "enforce", "observe", 1))
	w.open("ev2")
	w.now = w.now.Add(time.Hour)
	w.put(prod, "app", anew, opened)
	w.settle(w.handle(w.created("ev3", "app", opened)))
	w.now = w.now.Add(time.Hour)
	delete(w.roles, prod+"/app")
	w.handle(w.event("DeleteRole", "ev-delete", map[string]any{"roleName": "app"}, nil))
	if states(w.told) != "opened opened resolved resolved" {
		t.Fatalf("told %s", states(w.told))
	}
	for _, sweep := range []string{"s1", "s2"} {
		for _, id := range []string{appID, anew} {
			known, err := w.ledger.Recall(t.Context(), prod, id)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := w.guard.Vanished(t.Context(), sweep, *known.State); err != nil {
				t.Fatal(err)
			}
		}
	}
	resolved := map[string]int{}
	for _, a := range w.told {
		if a.State == alert.Resolved {
			resolved[a.Role.ID]++
		}
	}
	if len(resolved) != 2 || resolved[appID] != 1 || resolved[anew] != 1 {
		t.Errorf("resolved %v", resolved)
	}
}

// deletedLate makes the role anew, deletes it, and handles the event of its first
// deletion only then: it speaks of the role that it was about.
func (w *world) deletedLate(anew string, late []byte) {
	w.t.Helper()
	w.now = w.now.Add(time.Hour)
	w.put(prod, "app", anew, opened)
	w.settle(w.handle(w.created("ev3", "app", opened)))
	w.now = w.now.Add(time.Hour)
	delete(w.roles, prod+"/app")
	w.settle(w.handle(late))
	if last := w.told[len(w.told)-1]; last.State != alert.Resolved || last.Role.ID != appID {
		w.t.Errorf("told last: %s of %s", last.State, last.Role.ID)
	}
}

// A deletion whose event comes after its name was made again, and deleted again,
// is of the role that it was about.
func TestALateDeletionResolvesTheRoleThatItWasAbout(t *testing.T) {
	const anew = "AROAAPP2222222222222"
	w := withBaseline(t, strings.Replace(rulesFile, "enforce", "observe", 1))
	w.open("ev2")
	w.now = w.now.Add(time.Hour)
	late := w.event("DeleteRole", "ev-delete", map[string]any{"roleName": "app"}, nil)
	w.deletedLate(anew, late)
	w.settle(w.handle(w.event("DeleteRole", "ev-delete-again", map[string]any{"roleName": "app"}, nil)))
	if last := w.told[len(w.told)-1]; last.State != alert.Resolved || last.Role.ID != anew {
		t.Errorf("then: %s of %s", last.State, last.Role.ID)
	}
}

// A role that was changed and deleted within one second, by CloudTrail's clock, is
// the one that was deleted, and not the one that has its name since.
func TestADeletionInTheSecondOfAChangeIsOfTheRoleThatWasThere(t *testing.T) {
	const anew = "AROAAPP2222222222222"
	w := withBaseline(t, strings.Replace(rulesFile, "enforce", "observe", 1))
	w.open("ev2")
	known, err := w.ledger.Recall(t.Context(), prod, appID)
	if err != nil {
		t.Fatal(err)
	}
	late := w.eventAt(known.State.EventTime, "DeleteRole", "ev-delete", map[string]any{"roleName": "app"}, nil)
	w.deletedLate(anew, late)
}
