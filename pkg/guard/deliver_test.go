package guard_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/rolewarden/rolewarden/pkg/alert"
	"github.com/rolewarden/rolewarden/pkg/decision"
)

// One delivery that meets another, or a handling, leaves to it what it is telling.
func TestDeliverLeavesToOthersWhatTheyAreTelling(t *testing.T) {
	w := withBaseline(t, rulesFile)
	n := -1
	w.telling = func() {
		if n < 0 {
			n = 0
			var err error
			if n, err = w.guard.Deliver(t.Context(), 10); err != nil {
				t.Error(err)
			}
		}
	}
	w.open("ev2")
	if n != 0 || len(w.told) != 1 {
		t.Errorf("delivered %d, told %d times", n, len(w.told))
	}
}

// Deliver tells the oldest first, at most so many, and one alert that cannot be
// told stands in no other's way.
func TestDeliverTellsTheOldestFirst(t *testing.T) {
	w := newWorld(t, strings.Replace(rulesFile, "enforce", "observe", 1))
	w.tellErr = errTopic
	for i := range 5 {
		name := fmt.Sprintf("app%d", i)
		w.put(prod, name, fmt.Sprintf("AROAAPP%d111111111111", i), opened)
		if _, err := w.guard.Handle(t.Context(), w.updated(fmt.Sprintf("ev%d", i), name, opened)); !errors.Is(err, errTopic) {
			t.Fatal(err)
		}
	}
	w.tellErr = nil
	if n, err := w.guard.Deliver(t.Context(), 2); n != 2 || err != nil {
		t.Fatalf("told %d, %v", n, err)
	}
	w.refused = "app2"
	if n, err := w.guard.Deliver(t.Context(), 10); n != 2 || !errors.Is(err, errTopic) {
		t.Errorf("told %d, %v", n, err)
	}
	w.refused = ""
	if n, err := w.guard.Deliver(t.Context(), 10); n != 1 || err != nil {
		t.Errorf("told %d, %v", n, err)
	}
	var order []string
	for _, a := range w.told {
		order = append(order, a.RoleName())
	}
	if got := strings.Join(order, " "); got != "app0 app1 app3 app4 app2" {
		t.Errorf("told of %s", got)
	}
	if n, err := w.guard.Deliver(t.Context(), 10); n != 0 || err != nil {
		t.Errorf("told %d more, %v", n, err)
	}
	if _, err := w.guard.Deliver(t.Context(), 0); err == nil {
		t.Error("a delivery of none was taken for one")
	}
}

// Who reads that an alert is resolved does not read afterwards that it is open:
// what goes on with an alert is told after it, whichever message comes first.
func TestAnAlertIsNotResolvedBeforeItIsOpened(t *testing.T) {
	for name, later := range map[string]func(*world) error{
		"the later event's message": func(w *world) error {
			_, err := w.guard.Handle(w.t.Context(), w.eventAt(w.now, "UpdateAssumeRolePolicy", "ev3", map[string]any{"roleName": "app", "policyDocument": closed}, nil))
			return err
		},
		"delivery": func(w *world) error {
			_, err := w.guard.Deliver(w.t.Context(), 10)
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := withBaseline(t, rulesFile)
			w.tellErr = errTopic
			w.put(prod, "app", appID, opened)
			_, first := w.guard.Handle(t.Context(), w.updated("ev2", "app", opened))
			_, second := w.guard.Handle(t.Context(), w.updated("ev3", "app", closed))
			if !errors.Is(first, errTopic) || !errors.Is(second, errTopic) {
				t.Fatalf("%v, %v", first, second)
			}
			w.tellErr = nil
			if err := later(w); err != nil {
				t.Fatal(err)
			}
			if len(w.told) != 2 || w.told[0].State != alert.Opened || w.told[1].State != alert.Resolved || w.told[0].ID != w.told[1].ID {
				t.Errorf("told %+v", w.told)
			}
			w.quiet()
		})
	}
	// Where the first cannot be told, the second waits.
	w := withBaseline(t, rulesFile)
	w.tellErr = errTopic
	w.put(prod, "app", appID, opened)
	_, _ = w.guard.Handle(t.Context(), w.updated("ev2", "app", opened))
	_, _ = w.guard.Handle(t.Context(), w.updated("ev3", "app", closed))
	w.tellErr, w.refused = nil, "app"
	if n, err := w.guard.Deliver(t.Context(), 10); n != 0 || !errors.Is(err, errTopic) {
		t.Errorf("told %d, %v", n, err)
	}
}

// The resolution that is recorded beside an alert waits with it, where that waits for
// what it goes on with.
func TestAResolutionWaitsWithTheAlertBesideIt(t *testing.T) {
	w := withBaseline(t, rulesFile)
	w.refused = "app"
	w.stop()
	w.put(prod, "app", appID, opened)
	if _, err := w.guard.Handle(t.Context(), w.updated("ev1", "app", opened)); !errors.Is(err, errTopic) {
		t.Fatal(err)
	}
	if err := w.ledger.SetSwitch(t.Context(), decision.WritesAllowed, "alice", "a test", w.now); err != nil {
		t.Fatal(err)
	}
	written := 0
	w.ledger.intending = func() {
		if written++; written < 2 {
			return
		}
		w.ledger.intending = nil
		delete(w.roles, prod+"/app")
		w.handle(w.event("DeleteRole", "ev-gone", map[string]any{"roleName": "app"}, nil))
	}
	w.now = w.now.Add(time.Minute)
	public := strings.Replace(opened, "arn:aws:iam::999999999999:root", "*", 1)
	w.put(prod, "app", appID, public)
	if _, err := w.guard.Handle(t.Context(), w.updated("ev2", "app", public)); !errors.Is(err, errTopic) {
		t.Fatal(err)
	}
	if _, err := w.guard.Deliver(t.Context(), 10); !errors.Is(err, errTopic) || len(w.told) != 0 {
		t.Errorf("told %s, %v", states(w.told), err)
	}
	w.refused = ""
	if _, err := w.guard.Deliver(t.Context(), 10); err != nil || !strings.HasPrefix(states(w.told), "opened updated resolved") {
		t.Errorf("told %s, %v", states(w.told), err)
	}
	w.quiet()
}
