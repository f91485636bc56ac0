package sweep_test

import (
	"slices"
	"strings"
	"testing"
	"time"
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
