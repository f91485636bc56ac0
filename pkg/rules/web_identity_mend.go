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
//
// It begins with the entries of the statement that the finding is about, one by
// one; only where the request comes in by another statement too are all of them
// mended at once.
func mendWebIdentitySubject(in Input, found finding.Finding) []policy.Document {
	var out []policy.Document
	d := in.Document
	i, known := statementOf(d, found)
	for _, f := range federations(d) {
		if r := found.Evidence.Request; r != nil && r.Caller.Federated != f.principal.Value {
			continue
		}
		here := func(j int) bool { return j == i }
		anywhere := func(int) bool { return true }
		if known {
			for k := range d.Statements[i].Conditions {
				if one, stricter := f.strict(d, here, k); stricter {
					out = append(out, one)
				}
			}
			out = append(out, f.mended(in, here)...)
		}
		out = append(out, f.mended(in, anywhere)...)
	}
	return out
}

// mended gives some statements with all entries strict, with the audience
// pinned, and with both.
func (f federation) mended(in Input, which func(statement int) bool) []policy.Document {
	var out []policy.Document
	strict, stricter := f.strict(in.Document, which, everyEntry)
	if stricter {
		out = append(out, strict)
	}
	if f.AudienceTells || f.Audience == "" {
		return out
	}
	for _, d := range []policy.Document{in.Document, strict} {
		if pinned, ok := f.pinned(d, which, f.issuer+":aud", f.audience(in)); ok {
			out = append(out, pinned)
		}
	}
	return out
}

// everyEntry stands for all conditions of a statement.
const everyEntry = -1

// strict takes ForAllValues and IfExists from the conditions of Allows on the
// provider's claims, from all of some statements or from one, and says whether
// there were any.
func (f federation) strict(d policy.Document, which func(statement int) bool, entry int) (policy.Document, bool) {
	d, changed := clonedDocument(d), false
	for i := range d.Statements {
		st := &d.Statements[i]
		if st.Effect != policy.Allow || !which(i) || !only(st.Principal, f.names) {
			continue
		}
		for j, c := range st.Conditions {
			if entry != everyEntry && entry != j {
				continue
			}
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

func (f federation) names(p policy.Principal) bool { return p.Value == f.principal.Value }

// only says whether all principals of a statement are some. Others beside them
// lack the claims: what is demanded of all would shut those out.
func only(p policy.Principals, names func(policy.Principal) bool) bool {
	return !p.Star && len(p.List) > 0 && !slices.ContainsFunc(p.List, func(one policy.Principal) bool { return !names(one) })
}

// pinned adds a StringEquals to those of some Allows that name the provider alone
// and have none for the key; looser conditions stay beside it.
func (f federation) pinned(d policy.Document, which func(statement int) bool, key, value string) (policy.Document, bool) {
	d, changed := clonedDocument(d), false
	for i := range d.Statements {
		st := &d.Statements[i]
		if st.Effect == policy.Allow && which(i) && !has(st.Conditions, "StringEquals", key) && only(st.Principal, f.names) {
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
