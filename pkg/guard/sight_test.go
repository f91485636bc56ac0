package guard_test

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rolewarden/rolewarden/pkg/alert"
	"github.com/rolewarden/rolewarden/pkg/decision"
	"github.com/rolewarden/rolewarden/pkg/finding"
	"github.com/rolewarden/rolewarden/pkg/guard"
	"github.com/rolewarden/rolewarden/pkg/ledger"
	"github.com/rolewarden/rolewarden/pkg/role"
)

// sweepers is a guard that may not write, over the same world.
func (w *world) sweepers() *guard.Guard {
	w.t.Helper()
	g, err := guard.New(guard.Config{
		Rules: w.rules, Reader: w, Writers: guard.HandsOff{}, Members: w, Ledger: w.ledger, Channel: w, Later: w,
		Now:  func() time.Time { return w.now },
		Wait: func(_ context.Context, d time.Duration) error { w.now = w.now.Add(d); return nil },
		Log:  slog.New(slog.NewJSONHandler(&w.log, nil)),
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return g
}

// sight has a guard see a role as a sweep does.
func (w *world) sight(g *guard.Guard, sweep string, v guard.Voice) guard.Result {
	w.t.Helper()
	r := w.live(prod, "app")
	res, err := g.Sight(w.t.Context(), guard.Sighting{Sweep: sweep, Role: r, At: w.now, Voice: v})
	if err != nil {
		w.t.Fatal(err)
	}
	return res
}

func (w *world) recalled() ledger.Recalled {
	w.t.Helper()
	r, err := w.ledger.Recall(w.t.Context(), prod, appID)
	if err != nil {
		w.t.Fatal(err)
	}
	return r
}

// A role about which nothing is new is not written down: not even that it was
// seen. Nor is it read once more.
func TestSightingOfAnUnchangedRoleWritesNothing(t *testing.T) {
	for name, spoil := range map[string]func(*world){
		"a good role":            func(w *world) {},
		"a bad one that is told": func(w *world) { w.settle(w.open("ev-open")); w.quiet() },
	} {
		t.Run(name, func(t *testing.T) {
			w := withBaseline(t, strings.Replace(rulesFile, "enforce", "observe", 1))
			spoil(w)
			w.now = w.now.Add(time.Hour)
			before := w.recalled()
			w.calls, w.told, w.ledger.n = nil, nil, 0
			res := w.sight(w.sweepers(), "s1", guard.Aloud)
			if res.Ignored == "" || res.Concluded() || len(w.told)+len(w.steps) > 0 || slices.Contains(w.calls, "GetRole") {
				t.Errorf("it led to %s %s, %d alerts, calls %v", res.End, res.Reason, len(w.told), w.calls)
			}
			// One reading of what is remembered is all that it asks of the ledger.
			n := w.ledger.n
			if diff := cmp.Diff(before, w.recalled()); diff != "" || n != 1 {
				t.Errorf("%d calls of the ledger, and what is remembered changed:\n%s", n, diff)
			}
		})
	}
}

// What a sweep found ends exactly once, is blamed on nobody, and counts for no
// latency: no event told when it happened.
func TestSightingEndsOnceAndNamesNobody(t *testing.T) {
	w := newWorld(t, strings.Replace(rulesFile, "enforce", "observe", 1))
	w.put(prod, "app", appID, opened)
	g := w.sweepers()
	res := w.sight(g, "s1", guard.Aloud)
	if res.End != ledger.Told || len(w.told) != 1 {
		t.Fatalf("it ended in %s, %d alerts", res.End, len(w.told))
	}
	if d, ok := res.Latency(w.now); ok {
		t.Errorf("it counts a latency of %s", d)
	}
	c := w.told[0].Change
	if c == nil || !strings.HasPrefix(c.Actor, "nobody is known") || c.EventID != "s1" || c.Event != "Sweep" || c.Tool != "" || c.SourceIP != "" {
		t.Errorf("the alert tells of %+v", c)
	}
	if s := w.recalled().State; s == nil || s.Actor != "" || !guard.Unwitnessed(s.Event.EventID) || !guard.SeenBy(s.Event.EventID, "s1") || guard.SeenBy(s.Event.EventID, "s") {
		t.Errorf("what is remembered: %+v", s)
	}
	if len(w.steps) > 0 {
		t.Errorf("a second look is asked for, which is the sweep's to take: %+v", w.steps)
	}
	if again := w.sight(g, "s1", guard.Aloud); again.Ignored == "" || len(w.told) != 1 {
		t.Errorf("seen again: %+v, %d alerts", again, len(w.told))
	}
	if guard.Unwitnessed("5e1b9f0c-0000-4000-8000-000000000001") {
		t.Error("CloudTrail's own event counts as none of its")
	}
}

// Quietly nothing is told and nothing counts as told; what resolves an alert that
// is open is told all the same.
func TestQuietSightingIsLeftToTheSummary(t *testing.T) {
	w := newWorld(t, strings.Replace(rulesFile, "enforce", "observe", 1))
	w.put(prod, "app", appID, opened)
	res := w.sight(w.sweepers(), "s1", guard.Quietly)
	if len(w.told) != 0 || len(res.Untold) != 1 || res.Untold[0].Role.ID != appID || res.End != ledger.Told {
		t.Fatalf("%d told, %d left to the summary, ended in %s", len(w.told), len(res.Untold), res.End)
	}
	if s := w.recalled().State; s.AlertID != "" {
		t.Errorf("an alert nobody saw is open: %+v", s)
	}
	if waiting, err := w.ledger.Undelivered(t.Context(), 9); err != nil || len(waiting) > 0 {
		t.Errorf("%d letters wait, %v", len(waiting), err)
	}
	// The same role, told aloud by an event, is good again when a sweep sees it.
	w.settle(w.handle(w.updated("ev-1", "app", strings.Replace(opened, "root", "user/mallory", 1))))
	w.put(prod, "app", appID, strings.Replace(opened, "root", "user/mallory", 1))
	w.settle(w.handle(w.updated("ev-2", "app", w.live(prod, "app").TrustPolicy)))
	if len(w.told) == 0 {
		t.Fatal("the event was not told")
	}
	w.put(prod, "app", appID, closed)
	w.told, w.now = nil, w.now.Add(time.Hour)
	w.sight(w.sweepers(), "s2", guard.Quietly)
	if len(w.told) != 1 || w.told[0].State != alert.Resolved {
		t.Errorf("told: %+v", w.told)
	}
}

// Who sweeps opens no writing session: the role goes to the later queue, and
// whoever handles that writes, under the same event, once, and tells of it
// though the sweep was to be quiet.
func TestSightedRoleIsWrittenByWhoMay(t *testing.T) {
	w := withBaseline(t, rulesFile)
	w.put(prod, "app", appID, opened)
	w.now = w.now.Add(time.Hour)
	res := w.sight(w.sweepers(), "s1", guard.Quietly)
	if res.End != ledger.InFlight || len(w.steps) != 1 || slices.Contains(w.calls, "Writer") || w.writes() != 0 {
		t.Fatalf("it led to %+v, %d steps, calls %v", res, len(w.steps), w.calls)
	}
	if s := w.steps[0]; s.Step != guard.Sighted || s.Voice != guard.Quietly || s.Sweep != "s1" || s.Change.Document != "" {
		t.Errorf("the step is %+v", s)
	}
	// The sweep sees it again before guard gets to it, and hands it over again.
	w.sight(w.sweepers(), "s1", guard.Quietly)
	var ends []ledger.End
	for len(w.steps) > 0 {
		ends = append(ends, w.due().End)
	}
	if !slices.Contains(ends, ledger.Reverted) || w.live(prod, "app").TrustPolicy != closed {
		t.Errorf("it ended in %v, the role shows %s", ends, w.live(prod, "app").TrustPolicy)
	}
	n := 0
	for _, c := range w.calls {
		if c == "UpdateAssumeRolePolicy" {
			n++
		}
	}
	if n != 1 || len(w.told) != 1 || w.told[0].Outcome.Done != decision.Revert.String() {
		t.Errorf("%d writes; told: %+v", n, w.told)
	}
	if _, err := (guard.HandsOff{}).Writer(t.Context(), role.Role{}, decision.Decision{}); !errors.Is(err, role.ErrAccessDenied) {
		t.Errorf("a sweep's session: %v", err)
	}
}

// A reading that lags behind an event leads to nothing, and an event that is
// handled late, about what happened just before a sighting, is still the later one.
func TestEventWinsOverASightingNearIt(t *testing.T) {
	w := newWorld(t, strings.Replace(rulesFile, "enforce", "observe", 1))
	w.put(prod, "app", appID, opened)
	w.sight(w.sweepers(), "s1", guard.Quietly)
	// Bob's event happened twenty seconds before the sighting, and comes after it.
	at := w.now.Add(-20 * time.Second)
	w.now = w.now.Add(time.Minute)
	res := w.settle(w.handle(w.eventAt(at, "UpdateAssumeRolePolicy", "ev-bob", map[string]any{"roleName": "app", "policyDocument": opened}, nil)))
	if s := w.recalled().State; res.End != ledger.Told || s.Event.EventID != "ev-bob" || s.Actor != "arn:aws:iam::111122223333:user/bob" {
		t.Errorf("it ended in %s (%s), and is remembered as %+v", res.End, res.Reason, s)
	}
	if len(w.told) != 1 || !strings.Contains(w.told[0].Change.Actor, "bob") {
		t.Errorf("told: %+v", w.told)
	}
	// A sweep's page still shows what was before Bob.
	before := w.recalled()
	stale := w.live(prod, "app")
	stale.TrustPolicy = closed
	got, err := w.sweepers().Sight(t.Context(), guard.Sighting{Sweep: "s2", Role: stale, At: w.now})
	if err != nil || got.Ignored == "" {
		t.Errorf("a reading that lags: %+v, %v", got, err)
	}
	if diff := cmp.Diff(before, w.recalled()); diff != "" {
		t.Errorf("it changed what is remembered:\n%s", diff)
	}
}

// A role that is gone, was made anew or may not be read is concluded upon by
// nobody.
func TestSightingThatCannotBeConfirmedConcludesNothing(t *testing.T) {
	for name, c := range map[string]struct {
		spoil  func(*world)
		failed error
	}{
		"gone":      {spoil: func(w *world) { delete(w.roles, prod+"/app") }},
		"made anew": {spoil: func(w *world) { w.put(prod, "app", "AROANEW11111111111111", opened) }},
		"forbidden": {func(w *world) { w.readErr = role.ErrAccessDenied }, role.ErrAccessDenied},
		"throttled": {func(w *world) { w.readErr = role.ErrThrottled }, role.ErrThrottled},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, rulesFile)
			w.put(prod, "app", appID, opened)
			seen := w.live(prod, "app")
			c.spoil(w)
			res, err := w.sweepers().Sight(t.Context(), guard.Sighting{Sweep: "s1", Role: seen, At: w.now})
			if !errors.Is(err, c.failed) || res.Concluded() || len(w.told)+len(w.steps) > 0 || w.ledger.n != 1 {
				t.Errorf("%s, %v, %d alerts, %d steps, %d calls of the ledger", res.Reason, err, len(w.told), len(w.steps), w.ledger.n)
			}
		})
	}
}

// What is new of a role is called by its name.
func TestNewsOfARoleHaveNames(t *testing.T) {
	w := withBaseline(t, rulesFile)
	look := func(r role.Role) guard.Look {
		t.Helper()
		l, err := w.sweepers().Look(t.Context(), r)
		if err != nil {
			t.Fatal(err)
		}
		return l
	}
	r := w.live(prod, "app")
	if l := look(r); l.News != guard.NoNews || l.Worse() {
		t.Errorf("a role like it was is %s", l.News)
	}
	changed := r
	changed.TrustPolicy = opened
	if l := look(changed); l.News != guard.Redocumented || !l.Worse() || l.Report.Verdict != finding.Noncompliant {
		t.Errorf("a changed one is %s, worse %t", l.News, l.Worse())
	}
	tagged := r
	tagged.Tags = map[string]string{"Rolewarden:State": "noncompliant"}
	if l := look(tagged); l.News != guard.Leftover {
		t.Errorf("a good one with our tags is %s", l.News)
	}
	other := r
	other.ID = "AROAOTHER1111111111"
	if l := look(other); l.News != guard.FirstSeen || l.Worse() {
		t.Errorf("one that nobody saw is %s", l.News)
	}
	broken := r
	broken.TrustPolicy = "{"
	if l := look(broken); l.News != guard.Redocumented || l.Report.Verdict != finding.Undecided {
		t.Errorf("one that is no policy is %s, %s", l.News, l.Report.Verdict)
	}
	for n := guard.NoNews; n <= guard.Leftover; n++ {
		if strings.HasSuffix(n.String(), "?") {
			t.Errorf("%d has no name", n)
		}
	}
}
