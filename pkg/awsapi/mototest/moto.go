// Package mototest runs moto server, a public imitation of AWS, for the tests of
// the room awsapi and of the functions.
//
// It gives the address of a server that was started once for a test binary, or
// skips the test where none is installed. It is imported by tests only.
package mototest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os/exec"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"

	"github.com/rolewarden/rolewarden/pkg/toolstest"
)

// Account is the account that calls under the test's own keys come from.
const Account = "123456789012"

// Server is a moto server that starts when its address is first asked for. The
// zero value is ready.
type Server struct {
	once    sync.Once
	url     string
	err     error
	process *exec.Cmd
}

// errNotFound says how to install it.
var errNotFound = errors.New("moto_server is not installed: run make tools, or put it on the PATH (pip install -r .ci/tools/requirements.txt)")

// Main runs the tests of a binary and stops the server after them. It is to be
// called from TestMain.
func (s *Server) Main(m *testing.M) int {
	defer s.stop()
	return m.Run()
}

// URL gives the server's address. Where moto is not installed the test is
// skipped, or fails when ROLEWARDEN_REQUIRE_TOOLS is 1.
func (s *Server) URL(t testing.TB) string {
	t.Helper()
	s.once.Do(s.start)
	switch {
	case errors.Is(s.err, errNotFound) && !toolstest.Required():
		t.Skip(s.err)
	case s.err != nil:
		t.Fatal(s.err)
	}
	return s.url
}

// AWS gives a configuration that reaches the server under the test's own keys.
func (s *Server) AWS(t testing.TB) aws.Config {
	t.Helper()
	return aws.Config{
		Region: "us-east-1", BaseEndpoint: aws.String(s.URL(t)),
		// What a test sets up is set up once, or the test says why not.
		Retryer:     func() aws.Retryer { return aws.NopRetryer{} },
		HTTPClient:  whole{http.Client{Transport: &http.Transport{DisableKeepAlives: true}}},
		Credentials: credentials.NewStaticCredentialsProvider("AKIAEXAMPLE", "secret", ""),
	}
}

func (s *Server) start() {
	program, err := toolstest.Find("moto_server")
	if err != nil {
		s.err = fmt.Errorf("%w (%w)", errNotFound, err)
		return
	}
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		s.err = fmt.Errorf("finding a free port: %w", err)
		return
	}
	host, port, _ := net.SplitHostPort(free.Addr().String())
	if s.err = free.Close(); s.err != nil {
		return
	}
	// moto refuses nothing for want of rights unless asked to; its own log is no test output.
	s.process = exec.Command(program, "-H", host, "-p", port)
	s.process.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if s.err = s.process.Start(); s.err != nil {
		return
	}
	s.url = "http://" + net.JoinHostPort(host, port)
	s.err = s.answers()
}

// answers waits until the server does, at most two minutes on a busy machine.
func (s *Server) answers() error {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.url+"/moto-api/", nil)
		if err != nil {
			return err
		}
		if answer, err := http.DefaultClient.Do(req); err == nil {
			return answer.Body.Close()
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("waiting for moto_server at %s: %w", s.url, ctx.Err())
		case <-tick.C:
		}
	}
}

// stop ends the server and whatever it started.
func (s *Server) stop() {
	if s.process == nil || s.process.Process == nil {
		return
	}
	_ = syscall.Kill(-s.process.Process.Pid, syscall.SIGKILL)
	_ = s.process.Wait()
}

// whole gives answers that were read to their end, each over a connection of
// its own: an answer that breaks off is an error of the call and not of
// whoever reads it.
type whole struct{ client http.Client }

// Do implements aws.HTTPClient.
func (w whole) Do(r *http.Request) (*http.Response, error) {
	answer, err := w.client.Do(r)
	if err != nil {
		return nil, err
	}
	body, err := io.ReadAll(answer.Body)
	if err := errors.Join(err, answer.Body.Close()); err != nil {
		return nil, fmt.Errorf("reading moto's answer: %w", err)
	}
	answer.Body = io.NopCloser(bytes.NewReader(body))
	return answer, nil
}
