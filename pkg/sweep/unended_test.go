package sweep_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/rolewarden/rolewarden/pkg/sweep"
)

// What was found in an account is told though the queue failed in the midst of
// the sweep's beginning and nobody began it again (I7): the account that was never
// asked for is told of as a gap.
func TestABeginningThatFailsHalfwayIsToldOf(t *testing.T) {
	for _, refused := range []string{prod, dev} {
		s := organization(t)
		s.put(prod, "bad", opened)
		s.put(dev, "bad", opened)
		s.refuses = func(m sweep.Message) error {
			if m.Account == refused {
				return errors.New("the queue does not answer")
			}
			return nil
		}
		if _, err := s.sweeper().Begin(t.Context(), sweep.IDAt(s.now)); err == nil {
			t.Fatal("a sweep began whose account was not sent")
		}
		s.refuses = nil
		s.drain()
		sum, _ := s.one()
		if !says(sum, "Account "+refused+" was not read to its end in time") {
			t.Errorf("without %s the summary says %q", refused, sum.Reasons)
		}
	}
}

// Nothing is read for a sweep of which nobody would tell.
func TestNothingIsReadWhereTheEndCannotBeSent(t *testing.T) {
	s := organization(t)
	s.refuses = func(m sweep.Message) error {
		if m.Task == sweep.CloseSweep {
			return errors.New("the queue does not answer")
		}
		return nil
	}
	if _, err := s.sweeper().Begin(t.Context(), sweep.IDAt(s.now)); err == nil || len(s.queue) != 0 {
		t.Errorf("%d messages were sent: %v", len(s.queue), err)
	}
}

// A sweep whose last message was lost is ended by the next one, and told of once.
func TestTheNextSweepEndsOneThatWasNot(t *testing.T) {
	s := organization(t)
	s.put(prod, "bad", opened)
	lost := s.begin()
	s.queue = slices.DeleteFunc(s.queue, func(q queued) bool { return q.message.Task == sweep.CloseSweep })
	s.drain()
	if summaries, _ := s.summaries(); len(summaries) != 0 {
		t.Fatalf("told %d summaries of a sweep that was not ended", len(summaries))
	}
	s.now = s.now.Add(24 * time.Hour)
	next := s.begin()
	s.drain()
	if summaries, _ := s.summaries(); len(summaries) != 2 {
		t.Errorf("%d summaries, want one of %s and one of %s", len(summaries), lost, next)
	}
	s.now = s.now.Add(24 * time.Hour)
	s.begin()
	for _, q := range s.queue {
		if q.message.Sweep == lost || q.message.Sweep == next {
			t.Errorf("a sweep that was told of is ended again: %+v", q.message)
		}
	}
}

// A sweep whose end cannot be sent is not forgotten: no other begins before.
func TestASweepThatWasNotEndedIsNotForgotten(t *testing.T) {
	s := organization(t)
	lost := s.begin()
	s.queue = slices.DeleteFunc(s.queue, func(q queued) bool { return q.message.Task == sweep.CloseSweep })
	s.drain()
	s.now = s.now.Add(24 * time.Hour)
	s.refuses = func(m sweep.Message) error {
		if m.Sweep == lost {
			return errors.New("the queue does not answer")
		}
		return nil
	}
	if _, err := s.sweeper().Begin(t.Context(), sweep.IDAt(s.now)); err == nil {
		t.Fatal("another sweep began")
	}
	s.refuses = nil
	s.now = s.now.Add(time.Hour)
	s.sweep()
	if summaries, _ := s.summaries(); len(summaries) != 2 {
		t.Errorf("%d summaries, want 2", len(summaries))
	}
}

// However many copies of its last message SQS delivers, a sweep that goes on is
// come back to by one of them: copies that each left another would never be fewer.
func TestCopiesOfASweepsEndDoNotMultiply(t *testing.T) {
	s := organization(t)
	id := s.begin()
	s.queue = nil
	for range 20 {
		if _, err := s.sweeper().Handle(t.Context(), sweep.Message{Version: 1, Task: sweep.CloseSweep, Sweep: id}, 1); err != nil {
			t.Fatal(err)
		}
	}
	if len(s.queue) != 1 {
		t.Errorf("20 copies leave %d", len(s.queue))
	}
}
