package proof

import "testing"

// TestTagKeysDifferByMoreThanCase is about names of session tags: STS refuses a
// request with two that differ in nothing but case, and passes on only tags
// that the request carries.
func TestTagKeysDifferByMoreThanCase(t *testing.T) {
	q := Query{World: world(), Callers: outsiders(), Actions: assume}
	two := func(key, a, b string) string {
		return allow(anyone, "sts:*", `"ForAnyValue:StringLike":{"`+key+`":"`+a+`"},"ForAnyValue:StringEquals":{"`+key+`":"`+b+`"}`)
	}
	runGuards(t, q, []guard{
		{"two spellings", two("aws:TagKeys", "x", "X"), None},
		{"two spellings to pass on", two("sts:TransitiveTagKeys", "aa", "AA"), None},
		{"two names", two("aws:TagKeys", "x", "y"), Found},
		{"one name for both", two("aws:TagKeys", "x*", "xy"), Found},
		{"a spelling and any other name", two("aws:TagKeys", "??", "XY"), Found},
		{"a pattern of the other case", two("aws:TagKeys", "x?", "XY"), Found},
	})
	d := parse(t, allow(anyone, "sts:*", `"StringEquals":{"aws:RequestTag/aa":"1"},"ForAnyValue:StringEquals":{"sts:TransitiveTagKeys":"AA"}`))
	a := Find(d, q)
	if a.Outcome != Found {
		t.Fatalf("%v %v", a.Outcome, a.Undecided)
	}
	if tags, _ := a.Witness.Get("aws:TagKeys"); len(tags.Values) != 1 || tags.Values[0] != "AA" {
		t.Errorf("the tag passed on is not one of the request's: %v", tags)
	}
}
