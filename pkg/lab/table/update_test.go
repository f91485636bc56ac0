package table_test

import (
	"math/big"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/rolewarden/rolewarden/pkg/lab/table"
)

const updatedItem = `"n":{"N":"2"},"t":{"S":"abc"},"l":{"L":[{"N":"0"},{"N":"1"},{"N":"2"}]},"m":{"M":{"x":{"N":"1"}}},"tags":{"SS":["a","b"]}`

func (m *memory) update(expression, rest string) outcome {
	m.t.Helper()
	return m.call("UpdateItem", `{`+here+`,"UpdateExpression":"`+expression+`"`+using(expression)+rest+`}`)
}

// Updates do to an item what Expressions.UpdateExpressions says; what they
// read is the item as it was before.
func TestUpdates(t *testing.T) {
	for expression, want := range map[string]string{
		"SET n = :one":                          `"n":{"N":"1"}`,
		"SET n = n + :one":                      `"n":{"N":"3"}`,
		"SET n = :one - n":                      `"n":{"N":"-1"}`,
		"SET n = n + n":                         `"n":{"N":"4"}`,
		"SET a = n, n = :one":                   `"a":{"N":"2"},"n":{"N":"1"}`,
		"SET a = if_not_exists(n, :one)":        `"a":{"N":"2"}`,
		"SET a = if_not_exists(gone, :one)":     `"a":{"N":"1"}`,
		"SET a = if_not_exists(gone, n) + :one": `"a":{"N":"3"}`,

		"SET a = if_not_exists(gone, if_not_exists(lost, :one))": `"a":{"N":"1"}`,
		"SET l = list_append(l, :list)":                          `"l":{"L":[{"N":"0"},{"N":"1"},{"N":"2"},{"N":"1"}]}`,
		"SET l = list_append(:list, if_not_exists(gone, :list))": `"l":{"L":[{"N":"1"},{"N":"1"}]}`,
		"SET l[0] = :ten":                `"l":{"L":[{"N":"10"},{"N":"1"},{"N":"2"}]}`,
		"SET l[9] = :ten":                `"l":{"L":[{"N":"0"},{"N":"1"},{"N":"2"},{"N":"10"}]}`,
		"SET m.y = :a, m.x = m.x + :one": `"m":{"M":{"x":{"N":"2"},"y":{"S":"a"}}}`,
		"REMOVE t":                       `-t`,
		"REMOVE gone":                    ``,
		"REMOVE l[0], l[2]":              `"l":{"L":[{"N":"1"}]}`,
		"REMOVE l[7]":                    ``,
		"REMOVE m.x":                     `"m":{"M":{}}`,
		"ADD n :two":                     `"n":{"N":"4"}`,
		"ADD a :two":                     `"a":{"N":"2"}`,
		"ADD m.x :two":                   `"m":{"M":{"x":{"N":"3"}}}`,
		"ADD tags :set":                  ``,
		"ADD a :set":                     `"a":{"SS":["a","b"]}`,
		"DELETE tags :set":               `-tags`,
		"DELETE gone :set":               ``,
		"set n = :one remove t add a :two delete tags :set": `"n":{"N":"1"},"a":{"N":"2"},-t,-tags`,
		"SET l[1] = :ten REMOVE l[0]":                       `"l":{"L":[{"N":"10"},{"N":"2"}]}`,
	} {
		m := newMemory(t)
		m.put(updatedItem)
		out := m.update(expression, "")
		if out.code != "" {
			t.Errorf("%s: %s: %s", expression, out.code, out.message)
			continue
		}
		if diff := cmp.Diff(changed(t, want), read(t, []byte(m.item())).body); diff != "" {
			t.Errorf("%s (-want +got):\n%s", expression, diff)
		}
	}
}

// changed is the item of these tests with some attributes anew, and without
// those that have a minus before them.
func changed(t *testing.T, changes string) map[string]any {
	t.Helper()
	item := read(t, []byte("{"+updatedItem+"}")).body
	var kept []string
	for _, part := range strings.Split(changes, ",-") {
		if name := strings.TrimPrefix(part, "-"); name != "" && !strings.HasPrefix(name, `"`) {
			delete(item, name)
		} else if name != "" {
			kept = append(kept, name)
		}
	}
	for name, value := range read(t, []byte("{"+strings.Join(kept, ",")+"}")).body {
		item[name] = value
	}
	return item
}

// What AWS refuses, with its words; nothing is changed.
func TestUpdatesThatAreRefused(t *testing.T) {
	m := newMemory(t)
	m.put(updatedItem)
	before := m.item()
	const invalid = "Invalid UpdateExpression: "
	for expression, want := range map[string]string{
		"":                                  invalid + "The expression can not be empty;",
		"n = :one":                          invalid + `Syntax error; token: "n", near: "n = :o"`,
		"SET n":                             invalid + `Syntax error; token: "<EOF>", near: "n"`,
		"SET n = :one,":                     invalid + `Syntax error; token: "<EOF>", near: ","`,
		"SET n = :one SET t = :a":           invalid + `The "SET" section can only be used once in an update expression;`,
		"ADD n n":                           invalid + `Syntax error; token: "n", near: "n n"`,
		"SET n = :one REMOVE n":             invalid + "Two document paths overlap with each other; must remove or rewrite one of these paths; path one: [n], path two: [n]",
		"SET m = :map, m.x = :one":          invalid + "Two document paths overlap with each other; must remove or rewrite one of these paths; path one: [m], path two: [m, x]",
		"SET m.x = :one, m[0] = :one":       invalid + "Two document paths conflict with each other; must remove or rewrite one of these paths; path one: [m, x], path two: [m, [0]]",
		"SET n = :a + :one":                 invalid + "Incorrect operand type for operator or function; operator or function: +, operand type: S",
		"SET l = list_append(l, :one)":      invalid + "Incorrect operand type for operator or function; operator or function: list_append, operand type: N",
		"SET n = if_not_exists(:one, :two)": invalid + "Operator or function requires a document path; operator or function: if_not_exists",
		"SET n = if_not_exists(n)":          invalid + "Incorrect number of operands for operator or function; operator or function: if_not_exists, number of operands: 1",
		"SET n = size(t)":                   invalid + "The function is not allowed to be used this way in an expression; function: size",
		"SET n = foo(t, :one)":              invalid + "Invalid function name; function: foo",
		"ADD n :a":                          invalid + "Incorrect operand type for operator or function; operator: ADD, operand type: STRING, typeSet: ALLOWED_FOR_ADD_OPERAND",
		"DELETE tags :one":                  invalid + "Incorrect operand type for operator or function; operator: DELETE, operand type: NUMBER, typeSet: ALLOWED_FOR_DELETE_OPERAND",
		"SET name = :one":                   invalid + "Attribute name is a reserved keyword; reserved keyword: name",
		"SET pk = :a":                       "One or more parameter values were invalid: Cannot update attribute pk. This attribute is part of the key",
		"REMOVE sk":                         "One or more parameter values were invalid: Cannot update attribute sk. This attribute is part of the key",
		"SET n = gone":                      "The provided expression refers to an attribute that does not exist in the item",
		"SET n = gone + :one":               "The provided expression refers to an attribute that does not exist in the item",
		"SET n = t + :one":                  "An operand in the update expression has an incorrect data type",
		"SET l = list_append(t, :list)":     "An operand in the update expression has an incorrect data type",
		"ADD t :one":                        "An operand in the update expression has an incorrect data type",
		"DELETE l :set":                     "An operand in the update expression has an incorrect data type",
		"SET gone.x = :one":                 "The document path provided in the update expression is invalid for update",
		"SET n.x = :one":                    "The document path provided in the update expression is invalid for update",
		"SET l.x = :one":                    "The document path provided in the update expression is invalid for update",
		"SET m[0] = :one":                   "The document path provided in the update expression is invalid for update",
		"REMOVE gone.x":                     "The document path provided in the update expression is invalid for update",
		"REMOVE m.y.z":                      "The document path provided in the update expression is invalid for update",
		"ADD m.y.z :one":                    "The document path provided in the update expression is invalid for update",
		"SET n = :one, l = gone":            "The provided expression refers to an attribute that does not exist in the item",
	} {
		out := m.update(expression, "")
		if out.code != "ValidationException" || out.message != want {
			t.Errorf("%s: %s: %s\nwant %s", expression, out.code, out.message, want)
		}
		if now := m.item(); now != before {
			t.Fatalf("%s changed the item to %s", expression, now)
		}
	}
}

// ReturnValues gives what was, what is, or the part of it that the update
// speaks of.
func TestReturnValues(t *testing.T) {
	for values, want := range map[string]string{
		"NONE": "null", "ALL_OLD": `{"m":{"M":{"x":{"N":"1"},"y":{"N":"5"}}},"n":{"N":"2"},"pk":{"S":"a"},"sk":{"S":"1"}}`,
		"UPDATED_OLD": `{"m":{"M":{"x":{"N":"1"}}}}`, "UPDATED_NEW": `{"a":{"N":"1"},"m":{"M":{"x":{"N":"2"}}}}`,
		"ALL_NEW": `{"a":{"N":"1"},"m":{"M":{"x":{"N":"2"},"y":{"N":"5"}}},"n":{"N":"2"},"pk":{"S":"a"},"sk":{"S":"1"}}`,
	} {
		m := newMemory(t)
		m.put(`"n":{"N":"2"},"m":{"M":{"x":{"N":"1"},"y":{"N":"5"}}}`)
		out := m.update("SET a = :one, m.x = :two", `,"ReturnValues":"`+values+`"`)
		if got := text(out.body["Attributes"]); got != want {
			t.Errorf("%s: %s, want %s", values, got, want)
		}
	}
	m := newMemory(t)
	if out := m.update("SET a = :one", `,"ReturnValues":"ALL_OLD"`); out.body["Attributes"] != nil {
		t.Errorf("of nothing: %+v", out)
	}
	for action, body := range map[string]string{"PutItem": `"Item":{"pk":{"S":"a"},"sk":{"S":"1"}}`, "DeleteItem": `"Key":{"pk":{"S":"a"},"sk":{"S":"1"}}`} {
		out := m.call(action, `{"TableName":"rows",`+body+`,"ReturnValues":"ALL_NEW"}`)
		if out.message != "ReturnValues can only be ALL_OLD or NONE" {
			t.Errorf("%s: %s", action, out.message)
		}
		out = m.call(action, `{"TableName":"rows",`+body+`,"ReturnValues":"ALL_OLD"}`)
		if out.body["Attributes"] == nil {
			t.Errorf("%s: %+v", action, out)
		}
		m.put("")
	}
}

// What was is not changed by what is: an old item shows its lists and maps as
// they were.
func TestOldItemsStayAsTheyWere(t *testing.T) {
	m := newMemory(t)
	m.put(updatedItem)
	before := m.item()
	out := m.update("SET l[0] = :ten, m.x = :ten REMOVE l[2] DELETE tags :set", `,"ReturnValues":"ALL_OLD"`)
	old := out.body["Attributes"].(map[string]any)
	delete(old, "pk")
	delete(old, "sk")
	if text(old) != before {
		t.Errorf("%s, want %s", text(old), before)
	}
	m.view = table.Stale
	if got := text(m.must("GetItem", `{`+here+`,"ProjectionExpression":"l, m"}`).body["Item"]); got != `{"l":{"L":[{"N":"0"},{"N":"1"},{"N":"2"}]},"m":{"M":{"x":{"N":"1"}}}}` {
		t.Errorf("a stale read shows %s", got)
	}
}

// An update of nothing makes the item.
func TestUpdateOfNothing(t *testing.T) {
	m := newMemory(t)
	m.must("UpdateItem", `{`+here+`}`)
	if got := m.item(); got != "{}" {
		t.Errorf("%s", got)
	}
	if out := m.update("SET n = n + :one", ""); out.message != "The provided expression refers to an attribute that does not exist in the item" {
		t.Errorf("%+v", out)
	}
}

// Sums are exact, to 38 digits; what is larger is refused and never rounded.
func TestSumsAreExact(t *testing.T) {
	m := newMemory(t)
	digits := rapid.StringMatching(`-?[0-9]{1,25}(\.[0-9]{1,12})?(e-?[0-9]{1,2})?`)
	rapid.Check(t, func(rt *rapid.T) {
		a, b := digits.Draw(rt, "a"), digits.Draw(rt, "b")
		x, _ := new(big.Rat).SetString(a)
		y, _ := new(big.Rat).SetString(b)
		m.put(`"n":{"N":"` + a + `"}`)
		out := m.call("UpdateItem", `{`+here+`,"UpdateExpression":"ADD n :b","ExpressionAttributeValues":{":b":{"N":"`+b+`"}}}`)
		if out.code != "" {
			if !strings.Contains(out.message, "38 significant digits") || strings.Trim(new(big.Rat).Add(x, y).FloatString(130), "0.") == "" {
				rt.Fatalf("%s + %s: %s", a, b, out.message)
			}
			return
		}
		_, sum, _ := strings.Cut(m.item(), `{"N":"`)
		sum, _, _ = strings.Cut(sum, `"`)
		got, ok := new(big.Rat).SetString(sum)
		if !ok || got.Cmp(x.Add(x, y)) != 0 {
			rt.Fatalf("%s + %s = %s, want %s", a, b, sum, x.RatString())
		}
		if strings.Contains(sum, ".") && strings.HasSuffix(sum, "0") || strings.ContainsAny(sum, "eE+") {
			rt.Fatalf("%s + %s = %s: not in DynamoDB's spelling", a, b, sum)
		}
	})
}

// Numbers come back in one spelling, and the limits are those of
// HowItWorks.NamingRulesDataTypes.
func TestNumbers(t *testing.T) {
	m := newMemory(t)
	for given, want := range map[string]string{
		"1": "1", "1.0": "1", "001": "1", "+1": "1", "-0": "0", "0.00": "0", "-1.50": "-1.5", ".5": "0.5", "5.": "5", "1e3": "1000", "1.5E-3": "0.0015", "-12e-1": "-1.2",
		"12345678901234567890123456789012345678": "12345678901234567890123456789012345678", "1e125": "1" + strings.Repeat("0", 125), "1e-130": "0." + strings.Repeat("0", 129) + "1",
		"123456789012345678901234567890123456789": "!Attempting to store more than 38 significant digits in a Number",
		"1e126":  "!Number overflow. Attempting to store a number with magnitude larger than supported range",
		"-1e126": "!Number overflow. Attempting to store a number with magnitude larger than supported range",
		"1e-131": "!Number underflow. Attempting to store a number with magnitude smaller than supported range",
		"":       "!The parameter cannot be converted to a numeric value: ", "x": "!The parameter cannot be converted to a numeric value: x",
		"1e": "!The parameter cannot be converted to a numeric value: 1e", "1.2.3": "!The parameter cannot be converted to a numeric value: 1.2.3",
		"--1": "!The parameter cannot be converted to a numeric value: --1", "1_0": "!The parameter cannot be converted to a numeric value: 1_0",
	} {
		out := m.call("PutItem", `{"TableName":"rows","Item":{"pk":{"S":"a"},"sk":{"S":"1"},"n":{"N":"`+given+`"}}}`)
		if refusal, refused := strings.CutPrefix(want, "!"); refused {
			if out.message != refusal {
				t.Errorf("%q: %s, want %s", given, out.message, refusal)
			}
			continue
		}
		if got := m.item(); got != `{"n":{"N":"`+want+`"}}` {
			t.Errorf("%q: %s %s, want %s", given, got, out.message, want)
		}
	}
}
