package access_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/rolewarden/rolewarden/pkg/access"
	"github.com/rolewarden/rolewarden/pkg/policy"
)

const (
	yes  = access.Yes
	no   = access.No
	open = access.Unsettled
)

// row is one condition under one context. context is JSON as in a request.
type row struct {
	condition string
	context   string
	want      access.Tri
}

// decided says what each truth value makes of an Allow and of a Deny beside an Allow.
var decided = map[access.Tri][2]access.Decision{
	yes:  {access.Allowed, access.Denied},
	no:   {access.Denied, access.Allowed},
	open: {access.Undecided, access.Undecided},
}

// holds checks each condition on an Allow and, the other way round, on a Deny.
func holds(t *testing.T, version string, rows []row) {
	t.Helper()
	for _, r := range rows {
		statement := `{"Effect":"Allow","Principal":{"AWS":"*"},"Action":"sts:AssumeRole"`
		guarded := strings.TrimSuffix(statement, "}") + `,"Condition":{` + r.condition + `}}`
		allow := parse(t, `{"Version":"`+version+`","Statement":`+guarded+`}`)
		deny := parse(t, `{"Version":"`+version+`","Statement":[`+statement+`},`+strings.Replace(guarded, "Allow", "Deny", 1)+`]}`)
		request := parseRequest(t, `{"action":"sts:AssumeRole","caller":{"aws":"arn:aws:iam::111122223333:user/bob"},"context":{`+r.context+`}}`)
		for i, d := range []policy.Document{allow, deny} {
			got := access.Evaluate(d, request)
			if want := decided[r.want][i]; got.Decision != want {
				t.Errorf("%s with {%s} on %s: %v (%s), want %v",
					r.condition, r.context, d.Statements[i].Effect, got.Decision, got.Reason, want)
			}
			if got.Reason == "" {
				t.Errorf("%s with {%s}: no reason", r.condition, r.context)
			}
		}
	}
}

func parse(t testing.TB, text string) policy.Document {
	t.Helper()
	d, err := policy.Parse([]byte(text))
	if err != nil {
		t.Fatalf("%s\n%v", text, err)
	}
	return d
}

func parseRequest(t testing.TB, text string) access.Request {
	t.Helper()
	r, err := access.ParseRequest([]byte(text))
	if err != nil {
		t.Fatalf("%s\n%v", text, err)
	}
	return r
}

// on writes one condition.
func on(operator, key string, values ...string) string {
	text, err := json.Marshal(append([]string{}, values...))
	if err != nil {
		panic(err)
	}
	return `"` + operator + `":{"` + key + `":` + string(text) + `}`
}

// IAM User Guide, reference_policies_elements_condition_operators, "String
// condition operators".
func TestStringOperators(t *testing.T) {
	holds(t, "2012-10-17", []row{
		{on("StringEquals", "k", "Abc"), `"k":"Abc"`, yes},
		{on("StringEquals", "k", "Abc"), `"k":"abc"`, no},
		{on("StringEquals", "k", "A*"), `"k":"Abc"`, no},
		{on("StringEquals", "k", "A*"), `"k":"A*"`, yes},
		{on("StringEquals", "k", ""), `"k":""`, yes},
		{on("StringEquals", "k", "Abc"), ``, no},
		{on("StringNotEquals", "k", "Abc"), `"k":"abc"`, yes},
		{on("StringNotEquals", "k", "Abc"), `"k":"Abc"`, no},
		{on("StringNotEquals", "k", "Abc"), ``, yes},
		{on("StringEqualsIgnoreCase", "k", "Abc"), `"k":"aBC"`, yes},
		{on("StringEqualsIgnoreCase", "k", "Abc"), `"k":"abd"`, no},
		{on("StringEqualsIgnoreCase", "k", "K"), `"k":"\u212a"`, open},
		{on("StringEqualsIgnoreCase", "k", "À"), `"k":"à"`, open},
		{on("StringNotEqualsIgnoreCase", "k", "Abc"), `"k":"aBC"`, no},
		{on("StringNotEqualsIgnoreCase", "k", "Abc"), `"k":"x"`, yes},
		{on("StringLike", "k", "A*c"), `"k":"Abbc"`, yes},
		{on("StringLike", "k", "A*c"), `"k":"abbc"`, no},
		{on("StringLike", "k", "*"), `"k":""`, yes},
		{on("StringLike", "k", "A?c"), `"k":"Abc"`, yes},
		{on("StringLike", "k", "A?c"), `"k":"Ac"`, no},
		{on("StringLike", "k", "?"), `"k":"é"`, yes},
		{on("StringLike", "k", "*??"), `"k":"é"`, no},
		{on("StringLike", "k", "*??b*"), `"k":"€bc"`, no},
		{on("StringLike", "k", "*a*b*"), `"k":"xaxxbx"`, yes},
		{on("StringLike", "k", "*"), ``, no},
		{on("StringNotLike", "k", "A*"), `"k":"Abc"`, no},
		{on("StringNotLike", "k", "A*"), `"k":"bc"`, yes},
		{on("StringNotLike", "k", "A*"), ``, yes},
	})
}

// Same page, "Numeric condition operators". Literals may stand without quotes.
func TestNumericOperators(t *testing.T) {
	holds(t, "2012-10-17", []row{
		{on("NumericEquals", "k", "10"), `"k":"10.00"`, yes},
		{on("NumericEquals", "k", "-0"), `"k":"0"`, yes},
		{on("NumericNotEquals", "k", "10"), `"k":"10"`, no},
		{on("NumericNotEquals", "k", "10"), ``, yes},
		{`"NumericLessThan":{"k":10}`, `"k":"9"`, yes},
		{on("NumericLessThan", "k", "10"), `"k":"10"`, no},
		{on("NumericLessThan", "k", "10"), `"k":"-11"`, yes},
		{on("NumericLessThanEquals", "k", "10"), `"k":"10"`, yes},
		{on("NumericLessThanEquals", "k", "10"), `"k":"10.01"`, no},
		{on("NumericGreaterThan", "k", "9007199254740992"), `"k":"9007199254740993"`, yes},
		{on("NumericGreaterThan", "k", "-2"), `"k":"-1.5"`, yes},
		{on("NumericGreaterThanEquals", "k", "010"), `"k":"9"`, no},
		{on("NumericGreaterThanEquals", "k", "10"), ``, no},
		{on("NumericEquals", "k", "ten"), `"k":"10"`, open},
		{on("NumericEquals", "k", "10"), `"k":"ten"`, open},
		{on("NumericEquals", "k", "1e1"), `"k":"10"`, open},
		{on("NumericEquals", "k", "1."), `"k":"1"`, open},
		{on("NumericEquals", "k", ""), `"k":"1"`, open},
	})
}

// Same page, "Date condition operators".
func TestDateOperators(t *testing.T) {
	holds(t, "2012-10-17", []row{
		{on("DateEquals", "k", "2026-06-30T00:00:00Z"), `"k":"2026-06-30T02:00:00+02:00"`, yes},
		{on("DateEquals", "k", "2026-06-30"), `"k":"2026-06-30T00:00Z"`, yes},
		{on("DateEquals", "k", "1782777600"), `"k":"2026-06-30T00:00:00.000Z"`, yes},
		{on("DateEquals", "k", "01"), `"k":"01"`, open},
		{on("DateEquals", "k", "0"), `"k":"1970-01-01"`, yes},
		{on("DateEquals", "k", "2026-06"), `"k":"2026-06-01"`, yes},
		{on("DateNotEquals", "k", "2026-06-30T00:00:00Z"), `"k":"2026-06-30T00:00:01Z"`, yes},
		{on("DateNotEquals", "k", "2026-06-30T00:00:00Z"), ``, yes},
		{on("DateLessThan", "k", "2026-06-30T00:00:00Z"), `"k":"2026-06-29T23:59:59Z"`, yes},
		{on("DateLessThan", "k", "2026-06-30T00:00:00Z"), `"k":"2026-06-30T00:00:00Z"`, no},
		{on("DateLessThanEquals", "k", "2026-06-30T00:00:00Z"), `"k":"2026-06-30T00:00:00Z"`, yes},
		{on("DateGreaterThan", "k", "2026-06-30T00:00:00Z"), `"k":"1782777601"`, yes},
		{on("DateGreaterThanEquals", "k", "2026-06-30T00:00:00Z"), `"k":"2026-06-29T00:00:00Z"`, no},
		{on("DateGreaterThan", "k", "2026-06-30T00:00:00Z"), ``, no},
		{on("DateLessThan", "k", "2026"), `"k":"2025-01-01T00:00:00Z"`, open},
		{on("DateLessThan", "k", "2026-06-30T00:00:00"), `"k":"2025-01-01T00:00:00Z"`, open},
		{on("DateLessThan", "k", "tomorrow"), `"k":"2025-01-01T00:00:00Z"`, open},
		{on("DateLessThan", "k", "2026-06-30T5:00:00Z"), `"k":"2025-01-01T00:00:00Z"`, open},
		{on("DateLessThan", "k", "2026-06-30T00:00:00,5Z"), `"k":"2025-01-01T00:00:00Z"`, open},
	})
}

// Same page, "Boolean condition operators". Other spellings are not settled.
func TestBoolOperator(t *testing.T) {
	holds(t, "2012-10-17", []row{
		{`"Bool":{"k":true}`, `"k":"true"`, yes},
		{on("Bool", "k", "true"), `"k":"false"`, no},
		{on("Bool", "k", "false"), `"k":"false"`, yes},
		{on("Bool", "k", "true", "false"), `"k":"false"`, yes},
		{on("Bool", "k", "false"), ``, no},
		{on("Bool", "k", "TRUE"), `"k":"true"`, open},
		{on("Bool", "k", "TRUE"), `"k":"false"`, no},
		{on("Bool", "k", "yes"), `"k":"true"`, no},
	})
}

// Same page, "Binary condition operators": the guide's own example.
func TestBinaryOperator(t *testing.T) {
	holds(t, "2012-10-17", []row{
		{on("BinaryEquals", "k", "QmluYXJ5VmFsdWVJbkJhc2U2NA=="), `"k":"QmluYXJ5VmFsdWVJbkJhc2U2NA=="`, yes},
		{on("BinaryEquals", "k", "QmluYXJ5VmFsdWVJbkJhc2U2NA=="), `"k":"QQ=="`, no},
		{on("BinaryEquals", "k", "QQ=="), ``, no},
		{on("BinaryEquals", "k", "not base 64"), `"k":"QQ=="`, open},
	})
}

// Same page, "IP address condition operators".
func TestIPOperators(t *testing.T) {
	holds(t, "2012-10-17", []row{
		{on("IpAddress", "k", "203.0.113.0/24"), `"k":"203.0.113.255"`, yes},
		{on("IpAddress", "k", "203.0.113.0/24"), `"k":"203.0.114.0"`, no},
		{on("IpAddress", "k", "203.0.113.77/24"), `"k":"203.0.113.1"`, yes},
		{on("IpAddress", "k", "203.0.113.5"), `"k":"203.0.113.5"`, yes},
		{on("IpAddress", "k", "203.0.113.5"), `"k":"203.0.113.6"`, no},
		{on("IpAddress", "k", "2001:DB8:1234:5678::/64"), `"k":"2001:db8:1234:5678::1"`, yes},
		{on("IpAddress", "k", "2001:db8::1"), `"k":"203.0.113.6"`, no},
		{on("IpAddress", "k", "0.0.0.0/0", "::/0"), `"k":"2001:db8::1"`, yes},
		{on("IpAddress", "k", "203.0.113.0/24"), ``, no},
		{on("NotIpAddress", "k", "203.0.113.0/24"), `"k":"198.51.100.1"`, yes},
		{on("NotIpAddress", "k", "203.0.113.0/24"), `"k":"203.0.113.1"`, no},
		{on("NotIpAddress", "k", "203.0.113.0/24"), ``, yes},
		{on("IpAddress", "k", "203.0.113.0/33"), `"k":"203.0.113.1"`, open},
		{on("IpAddress", "k", "203.0.113.0/24"), `"k":"example.com"`, open},
		{on("IpAddress", "k", "203.0.113.0/24"), `"k":"::ffff:203.0.113.1"`, open},
	})
}

// Same page, "Amazon Resource Name (ARN) condition operators".
func TestARNOperators(t *testing.T) {
	role := `"k":"arn:aws:iam::111122223333:role/team/app"`
	holds(t, "2012-10-17", []row{
		{on("ArnEquals", "k", "arn:aws:iam::111122223333:role/team/app"), role, yes},
		{on("ArnEquals", "k", "arn:aws:iam::111122223333:role/*"), role, yes},
		{on("ArnLike", "k", "arn:aws:iam::*:role/team/a??"), role, yes},
		{on("ArnLike", "k", "arn:aws:iam::111122223333:ROLE/team/app"), role, no},
		{on("ArnLike", "k", "arn:*:*:*:*:*"), role, yes},
		{on("ArnLike", "k", "arn:aws:iam::11112222333?:*"), role, yes},
		{on("ArnLike", "k", "arn:aws:*:111122223333:role/team/app"), role, open},
		{on("ArnLike", "k", "arn:aws:iam:*:111122223333:role/team/app"), role, yes},
		{on("ArnLike", "k", "arn:aws:sns:*:*:a"), `"k":"arn:aws:sns:r:x:y:a"`, no},
		{on("ArnLike", "k", "arn:aws:sns:r:x:*a"), `"k":"arn:aws:sns:r:x:y:a"`, yes},
		{on("ArnLike", "k", "*"), role, open},
		{on("ArnLike", "k", "arn:aws:iam::111122223333:role/*"), ``, no},
		{on("ArnLike", "k", "arn:aws:iam::111122223333:role/*"), `"k":"app"`, no},
		{on("ArnNotEquals", "k", "arn:aws:iam::111122223333:role/*"), role, no},
		{on("ArnNotLike", "k", "arn:aws:iam::444455556666:role/*"), role, yes},
		{on("ArnNotLike", "k", "arn:aws:iam::444455556666:role/*"), ``, yes},
		{on("ArnNotLike", "k", "arn:aws:iam::444455556666:role/*"), `"k":"app"`, open},
	})
}
