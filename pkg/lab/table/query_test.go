package table_test

import (
	"fmt"
	"math/big"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/rolewarden/rolewarden/pkg/lab/table"
)

// query gives the sort keys of a page, and where the next one begins.
func (m *memory) query(rest string) (keys []string, next any) {
	m.t.Helper()
	out := m.must("Query", `{"TableName":"rows",`+rest+`}`)
	return sortKeys(out), out.body["LastEvaluatedKey"]
}

func sortKeys(out outcome) []string {
	var keys []string
	items, _ := out.body["Items"].([]any)
	for _, i := range items {
		sk := i.(map[string]any)["sk"].(map[string]any)
		for _, v := range sk {
			keys = append(keys, v.(string))
		}
	}
	return keys
}

func condition(expression string, values ...string) string {
	out := `"KeyConditionExpression":"` + expression + `","ExpressionAttributeValues":{":pk":{"S":"a"}`
	for i, v := range values {
		out += fmt.Sprintf(`,":%d":{"S":%q}`, i, v)
	}
	return out + "}"
}

// A query gives the stretch of sort keys that it asks for, in order.
func TestQueries(t *testing.T) {
	m := newMemory(t)
	for _, sk := range []string{"b", "a", "ab", "abc", "c", "ä"} {
		m.must("PutItem", fmt.Sprintf(`{"TableName":"rows","Item":{"pk":{"S":"a"},"sk":{"S":%q}}}`, sk))
		m.must("PutItem", fmt.Sprintf(`{"TableName":"rows","Item":{"pk":{"S":"b"},"sk":{"S":%q}}}`, sk))
	}
	for _, c := range []struct{ condition, want string }{
		{condition("pk = :pk"), "a ab abc b c ä"},
		{condition(":pk = pk"), "a ab abc b c ä"},
		{condition("pk = :pk AND sk = :0", "ab"), "ab"},
		{condition("sk < :0 AND pk = :pk", "b"), "a ab abc"},
		{condition("pk = :pk AND sk <= :0", "b"), "a ab abc b"},
		{condition("pk = :pk AND sk > :0", "b"), "c ä"},
		{condition("pk = :pk AND :0 > sk", "b"), "a ab abc"},
		{condition("pk = :pk AND sk >= :0", "aa"), "ab abc b c ä"},
		{condition("(pk = :pk) AND (sk BETWEEN :0 AND :1)", "ab", "b"), "ab abc b"},
		{condition("pk = :pk AND begins_with(sk, :0)", "ab"), "ab abc"},
		{condition("pk = :pk AND begins_with(sk, :0)", "x"), ""},
		{condition("pk = :pk AND sk > :0", "ä"), ""},
	} {
		keys, _ := m.query(c.condition)
		if got := strings.Join(keys, " "); got != c.want {
			t.Errorf("%s: %s, want %s", c.condition, got, c.want)
		}
		keys, _ = m.query(c.condition + `,"ScanIndexForward":false`)
		slices.Reverse(keys)
		if got := strings.Join(keys, " "); got != c.want {
			t.Errorf("%s backward: %s, want %s", c.condition, got, c.want)
		}
	}
}

// What AWS refuses of a query, with its words.
func TestQueriesThatAreRefused(t *testing.T) {
	m := newMemory(t)
	const own = "Invalid KeyConditionExpression: "
	for rest, want := range map[string]string{
		`"Limit":1`:                                                                    "Either the KeyConditions or KeyConditionExpression parameter must be specified in the request.",
		condition("sk = :pk"):                                                          "Query condition missed key schema element: pk",
		condition("x = :pk"):                                                           "Query condition missed key schema element: pk",
		condition("pk = :pk AND x = :0", "a"):                                          "Query condition missed key schema element: sk",
		condition("pk > :pk"):                                                          "Query key condition not supported",
		condition("begins_with(pk, :pk)"):                                              "Query key condition not supported",
		condition("pk = :pk OR sk = :0", "a"):                                          own + "Invalid operator used in KeyConditionExpression: OR",
		condition("NOT pk = :pk"):                                                      own + "Invalid operator used in KeyConditionExpression: NOT",
		condition("pk = :pk AND sk <> :0", "a"):                                        own + "Invalid operator used in KeyConditionExpression: <>",
		condition("pk = :pk AND sk IN (:0)", "a"):                                      own + "Invalid operator used in KeyConditionExpression: IN",
		condition("pk = :pk AND attribute_exists(sk)"):                                 own + "Invalid operator used in KeyConditionExpression: attribute_exists",
		condition("pk = :pk AND size(sk) = :0", "a"):                                   own + "Invalid operator used in KeyConditionExpression: size",
		condition("pk = :pk AND pk = :0", "a"):                                         own + "KeyConditionExpressions must only contain one condition per key",
		condition("pk = :pk AND sk.x = :0", "a"):                                       own + "KeyConditionExpressions cannot have conditions on nested attributes",
		condition("pk = :pk AND sk = :0", ""):                                          "One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an empty string value. Key: sk",
		condition("pk = :pk AND"):                                                      own + `Syntax error; token: "<EOF>", near: "AND"`,
		condition("pk = :pk") + `,"Limit":0`:                                           "1 validation error detected: Value '0' at 'limit' failed to satisfy constraint: Member must have value greater than or equal to 1",
		condition("pk = :pk") + `,"IndexName":"x"`:                                     "The table does not have the specified index: x",
		condition("pk = :pk") + `,"FilterExpression":"size(sk) > pk"`:                  "Filter Expression can only contain non-primary key attributes: Primary key attribute: sk",
		condition("pk = :pk") + `,"ExclusiveStartKey":{"pk":{"S":"a"}}`:                "The provided starting key is invalid: The provided key element does not match the schema",
		condition("pk = :pk") + `,"ExclusiveStartKey":{"pk":{"S":"b"},"sk":{"S":"1"}}`: "The provided starting key is outside query boundaries based on provided conditions",
		condition("pk = :pk AND sk > :0", "b") + `,"ExclusiveStartKey":{"pk":{"S":"a"},"sk":{"S":"a"}}`: "The provided starting key is outside query boundaries based on provided conditions",
		condition("pk = :pk") + `,"Select":"SPECIFIC_ATTRIBUTES"`:                                       "Must specify the AttributesToGet or ProjectionExpression when choosing to get SPECIFIC_ATTRIBUTES",
		`"KeyConditionExpression":"pk = :pk","ExpressionAttributeValues":{":pk":{"N":"1"}}`:             "One or more parameter values were invalid: Condition parameter type does not match schema type",
	} {
		out := m.call("Query", `{"TableName":"rows",`+rest+`}`)
		if out.code != "ValidationException" || out.message != want {
			t.Errorf("%s: %s: %s\nwant %s", rest, out.code, out.message, want)
		}
	}
}

// A page ends at Limit or at 1 MB, before the filter, and the next goes on
// behind it; a page that Limit ended says so even where nothing follows.
func TestPages(t *testing.T) {
	m := newMemory(t)
	for i := range 5 {
		m.must("PutItem", fmt.Sprintf(`{"TableName":"rows","Item":{"pk":{"S":"a"},"sk":{"S":"%d"},"n":{"N":"%d"},"text":{"S":%q}}}`, i, i%2, strings.Repeat("x", 300_000)))
	}
	keys, next := m.query(condition("pk = :pk"))
	if fmt.Sprint(keys) != "[0 1 2]" || text(next) != `{"pk":{"S":"a"},"sk":{"S":"2"}}` {
		t.Errorf("the first megabyte is %v, next %s", keys, text(next))
	}
	keys, next = m.query(condition("pk = :pk") + `,"ExclusiveStartKey":` + text(next))
	if fmt.Sprint(keys) != "[3 4]" || next != nil {
		t.Errorf("the second is %v, next %v", keys, next)
	}
	if keys, next = m.query(condition("pk = :pk") + `,"Limit":5,"ProjectionExpression":"sk"`); len(keys) != 3 || next == nil {
		t.Errorf("what is not shown counts too: %v, %v", keys, next)
	}
	out := m.must("Query", `{"TableName":"rows",`+condition("pk = :pk")+`,"Limit":2,"FilterExpression":"n <> :pk AND n = n2 OR attribute_not_exists(n)"}`)
	if out.body["Count"] != 0.0 || out.body["ScannedCount"] != 2.0 || out.body["LastEvaluatedKey"] == nil {
		t.Errorf("a filtered page: %v", out.body)
	}
	if keys, next = m.query(condition("pk = :pk AND sk = :0", "3") + `,"Limit":1`); len(keys) != 1 || next == nil {
		t.Errorf("a page that Limit ended: %v, next %v", keys, next)
	}
	out = m.must("Query", `{"TableName":"rows",`+condition("pk = :pk")+`,"Select":"COUNT"}`)
	if out.body["Count"] != 3.0 || out.body["Items"] != nil {
		t.Errorf("a count: %v", out.body["Count"])
	}
}

// Whatever is stored, page after page of any size gives each item of a
// partition once, in the order of numbers, forward and backward; and a scan
// gives each item of the table once, in one go or in segments.
func TestPagingMissesNothing(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		m := newMemory(t)
		m.must("CreateTable", fmt.Sprintf(create, "numbers", "N"))
		stored := map[string][]*big.Rat{}
		for range rapid.IntRange(0, 40).Draw(rt, "items") {
			pk := rapid.SampledFrom([]string{"a", "b", "c"}).Draw(rt, "pk")
			sk := rapid.StringMatching(`-?[0-9]{1,3}(\.[0-9])?(e[0-9])?`).Draw(rt, "sk")
			m.must("PutItem", `{"TableName":"numbers","Item":{"pk":{"S":"`+pk+`"},"sk":{"N":"`+sk+`"}}}`)
			value, _ := new(big.Rat).SetString(sk)
			if !slices.ContainsFunc(stored[pk], func(r *big.Rat) bool { return r.Cmp(value) == 0 }) {
				stored[pk] = append(stored[pk], value)
			}
		}
		limit := fmt.Sprintf(`,"Limit":%d`, rapid.IntRange(1, 7).Draw(rt, "limit"))
		all := 0
		for pk, want := range stored {
			slices.SortFunc(want, (*big.Rat).Cmp)
			all += len(want)
			for _, forward := range []string{"true", "false"} {
				got := m.pages("Query", `"TableName":"numbers","KeyConditionExpression":"pk = :pk","ExpressionAttributeValues":{":pk":{"S":"`+pk+`"}},"ScanIndexForward":`+forward+limit)
				if forward == "false" {
					slices.Reverse(got)
				}
				same := slices.EqualFunc(got, want, func(s string, r *big.Rat) bool {
					v, _ := new(big.Rat).SetString(s)
					return v.Cmp(r) == 0
				})
				if !same {
					rt.Fatalf("%s forward %s: %v, want %v", pk, forward, got, want)
				}
			}
		}
		if got := m.pages("Scan", `"TableName":"numbers"`+limit); len(got) != all {
			rt.Fatalf("the scan gives %d of %d items: %v", len(got), all, got)
		}
		segments := 0
		for i := range 3 {
			segments += len(m.pages("Scan", fmt.Sprintf(`"TableName":"numbers","TotalSegments":3,"Segment":%d`, i)+limit))
		}
		if segments != all {
			rt.Fatalf("three segments give %d of %d items", segments, all)
		}
	})
}

func (m *memory) pages(action, rest string) []string {
	m.t.Helper()
	var all []string
	next := ""
	for range 1000 {
		out := m.must(action, `{`+rest+next+`}`)
		all = append(all, sortKeys(out)...)
		last := out.body["LastEvaluatedKey"]
		if last == nil {
			return all
		}
		next = `,"ExclusiveStartKey":` + text(last)
	}
	m.t.Fatalf("%s %s: the pages do not end", action, rest)
	return nil
}

// A stale read shows the partition before its last write, all of it at once;
// one that asks for consistency does not.
func TestStaleReads(t *testing.T) {
	m := newMemory(t)
	m.put(`"n":{"N":"1"}`)
	m.must("PutItem", `{"TableName":"rows","Item":{"pk":{"S":"a"},"sk":{"S":"2"}}}`)
	m.must("TransactWriteItems", `{"TransactItems":[
		{"Update":{`+here+`,"UpdateExpression":"SET n = :v","ExpressionAttributeValues":{":v":{"N":"2"}}}},
		{"Delete":{"TableName":"rows","Key":{"pk":{"S":"a"},"sk":{"S":"2"}}}},
		{"Put":{"TableName":"rows","Item":{"pk":{"S":"a"},"sk":{"S":"3"}}}}]}`)
	for view, want := range map[table.View]string{
		table.Fresh: `[{"n":{"N":"2"},"pk":{"S":"a"},"sk":{"S":"1"}},{"pk":{"S":"a"},"sk":{"S":"3"}}]`,
		table.Stale: `[{"n":{"N":"1"},"pk":{"S":"a"},"sk":{"S":"1"}},{"pk":{"S":"a"},"sk":{"S":"2"}}]`,
	} {
		m.view = view
		if got := text(m.must("Query", `{"TableName":"rows",`+condition("pk = :pk")+`}`).body["Items"]); got != want {
			t.Errorf("%s: %s, want %s", view, got, want)
		}
		if got := text(m.must("Scan", `{"TableName":"rows"}`).body["Items"]); got != want {
			t.Errorf("%s scan: %s, want %s", view, got, want)
		}
		found := text(m.must("GetItem", `{"TableName":"rows","Key":{"pk":{"S":"a"},"sk":{"S":"2"}}}`).body["Item"])
		if (found == "null") != (view == table.Fresh) {
			t.Errorf("%s: the deleted item is %s", view, found)
		}
	}
	m.view = table.Stale
	if got := text(m.must("Query", `{"TableName":"rows","ConsistentRead":true,`+condition("pk = :pk")+`}`).body["Items"]); !strings.Contains(got, `{"N":"2"}`) {
		t.Errorf("a consistent read is stale: %s", got)
	}
}

// A projection gives what its paths lead to and nothing else.
func TestProjections(t *testing.T) {
	m := newMemory(t)
	m.put(`"n":{"N":"1"},"m":{"M":{"x":{"N":"1"},"y":{"L":[{"S":"p"},{"S":"q"},{"S":"r"}]}}},"l":{"L":[{"N":"0"},{"N":"1"}]}`)
	for projection, want := range map[string]string{
		"n": `{"n":{"N":"1"}}`, "pk, sk": `{"pk":{"S":"a"},"sk":{"S":"1"}}`, "gone": `{}`, "n.x": `{}`, "n[0]": `{}`,
		"m.x, l[1]": `{"l":{"L":[{"N":"1"}]},"m":{"M":{"x":{"N":"1"}}}}`, "m.y[2], m.y[0]": `{"m":{"M":{"y":{"L":[{"S":"p"},{"S":"r"}]}}}}`,
	} {
		out := m.must("GetItem", `{`+here+`,"ProjectionExpression":"`+projection+`"}`)
		if got := text(out.body["Item"]); got != want {
			t.Errorf("%s: %s, want %s", projection, got, want)
		}
	}
	for projection, want := range map[string]string{
		"m, m.x": "Two document paths overlap with each other; must remove or rewrite one of these paths; path one: [m], path two: [m, x]",
		"n,":     `Syntax error; token: "<EOF>", near: ","`, "": "The expression can not be empty;", "size": "Attribute name is a reserved keyword; reserved keyword: size",
	} {
		out := m.call("GetItem", `{`+here+`,"ProjectionExpression":"`+projection+`"}`)
		if out.message != "Invalid ProjectionExpression: "+want {
			t.Errorf("%s: %s", projection, out.message)
		}
	}
}
