package sweep_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/rolewarden/rolewarden/pkg/ledger"
	"github.com/rolewarden/rolewarden/pkg/role"
	"github.com/rolewarden/rolewarden/pkg/sweep"
)

// tighter is closed in another way, which is compliant too.
var tighter = strings.Replace(closed, "StringLike", "StringEquals", 1)

func organization(t testing.TB) *sweeping {
	s := newSweeping(newWorld(t, rulesFile))
	for _, name := range []string{"app", "batch", "ci", "data"} {
		s.put(prod, name, closed)
	}
	s.put(dev, "app", closed)
	return s
}

// swept is an organization that was swept before, all of whose news are told.
func swept(t testing.TB) *sweeping {
	s := organization(t)
	s.sweep()
	s.hand()
	s.one()
	s.calls, s.now = nil, s.now.Add(time.Hour)
	return s
}

// A change of which no event told is found by the next sweep, told by itself
// since the role was good before, and names nobody as its maker (T10).
func TestLostEventIsFoundByTheSweepAndBlamedOnNobody(t *testing.T) {
	s := swept(t)
	s.put(prod, "app", opened)
	s.sweep()
	s.hand()
	sum, others := s.one()
	if !says(sum, "1 role had changed without an event") || !says(sum, "1 role was good before and no longer is") || sum.Verdict != "Noncompliant" {
		t.Errorf("the summary says %q", sum.Decision.Reasons)
	}
	if len(others) != 1 || others[0].Role.ARN != "arn:aws:iam::111122223333:role/app" || others[0].Change == nil {
		t.Fatalf("%d alerts beside the summary: %+v", len(others), others)
	}
	c := others[0].Change
	if !strings.Contains(c.Actor, "nobody is known") || !strings.Contains(c.Actor, "no event told of it") || c.Event != "Sweep" || strings.Contains(c.EventID, "/") {
		t.Errorf("the alert tells of %+v", *c)
	}
	if text := others[0].Text(); !strings.Contains(text, "nobody is known: a sweep found it, and no event told of it") {
		t.Errorf("the alert's text is\n%s", text)
	}
	s.sweep()
	s.hand()
	if _, others := s.one(); len(others) > 0 {
		t.Errorf("the next sweep tells again: %+v", others)
	}
}

// The sweep has no writing credentials: what asks for a write is handed to
// guard, which writes it, and the sweep's hands stay off (design: two keys).
func TestSweepHandsWritesToGuard(t *testing.T) {
	s := newSweeping(newWorld(t, rulesFile+"baselines: {firstSightings: [\"111122223333\"]}\n"))
	s.put(prod, "app", closed)
	for range 2 {
		s.sweep()
		s.one()
		s.now = s.now.Add(25 * time.Hour)
	}
	s.put(prod, "app", opened)
	s.sweep()
	if s.writes() != 0 || len(s.steps) != 1 {
		t.Fatalf("the sweep wrote %d times and handed over %d steps: %v", s.writes(), len(s.steps), s.calls)
	}
	if sum, _ := s.one(); !says(sum, "1 role was handed to guard to be written") {
		t.Errorf("the summary says %q", sum.Decision.Reasons)
	}
	res := s.hand()
	if len(res) == 0 || res[0].End != ledger.Reverted || s.roles[key(prod, "app")].TrustPolicy != closed {
		t.Fatalf("guard ended it as %+v", res)
	}
	if _, others := s.summaries(); len(others) != 1 || others[0].Outcome.Done != "Revert" || !strings.Contains(others[0].Change.Actor, "nobody is known") {
		t.Errorf("told: %+v", others)
	}
}

// A sweep over an organization in which nothing happened leaves every role's
// record as it was, the canary's among them: only what the sweep keeps of itself
// is written.
func TestSweepOverAnUnchangedOrganizationWritesNothingOfRoles(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		s := newSweeping(newWorld(t, rulesFile))
		documents := []string{
			closed, tighter, opened, `{"Version":"2012-10-17","Statement":[]}`, "{",
			`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"AIDAGONE1111111111111"},"Action":"sts:AssumeRole"}]}`,
			`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","NotPrincipal":{"AWS":"arn:aws:iam::111122223333:user/alice"},"Action":"sts:AssumeRole"}]}`,
		}
		for i := range rapid.IntRange(0, 8).Draw(rt, "roles") {
			s.put(rapid.SampledFrom([]string{prod, dev}).Draw(rt, "account"), fmt.Sprintf("r%d", i), rapid.SampledFrom(documents).Draw(rt, "document"))
		}
		if rapid.Bool().Draw(rt, "alice is hidden") {
			s.hidden[alice] = true
		}
		s.pageSize = rapid.IntRange(1, 4).Draw(rt, "page size")
		// An id that a document shows is settled by the second reading.
		for range 2 {
			s.sweep()
			s.hand()
			s.now = s.now.Add(time.Hour)
		}
		before, writes, kept := s.snapshot(), s.writes(), s.saved["inhabitants"]
		s.sweep()
		if got := s.saved["inhabitants"]; got != kept {
			rt.Fatalf("who is known to be there was written down again: %d times, then %d", kept, got)
		}
		if len(s.steps) > 0 || s.writes() != writes {
			rt.Fatalf("the second sweep led to %d steps and %d writes", len(s.steps), s.writes()-writes)
		}
		if diff := cmp.Diff(before, s.snapshot()); diff != "" {
			rt.Fatalf("the second sweep changed what is remembered (-before +after):\n%s", diff)
		}
	})
}

// snapshot is all that the ledger remembers of the world's roles and users.
func (s *sweeping) snapshot() map[string]any {
	s.t.Helper()
	out := map[string]any{}
	for k, r := range s.roles {
		rec := s.recall(r.Account, r.Name)
		out[k] = rec
		ids, err := s.memory.Identities(context.Background(), r.ARN)
		if err != nil {
			s.t.Fatal(err)
		}
		out[k+" identities"] = ids
	}
	return out
}

// recorded is what a sweep leaves behind, without times, whatever it went through.
func (s *sweeping) recorded() map[string]string {
	out := map[string]string{}
	for k, v := range s.snapshot() {
		if rec, ok := v.(ledger.Recalled); ok {
			text := ""
			if st := rec.State; st != nil {
				text = fmt.Sprintf("%s %s %v %s %s", st.Digest, st.Verdict, st.OpenRules, st.Event.EventID, st.AlertID)
			}
			if c := rec.Candidate; c != nil {
				text += fmt.Sprintf(" candidate %s %v %s", c.Digest, c.Principals, c.Provenance)
			}
			for _, b := range rec.Baselines {
				text += fmt.Sprintf(" baseline %s %v %t", b.Digest, b.Principals, s.fits(b))
			}
			out[k] = text
		}
	}
	return out
}

// A run that ends at any call goes on where it was: the ledger is the same in the
// end, every role is counted once, and one summary is told.
func TestSweepResumesAfterACrashAtEveryCall(t *testing.T) {
	story := func(crashAt int) *sweeping {
		s := organization(t)
		s.put(dev, "open", opened)
		s.put(third, "far", closed)
		s.members, s.denied[third] = append(s.members, third), role.ErrAccessDenied
		s.sweep()
		s.hand()
		s.one()
		// A day later: candidates are due, a good role is bad, and one is new.
		s.now = s.now.Add(25 * time.Hour).Truncate(time.Hour)
		s.put(prod, "app", opened)
		s.put(prod, "fresh", tighter)
		s.n, s.crashAt = 0, crashAt
		s.sweep()
		s.crashAt, s.crashed = 0, false
		s.hand()
		return s
	}
	want := story(0)
	calls := want.n
	wantSum, wantOthers := want.one()
	for at := 1; at <= calls; at++ {
		got := story(at)
		summaries, others := got.summaries()
		for _, a := range summaries[1:] {
			if a.ID != summaries[0].ID || len(summaries) > 2 {
				t.Errorf("a crash at call %d of %d: %d summaries", at, calls, len(summaries))
			}
		}
		sum := summaries[0]
		if diff := cmp.Diff(want.recorded(), got.recorded()); diff != "" {
			t.Fatalf("a crash at call %d of %d leaves something else (-want +got):\n%s", at, calls, diff)
		}
		if !slices.Equal(sum.Decision.Reasons[:1], wantSum.Decision.Reasons[:1]) || len(sum.Findings) != len(wantSum.Findings) || sum.Verdict != wantSum.Verdict {
			t.Errorf("a crash at call %d of %d: the summary says %q, want %q", at, calls, sum.Decision.Reasons, wantSum.Decision.Reasons)
		}
		// A crash between telling and its record tells the same alert once more (I7).
		told := map[string]bool{}
		for _, a := range others {
			told[a.ID+a.State.String()] = true
		}
		if len(told) != len(wantOthers) || len(others) > len(told)+1 {
			t.Errorf("a crash at call %d of %d: %d alerts beside the summary, %d of them different, want %d", at, calls, len(others), len(told), len(wantOthers))
		}
	}
	t.Logf("%d crash points", calls)
}

// A sweep that has too little time at every run stops before it is stopped, goes
// on in the next, and comes to its end all the same.
func TestSweepStopsBeforeItsDeadlineAndGoesOn(t *testing.T) {
	for limit, kept := range map[time.Duration]time.Duration{
		3 * time.Second: time.Second, 26 * time.Second: 26 * time.Second / 3, 90 * time.Second: sweep.DefaultReserve,
	} {
		t.Run(limit.String(), func(t *testing.T) {
			s := organization(t)
			for i := range 40 {
				s.put(prod, fmt.Sprintf("r%02d", i), closed)
			}
			s.pageSize = 50
			// Every reading of a role takes two seconds.
			const reading = 2 * time.Second
			s.reading = func(call string) {
				if call == "GetRole" {
					s.now = s.now.Add(reading)
				}
			}
			s.begin()
			runs := 0
			for ; len(s.queue) > 0; runs++ {
				q := s.queue[0]
				s.queue = s.queue[1:]
				if q.due.After(s.now) {
					s.now = q.due
				}
				start := s.now
				if _, err := s.sweeper().Handle(deadline{t.Context(), start.Add(limit)}, q.message, 1); err != nil {
					t.Fatalf("run %d: %v", runs, err)
				}
				if took := s.now.Sub(start); took > limit-kept+2*reading {
					t.Fatalf("run %d took %s of %s", runs, took, limit)
				}
			}
			sum, _ := s.one()
			if least := int(45 * reading / (limit - kept + 2*reading)); runs < least || !says(sum, "A sweep read 45 roles in 2 accounts") {
				t.Errorf("after %d runs the summary says %q", runs, sum.Decision.Reasons)
			}
		})
	}
}

// deadline is a context whose deadline is in the world's time and ends nothing.
type deadline struct {
	context.Context
	at time.Time
}

func (d deadline) Deadline() (time.Time, bool) { return d.at, true }
