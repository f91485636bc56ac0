package guard_test

import (
	"errors"
	"fmt"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/rolewarden/rolewarden/pkg/ledger"
	"github.com/rolewarden/rolewarden/pkg/remediate"
	"github.com/rolewarden/rolewarden/pkg/role"
)

// untagged is a role without a past whose quarantine was written by a handling
// that ended before the tags, and the event that comes again. It gives the tags
// that are lacking.
func untagged(t *testing.T) (w *world, body []byte, tags map[string]string) {
	t.Helper()
	w = newWorld(t, rulesFile)
	w.put(prod, "app", appID, opened)
	r := w.live(prod, "app")
	r.Created = w.now
	w.roles[prod+"/app"] = r
	body = w.created("ev1", "app", opened)
	w.ledger.concludeErr = errors.New("the process ended")
	if _, err := w.guard.Handle(t.Context(), body); err == nil {
		t.Fatal("it ended")
	}
	w.ledger.concludeErr = nil
	tags = maps.Clone(w.live(prod, "app").Tags)
	if len(tags) != len(remediate.TagKeys()) || !remediate.IsQuarantine(w.live(prod, "app").TrustPolicy) {
		t.Fatalf("the role is %+v", w.live(prod, "app"))
	}
	clear(w.live(prod, "app").Tags)
	w.calls = nil
	return w, body, tags
}

// A quarantine whose handling ended between the document and the tags gets them
// when the message comes again, by a write of tags alone.
func TestAQuarantineGetsTheTagsThatACrashLeftOut(t *testing.T) {
	w, body, tags := untagged(t)
	res := w.settle(w.handle(body))
	if res.End != ledger.Quarantined || !maps.Equal(w.live(prod, "app").Tags, tags) || w.trust() != 0 || w.writes() != 1 {
		t.Fatalf("ended in %s with the tags %v after %v", res.End, w.live(prod, "app").Tags, w.calls)
	}
	if len(w.told) != 1 || w.told[0].Outcome.Problem != "" {
		t.Errorf("told %+v", w.told)
	}
	w.quiet()
}

// Tags that somebody set before are those of another finding: they are put right too.
func TestAQuarantineReplacesTheTagsOfWhatWasFoundBefore(t *testing.T) {
	w, body, tags := untagged(t)
	w.live(prod, "app").Tags[remediate.TagState] = "noncompliant"
	w.settle(w.handle(body))
	if got := w.live(prod, "app").Tags; !maps.Equal(got, tags) {
		t.Errorf("the tags are %v, want %v", got, tags)
	}
}

// What stops every other write stops these tags too, and is told.
func TestTagsAreNotSetLateAgainstTheSwitchOrALimit(t *testing.T) {
	for name, stop := range map[string]func(w *world){
		"the kill switch":           func(w *world) { w.stop() },
		"the switch is not read":    func(w *world) { w.ledger.switchErr = errors.New("no answer") },
		"the limit of tags":         func(w *world) { w.rules.Limits.TagsPerHour = 0 },
		"IAM, for good":             func(w *world) { w.onTag = func() error { return fmt.Errorf("tagging: %w", role.ErrAccessDenied) } },
		"IAM, for longer than wait": func(w *world) { w.onTag = func() error { return fmt.Errorf("tagging: %w", role.ErrThrottled) } },
	} {
		t.Run(name, func(t *testing.T) {
			w, body, _ := untagged(t)
			stop(w)
			res := w.settle(w.handle(body))
			if res.End != ledger.Quarantined || w.writes() != 0 {
				t.Fatalf("ended in %s after %v", res.End, w.calls)
			}
			if len(w.told) != 1 || !strings.Contains(w.told[0].Outcome.Problem, "tags were not set") {
				t.Errorf("told %+v", w.told)
			}
			w.quiet()
		})
	}
}

// What passes by itself is waited for.
func TestTagsAreSetLateOnceIAMTakesThem(t *testing.T) {
	w, body, tags := untagged(t)
	tries := 0
	w.onTag = func() error {
		if tries++; tries == 1 {
			return fmt.Errorf("tagging: %w", role.ErrThrottled)
		}
		return nil
	}
	res := w.settle(w.handle(body))
	if res.End != ledger.Quarantined || !maps.Equal(w.live(prod, "app").Tags, tags) || len(w.told) != 1 || w.told[0].Outcome.Problem != "" {
		t.Errorf("ended in %s with the tags %v, told %+v", res.End, w.live(prod, "app").Tags, w.told)
	}
}

// A quarantine of another decision is not taken for the one that an interrupted
// handling wrote: its tags stay, and people hear that the write was overwritten.
func TestAnotherDecisionsQuarantineIsNotTakenForItsOwn(t *testing.T) {
	w := newWorld(t, rulesFile)
	w.put(prod, "app", appID, opened)
	body := w.created("ev1", "app", opened)
	w.crash(body)
	w.now = w.now.Add(2 * time.Minute)
	public := strings.Replace(opened, "arn:aws:iam::999999999999:root", "*", 1)
	w.put(prod, "app", appID, public)
	if res := w.settle(w.handle(w.updated("ev2", "app", public))); res.End != ledger.Quarantined {
		t.Fatalf("ended in %s", res.End)
	}
	before, writes := w.live(prod, "app"), w.writes()
	w.settle(w.handle(body))
	if now := w.live(prod, "app"); now.TrustPolicy != before.TrustPolicy || !maps.Equal(now.Tags, before.Tags) || w.writes() != writes {
		t.Errorf("%d more writes, tags %v", w.writes()-writes, now.Tags)
	}
	last := w.told[len(w.told)-1]
	if last.Outcome.Verified || !strings.Contains(last.Text(), "Somebody has changed the role since") {
		t.Errorf("told last:\n%s", last.Text())
	}
	w.quiet()
}
