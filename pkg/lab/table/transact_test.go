package table_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func transaction(token string, steps ...string) string {
	head := ""
	if token != "" {
		head = `"ClientRequestToken":"` + token + `",`
	}
	return `{` + head + `"TransactItems":[` + strings.Join(steps, ",") + `]}`
}

func putStep(sk, rest string) string {
	return `{"Put":{"TableName":"rows","Item":{"pk":{"S":"a"},"sk":{"S":"` + sk + `"}}` + rest + `}}`
}

// Of a transaction all steps are done or none, and each step that stands in
// its way says why, at its own place.
func TestTransactionsAreWhole(t *testing.T) {
	m := newMemory(t)
	m.put(`"n":{"N":"1"},"t":{"S":"x"}`)
	before := m.item()
	out := m.call("TransactWriteItems", transaction("",
		putStep("2", ""),
		`{"Update":{`+here+`,"UpdateExpression":"SET n = n + :v, t = t + :v","ExpressionAttributeValues":{":v":{"N":"1"}}}}`,
		`{"ConditionCheck":{"TableName":"rows","Key":{"pk":{"S":"b"},"sk":{"S":"1"}},"ConditionExpression":"attribute_exists(pk)","ReturnValuesOnConditionCheckFailure":"ALL_OLD"}}`,
		`{"Delete":{"TableName":"rows","Key":{"pk":{"S":"c"}}}}`))
	want := `[{"Code":"None"},{"Code":"ValidationError","Message":"An operand in the update expression has an incorrect data type"},` +
		`{"Code":"ConditionalCheckFailed","Message":"The conditional request failed"},{"Code":"ValidationError","Message":"The provided key element does not match the schema"}]`
	if got := text(out.body["CancellationReasons"]); out.code != "TransactionCanceledException" || got != want {
		t.Errorf("%s\n%s, want\n%s", out.code, got, want)
	}
	if out.message != "Transaction cancelled, please refer cancellation reasons for specific reasons [None, ValidationError, ConditionalCheckFailed, ValidationError]" {
		t.Errorf("the message is %s", out.message)
	}
	if m.item() != before || m.must("Scan", `{"TableName":"rows"}`).body["Count"] != 1.0 {
		t.Error("a part was done")
	}
	m.must("TransactWriteItems", transaction("", putStep("2", ""), `{"Delete":{`+here+`,"ConditionExpression":"n = :v","ExpressionAttributeValues":{":v":{"N":"1"}}}}`))
	if keys, _ := m.query(condition("pk = :pk")); fmt.Sprint(keys) != "[2]" {
		t.Errorf("there are %v", keys)
	}
}

// A step whose condition failed shows the item where it is asked to.
func TestAStepShowsTheItem(t *testing.T) {
	m := newMemory(t)
	m.put(`"n":{"N":"1"}`)
	out := m.call("TransactWriteItems", transaction("", putStep("1", `,"ConditionExpression":"attribute_not_exists(pk)","ReturnValuesOnConditionCheckFailure":"ALL_OLD"`)))
	if want := `[{"Code":"ConditionalCheckFailed","Item":{"n":{"N":"1"},"pk":{"S":"a"},"sk":{"S":"1"}},"Message":"The conditional request failed"}]`; text(out.body["CancellationReasons"]) != want {
		t.Errorf("%s", text(out.body["CancellationReasons"]))
	}
}

// What is no transaction at all.
func TestTransactionsThatAreRefused(t *testing.T) {
	m := newMemory(t)
	var many []string
	for i := range 101 {
		many = append(many, putStep(fmt.Sprint(i), ""))
	}
	big := fmt.Sprintf(`,"x":{"S":%q}`, strings.Repeat("x", 300_000))
	var heavy []string
	for i := range 14 {
		heavy = append(heavy, `{"Put":{"TableName":"rows","Item":{"pk":{"S":"a"},"sk":{"S":"`+fmt.Sprint(i)+`"}`+big+`}}}`)
	}
	for name, c := range map[string]struct{ body, code, part string }{
		"none":            {transaction(""), "ValidationException", "length"},
		"101 steps":       {transaction("", many...), "ValidationException", "less than or equal to 100"},
		"twice one item":  {transaction("", putStep("1", ""), `{"Delete":{`+here+`}}`), "ValidationException", "Transaction request cannot include multiple operations on one item"},
		"two in one step": {transaction("", `{"Delete":{`+here+`},"Put":{"TableName":"rows","Item":{"pk":{"S":"a"},"sk":{"S":"2"}}}}`), "ValidationException", "TransactItems can only contain one of Check, Put, Update or Delete"},
		"an empty step":   {transaction("", `{}`), "ValidationException", "should contain"},
		"no condition":    {transaction("", `{"ConditionCheck":{`+here+`}}`), "ValidationException", "conditionExpression"},
		"no update":       {transaction("", `{"Update":{`+here+`}}`), "ValidationException", "updateExpression"},
		"no table":        {transaction("", strings.Replace(putStep("1", ""), "rows", "other", 1)), "ResourceNotFoundException", "other"},
		"bad expression":  {transaction("", putStep("1", `,"ConditionExpression":"x"`)), "ValidationException", "Invalid ConditionExpression"},
		"more than 4 MB":  {transaction("", heavy...), "ValidationException", "4 MB"},
		"long token":      {transaction(strings.Repeat("t", 37), putStep("1", "")), "ValidationException", "clientRequestToken"},
	} {
		if out := m.call("TransactWriteItems", c.body); out.code != c.code || !strings.Contains(out.message, c.part) {
			t.Errorf("%s: %s: %s", name, out.code, out.message)
		}
	}
	if m.must("Scan", `{"TableName":"rows"}`).body["Count"] != 0.0 {
		t.Error("a part was done")
	}
}

// Within ten minutes a token makes a repetition do nothing, and a transaction
// of another content an error; one that was canceled may be tried again.
func TestTokens(t *testing.T) {
	m := newMemory(t)
	m.put(`"n":{"N":"0"}`)
	add := func(token, by string) outcome {
		return m.call("TransactWriteItems", transaction(token, `{"Update":{`+here+`,"UpdateExpression":"ADD n :v","ConditionExpression":"n < :ten","ExpressionAttributeValues":{":v":{"N":"`+by+`"},":ten":{"N":"10"}}}}`))
	}
	check := func(step, want string) {
		t.Helper()
		if got := m.item(); got != `{"n":{"N":"`+want+`"}}` {
			t.Errorf("%s: %s, want %s", step, got, want)
		}
	}
	for range 3 {
		if out := add("one", "1"); out.code != "" {
			t.Fatalf("%+v", out)
		}
	}
	check("three times the same", "1")
	// The same members in another order are the same request.
	m.must("TransactWriteItems", `{"ClientRequestToken":"one","TransactItems":[{"Update":{"ExpressionAttributeValues":{":ten":{"N":"10.0"},":v":{"N":"1"}},"ConditionExpression":"n < :ten","UpdateExpression":"ADD n :v",`+here+`}}]}`)
	check("the same in another order", "1")
	if out := add("one", "2"); out.code != "IdempotentParameterMismatchException" {
		t.Errorf("another content: %s", out.code)
	}
	add("two", "1")
	check("another token", "2")
	m.now = m.now.Add(9*time.Minute + 59*time.Second)
	add("one", "1")
	check("just before ten minutes", "2")
	m.now = m.now.Add(time.Second)
	add("one", "1")
	check("after ten minutes", "3")
	m.put(`"n":{"N":"10"}`)
	if out := add("three", "1"); out.code != "TransactionCanceledException" {
		t.Errorf("%+v", out)
	}
	m.put(`"n":{"N":"5"}`)
	add("three", "1")
	check("after it was canceled", "6")
	for range 2 {
		add("", "1")
	}
	check("without a token", "8")
}

// Transactions between a few accounts keep the sum, whichever of them fail.
func TestTransfersKeepTheSum(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		m := newMemory(t)
		for _, sk := range []string{"1", "2", "3"} {
			m.must("PutItem", `{"TableName":"rows","Item":{"pk":{"S":"a"},"sk":{"S":"`+sk+`"},"n":{"N":"10"}}}`)
		}
		for range rapid.IntRange(1, 20).Draw(rt, "transfers") {
			pair := rapid.Permutation([]string{"1", "2", "3"}).Draw(rt, "pair")
			amount := rapid.IntRange(1, 8).Draw(rt, "amount")
			step := func(sk, sign string) string {
				return fmt.Sprintf(`{"Update":{"TableName":"rows","Key":{"pk":{"S":"a"},"sk":{"S":%q}},"UpdateExpression":"SET n = n %s :v","ConditionExpression":"n >= :v","ExpressionAttributeValues":{":v":{"N":"%d"}}}}`, sk, sign, amount)
			}
			m.call("TransactWriteItems", transaction("", step(pair[0], "-"), step(pair[1], "+")))
		}
		sum := 0
		for _, i := range m.must("Scan", `{"TableName":"rows"}`).body["Items"].([]any) {
			n := 0
			if _, err := fmt.Sscan(i.(map[string]any)["n"].(map[string]any)["N"].(string), &n); err != nil || n < 0 {
				rt.Fatalf("%v: %v", i, err)
			}
			sum += n
		}
		if sum != 30 {
			rt.Fatalf("the sum is %d", sum)
		}
	})
}

// Several items at once, consistently.
func TestTransactGet(t *testing.T) {
	m := newMemory(t)
	m.put(`"n":{"N":"1"},"t":{"S":"x"}`)
	out := m.must("TransactGetItems", `{"TransactItems":[{"Get":{`+here+`,"ProjectionExpression":"n"}},{"Get":{"TableName":"rows","Key":{"pk":{"S":"b"},"sk":{"S":"1"}}}}]}`)
	if got := text(out.body["Responses"]); got != `[{"Item":{"n":{"N":"1"}}},{}]` {
		t.Errorf("%s", got)
	}
}
