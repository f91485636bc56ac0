package rules

import (
	"slices"
	"strings"

	"github.com/rolewarden/rolewarden/pkg/finding"
	"github.com/rolewarden/rolewarden/pkg/policy"
	"github.com/rolewarden/rolewarden/pkg/rules/issuer"
)

// mendWebIdentitySubject gives documents in which the conditions on the
// provider's claims mean what they say, and in which the audience is pinned.
// Whose tokens are meant to come in where nobody is named, it cannot know.
func mendWebIdentitySubject(in Input, found finding.Finding) []policy.Document {
	var out []policy.Document
	for _, f := range federations(in.Document) {
		if r := found.Evidence.Request; r != nil && r.Caller.Federated != f.principal.Value {
			continue
		}
		strict, stricter := f.strict(in.Document)
		if stricter {
			out = append(out, strict)
		}
		if f.AudienceTells || f.Audience == "" {
			continue
		}
		key := f.issuer + ":aud"
		if pinned, ok := withAudience(in.Document, f, key, f.audience(in)); ok {
			out = append(out, pinned)
		}
		if pinned, ok := withAudience(strict, f, key, f.audience(in)); ok && stricter {
			out = append(out, pinned)
		}
	}
	return out
}

// strict takes ForAllValues and IfExists from the conditions of Allows on the
// provider's claims, and says whether there were any.
func (f federation) strict(d policy.Document) (policy.Document, bool) {
	d, changed := clonedDocument(d), false
	for i := range d.Statements {
		st := &d.Statements[i]
		if st.Effect != policy.Allow || !only(st.Principal, f.names) {
			continue
		}
		for j, c := range st.Conditions {
			o, ok := policy.ParseOperator(c.Operator)
			if _, of := f.claim(c.Key); !of || !ok || o.Negated || o.Base == policy.Null {
				continue
			}
			operator := strings.TrimSuffix(c.Operator, "IfExists")
			if rest, all := strings.CutPrefix(operator, "ForAllValues:"); all && f.many(c.Key) {
				// Some value beside all of them: in place of it that would let in more.
				if some := "ForAnyValue:" + rest; !has(st.Conditions, some, c.Key) {
					st.Conditions, changed = append(st.Conditions, policy.Condition{Operator: some, Key: c.Key, Values: c.Values}), true
				}
				continue
			} else if all {
				operator = rest
			}
			if operator != c.Operator && !has(st.Conditions, operator, c.Key) {
				st.Conditions[j].Operator, changed = operator, true
			}
		}
	}
	return d, changed
}

func (f federation) many(key string) bool {
	return slices.ContainsFunc(f.Claims, func(c issuer.Claim) bool { return c.Many && strings.EqualFold(c.ConditionKey(f.issuer), key) })
}

// withAudience pins a key of the Allows that name a provider to a value.
func withAudience(d policy.Document, f federation, key, value string) (policy.Document, bool) {
	return pinnedTo(d, f.names, key, value)
}

func (f federation) names(p policy.Principal) bool { return p.Value == f.principal.Value }

// only says whether all principals of a statement are some. Others beside them
// lack the claims: what is demanded of all would shut those out.
func only(p policy.Principals, names func(policy.Principal) bool) bool {
	return !p.Star && len(p.List) > 0 && !slices.ContainsFunc(p.List, func(one policy.Principal) bool { return !names(one) })
}

// pinnedTo adds a StringEquals to the Allows that name certain principals alone
// and have none for the key; looser conditions stay beside it.
func pinnedTo(d policy.Document, names func(policy.Principal) bool, key, value string) (policy.Document, bool) {
	d, changed := clonedDocument(d), false
	for i := range d.Statements {
		st := &d.Statements[i]
		if st.Effect == policy.Allow && !has(st.Conditions, "StringEquals", key) && only(st.Principal, names) {
			st.Conditions = append(withoutEmpty(st.Conditions), policy.Condition{Operator: "StringEquals", Key: key, Values: []string{value}})
			changed = true
		}
	}
	return d, changed
}

func has(conditions []policy.Condition, operator, key string) bool {
	return slices.ContainsFunc(conditions, func(c policy.Condition) bool {
		return c.Operator == operator && strings.EqualFold(c.Key, key)
	})
}

// withoutEmpty leaves out operators without keys.
func withoutEmpty(conditions []policy.Condition) []policy.Condition {
	return slices.DeleteFunc(conditions, func(c policy.Condition) bool { return c.Key == "" })
}

// clonedDocument copies a document as far as its conditions.
func clonedDocument(d policy.Document) policy.Document {
	d.Statements = slices.Clone(d.Statements)
	for i := range d.Statements {
		d.Statements[i].Conditions = slices.Clone(d.Statements[i].Conditions)
	}
	return d
}
