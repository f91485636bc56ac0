package main

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rolewarden/rolewarden/pkg/deployment"
)

// operatorsPage is the page that an operator follows, with each line that goes
// on after a backslash joined.
func operatorsPage(t *testing.T) string {
	t.Helper()
	page, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	return regexp.MustCompile(`\\\n *`).ReplaceAllString(string(page), "")
}

// section gives what stands under a heading that begins so.
func section(t *testing.T, heading string) string {
	t.Helper()
	_, rest, found := strings.Cut(operatorsPage(t), "\n## "+heading)
	if !found {
		t.Fatalf("the page has no section %s", heading)
	}
	text, _, _ := strings.Cut(rest, "\n## ")
	return text
}

// typed gives the lines of a text that are to be typed, and what it shows as
// code of more than one word, as far as they begin with a program's name.
func typed(text, program string) []string {
	var out []string
	for _, m := range regexp.MustCompile("(?m)^ *\\$ (.*)$|`([^`\n]+(?:\n[^`\n]+)?)`").FindAllStringSubmatch(text, -1) {
		line := strings.Join(strings.Fields(m[1]+m[2]), " ")
		if strings.HasPrefix(line, program+" ") {
			out = append(out, line)
		}
	}
	return out
}

// words takes a line apart as a shell does.
func words(t *testing.T, line string) []string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "sh", "-c", "printf '%s\\0' "+line).Output()
	if err != nil {
		t.Fatalf("a shell does not take %s: %v", line, err)
	}
	return strings.Split(strings.TrimSuffix(string(out), "\x00"), "\x00")
}

// Steps 1 and 3: as the samples are, which a new operator copies, no account has
// a role that could write one of its own: only the canary's can write, and only
// the canary's.
func TestTheOperatorsFirstDeploymentHasNoRoleThatWrites(t *testing.T) {
	reads := regexp.MustCompile(`^iam:(Get|List|Simulate)`)
	canary, roles := ":role"+deployment.CanaryPath, 0
	for file, ways := range map[string][]string{"organization.yaml": {"hub", "members"}, "single.yaml": {""}} {
		for _, one := range ways {
			d, err := deployment.Load(filepath.Join("..", "testdata", "deployments", file), deployment.Override{Way: one}, today())
			if err != nil {
				t.Fatal(err)
			}
			a, err := render(d)
			if err != nil {
				t.Fatal(err)
			}
			for stack, tpl := range a.templates {
				for id, r := range tpl.Resources {
					if r.Type != "AWS::IAM::Role" {
						continue
					}
					roles++
					if r.Properties["RoleName"] == deployment.RemediatorRole {
						t.Errorf("%s %s has the role that writes", file, stack)
					}
					for where, document := range policies(stackTemplate{Resources: map[string]resource{id: r}}) {
						for _, s := range statements(t, document) {
							for _, action := range listOf(s["Action"]) {
								writes := s["Effect"] == "Allow" && strings.HasPrefix(action, "iam:") && !reads.MatchString(action)
								if resources := listOf(s["Resource"]); writes && (len(resources) != 1 || !strings.Contains(resources[0], canary)) {
									t.Errorf("%s %s %s: %s on %v", file, stack, where, action, resources)
								}
							}
						}
					}
				}
			}
		}
	}
	if roles < 15 {
		t.Errorf("only %d roles", roles)
	}
}

// changed renders the deployment of these tests under a rules file with other
// words, and says which parts of which templates differ.
func changed(t *testing.T, old, replacement string) []string {
	t.Helper()
	dir := t.TempDir()
	for _, name := range []string{"organization.yaml", "rules.yaml"} {
		text, err := os.ReadFile(filepath.Join("testdata", "deployments", name))
		if err != nil {
			t.Fatal(err)
		}
		if name == "rules.yaml" {
			if strings.Count(string(text), old) != 1 {
				t.Fatalf("%s does not hold %q once", name, old)
			}
			text = []byte(strings.Replace(string(text), old, replacement, 1))
		}
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	var out []string
	for one, before := range map[string]assembly{"hub": way(t, hubWay), "members": way(t, membersWay)} {
		d, err := deployment.Load(filepath.Join(dir, "organization.yaml"), deployment.Override{Way: one}, today())
		if err != nil {
			t.Fatal(err)
		}
		after, err := render(d)
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(sortedKeys(before.templates), sortedKeys(after.templates)) {
			t.Fatalf("there are other stacks: %v", sortedKeys(after.templates))
		}
		for stack := range before.templates {
			out = append(out, differences(t, stack, before.files[stack+".template.json"], after.files[stack+".template.json"])...)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// differences lists the parts of a template that are not what they were:
// resources and outputs by what they are called. A StackSet's template is a
// template of its own.
func differences(t *testing.T, stack, before, after string) []string {
	t.Helper()
	if before == after {
		return nil
	}
	var was, is map[string]any
	for text, into := range map[string]*map[string]any{before: &was, after: &is} {
		if err := json.Unmarshal([]byte(text), into); err != nil {
			t.Fatal(err)
		}
	}
	var out []string
	for _, kind := range slices.Compact(slices.Sorted(slices.Values(append(sortedKeys(was), sortedKeys(is)...)))) {
		old, _ := was[kind].(map[string]any)
		now, _ := is[kind].(map[string]any)
		if old == nil || now == nil {
			if !cmp.Equal(was[kind], is[kind]) {
				out = append(out, stack+" "+kind)
			}
			continue
		}
		for _, id := range slices.Compact(slices.Sorted(slices.Values(append(sortedKeys(old), sortedKeys(now)...)))) {
			if !cmp.Equal(old[id], now[id]) && at(old[id], "Type") != "AWS::CloudFormation::StackSet" {
				out = append(out, stack+" "+id)
			}
		}
	}
	return out
}

// Step 7: a changed rules file is other code of guard's and the sweep's, and
// another hash in the hub's outputs, and nothing else; but for the three lists that the page names,
// with the stacks that it names.
func TestTheOperatorsChangedRulesChangeWhatThePageSays(t *testing.T) {
	judges := []string{"rolewarden-hub Guard", "rolewarden-hub RulesHash", "rolewarden-hub Sweep"}
	with := func(more ...string) []string { return slices.Sorted(slices.Values(append(more, judges...))) }
	for name, one := range map[string]struct {
		old, replacement string
		want             []string
	}{
		"modes, an exemption, limits": {"modes:\n  default: tag", `limits: {perHour: 3}
exemptions:
  - {rules: [external-id], role: "arn:aws:iam::111122223333:role/old", owner: alice, reason: migration, ticket: SEC-1, expires: 2027-01-10}
modes:
  default: enforce`, judges},
		"protected": {"role/breakglass/*", "role/vault/*", with("rolewarden-member RemediatorRole")},
		"rules.session-policy.roles": {"role/payroll-admin", "role/payroll-lead", with(
			"rolewarden-hub AssumeRole1Rule", "rolewarden-management AssumeRole1Rule", "rolewarden-management-eu-west-1 AssumeRole1Rule",
			"rolewarden-member AssumeRole1Rule", "rolewarden-member-regional AssumeRole1Rule",
		)},
		"partners": {`["444455556666"]`, `["444455556666", "777788889999"]`, with("rolewarden-management ResourceControlPolicy")},
	} {
		if diff := cmp.Diff(one.want, changed(t, one.old, one.replacement)); diff != "" {
			t.Errorf("%s changes (-want +got):\n%s", name, diff)
		}
		if list := strings.Fields(name); len(list) == 1 && !strings.Contains(section(t, "7."), "\n| `"+name+"`") {
			t.Errorf("the page does not name %s", name)
		}
	}
}
