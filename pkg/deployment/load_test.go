package deployment_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rolewarden/rolewarden/pkg/deployment"
	"github.com/rolewarden/rolewarden/pkg/org"
	"github.com/rolewarden/rolewarden/pkg/org/strict"
)

// write puts files into a folder of their own and gives it.
func write(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func loadText(t *testing.T, text, rulesText string) (*deployment.Deployment, error) {
	t.Helper()
	dir := write(t, map[string]string{"deployment.yaml": text, "rules.yaml": rulesText})
	return deployment.Load(filepath.Join(dir, "deployment.yaml"), deployment.Override{}, today())
}

const single = "version: 1\nway: single\naccount: '555555555555'\nrules: "

// The rules file is looked for beside the deployment file, wherever the command
// is run; what travels with the functions are its very bytes.
func TestTheRulesFileIsFoundFromTheDeploymentFile(t *testing.T) {
	t.Parallel()
	const text = "version: 1 # ours\n"
	dir := write(t, map[string]string{"a/deployment.yaml": single + "../b/rules.yaml\n", "b/rules.yaml": text})
	absolute := write(t, map[string]string{"deployment.yaml": single + filepath.Join(dir, "b/rules.yaml") + "\n"})
	parsed, err := org.Parse("rules.yaml", []byte(text), today())
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range []string{filepath.Join(dir, "a/deployment.yaml"), filepath.Join(absolute, "deployment.yaml")} {
		d, err := deployment.Load(file, deployment.Override{}, today())
		if err != nil {
			t.Fatal(err)
		}
		if string(d.RulesText) != text || d.Rules.Hash != parsed.Hash || d.RulesFile != filepath.Join(dir, "b/rules.yaml") || d.File != file {
			t.Errorf("%s: %q with hash %s from %s", d.File, d.RulesText, d.Rules.Hash, d.RulesFile)
		}
	}
}

// A rules file that was good yesterday is not deployed when an exemption in it
// has ended since: somebody has to renew it or take it out.
func TestAnEndedExemptionHoldsUpADeployment(t *testing.T) {
	t.Parallel()
	const exempting = "version: 1\nexemptions:\n  - {rules: [external-id], role: 'arn:aws:iam::111122223333:role/app', owner: alice, reason: r, ticket: SEC-1, expires: 2026-11-21}\n"
	dir := write(t, map[string]string{"deployment.yaml": single + "rules.yaml\n", "rules.yaml": exempting})
	file := filepath.Join(dir, "deployment.yaml")
	if _, err := deployment.Load(file, deployment.Override{}, today()); err != nil {
		t.Error(err)
	}
	_, err := deployment.Load(file, deployment.Override{}, today().AddDate(0, 0, 1))
	if err == nil || !strings.Contains(err.Error(), "rules.yaml:3:") || !strings.Contains(err.Error(), "the exemption ended") {
		t.Errorf("Load says %v", err)
	}
}

// What is no file is named as what was asked for, and nothing that goes on for
// ever is read.
func TestOnlyPlainFilesOfSomeSizeAreRead(t *testing.T) {
	t.Parallel()
	large := strings.Repeat("#", strict.MaxBytes+1)
	dir := write(t, map[string]string{
		"large.yaml": large, "missing.yaml": single + "nowhere.yaml\n", "folder.yaml": single + "sub\n", "sub/x": "",
		"device.yaml": single + "/dev/zero\n", "large-rules.yaml": single + "large.yaml\n",
	})
	for name, want := range map[string]string{
		"nowhere.yaml":     "reading the deployment file " + filepath.Join(dir, "nowhere.yaml") + ": no such file",
		"sub":              "it is no plain file",
		"large.yaml":       "1048577 bytes are more than the 1048576 of the largest file that is read",
		"missing.yaml":     "missing.yaml:4:8: rules: reading " + filepath.Join(dir, "nowhere.yaml") + ": no such file",
		"folder.yaml":      "folder.yaml:4:8: rules: reading " + filepath.Join(dir, "sub") + ": it is no plain file",
		"device.yaml":      "device.yaml:4:8: rules: reading /dev/zero: it is no plain file",
		"large-rules.yaml": "large-rules.yaml:4:8: rules: reading " + filepath.Join(dir, "large.yaml") + ": 1048577 bytes",
	} {
		_, err := deployment.Load(filepath.Join(dir, name), deployment.Override{}, today())
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", name, err)
		}
		if errors.Is(err, fs.ErrNotExist) != (name == "nowhere.yaml") {
			t.Errorf("%s: whether it is there is told as %v", name, err)
		}
	}
}
