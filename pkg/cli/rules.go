package cli

import (
	"fmt"
	"strings"

	"github.com/rolewarden/rolewarden/pkg/finding"
	"github.com/rolewarden/rolewarden/pkg/org"
	"github.com/rolewarden/rolewarden/pkg/rules"
)

type rulesVerb struct {
	ID    string `arg:"" optional:"" help:"The id of a rule, to read its page; custom-rules, to read how to write your own." placeholder:"ID"`
	Rules string `help:"The organization's rules file (YAML), to list its own rules too." placeholder:"FILE"`
	form
}

// customRulesTopic is the page on rules of one's own; no rule is called so but
// one of a file, which comes first.
const customRulesTopic = "custom-rules"

// Help is the verb's long help.
func (rulesVerb) Help() string {
	return `Without an ID: one line for each rule, with the gravest severity it gives and what it may lead to at most (tell, tag, write). With one: the rule's page, which says what it asks and why, what it flags and what it lets pass, how to mend a policy, and how to set a finding aside.

    rolewarden rules
    rolewarden rules --rules rules.yaml
    rolewarden rules external-id
    rolewarden rules custom-rules

With --rules the rules that the file writes itself (customRules) are listed and have pages too. custom-rules is the page on how to write them.`
}

// catalogue is the JSON form of the list.
type catalogue struct {
	Version int         `json:"version"`
	Rules   []ruleEntry `json:"rules"`
}

type ruleEntry struct {
	ID       string           `json:"id"`
	Title    string           `json:"title"`
	Severity finding.Severity `json:"severity"`
	Reach    string           `json:"reach"`
	// Page is given for a single rule.
	Page string `json:"page,omitempty"`
}

// Run lists the rules.
func (v rulesVerb) Run(s *session) error {
	o, err := s.organization(v.Rules)
	if err != nil {
		return err
	}
	if v.ID == "" {
		return v.list(s, o)
	}
	r, ok := rules.FindUnder(o, v.ID)
	if !ok && v.ID == customRulesTopic && v.Format == Text {
		return s.show(strings.TrimSpace(rules.CustomPage()) + "\n")
	}
	if !ok {
		return fmt.Errorf("%q is no rule: write one of %s", v.ID, strings.Join(rules.IDsUnder(o), ", "))
	}
	if v.Format == JSON {
		e := entry(r)
		e.Page = r.Page
		return writeLine(s.out, catalogue{Version: 1, Rules: []ruleEntry{e}})
	}
	return s.show(strings.TrimSpace(r.Page) + "\n")
}

// list prints one line for each rule of the catalogue and of a rules file.
func (v rulesVerb) list(s *session, o *org.Rules) error {
	result := catalogue{Version: 1, Rules: []ruleEntry{}}
	widest := 0
	for _, r := range rules.Under(o) {
		result.Rules = append(result.Rules, entry(r))
		widest = max(widest, len(r.ID))
	}
	if v.Format == JSON {
		return writeLine(s.out, result)
	}
	var b strings.Builder
	for _, r := range result.Rules {
		fmt.Fprintf(&b, "%s  %s  %-5s  %s\n", bold.Render(fmt.Sprintf("%-*s", widest, r.ID)),
			severityStyle(r.Severity).Render(fmt.Sprintf("%-8s", r.Severity)), r.Reach, r.Title)
	}
	return s.show(b.String())
}

func entry(r rules.Rule) ruleEntry {
	return ruleEntry{ID: r.ID, Title: r.Title, Severity: r.Severity, Reach: r.Reach.String()}
}
