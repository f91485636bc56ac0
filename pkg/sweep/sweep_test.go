package sweep_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/rolewarden/rolewarden/pkg/alert"
	"github.com/rolewarden/rolewarden/pkg/decision"
	"github.com/rolewarden/rolewarden/pkg/finding"
	"github.com/rolewarden/rolewarden/pkg/ledger"
	"github.com/rolewarden/rolewarden/pkg/meter"
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
		documents := []string{closed, tighter, opened, `{"Version":"2012-10-17","Statement":[]}`, "{",
			`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"AIDAGONE1111111111111"},"Action":"sts:AssumeRole"}]}`,
			`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","NotPrincipal":{"AWS":"arn:aws:iam::111122223333:user/alice"},"Action":"sts:AssumeRole"}]}`}
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

// A sweep that has too little time at every run comes to its end all the same.
func TestSweepStopsBeforeItsDeadlineAndGoesOn(t *testing.T) {
	s := organization(t)
	for i := range 40 {
		s.put(prod, fmt.Sprintf("r%02d", i), closed)
	}
	s.pageSize = 50
	// Every reading of a role takes two seconds, and a run has 26, six of them to
	// spare.
	s.reading = func(call string) {
		if call == "GetRole" {
			s.now = s.now.Add(2 * time.Second)
		}
	}
	s.begin()
	runs := 0
	for len(s.queue) > 0 {
		q := s.queue[0]
		s.queue = s.queue[1:]
		if q.due.After(s.now) {
			s.now = q.due
		}
		runs++
		s.deadline = s.now.Add(sweep.DefaultReserve + 6*time.Second)
		start := s.now
		if _, err := s.sweeper().Handle(deadline{t.Context(), s.deadline}, q.message, 1); err != nil {
			t.Fatalf("run %d: %v", runs, err)
		}
		if s.now.After(s.deadline.Add(-sweep.DefaultReserve + 10*time.Second)) {
			t.Fatalf("run %d ended %s after it began", runs, s.now.Sub(start))
		}
	}
	sum, _ := s.one()
	if runs < 10 || !says(sum, "A sweep read 45 roles in 2 accounts") {
		t.Errorf("after %d runs the summary says %q", runs, sum.Decision.Reasons)
	}
}

// deadline is a context whose deadline is in the world's time and ends nothing.
type deadline struct {
	context.Context
	at time.Time
}

func (d deadline) Deadline() (time.Time, bool) { return d.at, true }

// An account that the rules file does not list is swept and named, and one that
// cannot be read is an alarm and an alert, never silence (T14, T84).
func TestAccountThatCannotBeReadIsAnAlarmAndAnAlert(t *testing.T) {
	s := organization(t)
	s.members = append(s.members, third, "222222222222")
	s.put(third, "open", opened)
	s.denied["222222222222"] = role.ErrAccessDenied
	s.sweep()
	sum, others := s.one()
	if !says(sum, "2 accounts are in the organization and not in the rules file") || !says(sum, third) {
		t.Errorf("the summary says %q", sum.Decision.Reasons)
	}
	if sum.Verdict != "Undecided" || sum.Severity() != "high" || !says(sum, "Account 222222222222 was not read to its end") || !says(sum, "A sweep read 6 roles in 3 of 4 accounts") {
		t.Errorf("the summary is %s, %s: %q %q", sum.Verdict, sum.Severity(), sum.Decision.Reasons, sum.Reasons)
	}
	if len(others) != 1 || others[0].Account != "222222222222" || !strings.Contains(others[0].Headline(), "may go unseen") {
		t.Errorf("beside it was told: %+v", others)
	}
	if !strings.Contains(s.log.String(), `"alarm":"coverage-gap"`) {
		t.Error("no alarm was logged")
	}
	// The same thread tells of it at the next sweep.
	s.now = s.now.Add(time.Hour)
	s.sweep()
	if _, again := s.one(); len(again) != 1 || again[0].ID != others[0].ID {
		t.Errorf("the next sweep tells %+v", again)
	}
}

// An account that left the organization is named, and is swept as long as the
// rules file trusts it (T15).
func TestAccountThatLeftTheOrganizationIsNamed(t *testing.T) {
	s := organization(t)
	s.members = []string{prod}
	s.sweep()
	if sum, _ := s.one(); !says(sum, "1 account is in the rules file and not active in the organization") || !says(sum, dev) || !says(sum, "roles in 2 accounts") {
		t.Errorf("the summary says %q", sum.Decision.Reasons)
	}
}

// Where Organizations does not answer, the rules file's accounts are swept, and
// nobody calls that the whole.
func TestSweepWithoutOrganizationsCoversTheRulesFileAndSaysSo(t *testing.T) {
	s := organization(t)
	s.memberErr = fmt.Errorf("listing accounts: %w", role.ErrAccessDenied)
	s.sweep()
	sum, _ := s.one()
	if sum.Verdict != "Undecided" || !says(sum, "could not all be listed") || !says(sum, "5 roles in 2 accounts") || !strings.Contains(s.log.String(), `"alarm":"coverage-gap"`) {
		t.Errorf("the summary is %s: %q %q", sum.Verdict, sum.Decision.Reasons, sum.Reasons)
	}
	// No organization, no list: nothing could be swept, which is an error.
	s.setRules("version: 1\n")
	s.members = nil
	if _, err := s.sweeper().Begin(t.Context(), "x"); err == nil || !strings.Contains(err.Error(), "there is none") {
		t.Errorf("a sweep of nothing begins: %v", err)
	}
}

// Many accounts that cannot be read are one breakage: ten alerts, and one
// summary that counts them all.
func TestManyGapsAreNoFlood(t *testing.T) {
	s := organization(t)
	for i := range 40 {
		id := fmt.Sprintf("5555555555%02d", i)
		s.members, s.denied[id] = append(s.members, id), role.ErrAccessDenied
	}
	s.sweep()
	sum, others := s.one()
	if len(others) != 10 || !says(sum, "in 2 of 42 accounts") || !says(sum, "more accounts were not read to their end") {
		t.Errorf("%d alerts, and %q %q", len(others), sum.Decision.Reasons, sum.Reasons)
	}
	if n := strings.Count(s.log.String(), `"alarm":"coverage-gap"`); n != 40 {
		t.Errorf("%d alarms, want 40", n)
	}
}

// A first sweep over hundreds of bad roles is one message.
func TestFirstSweepOverBadRolesIsOneMessage(t *testing.T) {
	s := organization(t)
	for i := range 300 {
		s.put(dev, fmt.Sprintf("bad%03d", i), opened)
	}
	s.pageSize = 100
	s.sweep()
	s.hand()
	sum, others := s.one()
	if len(others) != 0 {
		t.Errorf("%d alerts beside the summary, the first: %s", len(others), others[0].Headline())
	}
	if len(sum.Findings) == 0 || len(sum.Findings) > 25 || sum.Omitted != 300-len(sum.Findings) || !says(sum, "300 roles break the rules in all") {
		t.Errorf("the summary has %d findings and omits %d: %q", len(sum.Findings), sum.Omitted, sum.Decision.Reasons)
	}
}

// Of good roles that went bad without an event a few are told by themselves, five
// in an account; the others are in the summary.
func TestOnlyAFewOfAnAccountAreToldByThemselves(t *testing.T) {
	s := newSweeping(newWorld(t, strings.Replace(rulesFile, "enforce", "observe", 1)))
	for i := range 20 {
		s.put(dev, fmt.Sprintf("r%02d", i), closed)
	}
	s.sweep()
	s.one()
	s.now = s.now.Add(time.Hour)
	for i := range 20 {
		s.put(dev, fmt.Sprintf("r%02d", i), opened)
	}
	s.sweep()
	sum, others := s.one()
	if len(others) != sweep.DefaultAloud || !says(sum, "20 roles were good before and no longer are") {
		t.Errorf("%d alerts, and %q", len(others), sum.Decision.Reasons)
	}
	s.now = s.now.Add(time.Hour)
	s.sweep()
	if _, others := s.one(); len(others) != 0 {
		t.Errorf("the next sweep tells %d of them", len(others))
	}
	// Those that were told are resolved; nobody is told that the others are good again.
	for i := range 20 {
		s.put(dev, fmt.Sprintf("r%02d", i), closed)
	}
	s.now = s.now.Add(time.Hour)
	s.sweep()
	s.hand()
	_, others = s.one()
	for _, a := range others {
		if a.State != alert.Resolved {
			t.Errorf("told: %s", a.Headline())
		}
	}
	if len(others) != sweep.DefaultAloud {
		t.Errorf("%d alerts were resolved, want %d", len(others), sweep.DefaultAloud)
	}
}

// A rules file under which hundreds of roles are bad all at once is told in the
// summary alone, with which and how many (T68).
func TestRulesThatChangeAreTheSummarysMatter(t *testing.T) {
	s := newSweeping(newWorld(t, strings.Replace(rulesFile, "enforce", "observe", 1)))
	for i := range 30 {
		s.put(dev, fmt.Sprintf("r%02d", i), closed)
	}
	s.sweep()
	s.one()
	s.now = s.now.Add(time.Hour)
	s.setRules(strings.Replace(rulesFile, "enforce", "observe", 1) + "rules:\n  mfa: {mode: observe}\n  session-name: {sessionName: \"corp-${aws:username}\"}\n")
	s.sweep()
	sum, others := s.one()
	if len(others) != 0 || !says(sum, "30 roles are judged otherwise since the rules changed, such as arn:aws:iam::444455556666:role/r00: Noncompliant, was Compliant") {
		t.Errorf("%d alerts, and %q", len(others), sum.Decision.Reasons)
	}
	seen, err := s.memory.SeeRules(t.Context(), s.rules.Hash, s.now.Add(time.Hour))
	if err != nil || !seen.First.Before(s.now) {
		t.Errorf("the rules are first seen at %s, %v", seen.First, err)
	}
}

// Rules that begin to act do nothing at the first sweep under them, and the
// summary says how many roles wait for it; when their time has come the roles are
// acted on, once (T68).
func TestRulesThatBeginToActAreObservedFirst(t *testing.T) {
	observing := strings.Replace(rulesFile, "enforce", "observe", 1) + "baselines: {firstSightings: [\"444455556666\"]}\n"
	s := newSweeping(newWorld(t, observing))
	for i := range 3 {
		s.put(dev, fmt.Sprintf("r%d", i), closed)
	}
	for range 2 {
		s.sweep()
		s.now = s.now.Add(25 * time.Hour)
	}
	for i := range 3 {
		s.put(dev, fmt.Sprintf("r%d", i), opened)
	}
	s.sweep()
	s.told = nil
	s.setRules(strings.Replace(observing, "observe", "enforce", 1))
	for range 3 {
		s.now = s.now.Add(6 * time.Hour)
		s.sweep()
		if sum, others := s.one(); len(others)+len(s.steps) > 0 || !says(sum, "3 roles are bad under rules that changed, and are only told of until they act (24h0m0s after") {
			t.Fatalf("%d alerts, %d steps, and %q", len(others), len(s.steps), sum.Decision.Reasons)
		}
	}
	s.now = s.now.Add(12 * time.Hour)
	s.sweep()
	if sum, _ := s.one(); len(s.steps) != 3 || !says(sum, "3 roles that were left as they were under other rules are acted on from now on") {
		t.Fatalf("%d steps, and %q", len(s.steps), sum.Decision.Reasons)
	}
	s.hand()
	for i := range 3 {
		if got := s.roles[key(dev, fmt.Sprintf("r%d", i))].TrustPolicy; got != closed {
			t.Errorf("role r%d shows %s", i, got)
		}
	}
	// No event told of guard's own writes here: the next sweep finds that all is well.
	s.told, s.now = nil, s.now.Add(6*time.Hour)
	s.sweep()
	_, others := s.one()
	for _, a := range others {
		if a.State != alert.Resolved {
			t.Errorf("told: %s", a.Headline())
		}
	}
	s.now = s.now.Add(6 * time.Hour)
	s.sweep()
	if sum, others := s.one(); len(others)+len(s.steps) > 0 {
		t.Errorf("the next sweep: %d alerts, %d steps, %q", len(others), len(s.steps), sum.Decision.Reasons)
	}
}

// What a tripped breaker or the kill switch held back is tried once more after a
// person has put that right, and only then (T68).
func TestWhatWasHeldBackIsTriedOnceThatIsPutRight(t *testing.T) {
	for name, c := range map[string]struct {
		text  string
		hold  func(*sweeping)
		right func(*sweeping)
		left  int
	}{
		"a breaker": {"limits: {perAccountPerHour: 2}\n", func(*sweeping) {}, func(s *sweeping) {
			if err := s.memory.Reset(s.t.Context(), "account/"+dev, "bob", "looked into it", s.now); err != nil {
				s.t.Fatal(err)
			}
		}, 1},
		"the kill switch": {"", func(s *sweeping) { s.turn(decision.WritesStopped) }, func(s *sweeping) { s.turn(decision.WritesAllowed) }, 3},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSweeping(newWorld(t, rulesFile+"baselines: {firstSightings: [\"444455556666\"]}\n"+c.text))
			for i := range 3 {
				s.put(dev, fmt.Sprintf("r%d", i), closed)
			}
			// One has nothing to go back to, and is never written.
			s.put(dev, "z", opened)
			for range 2 {
				s.sweep()
				s.hand()
				s.now = s.now.Add(25 * time.Hour)
			}
			for i := range 3 {
				s.put(dev, fmt.Sprintf("r%d", i), opened)
			}
			c.hold(s)
			s.sweep()
			s.hand()
			s.tick()
			before := s.count("UpdateAssumeRolePolicy")
			for range 2 {
				s.now = s.now.Add(2 * time.Hour)
				if s.sweep(); len(s.steps) > 0 {
					t.Fatalf("while it is held back %d roles are handed over", len(s.steps))
				}
			}
			c.right(s)
			s.now = s.now.Add(5 * time.Minute)
			s.tick()
			s.now, s.told = s.now.Add(time.Hour), nil
			s.sweep()
			n := len(s.steps)
			if sum, _ := s.one(); n == 0 || !says(sum, "held back") {
				t.Errorf("%d roles are handed over: %q", n, sum.Decision.Reasons)
			}
			s.hand()
			if got := s.count("UpdateAssumeRolePolicy") - before; got != c.left {
				t.Errorf("%d roles were written, want %d", got, c.left)
			}
			s.tick()
			s.now, s.told = s.now.Add(time.Hour), nil
			s.sweep()
			if sum, _ := s.one(); len(s.steps) > 0 || says(sum, "held back") {
				t.Errorf("the next sweep hands over %d roles: %q", len(s.steps), sum.Decision.Reasons)
			}
		})
	}
}

// tick is what happens every few minutes.
func (s *sweeping) tick() {
	s.t.Helper()
	if _, err := s.sweeper().Deliver(s.t.Context()); err != nil {
		s.t.Fatal(err)
	}
}

// turn turns the kill switch.
func (s *sweeping) turn(to decision.Switch) {
	s.t.Helper()
	if err := s.memory.SetSwitch(s.t.Context(), to, "bob", "an incident", s.now); err != nil {
		s.t.Fatal(err)
	}
}

const shared = "\npartners:\n  - {name: acme, accounts: [\"777788889999\"]}\n  - {name: initech, accounts: [\"999999999999\"]}\n"

// External IDs that two partners share are found across accounts, and are in
// nothing that is kept, told or logged (T80).
func TestSharedExternalIDsAreFoundAcrossAccountsAndNeverShown(t *testing.T) {
	const secret = "one-id-for-all-4711"
	s := newSweeping(newWorld(t, rulesFile+shared))
	trust := func(account string) string {
		return `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::` + account + `:root"},"Action":"sts:AssumeRole","Condition":{"StringEquals":{"sts:ExternalId":"` + secret + `"}}}]}`
	}
	s.put(prod, "acme", trust("777788889999"))
	s.put(dev, "initech", trust("999999999999"))
	s.put(dev, "initech-too", trust("999999999999"))
	id := s.sweep()
	sum, others := s.one()
	if !says(sum, "acme and the partner initech give one external ID") && !says(sum, "give one external ID") {
		t.Errorf("the summary says %q", sum.Decision.Reasons)
	}
	_, accounts, _, err := s.memory.Sweeping(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	all, err := json.Marshal([]any{sum, others, accounts, s.log.String()})
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range accounts {
		all = append(all, a.Notes...)
	}
	if strings.Contains(string(all), secret) {
		t.Error("the external ID is shown")
	}
}

// Whoever gets into a bad role gets into the good ones that trust it: they are
// listed, and nothing is done about them (T45).
func TestGoodRolesThatTrustABadOneAreListed(t *testing.T) {
	s := organization(t)
	s.put(dev, "open", opened)
	trusting := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::444455556666:role/open"},"Action":["sts:AssumeRole","sts:SetSourceIdentity"]}]}`
	s.principals["arn:aws:iam::444455556666:role/open"] = s.roles[key(dev, "open")].ID
	s.put(prod, "inner", trusting)
	s.sweep()
	s.hand()
	s.one()
	if st := s.recall(prod, "inner").State; st == nil || st.Verdict != finding.Compliant {
		t.Fatalf("the inner role is not compliant: %+v", st)
	}
	s.now = s.now.Add(time.Hour)
	writes := s.writes()
	s.sweep()
	s.hand()
	sum, others := s.one()
	if !says(sum, "arn:aws:iam::444455556666:role/open -> arn:aws:iam::111122223333:role/inner") || len(others) != 0 || s.writes() != writes {
		t.Errorf("the summary says %q, %d others, %d writes", sum.Decision.Reasons, len(others), s.writes()-writes)
	}
}

// A unique id that the details show for a moment, while the role itself shows
// the ARN, leads to nothing, however often it flips (T47).
func TestTransientUniqueIDInTheDetailsLeadsToNothing(t *testing.T) {
	s := swept(t)
	r := s.roles[key(prod, "app")]
	flipped := strings.Replace(closed, alice, "AIDAALICE111111111111", 1)
	before, writes := s.snapshot(), s.writes()
	for i := range 6 {
		if s.stale = map[string]string{}; i%2 == 0 {
			s.stale[r.ARN] = flipped
		}
		s.now = s.now.Add(15 * time.Minute)
		s.sweep()
		if _, others := s.one(); len(others)+len(s.steps) > 0 {
			t.Fatalf("sweep %d told %d alerts and handed over %d roles", i, len(others), len(s.steps))
		}
	}
	if diff := cmp.Diff(before, s.snapshot()); diff != "" || s.writes() != writes {
		t.Errorf("%d writes; what is remembered changed:\n%s", s.writes()-writes, diff)
	}
}

// Details that lag behind a change that an event told of, and which is handled,
// say nothing new.
func TestDetailsThatLagSayNothingNew(t *testing.T) {
	s := swept(t)
	r := s.put(prod, "app", tighter)
	s.stale[r.ARN] = closed
	s.sweep()
	s.stale = map[string]string{}
	s.sweep()
	s.told = nil
	before := s.snapshot()
	s.stale[r.ARN] = closed
	s.now = s.now.Add(time.Minute)
	s.sweep()
	if diff := cmp.Diff(before, s.snapshot()); diff != "" {
		t.Errorf("a reading that lags changed what is remembered:\n%s", diff)
	}
}

const exempting = rulesFile + `
exemptions:
  - {rules: [external-account, external-id, session-name], role: "arn:aws:iam::444455556666:role/open", owner: team-app, reason: moving house, ticket: SEC-77, expires: "2026-03-20"}
`

// When an exemption ends its findings are open again: the role is found by the
// sweep, though nothing about it changed (T59).
func TestExemptionThatEndsReopensItsFindings(t *testing.T) {
	s := newSweeping(newWorld(t, exempting))
	s.put(dev, "open", opened)
	s.sweep()
	if sum, others := s.one(); sum.Verdict != "Compliant" || len(others) != 0 || !says(sum, "set aside by") {
		t.Fatalf("under the exemption: %s, %q", sum.Verdict, sum.Decision.Reasons)
	}
	s.now = time.Date(2026, 3, 20, 1, 0, 0, 0, time.UTC)
	s.sweep()
	s.hand()
	sum, others := s.one()
	if !says(sum, "1 role is judged otherwise though it did not change") || !says(sum, "1 exemption of the rules file has ended") || sum.Verdict != "Noncompliant" {
		t.Errorf("the summary says %q", sum.Decision.Reasons)
	}
	var told []string
	for _, a := range others {
		told = append(told, string(a.Notice)+" "+a.Role.ARN)
	}
	if !slices.Contains(told, " arn:aws:iam::444455556666:role/open") || !slices.Contains(told, "exemption arn:aws:iam::444455556666:role/open") {
		t.Errorf("told: %v", told)
	}
}

// Owners are reminded 14, 3 and 0 days before an exemption ends, once each; after
// a gap in the sweeps only of what is due at last (T59).
func TestExemptionsAreRemindedOfOnceEach(t *testing.T) {
	end := time.Date(2026, 3, 20, 0, 0, 0, 0, time.UTC)
	for name, c := range map[string]struct {
		sweeps []float64 // days before the end
		want   int
	}{
		"every day":                          {[]float64{20, 15, 14, 13, 10, 4, 3, 2, 1, 0, -1, -2, -40}, 3},
		"four times a day":                   {[]float64{14.2, 14, 13.8, 13.5, 3.1, 3, 2.7, 0.1, 0, -0.2}, 3},
		"none for two weeks":                 {[]float64{20, 1, 0.5}, 1},
		"none before the end":                {[]float64{20, -5, -6}, 1},
		"never, while it was of any concern": {[]float64{20, -31}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, exempting)
			w.now = end.Add(-time.Duration(c.sweeps[0]*24) * time.Hour)
			s := newSweeping(w)
			s.setRules(exempting)
			got := 0
			for _, days := range c.sweeps {
				if at := end.Add(-time.Duration(days * 24 * float64(time.Hour))); at.After(s.now) {
					s.now = at
				}
				s.setRules(exempting)
				s.sweep()
				_, others := s.one()
				for _, a := range others {
					if a.Notice == alert.NoticeExemption {
						got++
						if !says(a, "SEC-77") || !says(a, "team-app") {
							t.Errorf("the reminder says %q", a.Decision.Reasons)
						}
					}
				}
			}
			if got != c.want {
				t.Errorf("%d reminders, want %d", got, c.want)
			}
		})
	}
}

// A role that is gone without an event is found to be gone only when IAM says so
// itself; then what was open about it is resolved.
func TestRoleThatVanishedIsResolvedAfterIAMSaysSo(t *testing.T) {
	s := swept(t)
	s.put(prod, "app", opened)
	s.sweep()
	s.hand()
	if _, others := s.one(); len(others) != 1 {
		t.Fatalf("%d alerts about the bad role", len(others))
	}
	arn := s.roles[key(prod, "app")].ARN
	// The details lack it for a moment: nothing comes of that.
	s.unseen[arn] = true
	s.now = s.now.Add(time.Hour)
	s.sweep()
	if sum, others := s.one(); len(others) != 0 || says(sum, "gone") {
		t.Fatalf("a role that was not listed once counts as gone: %q", sum.Decision.Reasons)
	}
	id := s.roles[key(prod, "app")].ID
	delete(s.roles, key(prod, "app"))
	s.now = s.now.Add(time.Hour)
	s.sweep()
	sum, others := s.one()
	if !says(sum, "1 role was gone without an event") || len(others) != 1 || others[0].State != alert.Resolved {
		t.Errorf("told: %q, %+v", sum.Decision.Reasons, others)
	}
	if p, ok, err := s.memory.Identify(t.Context(), id); err != nil || !ok || p.DeletedAt.IsZero() || p.DeletedBy != "" {
		t.Errorf("its unique id is remembered as %+v, %t, %v", p, ok, err)
	}
	s.calls, s.now = nil, s.now.Add(time.Hour)
	s.sweep()
	if sum, others := s.one(); len(others) != 0 || says(sum, "gone") {
		t.Errorf("the next sweep tells again: %q", sum.Decision.Reasons)
	}
}

// Who has the name of a role that vanished is not taken for gone.
func TestRoleMadeAnewIsNotTakenForTheOneThatVanished(t *testing.T) {
	s := swept(t)
	old := s.roles[key(prod, "app")]
	anew := old
	anew.ID, anew.Created = idFor("anew"), s.now.Add(-10*time.Minute)
	s.roles[key(prod, "app")] = anew
	s.sweep()
	sum, _ := s.one()
	if !says(sum, "1 role was gone without an event") || !says(sum, "1 role was seen for the first time") {
		t.Errorf("the summary says %q", sum.Decision.Reasons)
	}
	for id, gone := range map[string]bool{old.ID: true, anew.ID: false} {
		if p, ok, err := s.memory.Identify(t.Context(), id); err != nil || !ok || !p.DeletedAt.IsZero() != gone {
			t.Errorf("%s is remembered as %+v, %t, %v", id, p, ok, err)
		}
	}
}

// IAM that asks to slow down is given minutes, and an account that never gets its
// turn is a gap.
func TestThrottledAccountWaitsAndIsAGapInTheEnd(t *testing.T) {
	s := organization(t)
	s.denied[dev] = fmt.Errorf("slow down: %w", role.ErrThrottled)
	start := s.now
	s.begin()
	for range 3 {
		at := slices.IndexFunc(s.queue, func(q queued) bool { return q.message.Account == dev })
		q := s.queue[at]
		s.queue, s.now = slices.Delete(s.queue, at, at+1), q.due
		if _, err := s.sweeper().Handle(t.Context(), q.message, 1); err != nil {
			t.Fatal(err)
		}
	}
	if s.now.Sub(start) < 2*time.Minute || s.count("Details "+dev) != 3 {
		t.Errorf("after %s it was asked %d times", s.now.Sub(start), s.count("Details "+dev))
	}
	s.drain()
	if sum, others := s.one(); sum.Verdict != "Undecided" || len(others) != 1 || others[0].Account != dev {
		t.Errorf("told %+v beside %q", others, sum.Reasons)
	}
}

// A role that may not be read by itself is told of; an account with several such
// is one that cannot be read (T84).
func TestRolesThatMayNotBeReadAreNoSilence(t *testing.T) {
	for name, c := range map[string]struct {
		denied int
		gap    bool
	}{"one role": {1, false}, "every role": {4, true}} {
		t.Run(name, func(t *testing.T) {
			s := swept(t)
			for _, n := range []string{"app", "batch", "ci", "data"}[:c.denied] {
				s.put(prod, n, opened)
				s.shut = append(s.shut, s.roles[key(prod, n)].ARN)
			}
			s.sweep()
			sum, others := s.one()
			if sum.Verdict != "Undecided" || says(sum, "was not read to its end") != c.gap || (len(others) == 1) != c.gap {
				t.Errorf("told %+v beside %q %q", others, sum.Decision.Reasons, sum.Reasons)
			}
			if !c.gap && !says(sum, "1 role could not be handled") {
				t.Errorf("the summary says %q", sum.Reasons)
			}
		})
	}
}

// A tick that comes twice begins one sweep; one that comes while a sweep goes on
// begins none, unless that one has had its time.
func TestOneSweepAtATime(t *testing.T) {
	s := organization(t)
	id := s.begin()
	if got := s.begin(); got != id || s.samples[meter.SweepAccounts] != 2 {
		t.Errorf("the same tick again counts %v accounts", s.samples[meter.SweepAccounts])
	}
	s.now = s.now.Add(time.Hour)
	got, err := s.sweeper().Begin(t.Context(), sweep.IDAt(s.now))
	if err != nil || got.ID != id {
		t.Errorf("while %s goes on, %s began: %v", id, got.ID, err)
	}
	s.now = s.now.Add(sweep.DefaultPatience)
	if got, err := s.sweeper().Begin(t.Context(), sweep.IDAt(s.now)); err != nil || got.ID != sweep.IDAt(s.now) {
		t.Errorf("after its time the sweep that goes on is %s: %v", got.ID, err)
	}
	s.drain()
	if summaries, _ := s.summaries(); len(summaries) != 2 {
		t.Errorf("%d summaries, want one of each sweep", len(summaries))
	}
}

// An account whose message is lost is told of when the sweep's time is up.
func TestLostMessageIsAGap(t *testing.T) {
	s := organization(t)
	s.begin()
	s.queue = slices.DeleteFunc(s.queue, func(q queued) bool { return q.message.Account == dev })
	s.drain()
	sum, others := s.one()
	if !says(sum, "Account "+dev+" was not read to its end in time") || len(others) != 1 || others[0].Account != dev {
		t.Errorf("told %+v beside %q", others, sum.Reasons)
	}
}

// A mistake in the judging of one role is that role's, and nobody else's.
func TestRoleThatCannotBeHandledDoesNotStopTheOthers(t *testing.T) {
	s := organization(t)
	s.reading = func(call string) {
		if call == "GetRole" && s.next == "batch" {
			panic("a mistake")
		}
	}
	s.sweep()
	sum, _ := s.one()
	if !says(sum, "1 role could not be handled: arn:aws:iam::111122223333:role/batch: a mistake in rolewarden's code") || !says(sum, "5 roles in 2 accounts") {
		t.Errorf("the summary says %q %q", sum.Decision.Reasons, sum.Reasons)
	}
	if st := s.recall(prod, "data").State; st == nil {
		t.Error("the role after it was not handled")
	}
}

// Alerts that wait are sent at every tick, and one that has waited for long is an alarm.
func TestAlertsThatWaitAreSentAtEveryTick(t *testing.T) {
	s := organization(t)
	a := alert.BuildTrouble(alert.Trouble{Now: s.now, Account: prod, Problem: "it waits"})
	if _, err := s.memory.Post(t.Context(), "x", ledger.Letter{ID: "x", Body: a.JSON(), At: s.now}); err != nil {
		t.Fatal(err)
	}
	s.mute = errors.New("SNS does not answer")
	s.now = s.now.Add(11 * time.Minute)
	if _, err := s.sweeper().Deliver(t.Context()); err == nil || !strings.Contains(s.log.String(), `"alarm":"alert-undelivered"`) {
		t.Errorf("an alert that cannot be sent: %v", err)
	}
	s.mute = nil
	if n, err := s.sweeper().Deliver(t.Context()); n != 1 || err != nil {
		t.Errorf("sent %d, %v", n, err)
	}
}

// What is no message of this version is refused with what to do.
func TestMessagesAreReadStrictly(t *testing.T) {
	good := sweep.Message{Task: sweep.ReadAccount, Sweep: "20260301T090000Z", Account: prod}
	body, err := good.Body()
	if err != nil {
		t.Fatal(err)
	}
	if got, err := sweep.ParseMessage(body); err != nil || got.Account != prod || got.Task != sweep.ReadAccount {
		t.Errorf("%+v, %v", got, err)
	}
	for name, text := range map[string]string{
		"no JSON": "x", "another version": `{"version":2,"task":"account","sweep":"a","account":"111122223333"}`,
		"no task": `{"version":1,"sweep":"a","account":"111122223333"}`, "no sweep": `{"version":1,"task":"close"}`,
		"a sweep with a slash": `{"version":1,"task":"close","sweep":"a/b"}`, "no account": `{"version":1,"task":"account","sweep":"a"}`,
		"an event": `{"version":"0","detail-type":"AWS API Call via CloudTrail"}`,
	} {
		if _, err := sweep.ParseMessage([]byte(text)); err == nil {
			t.Errorf("%s is taken for a message", name)
		}
	}
}
