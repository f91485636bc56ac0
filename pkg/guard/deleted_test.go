package guard_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/rolewarden/rolewarden/pkg/decision"
	"github.com/rolewarden/rolewarden/pkg/guard"
	"github.com/rolewarden/rolewarden/pkg/ledger"
	"github.com/rolewarden/rolewarden/pkg/role"
)

// theApp is what is leased for the handling of the role app.
var theApp = role.Ref{Account: prod, Name: "app"}

// twoOpen is a world in which two roles had the name app, the second is there, and
// something is open about both.
func twoOpen(t *testing.T) (w *world, second string) {
	t.Helper()
	w, second = withBaseline(t, strings.Replace(rulesFile, "enforce", "observe", 1)), "AROAAPP2222222222222"
	w.open("ev2")
	w.now = w.now.Add(time.Hour)
	w.put(prod, "app", second, opened)
	w.settle(w.handle(w.created("ev3", "app", opened)))
	w.now, w.steps = w.now.Add(time.Hour), nil
	return w, second
}

// openOf gives the alert that is open about a role; empty for none.
func (w *world) openOf(id string) string {
	w.t.Helper()
	known, err := w.ledger.Recall(w.t.Context(), prod, id)
	if err != nil {
		w.t.Fatal(err)
	}
	return known.State.AlertID
}

// releasing is a later queue during whose sending somebody gives a lease back.
type releasing struct{ *world }

func (r releasing) Send(ctx context.Context, s guard.Step) error {
	return errors.Join(r.ledger.Release(ctx, theApp, "somebody"), r.world.Send(ctx, s))
}

// I6: a deletion that meets another handling of the name is put off as one, and
// resolves all that is open once it is its turn, whenever the other one is done.
func TestADeletionOfTwoRolesIsPutOffOnce(t *testing.T) {
	for name, later := range map[string]func(*world) guard.Later{
		"the other is done at once":  func(w *world) guard.Later { return releasing{w} },
		"the other is done later on": func(w *world) guard.Later { return w },
	} {
		t.Run(name, func(t *testing.T) {
			w, second := twoOpen(t)
			w.rebuild(func(c *guard.Config) { c.Later = later(w) })
			delete(w.roles, prod+"/app")
			if err := w.ledger.Lease(t.Context(), theApp, "somebody", w.now, w.now.Add(time.Minute)); err != nil {
				t.Fatal(err)
			}
			res := w.handle(w.event("DeleteRole", "ev-delete", map[string]any{"roleName": "app"}, nil))
			if res.End != ledger.InFlight || len(w.steps) != 1 {
				t.Errorf("ended in %s with %d steps", res.End, len(w.steps))
			}
			for len(w.steps) > 0 {
				w.due()
			}
			if states(w.told) != "opened opened resolved resolved" || w.openOf(appID) != "" || w.openOf(second) != "" {
				t.Errorf("told %s, open %q and %q", states(w.told), w.openOf(appID), w.openOf(second))
			}
		})
	}
}

// before is a ledger as one saw it who asked it for deletions before there were any.
type before struct{ ledger.Ledger }

func (before) Ends(context.Context, []ledger.PrincipalKey) ([]ledger.Deletion, error) {
	return nil, nil
}

// I7: what another handling tells of a role while its deletion is looked at is told
// before the resolution, also where it could not be told at once.
func TestAResolutionByDeletionComesAfterWhatWasToldMeanwhile(t *testing.T) {
	w := withBaseline(t, strings.Replace(rulesFile, "enforce", "observe", 1))
	w.open("ev2")
	w.now = w.now.Add(time.Minute)
	public := strings.Replace(opened, "arn:aws:iam::999999999999:root", "*", 1)
	w.put(prod, "app", appID, public)
	worse := w.updated("ev3", "app", public)
	w.now, w.steps = w.now.Add(time.Minute), nil
	deletes := w.guard
	w.rebuild(func(c *guard.Config) { c.Ledger = before{w.ledger} })
	w.onRead(func() {
		w.onRead(nil)
		w.tellErr = errTopic
		if _, err := w.guard.Handle(t.Context(), worse); err != nil && !errors.Is(err, errTopic) {
			t.Error(err)
		}
		w.tellErr = nil
		delete(w.roles, prod+"/app")
	})
	if _, err := deletes.Handle(t.Context(), w.event("DeleteRole", "ev-delete", map[string]any{"roleName": "app"}, nil)); err != nil {
		t.Fatal(err)
	}
	w.remake()
	for len(w.steps) > 0 {
		w.due()
	}
	if _, err := w.guard.Deliver(t.Context(), 10); err != nil {
		t.Fatal(err)
	}
	if last := w.told[len(w.told)-1]; last.State.String() != "resolved" || w.openOf(appID) != "" {
		t.Errorf("told %s, open %q", states(w.told), w.openOf(appID))
	}
	w.quiet()
}

// I6: nothing is resolved about a role that every reading shows.
func TestADeletionResolvesNothingAboutARoleThatIsThere(t *testing.T) {
	w, second := twoOpen(t)
	res := w.settle(w.handle(w.event("DeleteRole", "ev-delete", map[string]any{"roleName": "app"}, nil)))
	if res.End != ledger.Compliant || w.openOf(appID) != "" || w.openOf(second) == "" {
		t.Errorf("ended in %s, told %s, open %q and %q", res.End, states(w.told), w.openOf(appID), w.openOf(second))
	}
}

// T64: the deletion of a role in the second of our write, whose handling was
// interrupted, is no change that the write has overwritten.
func TestADeletionIsNoLostUpdate(t *testing.T) {
	w := withBaseline(t, rulesFile)
	w.stop()
	w.open("ev2")
	if err := w.ledger.SetSwitch(t.Context(), decision.WritesAllowed, "carol", "exercise over", w.now); err != nil {
		t.Fatal(err)
	}
	w.now = w.now.Add(time.Minute)
	public := strings.Replace(opened, "arn:aws:iam::999999999999:root", "*", 1)
	w.put(prod, "app", appID, public)
	worse := w.updated("ev3", "app", public)
	w.now, w.ledger.concludeErr = w.now.Add(2*time.Second), errDown
	if _, err := w.guard.Handle(t.Context(), worse); !errors.Is(err, errDown) || w.trust() != 1 {
		t.Fatalf("%d writes, %v", w.trust(), err)
	}
	w.ledger.concludeErr = nil
	ours := own(t, w.eventAt(w.now, "UpdateAssumeRolePolicy", "ev-ours", map[string]any{"roleName": "app", "policyDocument": closed}, nil), decision.ID(prod, "ev3", appID))
	delete(w.roles, prod+"/app")
	w.settle(w.handle(w.eventAt(w.now, "DeleteRole", "ev-delete", map[string]any{"roleName": "app"}, nil)))
	w.settle(w.handle(ours))
	if got := states(w.told); got != "opened resolved" || len(w.losts()) > 0 {
		t.Errorf("told %s, of lost updates %+v", got, w.losts())
	}
}
