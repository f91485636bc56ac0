package sweep_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rolewarden/rolewarden/pkg/ledger"
	"github.com/rolewarden/rolewarden/pkg/role"
	"github.com/rolewarden/rolewarden/pkg/sweep"
)

// What is found in an account whose reading goes on after its sweep was ended
// without it is told all the same: the next sweep finds nothing new there.
func TestWhatIsFoundAfterTheSweepWasEndedIsTold(t *testing.T) {
	s := organization(t)
	s.put(dev, "zzz-open", opened)
	s.begin()
	var late queued
	s.queue = slices.DeleteFunc(s.queue, func(q queued) bool {
		if q.message.Account == dev {
			late = q
		}
		return q.message.Account == dev
	})
	s.drain()
	sum, _ := s.one()
	if !says(sum, "Account "+dev+" was not read to its end in time") {
		t.Fatalf("the summary says %q", sum.Reasons)
	}
	// The message comes again at last.
	s.queue = []queued{late}
	s.drain()
	named := func() bool {
		for _, a := range s.told {
			if strings.Contains(string(a.JSON()), "role/zzz-open") {
				return true
			}
		}
		return false
	}
	found := named()
	s.now = s.now.Add(time.Hour)
	s.sweep()
	if !found && !named() {
		t.Error("nobody is told of role zzz-open")
	}
}

// Each role is judged, however many an account has: what is kept of those that
// were read tells them apart, and these two were once taken for one.
func TestNoRoleIsTakenForAnother(t *testing.T) {
	s := newSweeping(newWorld(t, rulesFile))
	s.pageSize = 1
	for name, id := range map[string]string{"a": "AROANJMHLPVJKXJFVXR4D", "b": "AROAT7JFEXJLMVEJLOFLC"} {
		r := s.put(dev, name, opened)
		r.ID = id
		s.roles[key(dev, name)] = r
	}
	s.sweep()
	for _, name := range []string{"a", "b"} {
		if s.recall(dev, name).State == nil {
			t.Errorf("role %s was passed over", name)
		}
	}
	if sum, _ := s.one(); !says(sum, "A sweep read 2 roles") {
		t.Errorf("the summary says %q", sum.Decision.Reasons)
	}
}

// A tick that comes twice sweeps the accounts that it found first: that others
// were not listed then is still said, and those that are listed by now are named.
func TestATickThatComesTwiceStillSaysWhatWasNotListed(t *testing.T) {
	for name, again := range map[string]error{"listed by now": nil, "still not listed": role.ErrAccessDenied} {
		t.Run(name, func(t *testing.T) {
			s := organization(t)
			s.members = append(s.members, third)
			s.put(third, "open", opened)
			s.memberErr = fmt.Errorf("listing accounts: %w", role.ErrThrottled)
			s.begin()
			s.memberErr = again
			s.begin()
			s.drain()
			if sum, _ := s.one(); sum.Verdict != "Undecided" || !says(sum, "could not all be listed") {
				t.Errorf("the summary is %s: %q %q", sum.Verdict, sum.Decision.Reasons, sum.Reasons)
			}
		})
	}
}

// An account that joined between two beginnings of one sweep is not in it, and
// nobody calls that the whole: the first beginning may have ended before it said so.
func TestAnAccountThatASweepDoesNotReadIsNamed(t *testing.T) {
	s := organization(t)
	if first, err := s.memory.BeginSweep(t.Context(), ledger.Sweep{ID: sweep.IDAt(s.now), At: s.now, RulesHash: s.rules.Hash, Accounts: []string{prod, dev}}); err != nil || first != ledger.First {
		t.Fatal(first, err)
	}
	s.members = append(s.members, third)
	s.put(third, "open", opened)
	s.begin()
	s.drain()
	if sum, _ := s.one(); sum.Verdict != "Undecided" || !says(sum, third) {
		t.Errorf("the summary is %s: %q %q", sum.Verdict, sum.Decision.Reasons, sum.Reasons)
	}
}

// A person may call a sweep what they like, but for the names under which the
// sweep keeps what it has to know for as long as it runs: after a sweep of such a
// name no sweep would be ended that was forgotten, and no role be missed that is gone.
func TestNoSweepTakesTheNameOfWhatIsKept(t *testing.T) {
	for _, id := range []string{"latest", "inhabitants", "brakes"} {
		s := swept(t)
		if _, err := s.sweeper().Begin(t.Context(), id); err == nil {
			t.Errorf("a sweep %q began", id)
			s.drain()
		}
		s.told = nil
		delete(s.roles, key(prod, "app"))
		s.now = s.now.Add(time.Hour)
		s.sweep()
		if sum, _ := s.one(); !says(sum, "1 role was gone without an event") {
			t.Errorf("after %q the summary says %q", id, sum.Decision.Reasons)
		}
	}
}
