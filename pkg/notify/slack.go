package notify

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/slack-go/slack"

	"github.com/rolewarden/rolewarden/pkg/alert"
)

// Slack tells alerts through an incoming webhook.
type Slack struct {
	// URL gives the webhook's URL, each time anew, so that a new one needs no
	// new start; keeping it for a while is the caller's.
	URL func(ctx context.Context) (Secret, error)
	// HTTP is the client to post with; nil means one that gives up after ten
	// seconds. Redirects are never followed, whatever it says.
	HTTP *http.Client
	// Now is the clock, for a Retry-After that names a date.
	Now func() time.Time
	// Hosts are hosts, with their port if any, that a URL may name beside
	// Slack's own; for tests and the demo.
	Hosts []string
}

var _ Channel = Slack{}

// Bounds of the time to leave before the next try. The most is what a message
// of SQS can be made invisible for (Amazon SQS API Reference,
// API_ChangeMessageVisibility).
const (
	defaultRetryAfter = 30 * time.Second
	maxRetryAfter     = 12 * time.Hour
)

// slackHosts are the hosts of incoming webhooks, commercial and GovSlack.
func slackHosts() []string { return []string{"hooks.slack.com", "hooks.slack-gov.com"} }

// Name gives "slack".
func (s Slack) Name() string { return "slack" }

// Notify posts the alert. Slack's 429 and 5xx, and a network that fails, are
// tried again; every other refusal would be repeated and is not (Slack API,
// "Sending messages using incoming webhooks", "Rate limits").
func (s Slack) Notify(ctx context.Context, a alert.Alert) (Retry, error) {
	body, err := Payload(a)
	if err != nil {
		return Retry{}, fmt.Errorf("writing alert %s for Slack: %w", a.ID, err)
	}
	secret, err := s.URL(ctx)
	if err != nil {
		return Retry{When: Now}, fmt.Errorf("reading the URL of Slack's webhook: %w", err)
	}
	target, err := s.target(secret)
	if err != nil {
		return Retry{}, err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, target, bytes.NewReader(body))
	if err != nil {
		return Retry{}, fmt.Errorf("posting alert %s to Slack: %w", a.ID, redactURL(err, secret))
	}
	request.Header.Set("Content-Type", "application/json; charset=utf-8")
	response, err := s.client().Do(request)
	if err != nil {
		return Retry{When: Now}, fmt.Errorf("posting alert %s to Slack: %w", a.ID, redactURL(err, secret))
	}
	defer func() { _ = response.Body.Close() }()
	said, _ := io.ReadAll(io.LimitReader(response.Body, 512))
	return s.answered(response, a.ID, secret.in(alert.Plain(string(said), 200)))
}

// answered sorts Slack's answers.
func (s Slack) answered(r *http.Response, id, said string) (Retry, error) {
	problem := fmt.Errorf("posting alert %s to Slack: it answered %d %q", id, r.StatusCode, said)
	switch code := r.StatusCode; {
	case code >= 200 && code < 300:
		return Retry{}, nil
	case code == http.StatusTooManyRequests, code >= 500:
		return Retry{When: Later, After: s.retryAfter(r.Header.Get("Retry-After"))}, problem
	case code >= 300 && code < 400:
		return Retry{}, fmt.Errorf("%w: redirects are not followed: write the webhook's own URL into the secret", problem)
	case code == http.StatusForbidden, code == http.StatusNotFound, code == http.StatusGone:
		return Retry{}, fmt.Errorf("%w: the webhook was revoked or its channel is gone: make a new one and write its URL into the secret", problem)
	default:
		return Retry{}, problem
	}
}

// retryAfter reads the header in both of its forms (RFC 9110, section 10.2.3).
func (s Slack) retryAfter(header string) time.Duration {
	after := defaultRetryAfter
	if seconds, err := strconv.Atoi(strings.TrimSpace(header)); err == nil {
		after = time.Duration(min(max(seconds, 0), int(maxRetryAfter/time.Second))) * time.Second
	} else if at, err := http.ParseTime(header); err == nil && s.Now != nil {
		after = at.Sub(s.Now())
	}
	return min(max(after, time.Second), maxRetryAfter)
}

// target checks the webhook's URL (T81). The error never shows it.
func (s Slack) target(secret Secret) (string, error) {
	text := strings.TrimSpace(secret.Reveal())
	u, err := url.Parse(text)
	switch {
	case text == "":
		return "", errors.New("reading the URL of Slack's webhook: it is empty: write the URL into the secret")
	case err != nil:
		return "", errors.New("reading the URL of Slack's webhook: it is no URL: write https://hooks.slack.com/services/... into the secret, and nothing else")
	case u.Scheme != "https":
		return "", errors.New("reading the URL of Slack's webhook: it does not begin with https://: alerts are only sent encrypted")
	case u.User != nil || u.Fragment != "":
		return "", errors.New("reading the URL of Slack's webhook: it has a user or a fragment, which Slack's webhooks do not")
	case !slices.Contains(slackHosts(), u.Host) && !slices.Contains(s.Hosts, u.Host):
		return "", fmt.Errorf("reading the URL of Slack's webhook: its host is none of %q", append(slackHosts(), s.Hosts...))
	default:
		return u.String(), nil
	}
}

// client gives a client that follows no redirect.
func (s Slack) client() *http.Client {
	c := http.Client{Timeout: 10 * time.Second}
	if s.HTTP != nil {
		c = *s.HTTP
	}
	c.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &c
}

// Payload gives the JSON that is posted for an alert: the blocks, and for
// notifications a text in constant words.
func Payload(a alert.Alert) ([]byte, error) {
	return json.Marshal(struct {
		Text        string        `json:"text"`
		Blocks      []slack.Block `json:"blocks"`
		UnfurlLinks bool          `json:"unfurl_links"`
		UnfurlMedia bool          `json:"unfurl_media"`
	}{Text: escape(a.Subject(), maxText), Blocks: Blocks(a)})
}
