package guard_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/rolewarden/rolewarden/pkg/alert"
	"github.com/rolewarden/rolewarden/pkg/guard"
	"github.com/rolewarden/rolewarden/pkg/ledger"
	"github.com/rolewarden/rolewarden/pkg/role"
)

// secretID is an external id; it must be in nothing that is told.
const secretID = "hunter2-external-id"

// fixed is what an administrator writes to mend an open role.
var fixed = strings.Replace(strings.Replace(closed, `"Effect"`, `"Sid":"Fixed","Effect"`, 1), `"StringLike"`, `"StringEquals":{"sts:ExternalId":"`+secretID+`"},"StringLike"`, 1)

// losing opens a role, and lets an administrator mend it between the guard's last
// reading and its write: nobody can prevent that the mended document is lost. It
// gives the event of the mending; meanwhile runs right after the mending.
func losing(t *testing.T, meanwhile func(w *world, mended []byte)) (*world, []byte) {
	t.Helper()
	w := withBaseline(t, rulesFile)
	w.put(prod, "app", appID, opened)
	body := w.updated("ev-open", "app", opened)
	w.now = w.now.Add(3*time.Second + 200*time.Millisecond)
	var mended []byte
	w.onWrite = func() {
		w.onWrite = nil
		w.now = w.now.Add(100 * time.Millisecond)
		w.put(prod, "app", appID, fixed)
		mended = w.eventAt(w.now, "UpdateAssumeRolePolicy", "ev-mended", map[string]any{"roleName": "app", "policyDocument": fixed}, nil)
		if meanwhile != nil {
			meanwhile(w, mended)
		}
		w.now = w.now.Add(100 * time.Millisecond)
	}
	if res := w.handle(body); res.End != ledger.Reverted || w.live(prod, "app").TrustPolicy != closed {
		t.Fatalf("ended in %s: %s", res.End, w.live(prod, "app").TrustPolicy)
	}
	return w, mended
}

// ourEvent is the event of the guard's write.
func (w *world) ourEvent() []byte {
	for _, a := range w.told {
		if a.Outcome.Done == "Revert" {
			return own(w.t, w.eventAt(w.now, "UpdateAssumeRolePolicy", "ev-ours", map[string]any{"roleName": "app", "policyDocument": closed}, nil), a.Decision.ID)
		}
	}
	w.t.Fatal("nothing was reverted")
	return nil
}

// losts are the alerts about lost updates.
func (w *world) losts() []alert.Alert {
	return slices.DeleteFunc(slices.Clone(w.told), func(a alert.Alert) bool { return a.LostUpdate == nil })
}

// T64: a change that fell between our reading and our write is found, whenever
// its event comes: before ours is written, before ours, after ours, or a day
// later; it is told once, with both documents, and how to make it again.
func TestT64ALostUpdateIsFound(t *testing.T) {
	handle := func(t *testing.T, w *world, body []byte) { w.settle(w.handle(body)) }
	for name, find := range map[string]func(t *testing.T) *world{
		"its event is handled before we write": func(t *testing.T) *world {
			w, mended := losing(t, func(w *world, mended []byte) {
				// While rolewarden is at work on the role it waits, or ends at once.
				if res := w.handle(mended); res.End != ledger.Compliant && len(w.steps) == 0 {
					t.Errorf("the mending ended in %s", res.End)
				}
			})
			handle(t, w, w.ourEvent())
			handle(t, w, mended)
			return w
		},
		"its event is read before we write, and ends after": func(t *testing.T) *world {
			var err error
			goOn, done := make(chan bool), make(chan bool)
			w, _ := losing(t, func(w *world, mended []byte) {
				read := make(chan bool)
				w.ledger.concluding = func() {
					w.ledger.concluding = nil
					close(read)
					<-goOn
				}
				go func() {
					defer close(done)
					_, err = w.guard.Handle(t.Context(), mended)
				}()
				<-read
			})
			handle(t, w, w.ourEvent())
			close(goOn)
			<-done
			if err != nil {
				t.Fatal(err)
			}
			for len(w.steps) > 0 {
				w.due()
			}
			return w
		},
		"its event comes before ours": func(t *testing.T) *world {
			w, mended := losing(t, nil)
			ours := w.ourEvent()
			handle(t, w, mended)
			handle(t, w, ours)
			return w
		},
		"its event comes after ours": func(t *testing.T) *world {
			w, mended := losing(t, nil)
			handle(t, w, w.ourEvent())
			handle(t, w, mended)
			return w
		},
		"its event comes a day after ours": func(t *testing.T) *world {
			w, mended := losing(t, nil)
			handle(t, w, w.ourEvent())
			w.now = w.now.Add(24 * time.Hour)
			handle(t, w, mended)
			return w
		},
		"its event comes a day after, and the role was changed since": func(t *testing.T) *world {
			w, mended := losing(t, nil)
			handle(t, w, w.ourEvent())
			w.now = w.now.Add(24 * time.Hour)
			later := strings.Replace(closed, `"Effect"`, `"Sid":"Later","Effect"`, 1)
			w.put(prod, "app", appID, later)
			handle(t, w, w.updated("ev-later", "app", later))
			handle(t, w, mended)
			return w
		},
		"the time of our write is not recorded, and a sweep comes by before the event": func(t *testing.T) *world {
			w, mended := losing(t, func(w *world, _ []byte) { w.ledger.intendErr = errDown })
			w.ledger.intendErr = nil
			w.now = w.now.Add(time.Hour)
			w.sight(w.sweepers(), "s1", guard.Aloud)
			handle(t, w, mended)
			return w
		},
		"the role may not be read any more when its event comes, and nothing is open about it": func(t *testing.T) *world {
			w, mended := losing(t, nil)
			handle(t, w, w.ourEvent())
			w.now = w.now.Add(time.Hour)
			handle(t, w, w.updated("ev-again", "app", closed))
			w.steps, w.readErr = nil, fmt.Errorf("reading: %w", role.ErrAccessDenied)
			handle(t, w, mended)
			return w
		},
		"we crash after our write": func(t *testing.T) *world {
			w := withBaseline(t, rulesFile)
			w.put(prod, "app", appID, opened)
			body := w.updated("ev-open", "app", opened)
			w.now = w.now.Add(3 * time.Second)
			var mended []byte
			w.onWrite = func() {
				w.onWrite = nil
				w.put(prod, "app", appID, fixed)
				mended = w.eventAt(w.now, "UpdateAssumeRolePolicy", "ev-mended", map[string]any{"roleName": "app", "policyDocument": fixed}, nil)
				w.handle(mended)
				w.ledger.intendErr, w.ledger.concludeErr = errDown, errDown
			}
			if _, err := w.guard.Handle(t.Context(), body); err == nil {
				t.Fatal("no crash")
			}
			w.ledger.intendErr, w.ledger.concludeErr = nil, nil
			w.now = w.now.Add(time.Minute)
			handle(t, w, body)
			return w
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := find(t)
			for len(w.steps) > 0 {
				w.due()
			}
			lost := w.losts()
			if len(lost) != 1 || w.alarmed("lost-update") != 1 {
				t.Fatalf("%d alerts and %d alarms", len(lost), w.alarmed("lost-update"))
			}
			a, text := lost[0], lost[0].Text()
			for _, say := range []string{
				"LOST UPDATE: rolewarden may have overwritten somebody else's change of the trust policy of app",
				"event ev-mended changed the trust policy", "may have come after it read the role", "whole seconds",
				`"Sid": "Fixed"`, "aws iam update-assume-role-policy --role-name app --policy-document file://app-lost.json", "rolewarden undo " + a.LostUpdate.Decision,
				"arn:aws:iam::111122223333:user/bob",
			} {
				if !strings.Contains(text, say) {
					t.Errorf("the alert does not say %q:\n%s", say, text)
				}
			}
			if a.LostUpdate.Written == "" || a.LostUpdate.Event != "ev-mended" || strings.Contains(text+string(a.JSON())+w.log.String(), secretID) {
				t.Errorf("told %+v", a.LostUpdate)
			}
		})
	}
}

// T64: an event that does not carry its document, of the seconds in which we
// wrote, may be of a lost update; it is told without the document.
func TestT64APaddedUpdateMayBeLost(t *testing.T) {
	w, mended := losing(t, nil)
	w.settle(w.handle(w.ourEvent()))
	w.settle(w.handle([]byte(strings.Replace(string(mended), `\"Version\"`, `\"Version`, 1))))
	if lost := w.losts(); len(lost) != 1 || !strings.Contains(lost[0].Text(), "look it up in CloudTrail") {
		t.Errorf("told %+v", lost)
	}
}

// T64: who writes once more what we had read, or what we are about to write,
// while we write, loses nothing.
func TestT64TheSameDocumentOnceMoreIsNoLoss(t *testing.T) {
	for _, document := range []string{opened, closed} {
		w := withBaseline(t, rulesFile)
		w.put(prod, "app", appID, opened)
		body := w.updated("ev-open", "app", opened)
		w.now = w.now.Add(3 * time.Second)
		var again []byte
		w.onWrite = func() {
			w.onWrite = nil
			w.now = w.now.Add(100 * time.Millisecond)
			w.put(prod, "app", appID, document)
			again = w.eventAt(w.now, "UpdateAssumeRolePolicy", "ev-again", map[string]any{"roleName": "app", "policyDocument": document}, nil)
		}
		w.handle(body)
		w.settle(w.handle(w.ourEvent()))
		w.settle(w.handle(again))
		if lost := w.losts(); len(lost) != 0 {
			t.Errorf("told %s", lost[0].Text())
		}
	}
}

// T64: ordinary orders raise no alarm: a change well before our reading, one
// after our write, the same document again, our own event, or the change that
// we reverted, in whatever order they are told.
func TestT64OrdinaryOrdersRaiseNoAlarm(t *testing.T) {
	before := strings.Replace(opened, `"Effect"`, `"Sid":"Before","Effect"`, 1)
	after := strings.Replace(closed, `"Effect"`, `"Sid":"After","Effect"`, 1)
	rapid.Check(t, func(rt *rapid.T) {
		w := withBaseline(t, rulesFile)
		gap := func() {
			w.now = w.now.Add(time.Duration(rapid.IntRange(1001, 9000).Draw(rt, "gap")) * time.Millisecond)
		}
		var events [][]byte
		put := func(id, document string) {
			w.put(prod, "app", appID, document)
			events = append(events, w.eventAt(w.now, "UpdateAssumeRolePolicy", id, map[string]any{"roleName": "app", "policyDocument": document}, nil))
			gap()
		}
		put("before", before)
		put("open", opened)
		res := w.handle(events[1])
		if res.End != ledger.Reverted {
			rt.Fatalf("ended in %s", res.End)
		}
		events = append(events, own(t, w.eventAt(w.now, "UpdateAssumeRolePolicy", "ours", map[string]any{"roleName": "app", "policyDocument": closed}, nil), res.Decision.ID))
		gap()
		for i := range rapid.IntRange(0, 3).Draw(rt, "changes since") {
			put(fmt.Sprint("after", i), rapid.SampledFrom([]string{after, closed, fixed}).Draw(rt, "document"))
		}
		for _, body := range rapid.Permutation(events).Draw(rt, "told") {
			if rapid.Bool().Draw(rt, "late") {
				w.now = w.now.Add(time.Duration(rapid.IntRange(1, 86400).Draw(rt, "seconds")) * time.Second)
			}
			w.settle(w.handle(body))
		}
		for len(w.steps) > 0 {
			w.due()
		}
		if lost := w.losts(); len(lost) != 0 || w.alarmed("lost-update") != 0 {
			rt.Fatalf("a false alarm: %s", lost[0].Text())
		}
	})
}

// T64 as a property: whatever else is told in whatever order, the change that we
// overwrote is found, and no other.
func TestT64WhatWasOverwrittenIsFoundAndNothingElse(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		inside := rapid.Bool().Draw(rt, "handled before we write")
		w, mended := losing(t, func(w *world, mended []byte) {
			if inside {
				w.handle(mended)
			}
		})
		events := [][]byte{mended, w.ourEvent()}
		for i := range rapid.IntRange(0, 3).Draw(rt, "changes since") {
			w.now = w.now.Add(time.Duration(rapid.IntRange(2001, 9000).Draw(rt, "gap")) * time.Millisecond)
			document := strings.Replace(closed, `"Effect"`, fmt.Sprintf(`"Sid":"n%d","Effect"`, i), 1)
			w.put(prod, "app", appID, document)
			events = append(events, w.eventAt(w.now, "UpdateAssumeRolePolicy", fmt.Sprint("since", i), map[string]any{"roleName": "app", "policyDocument": document}, nil))
		}
		for _, body := range rapid.Permutation(events).Draw(rt, "told") {
			w.now = w.now.Add(time.Duration(rapid.IntRange(1, 3600).Draw(rt, "seconds")) * time.Second)
			w.settle(w.handle(body))
		}
		for len(w.steps) > 0 {
			w.due()
		}
		if lost := w.losts(); len(lost) != 1 || lost[0].LostUpdate.Event != "ev-mended" {
			rt.Fatalf("%d alerts: %+v", len(lost), lost)
		}
	})
}

// T64: also where the role can no longer be read when the event of the overwritten
// change is handled, or somebody keeps changing it.
func TestT64ALostUpdateIsToldOfWhereNobodyCanLook(t *testing.T) {
	t.Parallel()
	w, mended := losing(t, nil)
	w.readErr = fmt.Errorf("reading: %w", role.ErrAccessDenied)
	if res := w.settle(w.handle(mended)); res.End != ledger.Told || len(w.losts()) != 1 {
		t.Errorf("ended in %s, %d alerts about a lost update: %s", res.End, len(w.losts()), res.Reason)
	}
	w.settle(w.handle(mended))
	if len(w.losts()) != 1 {
		t.Errorf("%d alerts about one lost update", len(w.losts()))
	}
}
