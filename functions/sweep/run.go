package main

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"runtime/debug"
	"strconv"
	"sync"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/rolewarden/rolewarden/pkg/ledger"
	"github.com/rolewarden/rolewarden/pkg/meter"
	"github.com/rolewarden/rolewarden/pkg/sweep"
)

// sweeper is the sweep.
type sweeper interface {
	Begin(ctx context.Context, id string) (ledger.Sweep, error)
	Handle(ctx context.Context, m sweep.Message, tries int) (sweep.Progress, error)
	Deliver(ctx context.Context) (int, error)
}

// runs answers Lambda.
type runs struct {
	sweeper sweeper
	log     *slog.Logger
	now     func() time.Time
}

// call is whatever the function may be called with: a batch of its queue, the
// schedule's event, or what a schedule or a person tells it.
type call struct {
	Records []events.SQSMessage `json:"Records"`
	// Time is when the schedule's event was made; it names the sweep, so that one
	// that is handed over twice begins once.
	Time time.Time `json:"time"`
	// Deliver asks to send alerts again that were not delivered, and for no sweep.
	Deliver bool `json:"deliver"`
	// Sweep names the sweep that a person starts.
	Sweep string `json:"sweep"`
}

// answer is what whoever starts the function by hand gets to see.
type answer struct {
	Sweep     string `json:"sweep,omitempty"`
	Accounts  int    `json:"accounts,omitempty"`
	Delivered int    `json:"delivered,omitempty"`
}

// run does what the function was called for.
func (r runs) run(ctx context.Context, body json.RawMessage) (any, error) {
	var c call
	if err := json.Unmarshal(body, &c); err != nil {
		return nil, fmt.Errorf("reading what the sweep was called with: %w", err)
	}
	switch {
	case c.Records != nil:
		return r.batch(ctx, c.Records), nil
	case c.Deliver:
		n, err := r.sweeper.Deliver(ctx)
		return answer{Delivered: n}, err
	}
	id := c.Sweep
	if id == "" {
		if c.Time.IsZero() {
			c.Time = r.now()
		}
		id = sweep.IDAt(c.Time)
	}
	s, err := r.sweeper.Begin(ctx, id)
	return answer{Sweep: s.ID, Accounts: len(s.Accounts)}, err
}

// batch handles the messages of a batch side by side, and reports those that
// failed. It returns no error itself: that would fail the whole batch, also the
// messages that are done (Lambda Developer Guide, with-sqs: partial batch
// responses).
func (r runs) batch(ctx context.Context, all []events.SQSMessage) events.SQSEventResponse {
	failed := make([]error, len(all))
	var wg sync.WaitGroup
	for i := range all {
		wg.Go(func() { failed[i] = r.one(ctx, all[i]) })
	}
	wg.Wait()
	res := events.SQSEventResponse{BatchItemFailures: []events.SQSBatchItemFailure{}}
	for i, err := range failed {
		if err != nil {
			res.BatchItemFailures = append(res.BatchItemFailures, events.SQSBatchItemFailure{ItemIdentifier: all[i].MessageId})
		}
	}
	return res
}

// one handles one message; a panic is that message's failure and nobody else's.
func (r runs) one(ctx context.Context, m events.SQSMessage) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("handling message %s: panic: %v", m.MessageId, p)
			r.log.Error("panic", meter.Key, meter.WordPanic, "message_id", m.MessageId, "reason", err.Error(), "stack", string(debug.Stack()))
		}
	}()
	message, err := sweep.ParseMessage([]byte(m.Body))
	if err != nil {
		r.log.Error("a message is not done and comes again", meter.Key, meter.WordMessageFailed, "message_id", m.MessageId, "reason", err.Error())
		return err
	}
	p, err := r.sweeper.Handle(ctx, message, tries(m))
	if err != nil {
		r.log.Error("a message is not done and comes again", meter.Key, meter.WordMessageFailed, "message_id", m.MessageId, "sweep", message.Sweep, "account", message.Account, "reason", err.Error())
		return err
	}
	r.log.Info("handled", "task", string(message.Task), "sweep", message.Sweep, "account", message.Account, "state", p.State.String(), "roles", p.Roles, "found", p.Found, "reason", p.Problem)
	return nil
}

// tries is how often a message was delivered; SQS counts it.
func tries(m events.SQSMessage) int {
	n, err := strconv.Atoi(m.Attributes["ApproximateReceiveCount"])
	if err != nil {
		return 1
	}
	return max(1, n)
}
