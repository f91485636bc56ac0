package cli_test

import (
	"bytes"
	"errors"
	"flag"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/rolewarden/rolewarden/pkg/awsapi/mototest"
	"github.com/rolewarden/rolewarden/pkg/cli"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// motoServer is one process for all tests of this binary.
var motoServer = &mototest.Server{}

// withMoto runs the tests and stops moto after them.
type withMoto struct{ m *testing.M }

// Run implements testscript.TestingM.
func (w withMoto) Run() int { return motoServer.Main(w.m) }

func TestMain(m *testing.M) {
	testscript.Main(withMoto{m}, map[string]func(){
		"rolewarden": func() {
			os.Exit(cli.Run(os.Args[1:], cli.Streams{In: os.Stdin, Out: os.Stdout, Err: os.Stderr}))
		},
	})
}

// Each page of testdata/script is one promise of the command line.
func TestScripts(t *testing.T) {
	t.Parallel()
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		UpdateScripts:       *update,
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits": exits,
			"valid": valid,
			"line":  oneLine,
		},
	})
}

// exits STATUS VERB ARGS... runs rolewarden and demands the exit status.
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 1 {
		ts.Fatalf("usage: exits STATUS VERB ARGS...")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	if err := ts.Exec("rolewarden", args[1:]...); err != nil {
		var exit *exec.ExitError
		if !errors.As(err, &exit) {
			ts.Fatalf("running rolewarden: %v", err)
		}
		got = exit.ExitCode()
	}
	if got != want {
		ts.Fatalf("rolewarden %s: exit status %d, want %d", strings.Join(args[1:], " "), got, want)
	}
}

// valid NAME FILE demands that every JSON value of the file obeys the
// published schema of that name.
func valid(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: valid SCHEMA FILE")
	}
	lines := strings.Split(strings.TrimSpace(ts.ReadFile(args[1])), "\n")
	if lines[0] == "" {
		ts.Fatalf("%s is empty", args[1])
	}
	schema, err := compiled(args[0])
	ts.Check(err)
	for i, line := range lines {
		value, err := jsonschema.UnmarshalJSON(strings.NewReader(line))
		if err != nil {
			ts.Fatalf("%s, line %d: %v", args[1], i+1, err)
		}
		if err := schema.Validate(value); err != nil {
			ts.Fatalf("%s, line %d: %v\n%s", args[1], i+1, err, line)
		}
	}
}

// compiled gives a schema as the verb `schema` prints it.
func compiled(name string) (*jsonschema.Schema, error) {
	text, stderr, status := run("", "schema", name)
	if status != 0 {
		return nil, errors.New(stderr)
	}
	value, err := jsonschema.UnmarshalJSON(strings.NewReader(text))
	if err != nil {
		return nil, err
	}
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	// A bare name would stand for a file here, whose path may hold a blank.
	id := "urn:rolewarden:schema:" + name
	if err := c.AddResource(id, value); err != nil {
		return nil, err
	}
	return c.Compile(id)
}

// line N FILE OUT copies one line of a file to another, so that a script can
// look at it alone.
func oneLine(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: line N FILE OUT")
	}
	n, err := strconv.Atoi(args[0])
	ts.Check(err)
	lines := strings.Split(ts.ReadFile(args[1]), "\n")
	if n < 1 || n > len(lines) {
		ts.Fatalf("%s has %d lines", args[1], len(lines))
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[2]), []byte(lines[n-1]+"\n"), 0o600))
}

// run runs the command in this process.
func run(stdin string, args ...string) (stdout, stderr string, status int) {
	var out, errs bytes.Buffer
	status = cli.Run(args, cli.Streams{In: strings.NewReader(stdin), Out: &out, Err: &errs})
	return out.String(), errs.String(), status
}
