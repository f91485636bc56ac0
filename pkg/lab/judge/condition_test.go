package judge_test

import (
	"fmt"
	"testing"

	"github.com/rolewarden/rolewarden/pkg/lab/judge"
)

// holds decides whether a condition block lets a request with the context in.
func holds(t *testing.T, version, condition string, ctx judge.Context) bool {
	t.Helper()
	text := fmt.Sprintf(`{%s"Statement":{"Effect":"Allow","Principal":{"AWS":"*"},"Action":"sts:AssumeRole","Condition":%s}}`, version, condition)
	policy, err := judge.Parse([]byte(text))
	if err != nil {
		t.Fatalf("parsing %s: %v", text, err)
	}
	return policy.Trust(judge.Request{Action: "sts:AssumeRole", Caller: alice, Context: ctx}).Effect == judge.Allow
}

var alice = judge.Caller{
	Kind: judge.User, Account: "111122223333", ARN: "arn:aws:iam::111122223333:user/alice", ID: "AIDAALICEEXAMPLE00000",
}

const modern = `"Version":"2012-10-17",`

type set map[string]any // string: one value; []string: a multivalued key

func (s set) context() judge.Context {
	ctx := judge.NewContext()
	for key, value := range s {
		switch v := value.(type) {
		case string:
			ctx.Set(key, v)
		case []string:
			ctx.SetMany(key, v)
		}
	}
	return ctx
}

// Every operator as the IAM User Guide describes it, in
// reference_policies_elements_condition_operators.
func TestConditionOperators(t *testing.T) {
	for _, c := range []struct {
		condition string
		context   set
		want      bool
	}{
		{`{"StringEquals":{"k":"v"}}`, set{"k": "v"}, true},
		{`{"StringEquals":{"k":"v"}}`, set{"k": "V"}, false},
		{`{"StringEquals":{"k":"v*"}}`, set{"k": "vv"}, false},
		{`{"StringEquals":{"k":"v*"}}`, set{"k": "v*"}, true},
		{`{"StringEquals":{"k":["u","v"]}}`, set{"k": "v"}, true},
		{`{"StringEquals":{"K":"v"}}`, set{"k": "v"}, true}, // key names ignore case
		{`{"StringNotEquals":{"k":["u","v"]}}`, set{"k": "v"}, false},
		{`{"StringNotEquals":{"k":["u","v"]}}`, set{"k": "w"}, true},
		{`{"StringEqualsIgnoreCase":{"k":"Value"}}`, set{"k": "vALUE"}, true},
		{`{"StringNotEqualsIgnoreCase":{"k":"Value"}}`, set{"k": "vALUE"}, false},
		{`{"StringLike":{"k":"a*c?"}}`, set{"k": "abbcd"}, true},
		{`{"StringLike":{"k":"a*c?"}}`, set{"k": "abbc"}, false},
		{`{"StringLike":{"k":"*"}}`, set{"k": ""}, true},
		{`{"StringNotLike":{"k":"a*"}}`, set{"k": "abc"}, false},
		{`{"StringLike":{"k":"é?"}}`, set{"k": "éa"}, true},

		{`{"NumericEquals":{"k":"10"}}`, set{"k": "10.0"}, true},
		{`{"NumericEquals":{"k":10}}`, set{"k": "10"}, true},
		{`{"NumericNotEquals":{"k":"10"}}`, set{"k": "10"}, false},
		{`{"NumericLessThan":{"k":"10"}}`, set{"k": "9"}, true},
		{`{"NumericLessThan":{"k":"10"}}`, set{"k": "10"}, false},
		{`{"NumericLessThanEquals":{"k":"10"}}`, set{"k": "10"}, true},
		{`{"NumericGreaterThan":{"k":"-1.5"}}`, set{"k": "0"}, true},
		{`{"NumericGreaterThanEquals":{"k":"3"}}`, set{"k": "2"}, false},
		{`{"NumericEquals":{"k":"ten"}}`, set{"k": "ten"}, false},

		{`{"DateGreaterThan":{"k":"2026-01-01T00:00:00Z"}}`, set{"k": "2026-01-02T00:00:00Z"}, true},
		{`{"DateLessThan":{"k":"2026-01-01"}}`, set{"k": "2026-01-02T00:00:00Z"}, false},
		{`{"DateEquals":{"k":"1767225600"}}`, set{"k": "2026-01-01T00:00:00Z"}, true},
		{`{"DateNotEquals":{"k":"2026-01-01T00:00:00Z"}}`, set{"k": "1767225600"}, false},

		{`{"Bool":{"k":"true"}}`, set{"k": "true"}, true},
		{`{"Bool":{"k":true}}`, set{"k": "true"}, true},
		{`{"Bool":{"k":"true"}}`, set{"k": "false"}, false},
		{`{"Bool":{"k":"false"}}`, set{}, false},
		{`{"BinaryEquals":{"k":"QmluYXJ5"}}`, set{"k": "QmluYXJ5"}, true},

		{`{"IpAddress":{"k":"203.0.113.0/24"}}`, set{"k": "203.0.113.9"}, true},
		{`{"IpAddress":{"k":"203.0.113.9"}}`, set{"k": "203.0.113.9"}, true},
		{`{"NotIpAddress":{"k":"203.0.113.0/24"}}`, set{"k": "203.0.113.9"}, false},
		{`{"NotIpAddress":{"k":"203.0.113.0/24"}}`, set{"k": "198.51.100.1"}, true},
		{`{"IpAddress":{"k":"2001:db8::/32"}}`, set{"k": "2001:db8::1"}, true},

		{`{"ArnEquals":{"k":"arn:aws:iam::*:role/app-*"}}`, set{"k": "arn:aws:iam::111122223333:role/app-1"}, true},
		{`{"ArnLike":{"k":"arn:aws:iam::1111*:role/app"}}`, set{"k": "arn:aws:iam::111122223333:role/app"}, true},
		// A wildcard in one of the first five parts stays between its colons.
		{`{"ArnLike":{"k":"arn:aws:*:role/app"}}`, set{"k": "arn:aws:iam::111122223333:role/app"}, false},
		{`{"ArnLike":{"k":"arn:aws:sns:*:*:a*"}}`, set{"k": "arn:aws:sns:us-east-1:111122223333:a:b"}, true},
		{`{"ArnNotEquals":{"k":"arn:aws:iam::*:role/app"}}`, set{"k": "arn:aws:iam::111122223333:role/app"}, false},
		{`{"ArnNotLike":{"k":"arn:aws:iam::*:role/x"}}`, set{"k": "arn:aws:iam::111122223333:role/app"}, true},

		{`{"Null":{"k":"true"}}`, set{}, true},
		{`{"Null":{"k":"true"}}`, set{"k": "v"}, false},
		{`{"Null":{"k":"false"}}`, set{"k": "v"}, true},
		{`{"Null":{"k":false}}`, set{}, false},
		{`{"Null":{"k":"false"}}`, set{"k": []string{}}, false},
	} {
		if got := holds(t, modern, c.condition, c.context.context()); got != c.want {
			t.Errorf("%s with %v: got %v", c.condition, c.context, got)
		}
	}
}

// A key that is not there: positive operators fail, negated and IfExists ones
// hold, ForAllValues holds and ForAnyValue does not.
func TestMissingKeys(t *testing.T) {
	for condition, want := range map[string]bool{
		`{"StringEquals":{"k":"v"}}`:                     false,
		`{"StringLike":{"k":"*"}}`:                       false,
		`{"StringNotEquals":{"k":"v"}}`:                  true,
		`{"StringNotLike":{"k":"*"}}`:                    true,
		`{"ArnNotLike":{"k":"arn:aws:iam::*:*"}}`:        true,
		`{"NumericNotEquals":{"k":"1"}}`:                 true,
		`{"NotIpAddress":{"k":"0.0.0.0/0"}}`:             true,
		`{"StringEqualsIfExists":{"k":"v"}}`:             true,
		`{"StringNotEqualsIfExists":{"k":"v"}}`:          true,
		`{"BoolIfExists":{"k":"true"}}`:                  true,
		`{"ForAllValues:StringEquals":{"k":"v"}}`:        true,
		`{"ForAllValues:StringNotEquals":{"k":"v"}}`:     true,
		`{"ForAnyValue:StringEquals":{"k":"v"}}`:         false,
		`{"ForAnyValue:StringNotEquals":{"k":"v"}}`:      false,
		`{"ForAnyValue:StringEqualsIfExists":{"k":"v"}}`: false,
	} {
		if got := holds(t, modern, condition, judge.NewContext()); got != want {
			t.Errorf("%s without the key: got %v", condition, got)
		}
	}
}

// Set operators over multivalued keys. IAM User Guide,
// reference_policies_multi-value-conditions.
func TestSetOperators(t *testing.T) {
	for _, c := range []struct {
		condition string
		items     any
		want      bool
	}{
		{`{"ForAllValues:StringEquals":{"k":["a","b"]}}`, []string{"a"}, true},
		{`{"ForAllValues:StringEquals":{"k":["a","b"]}}`, []string{"a", "c"}, false},
		{`{"ForAllValues:StringEquals":{"k":["a","b"]}}`, []string{}, true},
		{`{"ForAllValues:StringEquals":{"k":["a","b"]}}`, []string{""}, true},
		{`{"ForAllValues:StringNotEquals":{"k":["a","b"]}}`, []string{"c", "a"}, false},
		{`{"ForAllValues:StringNotEquals":{"k":["a","b"]}}`, []string{"c", "d"}, true},
		{`{"ForAnyValue:StringEquals":{"k":["a","b"]}}`, []string{"c", "a"}, true},
		{`{"ForAnyValue:StringEquals":{"k":["a","b"]}}`, []string{"c"}, false},
		{`{"ForAnyValue:StringEquals":{"k":["a","b"]}}`, []string{}, false},
		{`{"ForAnyValue:StringNotEquals":{"k":["a","b"]}}`, []string{"a", "c"}, true},
		{`{"ForAnyValue:StringLike":{"k":"a*"}}`, "abc", true}, // a single value is a set of one
		{`{"StringEquals":{"k":"a"}}`, []string{"a"}, false},   // undocumented: nothing matches
	} {
		if got := holds(t, modern, c.condition, set{"k": c.items}.context()); got != c.want {
			t.Errorf("%s with %q: got %v", c.condition, c.items, got)
		}
	}
}

// Operators and keys are joined by AND.
func TestEveryConditionMustHold(t *testing.T) {
	condition := `{"StringEquals":{"a":"1","b":"2"},"Null":{"c":"true"}}`
	for _, c := range []struct {
		context set
		want    bool
	}{
		{set{"a": "1", "b": "2"}, true},
		{set{"a": "1"}, false},
		{set{"a": "1", "b": "2", "c": "3"}, false},
	} {
		if got := holds(t, modern, condition, c.context.context()); got != c.want {
			t.Errorf("%v: got %v", c.context, got)
		}
	}
	if !holds(t, modern, `{}`, judge.NewContext()) {
		t.Error("an empty Condition must behave as none")
	}
}

// Policy variables. IAM User Guide, reference_policies_variables.
func TestVariables(t *testing.T) {
	for _, c := range []struct {
		name, version, condition string
		context                  set
		want                     bool
	}{
		{"own name", modern, `{"StringEquals":{"n":"${aws:username}"}}`, set{"n": "alice", "aws:username": "alice"}, true},
		{"another's name", modern, `{"StringEquals":{"n":"${aws:username}"}}`, set{"n": "bob", "aws:username": "alice"}, false},
		{"names ignore case", modern, `{"StringEquals":{"n":"${AWS:UserName}"}}`, set{"n": "alice", "aws:username": "alice"}, true},
		{"inside a pattern", modern, `{"StringLike":{"n":"${aws:username}-*"}}`, set{"n": "alice-1", "aws:username": "alice"}, true},
		{"a star in the value is literal", modern, `{"StringLike":{"n":"${aws:username}"}}`, set{"n": "alice", "aws:username": "a*"}, false},
		{"no value, positive", modern, `{"StringLike":{"n":"${aws:username}*"}}`, set{"n": "alice"}, false},
		{"no value, negated", modern, `{"StringNotEquals":{"n":"${aws:username}"}}`, set{"n": "alice"}, true},
		{"default", modern, `{"StringEquals":{"n":"${aws:username, 'nobody'}"}}`, set{"n": "nobody"}, true},
		{"default not needed", modern, `{"StringEquals":{"n":"${aws:username, 'nobody'}"}}`, set{"n": "nobody", "aws:username": "alice"}, false},
		{"multivalued keys have no value", modern, `{"StringEquals":{"n":"${m}"}}`, set{"n": "a", "m": []string{"a"}}, false},
		{"escaped star", modern, `{"StringLike":{"n":"a${*}"}}`, set{"n": "a*"}, true},
		{"escaped star is no wildcard", modern, `{"StringLike":{"n":"a${*}"}}`, set{"n": "ab"}, false},
		{"escaped dollar", modern, `{"StringEquals":{"n":"${$}{x}"}}`, set{"n": "${x}"}, true},
		{"old version", `"Version":"2008-10-17",`, `{"StringEquals":{"n":"${aws:username}"}}`, set{"n": "${aws:username}", "aws:username": "alice"}, true},
		{"no version", ``, `{"StringEquals":{"n":"${aws:username}"}}`, set{"n": "alice", "aws:username": "alice"}, false},
		{"not in Bool", modern, `{"Bool":{"n":"${b}"}}`, set{"n": "true", "b": "true"}, false},
		{"in an ARN", modern, `{"ArnLike":{"n":"arn:aws:iam::*:user/${aws:username}"}}`, set{"n": "arn:aws:iam::111122223333:user/alice", "aws:username": "alice"}, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := holds(t, c.version, c.condition, c.context.context()); got != c.want {
				t.Errorf("%s with %v: got %v", c.condition, c.context, got)
			}
		})
	}
}
