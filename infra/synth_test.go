package main

import (
	"crypto/sha256"
	"encoding/hex"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rolewarden/rolewarden/pkg/deployment"
)

// cutOff is the environment of a machine that reaches nothing: proxies that lead
// nowhere, no module proxy, an empty home, no credentials, and none of the
// settings of whoever runs the test.
func cutOff(t *testing.T) []string {
	t.Helper()
	tools, err := filepath.Abs(filepath.Join("..", ".ci", "tools", "node_modules", ".bin"))
	if err != nil {
		t.Fatal(err)
	}
	const nowhere = "http://127.0.0.1:9"
	out := []string{
		"PATH=" + tools + string(os.PathListSeparator) + os.Getenv("PATH"), "HOME=" + t.TempDir(), "TMPDIR=" + t.TempDir(),
		"HTTP_PROXY=" + nowhere, "HTTPS_PROXY=" + nowhere, "http_proxy=" + nowhere, "https_proxy=" + nowhere, "NO_PROXY=",
		"AWS_EC2_METADATA_DISABLED=true", "CDK_DISABLE_VERSION_CHECK=1",
	}
	// Where modules and what was built of them lie is a matter of the machine.
	text, err := exec.CommandContext(t.Context(), "go", "env", "GOMODCACHE", "GOCACHE").Output()
	folders := strings.Fields(string(text))
	if err != nil || len(folders) != 2 {
		t.Fatalf("%q, %v", text, err)
	}
	return append(out, "GOMODCACHE="+folders[0], "GOCACHE="+folders[1], "GOPROXY=off", "GOFLAGS=-mod=readonly", "GOSUMDB=off")
}

// synth runs the pinned command line of the CDK as make synth does, and gives
// what it wrote: each file's mode and digest.
func synth(t *testing.T, environment []string, context ...string) map[string]string {
	t.Helper()
	out := t.TempDir()
	args := []string{"synth", "--quiet", "--no-notices", "--no-version-reporting", "--no-path-metadata", "--no-asset-metadata", "--no-lookups", "-o", out}
	for _, c := range context {
		args = append(args, "-c", c)
	}
	cmd := exec.CommandContext(t.Context(), cdk(t), args...)
	cmd.Dir, cmd.Env = "..", environment
	if text, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("cdk %s: %v\n%s", strings.Join(args, " "), err, text)
	}
	files := map[string]string{}
	if err := filepath.WalkDir(out, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		info, err := e.Info()
		sum := sha256.Sum256(text)
		files[strings.TrimPrefix(path, out)] = info.Mode().String() + " " + hex.EncodeToString(sum[:])
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return files
}

// cdk finds the pinned command line.
func cdk(t *testing.T) string {
	t.Helper()
	path, err := filepath.Abs(filepath.Join("..", ".ci", "tools", "node_modules", ".bin", "cdk"))
	if err == nil {
		_, err = os.Stat(path)
	}
	switch {
	case err == nil:
	case os.Getenv("ROLEWARDEN_REQUIRE_TOOLS") == "1":
		t.Fatalf("the CDK's command line is not installed: run make tools: %v", err)
	default:
		t.Skip("the CDK's command line is not installed: run make tools")
	}
	return path
}

// The templates of every way are written, and the functions built, without a
// network and without credentials, and twice they are the same to the byte: what a
// reviewer has seen is what is deployed.
func TestASynthAsksNobodyAndIsReproducible(t *testing.T) {
	t.Parallel()
	environment := cutOff(t)
	for _, one := range []struct {
		context []string
		stack   string
	}{
		{[]string{"deployment=testdata/deployments/organization.yaml", "way=hub"}, deployment.HubStack},
		{[]string{"deployment=testdata/deployments/organization.yaml", "way=members"}, deployment.MembersStack},
		{[]string{"deployment=testdata/deployments/single.yaml"}, deployment.SingleStack},
	} {
		first := synth(t, environment, one.context...)
		for _, want := range []string{"/" + one.stack + ".template.json", "/manifest.json"} {
			if first[want] == "" {
				t.Errorf("%s was not written: %v", want, sortedKeys(first))
			}
		}
		if diff := cmp.Diff(first, synth(t, environment, one.context...)); diff != "" {
			t.Errorf("%v: a second synth differs (-first +second):\n%s", one.context, diff)
		}
	}
}
