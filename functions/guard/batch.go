package main

import (
	"context"
	"fmt"
	"log/slog"
	"runtime/debug"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/rolewarden/rolewarden/pkg/guard"
	"github.com/rolewarden/rolewarden/pkg/meter"
)

// line handles one message body: an event of the intake queue, or a step of the
// later queue.
type line interface {
	Handle(ctx context.Context, body []byte) (guard.Result, error)
	HandleStep(ctx context.Context, body []byte) (guard.Result, error)
}

// batches answers SQS batches with the messages that must come again.
type batches struct {
	line line
	// later is the name of the later queue. What comes from any other queue is
	// an event, whatever it looks like.
	later string
	log   *slog.Logger
	meter *meter.Meter
	now   func() time.Time
	// rules is the fingerprint of the rules file in use.
	rules float64
}

// handle runs every message of a batch, side by side, and reports those that
// failed. It returns no error itself: that would fail the whole batch, also
// the messages that are done (Lambda Developer Guide, with-sqs: partial batch
// responses). What the messages add to the numbers is written in one line.
func (b batches) handle(ctx context.Context, e events.SQSEvent) (events.SQSEventResponse, error) {
	all := make([]handled, len(e.Records))
	var wg sync.WaitGroup
	for i := range e.Records {
		wg.Go(func() { all[i] = b.one(ctx, e.Records[i]) })
	}
	wg.Wait()
	res := events.SQSEventResponse{BatchItemFailures: []events.SQSBatchItemFailure{}}
	samples := []meter.Sample{meter.Value(meter.RulesFingerprint, b.rules)}
	for i, h := range all {
		samples = append(samples, h.counted()...)
		if h.err != nil {
			res.BatchItemFailures = append(res.BatchItemFailures, events.SQSBatchItemFailure{ItemIdentifier: e.Records[i].MessageId})
		}
	}
	b.meter.Put(samples...)
	return res, nil
}

// one handles one message; a panic is that message's failure and nobody else's.
func (b batches) one(ctx context.Context, m events.SQSMessage) (h handled) {
	handle := b.line.Handle
	if name := lastPart(m.EventSourceARN, ":"); name != "" && name == b.later {
		h.from, handle = laterQueue, b.line.HandleStep
	}
	defer func() {
		if p := recover(); p != nil {
			h.err = fmt.Errorf("handling message %s: panic: %v", m.MessageId, p)
			b.log.Error("panic", meter.Key, meter.WordPanic, "message_id", m.MessageId, "reason", h.err.Error(), "stack", string(debug.Stack()))
		}
	}()
	h.res, h.err = handle(ctx, []byte(m.Body))
	h.at = b.now()
	res := h.res
	if h.err != nil {
		b.log.Error("a message is not done and comes again", meter.Key, meter.WordMessageFailed, "message_id", m.MessageId,
			"event_id", res.Key.EventID, "account", res.Key.Account, "role", res.Role.ARN, "reason", h.err.Error())
		return h
	}
	b.log.Info("handled", "event_id", res.Key.EventID, "account", res.Key.Account, "event", res.Change.EventName,
		"role", res.Role.ARN, "rule", res.Decision.Rules, "verdict", res.Report.Verdict.String(), "action", res.Decision.Action.String(),
		"done", res.Outcome.Done.String(), "end", res.End.String(), "reason", res.Reason)
	return h
}

// lastPart is what stands behind the last separator; empty where there is none.
func lastPart(s, sep string) string {
	if i := strings.LastIndex(s, sep); i >= 0 {
		return s[i+len(sep):]
	}
	return ""
}
