package cli_test

import (
	"encoding/json"
	"io/fs"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Each schema stands by itself; where several describe a request, or a
// finding, they say the same of it.
func TestSchemasAgreeOnTheirParts(t *testing.T) {
	t.Parallel()
	parts := map[string]any{}
	from := map[string]string{}
	dir := os.DirFS("schemas")
	names, err := fs.Glob(dir, "*.schema.json")
	if err != nil || len(names) == 0 {
		t.Fatal("there are no schemas", err)
	}
	for _, name := range names {
		text, err := fs.ReadFile(dir, name)
		if err != nil {
			t.Fatal(err)
		}
		var s map[string]any
		if err := json.Unmarshal(text, &s); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if s["$schema"] != "https://json-schema.org/draft/2020-12/schema" || s["title"] == nil {
			t.Errorf("%s: it has no title, or is of another draft", name)
		}
		defs, _ := s["$defs"].(map[string]any)
		for part, value := range defs {
			if other, seen := parts[part]; seen {
				if diff := cmp.Diff(other, value); diff != "" {
					t.Errorf("%s and %s describe %s differently:\n%s", from[part], name, part, diff)
				}
			}
			parts[part], from[part] = value, name
		}
	}
}

// The schema of a request takes what evaluate takes, and refuses what it refuses.
func TestTheRequestSchemaSaysWhatEvaluateTakes(t *testing.T) {
	t.Parallel()
	schema, err := compiled("request")
	if err != nil {
		t.Fatal(err)
	}
	const policy = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"*"},"Action":"sts:*"}]}`
	for _, request := range []string{
		`{"action":"sts:AssumeRole","caller":{"aws":"arn:aws:iam::444455556666:user/alice"}}`,
		`{"action":["sts:AssumeRole","sts:TagSession"],"role":"arn:aws:iam::111122223333:role/a/b","caller":{"aws":"arn:aws:sts::444455556666:assumed-role/app/s","id":"AROAEXAMPLE:s","issuer":"arn:aws:iam::444455556666:role/team/app"},"context":{"aws:TagKeys":["a"],"sts:RoleSessionName":"s","aws:username":null}}`,
		`{"action":"sts:AssumeRole","caller":{"service":"lambda.amazonaws.com"},"context":{}}`,
		`{"action":"sts:AssumeRoleWithSAML","caller":{"federated":"arn:aws:iam::111122223333:saml-provider/corp"}}`,
		`{}`,
		`{"action":"sts:AssumeRole"}`,
		`{"action":[],"caller":{"service":"lambda.amazonaws.com"}}`,
		`{"action":"AssumeRole","caller":{"service":"lambda.amazonaws.com"}}`,
		`{"action":"sts:AssumeRole","caller":{}}`,
		`{"action":"sts:AssumeRole","caller":{"service":"a.amazonaws.com","federated":"b"}}`,
		`{"action":"sts:AssumeRole","caller":{"service":"a.amazonaws.com","id":"AIDA"}}`,
		`{"action":"sts:AssumeRole","role":"app","caller":{"service":"a.amazonaws.com"}}`,
		`{"action":"sts:AssumeRole","caller":{"service":"a.amazonaws.com"},"context":{"k":1}}`,
		`{"action":"sts:AssumeRole","caller":{"service":"a.amazonaws.com"},"context":{"":"v"}}`,
		`{"action":"sts:AssumeRole","caller":{"service":"a.amazonaws.com"},"user":"x"}`,
	} {
		var value any
		if err := json.Unmarshal([]byte(request), &value); err != nil {
			t.Fatal(err)
		}
		out, _, _ := run(`{"policy":`+policy+`,"request":`+request+`}`, "evaluate")
		taken := !strings.Contains(out, `"error"`)
		if valid := schema.Validate(value) == nil; valid != taken {
			t.Errorf("the schema takes it: %v; evaluate takes it: %v: %s\n%s", valid, taken, request, out)
		}
	}
}
