package cli

import (
	"encoding/json"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// operatorsPage is the page that an operator follows.
func operatorsPage(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("../../infra/README.md")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// Blocks of a page, and what it shows as code within the text.
var (
	fenced = regexp.MustCompile("(?s)```.*?```")
	code   = regexp.MustCompile("`([^`]+)`")
)

// typed gives every command of this program that the page shows, on lines of
// their own and within the text, as a shell takes them apart.
func typed(t *testing.T, page string) [][]string {
	t.Helper()
	joined := strings.ReplaceAll(page, "\\\n", " ")
	var lines []string
	for line := range strings.Lines(joined) {
		if command, shown := strings.CutPrefix(strings.TrimSpace(line), "$ "); shown {
			lines = append(lines, command)
		}
	}
	for _, m := range code.FindAllStringSubmatch(fenced.ReplaceAllString(joined, ""), -1) {
		lines = append(lines, m[1])
	}
	var out [][]string
	for _, line := range lines {
		command, ours := strings.CutPrefix(strings.TrimPrefix(line, "./"), "rolewarden ")
		if !ours {
			continue
		}
		words, err := exec.CommandContext(t.Context(), "sh", "-c", `typed() { printf '%s\0' "$@"; }; typed `+command).Output()
		if err != nil {
			t.Fatalf("a shell does not take %q: %v", line, err)
		}
		out = append(out, strings.Split(strings.TrimSuffix(string(words), "\x00"), "\x00"))
	}
	return out
}

// What the page tells to type is what the command takes. A name within the text
// may leave out what the step before it has given: the deployment file, a reason
// and, for check, the file.
func TestTheOperatorsCommandsAreThoseThatThereAre(t *testing.T) {
	t.Parallel()
	all := typed(t, operatorsPage(t))
	verbs := map[string]bool{}
	for _, words := range all {
		whole := words
		if slices.Contains([]string{"doctor", "writes", "breaker"}, words[0]) && !slices.Contains(words, "--deployment") {
			whole = append(whole, "--deployment", "my/organization.yaml")
		}
		if len(words) == 1 && words[0] == "check" {
			whole = append(whole, "policy.json")
		}
		verbs[words[0]] = true
		parser, err := newParser(newSession(Streams{}, nil, demoStart().UTC))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := parser.Parse(whole); err != nil {
			t.Errorf("rolewarden %s: %v", strings.Join(words, " "), err)
		}
		if words[0] == "schema" && len(words) == 2 {
			if _, ok := schemaOf(words[1]); !ok {
				t.Errorf("there is no schema %s", words[1])
			}
		}
	}
	if len(all) < 10 || !verbs["doctor"] || !verbs["writes"] || !verbs["check"] || !verbs["schema"] {
		t.Errorf("the page shows %q", all)
	}
}

// Step 4: a role that was told of and gets worse is told of again as updated. The
// page's filter, which leaves the end of things out, lets that through: somebody
// who hears of what is critical hears of it too when it began as something less.
func TestTheOperatorsFilterMissesNothingThatGetsWorse(t *testing.T) {
	t.Parallel()
	m := regexp.MustCompile(`--attributes '([^']*)'`).FindStringSubmatch(operatorsPage(t))
	var attributes struct{ FilterPolicy string }
	var filter map[string][]string
	if m == nil || json.Unmarshal([]byte(m[1]), &attributes) != nil || json.Unmarshal([]byte(attributes.FilterPolicy), &filter) != nil {
		t.Fatalf("the page has no filter: %q", m)
	}
	o := operate(t, pageRules(t, "observe", "tag"))
	passes := func(state, severity string) bool {
		t.Helper()
		all, err := o.settle(t.Context())
		if err != nil || len(all) != 1 || len(all[0].alerts) != 1 {
			t.Fatalf("%+v, %v", all, err)
		}
		has := all[0].alerts[0].Attributes
		if has["state"] != state || has["severity"] != severity {
			t.Fatalf("the alert is %v, want %s and %s", has, state, severity)
		}
		for name, values := range filter {
			if !slices.Contains(values, has[name]) {
				return false
			}
		}
		return true
	}
	anyName := trusting("AWS", quote("arn:aws:iam::"+inWorkloads+":root"), assumeRole, "")
	o.calls(inSandbox, "CreateRole", map[string]string{"RoleName": "app", "AssumeRolePolicyDocument": anyName})
	if passes("opened", "medium") {
		t.Error("what is medium passes")
	}
	o.calls(inSandbox, "UpdateAssumeRolePolicy", map[string]string{"RoleName": "app", "PolicyDocument": openToAll})
	if !passes("updated", "critical") {
		t.Error("what has become critical does not pass")
	}
}
