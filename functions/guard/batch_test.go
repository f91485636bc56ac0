package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/rolewarden/rolewarden/functions/start"
	"github.com/rolewarden/rolewarden/pkg/guard"
)

// bodies answers by the body of the message.
type bodies struct{}

func (bodies) Handle(_ context.Context, body []byte) (guard.Result, error) {
	switch string(body) {
	case "panic":
		panic("a bug")
	case "error":
		return guard.Result{}, errors.New("no answer")
	default:
		return guard.Result{}, nil
	}
}

func (bodies) HandleStep(context.Context, []byte) (guard.Result, error) {
	return guard.Result{}, errors.New("a step")
}

// T3: only what comes from the later queue is taken for a step.
func TestOnlyTheLaterQueueCarriesSteps(t *testing.T) {
	b := counting(bodies{}, &strings.Builder{})
	res, err := b.handle(t.Context(), events.SQSEvent{Records: []events.SQSMessage{
		{MessageId: "intake", EventSourceARN: "arn:aws:sqs:us-east-1:111122223333:intake"},
		{MessageId: "step", EventSourceARN: "arn:aws:sqs:us-east-1:111122223333:later"},
		{MessageId: "nowhere"},
	}})
	if err != nil || len(res.BatchItemFailures) != 1 || res.BatchItemFailures[0].ItemIdentifier != "step" {
		t.Errorf("got %+v, %v", res, err)
	}
}

// A message that fails or panics comes again; its neighbours do not.
func TestOnlyFailedMessagesComeAgain(t *testing.T) {
	var log strings.Builder
	b := counting(bodies{}, &log)
	res, err := b.handle(t.Context(), events.SQSEvent{Records: []events.SQSMessage{
		{MessageId: "1", Body: "fine"}, {MessageId: "2", Body: "error"}, {MessageId: "3", Body: "panic"}, {MessageId: "4", Body: "fine"},
	}})
	if err != nil || len(res.BatchItemFailures) != 2 || res.BatchItemFailures[0].ItemIdentifier != "2" || res.BatchItemFailures[1].ItemIdentifier != "3" {
		t.Errorf("got %+v, %v", res, err)
	}
	for _, alarm := range []string{`"alarm":"panic"`, `"alarm":"message-failed"`} {
		if !strings.Contains(log.String(), alarm) {
			t.Errorf("no log line with %s", alarm)
		}
	}
}

func TestSettingsSayAllThatIsMissing(t *testing.T) {
	_, err := readSettings(func(string) string { return "" })
	for _, name := range []string{"ROLEWARDEN_TABLE", "ROLEWARDEN_TOPIC_ARN", "ROLEWARDEN_LATER_QUEUE", "ROLEWARDEN_SEAL_KEY"} {
		if err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s is not named: %v", name, err)
		}
	}
}

// With a queue's URL that has no name at its end, every step would be taken for
// an event: the function does not start.
func TestSettingsRefuseWhatCannotWork(t *testing.T) {
	good := map[string]string{
		"ROLEWARDEN_TABLE": "rolewarden", "ROLEWARDEN_TOPIC_ARN": "arn:aws:sns:us-east-1:111122223333:alerts",
		"ROLEWARDEN_LATER_QUEUE": "https://sqs.us-east-1.amazonaws.com/111122223333/rolewarden-later",
		"ROLEWARDEN_SEAL_KEY":    "arn:aws:kms:us-east-1:111122223333:key/1",
	}
	read := func(name, value string) error {
		_, err := readSettings(func(key string) string {
			if key == name {
				return value
			}
			return good[key]
		})
		return err
	}
	if err := read("", ""); err != nil {
		t.Fatal(err)
	}
	if err := read("ROLEWARDEN_LATER_QUEUE", "http://127.0.0.1:9290/111122223333/later"); err != nil {
		t.Errorf("a lab's queue: %v", err)
	}
	for name, values := range map[string][]string{
		"ROLEWARDEN_LATER_QUEUE": {
			"https://sqs.us-east-1.amazonaws.com/111122223333/rolewarden-later/", "https://sqs.us-east-1.amazonaws.com/", "https://sqs.us-east-1.amazonaws.com",
			"rolewarden-later", "arn:aws:sqs:us-east-1:111122223333:rolewarden-later", "/111122223333/rolewarden-later", "https:///later", "ftp://h/later",
			"https://h/later?x=1", "https://h/later#x", "https://h/a b", "https://h/later.fifo", "https://h/%zz", "://",
		},
		"ROLEWARDEN_READER_ROLE":     {"/rolewarden-reader", "rolewarden/*", "arn:aws:iam::111122223333:role/r", "rolewarden/"},
		"ROLEWARDEN_REMEDIATOR_ROLE": {"a b"},
	} {
		for _, value := range values {
			if err := read(name, value); err == nil || !strings.Contains(err.Error(), name) {
				t.Errorf("%s=%q: %v", name, value, err)
			}
		}
	}
}

// T76: a rules file that names a rule nobody knows does not start.
func TestARulesFileWithAnUnknownRuleDoesNotStart(t *testing.T) {
	path := filepath.Join(t.TempDir(), "rules.yaml")
	if err := os.WriteFile(path, []byte("version: 1\nrules:\n  external-acount: {mode: enforce}\n  mfaa: {}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := start.Rules(path, time.Now())
	if err == nil || !strings.Contains(err.Error(), "external-account") || strings.Count(err.Error(), "rules.yaml:") != 2 {
		t.Errorf("each of the two is to be told with the file's name; got %v", err)
	}
}
