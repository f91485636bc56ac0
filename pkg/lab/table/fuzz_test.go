package table_test

import (
	"encoding/json"
	"strings"
	"testing"
)

// FuzzExpressions reads any text as each kind of expression. None breaks the
// reader or leaves a request half done; what is read is decided, and its
// negation is decided the other way.
func FuzzExpressions(f *testing.F) {
	for _, seed := range []string{
		"num = :v", "NOT (num < :v AND size(#n) >= :v) OR begins_with(txt, :v)", "SET num = num + :v, lst[0] = if_not_exists(dic.x, :v) REMOVE txt ADD made :v DELETE tag :v",
		"pk = :v AND sk BETWEEN :v AND :v", "num, dic.x, lst[2]", "((num = :v))", "num IN (:v, :v)", "attribute_type(num,:v)", "#n.#n[3].#n <> :v", "contains(lst, :v", "SET SET", "\x00", "a.[0]", "ä = :v", "num=:v",
	} {
		f.Add(seed)
	}
	quoted := func(text string) string {
		out, err := json.Marshal(text)
		if err != nil {
			return `""`
		}
		return string(out)
	}
	f.Fuzz(func(t *testing.T, expression string) {
		m := newMemory(t)
		m.put(`"num":{"N":"1"},"txt":{"S":"ab"},"lst":{"L":[{"N":"1"}]},"dic":{"M":{"x":{"N":"2"}}},"tag":{"SS":["a"]}`)
		before := m.item()
		spoken := ""
		if strings.Contains(expression, "#n") {
			spoken += `,"ExpressionAttributeNames":{"#n":"dic"}`
		}
		if strings.Contains(expression, ":v") {
			spoken += `,"ExpressionAttributeValues":{":v":{"S":"a"}}`
		}
		scan := func(filter string) outcome {
			return m.call("Scan", `{"TableName":"rows","FilterExpression":`+quoted(filter)+spoken+`}`)
		}
		plain, negated := scan(expression), scan("NOT ("+expression+")")
		if plain.code == "" && negated.code == "" && plain.body["Count"].(float64)+negated.body["Count"].(float64) != 1 {
			t.Errorf("%q holds for %v, its negation for %v", expression, plain.body["Count"], negated.body["Count"])
		}
		if plain.code == "" && negated.code != "" && !strings.Contains(negated.message, "redundant") && !strings.Contains(negated.message, "Expression size") && !strings.Contains(negated.message, "too many") {
			t.Errorf("%q is read and its negation is not: %s", expression, negated.message)
		}
		m.call("Query", `{"TableName":"rows","KeyConditionExpression":`+quoted(expression)+spoken+`}`)
		m.call("GetItem", `{`+here+`,"ProjectionExpression":`+quoted(expression)+`}`)
		out := m.call("UpdateItem", `{`+here+`,"UpdateExpression":`+quoted(expression)+spoken+`,"ReturnValues":"ALL_NEW"}`)
		if out.code != "" && m.item() != before {
			t.Errorf("%q was refused and changed the item to %s", expression, m.item())
		}
		if out.code == "" {
			if item := m.item(); !strings.Contains(text(out.body["Attributes"]), strings.Trim(item, "{}")[:min(3, len(item)-2)]) {
				t.Errorf("%q gives %s and leaves %s", expression, text(out.body["Attributes"]), item)
			}
		}
	})
}

// FuzzCalls reads any body as any call: none breaks the tables.
func FuzzCalls(f *testing.F) {
	for _, seed := range [][2]string{
		{"PutItem", `{"TableName":"rows","Item":{"pk":{"S":"a"},"sk":{"S":"2"},"x":{"L":[{"M":{}}]}}}`},
		{"Query", `{"TableName":"rows","Limit":1,"KeyConditionExpression":"pk = :p","ExpressionAttributeValues":{":p":{"S":"a"}},"ExclusiveStartKey":{"pk":{"S":"a"},"sk":{"S":"1"}}}`},
		{"Scan", `{"TableName":"rows","Segment":0,"TotalSegments":2}`},
		{"TransactWriteItems", `{"TransactItems":[{"Delete":{"TableName":"rows","Key":{"pk":{"S":"a"},"sk":{"S":"1"}}}},null]}`},
		{"TransactGetItems", `{"TransactItems":[{"Get":null}]}`},
		{"BatchGetItem", `{"RequestItems":{"rows":null}}`},
		{"BatchWriteItem", `{"RequestItems":{"rows":[null,{"PutRequest":{}}]}}`},
		{"CreateTable", `{"TableName":"more","KeySchema":[null]}`},
		{"UpdateTimeToLive", `{"TableName":"rows"}`},
		{"ListTables", `{"Limit":1}`},
		{"GetItem", `[]`},
		{"GetItem", `null`},
		{"", ``},
	} {
		f.Add(seed[0], seed[1])
	}
	f.Fuzz(func(t *testing.T, action, body string) {
		m := newMemory(t)
		m.put(`"n":{"N":"1"}`)
		m.call(action, body)
		m.must("Scan", `{"TableName":"rows"}`)
	})
}
