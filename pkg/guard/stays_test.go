package guard_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/rolewarden/rolewarden/pkg/guard"
	"github.com/rolewarden/rolewarden/pkg/ledger"
	"github.com/rolewarden/rolewarden/pkg/role"
)

// word is what `rolewarden undo` leaves: carol put the opened document back.
func word(w *world, document string, until time.Duration) ledger.Word {
	return ledger.Word{
		Account: prod, RoleID: appID, Digest: digestOf(w.t, document), By: "arn:aws:iam::111122223333:user/carol",
		Reason: "the migration needs it", Decision: "d1", At: w.now, Until: w.now.Add(until),
	}
}

func (w *world) give(word ledger.Word) {
	w.t.Helper()
	if err := w.ledger.GiveWord(w.t.Context(), word); err != nil {
		w.t.Fatal(err)
	}
}

// A document that a person put back stays until the time they set: nothing is
// written, people are told once, by whose word and until when, and no alarm calls
// anybody. Then the rules act again.
func TestAPersonsWordStaysTheHandAndIsToldOnce(t *testing.T) {
	for mode, after := range map[string]ledger.End{"enforce": ledger.Reverted, "tag": ledger.Tagged} {
		t.Run(mode, func(t *testing.T) {
			w := withBaseline(t, strings.Replace(rulesFile, "enforce", mode, 1))
			w.log.Reset()
			w.give(word(w, opened, 3*time.Hour))
			if res := w.open("ev2"); res.End != ledger.Held || w.writes() != 0 {
				t.Fatalf("ended in %s with %d writes: %v", res.End, w.writes(), res.Decision.Reasons)
			}
			w.now = w.now.Add(time.Hour)
			if w.seen("ev3"); len(w.told) != 1 {
				t.Fatalf("told %d times", len(w.told))
			}
			for _, want := range []string{"user/carol said at 2026-03-02T09:01:01Z", "until 2026-03-02T12:01:01Z", "the migration needs it", "external-account"} {
				if !strings.Contains(w.told[0].Text(), want) {
					t.Errorf("the alert does not say %q:\n%s", want, w.told[0].Text())
				}
			}
			if a := w.alarms(); len(a) != 0 {
				t.Errorf("alarms %v", a)
			}
			w.now = w.now.Add(2 * time.Hour)
			if end := w.seen("ev4"); end != after || len(w.told) != 2 {
				t.Errorf("after the time ended in %s, told %d times", end, len(w.told))
			}
		})
	}
}

// When a word ends, the next sweep has the rules act again: nobody need change
// the role for that, and the sweeps before write nothing.
func TestTheEndOfAWordIsSeenByASweep(t *testing.T) {
	w := withBaseline(t, rulesFile)
	w.give(word(w, opened, 5*time.Hour))
	w.open("ev2")
	w.now = w.now.Add(time.Hour)
	if res := w.sight(w.guard, "s1", guard.Aloud); res.Ignored == "" || w.writes() != 0 {
		t.Fatalf("while it holds: ended in %s (%s) with %d writes", res.End, res.Ignored, w.writes())
	}
	w.now = w.now.Add(5 * time.Hour)
	if res := w.settle(w.sight(w.guard, "s2", guard.Aloud)); res.End != ledger.Reverted {
		t.Errorf("after it: ended in %s (%s)", res.End, res.Ignored)
	}
	w.steps = nil
	w.now = w.now.Add(time.Hour)
	if res := w.sight(w.guard, "s3", guard.Aloud); res.End == ledger.Reverted || w.trust() != 1 {
		t.Errorf("at the next: ended in %s with %d writes", res.End, w.trust())
	}
}

// A word is about one document of one role, until a time: no other is spared by it.
func TestAWordSparesNothingElse(t *testing.T) {
	for name, change := range map[string]func(*ledger.Word){
		"another document":   func(w *ledger.Word) { w.Digest += "0" },
		"another role":       func(w *ledger.Word) { w.RoleID = "AROAOTHER11111111111" },
		"another account":    func(w *ledger.Word) { w.Account = dev },
		"a time that passed": func(w *ledger.Word) { w.At, w.Until = w.At.Add(-2*time.Hour), w.At },
	} {
		t.Run(name, func(t *testing.T) {
			w := withBaseline(t, rulesFile)
			given := word(w, opened, time.Hour)
			change(&given)
			// Whoever writes the table may put it under any key.
			w.ledger.recalling = func(r *ledger.Recalled) { r.Word = &given }
			if res := w.open("ev2"); res.End != ledger.Reverted {
				t.Errorf("ended in %s: %v", res.End, res.Decision.Reasons)
			}
		})
	}
}

// The word ends with the next change: whoever puts the same document back later,
// after the role was mended, does so without anybody's word. That holds also once
// the document was left as it is for another reason.
func TestAnotherChangeEndsAWord(t *testing.T) {
	w := withBaseline(t, rulesFile)
	w.give(word(w, opened, 9*time.Hour))
	if res := w.open("ev2"); res.End != ledger.Held {
		t.Fatalf("ended in %s", res.End)
	}
	w.put(prod, "app", appID, closed)
	w.settle(w.handle(w.updated("ev3", "app", closed)))
	w.now, w.steps = w.now.Add(time.Hour), nil
	w.openErr = fmt.Errorf("assuming: %w", role.ErrUnmodifiable)
	if res := w.settle(w.open("ev4")); res.End != ledger.Held || strings.Contains(res.Reason, "said at") {
		t.Fatalf("ended in %s: %s", res.End, res.Reason)
	}
	w.openErr, w.steps = nil, nil
	if res := w.settle(w.open("ev5")); res.End != ledger.Reverted {
		t.Errorf("ended in %s: %s", res.End, res.Reason)
	}
}

// A word does not silence: what is new about the role is told, and what became
// good is resolved.
func TestAWordSilencesNothing(t *testing.T) {
	w := withBaseline(t, rulesFile)
	w.give(word(w, opened, 9*time.Hour))
	w.open("ev2")
	worse := strings.Replace(opened, `"arn:aws:iam::999999999999:root"`, `"*"`, 1)
	w.give(word(w, worse, 9*time.Hour))
	w.put(prod, "app", appID, worse)
	if res := w.handle(w.updated("ev3", "app", worse)); res.End != ledger.Held || len(w.told) != 2 {
		t.Errorf("ended in %s, told %d times", res.End, len(w.told))
	}
	w.put(prod, "app", appID, closed)
	if res := w.handle(w.updated("ev4", "app", closed)); res.End != ledger.Compliant || len(w.told) != 3 || w.told[2].State.String() != "resolved" {
		t.Errorf("ended in %s, told %d times", res.End, len(w.told))
	}
}
