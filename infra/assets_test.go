package main

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/rolewarden/rolewarden/pkg/awsapi/actions"
	"github.com/rolewarden/rolewarden/pkg/deployment"
)

// workshop is a module with a function guard that is quick to build. A file
// that does not compile waits for a build tag which must not be set.
func workshop(t *testing.T) string {
	t.Helper()
	root := t.TempDir()
	for name, text := range map[string]string{
		"go.mod":                      "module example.com/workshop\n\ngo 1.26\n",
		"functions/guard/main.go":     "package main\n\nfunc main() { println(\"guard\") }\n",
		"functions/guard/foreign.go":  "//go:build foreign\n\npackage main\n\nfunc main() {}\n",
		"functions/broken/main.go":    "package main\n\nfunc main() { nowhere() }\n",
		"dist/assets/guard-arm64/old": "left there by an earlier build\n",
	} {
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

// The hash of a function's code says whether its source was changed: neither
// where it was built nor how the toolchain is set up may change it.
func TestTheSameSourceGivesTheSameFunction(t *testing.T) {
	build := func() []byte {
		root := workshop(t)
		folder, err := goBuilder{root: root}.Build(t.Context(), actions.Guard, deployment.ARM64)
		if err != nil {
			t.Fatal(err)
		}
		if folder != filepath.Join(root, "dist", "assets", "guard-arm64") {
			t.Errorf("the function is in %s", folder)
		}
		files, err := filepath.Glob(filepath.Join(folder, "*"))
		if err != nil || len(files) != 1 {
			t.Fatalf("beside the bootstrap lies what an earlier build left there: %v, %v", files, err)
		}
		info, err := os.Stat(files[0])
		if err != nil || info.Mode() != 0o755 || !info.ModTime().Equal(still) {
			t.Errorf("the bootstrap is %v of %v, %v", info.Mode(), info.ModTime(), err)
		}
		code, err := os.ReadFile(files[0])
		if err != nil {
			t.Fatal(err)
		}
		return code
	}
	first := build()
	t.Setenv("GOFLAGS", "-tags=foreign")
	t.Setenv("GOARM64", "v9.0,lse")
	t.Setenv("GOEXPERIMENT", "nojsonv2")
	t.Setenv("GOOS", "darwin")
	t.Setenv("CGO_ENABLED", "1")
	if !bytes.Equal(first, build()) {
		t.Error("the environment or the folder changed the code")
	}
}

// What is set in the toolchain's own file changes nothing either.
func TestTheToolchainsOwnSettingsDoNotReachTheCode(t *testing.T) {
	environment := buildEnvironment([]string{"HOME=/home/alice", "GOFLAGS=-race", "GOENV=/home/alice/goenv", "JSII_NODE=node", "CGO_CFLAGS=-g"}, []string{"GOPROXY=off"}, "arm64")
	want := []string{"HOME=/home/alice", "GOPROXY=off", "GOENV=off", "GOWORK=off", "CGO_ENABLED=0", "GOOS=linux", "GOARCH=arm64", "GOARM64=v8.0", "GOAMD64=v1"}
	if !slices.Equal(environment, want) {
		t.Errorf("the environment is %v", environment)
	}
}

// An error names the function and shows what the compiler said.
func TestAFunctionThatDoesNotBuildIsNamed(t *testing.T) {
	_, err := goBuilder{root: workshop(t)}.Build(t.Context(), "broken", deployment.X8664)
	if err == nil || !strings.Contains(err.Error(), "building the function broken for amd64") || !strings.Contains(err.Error(), "nowhere") {
		t.Errorf("got %v", err)
	}
}

// What was checked is what runs: the very bytes of the rules file travel beside
// those that judge, and beside nobody else.
func TestTheRulesThatWereCheckedTravelWithThoseThatJudge(t *testing.T) {
	d, err := load("organization.yaml", "")
	if err != nil {
		t.Fatal(err)
	}
	code, err := buildAssets(t.Context(), stub{t.TempDir()}, d)
	if err != nil {
		t.Fatal(err)
	}
	if got := sortedKeys(code); !slices.Equal(got, []string{actions.Canary, actions.Guard, actions.Notify, actions.Sweep}) {
		t.Fatalf("the functions are %v", got)
	}
	for function, folder := range code {
		path := filepath.Join(folder, "rules.yaml")
		text, err := os.ReadFile(path)
		if (err == nil) != (function == actions.Guard || function == actions.Sweep) {
			t.Errorf("%s: %v", function, err)
		}
		if err == nil && !bytes.Equal(text, d.RulesText) {
			t.Errorf("%s got other rules", function)
		}
		if info, err := os.Stat(path); err == nil && (info.Mode() != 0o644 || !info.ModTime().Equal(still)) {
			t.Errorf("the rules are %v of %v", info.Mode(), info.ModTime())
		}
	}
	d.Slack = deployment.Absent
	if got := functionsOf(d); !slices.Equal(got, []string{actions.Guard, actions.Canary, actions.Sweep}) {
		t.Errorf("without Slack the functions are %v", got)
	}
	d.Way = deployment.Members
	if got := functionsOf(d); got != nil {
		t.Errorf("in members' accounts the functions are %v", got)
	}
}

// Changed rules are seen in the hash of the code of those that judge, and in
// nothing else.
func TestChangedRulesChangeThoseThatJudgeAlone(t *testing.T) {
	d, err := load("organization.yaml", "")
	if err != nil {
		t.Fatal(err)
	}
	before := way(t, hubWay).templates[deployment.HubStack]
	d.RulesText = append(slices.Clone(d.RulesText), "# another\n"...)
	a, err := render(d)
	if err != nil {
		t.Fatal(err)
	}
	for name, changes := range map[string]bool{deployment.GuardFunction: true, deployment.SweepFunction: true, deployment.NotifyFunction: false, deployment.CanaryFunction: false} {
		key := func(tpl stackTemplate) any {
			return at(named(t, tpl, "AWS::Lambda::Function", "FunctionName", name).Properties, "Code", "S3Key")
		}
		if (key(before) != key(a.templates[deployment.HubStack])) != changes {
			t.Errorf("%s: %v and %v", name, key(before), key(a.templates[deployment.HubStack]))
		}
	}
}
