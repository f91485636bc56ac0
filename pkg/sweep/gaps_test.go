package sweep_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rolewarden/rolewarden/pkg/meter"
	"github.com/rolewarden/rolewarden/pkg/role"
	"github.com/rolewarden/rolewarden/pkg/sweep"
)

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
