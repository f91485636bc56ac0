package notify_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/rolewarden/rolewarden/pkg/notify"
	"github.com/rolewarden/rolewarden/pkg/notify/notifytest"
)

const (
	webhookPath = "/services/T00000000/B00000000/canarywebhooktoken"
	token       = "canarywebhooktoken"
)

// posting opens a channel to a server that answers as a test says.
func posting(t *testing.T, answer http.HandlerFunc) notify.Slack {
	t.Helper()
	server := httptest.NewUnstartedServer(answer)
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.StartTLS()
	t.Cleanup(server.Close)
	return notify.Slack{
		URL:   func(context.Context) (notify.Secret, error) { return notify.NewSecret(server.URL + webhookPath), nil },
		HTTP:  server.Client(),
		Now:   func() time.Time { return time.Date(2026, 8, 11, 12, 0, 0, 0, time.UTC) },
		Hosts: []string{strings.TrimPrefix(server.URL, "https://")},
	}
}

func answering(code int, header, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if header != "" {
			w.Header().Set("Retry-After", header)
		}
		w.WriteHeader(code)
		// A server may well repeat what it was asked for.
		_, _ = io.WriteString(w, body+" "+r.URL.Path)
	}
}

func TestSlackConforms(t *testing.T) {
	notifytest.Conformance(t, func(t *testing.T, f notifytest.Fate) notifytest.Trial {
		var s notify.Slack
		switch f {
		case notifytest.Taken:
			s = posting(t, answering(200, "", "ok"))
		case notifytest.Refused:
			s = posting(t, answering(400, "", "invalid_blocks"))
		case notifytest.Busy:
			s = posting(t, answering(429, "17", "rate_limited"))
		case notifytest.Broken:
			s = posting(t, answering(503, "", ""))
		case notifytest.Silent:
			s = posting(t, func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
		}
		return notifytest.Trial{Channel: s, Secrets: []string{token, webhookPath, "T00000000"}}
	})
}

// What Slack answers decides whether and when to come again: its 429 and 5xx
// are waited out as long as it asks, and every other refusal is final.
func TestSlackAnswers(t *testing.T) {
	later := func(d time.Duration) notify.Retry { return notify.Retry{When: notify.Later, After: d} }
	rows := []struct {
		name   string
		code   int
		header string
		want   notify.Retry
		says   string
	}{
		{"429, in seconds", 429, "17", later(17 * time.Second), "429"},
		{"429, a date", 429, "Tue, 11 Aug 2026 12:01:00 GMT", later(time.Minute), "429"},
		{"429, a date that has passed", 429, "Tue, 11 Aug 2026 11:00:00 GMT", later(time.Second), "429"},
		{"429, nothing said", 429, "", later(30 * time.Second), "429"},
		{"429, nonsense", 429, "soon", later(30 * time.Second), "429"},
		{"429, for ever", 429, "999999999999", later(12 * time.Hour), "429"},
		{"429, below zero", 429, "-5", later(time.Second), "429"},
		{"500", 500, "", later(30 * time.Second), "500"},
		{"503 with a time", 503, "90", later(90 * time.Second), "503"},
		{"400", 400, "", notify.Retry{}, "invalid"},
		{"403", 403, "", notify.Retry{}, "revoked"},
		{"404", 404, "", notify.Retry{}, "revoked"},
		{"410", 410, "", notify.Retry{}, "revoked"},
		{"413", 413, "", notify.Retry{}, "413"},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			got, err := posting(t, answering(row.code, row.header, "invalid")).Notify(t.Context(), notifytest.Sample())
			if got != row.want {
				t.Errorf("%s, want %s", got, row.want)
			}
			if err == nil || !strings.Contains(err.Error(), row.says) || strings.Contains(err.Error(), token) {
				t.Errorf("error %v", err)
			}
		})
	}
}

// A redirect would carry the alert to another place, so it is not followed (T81).
func TestSlackFollowsNoRedirect(t *testing.T) {
	elsewhere := httptest.NewTLSServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("the alert was sent elsewhere") }))
	defer elsewhere.Close()
	for _, code := range []int{301, 302, 307, 308} {
		s := posting(t, func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, elsewhere.URL, code) })
		s.HTTP.CheckRedirect = func(*http.Request, []*http.Request) error { return nil }
		if retry, err := s.Notify(t.Context(), notifytest.Sample()); err == nil || retry.When != notify.Never {
			t.Errorf("%d: %s, %v", code, retry, err)
		}
	}
}

// Alerts go to Slack, encrypted, and nowhere else, whatever the secret holds
// (T81); and the error says what is wrong without showing the secret.
func TestSlackRefusesOtherURLs(t *testing.T) {
	rows := map[string]string{
		"http://hooks.slack.com" + webhookPath:               "https://",
		"https://hooks.slack.com.example.com" + webhookPath:  "host",
		"https://example.com/hooks.slack.com" + webhookPath:  "host",
		"https://hooks.slack.com:8443" + webhookPath:         "host",
		"https://hooks.slack.com@example.com" + webhookPath:  "user",
		"https://bob:" + token + "@hooks.slack.com/services": "user",
		"https://169.254.169.254/" + token:                   "host",
		"https://hooks.slack.com" + webhookPath + "#x":       "fragment",
		"ftp://" + token: "https://",
		"{\"url\":\"https://hooks.slack.com" + token + "\"}": "no URL",
		"https://hooks.slack.com/\x00" + token:               "no URL",
		"   ":                                                "empty",
		token:                                                "https://",
		"https:hooks.slack.com" + webhookPath:                "host",
		"https://hooks.slack.com%2eexample.com/" + webhookPath: "",
	}
	for value, says := range rows {
		s := notify.Slack{
			URL: func(context.Context) (notify.Secret, error) { return notify.NewSecret(value), nil },
			HTTP: &http.Client{Transport: roundTrip(func(*http.Request) (*http.Response, error) {
				t.Errorf("%s was posted to", value)
				return nil, errors.New("no")
			})},
		}
		retry, err := s.Notify(t.Context(), notifytest.Sample())
		if err == nil || retry.When != notify.Never || !strings.Contains(err.Error(), says) {
			t.Errorf("%q: %s, %v; want an error that says %q", value, retry, err, says)
			continue
		}
		if strings.Contains(err.Error(), token) {
			t.Errorf("the error shows the secret: %v", err)
		}
	}
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// Slack's own hosts are taken, with blanks around the URL that editors leave.
func TestSlackTakesItsHosts(t *testing.T) {
	for _, host := range []string{"hooks.slack.com", "hooks.slack-gov.com"} {
		posted := ""
		s := notify.Slack{
			URL: func(context.Context) (notify.Secret, error) {
				return notify.NewSecret(" https://" + host + webhookPath + "\n"), nil
			},
			HTTP: &http.Client{Transport: roundTrip(func(r *http.Request) (*http.Response, error) {
				posted = r.URL.Host + " " + r.Header.Get("Content-Type")
				return &http.Response{StatusCode: 200, Body: io.NopCloser(strings.NewReader("ok"))}, nil
			})},
		}
		if _, err := s.Notify(t.Context(), notifytest.Sample()); err != nil || posted != host+" application/json; charset=utf-8" {
			t.Errorf("%s: posted to %q, %v", host, posted, err)
		}
	}
}

// The URL is in no error of the network either, however deep it lies.
func TestSlackErrorsAreRedacted(t *testing.T) {
	s := posting(t, answering(200, "", ""))
	s.HTTP = &http.Client{Transport: roundTrip(func(r *http.Request) (*http.Response, error) {
		return nil, fmt.Errorf("dialing for %s: refused", r.URL)
	})}
	retry, err := s.Notify(t.Context(), notifytest.Sample())
	if err == nil || retry.When != notify.Now {
		t.Fatalf("%s, %v", retry, err)
	}
	for e := err; e != nil; e = errors.Unwrap(e) {
		if text := fmt.Sprintf("%v %+v %#v", e, e, e); strings.Contains(text, token) {
			t.Errorf("%s", text)
		}
	}
	if !strings.Contains(err.Error(), "refused") {
		t.Errorf("the error lost its cause: %v", err)
	}
}

// A secret that cannot be read now may be read later.
func TestSlackWithoutItsSecret(t *testing.T) {
	s := notify.Slack{URL: func(context.Context) (notify.Secret, error) { return notify.Secret{}, errors.New("access denied") }}
	if retry, err := s.Notify(t.Context(), notifytest.Sample()); err == nil || retry.When != notify.Now {
		t.Errorf("%s, %v", retry, err)
	}
}

// However a secret is printed, it is not shown (T80).
func TestSecretNeverPrints(t *testing.T) {
	s := notify.NewSecret(token)
	type holder struct {
		S      notify.Secret
		hidden notify.Secret
	}
	h := holder{s, s}
	var lines strings.Builder
	slog.New(slog.NewJSONHandler(&lines, nil)).Info("x", "secret", s, "holder", h)
	slog.New(slog.NewTextHandler(&lines, nil)).Info("x", "secret", s, "holder", h)
	text, err := json.Marshal(h)
	if err != nil {
		t.Fatal(err)
	}
	all := lines.String() + string(text)
	for _, verb := range []string{"%s", "%v", "%+v", "%#v", "%q", "%x", "%d"} {
		all += fmt.Sprintf(verb, s) + fmt.Sprintf(verb, h) + fmt.Sprintf(verb, &s)
	}
	if strings.Contains(all, token) || strings.Contains(all, fmt.Sprintf("%x", token)) {
		t.Errorf("shown in %s", all)
	}
	if s.Reveal() != token {
		t.Error("the secret is lost")
	}
}
