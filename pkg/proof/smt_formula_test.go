package proof_test

import (
	"fmt"
	"slices"
	"strings"

	"github.com/rolewarden/rolewarden/pkg/policy"
	"github.com/rolewarden/rolewarden/pkg/proof"
)

// question is a document and a region, to be put to both judges.
type question struct {
	document policy.Document
	query    proof.Query
	kind     proof.CallerKind
	accounts proof.Accounts
	where    []proof.Requirement
}

// The names of the variables: each optional key has one for its value and one,
// with "has-" before it, for its presence.
const (
	sessionVar, externalVar, identityVar = "session", "external", "identity"
	arnVar, nameVar, accountVar, pathVar = "arn", "name", "account", "path"
)

// variableOf gives the variable of a key, and the formula of its presence.
func (q question) variableOf(key string) (variable, present string) {
	switch strings.ToLower(key) {
	case "sts:rolesessionname":
		return sessionVar, "true"
	case "sts:externalid":
		return externalVar, "has-" + externalVar
	case "sts:sourceidentity":
		return identityVar, "has-" + identityVar
	case "aws:principalarn":
		return arnVar, "true"
	case "aws:principalaccount":
		return accountVar, "true"
	case "aws:username":
		if q.kind == proof.Users {
			return nameVar, "true"
		}
		return nameVar, "false"
	default:
		panic("a key outside the fragment: " + key)
	}
}

// formula writes the question as SMT-LIB: is there a request?
func (q question) formula() string {
	var b strings.Builder
	for _, v := range []string{sessionVar, externalVar, identityVar, nameVar, accountVar, pathVar, arnVar} {
		fmt.Fprintf(&b, "(declare-const %s String)\n", v)
	}
	for _, v := range []string{externalVar, identityVar} {
		fmt.Fprintf(&b, "(declare-const has-%s Bool)\n", v)
	}
	assert := func(s string) { fmt.Fprintf(&b, "(assert %s)\n", s) }
	q.legal(assert)
	for _, r := range q.where {
		holds := q.condition(r.Condition, "2012-10-17")
		if r.Sense == proof.Fails {
			holds = not(holds)
		}
		assert(holds)
	}
	assert(q.allowed("sts:AssumeRole"))
	// A call that carries a source identity needs the permission to set it
	// (IAM User Guide, id_credentials_temp_control-access_monitor).
	assert(or(not("has-"+identityVar), q.allowed("sts:SetSourceIdentity")))
	return b.String()
}

// legal asserts what AWS documents of names and lengths (IAM User Guide,
// reference_iam-quotas; STS API Reference, API_AssumeRole).
func (q question) legal(assert func(string)) {
	word := `(re.union (re.range "a" "z") (re.range "A" "Z") (re.range "0" "9") (str.to_re "_") (str.to_re "+") (str.to_re "=") (str.to_re ",") (str.to_re ".") (str.to_re "@") (str.to_re "-"))`
	wide := `(re.union ` + word + ` (str.to_re ":") (str.to_re "/"))`
	of := func(v, set string, least, most int) {
		assert(fmt.Sprintf("(str.in_re %s (re.* %s))", v, set))
		assert(fmt.Sprintf("(<= %d (str.len %s) %d)", least, v, most))
	}
	of(sessionVar, word, 2, 64)
	of(externalVar, wide, 2, 1224)
	of(identityVar, word, 2, 64)
	of(nameVar, word, 1, 64)
	of(accountVar, `(re.range "0" "9")`, 12, 12)
	assert(`(or (= path "/") (and (str.in_re path (re.++ (str.to_re "/") (re.+ (re.range "!" "~")) (str.to_re "/"))) (<= (str.len path) 512)))`)
	kind := ":user"
	if q.kind == proof.RoleSessions {
		kind = ":role"
	}
	assert(fmt.Sprintf(`(= arn (str.++ "arn:aws:iam::" account %q path name))`, kind))
	if q.accounts.Only != nil {
		assert(anyOf(accountVar, q.accounts.Only))
	}
	assert(not(anyOf(accountVar, q.accounts.Except)))
}

// allowed says that some Allow applies to an action and no Deny does.
func (q question) allowed(action string) string {
	var allows, denies []string
	for _, st := range q.document.Statements {
		if !names(st, action) {
			continue
		}
		applies := []string{q.principal(st)}
		for _, c := range st.Conditions {
			applies = append(applies, q.condition(c, q.document.Version))
		}
		if st.Effect == policy.Allow {
			allows = append(allows, and(applies...))
		} else {
			denies = append(denies, and(applies...))
		}
	}
	return and(or(allows...), not(or(denies...)))
}

// names says whether a statement is about an action.
func names(st policy.Statement, action string) bool {
	fits := func(pattern string) bool {
		prefix, wild := strings.CutSuffix(strings.ToLower(pattern), "*")
		return strings.EqualFold(pattern, action) || wild && strings.HasPrefix(strings.ToLower(action), prefix)
	}
	if len(st.NotActions) > 0 {
		return !slices.ContainsFunc(st.NotActions, fits)
	}
	return slices.ContainsFunc(st.Actions, fits)
}

// principal says that the caller is one of a statement's principals.
func (q question) principal(st policy.Statement) string {
	var any []string
	for _, p := range st.Principal.List {
		switch p.Kind {
		case policy.Anyone:
			any = append(any, "true")
		case policy.Account:
			any = append(any, equal(accountVar, literal(p.Account)))
		case policy.User, policy.Role:
			any = append(any, equal(arnVar, literal(p.Value)))
		default:
			panic("a principal outside the fragment: " + p.Value)
		}
	}
	return or(any...)
}

// condition says that a condition holds.
func (q question) condition(c policy.Condition, version string) string {
	o, ok := policy.ParseOperator(c.Operator)
	if !ok {
		panic("an operator outside the fragment: " + c.Operator)
	}
	v, present := q.variableOf(c.Key)
	if o.Base == policy.Null {
		var any []string
		for _, want := range c.Values {
			if want == "true" {
				any = append(any, not(present))
			} else {
				any = append(any, present)
			}
		}
		return or(any...)
	}
	var any []string
	for _, value := range c.Values {
		any = append(any, q.matches(o.Base, v, value, version))
	}
	holds := or(any...)
	if o.Negated {
		holds = not(holds)
	}
	// A missing key fails a positive operator and meets a negated one, one with
	// IfExists and ForAllValues; ForAnyValue it always fails (IAM User Guide,
	// reference_policies_multi-value-conditions).
	switch {
	case o.Set == policy.ForAnyValue:
		return and(present, holds)
	case o.Set == policy.ForAllValues, o.IfExists, o.Negated:
		return or(not(present), holds)
	default:
		return and(present, holds)
	}
}

// matches says that a value is of a pattern.
func (q question) matches(base policy.Base, v, pattern, version string) string {
	if base == policy.ARN {
		return fmt.Sprintf("(str.in_re %s %s)", v, arnPattern(pattern))
	}
	before, rest, open := strings.Cut(pattern, "${")
	if !open || version != "2012-10-17" {
		return q.plain(base, v, pattern)
	}
	inside, after, _ := strings.Cut(rest, "}")
	key, fallback, hasDefault := strings.Cut(inside, ", '")
	other, present := q.variableOf(key)
	value := other
	if hasDefault {
		value = fmt.Sprintf("(ite %s %s %s)", present, other, literal(strings.TrimSuffix(fallback, "'")))
		present = "true"
	}
	open1, open2 := strings.HasPrefix(before, "*") && base == policy.StringLike, strings.HasSuffix(after, "*") && base == policy.StringLike
	if open1 {
		before = before[1:]
	}
	if open2 {
		after = after[:len(after)-1]
	}
	text := fmt.Sprintf("(str.++ %s %s %s)", literal(before), value, literal(after))
	switch {
	case open1 && open2:
		return and(present, fmt.Sprintf("(str.contains %s %s)", v, text))
	case open1:
		return and(present, fmt.Sprintf("(str.suffixof %s %s)", text, v))
	case open2:
		return and(present, fmt.Sprintf("(str.prefixof %s %s)", text, v))
	default:
		return and(present, equal(v, text))
	}
}

// plain matches a value with a pattern without variables.
func (q question) plain(base policy.Base, v, pattern string) string {
	switch base {
	case policy.String:
		return equal(v, literal(pattern))
	case policy.StringIgnoreCase:
		var parts []string
		for _, r := range pattern {
			lower, upper := strings.ToLower(string(r)), strings.ToUpper(string(r))
			parts = append(parts, fmt.Sprintf("(re.union (str.to_re %s) (str.to_re %s))", literal(lower), literal(upper)))
		}
		return fmt.Sprintf("(str.in_re %s %s)", v, concat(parts))
	case policy.StringLike:
		return fmt.Sprintf("(str.in_re %s %s)", v, glob(pattern, "re.all", "re.allchar"))
	default:
		panic("a comparison outside the fragment: " + base.String())
	}
}

// arnPattern matches the first five parts each within its colons (IAM User
// Guide, reference_policies_elements_condition_operators, ARN operators).
func arnPattern(pattern string) string {
	noColon := `(re.union (re.range "!" "9") (re.range ";" "~"))`
	var parts []string
	for i, part := range strings.SplitN(pattern, ":", 6) {
		if i > 0 {
			parts = append(parts, `(str.to_re ":")`)
		}
		if i < 5 {
			parts = append(parts, glob(part, "(re.* "+noColon+")", noColon))
		} else {
			parts = append(parts, glob(part, "re.all", "re.allchar"))
		}
	}
	return concat(parts)
}

func glob(pattern, star, one string) string {
	var parts []string
	for _, r := range pattern {
		switch r {
		case '*':
			parts = append(parts, star)
		case '?':
			parts = append(parts, one)
		default:
			parts = append(parts, "(str.to_re "+literal(string(r))+")")
		}
	}
	return concat(parts)
}

func concat(parts []string) string {
	switch len(parts) {
	case 0:
		return `(str.to_re "")`
	case 1:
		return parts[0]
	default:
		return "(re.++ " + strings.Join(parts, " ") + ")"
	}
}

func literal(s string) string { return `"` + strings.ReplaceAll(s, `"`, `""`) + `"` }

func equal(a, b string) string { return "(= " + a + " " + b + ")" }

func not(s string) string { return "(not " + s + ")" }

func and(s ...string) string { return "(and true " + strings.Join(s, " ") + ")" }

func or(s ...string) string { return "(or false " + strings.Join(s, " ") + ")" }

func anyOf(v string, values []string) string {
	var any []string
	for _, value := range values {
		any = append(any, equal(v, literal(value)))
	}
	return or(any...)
}
