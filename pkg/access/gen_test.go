package access_test

import (
	"github.com/rolewarden/rolewarden/pkg/access"
	"github.com/rolewarden/rolewarden/pkg/policy"
	"pgregory.net/rapid"
)

// The words of generated documents and requests: few, so that they often meet,
// and without "", which ForAnyValue leaves open.
var (
	someActions    = []string{"sts:AssumeRole", "sts:TagSession"}
	actionPatterns = []string{"sts:AssumeRole", "STS:assume*", "sts:TagSession", "*"}
	contextKeys    = []string{"k", "aws:username", "l"}
	contextValues  = []string{"a", "ab", "bob", "b"}
	policyValues   = []string{"a", "a*", "?b", "${aws:username}", "bob", "true", "${l, 'a'}*"}
	settledOps     = []string{
		"StringEquals", "StringNotEquals", "StringLike", "StringNotLike", "StringEqualsIfExists", "StringNotLikeIfExists",
		"StringEqualsIgnoreCase", "ForAllValues:StringLike", "ForAnyValue:StringEquals", "ForAllValues:StringNotEquals",
		"ForAnyValue:StringNotLike", "Null",
	}
	somePrincipals = []string{
		"*", "111122223333", "444455556666", "arn:aws:iam::111122223333:user/bob", "arn:aws:iam::111122223333:role/app",
	}
	someCallers = []access.Caller{
		{AWS: "arn:aws:iam::111122223333:user/bob"},
		{AWS: "arn:aws:sts::111122223333:assumed-role/app/s1"},
		{AWS: "arn:aws:iam::444455556666:root"},
	}
)

// doubt is an operator whose conditions are never settled.
const doubt = "NoSuchOperator"

func words(t *rapid.T, from []string, least, most int) []string {
	return rapid.SliceOfN(rapid.SampledFrom(from), least, most).Draw(t, "words")
}

// statement draws a statement whose only doubts are conditions under doubt.
func statement(t *rapid.T) policy.Statement {
	s := policy.Statement{Effect: rapid.SampledFrom([]policy.Effect{policy.Allow, policy.Deny}).Draw(t, "effect")}
	if rapid.IntRange(0, 4).Draw(t, "not action") == 0 {
		s.NotActions = words(t, actionPatterns[:3], 1, 2)
	} else {
		s.Actions = words(t, actionPatterns, 1, 2)
	}
	for _, value := range words(t, somePrincipals, 1, 2) {
		p, err := policy.ParsePrincipal("AWS", value)
		if err != nil {
			t.Fatal(err)
		}
		s.Principal.List = append(s.Principal.List, p)
	}
	operators := rapid.SliceOfNDistinct(rapid.SampledFrom(append([]string{doubt}, settledOps...)), 0, 2, rapid.ID[string]).Draw(t, "operators")
	for _, operator := range operators {
		values := words(t, policyValues, 1, 3)
		if operator == "Null" {
			values = words(t, []string{"true", "false"}, 1, 1)
		}
		s.Conditions = append(s.Conditions, policy.Condition{
			Operator: operator, Key: rapid.SampledFrom(contextKeys).Draw(t, "key"), Values: values,
		})
	}
	return s
}

func document(t *rapid.T) policy.Document {
	d := policy.Document{Version: rapid.SampledFrom([]string{"", "2012-10-17", "2012-10-17"}).Draw(t, "version")}
	for range rapid.IntRange(1, 4).Draw(t, "statements") {
		d.Statements = append(d.Statements, statement(t))
	}
	return d
}

// request draws a request whose keys are single-valued.
func request(t *rapid.T) access.Request {
	r := access.Request{
		Actions: rapid.SliceOfNDistinct(rapid.SampledFrom(someActions), 1, 2, rapid.ID[string]).Draw(t, "actions"),
		Caller:  rapid.SampledFrom(someCallers).Draw(t, "caller"),
		Context: map[string]access.Value{},
	}
	for _, key := range contextKeys {
		if rapid.IntRange(0, 2).Draw(t, "present") > 0 {
			r.Context[key] = access.One(rapid.SampledFrom(contextValues).Draw(t, "value"))
		}
	}
	return r
}
