package access_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rolewarden/rolewarden/pkg/access"
)

// The form of a request is a public contract: this is all of it.
func TestRequestForm(t *testing.T) {
	for text, want := range map[string]access.Request{
		`{"action":"sts:AssumeRole","caller":{"service":"lambda.amazonaws.com"},"context":{}}`: {
			Actions: []string{"sts:AssumeRole"},
			Caller:  access.Caller{Service: "lambda.amazonaws.com"},
			Context: map[string]access.Value{},
		},
		`{"action":["sts:AssumeRole","sts:TagSession"],"role":"arn:aws:iam::111122223333:role/team/app","caller":{"aws":"arn:aws:sts::444455556666:assumed-role/ops/s","id":"AROA:s","issuer":"arn:aws:iam::444455556666:role/x/ops"},"context":{"aws:TagKeys":["a","b"],"k":[],"sts:ExternalId":null,"sts:RoleSessionName":"é\u003c"}}`: {
			Actions: []string{"sts:AssumeRole", "sts:TagSession"},
			Role:    "arn:aws:iam::111122223333:role/team/app",
			Caller:  access.Caller{AWS: "arn:aws:sts::444455556666:assumed-role/ops/s", ID: "AROA:s", Issuer: "arn:aws:iam::444455556666:role/x/ops"},
			Context: map[string]access.Value{
				"aws:TagKeys": access.Many("a", "b"), "k": access.Many(), "sts:ExternalId": access.Absent(), "sts:RoleSessionName": access.One("é<"),
			},
		},
		`{"action":"sts:AssumeRoleWithSAML","caller":{"federated":"arn:aws:iam::111122223333:saml-provider/Okta"},"context":{}}`: {
			Actions: []string{"sts:AssumeRoleWithSAML"},
			Caller:  access.Caller{Federated: "arn:aws:iam::111122223333:saml-provider/Okta"},
			Context: map[string]access.Value{},
		},
	} {
		got := parseRequest(t, text)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s\n%s", text, diff)
		}
		printed, err := got.MarshalJSON()
		if err != nil {
			t.Fatal(err)
		}
		if want := strings.ReplaceAll(text, `\u003c`, "<"); string(printed) != want {
			t.Errorf("got  %s\nwant %s", printed, want)
		}
		var again access.Request
		if err := json.Unmarshal([]byte(`{"r":`+string(printed)+`}`), &struct{ R *access.Request }{&again}); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(got, again); diff != "" {
			t.Errorf("through encoding/json:\n%s", diff)
		}
	}
}

// A slip in a request must not be answered as if it were not there.
func TestRequestErrorsNameThePlace(t *testing.T) {
	const caller = `"caller":{"aws":"arn:aws:iam::111122223333:user/bob"}`
	with := func(context string) string { return `{"action":"a:b",` + caller + `,"context":{` + context + `}}` }
	for text, want := range map[string]string{
		``:                                         "not valid JSON",
		`[]`:                                       "must be an object",
		`{}`:                                       "action is missing",
		`{"action":"a:b"}`:                         "caller is missing",
		`{"action":[],` + caller + `}`:             "action is missing",
		`{"action":null,` + caller + `}`:           "action: this must be a string or a list",
		`{"action":"AssumeRole",` + caller + `}`:   `action: "AssumeRole" is not one action`,
		`{"action":["a:b",1],` + caller + `}`:      "action[1]: this must be a string",
		`{"Action":"a:b"}`:                         "Action: unknown member: write one of action",
		`{"action":"a:b","action":"c:d"}`:          "appears twice",
		`{"action":"a:b","caller":{"Aws":1}}`:      "caller.Aws: unknown member",
		`{"action":"a:b","caller":{"aws":1}}`:      "caller.aws: this must be a string",
		`{"action":"a:b","caller":{"service":""}}`: "caller.service: this must be a string and not empty",
		`{"action":"a:b","caller":{"service":"x","federated":"y"}}`:                         "keep one",
		`{"action":"a:b","caller":{"service":"x","id":"y"}}`:                                "beside aws only",
		`{"action":"a:b","caller":{"aws":"bob"}}`:                                           `caller.aws "bob" is not the ARN`,
		`{"action":"a:b","caller":{"aws":"111122223333"}}`:                                  "is not the ARN",
		`{"action":"a:b","caller":{"aws":"arn:aws:iam::111122223333:user/b","issuer":"x"}}`: `caller.issuer "x" is not the ARN of the role`,
		`{"action":"a:b","role":"app",` + caller + `}`:                                      `role "app" is not the ARN of a role`,
		with(`"k":true`):             "context.k: this must be a string, a list of strings or null",
		with(`"k":["a",null]`):       "context.k[1]: this must be a string",
		with(`"k":{}`):               "context.k: this must be",
		with(`"k":"a","K":"b"`):      "context.K: this key appears twice",
		with(`"":"a"`):               "context: a name is empty",
		with(`"k":"` + "\xff" + `"`): "not valid JSON",
		with(`"k":"\ud800"`):         "not valid JSON",
		with(`"k":"a"`) + `{}`:       "follows the end",
		with(`"sts:ExternalId":hun`): "not valid JSON",
	} {
		_, err := access.ParseRequest([]byte(text))
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "hun") {
			t.Errorf("%s\n got %v\nwant %s", text, err, want)
		}
	}
}
