package proof

import "testing"

// TestEmptyTags is about tags whose value is empty, which is legal (STS API
// Reference, API_Tag): ForAllValues holds for an empty value whatever it asks.
func TestEmptyTags(t *testing.T) {
	q := Query{World: world(), Callers: outsiders(), Actions: assume}
	open := func(c string) string { return allow(anyone, `["sts:AssumeRole","sts:TagSession"]`, c) }
	both := func(key string) string {
		return `"ForAllValues:StringEquals":{"` + key + `":"blue"},"StringNotEquals":{"` + key + `":"blue"},"Null":{"` + key + `":"false"}`
	}
	runGuards(t, q, []guard{
		{"a tag of the caller", open(both("aws:PrincipalTag/x")), Found},
		{"a tag of the request", open(both("aws:RequestTag/x")), Found},
		{"an external ID has two characters", open(both("sts:ExternalId")), None},
		{"a key that nobody documents", open(both("foo:bar")), Unknown},
		{"the empty value shut out", open(`"ForAllValues:StringEquals":{"aws:PrincipalTag/x":"blue"},"StringNotEquals":{"aws:PrincipalTag/x":["blue",""]},"Null":{"aws:PrincipalTag/x":"false"}`), None},
		{"ForAnyValue with nothing but the empty value", open(cond("ForAnyValue:StringNotLike", "aws:RequestTag/x", `"?*"`)), Unknown},
		{"ForAnyValue with another value", open(cond("ForAnyValue:StringNotEquals", "aws:RequestTag/x", `"blue"`)), Found},
		{"ForAllValues in a Deny fires on it", document(statementText("Allow", anyone, "sts:AssumeRole", cond("StringEquals", "aws:PrincipalTag/x", `""`)),
			statementText("Deny", anyone, "sts:AssumeRole", cond("ForAllValues:StringEquals", "aws:PrincipalTag/x", `"blue"`))), None},
	})
	// The order of statements does not matter to what is decided.
	first := statementText("Allow", anyone, "sts:AssumeRole", cond("ForAnyValue:StringEqualsIgnoreCase", "aws:PrincipalTag/x", `""`))
	second := statementText("Allow", anyone, "sts:AssumeRole", cond("ForAnyValue:StringEqualsIgnoreCase", "aws:PrincipalTag/x", `"blue"`))
	for _, doc := range []string{document(first, second), document(second, first)} {
		if a := Find(parse(t, doc), q); a.Outcome != Found {
			t.Errorf("%v %v: %s", a.Outcome, a.Undecided, doc)
		}
	}
}
