package guard_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/rolewarden/rolewarden/pkg/decision"
	"github.com/rolewarden/rolewarden/pkg/finding"
	"github.com/rolewarden/rolewarden/pkg/guard"
	"github.com/rolewarden/rolewarden/pkg/ledger"
	"github.com/rolewarden/rolewarden/pkg/policy"
	"github.com/rolewarden/rolewarden/pkg/remediate"
)

// decided leaves a role as a decision left it: quarantined, with its intent in the ledger.
func decided(w *world, before string) string {
	w.t.Helper()
	const id = "AROAEXAMPLEAPP0000001"
	key := ledger.Key{Account: prod, EventID: "66666666-6666-4666-8666-666666666666"}
	d := decision.Decision{ID: decision.ID(prod, key.EventID, id), Action: decision.Quarantine, At: w.now}
	after := remediate.Quarantine(d.ID)
	w.put(prod, "app", id, after)
	if _, err := w.ledger.Take(w.t.Context(), key, w.now); err != nil {
		w.t.Fatal(err)
	}
	if err := w.ledger.Intend(w.t.Context(), ledger.Intent{
		Event: key, Role: w.live(prod, "app").Ref(), RoleID: id, Decision: d, Before: before, After: after,
		BeforeDigest: digest(w.t, before), AfterDigest: digest(w.t, after), ReadAt: w.now, At: w.now,
	}); err != nil {
		w.t.Fatal(err)
	}
	if err := w.ledger.Conclude(w.t.Context(), ledger.Conclusion{Event: key, End: ledger.Quarantined, Reason: "quarantined", At: w.now}); err != nil {
		w.t.Fatal(err)
	}
	w.now = w.now.Add(time.Hour)
	w.calls = nil
	return d.ID
}

func undoing(w *world, id string) guard.Undoing {
	return guard.Undoing{Decision: id, By: "arn:aws:iam::111122223333:user/alice", Reason: "incident 4711", Until: w.now.Add(24 * time.Hour)}
}

// A person puts back what a decision replaced. The document breaks a rule, so a
// word is left that keeps the line from taking the undoing back; the verdict is
// shown, and the intent stands before the write.
func TestAPersonTakesADecisionBack(t *testing.T) {
	t.Parallel()
	w := newWorld(t, rulesFile)
	id := decided(w, opened)
	out, err := w.guard.Undo(t.Context(), undoing(w, id))
	if err != nil {
		t.Fatal(err)
	}
	if got := w.live(prod, "app").TrustPolicy; got != opened {
		t.Errorf("the role shows %s", got)
	}
	if out.Report.Verdict != finding.Noncompliant || !out.Outcome.Verified || out.Taken.ID != id {
		t.Errorf("judged %s, verified %t, took back %s", out.Report.Verdict, out.Outcome.Verified, out.Taken.ID)
	}
	if out.Word == nil || out.Word.Digest != digest(t, opened) || out.Word.Decision != id || !out.Word.Until.Equal(w.now.Add(24*time.Hour)) {
		t.Errorf("the word is %+v", out.Word)
	}
	recalled, err := w.ledger.Recall(t.Context(), prod, "AROAEXAMPLEAPP0000001")
	if err != nil || recalled.Word == nil || recalled.Written == nil || recalled.Written.Decision != out.Decision.ID {
		t.Errorf("the ledger keeps %+v, %v", recalled, err)
	}
	if i, end, ok, err := w.ledger.Decided(t.Context(), out.Decision.ID); err != nil || !ok || end != ledger.Reverted || i.After != opened {
		t.Errorf("the undoing is recorded as %+v, %s, %t, %v", i, end, ok, err)
	}
	w.calls = nil
	if _, err := w.guard.Undo(t.Context(), undoing(w, id)); err == nil || w.writes() != 0 {
		t.Errorf("undone a second time: %v, %v", err, w.calls)
	}
}

// What obeys the rules needs nobody's word.
func TestUndoingWhatObeysTheRulesLeavesNoWord(t *testing.T) {
	t.Parallel()
	w := newWorld(t, rulesFile)
	id := decided(w, closed)
	if err := w.ledger.Record(t.Context(), []ledger.Identity{{ID: "AIDAALICE111111111111", ARN: "arn:aws:iam::111122223333:user/alice", SeenAt: w.now.Add(-2 * time.Hour)}}); err != nil {
		t.Fatal(err)
	}
	out, err := w.guard.Undo(t.Context(), undoing(w, id))
	if err != nil || out.Word != nil || out.Report.Verdict != finding.Compliant || w.live(prod, "app").TrustPolicy != closed {
		t.Errorf("word %+v, verdict %s, %v; the role shows %s", out.Word, out.Report.Verdict, err, w.live(prod, "app").TrustPolicy)
	}
}

// T48, T53, T64, T70: a person's word does not stand above the other checks. What
// was changed since, made anew, taken over by name, never written, or stopped by
// the kill switch stays as it is, and the refusal says why.
func TestUndoingIsRefusedWhereItWouldHarm(t *testing.T) {
	t.Parallel()
	const alice = "arn:aws:iam::111122223333:user/alice"
	seen := func(w *world, id string) {
		if err := w.ledger.Record(w.t.Context(), []ledger.Identity{{ID: id, ARN: alice, SeenAt: w.now.Add(-2 * time.Hour)}}); err != nil {
			w.t.Fatal(err)
		}
	}
	for _, c := range []struct {
		name, before, why string
		stage             func(w *world, u *guard.Undoing)
	}{
		{"no such decision", opened, "no decision", func(_ *world, u *guard.Undoing) { u.Decision = "rw-nothing" }},
		{"nobody says so", opened, "who says so and why", func(_ *world, u *guard.Undoing) { u.By = "" }},
		{"no reason", opened, "who says so and why", func(_ *world, u *guard.Undoing) { u.Reason = "" }},
		{"no time", opened, "at most 14 days", func(_ *world, u *guard.Undoing) { u.Until = time.Time{} }},
		{"for ever", opened, "at most 14 days", func(w *world, u *guard.Undoing) { u.Until = w.now.Add(15 * 24 * time.Hour) }},
		{"changed since", opened, "was changed since", func(w *world, _ *guard.Undoing) { w.put(prod, "app", "AROAEXAMPLEAPP0000001", closed) }},
		{"back already", opened, "back already", func(w *world, _ *guard.Undoing) { w.put(prod, "app", "AROAEXAMPLEAPP0000001", opened) }},
		{"made anew", opened, "made anew", func(w *world, _ *guard.Undoing) {
			w.put(prod, "app", "AROAEXAMPLEAPP0000002", w.live(prod, "app").TrustPolicy)
		}},
		{"deleted", opened, "does not exist any more", func(w *world, _ *guard.Undoing) { delete(w.roles, prod+"/app") }},
		{"stopped", opened, "kill switch stops", func(w *world, _ *guard.Undoing) {
			if err := w.ledger.SetSwitch(w.t.Context(), decision.WritesStopped, "alice", "incident", w.now); err != nil {
				w.t.Fatal(err)
			}
		}},
		{"a switch that cannot be read", opened, "cannot be read", func(w *world, u *guard.Undoing) {
			w.ledger.switchErr, u.Stopped = errors.New("no table"), guard.WriteAllTheSame
		}},
		{"a principal nobody knew", closed, "accept the principal", nil},
		{"being handled", opened, "another event of the role", func(w *world, _ *guard.Undoing) {
			if err := w.ledger.Lease(w.t.Context(), w.live(prod, "app").Ref(), "somebody", w.now, w.now.Add(time.Minute)); err != nil {
				w.t.Fatal(err)
			}
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, rulesFile)
			u := undoing(w, decided(w, c.before))
			if c.stage != nil {
				c.stage(w, &u)
			}
			was := w.live(prod, "app").TrustPolicy
			_, err := w.guard.Undo(t.Context(), u)
			var refused *guard.RefusedError
			if !errors.As(err, &refused) || !strings.Contains(refused.Why, c.why) {
				t.Errorf("refused with %v, want %q", err, c.why)
			}
			if w.writes() != 0 || w.live(prod, "app").TrustPolicy != was {
				t.Errorf("written all the same: %v", w.calls)
			}
		})
	}
	t.Run("a name that was taken over lets nobody in", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t, rulesFile)
		id := decided(w, closed)
		seen(w, "AIDAALICE000000000000")
		out, err := w.guard.Undo(t.Context(), undoing(w, id))
		if err != nil || len(out.Outcome.Dropped) != 1 || strings.Contains(w.live(prod, "app").TrustPolicy, alice) {
			t.Errorf("dropped %v, %v; the role shows %s", out.Outcome.Dropped, err, w.live(prod, "app").TrustPolicy)
		}
	})
	t.Run("a protected role", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t, rulesFile+"protected: [\"arn:aws:iam::111122223333:role/app\"]\n")
		u := undoing(w, decided(w, opened))
		if _, err := w.guard.Undo(t.Context(), u); err == nil || !strings.Contains(err.Error(), "never written") || w.writes() != 0 {
			t.Errorf("got %v, %v", err, w.calls)
		}
	})
	t.Run("while writes are stopped, on an express word", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t, rulesFile)
		u := undoing(w, decided(w, opened))
		if err := w.ledger.SetSwitch(t.Context(), decision.WritesStopped, "alice", "incident", w.now); err != nil {
			t.Fatal(err)
		}
		u.Stopped = guard.WriteAllTheSame
		if _, err := w.guard.Undo(t.Context(), u); err != nil || w.live(prod, "app").TrustPolicy != opened {
			t.Errorf("got %v", err)
		}
	})
}

// The kill switch is read right before a person's write too: one that is turned,
// or cannot be read any more, while the undoing is under way stops it.
func TestTheKillSwitchStopsAnUndoingThatIsUnderWay(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		off     func(*world)
		stopped guard.WhileStopped
		undone  string
	}{
		"turned":                         {off: func(w *world) { w.stop() }},
		"unreadable":                     {off: func(w *world) { w.ledger.switchErr = errors.New("no table") }},
		"unreadable, on an express word": {off: func(w *world) { w.ledger.switchErr = errors.New("no table") }, stopped: guard.WriteAllTheSame},
		"turned, on an express word":     {off: func(w *world) { w.stop() }, stopped: guard.WriteAllTheSame, undone: opened},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, rulesFile)
			u := undoing(w, decided(w, opened))
			u.Stopped = c.stopped
			was := w.live(prod, "app").TrustPolicy
			w.ledger.intending = func() { c.off(w) }
			_, err := w.guard.Undo(t.Context(), u)
			if c.undone != "" {
				if err != nil || w.live(prod, "app").TrustPolicy != c.undone {
					t.Errorf("got %v", err)
				}
				return
			}
			var refused *guard.RefusedError
			if !errors.As(err, &refused) || !strings.Contains(refused.Why, "kill switch") || w.writes() != 0 || w.live(prod, "app").TrustPolicy != was {
				t.Errorf("got %v after %v", err, w.calls)
			}
		})
	}
}

func digest(t testing.TB, text string) string {
	t.Helper()
	d, err := policy.Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return d.Digest("aws")
}
