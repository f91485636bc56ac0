package guard_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/rolewarden/rolewarden/pkg/decision"
	"github.com/rolewarden/rolewarden/pkg/ledger"
	"github.com/rolewarden/rolewarden/pkg/role"
)

// Without the ledger nothing is written, nobody is told half a story, and the
// message comes again until it has ended, with one write and one alert.
func TestWithoutTheLedgerNothingIsWritten(t *testing.T) {
	down := errors.New("the table does not answer")
	for name, set := range map[string]func(*counting, error){
		"the event cannot be taken":     func(c *counting, err error) { c.takeErr = err },
		"the intent cannot be recorded": func(c *counting, err error) { c.intendErr = err },
		"the end cannot be recorded":    func(c *counting, err error) { c.concludeErr = err },
	} {
		t.Run(name, func(t *testing.T) {
			w := withBaseline(t, rulesFile)
			w.put(prod, "app", "AROAAPP1111111111111", opened)
			body := w.updated("ev2", "app", opened)
			set(w.ledger, down)
			_, err := w.guard.Handle(t.Context(), body)
			if !errors.Is(err, down) || w.ledger.concludeErr == nil && w.writes()+len(w.told) != 0 {
				t.Errorf("got %v with %d writes and %d alerts", err, w.writes(), len(w.told))
			}
			set(w.ledger, nil)
			res := w.settle(w.handle(body))
			if res.End != ledger.Reverted || strings.Count(strings.Join(w.calls, " "), "UpdateAssumeRolePolicy") != 1 {
				t.Errorf("ended in %s after %v", res.End, w.calls)
			}
			for _, a := range w.told {
				if a.ID != w.told[0].ID {
					t.Errorf("told under another id: %+v", a)
				}
			}
		})
	}
}

// What the owner mended by hand, after a write of ours was refused, is not told
// of as our revert, though the role shows the very document.
func TestWhatTheOwnerMendedIsNotCalledOurRevert(t *testing.T) {
	w := withBaseline(t, rulesFile)
	w.put(prod, "app", "AROAAPP1111111111111", opened)
	body := w.updated("ev2", "app", opened)
	w.writeErr = fmt.Errorf("writing: %w", role.ErrThrottled)
	if _, err := w.guard.Handle(t.Context(), body); !errors.Is(err, role.ErrThrottled) {
		t.Fatalf("got %v", err)
	}
	w.writeErr = nil
	w.put(prod, "app", "AROAAPP1111111111111", closed)
	w.handle(w.updated("ev3", "app", closed))
	w.steps = nil
	if res := w.settle(w.handle(body)); res.End != ledger.Compliant || len(w.told) != 0 {
		t.Errorf("ended in %s, told %d times", res.End, len(w.told))
	}
}

// A write whose answer is lost, on a role that then may not be read, is never
// told of as one that did not happen.
func TestAnUncertainWriteIsNotDenied(t *testing.T) {
	w := withBaseline(t, rulesFile)
	w.put(prod, "app", "AROAAPP1111111111111", opened)
	body := w.updated("ev2", "app", opened)
	w.onWrite = func() {
		// It takes effect, no answer comes, and reading is refused from then on.
		w.put(prod, "app", "AROAAPP1111111111111", closed)
		w.readErr = fmt.Errorf("reading: %w", role.ErrAccessDenied)
	}
	w.writeErr = fmt.Errorf("writing: %w", role.ErrUncertain)
	if _, err := w.guard.Handle(t.Context(), body); !errors.Is(err, role.ErrUncertain) || len(w.told) != 0 {
		t.Fatalf("got %v, told %d", err, len(w.told))
	}
	w.onWrite, w.writeErr, w.readErr = nil, nil, nil
	res := w.settle(w.handle(body))
	if res.End != ledger.Reverted || w.told[0].Outcome.Done != "Revert" {
		t.Errorf("ended in %s, told %+v", res.End, w.told[0].Outcome)
	}
}

// ... nor where the role cannot be read any more, for as long as it is tried.
func TestAnUncertainWriteIsNotDeniedWhereNobodyCanLook(t *testing.T) {
	w := withBaseline(t, rulesFile)
	w.put(prod, "app", "AROAAPP1111111111111", opened)
	body := w.updated("ev2", "app", opened)
	w.writeErr = fmt.Errorf("writing: %w", role.ErrUncertain)
	if _, err := w.guard.Handle(t.Context(), body); !errors.Is(err, role.ErrUncertain) {
		t.Fatalf("got %v", err)
	}
	w.writeErr, w.readErr = nil, fmt.Errorf("reading: %w", role.ErrAccessDenied)
	if res := w.settle(w.handle(body)); res.End != ledger.Told || len(w.told) != 1 {
		t.Fatalf("ended in %s, told %d times", res.End, len(w.told))
	}
	text := w.told[0].Text()
	if strings.Contains(text, "othing was written") || !strings.Contains(text, "or may have") || !strings.Contains(text, "may not read the role") ||
		!strings.Contains(w.told[0].Undo, "rolewarden undo "+decision.ID(prod, "ev2", "AROAAPP1111111111111")+" ") {
		t.Errorf("the alert says\n%s", text)
	}
}

// Tags that may have been set are not denied because a second try was refused.
func TestTagsThatMayHaveBeenSetAreNotDenied(t *testing.T) {
	w := newWorld(t, strings.Replace(rulesFile, "enforce", "tag", 1))
	w.put(prod, "app", "AROAAPP1111111111111", opened)
	tries := 0
	w.onTag = func() error {
		if tries++; tries == 1 {
			return fmt.Errorf("tagging: %w", role.ErrUncertain)
		}
		return fmt.Errorf("tagging: %w", role.ErrAccessDenied)
	}
	if _, err := w.guard.Handle(t.Context(), w.updated("ev1", "app", opened)); !errors.Is(err, role.ErrUncertain) || len(w.told) != 0 {
		t.Errorf("got %v, told %d times", err, len(w.told))
	}
}
