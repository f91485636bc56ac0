package main

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/google/go-cmp/cmp"

	"github.com/rolewarden/rolewarden/pkg/alert"
	"github.com/rolewarden/rolewarden/pkg/decision"
	"github.com/rolewarden/rolewarden/pkg/finding"
	"github.com/rolewarden/rolewarden/pkg/guard"
	"github.com/rolewarden/rolewarden/pkg/ledger"
	"github.com/rolewarden/rolewarden/pkg/meter"
	"github.com/rolewarden/rolewarden/pkg/meter/metertest"
	"github.com/rolewarden/rolewarden/pkg/trail"
)

var noon = time.Date(2026, 8, 11, 12, 0, 0, 0, time.UTC)

// oneAtATime is standard output: many write to it, one after the other.
type oneAtATime struct {
	mu  sync.Mutex
	out io.Writer
}

func (w *oneAtATime) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.out.Write(p)
}

// counting makes the batches of a line as main does, with everything written to out.
func counting(l line, out io.Writer) batches {
	out = &oneAtATime{out: out}
	m := meter.New(meter.Config{Function: meter.Guard, Out: out, Now: func() time.Time { return noon }})
	return batches{
		line: l, later: "later", meter: m, now: func() time.Time { return noon }, rules: 7,
		log: slog.New(meter.Handler(slog.NewJSONHandler(out, nil), m)),
	}
}

// results answers with the result that the message's body names.
type results map[string]guard.Result

func (r results) Handle(_ context.Context, body []byte) (guard.Result, error) {
	if string(body) == "fails after telling" {
		return guard.Result{Alerts: make([]alert.Alert, 1)}, errors.New("no answer")
	}
	return r[string(body)], nil
}

func (r results) HandleStep(ctx context.Context, body []byte) (guard.Result, error) {
	return r.Handle(ctx, body)
}

// change is an event of a minute ago.
func change() trail.Change {
	return trail.Change{EventID: "ev1", Account: prod, Time: noon.Add(-time.Minute)}
}

// ended is the result of an event that came to its end.
func ended(end ledger.End) guard.Result {
	return guard.Result{Key: ledger.Key{Account: prod, EventID: "ev1"}, Change: change(), End: end}
}

// What an operator reads off the numbers is what happened: an event is received
// once, decided once, and its time is measured to its end, through all the
// later steps.
func TestTheNumbersSayWhatHappened(t *testing.T) {
	reverted := ended(ledger.Reverted)
	reverted.Outcome.Done, reverted.Alerts = decision.Revert, make([]alert.Alert, 2)
	reverted.Report = finding.Report{Verdict: finding.Noncompliant, Findings: []finding.Finding{{Rule: "a"}, {Rule: "b"}}}
	before := ended(ledger.Told)
	before.Ignored = "handled before"
	all := results{
		"ignored": {Ignored: "failed call"}, "before": before, "waits": {Key: ledger.Key{EventID: "ev1"}, Change: change()},
		"reverted": reverted, "compliant": ended(ledger.Compliant),
	}
	decided := func(findings float64) map[string]float64 {
		return map[string]float64{meter.Decided: 1, meter.DecisionSeconds: 60, meter.Findings: findings}
	}
	with := func(m map[string]float64, more map[string]float64) map[string]float64 {
		maps.Copy(m, more)
		return m
	}
	received := map[string]float64{meter.EventsReceived: 1}
	for _, row := range []struct {
		body, queue string
		want        map[string]float64
	}{
		{"ignored", "intake", with(map[string]float64{meter.EventsIgnored: 1}, received)},
		{"before", "intake", with(map[string]float64{meter.EventsIgnored: 1}, received)},
		{"before", "later", map[string]float64{}},
		{"waits", "intake", received},
		{"waits", "later", map[string]float64{}},
		{"compliant", "intake", with(decided(0), received)},
		{"compliant", "later", decided(0)},
		{"reverted", "intake", with(with(decided(2), map[string]float64{meter.Written: 1, meter.AlertPublished: 2}), received)},
		{"fails after telling", "intake", with(map[string]float64{meter.AlertPublished: 1, meter.MessageFailed: 1}, received)},
	} {
		t.Run(row.body+" from "+row.queue, func(t *testing.T) {
			var out strings.Builder
			b := counting(all, &out)
			if _, err := b.handle(t.Context(), events.SQSEvent{Records: []events.SQSMessage{{MessageId: "1", Body: row.body, EventSourceARN: "arn:aws:sqs:us-east-1:111122223333:" + row.queue}}}); err != nil {
				t.Fatal(err)
			}
			lines := metertest.Lines(t, out.String())
			got := map[string]float64{}
			for _, name := range metertest.Names(lines) {
				got[name] = metertest.Sum(lines, name)
			}
			want := with(map[string]float64{meter.RulesFingerprint: 7}, row.want)
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// A batch's numbers are one line, however many messages it has; each alarm is a
// line of its own, beside the log line that says what happened.
func TestABatchIsOneLineOfNumbers(t *testing.T) {
	var out strings.Builder
	b := counting(bodies{}, &out)
	e := events.SQSEvent{}
	for _, body := range []string{"fine", "fine", "fine", "error", "panic"} {
		e.Records = append(e.Records, events.SQSMessage{MessageId: body, Body: body})
	}
	if _, err := b.handle(t.Context(), e); err != nil {
		t.Fatal(err)
	}
	lines := metertest.Lines(t, out.String())
	if len(lines) != 3 || metertest.Sum(lines, meter.EventsReceived) != 5 || metertest.Sum(lines, meter.Panic) != 1 || metertest.Sum(lines, meter.MessageFailed) != 1 {
		t.Errorf("%d lines of numbers:\n%s", len(lines), out.String())
	}
}

// Every line of the log has the same keys for the same things.
func TestTheLogHasFixedKeys(t *testing.T) {
	known := []string{
		"time", "level", "msg", "alarm", "message_id", "event_id", "event", "account", "role", "rule", "verdict", "action", "done", "end", "reason", "stack",
	}
	var out strings.Builder
	b := counting(bodies{}, &out)
	_, _ = b.handle(t.Context(), events.SQSEvent{Records: []events.SQSMessage{{Body: "fine"}, {Body: "error"}, {Body: "panic"}}})
	for text := range strings.Lines(out.String()) {
		m := map[string]any{}
		if err := json.Unmarshal([]byte(text), &m); err != nil {
			t.Fatal(err)
		}
		for key := range m {
			if m["_aws"] == nil && !slices.Contains(known, key) {
				t.Errorf("the key %q of %s is new: name the thing as the other lines do", key, text)
			}
		}
		if m["_aws"] != nil {
			continue
		}
		for _, key := range []string{"event_id", "account", "role", "reason"} {
			if _, ok := m[key]; !ok && m["alarm"] != "panic" {
				t.Errorf("%s does not say %s", text, key)
			}
		}
	}
}

// T76: another rules file is another number, which a metric holds exactly.
func TestTheFingerprintTellsRulesFilesApart(t *testing.T) {
	for hash, want := range map[string]float64{
		"sha256:00000000ffff": 0, "sha256:ffffffff0000": 4294967295, "sha256:0000001000000000": 16, "": 0, "sha256:": 0, "sha256:zz": 0,
	} {
		if got := fingerprint(hash); got != want {
			t.Errorf("%s is %v, want %v", hash, got, want)
		}
	}
}
