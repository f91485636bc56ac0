// Package runtimetest runs the built bootstrap of a function as Lambda does:
// as a process of its own that asks the Runtime API for events (Lambda
// Developer Guide, runtimes-api). It is for tests.
//
// It takes the folder of a function, an environment and payloads, and gives
// back what the function answered. It changes nothing in the code it runs.
package runtimetest

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// patience is how long a function may take to answer before the test fails.
const patience = 60 * time.Second

// Build compiles the function in a folder with the flags of `make build`, for
// this machine, and gives the path of its bootstrap.
func Build(t testing.TB, folder string) string {
	t.Helper()
	out := filepath.Join(t.TempDir(), "bootstrap")
	watch(t, folder)
	cmd := exec.CommandContext(t.Context(), "go", "build", "-tags", "lambda.norpc", "-trimpath", "-ldflags=-s -w -buildid=", "-o", out, folder)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if text, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("building %s: %v\n%s", folder, err, text)
	}
	return out
}

// watch looks at the sources of a function, so that `go test` runs the test
// anew when they change: what only main reaches is no part of the test's binary,
// by which it would take an old result for a good one (go help test).
func watch(t testing.TB, folder string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(folder, "*.go"))
	if err != nil || len(files) == 0 {
		t.Fatalf("looking for the sources of %s: %d files, %v", folder, len(files), err)
	}
	for _, f := range files {
		if _, err := os.Stat(f); err != nil {
			t.Fatalf("looking at a source: %v", err)
		}
	}
}

// Runtime is a running function.
type Runtime struct {
	events  chan []byte
	answers chan Answer
	log     string
	exited  chan error
	process *exec.Cmd
}

// Answer is what a function said of one event.
type Answer struct {
	// Body is the response, or the error where Failed.
	Body   []byte
	Failed Failure
}

// Failure says whether an Answer is an error. The zero value says that it is none.
type Failure uint8

// Whether an Answer is an error.
const (
	Answered Failure = iota
	Refused
)

// Start runs a bootstrap until the test ends. The environment replaces that of
// the test, as Lambda's does; only PATH and HOME are kept.
func Start(t testing.TB, bootstrap string, env map[string]string) *Runtime {
	t.Helper()
	r := &Runtime{events: make(chan []byte), answers: make(chan Answer, 1), log: filepath.Join(t.TempDir(), "log"), exited: make(chan error, 1)}
	server := httptest.NewServer(r.api())
	cmd := exec.CommandContext(t.Context(), bootstrap)
	cmd.Env = []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + os.Getenv("HOME"),
		"AWS_LAMBDA_RUNTIME_API=" + strings.TrimPrefix(server.URL, "http://"),
		"AWS_LAMBDA_FUNCTION_NAME=rolewarden", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE=128", "AWS_LAMBDA_FUNCTION_VERSION=$LATEST",
		"LAMBDA_TASK_ROOT=" + filepath.Dir(bootstrap), "AWS_EC2_METADATA_DISABLED=true",
	}
	for k, v := range env {
		cmd.Env = append(cmd.Env, k+"="+v)
	}
	// A file, since it holds every line as soon as the function has written it.
	log, err := os.Create(r.log)
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		t.Fatalf("starting %s: %v", bootstrap, err)
	}
	r.process = cmd
	go func() { r.exited <- cmd.Wait() }()
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = log.Close()
		server.CloseClientConnections()
		server.Close()
	})
	return r
}

// Invoke hands the function one event and waits for its answer.
func (r *Runtime) Invoke(t testing.TB, payload []byte) Answer {
	t.Helper()
	timeout := time.After(patience)
	select {
	case r.events <- payload:
	case err := <-r.exited:
		t.Fatalf("the function ended before it asked for an event: %v\n%s", err, r.Log())
	case <-timeout:
		t.Fatalf("the function did not ask for an event\n%s", r.Log())
	}
	select {
	case a := <-r.answers:
		return a
	case err := <-r.exited:
		t.Fatalf("the function ended without an answer: %v\n%s", err, r.Log())
	case <-timeout:
		t.Fatalf("the function did not answer\n%s", r.Log())
	}
	return Answer{}
}

// Stop ends the function and gives the most memory that it held, in bytes.
func (r *Runtime) Stop(t testing.TB) int64 {
	t.Helper()
	_ = r.process.Process.Kill()
	if err := <-r.exited; err == nil {
		t.Fatal("the function had ended by itself")
	}
	usage, ok := r.process.ProcessState.SysUsage().(*syscall.Rusage)
	if !ok {
		t.Fatal("this system does not tell how much memory a process held")
	}
	// Linux counts in kilobytes (getrusage(2)).
	return usage.Maxrss * 1024
}

// Log is what the function has written so far.
func (r *Runtime) Log() string {
	text, err := os.ReadFile(r.log)
	if err != nil {
		return err.Error()
	}
	return string(text)
}

// api is the Runtime API, one event at a time.
func (r *Runtime) api() http.Handler {
	const base = "/2018-06-01/runtime/"
	mux := http.NewServeMux()
	n := 0
	mux.HandleFunc("GET "+base+"invocation/next", func(w http.ResponseWriter, req *http.Request) {
		select {
		case body := <-r.events:
			n++
			h := w.Header()
			h.Set("Lambda-Runtime-Aws-Request-Id", fmt.Sprintf("00000000-0000-4000-8000-%012d", n))
			h.Set("Lambda-Runtime-Deadline-Ms", fmt.Sprint(time.Now().Add(patience).UnixMilli()))
			h.Set("Lambda-Runtime-Invoked-Function-Arn", "arn:aws:lambda:us-east-1:111122223333:function:rolewarden")
			h.Set("Lambda-Runtime-Trace-Id", "Root=1-00000000-000000000000000000000000")
			_, _ = w.Write(body)
		case <-req.Context().Done():
		}
	})
	answer := func(f Failure) http.HandlerFunc {
		return func(w http.ResponseWriter, req *http.Request) {
			body, _ := io.ReadAll(req.Body)
			r.answers <- Answer{Body: body, Failed: f}
			w.WriteHeader(http.StatusAccepted)
		}
	}
	mux.HandleFunc("POST "+base+"invocation/{id}/response", answer(Answered))
	mux.HandleFunc("POST "+base+"invocation/{id}/error", answer(Refused))
	mux.HandleFunc("POST "+base+"init/error", answer(Refused))
	return mux
}
