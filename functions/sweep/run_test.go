package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rolewarden/rolewarden/functions/start"
	"github.com/rolewarden/rolewarden/pkg/ledger"
	"github.com/rolewarden/rolewarden/pkg/sweep"
)

// stand stands in for the sweep and notes what it was asked.
type stand struct {
	mu       sync.Mutex
	asked    []string
	failing  string
	panicked string
}

func (s *stand) note(text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked = append(s.asked, text)
}

func (s *stand) Begin(_ context.Context, id string) (ledger.Sweep, error) {
	s.note("begin " + id)
	return ledger.Sweep{ID: id, Accounts: []string{prod, dev}}, nil
}

func (s *stand) Deliver(context.Context) (int, error) {
	s.note("deliver")
	return 3, nil
}

func (s *stand) Handle(_ context.Context, m sweep.Message, tries int) (sweep.Progress, error) {
	s.note("handle " + string(m.Task) + " " + m.Account + strings.Repeat("!", tries))
	switch m.Account {
	case s.failing:
		return sweep.Progress{}, errors.New("not now")
	case s.panicked:
		panic("a mistake")
	}
	return sweep.Progress{State: sweep.Read}, nil
}

func call1(t *testing.T, s *stand, payload string) (any, string, error) {
	t.Helper()
	var log bytes.Buffer
	r := runs{sweeper: s, log: slog.New(slog.NewJSONHandler(&log, nil)), now: func() time.Time { return time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC) }}
	got, err := r.run(t.Context(), json.RawMessage(payload))
	return got, log.String(), err
}

// The function does what it is called for, and nothing else: the schedule's event
// names the sweep, so that one that comes twice begins once.
func TestItDoesWhatItIsCalledFor(t *testing.T) {
	for payload, want := range map[string][]string{
		`{"source":"aws.events","detail-type":"Scheduled Event","id":"53dc4d37","time":"2026-02-28T06:00:00Z","detail":{}}`: {"begin 20260228T060000Z"},
		`{"deliver":true}`:   {"deliver"},
		`{}`:                 {"begin 20260301T090000Z"},
		`{"sweep":"by-bob"}`: {"begin by-bob"},
		`{"Records":[]}`:     nil,
		`{"Records":[{"messageId":"a","body":"{\"version\":1,\"task\":\"account\",\"sweep\":\"x\",\"account\":\"111122223333\"}","attributes":{"ApproximateReceiveCount":"2"}}]}`: {"handle account 111122223333!!"},
		`{"Records":[{"messageId":"a","body":"{\"version\":1,\"task\":\"close\",\"sweep\":\"x\"}"}]}`:                                                                             {"handle close !"},
	} {
		s := &stand{}
		if _, _, err := call1(t, s, payload); err != nil {
			t.Errorf("%s: %v", payload, err)
		}
		if diff := cmp.Diff(want, s.asked); diff != "" {
			t.Errorf("%s (-want +got):\n%s", payload, diff)
		}
	}
	if _, _, err := call1(t, &stand{}, `"x"`); err == nil {
		t.Error("what is no call is no error")
	}
}

// One message that fails, or runs into a mistake, brings back no other.
func TestOnlyWhatFailedComesAgain(t *testing.T) {
	message := func(id, account string) string {
		return `{"messageId":"` + id + `","body":"{\"version\":1,\"task\":\"account\",\"sweep\":\"x\",\"account\":\"` + account + `\"}"}`
	}
	s := &stand{failing: prod, panicked: dev}
	got, log, err := call1(t, s, `{"Records":[`+strings.Join([]string{message("a", prod), message("b", dev), message("c", hub), `{"messageId":"d","body":"x"}`}, ",")+`]}`)
	text, _ := json.Marshal(got)
	if want := `{"batchItemFailures":[{"itemIdentifier":"a"},{"itemIdentifier":"b"},{"itemIdentifier":"d"}]}`; err != nil || string(text) != want {
		t.Errorf("it answers %s, %v", text, err)
	}
	if strings.Count(log, `"alarm":"message-failed"`) != 2 || strings.Count(log, `"alarm":"panic"`) != 1 {
		t.Errorf("the log is\n%s", log)
	}
	// An empty list means that all is done (Lambda Developer Guide, with-sqs).
	if got, _, _ := call1(t, s, `{"Records":[`+message("a", hub)+`]}`); got == nil {
		t.Error("a batch that is done is answered with nothing")
	} else if text, _ := json.Marshal(got); string(text) != `{"batchItemFailures":[]}` {
		t.Errorf("a batch that is done is answered with %s", text)
	}
}

// All that is missing or wrong in the environment is said at once.
func TestTheEnvironmentIsReadWhole(t *testing.T) {
	_, err := readSettings(func(name string) string {
		return map[string]string{"ROLEWARDEN_SWEEP_QUEUE": "https://sqs.us-east-1.amazonaws.com/rolewarden-sweep.fifo", "ROLEWARDEN_READER_ROLE": "a b*"}[name]
	})
	for _, name := range []string{"ROLEWARDEN_TABLE", "ROLEWARDEN_TOPIC_ARN", "ROLEWARDEN_LATER_QUEUE", "ROLEWARDEN_SWEEP_QUEUE", "ROLEWARDEN_READER_ROLE"} {
		if err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s is not named: %v", name, err)
		}
	}
	const queue = "https://sqs.us-east-1.amazonaws.com/111122223333/rolewarden-sweep"
	s, err := readSettings(func(name string) string {
		return map[string]string{
			"ROLEWARDEN_TABLE": "t", "ROLEWARDEN_TOPIC_ARN": "arn", "ROLEWARDEN_LATER_QUEUE": queue, "ROLEWARDEN_SWEEP_QUEUE": queue,
			"LAMBDA_TASK_ROOT": "/var/task", "ROLEWARDEN_EXTERNAL_ID": "secret-4711",
		}[name]
	})
	account, _ := start.Queue(s.sweepQueue)
	if err != nil || s.readerRole != "rolewarden/rolewarden-reader" || s.rulesFile != "/var/task/rules.yaml" || account != prod || s.sealKey != "" {
		t.Errorf("%+v, %v", s, err)
	}
	if strings.Contains(slogText(s), "secret-4711") {
		t.Error("the external id prints")
	}
}

func slogText(s settings) string {
	var b bytes.Buffer
	slog.New(slog.NewTextHandler(&b, nil)).Info("x", "settings", s)
	return b.String()
}
