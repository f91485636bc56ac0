package cli

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"

	"github.com/rolewarden/rolewarden/pkg/lab"
)

// wiretap is the HTTP client of rolewarden's SDK clients in a house. It keeps
// the credentials of the last writing session, as a thief on the machine
// could, so that a story can show how little they are good for.
type wiretap struct {
	mu     sync.Mutex
	writer lab.Credentials
}

// Do sends a request.
func (w *wiretap) Do(r *http.Request) (*http.Response, error) {
	role, err := assumed(r)
	if err != nil {
		return nil, err
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil || !strings.HasSuffix(role, "role/"+writerRole) {
		return answer, err
	}
	text, err := io.ReadAll(io.LimitReader(answer.Body, answerLimit))
	if err != nil {
		return nil, fmt.Errorf("reading the answer to AssumeRole: %w", err)
	}
	if err := answer.Body.Close(); err != nil {
		return nil, fmt.Errorf("reading the answer to AssumeRole: %w", err)
	}
	answer.Body = io.NopCloser(bytes.NewReader(text))
	if answer.StatusCode == http.StatusOK {
		w.mu.Lock()
		w.writer = reply(text).credentials()
		w.mu.Unlock()
	}
	return answer, nil
}

// stolen gives the credentials of the last writing session.
func (w *wiretap) stolen() lab.Credentials {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.writer
}

// assumed gives the ARN of the role that a request asks for, if it is one for
// a session.
func assumed(r *http.Request) (string, error) {
	if r.Body == nil || r.Header.Get("Content-Type") != "application/x-www-form-urlencoded" {
		return "", nil
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return "", fmt.Errorf("reading a request: %w", err)
	}
	if err := r.Body.Close(); err != nil {
		return "", fmt.Errorf("reading a request: %w", err)
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	form, err := url.ParseQuery(string(body))
	if err != nil || form.Get("Action") != "AssumeRole" {
		return "", nil //nolint:nilerr // what is no form is none of our business
	}
	return form.Get("RoleArn"), nil
}
