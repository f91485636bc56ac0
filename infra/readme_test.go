package main

import (
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/rolewarden/rolewarden/pkg/awsapi/actions"
	"github.com/rolewarden/rolewarden/pkg/deployment"
	"github.com/rolewarden/rolewarden/pkg/grants"
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

// The page lists each policy for people's commands with its verb, and none that
// nobody writes.
func TestTheOperatorsPageListsThePoliciesForPeople(t *testing.T) {
	text := section(t, "2.")
	_, list, found := strings.Cut(text, "### Who may do what")
	if !found {
		t.Fatal("the page does not say who may do what")
	}
	a := way(t, hubWay)
	listed := map[string]bool{}
	for _, m := range regexp.MustCompile("(?m)^\\| `([a-z-]+\\.json)` \\|").FindAllStringSubmatch(list, -1) {
		listed[m[1]] = true
		if a.files[m[1]] == "" {
			t.Errorf("nothing writes %s", m[1])
		}
	}
	d, err := load("organization.yaml", "hub")
	if err != nil {
		t.Fatal(err)
	}
	for name := range grants.People(worldOf(d)) {
		if file := "rolewarden-" + name + ".json"; !listed[file] {
			t.Errorf("the page does not list %s", file)
		}
	}
	for _, verb := range actions.People() {
		if !strings.Contains(list, "`"+strings.TrimPrefix(verb, "rolewarden ")+"`") {
			t.Errorf("the page has no policy for %s", verb)
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
