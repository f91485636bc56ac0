package guard_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/rolewarden/rolewarden/pkg/guard"
	"github.com/rolewarden/rolewarden/pkg/ledger"
	"github.com/rolewarden/rolewarden/pkg/role"
)

// The kill switch is read right before a person's write too. Where nothing is
// written, for whatever reason, nothing is left of the undoing either: no word that
// would keep the same document for whoever opens the role with it next, and no
// write that may have been made.
func TestAnUndoingThatWritesNothingLeavesNothing(t *testing.T) {
	t.Parallel()
	for name, arrange := range map[string]func(w *world){
		"the switch is turned in the midst of it": func(w *world) { w.ledger.intending = w.stop },
		"the switch cannot be read any more":      func(w *world) { w.ledger.intending = func() { w.ledger.switchErr = errors.New("no answer") } },
		"IAM does not take the document":          func(w *world) { w.writeErr = fmt.Errorf("writing: %w", role.ErrMalformed) },
		"the role may not be written":             func(w *world) { w.writeErr = fmt.Errorf("writing: %w", role.ErrAccessDenied) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, rulesFile)
			u := undoing(w, decided(w, opened))
			arrange(w)
			if _, err := w.guard.Undo(t.Context(), u); err == nil {
				t.Fatal("it was done")
			}
			if strings.HasPrefix(name, "the switch") && w.writes() != 0 {
				t.Errorf("written all the same: %v", w.calls)
			}
			known, err := w.ledger.Recall(t.Context(), prod, "AROAEXAMPLEAPP0000001")
			if err != nil || known.Word == nil || known.Word.Until.After(w.now.Add(time.Second)) {
				t.Errorf("the word is %+v, %v", known.Word, err)
			}
			if known.Written == nil || known.Written.AfterDigest != "" {
				t.Errorf("the write is %+v", known.Written)
			}
			w.ledger.intending, w.ledger.switchErr, w.writeErr = nil, nil, nil
			u.Stopped = guard.WriteAllTheSame
			if _, err := w.guard.Undo(t.Context(), u); err != nil || w.live(prod, "app").TrustPolicy != opened {
				t.Errorf("the second time: %v", err)
			}
		})
	}
}

// Whom nobody may look up, such as a user of another account, is not taken for
// somebody else: the person who knows says so, and nobody is left out.
func TestAnUndoingAsksAboutWhomItCannotSee(t *testing.T) {
	t.Parallel()
	const alice = "arn:aws:iam::111122223333:user/alice"
	w := newWorld(t, rulesFile)
	u := undoing(w, decided(w, closed))
	if err := w.ledger.Record(t.Context(), []ledger.Identity{{ID: "AIDAALICE111111111111", ARN: alice, SeenAt: w.now.Add(-2 * time.Hour)}}); err != nil {
		t.Fatal(err)
	}
	w.hidden = alice
	var refused *guard.RefusedError
	if _, err := w.guard.Undo(t.Context(), u); !errors.As(err, &refused) || !strings.Contains(refused.Why, "accept the principal") || w.writes() != 0 {
		t.Fatalf("got %v, %v", err, w.calls)
	}
	u.Accept = []string{alice}
	if out, err := w.guard.Undo(t.Context(), u); err != nil || len(out.Outcome.Dropped) != 0 || w.live(prod, "app").TrustPolicy != closed {
		t.Errorf("accepted: %v, dropped %v; the role shows %s", err, out.Outcome.Dropped, w.live(prod, "app").TrustPolicy)
	}
}

// Two people who take one decision back at the same time do not undo each other:
// the second finds it done, and the word of the first stays.
func TestTwoPeopleTakeOneDecisionBack(t *testing.T) {
	t.Parallel()
	w := newWorld(t, rulesFile)
	u := undoing(w, decided(w, opened))
	var second error
	w.ledger.intending = func() {
		w.ledger.intending = nil
		_, second = w.guard.Undo(t.Context(), u)
	}
	if _, err := w.guard.Undo(t.Context(), u); err != nil || second == nil || w.live(prod, "app").TrustPolicy != opened {
		t.Fatalf("the first %v, the second %v", err, second)
	}
	known, err := w.ledger.Recall(t.Context(), prod, "AROAEXAMPLEAPP0000001")
	if err != nil || known.Word == nil || !known.Word.Until.Equal(u.Until) || w.writes() != 1 {
		t.Errorf("the word is %+v, %v; %v", known.Word, err, w.calls)
	}
}

// T64: a change that fell between the reading and the write of a person's undoing
// is told of too, whichever of the two events is handled first, also when nobody
// could record that the undoing had written.
func TestT64AnUndoingMayLoseAnUpdateAndItIsTold(t *testing.T) {
	t.Parallel()
	for name, arrange := range map[string]func(w *world){
		"and all is recorded": func(*world) {},
		"and nobody could record the write": func(w *world) {
			w.ledger.intending = func() {
				w.ledger.intending = func() { w.ledger.intendErr = errors.New("no answer") }
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, rulesFile)
			u := undoing(w, decided(w, opened))
			arrange(w)
			var mended []byte
			w.onWrite = func() {
				w.onWrite = nil
				w.put(prod, "app", "AROAEXAMPLEAPP0000001", fixed)
				mended = w.eventAt(w.now, "UpdateAssumeRolePolicy", "ev-mended", map[string]any{"roleName": "app", "policyDocument": fixed}, nil)
			}
			if _, err := w.guard.Undo(t.Context(), u); err != nil {
				t.Fatal(err)
			}
			w.ledger.intending, w.ledger.intendErr = nil, nil
			w.now = w.now.Add(2 * time.Second)
			w.settle(w.handle(w.eventAt(w.now.Add(-time.Second), "UpdateAssumeRolePolicy", "ev-undone", map[string]any{"roleName": "app", "policyDocument": opened}, nil)))
			w.steps = nil
			if w.settle(w.handle(mended)); len(w.losts()) != 1 || w.losts()[0].LostUpdate.Event != "ev-mended" {
				t.Errorf("told of %d lost updates", len(w.losts()))
			}
		})
	}
}
