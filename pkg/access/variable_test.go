package access_test

import (
	"testing"

	"github.com/rolewarden/rolewarden/pkg/access"
)

// IAM User Guide, reference_policies_variables.
func TestVariables(t *testing.T) {
	bob := `"aws:username":"bob"`
	holds(t, "2012-10-17", []row{
		{on("StringEquals", "k", "${aws:username}"), bob + `,"k":"bob"`, yes},
		{on("StringEquals", "k", "${AWS:UserName}"), bob + `,"k":"bob"`, yes},
		{on("StringLike", "k", "${aws:username}-*"), bob + `,"k":"bob-1"`, yes},
		{on("StringLike", "k", "${aws:username}-*"), bob + `,"k":"eve-1"`, no},
		{on("StringEquals", "k", "a${aws:username}${aws:username}z"), bob + `,"k":"abobbobz"`, yes},
		{on("ArnLike", "k", "arn:aws:iam::111122223333:user/${aws:username}"), bob + `,"k":"arn:aws:iam::111122223333:user/bob"`, yes},
		{on("ForAnyValue:StringEquals", "k", "${aws:username}"), bob + `,"k":["x","bob"]`, yes},
		// No value: "Policy variables with no value".
		{on("StringEquals", "k", "${aws:username}"), `"k":"${aws:username}"`, no},
		{on("StringLike", "k", "${aws:username}*"), `"k":"x"`, no},
		{on("StringNotEquals", "k", "${aws:username}"), `"k":"x"`, yes},
		{on("StringEquals", "k", "${aws:username}", "x"), `"k":"x"`, yes},
		{on("ArnNotLike", "k", "arn:aws:iam::111122223333:user/${aws:username}"), `"k":"arn:aws:iam::111122223333:user/x"`, yes},
		{on("ArnNotLike", "k", "arn:aws:iam::111122223333:user/${aws:username}"), `"k":"no ARN"`, open},
		{on("ArnLike", "k", "arn:aws:iam::111122223333:user/${aws:username}"), `"k":"no ARN"`, no},
		{on("StringEquals", "k", "${aws:username}"), `"aws:username":null,"k":""`, no},
		// Defaults.
		{on("StringEquals", "k", "${aws:PrincipalTag/team, 'none'}"), `"k":"none"`, yes},
		{on("StringEquals", "k", "${aws:PrincipalTag/team, 'none'}-x"), `"k":"none-x"`, yes},
		{on("StringEquals", "k", "${aws:username, 'none'}"), bob + `,"k":"none"`, no},
		{on("StringNotLike", "k", "${aws:username, 'none'}"), `"k":"none"`, no},
		// Special characters.
		{on("StringLike", "k", "a${*}"), `"k":"a*"`, yes},
		{on("StringLike", "k", "a${*}"), `"k":"ab"`, no},
		{on("StringLike", "k", "${?}*"), `"k":"?b"`, yes},
		{on("StringEquals", "k", "${$}{x}"), `"k":"${x}"`, yes},
		{on("StringEquals", "k", "${*}"), `"k":"*"`, yes},
		// A value that holds a wildcard: literal or not makes a difference or none.
		{on("StringLike", "k", "${aws:username}"), `"aws:username":"b*","k":"b*"`, yes},
		{on("StringLike", "k", "${aws:username}"), `"aws:username":"b*","k":"bob"`, open},
		{on("StringLike", "k", "${aws:username}"), `"aws:username":"b*","k":"eve"`, no},
		{on("StringEquals", "k", "${aws:username}"), `"aws:username":"b*","k":"bob"`, no},
		// Only single-valued keys, only String and ARN operators.
		{on("StringEquals", "k", "${aws:TagKeys}"), `"aws:TagKeys":["a"],"k":"a"`, open},
		{on("NumericEquals", "k", "${l}"), `"l":"1","k":"1"`, open},
		// The pages of the variables and of the operators disagree about Bool.
		{on("Bool", "k", "${l}"), `"l":"true","k":"true"`, open},
		{on("Bool", "k", "${l}"), `"l":"false","k":"true"`, no},
		{on("Bool", "k", "${l}"), `"k":"true"`, no},
		// An empty value is one.
		{on("StringEquals", "k", "${l}"), `"l":"","k":""`, yes},
		{on("StringEquals", "k", "a${l, 'b'}"), `"l":"","k":"a"`, yes},
		// Not what the guide describes.
		{on("StringEquals", "k", "${"), `"k":"${"`, open},
		{on("StringEquals", "k", "${}"), `"k":"a"`, open},
		{on("StringEquals", "k", "${ aws:username}"), bob + `,"k":"bob"`, open},
		{on("StringEquals", "k", "${aws:username,'none'}"), `"k":"none"`, open},
		{on("StringEquals", "k", "${aws:username,  'none'}"), `"k":"none"`, open},
		{on("StringEquals", "k", "${aws:username, none}"), bob + `,"k":"bob"`, open},
		{on("StringEquals", "k", "${aws:username, 'none}"), bob + `,"k":"bob"`, open},
		{on("StringEquals", "k", "${a${aws:username}}"), bob + `,"k":"bob"`, open},
		{on("StringNotEquals", "k", "${x"), `"k":"a"`, open},
		{on("StringEquals", "k", "$bob {x} $"), `"k":"$bob {x} $"`, yes},
	})
}

// T32: a variable that names the tested key makes the condition a tautology.
func TestT32SelfReference(t *testing.T) {
	holds(t, "2012-10-17", []row{
		{on("StringEquals", "sts:ExternalId", "${sts:ExternalId}"), `"sts:ExternalId":"anything"`, yes},
		{on("StringEquals", "sts:ExternalId", "${sts:ExternalId}"), ``, no},
	})
}

// T33. IAM User Guide, reference_policies_elements_version: variables are
// literal text without 2012-10-17.
func TestT33VariablesNeedTheVersion(t *testing.T) {
	holds(t, "2008-10-17", []row{
		{on("StringEquals", "k", "${aws:username}"), `"aws:username":"bob","k":"bob"`, no},
		{on("StringEquals", "k", "${aws:username}"), `"aws:username":"bob","k":"${aws:username}"`, yes},
		{on("StringLike", "k", "${*"), `"k":"${x"`, yes},
	})
	d := parse(t, `{"Statement":{"Effect":"Allow","Principal":{"AWS":"*"},"Action":"sts:AssumeRole","Condition":{"StringEquals":{"k":"${aws:username}"}}}}`)
	r := parseRequest(t, `{"action":"sts:AssumeRole","caller":{"aws":"arn:aws:iam::111122223333:user/bob"},"context":{"k":"${aws:username}"}}`)
	if got := access.Evaluate(d, r); got.Decision != access.Allowed {
		t.Errorf("without a Version: %v", got)
	}
}
