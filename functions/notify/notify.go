package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/rolewarden/rolewarden/pkg/alert"
	"github.com/rolewarden/rolewarden/pkg/meter"
	"github.com/rolewarden/rolewarden/pkg/notify"
)

// queue is where the alerts come from.
type queue interface {
	// Hide keeps a message out of sight for a while.
	Hide(ctx context.Context, receipt string, d time.Duration) error
}

// graveyard is the queue's dead-letter queue.
type graveyard interface {
	// Bury puts a message's body there, with the reason why.
	Bury(ctx context.Context, body, reason string) error
}

// postman takes alerts from the queue to a channel.
type postman struct {
	channel notify.Channel
	queue   queue
	dead    graveyard
	// renew reads the channel's secret anew, and says whether it is another one.
	renew func(ctx context.Context) (renewal, error)
	log   *slog.Logger
	meter *meter.Meter
}

// renewal says what reading a secret anew gave.
type renewal uint8

const (
	unchanged renewal = iota
	changed
)

// handle tells the alerts of a batch in their order, one after the other, since
// Slack takes about one a second from a webhook. It answers with the messages
// that must come again and never with an error, which would bring back those
// that are done (Lambda Developer Guide, with-sqs: partial batch responses).
// How many were told and how many come again is written in one line.
func (p postman) handle(ctx context.Context, e events.SQSEvent) (events.SQSEventResponse, error) {
	response := events.SQSEventResponse{BatchItemFailures: []events.SQSBatchItemFailure{}}
	var pause time.Duration
	count := map[fate]int{}
	for _, m := range e.Records {
		how := comesAgain
		if pause > 0 {
			// Who was asked to come later does not knock with the next one.
			p.hide(ctx, m, pause)
		} else {
			how, pause = p.deliver(ctx, m)
		}
		if count[how]++; how == comesAgain {
			response.BatchItemFailures = append(response.BatchItemFailures, events.SQSBatchItemFailure{ItemIdentifier: m.MessageId})
		}
	}
	p.meter.Put(meter.Count(meter.AlertTold, count[told]), meter.Count(meter.AlertDelayed, count[comesAgain]))
	return response, nil
}

// fate is what becomes of a message. The zero value loses nothing.
type fate uint8

const (
	// comesAgain: the queue delivers it once more.
	comesAgain fate = iota
	// told: the channel took the alert.
	told
	// buried: it lies on the dead-letter queue.
	buried
)

// deliver tells one alert. It says what becomes of the message, and for how
// long the channel wants to be left alone. A panic is this message's failure
// and nobody else's.
func (p postman) deliver(ctx context.Context, m events.SQSMessage) (how fate, pause time.Duration) {
	defer func() {
		if r := recover(); r != nil {
			p.log.Error("an alert was not told", meter.Key, meter.WordPanic, "message_id", m.MessageId, "reason", fmt.Sprint(r), "stack", string(debug.Stack()))
			how, pause = comesAgain, 0
		}
	}()
	if ctx.Err() != nil {
		return comesAgain, 0
	}
	a, err := read(m.Body)
	if err != nil {
		return p.bury(ctx, m, alert.Alert{}, meter.WordMalformedAlert, err), 0
	}
	retry, err := p.tell(ctx, a)
	if err == nil {
		p.log.Info("told", append(p.about(m, a), "reason", "the channel took it")...)
		return told, 0
	}
	switch retry.When {
	case notify.Never:
		return p.bury(ctx, m, a, meter.WordAlertRefused, err), 0
	case notify.Later:
		p.failed("an alert waits", m, a, err, "retry_after", retry.After.String())
		p.hide(ctx, m, retry.After)
		return comesAgain, retry.After
	case notify.Now:
		p.failed("an alert comes again", m, a, err)
		return comesAgain, 0
	default:
		p.failed("an alert comes again", m, a, err)
		return comesAgain, 0
	}
}

// tell tells an alert; when it is refused for good it looks once whether the
// secret has been changed since it was read.
func (p postman) tell(ctx context.Context, a alert.Alert) (notify.Retry, error) {
	retry, err := p.channel.Notify(ctx, a)
	if err == nil || retry.When != notify.Never || p.renew == nil {
		return retry, err
	}
	switch got, renewErr := p.renew(ctx); {
	case renewErr != nil:
		// Whether there is another secret is not known, so nothing is refused for good.
		return notify.Retry{When: notify.Now}, errors.Join(err, renewErr)
	case got == unchanged:
		return retry, err
	}
	return p.channel.Notify(ctx, a)
}

// bury puts a message that nobody will take on the dead-letter queue, with an
// alarm; it comes again when it cannot.
func (p postman) bury(ctx context.Context, m events.SQSMessage, a alert.Alert, word string, why error) fate {
	p.failed("an alert cannot be told, and goes to the dead-letter queue", m, a, why, meter.Key, word)
	if err := p.dead.Bury(ctx, m.Body, alert.Plain(why.Error(), 256)); err != nil {
		p.failed("an alert could not be put on the dead-letter queue, and comes again", m, a, err, meter.Key, meter.WordDeadLetterFailed)
		return comesAgain
	}
	return buried
}

func (p postman) hide(ctx context.Context, m events.SQSMessage, d time.Duration) {
	if err := p.queue.Hide(ctx, m.ReceiptHandle, d); err != nil {
		// It comes again all the same, at the queue's own pace.
		p.log.Warn("a message could not be hidden", "message_id", m.MessageId, "reason", err.Error())
	}
}

func (p postman) failed(what string, m events.SQSMessage, a alert.Alert, err error, more ...any) {
	p.log.Error(what, append(append(p.about(m, a), "reason", err.Error()), more...)...)
}

// about says which alert a line of the log is about, under the keys that guard
// uses too. The alert may be somebody else's text.
func (p postman) about(m events.SQSMessage, a alert.Alert) []any {
	eventID := ""
	if a.Change != nil {
		eventID = a.Change.EventID
	}
	return []any{
		"channel", p.channel.Name(), "message_id", m.MessageId, "alert", alert.Plain(a.ID, 64), "event_id", alert.Plain(eventID, 128),
		"account", alert.Plain(a.Account, 64), "role", alert.Plain(a.Role.ARN, 600), "action", alert.Plain(a.Decision.Action, 32),
	}
}

// read takes the alert out of a message: SNS wraps it in a notification,
// unless the subscription asks for raw delivery.
func read(body string) (alert.Alert, error) {
	var n struct{ Type, Message string }
	if err := json.Unmarshal([]byte(body), &n); err != nil {
		return alert.Alert{}, errors.New("reading a message of the alert queue: it is no JSON, so SNS did not send it")
	}
	switch n.Type {
	case "Notification":
		return alert.Parse([]byte(n.Message))
	case "":
		return alert.Parse([]byte(body))
	default:
		return alert.Alert{}, fmt.Errorf("reading a message of the alert queue: SNS calls it %q, and only a Notification holds an alert", alert.Plain(n.Type, 64))
	}
}

// webhook keeps the webhook's URL for a while, so that a burst of alerts does
// not read the secret once each.
type webhook struct {
	read func(ctx context.Context) (string, error)
	keep time.Duration
	now  func() time.Time

	mu    sync.Mutex
	value string
	at    time.Time
}

// url gives the URL. When the secret cannot be read, the one that was read
// before does.
func (w *webhook) url(ctx context.Context) (notify.Secret, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.value != "" && w.now().Sub(w.at) < w.keep {
		return notify.NewSecret(w.value), nil
	}
	if err := w.load(ctx); err != nil && w.value == "" {
		return notify.Secret{}, err
	}
	return notify.NewSecret(w.value), nil
}

// renew reads the secret anew.
func (w *webhook) renew(ctx context.Context) (renewal, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	before := w.value
	if err := w.load(ctx); err != nil {
		return unchanged, err
	}
	if w.value == before {
		return unchanged, nil
	}
	return changed, nil
}

func (w *webhook) load(ctx context.Context) error {
	value, err := w.read(ctx)
	if err != nil {
		return err
	}
	w.value, w.at = strings.TrimSpace(value), w.now()
	return nil
}
