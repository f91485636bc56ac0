package main

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-cdk-go/awscdk/v2"
)

// Who forgets the deployment file is told how to give one.
func TestWithoutADeploymentFileItSaysHowToGiveOne(t *testing.T) {
	t.Setenv("CDK_OUTDIR", t.TempDir())
	err := run(t.Context(), nil)
	if err == nil || !strings.Contains(err.Error(), "-c deployment=FILE") || !strings.Contains(err.Error(), "testdata/deployments") {
		t.Errorf("got %v", err)
	}
	t.Chdir("..")
	if _, _, err := chosen("", ""); err == nil || !strings.Contains(err.Error(), filepath.Join("testdata", "deployments", "single.yaml")) || strings.Contains(err.Error(), "rules") {
		t.Errorf("no sample is named, or a rules file: %v", err)
	}
}

// A file with mistakes ends with a list of them, not with a stack of calls.
func TestAFileWithMistakesIsRefusedInPlainWords(t *testing.T) {
	t.Setenv("CDK_OUTDIR", t.TempDir())
	path := filepath.Join(t.TempDir(), "deployment.yaml")
	if err := os.WriteFile(path, []byte("version: 1\nway: sideways\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	err := run(t.Context(), []string{"-c", "deployment=" + path})
	if err == nil || !strings.Contains(err.Error(), path+":2:") || strings.Contains(err.Error(), "goroutine") {
		t.Errorf("got %v", err)
	}
	err = run(t.Context(), []string{"-c", "deployment=testdata/deployments/organization.yaml", "-c", "way=sideways"})
	if err == nil || !strings.Contains(err.Error(), `"sideways"`) {
		t.Errorf("got %v", err)
	}
}

// What the CDK refuses is an error in one line or two, without the stack of the
// program that the CDK runs in.
func TestWhatTheCDKRefusesIsAnError(t *testing.T) {
	err := plainly(func() error {
		awscdk.NewStack(newApp(t.TempDir(), nil), str("no stack is called like this"), nil)
		return nil
	})
	if err == nil || !strings.Contains(err.Error(), "rendering the templates: ") || strings.Contains(err.Error(), "    at ") || strings.Count(err.Error(), "\n") > 2 {
		t.Errorf("got %v", err)
	}
}

func TestArgumentsAreReadLikeThoseOfTheCDK(t *testing.T) {
	got, err := contextOf([]string{"-c", "deployment=a=b.yaml", "--context", "way=hub"})
	if err != nil || !maps.Equal(got, map[string]any{"deployment": "a=b.yaml", "way": "hub"}) {
		t.Errorf("got %v, %v", got, err)
	}
	for _, args := range [][]string{{"deployment.yaml"}, {"-c"}, {"-c", "deployment"}, {"-c", "=x"}, {"--way", "hub"}} {
		if _, err := contextOf(args); err == nil {
			t.Errorf("%v is taken", args)
		}
	}
}

// Without the CDK's command line the templates go where people look for them.
func TestTemplatesGoToTheFolderThatTheCommandLineNames(t *testing.T) {
	if got := outputFolder(func(string) string { return "" }); got != "cdk.out" {
		t.Errorf("they go to %q", got)
	}
	if got := outputFolder(func(string) string { return "elsewhere" }); got != "" {
		t.Errorf("they go to %q", got)
	}
}

// What is wrong with a file is all that is printed: nothing is glued to it of
// the program that the CDK runs in, however that ends.
func TestAnErrorIsAllThatIsPrinted(t *testing.T) {
	const file = "ROLEWARDEN_TEST_DEPLOYMENT"
	if path := os.Getenv(file); path != "" {
		os.Args = []string{"infra", "-c", "deployment=" + path}
		main()
		t.Fatal("the file was taken")
	}
	path := filepath.Join(t.TempDir(), "deployment.yaml")
	if err := os.WriteFile(path, []byte("version: 1\nway: sideways\naccount: \"555555555555\"\nrules: rules.yaml\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	run := exec.Command(os.Args[0], "-test.run=^TestAnErrorIsAllThatIsPrinted$")
	run.Env = append(os.Environ(), file+"="+path, "CDK_OUTDIR="+t.TempDir())
	var said strings.Builder
	run.Stderr = &said
	var ended *exec.ExitError
	if err := run.Run(); !errors.As(err, &ended) || ended.ExitCode() != 1 {
		t.Errorf("it ended with %v", err)
	}
	for line := range strings.Lines(said.String()) {
		if !strings.HasPrefix(line, path+":") || !strings.HasSuffix(line, "\n") {
			t.Errorf("printed beside the mistakes: %q", line)
		}
	}
	if !strings.Contains(said.String(), path+":2:6: way:") {
		t.Errorf("the mistake is not told: %q", said.String())
	}
}

// Only the one complaint about nothing is left out.
func TestWhatEndsIsHeardOut(t *testing.T) {
	const heard = "[WARNING] first\nRuntime process exited abnormally: exit status 7\n"
	file, err := os.Create(filepath.Join(t.TempDir(), "stderr"))
	if err != nil {
		t.Fatal(err)
	}
	before := os.Stderr
	os.Stderr = file
	quietly(func() {
		fmt.Fprint(os.Stderr, "[WARNING] first\nRuntime process exited abnormally: waitid: no child processes")
		fmt.Fprint(os.Stderr, "Runtime process exited abnormally: exit status 7\n")
	})
	fmt.Fprint(os.Stderr, "Runtime process exited abnormally: waitid: no child processes")
	os.Stderr = before
	got, err := os.ReadFile(file.Name())
	if err != nil || string(got) != heard {
		t.Errorf("heard was %q, %v", got, err)
	}
}
