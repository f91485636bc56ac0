package notify_test

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rolewarden/rolewarden/pkg/alert"
	"github.com/rolewarden/rolewarden/pkg/notify"
	"github.com/rolewarden/rolewarden/pkg/notify/notifytest"
)

// publisher keeps the last message, or fails.
type publisher func(notify.Message) error

func (p publisher) Publish(ctx context.Context, m notify.Message) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	return p(m)
}

func TestSNSConforms(t *testing.T) {
	notifytest.Conformance(t, func(_ *testing.T, f notifytest.Fate) notifytest.Trial {
		var err error
		switch f {
		case notifytest.Taken:
		case notifytest.Refused:
			// SNS refuses nothing that this channel sends for good.
			return notifytest.Trial{}
		case notifytest.Busy, notifytest.Broken, notifytest.Silent:
			err = errors.New("throttled")
		}
		return notifytest.Trial{Channel: notify.SNS{Publisher: publisher(func(notify.Message) error { return err }), TopicARN: "arn:aws:sns:us-east-1:111122223333:alerts"}}
	})
}

// Programs get JSON, people get text, and subscriptions get attributes to filter by.
func TestSNSMessage(t *testing.T) {
	var got notify.Message
	a := notifytest.Sample()
	s := notify.SNS{TopicARN: "arn:aws:sns:us-east-1:111122223333:alerts", Publisher: publisher(func(m notify.Message) error { got = m; return nil })}
	if _, err := s.Notify(t.Context(), a); err != nil {
		t.Fatal(err)
	}
	var texts map[string]string
	if err := json.Unmarshal([]byte(got.Body), &texts); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]string{"default": string(a.JSON()), "email": a.Text(), "sms": a.Subject()}, texts); diff != "" {
		t.Errorf("texts (-want +got):\n%s", diff)
	}
	if _, err := alert.Parse([]byte(texts["default"])); err != nil {
		t.Errorf("a program cannot read the default: %v", err)
	}
	if got.Structure != "json" || got.Subject != a.Subject() || got.TopicARN != s.TopicARN {
		t.Errorf("%+v", got)
	}
	if diff := cmp.Diff(a.Attributes(), got.Attributes); diff != "" {
		t.Errorf("attributes (-want +got):\n%s", diff)
	}
}

// An alert that is too long for its text to go along goes without it; one that
// is too long by itself is an error and not silence.
func TestSNSKeepsToTheSizeLimit(t *testing.T) {
	var got notify.Message
	s := notify.SNS{Publisher: publisher(func(m notify.Message) error { got = m; return nil })}
	a := notifytest.Sample()
	for range 100 {
		f := a.Findings[0]
		f.Message = strings.Repeat("é", 1000)
		a.Findings = append(a.Findings, f)
	}
	a.Change.Diff = strings.Repeat("+ line\n", 3000)
	if _, err := s.Notify(t.Context(), a); err != nil {
		t.Fatal(err)
	}
	if len(got.Body) > 256*1024 || !strings.Contains(got.Body, "too long for this message") {
		t.Errorf("%d bytes", len(got.Body))
	}
	a.Findings = append(a.Findings, a.Findings...)
	got = notify.Message{}
	if retry, err := s.Notify(t.Context(), a); err == nil || retry.When != notify.Never || got.Body != "" {
		t.Errorf("%s, %v, %d bytes sent", retry, err, len(got.Body))
	}
}
