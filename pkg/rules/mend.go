package rules

import (
	"bytes"
	"slices"
	"strconv"
	"strings"

	"github.com/rolewarden/rolewarden/pkg/finding"
	"github.com/rolewarden/rolewarden/pkg/policy"
)

// guardKeys are the keys by which a document says which AWS callers it means.
var guardKeys = [...]string{"aws:PrincipalOrgID", "aws:PrincipalOrgPaths", "aws:PrincipalAccount", "aws:PrincipalArn"}

// statementOf gives the index of the statement that a finding is about.
func statementOf(d policy.Document, f finding.Finding) (int, bool) {
	rest, ok := strings.CutPrefix(f.Where, "Statement[")
	number, _, closed := strings.Cut(rest, "]")
	i, err := strconv.Atoi(number)
	if !ok || !closed || err != nil || i < 0 || i >= len(d.Statements) {
		return 0, false
	}
	return i, true
}

// replaced gives a copy of the document with one statement replaced by others.
func replaced(d policy.Document, i int, by ...policy.Statement) policy.Document {
	d.Statements = slices.Concat(d.Statements[:i], by, d.Statements[i+1:])
	return d
}

// tightened gives candidates in which a condition on one of the keys, in the
// statement of a finding, can no longer be met by leaving the key out: first
// each such condition by itself, then all. Who wrote the value meant it to be
// asked for, and the strict operator asks for the same value.
func tightened(d policy.Document, f finding.Finding, keys ...string) []policy.Document {
	i, ok := statementOf(d, f)
	if !ok || d.Statements[i].Effect != policy.Allow {
		return nil
	}
	st := d.Statements[i]
	var out []policy.Document
	for k, c := range st.Conditions {
		if operator, loose := strict(c, keys); loose && !asks(st, operator, c.Key) {
			one := st
			one.Conditions = slices.Clone(st.Conditions)
			one.Conditions[k].Operator = operator
			out = append(out, replaced(d, i, one))
		}
	}
	if all, some := allTightened(st, keys...); some && len(out) > 1 {
		out = append(out, replaced(d, i, all))
	}
	return out
}

// allTightened gives the statement with all such conditions strict; it fails
// where there is none.
func allTightened(st policy.Statement, keys ...string) (policy.Statement, bool) {
	st.Conditions = slices.Clone(st.Conditions)
	some := false
	for k, c := range st.Conditions {
		if operator, loose := strict(c, keys); loose && !asks(st, operator, c.Key) {
			st.Conditions[k].Operator, some = operator, true
		}
	}
	return st, some
}

// strict gives the operator that asks of a key what a condition on one of the
// keys asks only where the key is there. ForAllValues is met by a key that is
// absent, and so is every operator with IfExists (IAM User Guide,
// reference_policies_condition-single-vs-multi-valued-context-keys and
// reference_policies_elements_condition_operators).
func strict(c policy.Condition, keys []string) (operator string, loose bool) {
	o, ok := policy.ParseOperator(c.Operator)
	about := slices.ContainsFunc(keys, func(k string) bool { return strings.EqualFold(k, c.Key) })
	if !ok || !about || o.Negated || len(c.Values) == 0 || !o.IfExists && o.Set != policy.ForAllValues {
		return "", false
	}
	o.IfExists = false
	if o.Set == policy.ForAllValues {
		o.Set = policy.NoSet
		if strings.EqualFold(c.Key, "aws:PrincipalOrgPaths") {
			o.Set = policy.ForAnyValue
		}
	}
	name := o.String()
	if o.Base == policy.ARN && strings.Contains(c.Operator, "ArnEquals") {
		name = strings.Replace(name, "ArnLike", "ArnEquals", 1)
	}
	return name, true
}

// asks says whether a statement has a condition with an operator and key.
func asks(st policy.Statement, operator, key string) bool {
	return slices.ContainsFunc(st.Conditions, func(c policy.Condition) bool {
		return c.Operator == operator && strings.EqualFold(c.Key, key)
	})
}

// demanding gives a copy of the statement with a condition more, under the first
// of the operators that the statement does not use for the key already: under
// the same one the values would be alternatives.
func demanding(st policy.Statement, key string, values []string, operators ...string) (policy.Statement, bool) {
	for _, operator := range operators {
		if !asks(st, operator, key) {
			st.Conditions = append(slices.Clone(st.Conditions), policy.Condition{Operator: operator, Key: key, Values: values})
			return st, true
		}
	}
	return st, false
}

// equality gives the operators that hold a key to some values, the plainest first.
func equality(values []string) []string {
	if slices.ContainsFunc(values, func(v string) bool { return strings.ContainsAny(v, "*?") }) {
		return []string{"StringLike"}
	}
	return []string{"StringEquals", "StringLike"}
}

// share says which callers of a principal a new condition is meant for.
type share uint8

// The shares.
const (
	// nobody of the principal: it stays as it is.
	nobody share = iota
	// everybody of the principal.
	everybody
	// theUsers of an account, and not its roles.
	theUsers
	// theRoles of an account, and not its users.
	theRoles
)

// divided gives candidates with a statement in parts: one with the condition for
// those whom it is meant for, and as they were, the others: principals that it
// is not meant for, and the roles or users of whole accounts, told by their ARN,
// or by what kind of principal they are. Every part allows only what the whole
// did, and the parts together lose only what the condition forbids. There are
// none where the statement's own conditions leave no room for the new ones.
func divided(in Input, d policy.Document, i int, meant func(policy.Principal) share, bind func(policy.Statement) (policy.Statement, bool)) []policy.Document {
	st := d.Statements[i]
	var bound, free, halves []policy.Principal
	var rest share
	for _, p := range principalsOf(st) {
		switch s := meant(p); s {
		case nobody:
			free = append(free, p)
		case everybody:
			bound = append(bound, p)
		case theUsers, theRoles:
			bound, halves, rest = append(bound, p), append(halves, p), s
		}
	}
	if len(bound) == 0 {
		return nil
	}
	first, ok := bind(keptTo(st, bound))
	if !ok {
		return nil
	}
	st.Sid = ""
	var last []policy.Statement
	if len(free) > 0 {
		last = append(last, keptTo(st, free))
	}
	if len(halves) == 0 {
		return []policy.Document{replaced(d, i, append([]policy.Statement{first}, last...)...)}
	}
	var out []policy.Document
	kind, word := othersOf(rest)
	if other, ok := demanding(keptTo(st, halves), "aws:PrincipalArn", arnsOf(in, halves, kind), "ArnLike", "ArnEquals", "StringLike"); ok {
		out = append(out, replaced(d, i, append([]policy.Statement{first, other}, last...)...))
	}
	if other, ok := demanding(keptTo(st, halves), "aws:PrincipalType", []string{word}, "StringEquals", "StringLike"); ok {
		out = append(out, replaced(d, i, append([]policy.Statement{first, other}, last...)...))
	}
	return out
}

// othersOf says how those of an account are told whom a share leaves out: in their
// ARN, and in aws:PrincipalType (IAM User Guide,
// reference_policies_condition-keys).
func othersOf(s share) (arn, word string) {
	if s == theRoles {
		return "user", "User"
	}
	return "role", "AssumedRole"
}

// principalsOf gives the principals of a statement, the bare star as {"AWS":"*"}.
func principalsOf(st policy.Statement) []policy.Principal {
	if st.Principal.Star {
		return []policy.Principal{{Type: "AWS", Value: "*", Kind: policy.Anyone}}
	}
	return st.Principal.List
}

// keptTo gives the statement for some of its principals.
func keptTo(st policy.Statement, principals []policy.Principal) policy.Statement {
	if !st.Principal.Star {
		st.Principal = policy.Principals{List: principals}
	}
	return st
}

// arnsOf gives the patterns of the users, or the roles, of whole accounts.
func arnsOf(in Input, accounts []policy.Principal, kind string) []string {
	var out []string
	for _, p := range accounts {
		partition, account := p.Partition, p.Account
		if partition == "" {
			partition = in.Role.Partition
		}
		if account == "" {
			account = "*"
		}
		out = appendMissing(out, []string{"arn:" + partition + ":iam::" + account + ":" + kind + "/*"})
	}
	return out
}

// speaksVariables gives the document in Version 2012-10-17, in which variables
// mean something. It fails where that would give a text that is there already
// another meaning.
func speaksVariables(d policy.Document) (policy.Document, bool) {
	if d.Version == "2012-10-17" {
		return d, true
	}
	if bytes.Contains(d.Print(), []byte("${")) {
		return d, false
	}
	d.Version = "2012-10-17"
	return d, true
}

// mendGuards makes the guards strict that the document writes about its callers
// and that callers outside of every organization can leave out. Whom to name
// where nothing is written is not known, and neither is whether a named account
// is to go.
func mendGuards(in Input, f finding.Finding) []policy.Document {
	return tightened(in.Document, f, guardKeys[:]...)
}

// shares gives the share of each principal that belongs to a class of callers,
// by the words of the rules file.
func shares(belongs func(word string, p policy.Principal) bool) func(policy.Principal) share {
	return func(p policy.Principal) share {
		switch p.Kind {
		case policy.User:
			return whole(belongs("users", p))
		case policy.Role, policy.RoleSession:
			return whole(belongs("roles", p))
		case policy.Service:
			return whole(belongs("services", p))
		case policy.SAMLProvider:
			return whole(belongs("saml", p))
		case policy.OIDCProvider:
			return whole(belongs("oidc", p))
		case policy.Account, policy.Anyone:
			switch users, roles := belongs("users", p), belongs("roles", p); {
			case users && roles:
				return everybody
			case users:
				return theUsers
			case roles:
				return theRoles
			default:
				return nobody
			}
		default:
			return nobody
		}
	}
}

func whole(yes bool) share {
	if yes {
		return everybody
	}
	return nobody
}
