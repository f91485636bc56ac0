package main

import (
	"context"
	"fmt"
	"log/slog"
	"runtime/debug"
	"strings"
	"sync"

	"github.com/aws/aws-lambda-go/events"

	"github.com/rolewarden/rolewarden/pkg/guard"
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
}

// handle runs every message of a batch, side by side, and reports those that
// failed. It returns no error itself: that would fail the whole batch, also
// the messages that are done (Lambda Developer Guide, with-sqs: partial batch
// responses).
func (b batches) handle(ctx context.Context, e events.SQSEvent) (events.SQSEventResponse, error) {
	failed := make([]bool, len(e.Records))
	var wg sync.WaitGroup
	for i := range e.Records {
		wg.Go(func() { failed[i] = b.one(ctx, e.Records[i]) != nil })
	}
	wg.Wait()
	res := events.SQSEventResponse{BatchItemFailures: []events.SQSBatchItemFailure{}}
	for i, f := range failed {
		if f {
			res.BatchItemFailures = append(res.BatchItemFailures, events.SQSBatchItemFailure{ItemIdentifier: e.Records[i].MessageId})
		}
	}
	return res, nil
}

// one handles one message; a panic is that message's failure and nobody else's.
func (b batches) one(ctx context.Context, m events.SQSMessage) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("handling message %s: panic: %v", m.MessageId, p)
			b.log.Error("panic", "alarm", "panic", "message_id", m.MessageId, "error", err.Error(), "stack", string(debug.Stack()))
		}
	}()
	handle := b.line.Handle
	if name := lastPart(m.EventSourceARN, ":"); name != "" && name == b.later {
		handle = b.line.HandleStep
	}
	res, err := handle(ctx, []byte(m.Body))
	if err != nil {
		b.log.Error("a message is not done and comes again", "alarm", "message-failed", "message_id", m.MessageId,
			"event_id", res.Key.EventID, "account", res.Key.Account, "error", err.Error())
		return err
	}
	b.log.Info("handled", "event_id", res.Key.EventID, "account", res.Key.Account, "event", res.Change.EventName,
		"role", res.Role.ARN, "verdict", res.Report.Verdict.String(), "action", res.Decision.Action.String(),
		"done", res.Outcome.Done.String(), "end", res.End.String(), "reason", res.Reason)
	return nil
}

// lastPart is what stands behind the last separator; empty where there is none.
func lastPart(s, sep string) string {
	if i := strings.LastIndex(s, sep); i >= 0 {
		return s[i+len(sep):]
	}
	return ""
}
