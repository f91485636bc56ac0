package guard_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/rolewarden/rolewarden/pkg/decision"
	"github.com/rolewarden/rolewarden/pkg/guard"
	"github.com/rolewarden/rolewarden/pkg/ledger"
	"github.com/rolewarden/rolewarden/pkg/remediate"
	"github.com/rolewarden/rolewarden/pkg/role"
)

// What IAM took is not called refused because no reading shows it yet: nobody is
// told that nothing was written, and the undoing is recorded.
func TestAnUndoingThatIAMTookIsNotDenied(t *testing.T) {
	t.Parallel()
	mended := strings.Replace(closed, `"Effect"`, `"Sid":"Mended","Effect"`, 1)
	for name, c := range map[string]struct{ shows, says string }{
		"a reading lags":                {"", "still showed the old one"},
		"somebody wrote at that moment": {mended, "LOST UPDATE"},
	} {
		w := newWorld(t, rulesFile)
		id := decided(w, opened)
		if c.shows == "" {
			c.shows = w.live(prod, "app").TrustPolicy
		}
		w.onWrite = func() { w.lagging = c.shows }
		out, err := w.guard.Undo(t.Context(), undoing(w, id))
		if err != nil || out.Outcome.Verified || !strings.Contains(out.Outcome.Problem, c.says) || out.Word == nil {
			t.Errorf("%s: %v, verified %t, %q, word %+v", name, err, out.Outcome.Verified, out.Outcome.Problem, out.Word)
		}
		if _, end, _, err := w.ledger.Decided(t.Context(), out.Decision.ID); err != nil || end != ledger.Reverted {
			t.Errorf("%s: recorded as %s, %v", name, end, err)
		}
	}
}

// A person's word is worth what they wrote: where nothing was written it is taken
// back, and whoever writes the document next is stopped like anybody.
func TestAWordIsTakenBackWhereNothingWasWritten(t *testing.T) {
	t.Parallel()
	stale := func(w *world) {
		reads := 0
		w.onRead(func() {
			if reads++; reads == 2 {
				w.put(prod, "app", "AROAAPP1111111111111", strings.Replace(closed, `"Effect"`, `"Sid":"Mended","Effect"`, 1))
			}
		})
	}
	for name, stage := range map[string]func(*world){
		"no session":        func(w *world) { w.openErr = fmt.Errorf("assuming: %w", role.ErrAccessDenied) },
		"no permission":     func(w *world) { w.writeErr = fmt.Errorf("writing: %w", role.ErrAccessDenied) },
		"a quota":           func(w *world) { w.writeErr = fmt.Errorf("writing: %w", role.ErrLimit) },
		"changed meanwhile": stale,
		"stopped meanwhile": func(w *world) {
			reads := 0
			w.onRead(func() {
				if reads++; reads == 2 {
					w.stop()
				}
			})
		},
	} {
		w := withBaseline(t, rulesFile)
		res := w.open("ev2")
		w.now, w.steps = w.now.Add(time.Hour), nil
		stage(w)
		before := w.trust()
		if out, err := w.guard.Undo(t.Context(), undoing(w, res.Decision.ID)); err == nil || out.Word != nil {
			t.Errorf("%s: %v, word %+v", name, err, out.Word)
		}
		if w.writeErr == nil && w.trust() != before {
			t.Errorf("%s: written all the same", name)
		}
		w.openErr, w.writeErr, w.reading = nil, nil, nil
		if err := w.ledger.SetSwitch(t.Context(), decision.WritesAllowed, "alice", "over", w.now); err != nil {
			t.Fatal(err)
		}
		w.now = w.now.Add(time.Hour)
		if res = w.settle(w.open("ev3")); res.End != ledger.Reverted {
			t.Errorf("%s: what an attacker wrote next ended in %s: %s", name, res.End, res.Reason)
		}
	}
}

// Where nobody knows whether the document is back, the word stands: else the line
// would take the undoing back.
func TestAWordStandsWhereTheWriteIsUncertain(t *testing.T) {
	t.Parallel()
	w := newWorld(t, rulesFile)
	id := decided(w, opened)
	w.writeErr = fmt.Errorf("writing: %w", role.ErrUncertain)
	out, err := w.guard.Undo(t.Context(), undoing(w, id))
	if !errors.Is(err, role.ErrUncertain) || out.Word == nil {
		t.Fatalf("got %v, word %+v", err, out.Word)
	}
	if known, err := w.ledger.Recall(t.Context(), prod, "AROAEXAMPLEAPP0000001"); err != nil || !known.Word.Until.After(w.now) {
		t.Errorf("the ledger keeps the word %+v, %v", known.Word, err)
	}
}

// T5, T53: the user whom the document named was deleted after the decision, and
// only the next one of that name was ever seen: nobody gets in by the old name.
func TestUndoingLetsNobodyInWhoTookAFreeName(t *testing.T) {
	t.Parallel()
	const alice = "arn:aws:iam::111122223333:user/alice"
	w := newWorld(t, rulesFile)
	id := decided(w, closed)
	w.handle(w.event("DeleteUser", "ev-delete", map[string]any{"userName": "alice"}, nil))
	w.now = w.now.Add(time.Hour)
	w.principals[alice] = "AIDAALICE222222222222"
	if err := w.ledger.Record(t.Context(), []ledger.Identity{{ID: "AIDAALICE222222222222", ARN: alice, SeenAt: w.now}}); err != nil {
		t.Fatal(err)
	}
	var refused *guard.RefusedError
	if _, err := w.guard.Undo(t.Context(), undoing(w, id)); !errors.As(err, &refused) || w.writes() != 0 {
		t.Errorf("got %v, and the role shows %s", err, w.live(prod, "app").TrustPolicy)
	}
}

// A role that was quarantined once more, by another decision, was changed since:
// what the first one replaced is not put over it.
func TestUndoingLeavesTheQuarantineOfAnotherDecision(t *testing.T) {
	t.Parallel()
	w := newWorld(t, rulesFile)
	id := decided(w, opened)
	w.put(prod, "app", "AROAEXAMPLEAPP0000001", remediate.Quarantine("another"))
	if _, err := w.guard.Undo(t.Context(), undoing(w, id)); err == nil || !strings.Contains(err.Error(), "was changed since") || w.writes() != 0 {
		t.Errorf("got %v, %v", err, w.calls)
	}
	w.put(prod, "app", "AROAEXAMPLEAPP0000001", remediate.QuarantineFallback(prod, id))
	if _, err := w.guard.Undo(t.Context(), undoing(w, id)); err != nil || w.live(prod, "app").TrustPolicy != opened {
		t.Errorf("the other form of its own quarantine: %v", err)
	}
}

// Whoever undoes has the credentials of one account. Of whom they may not look up
// nobody says that it is somebody else: they are asked to accept it.
func TestUndoingAsksForThoseWhoMayNotBeLookedUp(t *testing.T) {
	t.Parallel()
	const alice = "arn:aws:iam::111122223333:user/alice"
	w := newWorld(t, rulesFile)
	id := decided(w, closed)
	if err := w.ledger.Record(t.Context(), []ledger.Identity{{ID: "AIDAALICE111111111111", ARN: alice, SeenAt: w.now.Add(-2 * time.Hour)}}); err != nil {
		t.Fatal(err)
	}
	w.hidden = alice
	u := undoing(w, id)
	var refused *guard.RefusedError
	if out, err := w.guard.Undo(t.Context(), u); !errors.As(err, &refused) || !strings.Contains(refused.Why, "accept the principal") || w.writes() != 0 {
		t.Fatalf("got %v, dropped %q", err, out.Outcome.Dropped)
	}
	u.Accept = []string{alice}
	if out, err := w.guard.Undo(t.Context(), u); err != nil || w.live(prod, "app").TrustPolicy != closed || len(out.Outcome.Dropped) != 0 {
		t.Errorf("got %v, dropped %q; the role shows %s", err, out.Outcome.Dropped, w.live(prod, "app").TrustPolicy)
	}
}
