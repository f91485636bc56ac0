package pkg_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

var (
	testNamed   = regexp.MustCompile("`(Test[A-Za-z0-9]+)`")
	testDefined = regexp.MustCompile(`(?m)^func (Test[A-Za-z0-9]+)\(`)
	caseNamed   = regexp.MustCompile(`\bT([0-9]{1,2})\b|(?:Test|And)T([0-9]{1,2})[A-Z]`)
)

// tests gives the text of every test and of every case that tests read, all in one.
func tests(t *testing.T) string {
	t.Helper()
	var all strings.Builder
	err := filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && path != ".." && (strings.HasPrefix(d.Name(), ".") || d.Name() == "node_modules" || d.Name() == "cdk.out"):
			return filepath.SkipDir
		case d.IsDir() || !strings.HasSuffix(path, "_test.go") && !strings.HasSuffix(path, ".txtar"):
			return nil
		}
		text, err := os.ReadFile(path)
		all.Write(text)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all.String()
}

// A page that names a test which shows something names one that is there: a test
// that gets another name takes its proof along.
func TestTheTestsThatPagesNameAreThere(t *testing.T) {
	defined := map[string]bool{}
	for _, m := range testDefined.FindAllStringSubmatch(tests(t), -1) {
		defined[m[1]] = true
	}
	for _, page := range []string{"../README.md", "ledger/README.md", "proof/README.md", "../infra/README.md"} {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range testNamed.FindAllStringSubmatch(string(text), -1) {
			if !defined[m[1]] {
				t.Errorf("%s names %s, which is no test", page, m[1])
			}
		}
	}
}

// What happens when something goes wrong is shown by a test, row by row.
func TestEveryRowOfWhatHappensNamesItsTest(t *testing.T) {
	text, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(text), "## What happens when…\n")
	table, _, _ := strings.Cut(rest, "\n## ")
	rows := 0
	for line := range strings.Lines(table) {
		cells := strings.Split(line, "|")
		if len(cells) != 5 || strings.HasPrefix(cells[1], "---") || strings.Contains(cells[1], "this happens") {
			continue
		}
		if rows++; !testNamed.MatchString(cells[3]) {
			t.Errorf("no test shows what happens when %s: %s", strings.TrimSpace(cells[1]), strings.TrimSpace(cells[3]))
		}
	}
	if rows < 40 {
		t.Errorf("README tells of %d things that happen", rows)
	}
}

// The cases of the threat model that the ledger, the writing and the sweep are
// built against are each named by the tests that cover them.
func TestEveryCaseOfTheThreatModelIsNamedByATest(t *testing.T) {
	named := map[int]bool{}
	for _, m := range caseNamed.FindAllStringSubmatch(tests(t), -1) {
		n, err := strconv.Atoi(m[1] + m[2])
		if err != nil {
			t.Fatal(err)
		}
		named[n] = true
	}
	for n := 1; n <= 85; n++ {
		if !named[n] {
			t.Errorf("no test names T%d", n)
		}
	}
}

// T9: trust that changes elsewhere than in a trust policy is not judged, and
// whoever relies on rolewarden reads so: the limits name each way.
func TestT9WhatChangesTrustElsewhereIsOutOfScopeAndSaid(t *testing.T) {
	text, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(text), "\n## Limits\n")
	limits, _, _ := strings.Cut(rest, "\n## ")
	said := strings.Join(strings.Fields(limits), " ")
	for _, way := range []string{"Roles Anywhere trust anchor", "OIDC provider's client ids", "SAML metadata", "Cognito role mappings", "EKS pod identity associations", "out of scope"} {
		if !strings.Contains(said, way) {
			t.Errorf("the limits do not name %q", way)
		}
	}
}
