package access_test

import (
	"testing"
)

// T29. Same page, "Condition operator to check existence of condition keys".
func TestT29Null(t *testing.T) {
	holds(t, "2012-10-17", []row{
		{on("Null", "k", "true"), ``, yes},
		{on("Null", "k", "true"), `"k":"x"`, no},
		{on("Null", "k", "true"), `"k":["x","y"]`, no},
		{on("Null", "k", "true"), `"k":null`, yes},
		{`"Null":{"k":false}`, `"k":""`, yes},
		{on("Null", "k", "false"), ``, no},
		{on("Null", "k", "true", "false"), ``, yes},
		{on("Null", "k", "True"), ``, open},
		{on("Null", "k", "${aws:username}"), `"aws:username":"true"`, open},
		{on("Null", "k", "false"), `"k":[]`, open},
		{on("Null", "k"), ``, open},
		{on("NullIfExists", "k", "true"), ``, open},
	})
}

// T27. Same page, "...IfExists condition operators": an absent key is as good
// as a match, in a Deny too.
func TestT27IfExists(t *testing.T) {
	holds(t, "2012-10-17", []row{
		{on("StringEqualsIfExists", "k", "a"), ``, yes},
		{on("StringEqualsIfExists", "k", "a"), `"k":"a"`, yes},
		{on("StringEqualsIfExists", "k", "a"), `"k":"b"`, no},
		{on("StringNotEqualsIfExists", "k", "a"), ``, yes},
		{on("StringNotEqualsIfExists", "k", "a"), `"k":"a"`, no},
		{on("BoolIfExists", "aws:MultiFactorAuthPresent", "true"), ``, yes},
		{on("IpAddressIfExists", "k", "203.0.113.0/24"), ``, yes},
		{on("ArnLikeIfExists", "k", "nonsense"), ``, yes},
		{on("ForAllValues:StringEqualsIfExists", "k", "a"), ``, yes},
		{on("ForAnyValue:StringEqualsIfExists", "k", "a"), ``, no},
	})
}

// T28. IAM User Guide, reference_policies_multi-value-conditions.
func TestT28SetOperators(t *testing.T) {
	holds(t, "2012-10-17", []row{
		{on("ForAllValues:StringEquals", "k", "a", "b"), `"k":["a","b"]`, yes},
		{on("ForAllValues:StringEquals", "k", "a", "b"), `"k":["a"]`, yes},
		{on("ForAllValues:StringEquals", "k", "a", "b"), `"k":["a","c"]`, no},
		{on("ForAllValues:StringEquals", "k", "a"), ``, yes},
		{on("ForAllValues:StringEquals", "k", "a"), `"k":[]`, yes},
		{on("ForAllValues:StringEquals", "k", "a"), `"k":""`, yes},
		{on("ForAllValues:StringEquals", "k", "a"), `"k":["",""]`, no},
		{on("ForAllValues:StringLike", "k", "a*"), `"k":"abc"`, yes},
		{on("ForAllValues:StringNotEquals", "k", "a", "b"), `"k":["c","d"]`, yes},
		{on("ForAllValues:StringNotEquals", "k", "a", "b"), `"k":["c","a"]`, no},
		{on("ForAllValues:StringNotEquals", "k", "a"), ``, yes},
		{on("ForAnyValue:StringEquals", "k", "a", "b"), `"k":["c","a"]`, yes},
		{on("ForAnyValue:StringEquals", "k", "a", "b"), `"k":["c"]`, no},
		{on("ForAnyValue:StringEquals", "k", "a"), ``, no},
		{on("ForAnyValue:StringEquals", "k", "a"), `"k":[]`, no},
		{on("ForAnyValue:StringEquals", "k", ""), `"k":""`, open},
		{on("ForAnyValue:StringEquals", "k", "a"), `"k":"a"`, yes},
		{on("ForAnyValue:StringNotEquals", "k", "a"), `"k":["a","b"]`, yes},
		{on("ForAnyValue:StringNotEquals", "k", "a"), `"k":["a"]`, no},
		{on("ForAnyValue:StringNotEquals", "k", "a"), ``, no},
		{on("ForAnyValue:NumericLessThan", "k", "5"), `"k":["x","4"]`, yes},
		{on("ForAllValues:NumericLessThan", "k", "5"), `"k":["x","6"]`, no},
		{on("ForAllValues:NumericLessThan", "k", "5"), `"k":["x","4"]`, open},
		{on("StringEquals", "k", "a"), `"k":["a"]`, open},
		{on("StringNotEquals", "k", "a"), `"k":["b","c"]`, open},
		{on("ForSomeValues:StringEquals", "k", "a"), `"k":["a"]`, open},
	})
}

// Same page as for T28: operators and keys are ANDed, values ORed, and the
// values of a negated operator are NORed.
func TestConditionsCombine(t *testing.T) {
	holds(t, "2012-10-17", []row{
		{on("StringEquals", "k", "a", "b"), `"k":"b"`, yes},
		{on("StringNotEquals", "k", "a", "b"), `"k":"b"`, no},
		{on("StringNotEquals", "k", "a", "b"), `"k":"c"`, yes},
		{`"StringEquals":{"k":"a","l":"b"}`, `"k":"a","l":"b"`, yes},
		{`"StringEquals":{"k":"a","l":"b"}`, `"k":"a"`, no},
		{on("StringEquals", "k", "a") + "," + on("Bool", "l", "true"), `"k":"a","l":"true"`, yes},
		{on("StringEquals", "k", "a") + "," + on("Bool", "l", "true"), `"k":"a","l":"false"`, no},
		{on("Unknown", "k", "a") + "," + on("Bool", "l", "true"), `"k":"a","l":"false"`, no},
		{on("Unknown", "k", "a") + "," + on("Bool", "l", "true"), `"k":"a","l":"true"`, open},
		{``, ``, yes},
		{`"StringEquals":{}`, ``, open},
	})
}

// T30, T31: one weak value spoils the list.
func TestT30T31WildcardsAndLists(t *testing.T) {
	holds(t, "2012-10-17", []row{
		{on("StringLike", "k", "?*"), `"k":"x"`, yes},
		{on("StringLike", "k", "**"), `"k":""`, yes},
		{on("StringLike", "k", "??*"), `"k":"xy"`, yes},
		{on("StringLike", "k", "??*"), `"k":"x"`, no},
		{on("StringLike", "k", "exact", "e*"), `"k":"evil"`, yes},
		{on("StringEquals", "k", "exact", "*"), `"k":"evil"`, no},
	})
}

// T34. IAM User Guide, reference_policies_elements_condition: case does not
// count in names of keys, tag keys included.
func TestT34KeyNamesIgnoreCase(t *testing.T) {
	holds(t, "2012-10-17", []row{
		{on("StringEquals", "STS:externalid", "a"), `"sts:ExternalId":"a"`, yes},
		{on("StringEquals", "aws:PrincipalTag/team", "a"), `"aws:principaltag/TEAM":"a"`, yes},
		{on("StringEquals", "sts:ExternalId", "a"), `"sts:ExternalI":"a"`, no},
		{on("StringEquals", "k", "a"), `"\u212a":"a"`, no},
	})
}

// The meaning of an empty list of values is not documented, but that of an
// absent key is under IfExists and the set operators.
func TestEmptyLists(t *testing.T) {
	holds(t, "2012-10-17", []row{
		{on("StringEquals", "k"), `"k":"a"`, open},
		{on("StringEquals", "k"), ``, open},
		{on("StringNotEquals", "k"), ``, open},
		{on("StringEqualsIfExists", "k"), ``, yes},
		{on("StringEqualsIfExists", "k"), `"k":"a"`, open},
		{on("ForAllValues:StringEquals", "k"), ``, yes},
		{on("ForAllValues:StringEquals", "k"), `"k":["a"]`, open},
		{on("ForAnyValue:StringEquals", "k"), ``, no},
	})
}
