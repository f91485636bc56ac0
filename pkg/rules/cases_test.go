package rules

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"

	"github.com/rolewarden/rolewarden/pkg/finding"
	"github.com/rolewarden/rolewarden/pkg/org"
	"github.com/rolewarden/rolewarden/pkg/role"
	"github.com/rolewarden/rolewarden/pkg/trail"
)

var update = flag.Bool("update", false, "rewrite the want files of the cases and the output in the pages")

// noon is when the cases are judged.
func noon() time.Time { return time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC) }

// aCase is one case of a rule's .txtar file.
type aCase struct {
	name  string
	files map[string]string
}

// kind is the word before the first hyphen of the case's name.
func (c aCase) kind() string {
	kind, _, _ := strings.Cut(c.name, "-")
	return kind
}

// input gives the Input and the text of the policy.
func (c aCase) input(t testing.TB) (Input, string) {
	t.Helper()
	in := Input{Now: noon()}
	rules, err := org.Parse(c.name+"/rules.yaml", []byte(c.files["rules.yaml"]), noon())
	if err != nil {
		t.Fatalf("%s: %v", c.name, err)
	}
	if err := Check(rules); err != nil {
		t.Fatalf("%s: %v", c.name, err)
	}
	in.Org = rules
	if arn := strings.TrimSpace(c.files["role"]); arn != "" {
		in.Role = roleOf(t, arn)
	}
	if text, ok := c.files["history.json"]; ok {
		if err := json.Unmarshal([]byte(text), &in.History); err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
	}
	if text, ok := c.files["gone.json"]; ok {
		if err := json.Unmarshal([]byte(text), &in.Gone); err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
	}
	if text, ok := c.files["change.json"]; ok {
		change, err := trail.Parse([]byte(text))
		if err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		in.Change = &change
	}
	return in, c.files["policy.json"]
}

func roleOf(t testing.TB, arn string) role.Role {
	t.Helper()
	a, err := role.ParseARN(arn)
	if err != nil {
		t.Fatal(err)
	}
	return role.Role{Partition: a.Partition, Account: a.Account, Path: a.Path, Name: a.Name, ARN: arn}
}

// readCases reads a rule's cases. Files at the top of the archive are each
// case's own unless it has another.
func readCases(t testing.TB, path string) (*txtar.Archive, []aCase) {
	t.Helper()
	archive, err := txtar.ParseFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return archive, casesIn(archive)
}

func casesIn(archive *txtar.Archive) []aCase {
	shared := map[string]string{}
	var cases []aCase
	for _, f := range archive.Files {
		name, file, inCase := strings.Cut(f.Name, "/")
		if !inCase {
			shared[f.Name] = string(f.Data)
			continue
		}
		if len(cases) == 0 || cases[len(cases)-1].name != name {
			c := aCase{name: name, files: map[string]string{}}
			for k, v := range shared {
				c.files[k] = v
			}
			cases = append(cases, c)
		}
		cases[len(cases)-1].files[file] = string(f.Data)
	}
	return cases
}

// fileOf gives the name of a rule's file.
func fileOf(id, extension string) string { return strings.ReplaceAll(id, "-", "_") + extension }

// lines tells what a report says of a rule, or of all.
func lines(r finding.Report, rule string) string {
	var b strings.Builder
	for _, f := range r.Findings {
		if rule == "" || f.Rule == rule {
			fmt.Fprintf(&b, "%s %s %s: %s", f.Where, f.Severity, f.Rule, f.Message)
			if f.Exemption != "" {
				fmt.Fprintf(&b, " [exempted: %s]", f.Exemption)
			}
			b.WriteByte('\n')
		}
	}
	for _, reason := range r.Reasons {
		if rule == "" || strings.Contains(reason, rule) || strings.HasPrefix(reason, "the trust policy cannot be judged") {
			fmt.Fprintf(&b, "undecided: %s\n", reason)
		}
	}
	return b.String()
}

// customFile is the name of the cases and the page of the organization's own rules.
const customFile = "custom"

// ruleOf gives the rule that a case of a file is about: where it is one of the
// organization's own, the first of the case's rules file.
func ruleOf(id string, in Input) string {
	if id == customFile {
		return in.Org.Custom[0].ID
	}
	return id
}

// Every rule finds what its cases say it finds, in the words they give, and is
// silent where they say it is silent.
func TestCases(t *testing.T) {
	for _, id := range append(IDs(), customFile) {
		path := fileOf(id, ".txtar")
		archive, cases := readCases(t, path)
		got := map[string]string{}
		for _, c := range cases {
			t.Run(id+"/"+c.name, func(t *testing.T) {
				in, text := c.input(t)
				report := JudgeText(in, text)
				rule, want := ruleOf(id, in), "want"
				checkKind(t, c.kind(), rule, report)
				if _, all := c.files["want-all"]; all {
					rule, want = "", "want-all"
				}
				got[c.name+"/"+want] = lines(report, rule)
				if _, asked := c.files["proposal"]; asked {
					got[c.name+"/proposal"] = proposed(t, in, text)
					if diff := cmp.Diff(c.files["proposal"], got[c.name+"/proposal"]); diff != "" && !*update {
						t.Errorf("the proposal (-want +got):\n%s", diff)
					}
				}
				if diff := cmp.Diff(c.files[want], got[c.name+"/"+want]); diff != "" && !*update {
					t.Errorf("%s (-want +got):\n%s", c.files["why"], diff)
				}
			})
		}
		if *update && len(got) >= len(cases) {
			rewrite(t, path, archive, got)
		}
	}
}

// checkKind holds a case to its name, whatever its want file says.
func checkKind(t *testing.T, kind, rule string, r finding.Report) {
	t.Helper()
	breach, said := false, false
	for _, f := range r.Findings {
		if f.Rule == rule {
			said, breach = true, breach || breaks(f)
		}
		if f.Evidence.Kind == finding.NoEvidence || f.Fix == "" || f.Where == "" {
			t.Errorf("a finding without evidence, place or fix: %+v", f)
		}
	}
	doubt := strings.Contains(lines(finding.Report{Reasons: r.Reasons}, rule), "undecided")
	ok := map[string]bool{
		"flag":      breach,
		"clean":     !said && !doubt,
		"advise":    said && !breach && !doubt,
		"undecided": !breach && doubt,
	}
	if holds, known := ok[kind]; !known || !holds {
		t.Errorf("the case is named %s-, and the rule says:\n%s", kind, lines(r, rule))
	}
}

func rewrite(t *testing.T, path string, archive *txtar.Archive, got map[string]string) {
	t.Helper()
	out := &txtar.Archive{Comment: archive.Comment}
	var open string
	flush := func() {
		for _, want := range []string{"/want", "/want-all"} {
			if text := got[open+want]; text != "" {
				out.Files = append(out.Files, txtar.File{Name: open + want, Data: []byte(text)})
			}
		}
	}
	for _, f := range archive.Files {
		name, file, inCase := strings.Cut(f.Name, "/")
		if inCase && name != open {
			flush()
			open = name
		}
		if file == "proposal" {
			f.Data = []byte(got[f.Name])
		}
		if file != "want" && file != "want-all" {
			out.Files = append(out.Files, f)
		}
	}
	flush()
	if err := os.WriteFile(path, txtar.Format(out), 0o644); err != nil {
		t.Fatal(err)
	}
}
