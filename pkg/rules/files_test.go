package rules

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"

	"github.com/rolewarden/rolewarden/pkg/finding"
)

// TestMain looks first whether every rule is whole: where one is not, the tests
// that go through all rules fail by the hundred and tell nothing.
func TestMain(m *testing.M) {
	flag.Parse()
	if lacks := missing(); len(lacks) > 0 {
		fmt.Fprintf(os.Stderr, "FAIL: the catalogue is not whole, so no test was run. %s\n\n  %s\n\n", threeFiles, strings.Join(lacks, "\n  "))
		os.Exit(1)
	}
	os.Exit(m.Run())
}

const threeFiles = "A rule is three files, <id>.go, <id>.md and <id>.txtar, and a line in All (rules.go):"

// A rule is three files and a line in All; whoever forgets one, or a part of it,
// is told what to write, and before any other test fails of it.
func TestEveryRuleHasItsFiles(t *testing.T) {
	for _, what := range missing() {
		t.Error(what)
	}
}

// missing says what the catalogue lacks.
func missing() []string {
	var out []string
	whole := map[string]bool{customFile: true}
	for _, r := range All() {
		if whole[fileOf(r.ID, "")] {
			out = append(out, fmt.Sprintf("%s: two rules have this id; give the newer one another", r.ID))
		}
		whole[fileOf(r.ID, "")] = true
		out = append(out, lackOf(r)...)
	}
	return append(out, strays(whole)...)
}

// lackOf says what one rule lacks.
func lackOf(r Rule) []string {
	var out []string
	add := func(format string, args ...any) { out = append(out, r.ID+": "+fmt.Sprintf(format, args...)) }
	if !regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`).MatchString(r.ID) {
		add("the id is not in kebab-case: write small letters and digits, with hyphens between the words")
	}
	if r.Title == "" || r.Check == nil {
		add("give the Rule a Title, which says in one line what it asks, and a Check")
	}
	stem := fileOf(r.ID, "")
	code, err := os.ReadFile(stem + ".go")
	switch {
	case err != nil:
		add("there is no %s.go: put the function that gives the Rule there", stem)
	case !strings.Contains(string(code), "//go:embed "+stem+".md\n"):
		add("%s.go does not embed its page: write //go:embed %s.md above a variable of type string, and give it as Page", stem, stem)
	}
	page, err := os.ReadFile(stem + ".md")
	if err != nil {
		add("there is no %s.md, the page: begin it with \"# %s\" and give it the sections %s", stem, r.ID, strings.Join(sections(), ", "))
		return append(out, lackOfCases(r, nil)...)
	}
	// A page that is being rewritten is not the one that was embedded.
	if string(page) != r.Page && !*update {
		add("its Page is not %s.md: give the variable below //go:embed %s.md as Page", stem, stem)
	}
	if !strings.HasPrefix(string(page), "# "+r.ID+"\n") {
		add("%s.md does not begin with the title: write \"# %s\"", stem, r.ID)
	}
	for _, heading := range sections() {
		if !strings.Contains(string(page), "\n"+heading+"\n") {
			add("%s.md has no section %q: write it", stem, heading)
		}
	}
	return append(out, lackOfCases(r, page)...)
}

// sections are those that every page has.
func sections() []string {
	return []string{"## What", "## Why", "## Flagged", "## Allowed", "## How to mend", "## How to exempt", "## Severity"}
}

// lackOfCases says which cases a rule lacks, and which of them its page, if it
// has one, does not show.
func lackOfCases(r Rule, page []byte) []string {
	stem, worst := fileOf(r.ID, ""), "flag"
	if r.Severity == finding.Advice {
		worst = "advise"
	}
	archive, err := txtar.ParseFile(stem + ".txtar")
	if err != nil {
		return []string{fmt.Sprintf("%s: there is no %s.txtar, the cases: write in it a policy \"-- %s-NAME/policy.json --\" in which the rule finds something and one \"-- clean-NAME/policy.json --\" in which it does not, "+
			"beside the \"-- rules.yaml --\" and the \"-- role --\" that they need; go test ./pkg/rules -update writes what the rule says of them", r.ID, stem, worst)}
	}
	var out []string
	for _, kind := range []string{worst, "clean"} {
		if !slices.ContainsFunc(casesIn(archive), func(c aCase) bool { return c.kind() == kind && c.files["policy.json"] != "" }) {
			out = append(out, fmt.Sprintf("%s: %s.txtar has no case %s-NAME: write a policy \"-- %s-NAME/policy.json --\"", r.ID, stem, kind, kind))
		}
		if page != nil && !strings.Contains(string(page), "<!-- output: "+kind+"-") {
			out = append(out, fmt.Sprintf("%s: %s.md shows no case %s-NAME: write the line \"<!-- output: %s-NAME -->\", and one with policy: before it; go test ./pkg/rules -update writes the blocks", r.ID, stem, kind, kind))
		}
	}
	return out
}

// ruleFunction is a function that gives a rule of the catalogue.
var ruleFunction = regexp.MustCompile(`(?m)^func ([a-z]\w*)\(\) Rule \{$`)

// strays says which files look like a rule's and belong to none in All.
func strays(whole map[string]bool) []string {
	list, err := os.ReadFile("rules.go")
	if err != nil {
		return []string{err.Error()}
	}
	files, _ := filepath.Glob("*")
	var out []string
	for _, f := range files {
		extension := filepath.Ext(f)
		stem := strings.TrimSuffix(f, extension)
		switch {
		case strings.HasSuffix(f, "_test.go"):
		case extension == ".go":
			code, _ := os.ReadFile(f)
			for _, m := range ruleFunction.FindAllStringSubmatch(string(code), -1) {
				if !strings.Contains(string(list), "\t\t"+m[1]+"(),\n") {
					out = append(out, fmt.Sprintf("%s: the rule of %s() is not in All: write the line %s(), there", f, m[1], m[1]))
				}
			}
		case (extension == ".md" || extension == ".txtar") && !whole[stem]:
			out = append(out, fmt.Sprintf("%s belongs to no rule in All: put the rule %s there, or remove the file", f, strings.ReplaceAll(stem, "_", "-")))
		}
	}
	return out
}
