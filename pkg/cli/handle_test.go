package cli_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// row is one row of the table in events/README.md.
var row = regexp.MustCompile("(?m)^\\| `([^`]+\\.json)` \\| ([^|]+) \\|[^|]*\\|[^|]*\\| ([^|]+) \\|")

// Every sample event goes through the whole line and ends as its story says:
// an ignored one asks for nothing, one that cannot be trusted is rejected or
// left on the dead-letter queue, and every other one gets an end of its own.
func TestEverySampleEventEndsAsItsStorySays(t *testing.T) {
	t.Parallel()
	readme, err := os.ReadFile("../../events/README.md")
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob("../../events/*.json")
	if err != nil || len(files) < 16 {
		t.Fatalf("%d events, %v", len(files), err)
	}
	stories := map[string][2]string{}
	for _, m := range row.FindAllStringSubmatch(string(readme), -1) {
		stories[m[1]] = [2]string{strings.TrimSpace(m[2]), strings.TrimSpace(m[3])}
	}
	valid := validator(t, "handle")
	for _, file := range files {
		name := filepath.Base(file)
		story, ok := stories[name]
		if !ok {
			t.Errorf("%s has no row in events/README.md", name)
			continue
		}
		out, errs, status := run("", "handle", "--format", "json", file)
		if status == 3 {
			t.Errorf("%s: %s", name, errs)
			continue
		}
		valid(name, out)
		var result struct {
			Events []struct {
				Routed      bool
				End, Reason string
			}
		}
		if err := json.Unmarshal([]byte(out), &result); err != nil {
			t.Fatal(err)
		}
		e := result.Events[0]
		switch outcome := story[0]; {
		case strings.HasPrefix(outcome, "Ignored: "):
			if e.End != "Ignored" || e.Reason != strings.TrimPrefix(outcome, "Ignored: ") {
				t.Errorf("%s: %s: %s; want %s", name, e.End, e.Reason, outcome)
			}
		case strings.HasPrefix(outcome, "refused: "):
			if e.End != "Rejected" && e.End != "DeadLetter" || !strings.Contains(e.Reason, strings.TrimPrefix(outcome, "refused: ")) {
				t.Errorf("%s: %s: %s; want %s", name, e.End, e.Reason, outcome)
			}
		default:
			if e.End == "Ignored" || e.End == "Rejected" || e.End == "DeadLetter" || e.End == "InFlight" || e.Reason == "" {
				t.Errorf("%s: %s: %s; want a %s", name, e.End, e.Reason, outcome)
			}
		}
		if want := story[1] == "by default"; e.Routed != want {
			t.Errorf("%s: routed %v, and it arrives %s", name, e.Routed, story[1])
		}
	}
}

// AssumeRole events are routed for the roles that the rules file lists, and no others.
func TestAssumeRoleIsRoutedForListedRolesOnly(t *testing.T) {
	t.Parallel()
	const rules = `version: 1
organization: {id: o-exampleorgid, accounts: [{id: "111122223333"}]}
rules: {session-policy: {roles: ["arn:aws:iam::111122223333:role/ROLE"]}}
`
	for listed, want := range map[string]string{"payroll-admin": `"routed":true`, "other": `"routed":false`} {
		file := filepath.Join(t.TempDir(), "rules.yaml")
		if err := os.WriteFile(file, []byte(strings.Replace(rules, "ROLE", listed, 1)), 0o600); err != nil {
			t.Fatal(err)
		}
		out, errs, _ := run("", "handle", "--rules", file, "--format", "json", "../../events/AssumeRole.without-session-policy.json")
		if !strings.Contains(out, want) {
			t.Errorf("%s listed: want %s: %s%s", listed, want, out, errs)
		}
		if found := strings.Contains(out, `"rule":"session-policy"`); found != (listed == "payroll-admin") {
			t.Errorf("%s listed: a finding: %v", listed, found)
		}
	}
}
