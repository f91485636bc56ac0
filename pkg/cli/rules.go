package cli

import (
	"fmt"
	"strings"

	"github.com/rolewarden/rolewarden/pkg/finding"
	"github.com/rolewarden/rolewarden/pkg/rules"
)

type rulesVerb struct {
	ID string `arg:"" optional:"" help:"The id of a rule, to read its page." placeholder:"ID"`
	form
}

// Help is the verb's long help.
func (rulesVerb) Help() string {
	return `Without an ID: one line for each rule, with the gravest severity it gives and what it may lead to at most (tell, tag, write). With one: the rule's page, which says what it asks and why, what it flags and what it lets pass, how to mend a policy, and how to set a finding aside.`
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
	if v.ID == "" {
		return v.list(s)
	}
	r, ok := rules.Find(v.ID)
	if !ok {
		return fmt.Errorf("%q is no rule: write one of %s", v.ID, strings.Join(rules.IDs(), ", "))
	}
	if v.Format == JSON {
		e := entry(r)
		e.Page = r.Page
		return writeLine(s.out, catalogue{Version: 1, Rules: []ruleEntry{e}})
	}
	return s.show(strings.TrimSpace(r.Page) + "\n")
}

func (v rulesVerb) list(s *session) error {
	result := catalogue{Version: 1, Rules: []ruleEntry{}}
	widest := 0
	for _, r := range rules.All() {
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
