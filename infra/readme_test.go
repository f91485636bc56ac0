package main

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/rolewarden/rolewarden/pkg/deployment"
)

// The operator's page lists every alarm with what to do, as it is deployed.
func TestTheOperatorsPageListsEveryAlarm(t *testing.T) {
	d, err := load("organization.yaml", "hub")
	if err != nil {
		t.Fatal(err)
	}
	var table strings.Builder
	table.WriteString("| alarm | what it means, and what to do |\n|---|---|\n")
	for _, a := range d.Alarms() {
		fmt.Fprintf(&table, "| `%s` | %s |\n", a.Name, a.Description)
	}
	between(t, "README.md", "alarms", table.String())
}

// The page names the stacks, files and names that there are.
func TestTheOperatorsPageNamesWhatThereIs(t *testing.T) {
	page, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{
		deployment.HubStack, deployment.MembersStack, deployment.ManagementStack, deployment.SlackSecret, deployment.AlertTopic,
		deployment.AlarmTopic, deployment.ExternalIDParameter + "=", "`" + deployment.AlarmPrefix + "no-event`", "`" + deployment.AlarmPrefix + "no-canary`",
	} {
		if !strings.Contains(string(page), name) {
			t.Errorf("the page does not name %s", name)
		}
	}
	for _, q := range queries() {
		if !strings.Contains(string(page), "`"+q.name+"`") {
			t.Errorf("the page does not name the query %s", q.name)
		}
	}
}

// between holds what stands between two marks of a page, or writes it there.
func between(t *testing.T, file, mark, want string) {
	t.Helper()
	page, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	open, shut := "<!-- "+mark+" -->\n", "<!-- /"+mark+" -->\n"
	before, rest, found := strings.Cut(string(page), open)
	got, after, ended := strings.Cut(rest, shut)
	if !found || !ended {
		t.Fatalf("%s has no marks %q", file, mark)
	}
	if got == want {
		return
	}
	if !*update {
		t.Fatalf("%s is old between the marks %q: run go test ./infra -update", file, mark)
	}
	if err := os.WriteFile(file, []byte(before+open+want+shut+after), 0o600); err != nil {
		t.Fatal(err)
	}
}
