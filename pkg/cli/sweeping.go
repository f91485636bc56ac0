package cli

import (
	"context"
	"fmt"
	"time"

	"github.com/rolewarden/rolewarden/pkg/awsapi"
	"github.com/rolewarden/rolewarden/pkg/guard"
	"github.com/rolewarden/rolewarden/pkg/meter"
	"github.com/rolewarden/rolewarden/pkg/notify"
	"github.com/rolewarden/rolewarden/pkg/sweep"
)

// rounds is a sweep's queue in a house: what is sent is handled at once, or when
// its time has come.
type rounds struct {
	clock clock
	todo  []sweep.Message
}

// Send implements sweep.Queue.
func (r *rounds) Send(ctx context.Context, m sweep.Message, delay time.Duration) error {
	r.todo = append(r.todo, m)
	return r.clock.Wait(ctx, delay)
}

// uncounted is a meter that nobody reads.
type uncounted struct{}

// Put implements sweep.Meter.
func (uncounted) Put(...meter.Sample) {}

// sweep sweeps every account of the house, as the schedule would have it done,
// under the sweep's own role. What asks for a write is put on the queue.
func (h *house) sweep(ctx context.Context) error { return h.sweepOn(ctx, h.clock) }

// sweepOn sweeps, and waits for its messages on a clock.
func (h *house) sweepOn(ctx context.Context, on clock) error {
	todo := &rounds{clock: on}
	s, err := h.sweeper(todo)
	if err != nil {
		return err
	}
	if _, err := s.Begin(ctx, sweep.IDAt(h.clock.Now())); err != nil {
		return err
	}
	for n := 0; len(todo.todo) > 0; n++ {
		if n == mostMessages {
			return fmt.Errorf("sweeping the house: %d messages and no end", n)
		}
		m := todo.todo[0]
		todo.todo = todo.todo[1:]
		if _, err := s.Handle(ctx, m, 1); err != nil {
			return fmt.Errorf("sweeping account %s: %w", m.Account, err)
		}
	}
	return nil
}

// sweeper wires the sweep out of the same parts as the function in AWS.
func (h *house) sweeper(todo *rounds) (*sweep.Sweeper, error) {
	keys, err := h.working(sweepRole, "rolewarden-sweep")
	if err != nil {
		return nil, err
	}
	own := awsapi.Fixed(keys)
	accounts, err := awsapi.NewAccounts(awsapi.Config{
		AWS: own, Now: h.clock.Now, Partition: h.rules.Organization.Partition,
		ReaderRole: readerRole, WriterRole: readerRole, ExternalID: awsapi.NewSecret(houseSecret),
	})
	if err != nil {
		return nil, err
	}
	seals, err := awsapi.NewSeals(awsapi.SealsConfig{AWS: own, KeyID: h.key})
	if err != nil {
		return nil, err
	}
	line, err := guard.New(guard.Config{
		Rules: h.rules, Reader: accounts, Writers: guard.HandsOff{}, Census: accounts, Ledger: h.ledger, Later: h,
		Members: awsapi.NewMembership(awsapi.MembershipConfig{AWS: own}),
		Channel: notify.SNS{Publisher: awsapi.NewSNS(awsapi.SNSConfig{AWS: own}), TopicARN: h.topic},
		Now:     h.clock.Now, Wait: h.clock.Wait, Log: h.log,
	})
	if err != nil {
		return nil, err
	}
	return sweep.New(sweep.Config{
		Rules: h.rules, Organization: awsapi.NewRoster(awsapi.RosterConfig{AWS: own, Units: awsapi.WithoutUnits}), Details: accounts, Reader: accounts,
		Line: line, Ledger: h.ledger, Sealer: seals, Queue: todo, Meter: uncounted{}, Now: h.clock.Now, Log: h.log,
	})
}
