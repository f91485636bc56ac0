package org

import (
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"

	"github.com/rolewarden/rolewarden/pkg/org/strict"
	"github.com/rolewarden/rolewarden/pkg/policy"
)

// Bounds of what one file may ask for beyond the catalogue: every demand is
// proven of every document.
const (
	mostCustomRules  = 32
	mostCallers      = 8
	mostDemands      = 16
	mostAlternatives = 8
	mostValues       = 64
)

// CustomRule is a rule of the organization's own: which callers it speaks of,
// and what every request of theirs that is let in must meet, or must not.
// Its mode, roles and Off are in Rules.Settings under its id.
type CustomRule struct {
	ID    string
	Title string
	// Severity is a word: "advice", "low", "medium", "high" or "critical".
	Severity string
	// Why says what the rule is for; it ends every message.
	Why string
	// Fix says what to write instead; empty means that the demand itself is named.
	Fix     string
	Callers []CustomCallers
	// Actions are what a request asks for beside the assume action of its caller.
	Actions []string
	// Never: none of the callers may assume the role at all.
	Never bool
	// Require are conditions that must be met; of each list one suffices.
	Require [][]policy.Condition
	// Forbid are conditions of which none may be met.
	Forbid []policy.Condition
	// Line and Column are where the file writes the id.
	Line, Column int
}

// CustomCallers is a class of callers of a CustomRule.
type CustomCallers struct {
	// Kind is "users", "roles", "services", "saml" or "oidc".
	Kind string
	// Accounts says which users and roles are meant.
	Accounts AccountSet
	// IDs are the accounts of the set ListedAccounts.
	IDs []string
	// Names are the only services or identity providers meant; all when empty.
	Names []string
	// Except are the callers not meant: ARNs of users, roles or providers, those
	// of users and roles with wildcards if need be, or names of services.
	Except []string
	// Line and Column are where the file writes the class.
	Line, Column int
}

// AccountSet says whose users and roles are meant. The zero value is every account.
type AccountSet uint8

// The sets of accounts.
const (
	AnyAccount AccountSet = iota
	// OwnAccount is the account that the role is in.
	OwnAccount
	// OrganizationAccounts are the role's own account, those that the file lists, and whoever
	// a policy lets in as a member.
	OrganizationAccounts
	// PartnerAccounts are those of the listed partners.
	PartnerAccounts
	// OutsideAccounts are all that are not the organization's, the partners' included.
	OutsideAccounts
	// ListedAccounts are the ones that the rule names.
	ListedAccounts
)

// String gives the word of the rules file.
func (a AccountSet) String() string {
	if words := accountWords(); int(a) < len(words) {
		return words[a]
	}
	return "accounts?"
}

// accountWords are the words of the sets, in order; the last is no word of the file.
func accountWords() []string {
	return []string{"anyone", "own", "organization", "partners", "outside", "listed"}
}

// customRules reads the section customRules.
func (r *reader) customRules(o strict.Object, rules *Rules) {
	items := o.Items("customRules")
	if len(items) > mostCustomRules {
		r.Fail(items[mostCustomRules], strict.Item("customRules", mostCustomRules), fmt.Sprintf("%d rules", len(items)), fmt.Sprintf("write at most %d", mostCustomRules))
		return
	}
	for i, n := range items {
		c := r.Object(n, strict.Item("customRules", i), "id", "title", "severity", "why", "fix", "mode", "off", "roles", "callers", "actions", "never", "require", "forbid")
		c.Require("id", "title", "why", "callers")
		rule := CustomRule{Severity: "medium", Never: c.Truth("never")}
		rule.ID, _ = c.Text("id", ruleID)
		rule.Title, _ = c.Text("title", anyText)
		rule.Why, _ = c.Text("why", anyText)
		rule.Fix, _ = c.Text("fix", anyText)
		if word, ok := c.Text("severity", severityWord); ok {
			rule.Severity = word
		}
		rule.Callers = r.customCallers(c, rules)
		rule.Actions = r.customActions(c, rule.Callers)
		rule.Require, rule.Forbid = r.customDemands(c)
		r.customWhole(c, rule)
		if id := c.Field("id"); id != nil {
			rule.Line, rule.Column = id.Line, id.Column
			r.customSetting(c, rule, rules)
		}
		rules.Custom = append(rules.Custom, rule)
	}
}

// customSetting puts what is said of every rule where it is looked for: mode,
// off and roles.
func (r *reader) customSetting(c strict.Object, rule CustomRule, rules *Rules) {
	if before, twice := rules.Settings[rule.ID]; twice {
		r.Fail(c.Field("id"), c.At("id"), fmt.Sprintf("%q a second time; first in line %d", rule.ID, before.Line), "give each rule an id of its own, and say all of it here")
		return
	}
	s := Setting{
		Mode: r.mode(c, "mode"), ModeSet: c.Field("mode") != nil, Off: c.Truth("off"),
		Roles: c.Texts("roles", r.home(rolePattern, rules)), Line: rule.Line, Column: rule.Column,
	}
	if s.Off && s.ModeSet {
		r.Fail(c.Field("off"), c.At("off"), "a rule that is off has a mode too", "keep one of the two")
	}
	if rules.Settings == nil {
		rules.Settings = map[string]Setting{}
	}
	rules.Settings[rule.ID] = s
}

// customWhole notes a rule that demands nothing, or nothing that can be told apart.
func (r *reader) customWhole(c strict.Object, rule CustomRule) {
	demands := c.Field("require") != nil || c.Field("forbid") != nil
	switch {
	case rule.Never && demands:
		r.Fail(c.Field("never"), c.At("never"), "a rule that lets nobody in has conditions too", "keep one of the two")
	case !rule.Never && !demands && c.Field("id") != nil:
		r.Fail(c.Field("id"), c.At("require"), "a rule that demands nothing", "write require or forbid; or never: true, where none of the callers may come in")
	}
}

// customCallers reads the classes of callers.
func (r *reader) customCallers(c strict.Object, rules *Rules) []CustomCallers {
	items := c.Items("callers")
	if n := c.Field("callers"); n != nil && n.Kind == yaml.SequenceNode && (len(items) == 0 || len(items) > mostCallers) {
		r.Fail(n, c.At("callers"), fmt.Sprintf("%d classes of callers", len(items)), fmt.Sprintf("write 1 to %d", mostCallers))
		return nil
	}
	var out []CustomCallers
	for i, n := range items {
		o := r.Object(n, strict.Item(c.At("callers"), i), "kind", "accounts", "names", "except")
		o.Require("kind")
		one := CustomCallers{Line: n.Line, Column: n.Column}
		one.Kind, _ = o.Text("kind", kindWord)
		name, except := kindForms(one.Kind)
		if one.Kind == "users" || one.Kind == "roles" {
			r.misplaced(o, "names", "users and roles have ARNs: name them by a condition on aws:PrincipalArn")
			one.Accounts, one.IDs = r.accountSet(o, rules)
		} else if one.Kind != "" {
			r.misplaced(o, "accounts", "only users and roles are asked for their account")
			one.Names = o.Texts("names", name)
		}
		if one.Kind != "" {
			one.Except = o.Texts("except", except)
		}
		out = append(out, one)
	}
	return out
}

// misplaced notes a field that means nothing beside the kind of callers.
func (r *reader) misplaced(o strict.Object, field, remedy string) {
	if n := o.Field(field); n != nil {
		r.Fail(n, o.At(field), "it means nothing for this kind of callers", remedy)
	}
}

// kindForms gives the forms of the names and exceptions of a kind of callers.
func kindForms(kind string) (name, except strict.Form) {
	switch kind {
	case "users":
		return anyText, userPattern
	case "roles":
		return anyText, rolePattern
	case "services":
		return serviceName, serviceName
	default:
		return exactProvider, exactProvider
	}
}

// accountSet reads which accounts are meant: a word, or a list of ids.
func (r *reader) accountSet(o strict.Object, rules *Rules) (AccountSet, []string) {
	n := o.Field("accounts")
	if n == nil {
		return AnyAccount, nil
	}
	if n.Kind == yaml.SequenceNode {
		ids := o.Texts("accounts", accountID)
		if len(n.Content) == 0 {
			r.Fail(n, o.At("accounts"), "no account", "list accounts, or write one of "+strings.Join(accountWords()[:ListedAccounts], ", "))
		}
		return ListedAccounts, ids
	}
	word, _ := o.Text("accounts", accountsWord)
	set := AccountSet(max(slices.Index(accountWords(), word), 0))
	switch {
	case set == OrganizationAccounts && rules.Organization.ID == "":
		r.Fail(n, o.At("accounts"), "the file names no organization", "write the section organization, or another set of accounts")
	case set == PartnerAccounts && len(rules.Partners) == 0:
		r.Fail(n, o.At("accounts"), "the file lists no partner", "write the section partners, or another set of accounts")
	}
	return set, nil
}

// customActions reads what a request asks for beside the assume action. An
// assume action that is another kind's is a slip: no request makes it.
func (r *reader) customActions(c strict.Object, callers []CustomCallers) []string {
	actions := c.Texts("actions", actionWord)
	for i, n := range c.Items("actions") {
		if !strings.HasPrefix(n.Value, "sts:AssumeRole") || !slices.Contains(actions, n.Value) {
			continue
		}
		for _, one := range callers {
			if one.Kind != "" && AssumeAction(one.Kind) != n.Value {
				r.Fail(n, strict.Item(c.At("actions"), i), fmt.Sprintf("%s call %s", one.Kind, AssumeAction(one.Kind)), "leave the assume action out: every kind of callers has its own")
				break
			}
		}
	}
	return actions
}

// AssumeAction gives the action by which a kind of callers assumes a role.
func AssumeAction(kind string) string {
	switch kind {
	case "saml":
		return "sts:AssumeRoleWithSAML"
	case "oidc":
		return "sts:AssumeRoleWithWebIdentity"
	default:
		return "sts:AssumeRole"
	}
}
