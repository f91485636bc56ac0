package table_test

import (
	"strings"
	"testing"
)

// Where moto answers otherwise than AWS's documentation says, the
// documentation wins here. Each case shows both, so that one that moto mends is
// seen and its exception in the comparison can go.
func TestWhereMotoDepartsFromTheDocumentation(t *testing.T) {
	const row = `{"TableName":"rows","Item":{"pk":{"S":"a"},"sk":{"S":"1"},"num":{"N":"1"}}}`
	for _, c := range []struct {
		name, documentation string
		before              string // an update made first
		action, body        string
		ours, theirs        string // a part of the answer
	}{
		{
			"a number and a text", "values of two types are neither less nor greater than each other (Expressions.OperatorsAndFunctions)", "",
			"DeleteItem", `{` + here + `,"ConditionExpression":"num < :v","ExpressionAttributeValues":{":v":{"S":"a"}}}`,
			"ConditionalCheckFailedException", "InternalServerError",
		},
		{
			"the size of a number", "size is defined for texts, bytes, sets, lists and maps (Expressions.OperatorsAndFunctions)", "",
			"Scan", `{"TableName":"rows","FilterExpression":"size(num) > :v","ExpressionAttributeValues":{":v":{"N":"0"}}}`,
			`"Count":0`, "Invalid filter expression",
		},
		{
			"NULL", "a value of a type of its own, and not an absent one (HowItWorks.NamingRulesDataTypes)", "",
			"Scan", `{"TableName":"rows","FilterExpression":"gone = :v","ExpressionAttributeValues":{":v":{"NULL":true}}}`,
			`"Count":0`, `"Count":1`,
		},
		{
			"true and 1", "values of two types are not equal (Expressions.OperatorsAndFunctions)", "",
			"Scan", `{"TableName":"rows","FilterExpression":"num IN (:v)","ExpressionAttributeValues":{":v":{"BOOL":true}}}`,
			`"Count":0`, `"Count":1`,
		},
		{
			"NOT NOT", "NOT condition is a condition (Expressions.OperatorsAndFunctions)", "",
			"Scan", `{"TableName":"rows","FilterExpression":"NOT NOT num = :v","ExpressionAttributeValues":{":v":{"N":"1"}}}`,
			`"Count":1`, "Bad NOT expression",
		},
		{
			"an update that one step cannot make", "the transaction is canceled, with ValidationError as that step's reason (API_TransactWriteItems)", "",
			"TransactWriteItems", `{"TransactItems":[{"Update":{` + here + `,"UpdateExpression":"SET num = gone"}}]}`,
			`"Code":"ValidationError"`, "ValidationException",
		},
		{
			"a path through a number", "a path leads through maps and lists (Expressions.Attributes)", "",
			"UpdateItem", `{` + here + `,"UpdateExpression":"SET num.z = :v","ExpressionAttributeValues":{":v":{"N":"1"}}}`,
			"document path provided in the update expression is invalid", "ConsumedCapacity",
		},
		{
			"zeros of a number", "leading and trailing zeros are trimmed (HowItWorks.NamingRulesDataTypes)", "SET num = :v",
			"GetItem", `{` + here + `}`, `{"N":"2.5"}`, `{"N":"2.50"}`,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			ours, theirs := newMemory(t), newMoto(t)
			for side, call := range map[string]func(action, body string) outcome{c.ours: ours.call, c.theirs: theirs.call} {
				call("PutItem", row)
				if c.before != "" {
					call("UpdateItem", `{`+here+`,"UpdateExpression":"`+c.before+`","ExpressionAttributeValues":{":v":{"N":"2.50"}}}`)
				}
				out := call(c.action, c.body)
				if got := out.code + " " + out.message + " " + text(out.body); !strings.Contains(got, side) {
					t.Errorf("%s, want %q; documented: %s", got, side, c.documentation)
				}
			}
			if own, other := text(ours.call(c.action, c.body).body), text(theirs.call(c.action, c.body).body); own == other {
				t.Errorf("both answer %s: moto was mended", own)
			}
		})
	}
}
