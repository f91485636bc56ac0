package cli

import (
	"crypto/rand"
	"fmt"
	"strings"

	"charm.land/lipgloss/v2"

	"github.com/rolewarden/rolewarden/pkg/finding"
	"github.com/rolewarden/rolewarden/pkg/org"
	"github.com/rolewarden/rolewarden/pkg/policy"
	"github.com/rolewarden/rolewarden/pkg/role"
	"github.com/rolewarden/rolewarden/pkg/rules"
)

// policyLimit is the most bytes that a policy of the greatest size can have;
// its parser counts characters.
const policyLimit = 4 * policy.MaxBytes

type checkVerb struct {
	Paths []string `arg:"" name:"path" help:"Trust policies; a folder stands for every *.json below it, - for standard input." placeholder:"PATH"`
	situation
	FixDiff bool `name:"fix-diff" help:"Print the policies mended, as a unified diff that patch -p1 and git apply take, instead of the findings; in the json format, beside them."`
	form
	secrecy
}

// Help is the verb's long help.
func (checkVerb) Help() string {
	return `Each file holds one trust policy, as in the answer of aws iam get-role under Role.AssumeRolePolicyDocument. Each finding names its place in the policy, what it lets happen, evidence that can be checked, and what to write instead. Files that are given together are compared: an external ID that different partners give in two of them is told of, and never shown.

    rolewarden check --rules rules.yaml --role-arn arn:aws:iam::111122223333:role/app trust.json
    rolewarden check policies/
    aws iam get-role --role-name app --query Role.AssumeRolePolicyDocument | rolewarden check -
    rolewarden check --rules rules.yaml --role-arn ... --fix-diff trust.json | git apply

--fix-diff proposes a mended policy only where it is known what is meant, and only what is proven: the mended policy passes the rule, lets in nobody new, and still lets in whoever it names. It says on standard error which findings it leaves to people. Nothing is written.

Status: 0 all Compliant; 1 one is Noncompliant; 2 one is Undecided (a file that is no valid policy is, with the reason); 3 an input could not be read. Findings of severity advice and exempted findings change no verdict.`
}

// checked is the JSON form of the result.
type checked struct {
	Version  int             `json:"version"`
	Policies []checkedPolicy `json:"policies"`
}

type checkedPolicy struct {
	Path string `json:"path"`
	finding.Report
	// Proposal is there with --fix-diff, where there is one.
	Proposal *proposal `json:"proposal,omitempty"`
}

// Run judges every file.
func (v checkVerb) Run(s *session) error {
	o, r, err := v.learn(s)
	if err != nil {
		return err
	}
	result := checked{Version: 1, Policies: []checkedPolicy{}}
	for _, p := range together(v.judge(s, o, r)) {
		s.end(statusOf(p.report.Verdict))
		var mended *proposal
		if v.FixDiff {
			if mended, err = v.propose(s, p.in, p.path, p.text, p.report); err != nil {
				s.fault(err)
			}
		}
		if !v.ShowSecrets {
			p.report = p.report.Masked()
		}
		result.Policies = append(result.Policies, checkedPolicy{p.path, p.report, mended})
	}
	if v.Format == JSON {
		return writeLine(s.out, result)
	}
	if v.FixDiff {
		return v.printDiffs(s, result)
	}
	return v.print(s, result)
}

// judgedFile is a file with its judgement.
type judgedFile struct {
	path   string
	text   []byte
	in     rules.Input
	report finding.Report
}

// judge judges each file by itself.
func (v checkVerb) judge(s *session, o *org.Rules, r role.Role) []judgedFile {
	var out []judgedFile
	for _, path := range s.files(v.Paths) {
		text, err := s.read(path, policyLimit)
		if err != nil {
			s.fault(err)
			continue
		}
		f := judgedFile{path: path, text: text, in: rules.Input{Role: r, Org: o, Now: s.now()}}
		f.report = rules.JudgeText(f.in, string(text))
		out = append(out, f)
	}
	return out
}

// together adds what shows only when the files are looked at side by side. The
// key under which external IDs are compared is forgotten with the call.
func together(files []judgedFile) []judgedFile {
	docs := make([]rules.Document, len(files))
	for i, f := range files {
		docs[i] = rules.Document{Where: f.path, Input: f.in}
		if d, err := policy.Parse(f.text); err == nil {
			docs[i].Input.Document = d
		}
	}
	for i, found := range rules.SharedExternalIDs([]byte(rand.Text()), docs) {
		if len(found) > 0 {
			files[i].report = rules.Add(docs[i].Input, files[i].report, found)
		}
	}
	return files
}

func statusOf(v finding.Verdict) Status {
	switch v {
	case finding.Compliant:
		return Fine
	case finding.Noncompliant:
		return Found
	case finding.Undecided:
		return Undecided
	default:
		return Undecided
	}
}

func (v checkVerb) print(s *session, result checked) error {
	var b strings.Builder
	counts := map[finding.Verdict]int{}
	for _, p := range result.Policies {
		counts[p.Verdict]++
		fmt.Fprintf(&b, "%s  %s\n", bold.Render(plain(p.Path)), colourOf(p.Verdict).Render(p.Verdict.String()))
		if err := describe(&b, p.Report); err != nil {
			return err
		}
	}
	if len(result.Policies) > 1 {
		fmt.Fprintf(&b, "\n%d policies: %d Noncompliant, %d Undecided, %d Compliant\n", len(result.Policies),
			counts[finding.Noncompliant], counts[finding.Undecided], counts[finding.Compliant])
	}
	return s.show(b.String())
}

// describe writes a report's findings and reasons below the line of its policy.
func describe(b *strings.Builder, r finding.Report) error {
	for _, f := range r.Findings {
		head := fmt.Sprintf("%s %s at %s", f.Severity, f.Rule, plain(f.Where))
		if f.Exemption != "" {
			head += " (exempted: " + plain(f.Exemption) + ")"
		}
		fmt.Fprintf(b, "  %s\n", severityStyle(f.Severity).Render(head))
		line(b, "", f.Message)
		line(b, "fix", f.Fix)
		line(b, evidenceName(f.Evidence.Kind), evidenceWords(f.Evidence))
		if f.Evidence.Request != nil {
			text, err := f.Evidence.Request.MarshalJSON()
			if err != nil {
				return fmt.Errorf("writing the request of a finding: %w", err)
			}
			line(b, "request", string(text))
		}
	}
	for _, reason := range r.Reasons {
		fmt.Fprintf(b, "  %s %s\n", amber.Render("undecided:"), plain(reason))
	}
	return nil
}

// evidenceWords says evidence in words.
func evidenceWords(e finding.Evidence) string {
	words := e.Sentence
	if p := e.Principal; p != nil && words == "" {
		words = p.ID
		if p.ARN != "" {
			words += " was " + p.ARN
		}
	}
	if len(e.Others) > 0 {
		words = strings.TrimSpace(words + " (" + strings.Join(e.Others, ", ") + ")")
	}
	return words
}

// line writes one labelled line of a description.
func line(b *strings.Builder, label, text string) {
	if text == "" {
		return
	}
	if label != "" {
		label = faint.Render(label+":") + " "
	}
	fmt.Fprintf(b, "    %s%s\n", label, plain(text))
}

// show prints styled text as far as the terminal can show its styles.
func (s *session) show(text string) error {
	if _, err := s.pretty.Write([]byte(text)); err != nil {
		return fmt.Errorf("writing the output: %w", err)
	}
	return nil
}

// The styles of the text output; few, and from the terminal's own palette.
var (
	bold  = lipgloss.NewStyle().Bold(true)
	faint = lipgloss.NewStyle().Faint(true)
	red   = lipgloss.NewStyle().Foreground(lipgloss.Red)
	amber = lipgloss.NewStyle().Foreground(lipgloss.Yellow)
	green = lipgloss.NewStyle().Foreground(lipgloss.Green)
)

func colourOf(v finding.Verdict) lipgloss.Style {
	switch v {
	case finding.Compliant:
		return green
	case finding.Noncompliant:
		return red
	case finding.Undecided:
		return amber
	default:
		return amber
	}
}

func severityStyle(v finding.Severity) lipgloss.Style {
	switch v {
	case finding.Critical, finding.High:
		return red
	case finding.Medium, finding.Low:
		return amber
	case finding.Advice:
		return faint
	default:
		return faint
	}
}
