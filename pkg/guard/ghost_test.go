package guard_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rolewarden/rolewarden/pkg/alert"
	"github.com/rolewarden/rolewarden/pkg/guard"
	"github.com/rolewarden/rolewarden/pkg/ledger"
)

func states(told []alert.Alert) string {
	var out []string
	for _, a := range told {
		out = append(out, a.State.String())
	}
	return strings.Join(out, " ")
}

// I6: an alert that an event opens which is older than what is remembered of the
// role, such as one that came a day late, is remembered too: the next look that
// finds the role good resolves it, and nobody looks for what is not there.
func TestAnAlertThatAnOlderEventOpensIsResolved(t *testing.T) {
	w := withBaseline(t, rulesFile)
	late := w.updated("ev-late", "app", opened)
	w.handle(w.updated("ev-later", "app", closed))
	w.steps = nil
	renamed := strings.Replace(closed, `"Effect"`, `"Sid":"ByNobody","Effect"`, 1)
	w.put(prod, "app", appID, renamed)
	if res := w.settle(w.handle(late)); res.End != ledger.Told || states(w.told) != "opened" {
		t.Fatalf("ended in %s, told %q", res.End, states(w.told))
	}
	if known := w.recalled(); known.State.AlertID != w.told[0].ID || known.State.Event.EventID != "ev-later" {
		t.Errorf("remembered: alert %q of event %s", known.State.AlertID, known.State.Event)
	}
	w.now = w.now.Add(time.Hour)
	w.steps = nil
	if w.settle(w.sight(w.guard, "s1", guard.Aloud)); states(w.told) != "opened resolved" || w.told[1].ID != w.told[0].ID {
		t.Errorf("told %q", states(w.told))
	}
}

// I6: what is open about a deleted role is resolved also when the first reading
// after the deletion still shows the role, or when the last change of the role was
// in the same second.
func TestADeletionResolvesWhateverItsFirstReadingShows(t *testing.T) {
	for name, arrange := range map[string]func(w *world) []byte{
		"the reading lags": func(w *world) []byte {
			w.open("ev1")
			return w.event("DeleteRole", "ev2", map[string]any{"roleName": "app"}, nil)
		},
		"in the second of its last change": func(w *world) []byte {
			w.open("ev1")
			return w.eventAt(w.now, "DeleteRole", "ev2", map[string]any{"roleName": "app"}, nil)
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := withBaseline(t, rulesFile)
			w.stop()
			body := arrange(w)
			w.steps = nil
			res := w.handle(body)
			if res.End != ledger.InFlight || len(w.steps) != 1 {
				t.Fatalf("ended in %s with %d steps", res.End, len(w.steps))
			}
			delete(w.roles, prod+"/app")
			if res = w.settle(res); res.End != ledger.Compliant || states(w.told) != "opened resolved" {
				t.Errorf("ended in %s, told %q", res.End, states(w.told))
			}
			if known := w.recalled(); known.State.AlertID != "" {
				t.Errorf("alert %s is still remembered as open", known.State.AlertID)
			}
		})
	}
	t.Run("a role that was made anew in that second is not the deleted one", func(t *testing.T) {
		w := withBaseline(t, rulesFile)
		w.stop()
		w.open("ev1")
		body := w.eventAt(w.now, "DeleteRole", "ev2", map[string]any{"roleName": "app"}, nil)
		w.steps = nil
		role := w.live(prod, "app")
		delete(w.roles, prod+"/app")
		res := w.handle(body)
		w.roles[prod+"/app"] = role
		if res = w.settle(res); res.End != ledger.Compliant || states(w.told) != "opened" {
			t.Errorf("ended in %s, told %q", res.End, states(w.told))
		}
	})
}

// I6, I7: of a thread whose letters could not be told each goes out behind all that
// came before it, however many links back the first of them waits.
func TestLettersGoOutBehindTheWholeOfTheirThread(t *testing.T) {
	w := withBaseline(t, rulesFile)
	w.stop()
	w.tellErr = errTopic
	worse := strings.Replace(opened, `"arn:aws:iam::999999999999:root"`, `"*"`, 1)
	for i, document := range []string{opened, worse} {
		w.put(prod, "app", appID, document)
		if _, err := w.guard.Handle(t.Context(), w.updated(fmt.Sprintf("ev%d", i), "app", document)); !errors.Is(err, errTopic) {
			t.Fatalf("got %v", err)
		}
	}
	w.tellErr = nil
	delete(w.roles, prod+"/app")
	w.handle(w.event("DeleteRole", "ev-gone", map[string]any{"roleName": "app"}, nil))
	if states(w.told) != "opened updated resolved" {
		t.Errorf("told %q", states(w.told))
	}
	w.quiet()
}

// I6: an alert of doubt that is recorded just after a later event had found the
// role good, and nothing to resolve, is resolved when it is told.
func TestADoubtThatALaterEventSettledFirstIsResolved(t *testing.T) {
	w := withBaseline(t, rulesFile)
	late := w.updated("ev-late", "app", opened)
	other := strings.Replace(closed, `"Effect"`, `"Sid":"Other","Effect"`, 1)
	w.put(prod, "app", appID, other)
	later := w.updated("ev-later", "app", other)
	res := w.handle(late)
	for len(w.steps) > 0 && w.steps[0].Attempt < 4 {
		res = w.due()
	}
	w.ledger.recalling = func(*ledger.Recalled) {
		w.ledger.recalling = nil
		w.handle(later)
	}
	if res = w.due(); res.End != ledger.Told || states(w.told) != "opened resolved" {
		t.Errorf("ended in %s, told %q", res.End, states(w.told))
	}
	w.quiet()
}

// I7: a reading that lags, and shows the good document of an older event, resolves
// nothing that a later event opened: people would be told that all is well.
func TestALaggingReadingResolvesNothing(t *testing.T) {
	w := withBaseline(t, rulesFile)
	w.stop()
	other := strings.Replace(closed, `"Effect"`, `"Sid":"Other","Effect"`, 1)
	older := w.updated("ev-older", "app", other)
	w.open("ev-open")
	w.steps, w.lagging = nil, other
	res := w.handle(older)
	if res.End != ledger.InFlight || states(w.told) != "opened" {
		t.Fatalf("ended in %s, told %q", res.End, states(w.told))
	}
	w.lagging = ""
	if w.settle(res); states(w.told) != "opened" || w.recalled().State.AlertID != w.told[0].ID {
		t.Errorf("told %q, remembered %q", states(w.told), w.recalled().State.AlertID)
	}
}

// I6: nothing is opened about a role that a lagging reading shows after its deletion
// was handled: nothing would resolve it.
func TestNothingIsOpenedAboutADeletedRole(t *testing.T) {
	w := withBaseline(t, rulesFile)
	w.stop()
	w.now = w.now.Add(time.Minute)
	body := w.updated("ev1", "app", opened)
	gone := w.live(prod, "app")
	delete(w.roles, prod+"/app")
	if res := w.handle(w.event("DeleteRole", "ev2", map[string]any{"roleName": "app"}, nil)); res.End != ledger.Compliant {
		t.Fatalf("the deletion ended in %s", res.End)
	}
	gone.TrustPolicy = opened
	w.roles[prod+"/app"] = gone
	res := w.handle(body)
	delete(w.roles, prod+"/app")
	if res = w.settle(res); res.End != ledger.Superseded || len(w.told) != 0 {
		t.Errorf("ended in %s, told %q", res.End, states(w.told))
	}
}

// I6: what a look after an older event resolves is resolved in the memory too, so
// that the same is told again when the role is opened once more.
func TestWhatAnOlderEventResolvesMayBeOpenedAgain(t *testing.T) {
	w := withBaseline(t, rulesFile)
	other := strings.Replace(closed, `"Effect"`, `"Sid":"Other","Effect"`, 1)
	w.put(prod, "app", appID, other)
	w.handle(w.updated("ev-older", "app", other))
	w.stop()
	w.open("ev-open")
	w.put(prod, "app", appID, closed)
	for len(w.steps) > 0 && states(w.told) == "opened" {
		w.due()
	}
	if states(w.told) != "opened resolved" || w.recalled().State.AlertID != "" {
		t.Fatalf("told %q, remembered %q", states(w.told), w.recalled().State.AlertID)
	}
	w.steps = nil
	if w.settle(w.open("ev-again")); states(w.told) != "opened resolved opened" {
		t.Errorf("told %q", states(w.told))
	}
}

// I6: the event of a write of ours that shuts a role waits until the handling that
// made it is done, so that what is open about the role is remembered, and resolved
// once a person has mended it.
func TestTheEventOfAQuarantineWaitsForIt(t *testing.T) {
	w := withBaseline(t, rulesFile)
	const alice = "arn:aws:iam::111122223333:user/alice"
	id := w.principals[alice]
	delete(w.principals, alice)
	w.handle(w.event("DeleteUser", "ev-alice", map[string]any{"userName": "alice"}, nil))
	w.told, w.steps = nil, nil
	written := 0
	w.ledger.intending = func() {
		if written++; written < 2 {
			return
		}
		w.ledger.intending = nil
		ours := w.live(prod, "app").TrustPolicy
		w.now = w.now.Add(time.Second)
		if res := w.handle(w.eventAt(w.now, "UpdateAssumeRolePolicy", "ev-ours", map[string]any{"roleName": "app", "policyDocument": ours}, nil)); res.End != ledger.InFlight {
			t.Errorf("our own event ended in %s", res.End)
		}
	}
	if res := w.open("ev1"); res.End != ledger.Reverted || w.recalled().State.AlertID == "" {
		t.Fatalf("ended in %s, remembered %q", res.End, w.recalled().State.AlertID)
	}
	w.settle(w.due())
	w.principals[alice] = id
	w.put(prod, "app", appID, closed)
	if w.settle(w.handle(w.updated("ev-mended", "app", closed))); states(w.told) != "opened resolved" {
		t.Errorf("told %q", states(w.told))
	}
}

// vanishes deletes the role, and handles the event of that.
func (w *world) vanishes() {
	w.t.Helper()
	delete(w.roles, prod+"/app")
	if res := w.handle(w.event("DeleteRole", "ev-gone", map[string]any{"roleName": "app"}, nil)); res.End != ledger.Compliant {
		w.t.Errorf("the deletion ended in %s", res.End)
	}
}

// I6: what is told of a role that was deleted while our write was watched is told as
// over at once: its deletion had nothing to resolve yet.
func TestARoleThatIsDeletedWhileItIsWrittenIsResolved(t *testing.T) {
	w := withBaseline(t, rulesFile)
	written := 0
	w.ledger.intending = func() {
		if written++; written < 2 {
			return
		}
		w.ledger.intending = nil
		w.vanishes()
	}
	if res := w.open("ev1"); res.End != ledger.Reverted || states(w.told) != "opened resolved" {
		t.Errorf("ended in %s, told %q", res.End, states(w.told))
	}
	w.quiet()
}

// I6: so it is with one that was only tagged.
func TestARoleThatIsDeletedWhileItIsTaggedIsResolved(t *testing.T) {
	w := withBaseline(t, strings.Replace(rulesFile, "enforce", "tag", 1))
	w.onRead(func() {
		if !slices.Contains(w.calls, "TagRole") {
			return
		}
		w.onRead(nil)
		w.vanishes()
	})
	if res := w.open("ev1"); res.End != ledger.Tagged || states(w.told) != "opened resolved" {
		t.Errorf("ended in %s, told %q", res.End, states(w.told))
	}
	w.quiet()
}

// What a sweep leaves to its summary was never told, and so is not told as over.
func TestARoleThatIsDeletedWhileASweepHasItTaggedIsNotResolved(t *testing.T) {
	w := withBaseline(t, strings.Replace(rulesFile, "enforce", "tag", 1))
	w.put(prod, "app", appID, opened)
	w.now, w.steps = w.now.Add(time.Hour), nil
	w.onRead(func() {
		if !slices.Contains(w.calls, "TagRole") {
			return
		}
		w.onRead(nil)
		delete(w.roles, prod+"/app")
		w.handle(w.event("DeleteRole", "ev-gone", map[string]any{"roleName": "app"}, nil))
	})
	w.sight(w.sweepers(), "s1", guard.Quietly)
	if res := w.due(); res.End != ledger.Tagged || len(w.told) != 0 || w.recalled().State.AlertID != "" {
		t.Errorf("ended in %s, told %q", res.End, states(w.told))
	}
	w.quiet()
}
