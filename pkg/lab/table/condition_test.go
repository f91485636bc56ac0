package table_test

import (
	"fmt"
	"strings"
	"testing"
)

// values are those that the expressions of these tests speak of.
const values = `":one":{"N":"1"},":two":{"N":"2"},":ten":{"N":"10"},":a":{"S":"a"},":ab":{"S":"ab"},":b":{"S":"b"},":bin":{"B":"AQI="},":yes":{"BOOL":true},` +
	`":null":{"NULL":true},":list":{"L":[{"N":"1"}]},":map":{"M":{}},":set":{"SS":["a","b"]},":typeS":{"S":"S"},":typeX":{"S":"X"}`

// using gives the values that an expression uses, so that none is left over.
func using(expression string) string {
	var out []string
	for _, v := range strings.Split(values, `,":`) {
		v = `":` + strings.TrimPrefix(v, `":`)
		name, _, _ := strings.Cut(v[1:], `"`)
		for _, word := range strings.FieldsFunc(expression, func(r rune) bool { return strings.ContainsRune(" ,()=<>+-", r) }) {
			if word == name {
				out = append(out, v)
				break
			}
		}
	}
	if out == nil {
		return ""
	}
	return `,"ExpressionAttributeValues":{` + strings.Join(out, ",") + `}`
}

// check asks whether a condition holds for the item under a/1.
func (m *memory) check(condition string) outcome {
	m.t.Helper()
	return m.call("TransactWriteItems", `{"TransactItems":[{"ConditionCheck":{`+here+`,"ConditionExpression":"`+condition+`"`+using(condition)+`}}]}`)
}

// Conditions hold or do not hold as Expressions.OperatorsAndFunctions says.
func TestConditions(t *testing.T) {
	const item = `"n":{"N":"2"},"t":{"S":"abc"},"bin":{"B":"AQID"},"l":{"L":[{"N":"1"},{"M":{"x":{"S":"b"}}}]},"m":{"M":{"x":{"N":"1.0"},"y":{"L":[]}}},"tags":{"SS":["a","b"]},"nums":{"NS":["1","2"]},"yes":{"BOOL":true},"nothing":{"NULL":true},"uml":{"S":"äö"}`
	m := newMemory(t)
	m.put(item)
	for condition, want := range map[string]bool{
		"n = :two": true, "n = :one": false, "n <> :one": true, "n < :ten": true, "n > :ten": false, "n <= :two": true, "n >= :two": true,
		"t = :a": false, "t < :b": true, "t > :ab": true, "bin > :bin": true,
		// Another type is not equal, and neither less nor greater.
		"n = :a": false, "n <> :a": true, "n < :a": false, "n > :a": false, "yes < :one": false,
		// What is not there is equal to nothing, and differs from everything.
		"gone = :one": false, "gone <> :one": true, "gone < :one": false, "gone = n": false,
		// Numbers are compared as numbers, wherever they stand.
		"m.x = :one": true, "l[0] = m.x": true, "l[1].x = :b": true, "l[7] = :one": false, "m.x.y = :one": false,
		"n BETWEEN :one AND :ten": true, "n BETWEEN :ten AND :ten": false, "t BETWEEN :a AND :b": true, "gone BETWEEN :one AND :two": false,
		"n IN (:one, :two)": true, "n IN (:one, :ten)": false, "n IN (:a, l[0])": false, "gone IN (:null)": false, "nothing IN (:null)": true,
		"attribute_exists(n)": true, "attribute_exists(m.y)": true, "attribute_exists(m.z)": false, "attribute_exists(nothing)": true,
		"attribute_not_exists(gone)": true, "attribute_not_exists(l[1])": false, "attribute_not_exists(l[2])": true,
		"attribute_type(t, :typeS)": true, "attribute_type(n, :typeS)": false, "attribute_type(gone, :typeS)": false,
		"begins_with(t, :ab)": true, "begins_with(t, :b)": false, "begins_with(n, :a)": false, "begins_with(bin, :bin)": true, "begins_with(gone, :a)": false,
		"contains(t, :b)": true, "contains(t, :one)": false, "contains(tags, :a)": true, "contains(tags, :ab)": false, "contains(nums, :two)": true,
		"contains(l, :one)": true, "contains(l, :two)": false, "contains(m, :a)": false, "contains(:set, t)": false, "contains(n, :two)": false,
		"size(t) > :two": true, "size(l) = :two": true, "size(m) = :two": true, "size(tags) = :two": true, "size(bin) > :two": true, "size(m.y) < :one": true,
		"size(n) >= :one": false, "size(gone) >= :one": false, "size(uml) > :two": true, "size(:set) = :two": true, "n = size(tags)": true,
		"NOT n = :one": true, "NOT NOT n = :two": true, "NOT attribute_exists(gone) AND n = :two": true,
		// AND before OR, NOT before AND.
		"n = :two OR n = :one AND n = :ten": true, "(n = :two OR n = :one) AND n = :ten": false, "NOT n = :two OR n = :two": true, "NOT (n = :two OR n = :two)": false,
		"n = :two and not n = :one Or n between :one aNd :two": true,
		"tags = :set": true, "tags <> :set": false, "m <> :map": true, "l = :list": false,
	} {
		out := m.check(condition)
		if got := out.code == ""; got != want {
			t.Errorf("%s: %v, want %v (%s %s)", condition, got, want, out.code, out.message)
		}
		if out.code != "" && out.code != "TransactionCanceledException" {
			t.Errorf("%s: %s", condition, out.message)
		}
	}
}

// A condition on an item that is not there meets one without attributes.
func TestConditionsOnNothing(t *testing.T) {
	m := newMemory(t)
	for condition, want := range map[string]bool{
		"attribute_not_exists(pk)": true, "attribute_exists(pk)": false, "attribute_not_exists(n) OR n < :one": true, "n < :one": false, "n <> :one": true,
	} {
		if got := m.check(condition).code == ""; got != want {
			t.Errorf("%s: %v, want %v", condition, got, want)
		}
	}
}

// What AWS refuses before it looks at the item, with its words.
func TestConditionsThatAreRefused(t *testing.T) {
	m := newMemory(t)
	m.put(`"n":{"N":"2"}`)
	for condition, want := range map[string]string{
		"":                          "The expression can not be empty;",
		"n":                         `Syntax error; token: "<EOF>", near: "n"`,
		"n =":                       `Syntax error; token: "<EOF>", near: "="`,
		"n = :one n":                `Syntax error; token: "n", near: ":one n"`,
		"n == :one":                 `Syntax error; token: "=", near: "== :one"`,
		"(n = :one":                 `Syntax error; token: "<EOF>", near: ":one"`,
		"n = :one)":                 `Syntax error; token: ")", near: ":one)"`,
		"n ! :one":                  `Syntax error; token: "!", near: "n ! :one"`,
		"n[x] = :one":               `Syntax error; token: "x", near: "[x] = :"`,
		"n = :one AND":              `Syntax error; token: "<EOF>", near: "AND"`,
		"AND n = :one":              `Attribute name is a reserved keyword; reserved keyword: AND`,
		"n BETWEEN :one":            `Syntax error; token: "<EOF>", near: ":one"`,
		"n IN :one":                 `Syntax error; token: ":one", near: "IN :one"`,
		"name = :one":               "Attribute name is a reserved keyword; reserved keyword: name",
		"m.Status = :one":           "Attribute name is a reserved keyword; reserved keyword: Status",
		"#x = :one":                 "An expression attribute name used in the document path is not defined; attribute name: #x",
		"n = :gone":                 "An expression attribute value used in expression is not defined; attribute value: :gone",
		"((n = :one))":              "The expression has redundant parentheses;",
		"n = n":                     "The first operand must be distinct from the remaining operands for this operator or function; operator: =, first operand: [n]",
		"m.a[1] <> m.a[1]":          "The first operand must be distinct from the remaining operands for this operator or function; operator: <>, first operand: [m, a, [1]]",
		"contains(n, n)":            "The first operand must be distinct from the remaining operands for this operator or function; operator: contains, first operand: [n]",
		"n < :yes":                  "Incorrect operand type for operator or function; operator or function: <, operand type: BOOL",
		"begins_with(n, :one)":      "Incorrect operand type for operator or function; operator or function: begins_with, operand type: N",
		"size(:one) = :one":         "Incorrect operand type for operator or function; operator or function: size, operand type: N",
		"attribute_type(n, :one)":   "Incorrect operand type for operator or function; operator or function: attribute_type, operand type: N",
		"attribute_type(n, :typeX)": "Invalid attribute type name found; type: X, valid types: {B,NULL,SS,BOOL,L,BS,N,NS,S,M}",
		"attribute_exists(:one)":    "Operator or function requires a document path; operator or function: attribute_exists",
		"attribute_exists(n, m)":    "Incorrect number of operands for operator or function; operator or function: attribute_exists, number of operands: 2",
		"n = attribute_exists(m)":   "The function is not allowed to be used this way in an expression; function: attribute_exists",
		"if_not_exists(n, :one)":    "The function is not allowed to be used this way in an expression; function: if_not_exists",
		"Contains(n, :one)":         "Invalid function name; function: Contains",
		"n BETWEEN :two AND :one":   "The BETWEEN operator requires upper bound to be greater than or equal to lower bound; lower bound operand: AttributeValue: {N:2}, upper bound operand: AttributeValue: {N:1}",
		"n BETWEEN :one AND :a":     "The BETWEEN operator requires same data type for lower and upper bounds; lower bound operand: AttributeValue: {N:1}, upper bound operand: AttributeValue: {S:a}",
		"n IN (" + strings.Repeat(":one, ", 100) + ":one)": "The IN operator is provided with too many operands; number of operands: 101",
		strings.Repeat("n = :one OR ", 300) + "n = :one":   "The expression contains too many operators; operator count: 301",
		strings.Repeat("n = :one AND ", 400) + "n = :one":  "Expression size has exceeded the maximum allowed size; expression size: 5208",
	} {
		out := m.check(condition)
		if out.code != "ValidationException" || out.message != "Invalid ConditionExpression: "+want {
			t.Errorf("%.80s: %s: %s\nwant %s", condition, out.code, out.message, want)
		}
	}
}

// Names and values that are not used, not spelled as they must be, or given
// without an expression are refused.
func TestNamesAndValuesThatAreRefused(t *testing.T) {
	m := newMemory(t)
	for rest, want := range map[string]string{
		`"ConditionExpression":"attribute_exists(n)","ExpressionAttributeValues":{":b":{"S":"x"},":a":{"S":"x"}}`: "Value provided in ExpressionAttributeValues unused in expressions: keys: {:a, :b}",
		`"ConditionExpression":"attribute_exists(n)","ExpressionAttributeNames":{"#n":"n"}`:                       "Value provided in ExpressionAttributeNames unused in expressions: keys: {#n}",
		`"ConditionExpression":"attribute_exists(n)","ExpressionAttributeNames":{}`:                               "ExpressionAttributeNames must not be empty",
		`"ConditionExpression":"attribute_exists(n)","ExpressionAttributeValues":{}`:                              "ExpressionAttributeValues must not be empty",
		`"ConditionExpression":"attribute_exists(n)","ExpressionAttributeNames":{"n":"n"}`:                        `ExpressionAttributeNames contains invalid key: Syntax error; key: "n"`,
		`"ConditionExpression":"attribute_exists(n)","ExpressionAttributeValues":{"a":{"S":"x"}}`:                 `ExpressionAttributeValues contains invalid key: Syntax error; key: "a"`,
		`"ExpressionAttributeValues":{":a":{"S":"x"}}`:                                                            "ExpressionAttributeValues can only be specified when using expressions: ConditionExpression is null",
		`"ExpressionAttributeNames":{"#a":"x"}`:                                                                   "ExpressionAttributeNames can only be specified when using expressions: ConditionExpression is null",
		`"Expected":{}`:                                                                                           "The lab does not know the parameter Expected of this call.",
	} {
		out := m.call("DeleteItem", "{"+here+","+rest+"}")
		if out.code != "ValidationException" || out.message != want {
			t.Errorf("%s: %s: %s\nwant %s", rest, out.code, out.message, want)
		}
	}
	out := m.call("UpdateItem", `{`+here+`,"ExpressionAttributeValues":{":a":{"S":"x"}}}`)
	if want := "ExpressionAttributeValues can only be specified when using expressions: UpdateExpression and ConditionExpression are null"; out.message != want {
		t.Errorf("%s, want %s", out.message, want)
	}
}

// A failed condition tells what stands there when it is asked to, and only then.
func TestAFailedConditionShowsTheItem(t *testing.T) {
	m := newMemory(t)
	m.put(`"n":{"N":"2"}`)
	body := `{` + here + `,"ConditionExpression":"attribute_not_exists(pk)"`
	if out := m.call("DeleteItem", body+`}`); out.code != "ConditionalCheckFailedException" || out.body["Item"] != nil {
		t.Errorf("%+v", out)
	}
	out := m.call("DeleteItem", body+`,"ReturnValuesOnConditionCheckFailure":"ALL_OLD"}`)
	if want := `{"n":{"N":"2"},"pk":{"S":"a"},"sk":{"S":"1"}}`; text(out.body["Item"]) != want {
		t.Errorf("%s, want %s", text(out.body["Item"]), want)
	}
	if m.item() == "" {
		t.Error("the item was deleted")
	}
	if out := m.call("DeleteItem", body+`,"ReturnValuesOnConditionCheckFailure":"OLD"}`); out.code != "ValidationException" {
		t.Errorf("%+v", out)
	}
}

// Reserved words are words in whatever case, and stand behind a name all the
// same.
func TestReservedWordsBehindNames(t *testing.T) {
	m := newMemory(t)
	m.put(`"status":{"S":"a"},"a.b":{"S":"b"}`)
	for name, value := range map[string]string{"status": "a", "a.b": "b"} {
		body := fmt.Sprintf(`{%s,"ConditionExpression":"#x = :v","ExpressionAttributeNames":{"#x":%q},"ExpressionAttributeValues":{":v":{"S":%q}},"UpdateExpression":"SET again = #x"}`, here, name, value)
		m.must("UpdateItem", body)
		if !strings.Contains(m.item(), fmt.Sprintf(`"again":{"S":%q}`, value)) {
			t.Errorf("%s: %s", name, m.item())
		}
	}
}
