package policy_test

import (
	"testing"

	"github.com/rolewarden/rolewarden/pkg/policy"
)

// The operators of AWS's page reference_policies_elements_condition_operators.
var documented = []string{
	"StringEquals", "StringNotEquals", "StringEqualsIgnoreCase", "StringNotEqualsIgnoreCase", "StringLike", "StringNotLike",
	"NumericEquals", "NumericNotEquals", "NumericLessThan", "NumericLessThanEquals", "NumericGreaterThan", "NumericGreaterThanEquals",
	"DateEquals", "DateNotEquals", "DateLessThan", "DateLessThanEquals", "DateGreaterThan", "DateGreaterThanEquals",
	"Bool", "BinaryEquals", "IpAddress", "NotIpAddress", "ArnEquals", "ArnLike", "ArnNotEquals", "ArnNotLike", "Null",
}

// Every documented operator is known, bare, with IfExists and with either set
// qualifier; Null takes none of these.
func TestEveryDocumentedOperatorIsKnown(t *testing.T) {
	synonyms := map[string]string{"ArnEquals": "ArnLike", "ArnNotEquals": "ArnNotLike"}
	for _, name := range documented {
		for _, prefix := range []string{"", "ForAllValues:", "ForAnyValue:"} {
			for _, suffix := range []string{"", "IfExists"} {
				op, ok := policy.ParseOperator(prefix + name + suffix)
				if want := name != "Null" || prefix+suffix == ""; ok != want {
					t.Errorf("%s%s%s: known %t", prefix, name, suffix, ok)
				}
				plain := name
				if s, ok := synonyms[name]; ok {
					plain = s
				}
				if got := op.String(); ok && got != prefix+plain+suffix {
					t.Errorf("%s%s%s reads %s", prefix, name, suffix, got)
				}
			}
		}
	}
}

// What AWS does not document must not be taken for what it does.
func TestOtherOperatorsAreUnknown(t *testing.T) {
	for _, name := range []string{
		"", "IfExists", "stringEquals", "STRINGEQUALS", "StringEqual", "StringEqualsIfexists", "StringEqualsIfExistsIfExists",
		"forallvalues:StringEquals", "ForAllValues:", "ForAllValues:ForAnyValue:StringEquals", "ForSomeValues:StringEquals",
		"BoolNotEquals", "BinaryNotEquals", "NumericNotLessThan", "NullIfExists", "Base?", " StringEquals", "StringEquals ",
	} {
		if op, ok := policy.ParseOperator(name); ok {
			t.Errorf("%q is taken for %v", name, op)
		}
	}
}
