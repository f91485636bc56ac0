package rules

import (
	"fmt"
	"strings"

	"github.com/rolewarden/rolewarden/pkg/finding"
	"github.com/rolewarden/rolewarden/pkg/org"
	"github.com/rolewarden/rolewarden/pkg/policy"
	"github.com/rolewarden/rolewarden/pkg/proof"
)

// found makes the finding of a request that breaks a demand.
func (c custom) found(in Input, s said, callers org.CustomCallers, d demanded, a proof.Answer) finding.Finding {
	place, _ := entry(in.Document, a)
	fix := oneLine(c.Fix)
	if fix == "" {
		fix = d.fix(at(first(a.Statements)))
	}
	how := d.sentence()
	if len(d.conditions) == 1 && !d.forbidden {
		how += ": " + guards(in.Document, a.Statements, d.conditions[0].Key)
	}
	may := "may assume the role"
	if len(c.Actions) > 0 {
		may = "may call " + strings.Join(a.Witness.Actions, " with ")
	}
	return finding.Finding{
		Rule: c.ID, Severity: c.severity, Where: place,
		Message:  fmt.Sprintf("%s %s%s; %s", c.who(in, s, callers, a), may, how, oneLine(c.Why)),
		Fix:      fix,
		Evidence: witness(finding.Allowed, a),
	}
}

// who names the callers of a witness.
func (c custom) who(in Input, s said, callers org.CustomCallers, a proof.Answer) string {
	switch callers.Kind {
	case "users":
		return "users of " + in.whose(s, callerAccount(a))
	case "roles":
		return "role sessions of " + in.whose(s, callerAccount(a))
	case "services":
		return "the service " + quoted(a.Witness.Caller.Service)
	default:
		return "callers of the identity provider " + quoted(a.Witness.Caller.Federated)
	}
}

// sentence says what a request does that breaks the demand.
func (d demanded) sentence() string {
	var list []string
	for _, c := range d.conditions {
		list = append(list, asked(c))
	}
	switch {
	case len(list) == 0:
		return ", which is not for them"
	case d.forbidden:
		return " with what is forbidden, " + list[0]
	case len(list) == 1:
		return " without " + list[0]
	default:
		return " with none of " + strings.Join(list, "; ")
	}
}

// fix says what to write where the rule itself does not.
func (d demanded) fix(statement string) string {
	switch {
	case len(d.conditions) == 0:
		return "take these callers out of " + statement
	case d.forbidden:
		return "add a condition to " + statement + " that no request with " + asked(d.conditions[0]) + " meets"
	case len(d.conditions) == 1:
		c := d.conditions[0]
		return fmt.Sprintf("add to the Condition of %s: {%s: {%s: [%s]}}", statement, quoted(c.Operator), quoted(c.Key), strings.TrimPrefix(spelled(c), word(c.Operator)+" "))
	default:
		return "demand one of them in the Condition of " + statement
	}
}

// asked writes a condition of the rules file short; values of secret keys are
// left out.
func asked(c policy.Condition) string {
	operator := word(c.Operator)
	return operator + " " + word(c.Key) + strings.TrimPrefix(spelled(c), operator)
}

// page is the page of a rule of the organization's own, made of what the rules
// file says of it.
func (c custom) page() string {
	var b strings.Builder
	fmt.Fprintf(&b, "# %s\n\n%s. A rule of your own, in line %d of the rules file.\n\n## What\n\nIt speaks of:\n\n", c.ID, strings.TrimRight(oneLine(c.Title), "."), c.Line)
	for _, callers := range c.Callers {
		fmt.Fprintf(&b, "- %s\n", described(callers))
	}
	if len(c.Actions) > 0 {
		fmt.Fprintf(&b, "\nand of requests that also ask for %s.\n", strings.Join(c.Actions, ", "))
	}
	b.WriteString("\nNo such request may be let in\n\n")
	for _, d := range c.demands() {
		sentence := d.sentence()
		if c.Never {
			sentence = "at all"
		}
		fmt.Fprintf(&b, "- %s\n", strings.TrimSpace(sentence))
	}
	fmt.Fprintf(&b, "\n## Why\n\n%s\n", oneLine(c.Why))
	if c.Fix != "" {
		fmt.Fprintf(&b, "\n## How to mend\n\n%s\n", oneLine(c.Fix))
	}
	fmt.Fprintf(&b, "\n## Severity\n\n%s, as the rules file says.\n", c.severity)
	return b.String()
}

// described tells of a class of callers in words.
func described(c org.CustomCallers) string {
	words := map[string]string{
		"users": "users", "roles": "role sessions", "services": "services",
		"saml": "callers of SAML providers", "oidc": "callers of OIDC providers",
	}[c.Kind]
	switch c.Accounts {
	case org.AnyAccount:
	case org.OwnAccount:
		words += " of the role's own account"
	case org.OrganizationAccounts:
		words += " of the organization"
	case org.PartnerAccounts:
		words += " of partners"
	case org.OutsideAccounts:
		words += " from outside the organization"
	case org.ListedAccounts:
		words += " of the accounts " + strings.Join(c.IDs, ", ")
	}
	if len(c.Names) > 0 {
		words += ": " + oneLine(strings.Join(c.Names, ", "))
	}
	if len(c.Except) > 0 {
		words += ", except " + oneLine(strings.Join(c.Except, ", "))
	}
	return words
}
