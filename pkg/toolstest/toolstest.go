// Package toolstest finds the outside programs that make tools installs. It takes
// a program's name and gives its path, which holds in whatever folder it is run.
// It is imported by tests only.
package toolstest

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// Program gives the path of a program. Where it is not installed the test is
// skipped, or fails when ROLEWARDEN_REQUIRE_TOOLS is 1.
func Program(t testing.TB, name string) string {
	t.Helper()
	path, err := Find(name)
	switch {
	case err == nil:
	case Required():
		t.Fatal(err)
	default:
		t.Skip(err)
	}
	return path
}

// Required says whether a test fails for want of a program.
func Required() bool { return os.Getenv("ROLEWARDEN_REQUIRE_TOOLS") == "1" }

// Find looks into the folder that ROLEWARDEN_TOOLS names and nowhere else; where
// it names none, into the module's own, and then along the PATH. The folder's
// python has modules that no other has, so that one is taken from nowhere else.
func Find(name string) (string, error) {
	path, err := lookUp(name)
	if err == nil {
		path, err = filepath.Abs(path)
	}
	if err != nil {
		return "", fmt.Errorf("%s is not installed: run make tools, or set ROLEWARDEN_TOOLS to a folder with bin/%s (%w)", name, name, err)
	}
	return path, nil
}

func lookUp(name string) (string, error) {
	if folder := os.Getenv("ROLEWARDEN_TOOLS"); folder != "" {
		return exec.LookPath(filepath.Join(folder, "bin", name))
	}
	root, err := moduleRoot()
	if err != nil {
		return "", err
	}
	path, err := exec.LookPath(filepath.Join(root, ".ci", "tools", "venv", "bin", name))
	if err != nil && name != "python" {
		return exec.LookPath(name)
	}
	return path, err
}

// moduleRoot goes up from the test's folder to the one with go.mod.
func moduleRoot() (string, error) {
	folder, err := os.Getwd()
	if err != nil {
		return "", fmt.Errorf("finding the module: %w", err)
	}
	for {
		if _, err := os.Stat(filepath.Join(folder, "go.mod")); err == nil {
			return folder, nil
		}
		up := filepath.Dir(folder)
		if up == folder {
			return "", errors.New("finding the module: no go.mod above the test's folder")
		}
		folder = up
	}
}
