package table_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rolewarden/rolewarden/pkg/lab/table"
)

const create = `{"TableName":"%s","BillingMode":"PAY_PER_REQUEST",
 "AttributeDefinitions":[{"AttributeName":"pk","AttributeType":"S"},{"AttributeName":"sk","AttributeType":"%s"}],
 "KeySchema":[{"AttributeName":"pk","KeyType":"HASH"},{"AttributeName":"sk","KeyType":"RANGE"}]}`

// outcome is an answer as it stands on the wire.
type outcome struct {
	// code is the error's name; empty for none.
	code, message string
	body          map[string]any
}

func read(t testing.TB, text []byte) outcome {
	t.Helper()
	out := outcome{}
	if err := json.Unmarshal(text, &out.body); err != nil {
		t.Fatalf("the answer %q: %v", text, err)
	}
	if kind, ok := out.body["__type"].(string); ok {
		out.code = kind[strings.LastIndexByte(kind, '#')+1:]
		for _, name := range []string{"message", "Message"} {
			if text, ok := out.body[name].(string); ok {
				out.message = text
			}
		}
	}
	return out
}

// memory is the tables under test with one table, "rows", on a clock that the
// test moves.
type memory struct {
	t      testing.TB
	tables *table.Tables
	now    time.Time
	view   table.View
}

func newMemory(t testing.TB) *memory {
	t.Helper()
	m := &memory{t: t, now: time.Date(2026, 11, 3, 9, 0, 0, 0, time.UTC)}
	m.tables = table.New(table.Config{
		Now: func() time.Time { return m.now }, NewID: func() string { return "id" },
		ARN: func(name string) string { return "arn:aws:dynamodb:us-east-1:111122223333:table/" + name },
	})
	m.must("CreateTable", fmt.Sprintf(create, "rows", "S"))
	return m
}

// call does a call and gives the answer through the wire's form.
func (m *memory) call(action, body string) outcome {
	m.t.Helper()
	c, err := table.Parse(action, []byte(body))
	answer := table.Answer{}
	if err == nil {
		m.tables.Needs(c)
		answer, err = m.tables.Do(c, m.view)
	}
	if err != nil {
		var p *table.Problem
		if !errors.As(err, &p) {
			m.t.Fatalf("%s %s: %v", action, body, err)
		}
		answer = p.Fields()
	}
	text, err := table.Encode(answer)
	if err != nil {
		m.t.Fatalf("%s %s: %v", action, body, err)
	}
	return read(m.t, text)
}

func (m *memory) must(action, body string) outcome {
	m.t.Helper()
	out := m.call(action, body)
	if out.code != "" {
		m.t.Fatalf("%s %s: %s: %s", action, body, out.code, out.message)
	}
	return out
}

// put writes an item under the key a/1 with the given attributes.
func (m *memory) put(attributes string) {
	m.t.Helper()
	if attributes != "" {
		attributes = "," + attributes
	}
	m.must("PutItem", `{"TableName":"rows","Item":{"pk":{"S":"a"},"sk":{"S":"1"}`+attributes+`}}`)
}

const here = `"TableName":"rows","Key":{"pk":{"S":"a"},"sk":{"S":"1"}}`

// item is what stands under a/1, as JSON; empty when nothing does.
func (m *memory) item() string {
	m.t.Helper()
	out := m.must("GetItem", `{`+here+`,"ConsistentRead":true}`)
	found, ok := out.body["Item"].(map[string]any)
	if !ok {
		return ""
	}
	delete(found, "pk")
	delete(found, "sk")
	return text(found)
}

func text(value any) string {
	out, err := json.Marshal(value)
	if err != nil {
		return err.Error()
	}
	return string(out)
}

// moto is one table of moto server's.
type moto struct {
	t          testing.TB
	url, table string
}

var motoTables atomic.Int64

func newMoto(t testing.TB) *moto {
	t.Helper()
	m := &moto{t: t, url: motoServer.URL(t), table: fmt.Sprintf("rows%d", motoTables.Add(1))}
	if out := m.call("CreateTable", fmt.Sprintf(create, "rows", "S")); out.code != "" {
		t.Fatalf("%+v", out)
	}
	return m
}

// call sends a body in which the table is called "rows".
func (m *moto) call(action, body string) outcome {
	m.t.Helper()
	r, err := http.NewRequest(http.MethodPost, m.url+"/", bytes.NewReader([]byte(strings.ReplaceAll(body, `"rows"`, `"`+m.table+`"`))))
	if err != nil {
		m.t.Fatal(err)
	}
	r.Header.Set("X-Amz-Target", "DynamoDB_20120810."+action)
	r.Header.Set("Content-Type", "application/x-amz-json-1.0")
	r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=AKIAEXAMPLE/20261103/us-east-1/dynamodb/aws4_request, SignedHeaders=host, Signature=00")
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		m.t.Fatal(err)
	}
	text, err := io.ReadAll(answer.Body)
	if err := errors.Join(err, answer.Body.Close()); err != nil {
		m.t.Fatal(err)
	}
	if answer.StatusCode == http.StatusInternalServerError {
		return outcome{code: "InternalServerError", message: "moto broke down"}
	}
	out := read(m.t, text)
	if out.code == "" && answer.StatusCode != http.StatusOK {
		m.t.Fatalf("%s %s: %s", action, body, text)
	}
	return out
}

// settled gives a body in which sets are in order, so that answers can be
// compared.
func settled(value any) any {
	switch v := value.(type) {
	case map[string]any:
		for name, member := range v {
			v[name] = settled(member)
			if list, ok := member.([]any); ok && (name == "SS" || name == "NS" || name == "BS") {
				slices.SortFunc(list, func(a, b any) int { return strings.Compare(fmt.Sprint(a), fmt.Sprint(b)) })
			}
		}
	case []any:
		for i := range v {
			v[i] = settled(v[i])
		}
	}
	return value
}
