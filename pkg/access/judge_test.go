package access_test

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rolewarden/rolewarden/pkg/access"
	"github.com/rolewarden/rolewarden/pkg/policy"
)

// toolsFolder is where make tools installs the outside judges.
var toolsFolder = filepath.Join("..", "..", ".ci", "tools")

// theRole is the role of a request that names none.
const theRole = "arn:aws:iam::111122223333:role/app"

// secondJudge is an evaluator that this project did not write, in a process of
// its own: @cloud-copilot/iam-simulate.
type secondJudge struct {
	cmd *exec.Cmd
	in  io.WriteCloser
	out *bufio.Reader
}

// startJudge starts the second judge. Where it is not installed the test is
// skipped, or fails when ROLEWARDEN_REQUIRE_TOOLS is 1.
func startJudge(tb testing.TB) *secondJudge {
	tb.Helper()
	_, err := os.Stat(filepath.Join(toolsFolder, "node_modules", "@cloud-copilot", "iam-simulate", "package.json"))
	switch {
	case err == nil:
	case os.Getenv("ROLEWARDEN_REQUIRE_TOOLS") == "1":
		tb.Fatalf("iam-simulate is not installed: run make tools: %v", err)
	default:
		tb.Skip("iam-simulate is not installed: run make tools")
	}
	node, err := exec.LookPath(filepath.Join(toolsFolder, "node_modules", ".bin", "node"))
	if err != nil {
		node = "node"
	}
	cmd := exec.CommandContext(tb.Context(), node, filepath.Join(toolsFolder, "differential", "worker.cjs"))
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		tb.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		tb.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		tb.Fatalf("starting the second judge: %v", err)
	}
	return &secondJudge{cmd: cmd, in: in, out: bufio.NewReaderSize(out, 1<<16)}
}

// stop ends the process by ending its input.
func (j *secondJudge) stop() error {
	return errors.Join(j.in.Close(), j.cmd.Wait())
}

// put writes a question: a document and requests about it.
func (j *secondJudge) put(text []byte, requests []access.Request) error {
	line, err := question(text, requests)
	if err != nil {
		return err
	}
	_, err = j.in.Write(line)
	return err
}

// question is one line to the worker.
func question(text []byte, requests []access.Request) ([]byte, error) {
	asked := make([][4]any, len(requests))
	for i, r := range requests {
		context := map[string]any{}
		for key, v := range r.Context {
			switch {
			case v.IsAbsent():
			case v.Many:
				context[key] = append([]string{}, v.Values...)
			default:
				context[key] = v.Values[0]
			}
		}
		if hidesID(&r) {
			// The key is there with a value that nobody said: any will do.
			context["aws:userid"] = "AIDAUNKNOWNUNKNOWN00"
		}
		role := r.Role
		if role == "" {
			role = theRole
		}
		asked[i] = [4]any{r.Caller.AWS + r.Caller.Service + r.Caller.Federated, role, r.Actions, context}
	}
	line, err := json.Marshal(map[string]any{"policy": json.RawMessage(text), "requests": asked})
	return append(line, '\n'), err
}

// hidesID reports whether the caller is a user or a session whose aws:userid
// does not follow from the request.
func hidesID(r *access.Request) bool {
	for key := range r.Context {
		if strings.EqualFold(key, "aws:userid") {
			return false
		}
	}
	return r.Caller.ID == "" && (strings.Contains(r.Caller.AWS, ":user/") || strings.Contains(r.Caller.AWS, ":assumed-role/"))
}

// take reads the decisions on the question that was put first of those not yet
// answered.
func (j *secondJudge) take(n int) ([]access.Decision, error) {
	line, err := j.out.ReadBytes('\n')
	if err != nil {
		return nil, fmt.Errorf("reading the second judge: %w", err)
	}
	var letters string
	if err := json.Unmarshal(line, &letters); err != nil || len(letters) != n {
		return nil, fmt.Errorf("the second judge says %s", line)
	}
	out := make([]access.Decision, n)
	for i := range out {
		out[i] = access.Denied
		if letters[i] == 'A' {
			out[i] = access.Allowed
		}
	}
	return out, nil
}

// ask puts one question and waits for its answer.
func (j *secondJudge) ask(d policy.Document, requests []access.Request) ([]access.Decision, error) {
	if err := j.put(d.Print(), requests); err != nil {
		return nil, err
	}
	return j.take(len(requests))
}
