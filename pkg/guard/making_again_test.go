package guard_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rolewarden/rolewarden/pkg/alert"
	"github.com/rolewarden/rolewarden/pkg/decision"
	"github.com/rolewarden/rolewarden/pkg/guard"
	"github.com/rolewarden/rolewarden/pkg/ledger"
	"github.com/rolewarden/rolewarden/pkg/role"
)

// otherwise is opened in another way.
var otherwise = strings.Replace(opened, "sts:AssumeRole", "sts:*", 1)

// carols is an event that carol made, not bob.
func carols(body []byte) []byte {
	return []byte(strings.ReplaceAll(string(body), "user/bob", "user/carol"))
}

// drain handles the waiting steps, those that are due first before the others.
func (w *world) drain() {
	w.t.Helper()
	for len(w.steps) > 0 {
		slices.SortStableFunc(w.steps, func(a, b guard.Step) int { return a.NotBefore.Compare(b.NotBefore) })
		w.due()
	}
}

// blames fails unless the last alert names somebody and an event.
func (w *world) blames(who, eventID string) {
	w.t.Helper()
	if a := w.told[len(w.told)-1]; a.Change == nil || !strings.Contains(a.Change.Actor, who) || a.Change.EventID != eventID {
		w.t.Errorf("the last alert, %s, blames %+v; want %s by %s", a.Outcome.Done, a.Change, who, eventID)
	}
}

// Who finished a new role in time made the document that stands, also after the
// second look that the first event asked for: it may be gone back to later.
func TestWhoFinishedANewRoleMadeWhatStands(t *testing.T) {
	for name, begin := range map[string]func(*world){
		"an event told of the making": func(w *world) { w.handle(w.created("ev1", "app", opened)) },
		"only a sweep saw it": func(w *world) {
			w.now = w.now.Add(20 * time.Second)
			w.sight(w.sweepers(), "s1", guard.Aloud)
			w.due()
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, patient)
			w.put(prod, "app", appID, opened)
			begin(w)
			w.now = w.now.Add(time.Minute)
			w.put(prod, "app", appID, closed)
			w.handle(carols(w.updated("ev2", "app", closed)))
			w.drain()
			if c := w.recalled().Candidate; c == nil || c.Provenance != role.Observed || c.EventID != "ev2" || !strings.HasSuffix(c.Actor, "/carol") {
				t.Errorf("what is to become a baseline is %+v", c)
			}
		})
	}
}

// The look that shuts a role names who made what it shut, whichever event asked
// for the look, and also where it was interrupted after its write.
func TestTheSecondLookNamesWhoMadeWhatItShuts(t *testing.T) {
	interrupt := func(w *world) {
		w.ledger.concludeErr = errDown
		s := w.steps[0]
		w.now = s.NotBefore
		body, err := s.Body()
		if err != nil {
			w.t.Fatal(err)
		}
		if _, err := w.guard.HandleStep(w.t.Context(), body); err == nil {
			w.t.Fatal("the end was recorded")
		}
		w.ledger.concludeErr = nil
		w.now = w.now.Add(6 * time.Minute)
	}
	for name, c := range map[string]struct {
		change    func(*world)
		look      func(*world)
		who, what string
	}{
		"the maker":              {func(*world) {}, func(*world) {}, "user/bob", "ev1"},
		"the maker, interrupted": {func(*world) {}, interrupt, "user/bob", "ev1"},
		"who changed it":         {func(w *world) { w.handle(carols(w.updated("ev2", "app", otherwise))) }, func(*world) {}, "user/carol", "ev2"},
		"who changed it, interrupted": {
			func(w *world) { w.handle(carols(w.updated("ev2", "app", otherwise))) }, interrupt, "user/carol", "ev2",
		},
		"nobody told": {func(*world) {}, func(w *world) { w.put(prod, "app", appID, otherwise) }, "nobody is known", "ev1"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, patient)
			w.put(prod, "app", appID, opened)
			w.handle(w.created("ev1", "app", opened))
			w.now = w.now.Add(time.Minute)
			if strings.Contains(name, "changed") {
				w.put(prod, "app", appID, otherwise)
			}
			c.change(w)
			c.look(w)
			w.drain()
			if a := w.told[len(w.told)-1]; a.Outcome.Done != decision.Quarantine.String() || w.trusts() != 1 {
				t.Fatalf("%s after %d writes", a.Outcome.Done, w.trusts())
			}
			w.blames(c.who, c.what)
			if got := w.recalled().State.Changers; len(slices.Compact(slices.Sorted(slices.Values(got)))) != len(got) || len(got) > 2 {
				t.Errorf("it was changed by %q", got)
			}
		})
	}
}

// A second look is about one role: whoever makes another one of the name has an
// event of their own, and nobody else is blamed for it.
func TestASecondLookAtARoleThatWasMadeAnewIsOver(t *testing.T) {
	w := newWorld(t, patient)
	w.put(prod, "app", "AROAOLD11111111111111", opened)
	w.handle(w.created("ev1", "app", opened))
	w.now = w.now.Add(2 * time.Minute)
	delete(w.roles, prod+"/app")
	w.handle(w.event("DeleteRole", "ev2", map[string]any{"roleName": "app"}, nil))
	w.now = w.now.Add(2 * time.Minute)
	w.put(prod, "app", appID, opened)
	made := carols(w.created("ev3", "app", opened))
	if res := w.due(); res.End != ledger.Superseded || len(w.told) != 2 {
		t.Errorf("the look ended in %s, told %d times", res.End, len(w.told))
	}
	w.handle(made)
	w.blames("user/carol", "ev3")
	w.drain()
	w.blames("user/carol", "ev3")
	if len(w.told) != 4 || w.trusts() != 1 {
		t.Errorf("told %d times, written %d times", len(w.told), w.trusts())
	}
}

// T53, T64: a look whose write went to a role made anew, and which was interrupted,
// tells of it when it comes again.
func TestASecondLookThatWroteToARoleMadeAnewTellsOfIt(t *testing.T) {
	w := newWorld(t, patient)
	w.put(prod, "app", "AROAOLD11111111111111", opened)
	w.handle(w.created("ev1", "app", opened))
	look := w.steps[0]
	w.onWrite = func() {
		w.onWrite = nil
		delete(w.roles, prod+"/app")
		w.put(prod, "app", appID, otherwise)
	}
	body, err := look.Body()
	if err != nil {
		t.Fatal(err)
	}
	w.now, w.steps, w.ledger.concludeErr = look.NotBefore, nil, errDown
	if _, err := w.guard.HandleStep(t.Context(), body); !errors.Is(err, errDown) {
		t.Fatalf("the look: %v", err)
	}
	w.steps, w.ledger.concludeErr = []guard.Step{look}, nil
	w.now = w.now.Add(2 * time.Minute)
	w.drain()
	if !slices.ContainsFunc(w.told, func(a alert.Alert) bool { return strings.Contains(a.Text(), "LOST UPDATE") }) {
		t.Errorf("told %s", states(w.told))
	}
	w.quiet()
}

// A look that was interrupted after its write is over where the role was made anew
// since: nobody else is told to have made the new one.
func TestAnInterruptedSecondLookIsOverWhereTheRoleWasMadeAnewSince(t *testing.T) {
	w := newWorld(t, patient)
	w.put(prod, "app", "AROAOLD11111111111111", opened)
	w.handle(w.created("ev1", "app", opened))
	look := w.steps[0]
	w.ledger.concludeErr = errDown
	if _, err := w.dueTo(); !errors.Is(err, errDown) {
		t.Fatalf("the look: %v", err)
	}
	w.now, w.steps, w.ledger.concludeErr = w.now.Add(2*time.Minute), []guard.Step{look}, nil
	delete(w.roles, prod+"/app")
	w.put(prod, "app", appID, otherwise)
	made := carols(w.created("ev2", "app", otherwise))
	w.now = w.now.Add(time.Minute)
	if res := w.due(); res.End != ledger.Superseded || len(w.told) != 1 {
		t.Errorf("the look ended in %s, told %s", res.End, states(w.told))
	}
	w.handle(made)
	w.blames("carol", "ev2")
	w.quiet()
}

// What is mended while a second look has to wait is mended all the same.
func TestWhatIsMendedWhileTheSecondLookWaitsIsResolved(t *testing.T) {
	w := newWorld(t, patient)
	w.put(prod, "app", appID, opened)
	w.handle(w.created("ev1", "app", opened))
	w.ledger.switchErr = errDown
	w.due()
	w.ledger.switchErr = nil
	w.put(prod, "app", appID, closed)
	w.drain()
	if last := w.told[len(w.told)-1]; len(w.told) != 2 || last.State != alert.Resolved || last.ID != w.told[0].ID || w.trusts() != 0 {
		t.Errorf("told %d times, the last is %s; %d writes", len(w.told), last.State, w.trusts())
	}
}

// The time to finish may be over seconds after a change: a reading that lags
// behind it resolves nothing.
func TestASecondLookRightAfterAChangeIsNotMisledByAReadingThatLags(t *testing.T) {
	w := newWorld(t, patient)
	w.put(prod, "app", appID, closed)
	w.handle(w.created("ev1", "app", closed))
	w.steps = nil
	w.now = w.live(prod, "app").Created.Add(5*time.Minute - 3*time.Second)
	w.put(prod, "app", appID, opened)
	w.handle(w.updated("ev2", "app", opened))
	w.lagging = closed
	w.due()
	w.lagging = ""
	w.drain()
	if slices.ContainsFunc(w.told, func(a alert.Alert) bool { return a.State == alert.Resolved }) || w.trusts() != 1 {
		t.Errorf("told %+v, %d writes", w.told, w.trusts())
	}
	w.blames("user/bob", "ev2")
}

// People were told that a new role would be shut: where a limit stops that, they
// are told so.
func TestALimitThatKeepsANewRoleOpenIsTold(t *testing.T) {
	w := newWorld(t, patient+"limits: {perRolePerDay: 1, perAccountPerHour: 1, perHour: 1, perRulePerHour: 1, tagsPerHour: 50}\n")
	w.put(prod, "one", "AROAONE11111111111111", opened)
	w.handle(w.created("ev1", "one", opened))
	w.put(prod, "app", appID, opened)
	w.handle(w.created("ev2", "app", opened))
	w.drain()
	if last := w.told[len(w.told)-1]; len(w.told) != 4 || last.RoleName() != "app" || !strings.Contains(strings.Join(last.Decision.Reasons, " "), "Quarantine was due") {
		t.Errorf("told %d times, the last about %s: %q", len(w.told), last.RoleName(), last.Decision.Reasons)
	}
}

// A sweep finds a new role whose second look was lost, and lets the look go first.
func TestASweepSeesToANewRoleWhoseSecondLookWasLost(t *testing.T) {
	for after, want := range map[time.Duration]ledger.End{
		4 * time.Minute:  ledger.InFlight,
		10 * time.Minute: ledger.InFlight,
		30 * time.Minute: ledger.Quarantined,
		3 * time.Hour:    ledger.Held,
	} {
		w := newWorld(t, patient)
		w.put(prod, "app", appID, opened)
		w.handle(w.created("ev1", "app", opened))
		w.steps = nil
		w.now = w.now.Add(after)
		res := w.sight(w.sweepers(), "s1", guard.Quietly)
		if res = w.settle(res); res.End != want || (want == ledger.Held) != (len(res.Untold) > 0) {
			t.Errorf("after %s it ended in %s, with %d for the summary: %v", after, res.End, len(res.Untold), res.Decision.Reasons)
		}
		if res = w.sight(w.sweepers(), "s2", guard.Quietly); want != ledger.Quarantined && res.Ignored == "" {
			t.Errorf("after %s the next sweep takes it for news: %s", after, res.Reason)
		}
	}
}

// What is never more than tagged, for its evidence carries no more, is not looked
// at again: nothing is shut when the time is over.
func TestANewRoleThatIsTaggedAtMostIsNotLookedAtAgain(t *testing.T) {
	w := newWorld(t, patient)
	never := strings.Replace(closed, `"${aws:username}"`, `"${aws:username}","sts:SourceIdentity":"aws:x"`, 1)
	w.put(prod, "app", appID, never)
	if res := w.handle(w.created("ev1", "app", never)); res.End != ledger.Tagged || len(w.steps) != 0 {
		t.Errorf("ended in %s, and asks for %d looks", res.End, len(w.steps))
	}
}

// What changes while a new role is given time is heeded when the time is over, and
// told.
func TestWhatChangesWhileANewRoleIsGivenTimeIsHeeded(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*world)
		done   string
		state  alert.State
	}{
		"other rules only tag":     {func(w *world) { w.deploy(strings.Replace(patient, "enforce", "tag", 1)) }, "Tag", alert.Updated},
		"other rules only observe": {func(w *world) { w.deploy(strings.Replace(patient, "enforce", "observe", 1)) }, "Ignore", alert.Updated},
		"the role is protected":    {func(w *world) { w.deploy(patient + "protected: [\"arn:aws:iam::111122223333:role/app\"]\n") }, "Ignore", alert.Updated},
		"no grace any more":        {func(w *world) { w.deploy(rulesFile) }, "Quarantine", alert.Updated},
		"a longer grace":           {func(w *world) { w.deploy(strings.Replace(patient, "Minutes: 5", "Minutes: 30", 1)) }, "Quarantine", alert.Updated},
		"an exemption": {func(w *world) {
			w.deploy(patient + "exemptions:\n  - {rules: [external-account, external-id, session-name], role: \"arn:aws:iam::111122223333:role/app\", owner: team, reason: a migration, ticket: SEC-1, expires: 2026-03-20}\n")
		}, "Clear", alert.Resolved},
		"a person's word": {func(w *world) {
			w.give(ledger.Word{Account: prod, RoleID: appID, Digest: digestOf(w.t, opened), By: "alice", Reason: "a test", Decision: "d", At: w.now, Until: w.now.Add(time.Hour)})
		}, "Ignore", alert.Updated},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, patient)
			w.put(prod, "app", appID, opened)
			w.handle(w.created("ev1", "app", opened))
			c.change(w)
			w.drain()
			if last := w.told[len(w.told)-1]; len(w.told) != 2 || last.State != c.state || last.Outcome.Done != c.done || last.ID != w.told[0].ID {
				t.Errorf("told %d times, the last is %s, %s: %q", len(w.told), last.State, last.Outcome.Done, last.Decision.Reasons)
			}
			w.quiet()
		})
	}
}

// What is decided while its maker still has time, and told a moment later, is told
// once.
func TestTimeThatEndsWhileARoleIsHandledTellsNothingTwice(t *testing.T) {
	w := newWorld(t, patient)
	w.put(prod, "app", appID, opened)
	full := fmt.Errorf("tagging: %w", role.ErrLimit)
	w.onTag = func() error { return full }
	w.handle(w.created("ev1", "app", opened))
	body := w.updated("ev2", "app", opened)
	w.now = w.live(prod, "app").Created.Add(5*time.Minute - time.Second)
	w.onTag = func() error {
		w.now = w.now.Add(2 * time.Second)
		return full
	}
	if res := w.handle(body); res.End != ledger.Held || len(w.told) != 1 {
		t.Errorf("ended in %s, told %s", res.End, states(w.told))
	}
}
