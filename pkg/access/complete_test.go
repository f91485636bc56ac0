package access_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rolewarden/rolewarden/pkg/access"
)

// facts knows one organization.
type facts struct{}

func (facts) OrganizationOf(account string) (string, bool) {
	switch account {
	case "111122223333":
		return "o-example", true
	case "444455556666":
		return "", true
	default:
		return "", false
	}
}

// IAM User Guide, reference_policies_variables, "Principal key values": what
// AWS puts into the context by itself, so that nobody has to write it down.
func TestCompleteFillsInWhoTheCallerIs(t *testing.T) {
	one := func(pairs ...string) map[string]access.Value {
		out := map[string]access.Value{}
		for i := 0; i < len(pairs); i += 2 {
			out[pairs[i]] = access.One(pairs[i+1])
		}
		return out
	}
	for caller, want := range map[string]map[string]access.Value{
		teamBob: one("aws:PrincipalArn", "arn:aws:iam::111122223333:user/team/bob", "aws:PrincipalAccount", "111122223333",
			"aws:PrincipalType", "User", "aws:username", "bob", "aws:userid", "AIDACKCEVSQ6C2EXAMPLE", "aws:PrincipalOrgID", "o-example"),
		session: one("aws:PrincipalArn", "arn:aws:iam::111122223333:role/app", "aws:PrincipalAccount", "111122223333",
			"aws:PrincipalType", "AssumedRole", "aws:PrincipalOrgID", "o-example"),
		issued: one("aws:PrincipalArn", "arn:aws:iam::111122223333:role/team/app", "aws:PrincipalAccount", "111122223333",
			"aws:PrincipalType", "AssumedRole", "aws:userid", "AROACKCEVSQ6C2EXAMPLE:s1", "aws:PrincipalOrgID", "o-example"),
		`{"aws":"arn:aws:sts::444455556666:assumed-role/app/s1","id":"AROACKCEVSQ6C2EXAMPLE"}`: one(
			"aws:PrincipalArn", "arn:aws:iam::444455556666:role/app", "aws:PrincipalAccount", "444455556666",
			"aws:PrincipalType", "AssumedRole", "aws:userid", "AROACKCEVSQ6C2EXAMPLE:s1"),
		`{"aws":"arn:aws:iam::777788889999:role/x/app","id":"AROACKCEVSQ6C2EXAMPLE"}`: one(
			"aws:PrincipalArn", "arn:aws:iam::777788889999:role/x/app", "aws:PrincipalAccount", "777788889999", "aws:PrincipalType", "AssumedRole"),
		root: one("aws:PrincipalArn", "arn:aws:iam::111122223333:root", "aws:PrincipalAccount", "111122223333",
			"aws:PrincipalType", "Account", "aws:userid", "111122223333", "aws:PrincipalOrgID", "o-example"),
		federated: one("aws:PrincipalArn", "arn:aws:sts::111122223333:federated-user/bob", "aws:PrincipalAccount", "111122223333",
			"aws:PrincipalType", "FederatedUser", "aws:userid", "111122223333:bob", "aws:PrincipalOrgID", "o-example"),
		lambda: one("aws:PrincipalServiceName", "lambda.amazonaws.com"),
		google: one("aws:FederatedProvider", "accounts.google.com"),
		okta:   {},
	} {
		r := parseRequest(t, `{"action":"sts:AssumeRole","caller":`+caller+`}`)
		if diff := cmp.Diff(want, r.Complete(facts{}).Context); diff != "" {
			t.Errorf("%s:\n%s", caller, diff)
		}
		if len(r.Context) > 0 {
			t.Errorf("%s: the request itself was changed", caller)
		}
		delete(want, "aws:PrincipalOrgID")
		if diff := cmp.Diff(want, r.Complete(nil).Context); diff != "" {
			t.Errorf("%s without facts:\n%s", caller, diff)
		}
	}
}

// What the request says, in whatever case, counts more than what follows from
// the caller, and null says that there is no such key.
func TestCompleteKeepsWhatIsGiven(t *testing.T) {
	r := parseRequest(t, `{"action":"sts:AssumeRole","caller":`+bob+`,"context":{"AWS:username":"eve","aws:PrincipalArn":null}}`).Complete(nil)
	if v, ok := r.Get("aws:username"); !ok || v.Values[0] != "eve" {
		t.Errorf("aws:username is %v", v)
	}
	if v, ok := r.Get("aws:PrincipalArn"); ok {
		t.Errorf("aws:PrincipalArn is %v", v)
	}
	if v, ok := r.Get("aws:principaltype"); !ok || v.Values[0] != "User" {
		t.Errorf("aws:PrincipalType is %v", v)
	}
}

// People read a request as a sentence; secrets and tricks stay out of it.
func TestSentence(t *testing.T) {
	for _, c := range []struct{ caller, context, want string }{
		{bob, `"sts:RoleSessionName":"bob"`, "user bob of account 111122223333 may call sts:AssumeRole with sts:RoleSessionName = bob"},
		{bob, ``, "user bob of account 111122223333 may call sts:AssumeRole"},
		{
			session, `"sts:ExternalId":"hunter2","aws:TagKeys":["a","b c"],"k":null`,
			`session s1 of role app of account 111122223333 may call sts:AssumeRole with aws:TagKeys = [a, "b c"], no k and sts:ExternalId = ***`,
		},
		{root, ``, "the root user of account 111122223333 may call sts:AssumeRole"},
		{roleCaller, ``, "role app of account 111122223333 may call sts:AssumeRole"},
		{federated, ``, "federated user bob of account 111122223333 may call sts:AssumeRole"},
		{lambda, ``, "service lambda.amazonaws.com may call sts:AssumeRole"},
		{okta, ``, "an identity of provider arn:aws:iam::111122223333:saml-provider/Okta may call sts:AssumeRole"},
		{`{"federated":"x\ny"}`, `"k\n":"a\u001b[31m"`, `an identity of provider "x\ny" may call sts:AssumeRole with "k\n" = "a\x1b[31m"`},
		{bob, `"aws:username":"eve"`, "user bob of account 111122223333 may call sts:AssumeRole with aws:username = eve"},
	} {
		r := parseRequest(t, `{"action":"sts:AssumeRole","caller":`+c.caller+`,"context":{`+c.context+`}}`).Complete(nil)
		if got := r.Sentence(); got != c.want {
			t.Errorf("got  %s\nwant %s", got, c.want)
		}
		if got, want := r.Refusal(), strings.Replace(c.want, " may call ", " is refused ", 1); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
}

// A masked request can be shown, and the original still works.
func TestMaskedRequest(t *testing.T) {
	r := parseRequest(t, `{"action":"sts:AssumeRole","caller":`+bob+`,"context":{"STS:externalId":"hunter2","k":"v"}}`)
	text, err := r.Masked().MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	want := `{"action":"sts:AssumeRole","caller":` + bob + `,"context":{"STS:externalId":"***","k":"v"}}`
	if string(text) != want {
		t.Errorf("got %s", text)
	}
	if v, _ := r.Get("sts:ExternalId"); v.Values[0] != "hunter2" {
		t.Error("masking changed the original")
	}
}
