package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/google/go-cmp/cmp"

	"github.com/rolewarden/rolewarden/pkg/alert"
	"github.com/rolewarden/rolewarden/pkg/meter"
	"github.com/rolewarden/rolewarden/pkg/meter/metertest"
	"github.com/rolewarden/rolewarden/pkg/notify"
	"github.com/rolewarden/rolewarden/pkg/notify/notifytest"
)

// answer is what the channel says to one alert.
type answer struct {
	retry notify.Retry
	err   error
	panic bool
}

// place is a channel and a queue that remember what was asked of them.
type place struct {
	answers []answer
	told    []string
	hidden  map[string]time.Duration
	buried  map[string]string
	// full is what the dead-letter queue answers, stuck what hiding does.
	full, stuck error
	renewals    []renewal
	renewErr    error
	log         bytes.Buffer
}

func (p *place) Name() string { return "slack" }

func (p *place) Notify(_ context.Context, a alert.Alert) (notify.Retry, error) {
	n := len(p.told)
	p.told = append(p.told, a.ID)
	if n >= len(p.answers) {
		return notify.Retry{}, nil
	}
	if p.answers[n].panic {
		panic("no")
	}
	return p.answers[n].retry, p.answers[n].err
}

func (p *place) Hide(_ context.Context, receipt string, d time.Duration) error {
	if p.stuck == nil {
		p.hidden[receipt] = d
	}
	return p.stuck
}

func (p *place) Bury(_ context.Context, body, reason string) error {
	if p.full == nil {
		p.buried[body] = reason
	}
	return p.full
}

// postman is one that main would make, with everything written to p.log.
func (p *place) postman(c notify.Channel, renew func(context.Context) (renewal, error)) postman {
	m := meter.New(meter.Config{Function: meter.Notify, Out: &p.log, Now: time.Now})
	return postman{channel: c, queue: p, dead: p, renew: renew, meter: m, log: slog.New(meter.Handler(slog.NewJSONHandler(&p.log, nil), m))}
}

func (p *place) handle(t *testing.T, ctx context.Context, messages ...events.SQSMessage) []string {
	t.Helper()
	p.hidden, p.buried = map[string]time.Duration{}, map[string]string{}
	man := p.postman(p, nil)
	if p.renewals != nil {
		man.renew = func(context.Context) (renewal, error) {
			r := p.renewals[0]
			p.renewals = p.renewals[1:]
			if p.renewErr != nil {
				return unchanged, p.renewErr
			}
			return r, nil
		}
	}
	response, err := man.handle(ctx, events.SQSEvent{Records: messages})
	if err != nil {
		t.Fatalf("handle: %v; an error fails the whole batch", err)
	}
	if response.BatchItemFailures == nil {
		t.Error("no list of failures: Lambda would take null for one it does not know")
	}
	var failed []string
	for _, f := range response.BatchItemFailures {
		failed = append(failed, f.ItemIdentifier)
	}
	return failed
}

// alarms gives the values under "alarm" in the log, and checks that every line is JSON.
func (p *place) alarms(t *testing.T) []string {
	t.Helper()
	var out []string
	for _, line := range strings.Split(strings.TrimSpace(p.log.String()), "\n") {
		var entry map[string]any
		if err := json.Unmarshal([]byte(line), &entry); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		if a, ok := entry["alarm"].(string); ok {
			out = append(out, a)
		}
	}
	return out
}

// message wraps an alert as SNS does.
func message(id string) events.SQSMessage {
	a := notifytest.Sample()
	a.ID = id
	body, err := json.Marshal(events.SNSEntity{Type: "Notification", Message: string(a.JSON()), TopicArn: "arn:aws:sns:us-east-1:111122223333:alerts"})
	if err != nil {
		panic(err)
	}
	return events.SQSMessage{MessageId: "m-" + id, ReceiptHandle: "r-" + id, Body: string(body)}
}

func TestBatches(t *testing.T) {
	never, now := notify.Retry{}, notify.Retry{When: notify.Now}
	later := notify.Retry{When: notify.Later, After: 17 * time.Second}
	refused := errors.New("refused")
	rows := []struct {
		name   string
		place  place
		told   []string
		failed []string
		hidden map[string]time.Duration
		buried int
		alarms []string
	}{
		{name: "all is told, in order", told: []string{"a", "b", "c"}},
		{name: "one fails and comes again, the others are done", place: place{answers: []answer{{}, {now, refused, false}}}, told: []string{"a", "b", "c"}, failed: []string{"m-b"}},
		{
			name: "Retry-After is honoured, for the rest of the batch too", place: place{answers: []answer{{}, {later, refused, false}}},
			told: []string{"a", "b"}, failed: []string{"m-b", "m-c"}, hidden: map[string]time.Duration{"r-b": 17 * time.Second, "r-c": 17 * time.Second},
		},
		{name: "hiding fails: the messages come again all the same", place: place{answers: []answer{{later, refused, false}}, stuck: errors.New("no")}, told: []string{"a"}, failed: []string{"m-a", "m-b", "m-c"}},
		{name: "refused for good: dead-letter queue, alarm, acknowledged", place: place{answers: []answer{{never, refused, false}}}, told: []string{"a", "b", "c"}, buried: 1, alarms: []string{"alert-refused"}},
		{
			name: "refused for good and the dead-letter queue fails: never lost", place: place{answers: []answer{{never, refused, false}}, full: errors.New("no")},
			told: []string{"a", "b", "c"}, failed: []string{"m-a"}, alarms: []string{"alert-refused", "dead-letter-failed"},
		},
		{name: "a panic is one message's failure", place: place{answers: []answer{{panic: true}}}, told: []string{"a", "b", "c"}, failed: []string{"m-a"}, alarms: []string{"panic"}},
		{name: "refused under an old secret, taken under the new", place: place{answers: []answer{{never, refused, false}}, renewals: []renewal{changed}}, told: []string{"a", "a", "b", "c"}},
		{name: "refused, and whether the secret is the same is not known: it comes again", place: place{answers: []answer{{never, refused, false}}, renewals: []renewal{unchanged}, renewErr: errors.New("no")}, told: []string{"a", "b", "c"}, failed: []string{"m-a"}},
		{name: "refused, and the secret is the same", place: place{answers: []answer{{never, refused, false}}, renewals: []renewal{unchanged}}, told: []string{"a", "b", "c"}, buried: 1, alarms: []string{"alert-refused"}},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			p := &row.place
			failed := p.handle(t, t.Context(), message("a"), message("b"), message("c"))
			if diff := cmp.Diff(row.told, p.told); diff != "" {
				t.Errorf("told (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(row.failed, failed); diff != "" {
				t.Errorf("failed (-want +got):\n%s", diff)
			}
			hidden := row.hidden
			if hidden == nil {
				hidden = map[string]time.Duration{}
			}
			if diff := cmp.Diff(hidden, p.hidden); diff != "" {
				t.Errorf("hidden (-want +got):\n%s", diff)
			}
			if len(p.buried) != row.buried {
				t.Errorf("%d on the dead-letter queue, want %d", len(p.buried), row.buried)
			}
			if diff := cmp.Diff(row.alarms, p.alarms(t)); diff != "" {
				t.Errorf("alarms (-want +got):\n%s", diff)
			}
			lines := metertest.Lines(t, p.log.String())
			for name, want := range map[string]int{
				meter.AlertTold: 3 - len(row.failed) - row.buried, meter.AlertDelayed: len(row.failed),
				meter.AlertNotTold: count(row.alarms, "alert-refused"), meter.MessageFailed: count(row.alarms, "dead-letter-failed"),
				meter.Panic: count(row.alarms, "panic"), meter.Alarm: 0,
			} {
				if got := metertest.Sum(lines, name); got != float64(want) {
					t.Errorf("%s is %v, want %d", name, got, want)
				}
			}
			if len(lines) != 1+len(row.alarms) {
				t.Errorf("%d lines of numbers for a batch with %d alarms", len(lines), len(row.alarms))
			}
		})
	}
}

func count(all []string, one string) int {
	n := 0
	for _, s := range all {
		if s == one {
			n++
		}
	}
	return n
}

// Every line of the log has the same keys for the same things as guard's.
func TestTheLogHasFixedKeys(t *testing.T) {
	known := []string{"time", "level", "msg", "alarm", "channel", "message_id", "alert", "event_id", "account", "role", "action", "reason", "retry_after", "stack"}
	p := &place{answers: []answer{{}, {panic: true}, {notify.Retry{}, errors.New("refused"), false}, {notify.Retry{When: notify.Later, After: time.Second}, errors.New("busy"), false}}, full: errors.New("no"), stuck: errors.New("no")}
	p.handle(t, t.Context(), message("a"), message("b"), message("c"), message("d"), message("e"))
	logged := 0
	for line := range strings.Lines(p.log.String()) {
		m := map[string]any{}
		if err := json.Unmarshal([]byte(line), &m); err != nil {
			t.Fatal(err)
		}
		if m["_aws"] != nil {
			continue
		}
		logged++
		for key := range m {
			if !slices.Contains(known, key) {
				t.Errorf("the key %q of %s is new: name the thing as the other lines do", key, line)
			}
		}
	}
	if logged < 6 {
		t.Errorf("only %d lines:\n%s", logged, p.log.String())
	}
}

// Messages that hold no alert go to the dead-letter queue whole, with the
// reason; the others of the batch are told.
func TestMalformedMessages(t *testing.T) {
	for _, body := range []string{
		``, `no json`, `{}`, `null`, `[]`, `{"Type":"SubscriptionConfirmation","Message":"x"}`, `{"Type":"Notification"}`,
		`{"Type":"Notification","Message":"{\"version\":9}"}`, `{"Type":"Not\u001b[31mification"}`,
	} {
		p := &place{}
		failed := p.handle(t, t.Context(), events.SQSMessage{MessageId: "m-x", Body: body}, message("b"))
		if reason, ok := p.buried[body]; !ok || reason == "" || failed != nil || len(p.told) != 1 {
			t.Errorf("%s: %d buried (%q), %q failed, %q told", body, len(p.buried), reason, failed, p.told)
		}
		if diff := cmp.Diff([]string{"malformed-alert"}, p.alarms(t)); diff != "" {
			t.Errorf("%s: alarms %s", body, diff)
		}
		if n := metertest.Sum(metertest.Lines(t, p.log.String()), meter.AlertNotTold); n != 1 {
			t.Errorf("%s: %v alerts counted as not told", body, n)
		}
	}
}

// A subscription with raw delivery works too.
func TestRawDelivery(t *testing.T) {
	p := &place{}
	if failed := p.handle(t, t.Context(), events.SQSMessage{MessageId: "m", Body: string(notifytest.Sample().JSON())}); failed != nil || len(p.told) != 1 {
		t.Errorf("failed %q, told %q", failed, p.told)
	}
}

// When Lambda's time is up nothing more is posted, and what was not comes again.
func TestTimeIsUp(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	p := &place{}
	if failed := p.handle(t, ctx, message("a"), message("b")); len(failed) != 2 || len(p.told) != 0 {
		t.Errorf("failed %q, told %q", failed, p.told)
	}
}

// The secret is read once for a burst, again after a while, and an old one
// does when it cannot be read.
func TestWebhookIsKept(t *testing.T) {
	clock := time.Date(2026, 8, 11, 12, 0, 0, 0, time.UTC)
	reads := 0
	var broken error
	w := &webhook{keep: 5 * time.Minute, now: func() time.Time { return clock }, read: func(context.Context) (string, error) {
		reads++
		return fmt.Sprintf("https://hooks.slack.com/%d\n", reads), broken
	}}
	get := func(want string) {
		t.Helper()
		s, err := w.url(t.Context())
		if err != nil || s.Reveal() != want {
			t.Errorf("%q, %v; want %q", s.Reveal(), err, want)
		}
	}
	get("https://hooks.slack.com/1")
	get("https://hooks.slack.com/1")
	clock = clock.Add(5 * time.Minute)
	get("https://hooks.slack.com/2")
	broken = errors.New("access denied")
	clock = clock.Add(time.Hour)
	get("https://hooks.slack.com/2")
	if got, err := w.renew(t.Context()); err == nil || got != unchanged {
		t.Errorf("renew: %d, %v", got, err)
	}
	broken = nil
	if got, err := w.renew(t.Context()); err != nil || got != changed {
		t.Errorf("renew: %d, %v", got, err)
	}
	first := &webhook{now: w.now, read: func(context.Context) (string, error) { return "", errors.New("access denied") }}
	if _, err := first.url(t.Context()); err == nil {
		t.Error("a secret that was never read was given")
	}
}

// A function that is set up wrongly says all that is wrong, and shows no value
// that may be a secret.
func TestSettings(t *testing.T) {
	good := map[string]string{
		"ROLEWARDEN_SLACK_SECRET": "rolewarden/slack", "ROLEWARDEN_ALERT_QUEUE": "https://sqs.us-east-1.amazonaws.com/111122223333/alerts",
		"ROLEWARDEN_ALERT_DLQ": "https://sqs.us-east-1.amazonaws.com/111122223333/alerts-dead",
	}
	got, err := readSettings(func(name string) string { return good[name] })
	if err != nil || got.secret != "rolewarden/slack" || got.queue != good["ROLEWARDEN_ALERT_QUEUE"] || got.deadLetters != good["ROLEWARDEN_ALERT_DLQ"] {
		t.Errorf("%+v, %v", got, err)
	}
	_, err = readSettings(func(string) string { return " " })
	for name := range good {
		if err == nil || !strings.Contains(err.Error(), name+" is not set") {
			t.Errorf("%v does not name %s", err, name)
		}
	}
	_, err = readSettings(func(name string) string {
		if name == "ROLEWARDEN_SLACK_SECRET" {
			return "https://hooks.slack.com/services/canary"
		}
		return "alerts-canary"
	})
	if err == nil || strings.Contains(err.Error(), "canary") || strings.Count(err.Error(), "\n") != 2 {
		t.Errorf("%v", err)
	}
}
