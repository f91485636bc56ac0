package sweep

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/rolewarden/rolewarden/pkg/ledger"
	"github.com/rolewarden/rolewarden/pkg/meter"
)

// mostCloses is how often in a row the closing of a sweep may fail.
const mostCloses = 8

// close closes a sweep, and comes back soon where that does not work.
func (s *Sweeper) close(ctx context.Context, m Message) error {
	err := s.attempt(ctx, m)
	if m.Failed++; err == nil || ctx.Err() != nil || m.Failed > mostCloses {
		return err
	}
	s.cfg.Log.Error("a sweep could not be closed, which is tried again", meter.Key, meter.WordMessageFailed, "sweep", m.Sweep, "reason", err.Error())
	if again := s.cfg.Queue.Send(ctx, m, time.Duration(m.Failed)*time.Minute); again != nil {
		return errors.Join(err, again)
	}
	return nil
}

// Close ends a sweep once all of its accounts have, and tells of it in one
// summary, exactly once. Before that it asks to be called again later; a sweep
// whose accounts do not end in time ends without them, which is told as a gap.
func (s *Sweeper) Close(ctx context.Context, id string) error {
	return s.attempt(ctx, Message{Task: CloseSweep, Sweep: id})
}

func (s *Sweeper) attempt(ctx context.Context, m Message) error {
	id := m.Sweep
	sweep, accounts, ok, err := s.cfg.Ledger.Sweeping(ctx, id)
	switch {
	case err != nil:
		return fmt.Errorf("closing sweep %s: %w", id, err)
	case !ok:
		return fmt.Errorf("closing sweep %s: it never began", id)
	}
	open := unfinished(sweep, accounts)
	if len(open) > 0 && s.cfg.Now().Sub(sweep.At) < s.cfg.Patience {
		s.cfg.Log.Info("a sweep goes on", "sweep", id, "accounts", len(sweep.Accounts), "unfinished", len(open))
		return s.closeLater(ctx, m, closeAfter(len(open)))
	}
	for _, account := range open {
		if err := s.gap(ctx, id, account, fmt.Sprintf("its reading did not end within %s", s.cfg.Patience)); err != nil {
			return fmt.Errorf("closing sweep %s: %w", id, err)
		}
	}
	late, err := s.without(ctx, id, accounts, open)
	if err != nil {
		return err
	}
	total := sum(sweep, accounts, open)
	total.rules = s.cfg.Rules
	first, err := s.post(ctx, "sweep/"+id+"/summary", total.summary(s.cfg.Now()))
	if err != nil {
		return fmt.Errorf("closing sweep %s: telling of it: %w", id, err)
	}
	if first == ledger.First {
		s.cfg.Meter.Put(meter.Count(meter.SweepFinished, 1))
		s.cfg.Log.Info("a sweep has ended", "sweep", id, "accounts", len(sweep.Accounts), "roles", total.counts[countRoles], "gaps", len(total.gaps), "took", s.cfg.Now().Sub(sweep.At).Round(time.Second).String())
	}
	if err := s.closed(ctx, id, accounts, late); err != nil {
		return err
	}
	for _, account := range late {
		if err := s.lateOf(ctx, id, account); err != nil {
			return fmt.Errorf("closing sweep %s: %w", id, err)
		}
	}
	_, err = s.Deliver(ctx)
	return err
}

// closeLater asks to be called again, once in that time: each copy of the message
// that SQS delivers, or that a crash leaves, would else go round beside the others
// and leave more. One that failed is counted by itself, and one that comes again
// after a crash finds the next span.
func (s *Sweeper) closeLater(ctx context.Context, m Message, after time.Duration) error {
	id := m.Sweep
	err := s.cfg.Ledger.Spend(ctx, "sweep/"+id+"/close/"+s.cfg.Unique(), s.cfg.Now(), []ledger.Counter{
		{Name: fmt.Sprintf("sweep/%s/closings/%d", id, m.Failed), Window: after, Limit: 1},
	})
	switch full, err := limited(err); {
	case full:
		return nil
	case err != nil:
		return fmt.Errorf("closing sweep %s: counting who comes back to it: %w", id, err)
	}
	return s.cfg.Queue.Send(ctx, Message{Task: CloseSweep, Sweep: id}, after)
}

// closed keeps that a sweep was ended, so that the next one need not.
func (s *Sweeper) closed(ctx context.Context, id string, accounts []ledger.SweptAccount, late []string) error {
	if closed(accounts) {
		return nil
	}
	note, err := noteOf(id, accounts, late)
	if err != nil {
		return err
	}
	note.Ended = s.cfg.Now()
	if err := s.cfg.Ledger.SaveSwept(ctx, note); err != nil {
		return fmt.Errorf("closing sweep %s: recording that it has ended: %w", id, err)
	}
	return nil
}

// closed says whether a sweep was told of.
func closed(accounts []ledger.SweptAccount) bool {
	i := slices.IndexFunc(accounts, isEverybody)
	return i >= 0 && !accounts[i].Ended.IsZero()
}

func isEverybody(a ledger.SweptAccount) bool { return a.Account == everybody }

// unfinished gives the accounts of a sweep that have not ended.
func unfinished(s ledger.Sweep, accounts []ledger.SweptAccount) []string {
	ended := map[string]bool{}
	for _, a := range accounts {
		ended[a.Account] = !a.Ended.IsZero()
	}
	var out []string
	for _, id := range s.Accounts {
		if !ended[id] {
			out = append(out, id)
		}
	}
	return out
}
