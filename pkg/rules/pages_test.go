package rules

import (
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/rolewarden/rolewarden/pkg/finding"
)

// block is a part of a page that comes from a case: the policy, or what the
// rule prints of it. A new page has the first line of it alone.
var block = regexp.MustCompile("(?s)<!-- (policy|output|proposal|rules): ([a-z0-9-]+) -->\n(?:```[a-z]*\n.*?```\n)?")

// The policies and outputs that the pages show are those of the cases, so no
// page shows what the rule does not do.
func TestPagesShowWhatTheRulesPrint(t *testing.T) {
	for _, id := range append(IDs(), customFile) {
		t.Run(id, func(t *testing.T) {
			path := fileOf(id, ".md")
			page, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			_, cases := readCases(t, fileOf(id, ".txtar"))
			fresh := block.ReplaceAllStringFunc(string(page), func(old string) string {
				m := block.FindStringSubmatch(old)
				i := slices.IndexFunc(cases, func(c aCase) bool { return c.name == m[2] })
				if i < 0 {
					t.Errorf("%s shows the case %q, which does not exist", path, m[2])
					return old
				}
				return shown(t, m[1], id, cases[i])
			})
			if fresh == string(page) {
				return
			}
			if *update {
				if err := os.WriteFile(path, []byte(fresh), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			t.Errorf("%s does not show what the rule prints: run go test ./pkg/rules -update and read the difference", path)
		})
	}
}

// shown renders one block.
func shown(t *testing.T, what, rule string, c aCase) string {
	head := fmt.Sprintf("<!-- %s: %s -->\n", what, c.name)
	in, text := c.input(t)
	if what == "policy" {
		return head + "```json\n" + text + "```\n"
	}
	if what == "proposal" {
		return head + "```text\n" + proposed(t, in, text) + "```\n"
	}
	if what == "rules" {
		_, own, _ := strings.Cut(c.files["rules.yaml"], "customRules:")
		return head + "```yaml\ncustomRules:" + own + "```\n"
	}
	return head + "```text\n" + printed(JudgeText(in, text), ruleOf(rule, in)) + "```\n"
}

// printed writes the findings of a rule with their evidence and fix.
func printed(r finding.Report, rule string) string {
	var b strings.Builder
	for _, f := range r.Findings {
		if f.Rule == rule {
			one := finding.Report{Findings: []finding.Finding{f}}
			b.WriteString(lines(one, rule))
			fmt.Fprintf(&b, "  evidence: %s\n  mend: %s\n", f.Evidence.Sentence, f.Fix)
		}
	}
	b.WriteString(lines(finding.Report{Reasons: r.Reasons}, rule))
	if b.Len() == 0 {
		return "nothing found\n"
	}
	return b.String()
}
