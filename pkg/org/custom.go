package org

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

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
		one := CustomCallers{}
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

// customDemands reads what must be met, and what must not.
func (r *reader) customDemands(c strict.Object) (require [][]policy.Condition, forbid []policy.Condition) {
	for _, field := range []string{"require", "forbid"} {
		items := c.Items(field)
		if n := c.Field(field); n != nil && n.Kind == yaml.SequenceNode && (len(items) == 0 || len(items) > mostDemands) {
			r.Fail(n, c.At(field), fmt.Sprintf("%d conditions", len(items)), fmt.Sprintf("write 1 to %d, or leave it out", mostDemands))
			continue
		}
		for i, n := range items {
			path := strict.Item(c.At(field), i)
			if field == "forbid" {
				if one, ok := r.condition(n, path); ok {
					forbid = append(forbid, one)
				}
				continue
			}
			if one := r.alternatives(n, path); len(one) > 0 {
				require = append(require, one)
			}
		}
	}
	return require, forbid
}

// alternatives reads one condition, or several of which one suffices.
func (r *reader) alternatives(n *yaml.Node, path string) []policy.Condition {
	if n.Kind != yaml.MappingNode || !slices.ContainsFunc(n.Content, func(c *yaml.Node) bool { return c.Value == "anyOf" }) {
		one, ok := r.condition(n, path)
		if !ok {
			return nil
		}
		return []policy.Condition{one}
	}
	o := r.Object(n, path, "anyOf")
	items := o.Items("anyOf")
	if len(items) < 2 || len(items) > mostAlternatives {
		r.Fail(n, o.At("anyOf"), fmt.Sprintf("%d alternatives", len(items)), fmt.Sprintf("write 2 to %d; one alone needs no anyOf", mostAlternatives))
		return nil
	}
	var out []policy.Condition
	for i, n := range items {
		if one, ok := r.condition(n, strict.Item(o.At("anyOf"), i)); ok {
			out = append(out, one)
		}
	}
	return out
}

// condition reads one condition. It must be one whose meaning is settled: what
// a rule asks for is not to hinge on a reading.
func (r *reader) condition(n *yaml.Node, path string) (policy.Condition, bool) {
	o := r.Object(n, path, "operator", "key", "values")
	o.Require("operator", "key", "values")
	name, hasOperator := o.Text("operator", operatorWord)
	key, hasKey := o.Text("key", conditionKey)
	if !hasOperator || !hasKey {
		return policy.Condition{}, false
	}
	operator, _ := policy.ParseOperator(name)
	if problem, remedy := misfit(operator, key); problem != "" {
		r.Fail(o.Field("operator"), o.At("operator"), problem, remedy)
		return policy.Condition{}, false
	}
	values, ok := r.conditionValues(o, operator, key)
	return policy.Condition{Operator: name, Key: key, Values: values}, ok
}

// misfit says what is wrong with an operator for a key. Of keys with several
// values only ForAnyValue and ForAllValues mean something, and of the others
// they mean a trap: ForAllValues is met where the key is absent (IAM User
// Guide, reference_policies_condition-single-vs-multi-valued-context-keys).
func misfit(operator policy.Operator, key string) (problem, remedy string) {
	several := slices.ContainsFunc([]string{"aws:PrincipalOrgPaths", "aws:TagKeys", "aws:SourceOrgPaths"}, func(k string) bool { return strings.EqualFold(k, key) })
	single := !several && (hasPrefixFold(key, "aws:") || hasPrefixFold(key, "sts:"))
	switch {
	case several && operator.Set == policy.NoSet && operator.Base != policy.Null:
		return key + " has several values", "write ForAnyValue: or ForAllValues: before the operator"
	case single && operator.Set != policy.NoSet:
		return key + " has one value", "write the operator without " + operator.Set.String() + ":"
	default:
		return "", ""
	}
}

func hasPrefixFold(s, prefix string) bool {
	return len(s) >= len(prefix) && strings.EqualFold(s[:len(prefix)], prefix)
}

// conditionValues reads the values of a condition. Those of secret keys are in
// no message.
func (r *reader) conditionValues(o strict.Object, operator policy.Operator, key string) ([]string, bool) {
	if n := o.Field("values"); n != nil && n.Kind != yaml.SequenceNode && policy.SecretKey(key) {
		r.Fail(n, o.At("values"), "no list", "write a list")
		return nil, false
	}
	items := o.Items("values")
	if n := o.Field("values"); n == nil || n.Kind != yaml.SequenceNode {
		return nil, false
	} else if len(items) == 0 || len(items) > mostValues {
		r.Fail(n, o.At("values"), fmt.Sprintf("%d values", len(items)), fmt.Sprintf("write 1 to %d", mostValues))
		return nil, false
	}
	var out []string
	for i, n := range items {
		path := strict.Item(o.At("values"), i)
		if policy.SecretKey(key) {
			if n.Kind != yaml.ScalarNode || n.ShortTag() != "!!str" || n.Value == "" || slices.Contains(out, n.Value) {
				r.Fail(n, path, "a value that is no text, or comes twice", "write each value once, in quotes")
				continue
			}
			out = append(out, n.Value)
			continue
		}
		v, ok := r.Text(n, path, valueForm(operator.Base))
		if ok && slices.Contains(out, v) {
			r.Fail(n, path, strict.Quote(v)+" a second time", "keep one of the two")
			continue
		}
		if ok {
			out = append(out, v)
		}
	}
	return out, len(out) == len(items)
}

// valueForm gives the form of the values of an operator.
func valueForm(base policy.Base) strict.Form {
	switch base {
	case policy.NumericEquals, policy.NumericLessThan, policy.NumericLessThanEquals, policy.NumericGreaterThan, policy.NumericGreaterThanEquals:
		return decimal
	case policy.DateEquals, policy.DateLessThan, policy.DateLessThanEquals, policy.DateGreaterThan, policy.DateGreaterThanEquals:
		return strict.Form{Name: "date", Remedy: "write a date and time such as 2027-01-31T00:00:00Z, in quotes", OK: func(s string) bool {
			_, err := time.Parse(time.RFC3339, s)
			return err == nil
		}}
	case policy.Bool, policy.Null:
		return strict.OneOf("truth", "true", "false")
	case policy.IP:
		return strict.Form{Name: "address", Remedy: "write an address or a range such as 203.0.113.0/24", OK: func(s string) bool {
			_, rangeErr := netip.ParsePrefix(s)
			_, err := netip.ParseAddr(s)
			return rangeErr == nil || err == nil
		}}
	case policy.ARN:
		return strict.Form{Name: "ARN", Remedy: "write six parts joined by colons, where * and ? are wildcards", OK: func(s string) bool {
			return strings.HasPrefix(s, "arn:") && strings.Count(s, ":") >= 5
		}}
	default:
		return strict.Form{Name: "text", Remedy: "write some text", OK: func(s string) bool { return s != "" }}
	}
}
