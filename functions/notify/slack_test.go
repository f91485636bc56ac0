package main

import (
	"context"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rolewarden/rolewarden/pkg/notify"
)

// The parts together, over the wire: an alert is posted, a 429 is waited out
// as long as Slack asks, a revoked webhook is replaced by the new one in the
// secret, and no URL is ever logged.
func TestAgainstAServerLikeSlack(t *testing.T) {
	const revoked, fresh = "/services/T0/B0/canaryrevoked", "/services/T0/B0/canaryfresh"
	var posted []string
	answers := []int{200, 429}
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		if r.URL.Path == revoked {
			http.Error(w, "no_service", http.StatusNotFound)
			return
		}
		posted = append(posted, string(body))
		code := answers[0]
		answers = answers[1:]
		w.Header().Set("Retry-After", "30")
		w.WriteHeader(code)
	}))
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.StartTLS()
	defer server.Close()

	path := revoked
	hook := &webhook{keep: 5 * time.Minute, now: time.Now, read: func(context.Context) (string, error) { return server.URL + path, nil }}
	if _, err := hook.url(t.Context()); err != nil {
		t.Fatal(err)
	}
	path = fresh
	p := &place{hidden: map[string]time.Duration{}, buried: map[string]string{}}
	slack := notify.Slack{URL: hook.url, HTTP: server.Client(), Now: time.Now, Hosts: []string{strings.TrimPrefix(server.URL, "https://")}}
	man := p.postman(slack, hook.renew)
	for _, m := range []string{"a", "b"} {
		how, pause := man.deliver(t.Context(), message(m))
		if want := m == "a"; (how == told) != want || (pause == 30*time.Second) == want {
			t.Errorf("%s: fate %d, pause %s\n%s", m, how, pause, p.log.String())
		}
	}
	if len(posted) != 2 || !strings.Contains(posted[0], `"type":"header"`) {
		t.Errorf("posted %q", posted)
	}
	if diff := cmp.Diff(map[string]time.Duration{"r-b": 30 * time.Second}, p.hidden); diff != "" {
		t.Errorf("hidden (-want +got):\n%s", diff)
	}
	if text := p.log.String(); strings.Contains(text, "canary") || strings.Contains(text, server.URL) {
		t.Errorf("the log shows the webhook:\n%s", text)
	}
}
