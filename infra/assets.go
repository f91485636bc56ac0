package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/rolewarden/rolewarden/pkg/awsapi/actions"
	"github.com/rolewarden/rolewarden/pkg/deployment"
)

// assets says in which folder the code of each function lies, by the
// function's name (pkg/awsapi/actions).
type assets map[string]string

// builder makes the folder that holds one function's bootstrap.
type builder interface {
	Build(ctx context.Context, function string, arch deployment.Architecture) (folder string, err error)
}

// functionsOf gives the functions that a deployment has; none in the way
// Members.
func functionsOf(d *deployment.Deployment) []string {
	switch d.Way {
	case deployment.Single, deployment.Hub:
		if d.Slack == deployment.Present {
			return []string{actions.Guard, actions.Notify, actions.Canary, actions.Sweep}
		}
		return []string{actions.Guard, actions.Canary, actions.Sweep}
	case deployment.Members, deployment.NoWay:
	}
	return nil
}

// buildAssets builds the functions of a deployment, and lays the rules file
// that was checked beside those that judge: what was checked is what runs, even if
// somebody edits the file meanwhile.
func buildAssets(ctx context.Context, b builder, d *deployment.Deployment) (assets, error) {
	out := assets{}
	for _, f := range functionsOf(d) {
		folder, err := b.Build(ctx, f, d.Architecture)
		if err != nil {
			return nil, err
		}
		if f == actions.Guard || f == actions.Sweep {
			if err := writeStill(filepath.Join(folder, "rules.yaml"), d.RulesText, 0o644); err != nil {
				return nil, fmt.Errorf("putting the rules file beside the function %s: %w", f, err)
			}
		}
		out[f] = folder
	}
	return out, nil
}

// still is the time that every file of an asset bears, so that the same source
// gives the same zip.
var still = time.Date(1980, time.January, 1, 0, 0, 0, 0, time.UTC)

// writeStill writes a file with a mode and a time that never differ.
func writeStill(path string, text []byte, mode os.FileMode) error {
	if err := os.WriteFile(path, text, mode); err != nil {
		return err
	}
	return makeStill(path, mode)
}

// makeStill gives a file a mode, whatever the umask, and the time that never differs.
func makeStill(path string, mode os.FileMode) error {
	if err := os.Chmod(path, mode); err != nil {
		return err
	}
	return os.Chtimes(path, still, still)
}

// goBuilder builds functions with the Go toolchain of this machine, without
// containers. With the same toolchain the same source gives the same bytes: the
// flags keep paths and build ids out, and the environment is cleaned of all
// that changes code.
type goBuilder struct {
	// root is the folder of the module.
	root string
}

// Build implements builder.
func (b goBuilder) Build(ctx context.Context, function string, arch deployment.Architecture) (string, error) {
	goarch := goArchitecture(arch)
	folder := filepath.Join(b.root, "dist", "assets", function+"-"+goarch)
	// What an earlier build left there would go into the zip.
	if err := os.RemoveAll(folder); err != nil {
		return "", fmt.Errorf("building the function %s: %w", function, err)
	}
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return "", fmt.Errorf("building the function %s: %w", function, err)
	}
	bootstrap := filepath.Join(folder, "bootstrap")
	cmd := exec.CommandContext(ctx, "go", "build", "-tags", "lambda.norpc", "-trimpath", "-buildvcs=false",
		"-ldflags", "-s -w -buildid=", "-o", bootstrap, "./functions/"+function)
	cmd.Dir = b.root
	kept, err := b.kept(ctx)
	if err != nil {
		return "", fmt.Errorf("building the function %s: %w", function, err)
	}
	cmd.Env = buildEnvironment(os.Environ(), kept, goarch)
	if text, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("building the function %s for %s: %w\n%s", function, goarch, err, strings.TrimSpace(string(text)))
	}
	if err := makeStill(bootstrap, 0o755); err != nil {
		return "", fmt.Errorf("building the function %s: %w", function, err)
	}
	return folder, nil
}

// goArchitecture gives Go's word for an architecture.
func goArchitecture(a deployment.Architecture) string {
	switch a {
	case deployment.ARM64:
		return "arm64"
	case deployment.X8664:
		return "amd64"
	}
	return ""
}

// settingsKept are the settings of the toolchain that say where modules are
// and come from. They change no code, and may be set in the toolchain's own
// file, which the build does not read.
var settingsKept = []string{"GOPATH", "GOMODCACHE", "GOCACHE", "GOPROXY", "GOPRIVATE", "GONOPROXY", "GOSUMDB", "GONOSUMDB", "GOTOOLCHAIN"}

// kept asks the toolchain for the settings that the build keeps.
func (b goBuilder) kept(ctx context.Context) ([]string, error) {
	cmd := exec.CommandContext(ctx, "go", append([]string{"env"}, settingsKept...)...)
	cmd.Dir = b.root
	text, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("asking the Go toolchain for its settings: %w", err)
	}
	var out []string
	for i, value := range strings.Split(strings.TrimSuffix(string(text), "\n"), "\n") {
		if i < len(settingsKept) && value != "" {
			out = append(out, settingsKept[i]+"="+value)
		}
	}
	return out, nil
}

// buildEnvironment takes all out of an environment that changes the code which
// the toolchain makes, and sets what it must be.
func buildEnvironment(environment, kept []string, goarch string) []string {
	out := slices.DeleteFunc(slices.Clone(environment), func(one string) bool {
		name, _, _ := strings.Cut(one, "=")
		return strings.HasPrefix(name, "GO") || strings.HasPrefix(name, "CGO_") || strings.HasPrefix(name, "CDK_") || strings.HasPrefix(name, "JSII_")
	})
	out = append(out, kept...)
	// GOENV=off: `go env -w` may have set flags. The levels are the lowest, which
	// every machine of Lambda has.
	return append(out, "GOENV=off", "GOWORK=off", "CGO_ENABLED=0", "GOOS=linux", "GOARCH="+goarch, "GOARM64=v8.0", "GOAMD64=v1")
}

// moduleRoot gives the folder of the module that this program is part of.
func moduleRoot(ctx context.Context) (string, error) {
	text, err := exec.CommandContext(ctx, "go", "list", "-m", "-f", "{{.Dir}}", module).Output()
	root := strings.TrimSpace(string(text))
	if err != nil || root == "" {
		return "", fmt.Errorf("looking for the source of the functions: this folder is not inside the module %s: run the app from a clone of its repository, with Go installed", module)
	}
	return root, nil
}

const module = "github.com/rolewarden/rolewarden"
