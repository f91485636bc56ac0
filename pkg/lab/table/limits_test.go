package table_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/rolewarden/rolewarden/pkg/lab/table"
)

// An item has at most 400 KB, names and values together; an update that would
// make it larger changes nothing.
func TestItemSize(t *testing.T) {
	m := newMemory(t)
	// pk, sk and their values have six bytes, the name "t" one.
	m.put(fmt.Sprintf(`"t":{"S":%q}`, strings.Repeat("x", 400*1024-7)))
	out := m.call("PutItem", fmt.Sprintf(`{"TableName":"rows","Item":{"pk":{"S":"a"},"sk":{"S":"2"},"t":{"S":%q}}}`, strings.Repeat("x", 400*1024-6)))
	if out.message != "Item size has exceeded the maximum allowed size" {
		t.Errorf("a put: %s", out.message)
	}
	before := len(m.item())
	if out := m.update("SET n = :one", ""); out.message != "Item size to update has exceeded the maximum allowed size" {
		t.Errorf("an update: %s", out.message)
	}
	if len(m.item()) != before {
		t.Error("the update was made in part")
	}
}

// Keys that do not fit the table, with AWS's words for a request's Key and for
// an item.
func TestKeysThatAreRefused(t *testing.T) {
	m := newMemory(t)
	const schema = "The provided key element does not match the schema"
	for key, want := range map[string][2]string{
		`{"pk":{"S":"a"}}`:                                                {schema, "One or more parameter values were invalid: Missing the key sk in the item"},
		`{"pk":{"N":"1"},"sk":{"S":"1"}}`:                                 {schema, "One or more parameter values were invalid: Type mismatch for key pk expected: S actual: N"},
		`{"pk":{"S":"a"},"sk":{"S":"1"},"n":{"N":"1"}}`:                   {schema, ""},
		`{"pk":{"S":""},"sk":{"S":"1"}}`:                                  {"One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an empty string value. Key: pk", "One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an empty string value. Key: pk"},
		`{"pk":{"S":"` + strings.Repeat("x", 2049) + `"},"sk":{"S":"1"}}`: {"One or more parameter values were invalid: Size of hashkey has exceeded the maximum size limit of2048 bytes", "One or more parameter values were invalid: Size of hashkey has exceeded the maximum size limit of2048 bytes"},
		`{"pk":{"S":"a"},"sk":{"S":"` + strings.Repeat("x", 1025) + `"}}`: {"One or more parameter values were invalid: Aggregated size of all range keys has exceeded the size limit of 1024 bytes", "One or more parameter values were invalid: Aggregated size of all range keys has exceeded the size limit of 1024 bytes"},
	} {
		if out := m.call("GetItem", `{"TableName":"rows","Key":`+key+`}`); out.message != want[0] || out.code != "ValidationException" {
			t.Errorf("get %.60s: %s", key, out.message)
		}
		if out := m.call("PutItem", `{"TableName":"rows","Item":`+key+`}`); out.message != want[1] {
			t.Errorf("put %.60s: %s", key, out.message)
		}
	}
}

// Values that are none of DynamoDB's.
func TestValuesThatAreRefused(t *testing.T) {
	m := newMemory(t)
	const wrong = "One or more parameter values were invalid: "
	for value, want := range map[string]string{
		`{}`: "Supplied AttributeValue is empty, must contain exactly one of the supported datatypes", `{"X":"a"}`: "Supplied AttributeValue is empty, must contain exactly one of the supported datatypes",
		`{"S":"a","N":"1"}`: "Supplied AttributeValue has more than one datatypes set, must contain exactly one of the supported datatypes",
		`{"SS":[]}`:         wrong + "An string set  may not be empty", `{"BS":[]}`: wrong + "Binary sets should not be empty", `{"SS":["a","b","a"]}`: wrong + "Input collection [a, b, a] contains duplicates.",
		`{"NS":["1","1.0"]}`: wrong + "Input collection [1, 1.0] contains duplicates.", `{"NULL":false}`: wrong + "Null attribute value types must have the value of true",
		`{"L":[{"M":{"x":{}}}]}`:                                "Supplied AttributeValue is empty, must contain exactly one of the supported datatypes",
		strings.Repeat(`{"L":[`, 33) + strings.Repeat(`]}`, 33): "Nesting Levels have exceeded supported limits",
	} {
		out := m.call("PutItem", `{"TableName":"rows","Item":{"pk":{"S":"a"},"sk":{"S":"1"},"v":`+value+`}}`)
		if out.code != "ValidationException" || out.message != want {
			t.Errorf("%.60s: %s: %s", value, out.code, out.message)
		}
	}
	for _, value := range []string{`{"S":1}`, `{"N":1}`, `{"BOOL":"true"}`, `{"B":"%"}`, `{"L":{}}`, `[]`, `null`, `"a"`, `{"SS":[1]}`} {
		if out := m.call("PutItem", `{"TableName":"rows","Item":{"pk":{"S":"a"},"sk":{"S":"1"},"v":`+value+`}}`); out.code != "SerializationException" {
			t.Errorf("%s: %s: %s", value, out.code, out.message)
		}
	}
	m.put(`"v":{"NULL":true,"S":null}`)
}

// Each value comes back as it went in.
func TestValuesComeBack(t *testing.T) {
	m := newMemory(t)
	const item = `{"b":{"B":"AP8="},"bs":{"BS":["AQ==","Ag=="]},"e":{"S":""},"f":{"BOOL":false},"l":{"L":[{"S":"x"},{"L":[]}]},"m":{"M":{"k":{"NULL":true}}},"n":{"N":"-0.5"},"ns":{"NS":["-1","2","10"]},"s":{"S":"ü\u0000\u003c"},"ss":{"SS":["a","b"]}}`
	m.put(strings.Trim(item, "{}")[:len(item)-4] + `]}`)
	if got := m.item(); got != item {
		t.Errorf("%s\nwant %s", got, item)
	}
}

// Batches: what may be in one, and what is left of one that is cut short.
func TestBatches(t *testing.T) {
	m := newMemory(t)
	key := func(sk int) string { return fmt.Sprintf(`{"pk":{"S":"a"},"sk":{"S":"%d"}}`, sk) }
	var puts, keys []string
	for i := range 26 {
		puts = append(puts, `{"PutRequest":{"Item":`+key(i)+`}}`)
	}
	for i := range 101 {
		keys = append(keys, key(i))
	}
	write := func(entries ...string) outcome {
		return m.call("BatchWriteItem", `{"RequestItems":{"rows":[`+strings.Join(entries, ",")+`]}}`)
	}
	get := func(keys ...string) outcome {
		return m.call("BatchGetItem", `{"RequestItems":{"rows":{"ConsistentRead":true,"Keys":[`+strings.Join(keys, ",")+`]}}}`)
	}
	for name, c := range map[string]struct {
		out  outcome
		want string
	}{
		"26 writes":     {write(puts...), "Too many items requested for the BatchWriteItem call"},
		"101 reads":     {get(keys...), "Too many items requested for the BatchGetItem call"},
		"twice written": {write(puts[0], puts[0]), "Provided list of item keys contains duplicates"},
		"twice read":    {get(key(1), key(1)), "Provided list of item keys contains duplicates"},
	} {
		if c.out.message != c.want || c.out.code != "ValidationException" {
			t.Errorf("%s: %s: %s", name, c.out.code, c.out.message)
		}
	}
	if out := write(puts[:25]...); text(out.body) != `{"UnprocessedItems":{}}` {
		t.Errorf("%s", text(out.body))
	}
	write(`{"DeleteRequest":{"Key":`+key(3)+`}}`, puts[25])
	out := get(keys[:100]...)
	if found := out.body["Responses"].(map[string]any)["rows"].([]any); len(found) != 25 || text(out.body["UnprocessedKeys"]) != "{}" {
		t.Errorf("%d items, left %s", len(found), text(out.body["UnprocessedKeys"]))
	}
	m.view = table.Part
	out = get(key(0), key(1), key(2))
	if want := `{"Responses":{"rows":[` + key(0) + `]},"UnprocessedKeys":{"rows":{"ConsistentRead":true,"Keys":[` + key(1) + `,` + key(2) + `]}}}`; text(out.body) != want {
		t.Errorf("%s\nwant %s", text(out.body), want)
	}
	out = write(`{"DeleteRequest":{"Key":`+key(0)+`}}`, `{"DeleteRequest":{"Key":`+key(1)+`}}`)
	if want := `{"UnprocessedItems":{"rows":[{"DeleteRequest":{"Key":` + key(1) + `}}]}}`; text(out.body) != want {
		t.Errorf("%s\nwant %s", text(out.body), want)
	}
	if keys, next := m.query(condition("pk = :pk")); len(keys) != 1 || next == nil {
		t.Errorf("a page cut short: %v, %v", keys, next)
	}
}

// Tables are made, told of and removed; what is protected stays.
func TestTables(t *testing.T) {
	m := newMemory(t)
	m.put(`"n":{"N":"1"}`)
	about := m.must("DescribeTable", `{"TableName":"rows"}`).body["Table"].(map[string]any)
	if about["TableStatus"] != "ACTIVE" || about["ItemCount"] != 1.0 || about["TableSizeBytes"] != 9.0 || about["TableArn"] != "arn:aws:dynamodb:us-east-1:111122223333:table/rows" {
		t.Errorf("%v", about)
	}
	if got := m.must("GetItem", `{"TableName":"arn:aws:dynamodb:us-east-1:111122223333:table/rows","Key":{"pk":{"S":"a"},"sk":{"S":"1"}}}`); got.body["Item"] == nil {
		t.Error("the table is not found by its ARN")
	}
	for body, want := range map[string]string{
		fmt.Sprintf(create, "rows", "S"): "ResourceInUseException", fmt.Sprintf(create, "x", "S"): "ValidationException", fmt.Sprintf(create, "x y z", "S"): "ValidationException",
		fmt.Sprintf(create, "other", "BOOL"): "ValidationException", strings.Replace(fmt.Sprintf(create, "other", "S"), `"BillingMode":"PAY_PER_REQUEST",`, "", 1): "ValidationException",
		`{"TableName":"other","BillingMode":"PAY_PER_REQUEST","AttributeDefinitions":[{"AttributeName":"pk","AttributeType":"S"}],"KeySchema":[{"AttributeName":"sk","KeyType":"HASH"}]}`: "ValidationException",
		strings.Replace(fmt.Sprintf(create, "other", "S"), `"KeyType":"RANGE"`, `"KeyType":"HASH"`, 1):                                                                                    "ValidationException",
		strings.Replace(fmt.Sprintf(create, "other", "S"), `"BillingMode"`, `"GlobalSecondaryIndexes":[],"BillingMode"`, 1):                                                               "ValidationException",
	} {
		if out := m.call("CreateTable", body); out.code != want {
			t.Errorf("%s: %s: %s", body, out.code, out.message)
		}
	}
	m.must("CreateTable", strings.Replace(fmt.Sprintf(create, "kept", "S"), `"BillingMode"`, `"DeletionProtectionEnabled":true,"BillingMode"`, 1))
	if out := m.call("DeleteTable", `{"TableName":"kept"}`); out.code != "ValidationException" {
		t.Errorf("the protected table: %s", out.code)
	}
	m.must("DeleteTable", `{"TableName":"rows"}`)
	if got := text(m.must("ListTables", `{}`).body["TableNames"]); got != `["kept"]` {
		t.Errorf("there are %s", got)
	}
	for _, action := range []string{"DescribeTable", "DeleteTable", "DescribeTimeToLive", "Scan"} {
		if out := m.call(action, `{"TableName":"rows"}`); out.code != "ResourceNotFoundException" {
			t.Errorf("%s: %s", action, out.code)
		}
	}
	if out := m.call("RestoreTable", `{}`); out.code != "UnknownOperationException" {
		t.Errorf("%s", out.code)
	}
}

// Nothing expires by itself; when it is asked to, the table removes what has
// expired on its clock and nothing else.
func TestExpiry(t *testing.T) {
	m := newMemory(t)
	if got := text(m.must("DescribeTimeToLive", `{"TableName":"rows"}`).body["TimeToLiveDescription"]); got != `{"TimeToLiveStatus":"DISABLED"}` {
		t.Errorf("%s", got)
	}
	m.must("UpdateTimeToLive", `{"TableName":"rows","TimeToLiveSpecification":{"AttributeName":"expires","Enabled":true}}`)
	if out := m.call("UpdateTimeToLive", `{"TableName":"rows","TimeToLiveSpecification":{"AttributeName":"expires","Enabled":true}}`); out.message != "TimeToLive is already enabled" {
		t.Errorf("%s", out.message)
	}
	if got := text(m.must("DescribeTimeToLive", `{"TableName":"rows"}`).body["TimeToLiveDescription"]); got != `{"AttributeName":"expires","TimeToLiveStatus":"ENABLED"}` {
		t.Errorf("%s", got)
	}
	now := m.now.Unix()
	for sk, expires := range map[string]string{
		"1 past": fmt.Sprint(now + 59), "2 future": fmt.Sprint(now + 61), "3 long past": fmt.Sprint(now - 6*365*24*3600), "4 none": "", "5 milliseconds": fmt.Sprint(1000 * now),
	} {
		attribute := ""
		if expires != "" {
			attribute = `,"expires":{"N":"` + expires + `"}`
		}
		m.must("PutItem", `{"TableName":"rows","Item":{"pk":{"S":"a"},"sk":{"S":"`+sk+`"}`+attribute+`}}`)
	}
	m.must("PutItem", `{"TableName":"rows","Item":{"pk":{"S":"a"},"sk":{"S":"6 text"},"expires":{"S":"1"}}}`)
	m.now = m.now.Add(time.Minute)
	if keys, _ := m.query(condition("pk = :pk")); len(keys) != 6 {
		t.Errorf("something went by itself: %v", keys)
	}
	if n := m.tables.Expire(); n != 1 {
		t.Errorf("%d items were removed", n)
	}
	if keys, _ := m.query(condition("pk = :pk")); len(keys) != 5 || keys[0] != "2 future" {
		t.Errorf("left are %v", keys)
	}
}
