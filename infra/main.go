// Command infra is the CDK app: it renders the CloudFormation templates of
// rolewarden.
//
// It takes a deployment file (pkg/deployment) by the context value deployment,
// and gives a cloud assembly: templates, and the code of the functions, which
// it builds. It calls nothing, needs no credentials and no network, and knows
// no name or policy of its own: names come from pkg/deployment, documents from
// pkg/grants, event patterns from pkg/trail, metrics from pkg/meter.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/jsii-runtime-go"

	"github.com/rolewarden/rolewarden/pkg/deployment"
)

func main() {
	shown := os.Stderr
	err := run(context.Background(), os.Args[1:])
	quietly(jsii.Close)
	if err != nil {
		_, _ = fmt.Fprintln(shown, err) // there is nobody else to tell
		os.Exit(1)
	}
}

// complaint is what jsii may print, without a new line, when the program that
// the CDK runs in ends as it should: it waits for it in two places, and whichever
// comes second finds nothing to wait for (jsii-runtime-go, internal/kernel/process).
var complaint = regexp.MustCompile(`Runtime process exited abnormally: (?:(?:waitid|wait): no child processes|exec: Wait was already called)\n?`)

// quietly lets f print to the standard error whatever it has to say but that.
// Afterwards the standard error is shut, since the complaint may come late.
func quietly(f func()) {
	r, w, err := os.Pipe()
	if err != nil {
		f()
		return
	}
	shown, done := os.Stderr, make(chan error)
	os.Stderr = w
	go func() {
		text, err := io.ReadAll(r)
		_, printed := shown.Write(complaint.ReplaceAll(text, nil))
		done <- errors.Join(err, printed)
	}()
	f()
	if err := errors.Join(w.Close(), <-done, r.Close()); err != nil {
		_, _ = fmt.Fprintln(shown, err)
	}
}

// run renders what the deployment file asks for.
func run(ctx context.Context, args []string) error {
	given, err := contextOf(args)
	if err != nil {
		return err
	}
	return plainly(func() error {
		app := newApp(outputFolder(os.Getenv), given)
		file, override, err := chosen(contextText(app, "deployment"), contextText(app, "way"))
		if err != nil {
			return err
		}
		d, err := deployment.Load(file, override, time.Now())
		if err != nil {
			return err
		}
		root, err := moduleRoot(ctx)
		if err != nil {
			return err
		}
		a, err := buildAssets(ctx, goBuilder{root: root}, d)
		if err != nil {
			return err
		}
		return synthesize(app, d, a)
	})
}

// contextOf reads the values that are given as they are given to the CDK's own
// command line (-c name=value), for runs without it.
func contextOf(args []string) (map[string]any, error) {
	out := map[string]any{}
	for len(args) > 0 {
		if args[0] != "-c" && args[0] != "--context" || len(args) == 1 {
			return nil, fmt.Errorf("reading the arguments: %q is not known: give -c deployment=FILE, and -c way=single|hub|members to choose another way than the file's", args[0])
		}
		name, value, found := strings.Cut(args[1], "=")
		if !found || name == "" {
			return nil, fmt.Errorf("reading the arguments: -c %s: give a name and a value, such as -c deployment=FILE", args[1])
		}
		out[name] = value
		args = args[2:]
	}
	return out, nil
}

// chosen gives the deployment file, and what is to replace its own choice.
func chosen(file, way string) (string, deployment.Override, error) {
	if file == "" {
		return "", deployment.Override{}, errors.New("choosing what to deploy: no deployment file was given: give -c deployment=FILE; testdata/deployments holds samples" + samples())
	}
	return file, deployment.Override{Way: way}, nil
}

// samples lists the sample files, as far as they are at hand. Rules files lie
// beside them.
func samples() string {
	found, err := filepath.Glob(filepath.Join("testdata", "deployments", "*.yaml"))
	found = slices.DeleteFunc(found, func(path string) bool { return strings.HasPrefix(filepath.Base(path), "rules") })
	if err != nil || len(found) == 0 {
		return ""
	}
	return " (" + strings.Join(found, ", ") + ")"
}

// outputFolder is where the assembly goes when the CDK's command line names no
// folder: the CDK itself would take a temporary one.
func outputFolder(getenv func(string) string) string {
	if getenv("CDK_OUTDIR") != "" {
		return ""
	}
	return "cdk.out"
}

// contextText reads a context value; empty where there is none.
func contextText(app awscdk.App, name string) string {
	text, _ := app.Node().TryGetContext(str(name)).(string)
	return text
}

// plainly runs f and turns the panics of the CDK into errors that a person can
// read: what was wrong, without the stack of the program that the CDK runs in.
func plainly(f func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("rendering the templates: %s", firstWords(fmt.Sprint(p)))
		}
	}()
	return f()
}

// firstWords gives a panic's message up to where its stack begins.
func firstWords(text string) string {
	text, _, _ = strings.Cut(text, "\n    at ")
	text, _, _ = strings.Cut(text, "\nCaused by:")
	return strings.TrimSpace(text)
}
