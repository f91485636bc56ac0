package guard_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rolewarden/rolewarden/pkg/guard"
	"github.com/rolewarden/rolewarden/pkg/ledger"
	"github.com/rolewarden/rolewarden/pkg/meter"
	"github.com/rolewarden/rolewarden/pkg/org"
	"github.com/rolewarden/rolewarden/pkg/role"
	"github.com/rolewarden/rolewarden/pkg/trail"
)

// alarms are the log's lines that are alarms.
func (w *world) alarms() []map[string]any {
	w.t.Helper()
	var out []map[string]any
	for line := range strings.Lines(w.log.String()) {
		var l map[string]any
		if err := json.Unmarshal([]byte(line), &l); err != nil {
			w.t.Fatalf("%s: %v", line, err)
		}
		if l[meter.Key] != nil {
			out = append(out, l)
		}
	}
	return out
}

// Whatever keeps rolewarden from reading or writing raises one alarm under a
// word of its own, which says where to look: a gap in the coverage, a limit,
// the kill switch, or a role that people have to see to (T14, T68, T84).
func TestWhatKeepsRolewardenFromItsWorkIsLoggedUnderItsOwnWord(t *testing.T) {
	for name, row := range map[string]struct {
		arrange func(*world)
		word    string
	}{
		"nothing does":                       {arrange: func(*world) {}},
		"the role may not be read":           {func(w *world) { w.readErr = fmt.Errorf("assuming: %w", role.ErrAccessDenied) }, "read-denied"},
		"a limit is used up":                 {func(w *world) { w.rules.Limits.PerAccountPerHour = 0 }, "breaker-tripped writes-stopped-by-limit"},
		"no limit is left, for tags neither": {func(w *world) { w.rules.Limits.PerHour, w.rules.Limits.TagsPerHour = 0, 0 }, "breaker-tripped writes-stopped-by-limit"},
		"the kill switch stops":              {func(w *world) { w.stop() }, "writes-stopped-by-switch"},
		"the kill switch cannot be read":     {func(w *world) { w.ledger.switchErr = errors.New("no answer") }, strings.Repeat("kill-switch-unreadable ", 5)}, // one for each try
		"the role is protected":              {func(w *world) { w.rules.Protected = []string{"arn:aws:iam::111122223333:role/app"} }, "held"},
		"the role may not be written":        {func(w *world) { w.openErr = fmt.Errorf("assuming: %w", role.ErrAccessDenied) }, "held"},
		"IAM refuses the document":           {func(w *world) { w.writeErr = fmt.Errorf("writing: %w", role.ErrLimit) }, "held"},
		"somebody else writes at that time (T64)": {func(w *world) {
			w.reading = func() {
				if w.writes() > 0 {
					w.put(prod, "app", "AROAAPP1111111111111", strings.Replace(opened, foreign, "888888888888", 1))
				}
			}
		}, "write-incomplete"},
	} {
		t.Run(name, func(t *testing.T) {
			w := withBaseline(t, rulesFile)
			w.log.Reset()
			row.arrange(w)
			res := w.settle(w.open("ev2"))
			alarms := w.alarms()
			if row.word == "" {
				if len(alarms) > 0 || res.End != ledger.Reverted {
					t.Errorf("ended in %s with %v", res.End, alarms)
				}
				return
			}
			words := strings.Fields(row.word)
			if len(alarms) != len(words) {
				t.Fatalf("%d alarms:\n%s", len(alarms), w.log.String())
			}
			for i, a := range alarms[:len(words)-1] {
				if a["alarm"] != words[i] {
					t.Errorf("alarm %d is %v", i, a)
				}
			}
			a := alarms[len(words)-1]
			if a["alarm"] != words[len(words)-1] || a["event_id"] != "ev2" || a["account"] != prod || !strings.Contains(fmt.Sprint(a["role"]), "app") || a["reason"] == "" || a["reason"] == nil || a["action"] == nil {
				t.Errorf("the alarm says %v", a)
			}
			if len(w.told) != 1 {
				t.Errorf("%d alerts", len(w.told))
			}
		})
	}
}

// T4: what nobody can judge is trouble, not a gap in the coverage.
func TestAnEventThatCannotBeJudgedIsTrouble(t *testing.T) {
	w := newWorld(t, rulesFile)
	w.handle([]byte(strings.Replace(string(w.updated("ev2", "app", opened)), `"recipientAccountId":"111122223333"`, `"recipientAccountId":"444455556666"`, 1)))
	if a := w.alarms(); len(a) != 1 || a[0]["alarm"] != "trouble" || a[0]["event_id"] != "ev2" {
		t.Errorf("alarms %v", a)
	}
}

// T84: a role that trusted a deleted user, in an account that nobody may read
// any more, is told of and raises the alarm of a gap in the coverage.
func TestAnUnreadableRoleBehindADeletionIsAGapInTheCoverage(t *testing.T) {
	w := withBaseline(t, rulesFile)
	w.readErr = fmt.Errorf("assuming: %w", role.ErrAccessDenied)
	res := w.handle(w.event("DeleteUser", "ev-del", map[string]any{"userName": "alice"}, nil))
	if a := w.alarms(); len(a) != 1 || a[0]["alarm"] != "read-denied" || a[0]["event_id"] != "ev-del" || a[0]["role"] != "arn:aws:iam::111122223333:role/app" {
		t.Errorf("ended in %s, alarms %v", res.End, a)
	}
}

// A doubt that a later look may settle is no alarm yet: one that does not pass is.
func TestADoubtThatPassesRaisesNoAlarm(t *testing.T) {
	w := withBaseline(t, rulesFile)
	w.log.Reset()
	w.memberErr = fmt.Errorf("asking: %w", role.ErrThrottled)
	named := strings.Replace(closed, "111122223333:user/alice", foreign+":root", 1)
	w.put(prod, "app", "AROAAPP1111111111111", named)
	res := w.handle(w.updated("ev2", "app", named))
	w.memberErr = nil
	if res = w.settle(res); res.End != ledger.Reverted || len(w.alarms()) != 0 {
		t.Errorf("ended in %s with the alarms %v", res.End, w.alarms())
	}
	w.memberErr, w.members = fmt.Errorf("asking: %w", role.ErrAccessDenied), map[string]org.Membership{}
	w.put(prod, "app", "AROAAPP1111111111111", named)
	if res = w.settle(w.handle(w.updated("ev3", "app", named))); len(w.alarms()) != 1 || w.alarms()[0]["alarm"] != "held" {
		t.Errorf("ended in %s with the alarms %v", res.End, w.alarms())
	}
}

// Every line of the log has the same keys for the same things, so that one
// query finds all that was said of an event, a role or an account.
func TestTheLogHasFixedKeys(t *testing.T) {
	known := map[string]bool{"time": true, "level": true, "msg": true, "alarm": true, "event_id": true, "event": true, "account": true, "role": true, "rule": true, "action": true, "reason": true, "principal": true}
	w := withBaseline(t, rulesFile)
	w.open("ev2")
	w.handle([]byte(strings.Replace(string(w.updated("ev3", "app", opened)), `"eventID"`, `"errorCode":"AccessDenied","eventID"`, 1)))
	w.memberErr, w.rules.Limits.PerHour = role.ErrAccessDenied, 0
	w.open("ev4")
	w.ledger.concludeErr = errors.New("no answer")
	if _, err := w.guard.Handle(t.Context(), w.updated("ev7", "app", opened)); err == nil {
		t.Error("an event ended that the ledger did not record")
	}
	w.ledger.concludeErr = nil
	w.hidden, w.readErr = "arn:aws:iam::111122223333:user/alice", role.ErrAccessDenied
	w.settle(w.open("ev5"))
	w.handle(w.event("DeleteUser", "ev6", map[string]any{"userName": "alice"}, nil))
	for line := range strings.Lines(w.log.String()) {
		var l map[string]any
		if err := json.Unmarshal([]byte(line), &l); err != nil {
			t.Fatal(err)
		}
		for key := range l {
			if !known[key] {
				t.Errorf("the key %q of %s is new: name the thing as the other lines do", key, line)
			}
		}
	}
	if strings.Count(w.log.String(), "\n") < 5 {
		t.Errorf("the log holds little:\n%s", w.log.String())
	}
}

// The measured time runs from the event, waiting included, and only once: not
// for what asked for nothing, was handled before, or is looked at without an event.
func TestLatencyRunsFromTheEventToItsEnd(t *testing.T) {
	at := time.Date(2026, 8, 11, 12, 0, 0, 0, time.UTC)
	change := trail.Change{EventID: "ev1", Account: prod, Time: at}
	key := ledger.Key{Account: prod, EventID: "ev1"}
	standing := change
	standing.EventID += "#stands"
	for name, row := range map[string]struct {
		res  guard.Result
		want time.Duration
	}{
		"an end":              {guard.Result{Key: key, Change: change, End: ledger.Told}, 90 * time.Second},
		"a later step":        {guard.Result{Key: key, Change: change}, -1},
		"handled before":      {guard.Result{Key: key, Change: change, End: ledger.Told, Ignored: "handled before"}, -1},
		"a time nobody knows": {guard.Result{Key: key, Change: trail.Change{EventID: "ev1"}, End: ledger.Rejected}, -1},
		"no event of its own": {guard.Result{Key: ledger.Key{Account: prod, EventID: standing.EventID}, Change: standing, End: ledger.Told}, -1},
	} {
		got, ok := row.res.Latency(at.Add(90 * time.Second))
		if !ok {
			got = -1
		}
		if diff := cmp.Diff(row.want, got); diff != "" {
			t.Errorf("%s (-want +got): %s", name, diff)
		}
	}
}
