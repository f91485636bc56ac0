package judge_test

import (
	"strings"
	"testing"

	"github.com/rolewarden/rolewarden/pkg/lab/judge"
)

const account = "111122223333"

var (
	session = judge.Caller{
		Kind: judge.RoleSession, Account: account, ARN: "arn:aws:sts::111122223333:assumed-role/app/s1",
		RoleARN: "arn:aws:iam::111122223333:role/team/app", RoleID: "AROAAPPEXAMPLE0000000",
	}
	root   = judge.Caller{Kind: judge.RootUser, Account: account, ARN: "arn:aws:iam::111122223333:root"}
	ec2    = judge.Caller{Kind: judge.Service, Name: "ec2.amazonaws.com"}
	github = judge.Caller{Kind: judge.Federated, Name: "arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com"}
)

// Every form of principal against every kind of caller. IAM User Guide,
// reference_policies_elements_principal.
func TestPrincipals(t *testing.T) {
	for _, c := range []struct {
		principal string
		caller    judge.Caller
		want      judge.Strength
	}{
		{`"*"`, alice, judge.NamedEveryone},
		{`"*"`, ec2, judge.NamedEveryone},
		{`{"AWS":"*"}`, alice, judge.NamedEveryone},
		{`{"AWS":"*"}`, ec2, judge.NotNamed},
		{`{"AWS":"111122223333"}`, alice, judge.NamedAccount},
		{`{"AWS":"arn:aws:iam::111122223333:root"}`, alice, judge.NamedAccount},
		{`{"AWS":"arn:aws:iam::111122223333:root"}`, root, judge.NamedAccount},
		{`{"AWS":"arn:aws:iam::444455556666:root"}`, alice, judge.NotNamed},
		{`{"AWS":"arn:aws:iam::111122223333:user/alice"}`, alice, judge.NamedExactly},
		{`{"AWS":"arn:aws:iam::111122223333:user/Alice"}`, alice, judge.NotNamed},
		{`{"AWS":"arn:aws:iam::111122223333:user/*"}`, alice, judge.NotNamed},
		{`{"AWS":"AIDAALICEEXAMPLE00000"}`, alice, judge.NamedExactly},
		{`{"AWS":"AIDAOTHEREXAMPLE00000"}`, alice, judge.NotNamed},
		{`{"AWS":["arn:aws:iam::444455556666:root","111122223333"]}`, alice, judge.NamedAccount},
		{`{"AWS":["111122223333","AIDAALICEEXAMPLE00000"]}`, alice, judge.NamedExactly},
		{`{"AWS":"arn:aws:iam::111122223333:role/team/app"}`, session, judge.NamedRole},
		{`{"AWS":"arn:aws:iam::111122223333:role/app"}`, session, judge.NotNamed},
		{`{"AWS":"AROAAPPEXAMPLE0000000"}`, session, judge.NamedRole},
		{`{"AWS":"AROAAPPEXAMPLE0000000:s1"}`, session, judge.NamedExactly},
		{`{"AWS":"AROAAPPEXAMPLE0000000:s2"}`, session, judge.NotNamed},
		{`{"AWS":"arn:aws:sts::111122223333:assumed-role/app/s1"}`, session, judge.NamedExactly},
		{`{"AWS":"arn:aws:sts::111122223333:assumed-role/app/s2"}`, session, judge.NotNamed},
		{`{"Service":"ec2.amazonaws.com"}`, ec2, judge.NamedExactly},
		{`{"Service":["lambda.amazonaws.com"]}`, ec2, judge.NotNamed},
		{`{"Service":"ec2.amazonaws.com"}`, alice, judge.NotNamed},
		{`{"Federated":"arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com"}`, github, judge.NamedExactly},
		{`{"Federated":"arn:aws:iam::111122223333:saml-provider/idp"}`, github, judge.NotNamed},
		{`{"CanonicalUser":"79a59d"}`, alice, judge.NotNamed},
	} {
		policy := parse(t, `{"Statement":[{"Effect":"Allow","Principal":`+c.principal+`,"Action":"sts:AssumeRole"}]}`)
		got := policy.Trust(judge.Request{Action: "sts:AssumeRole", Caller: c.caller, Context: judge.NewContext()})
		if got.Strength != c.want || (got.Effect == judge.Allow) != (c.want != judge.NotNamed) {
			t.Errorf("%s for %s %s%s: got %v %v, want %v", c.principal, c.caller.Kind, c.caller.ARN, c.caller.Name, got.Effect, got.Strength, c.want)
		}
	}
}

func parse(t *testing.T, text string) *judge.Policy {
	t.Helper()
	policy, err := judge.Parse([]byte(text))
	if err != nil {
		t.Fatalf("parsing %s: %v", text, err)
	}
	return policy
}

// NotPrincipal lets in everybody it does not name.
func TestNotPrincipal(t *testing.T) {
	policy := parse(t, `{"Statement":[{"Effect":"Allow","NotPrincipal":{"AWS":"arn:aws:iam::111122223333:user/alice"},"Action":"sts:AssumeRole"}]}`)
	for caller, want := range map[*judge.Caller]judge.Effect{&alice: judge.Neither, &session: judge.Allow} {
		if got := policy.Trust(judge.Request{Action: "sts:AssumeRole", Caller: *caller}); got.Effect != want {
			t.Errorf("%s: got %v", caller.ARN, got.Effect)
		}
	}
}

// Actions and resources: letter case, wildcards, and the Not forms.
func TestActionsAndResources(t *testing.T) {
	for _, c := range []struct {
		statement, action, resource string
		want                        judge.Effect
	}{
		{`"Action":"*","Resource":"*"`, "iam:GetRole", "arn:aws:iam::111122223333:role/app", judge.Allow},
		{`"Action":"IAM:getrole","Resource":"*"`, "iam:GetRole", "arn:aws:iam::111122223333:role/app", judge.Allow},
		{`"Action":"iam:Get*","Resource":"*"`, "iam:UpdateRole", "arn:aws:iam::111122223333:role/app", judge.Neither},
		{`"Action":"iam:?etRole","Resource":"*"`, "iam:GetRole", "x", judge.Allow},
		{`"NotAction":"iam:*","Resource":"*"`, "iam:GetRole", "x", judge.Neither},
		{`"NotAction":["sts:*"],"Resource":"*"`, "iam:GetRole", "x", judge.Allow},
		{`"Action":"iam:*","Resource":"arn:aws:iam::111122223333:role/app"`, "iam:GetRole", "arn:aws:iam::111122223333:role/app", judge.Allow},
		{`"Action":"iam:*","Resource":"arn:aws:iam::111122223333:role/app"`, "iam:GetRole", "arn:aws:iam::111122223333:role/App", judge.Neither},
		{`"Action":"iam:*","Resource":"arn:aws:iam::*:role/*"`, "iam:GetRole", "arn:aws:iam::111122223333:role/a/b", judge.Allow},
		{`"Action":"iam:*","Resource":["arn:aws:iam::*:user/*"]`, "iam:GetRole", "arn:aws:iam::111122223333:role/app", judge.Neither},
		{`"Action":"iam:*","NotResource":"arn:aws:iam::*:role/app"`, "iam:GetRole", "arn:aws:iam::111122223333:role/app", judge.Neither},
		{`"Action":"iam:*","NotResource":"arn:aws:iam::*:role/app"`, "iam:GetRole", "arn:aws:iam::111122223333:role/b", judge.Allow},
		{`"Action":"iam:*","Resource":"arn:aws:iam::*:user/${aws:username}"`, "iam:GetUser", "arn:aws:iam::111122223333:user/alice", judge.Allow},
		{`"Action":"iam:*","Resource":"arn:aws:iam::*:user/${aws:username}"`, "iam:GetUser", "arn:aws:iam::111122223333:user/bob", judge.Neither},
		{`"Action":"iam:*","Resource":"arn:aws:iam::*:user/${nothing}"`, "iam:GetUser", "arn:aws:iam::111122223333:user/bob", judge.Neither},
	} {
		policy := parse(t, `{"Version":"2012-10-17","Statement":{"Effect":"Allow",`+c.statement+`}}`)
		ctx := judge.NewContext()
		ctx.Set("aws:username", "alice")
		if got := policy.Identity(judge.Request{Action: c.action, Resource: c.resource, Context: ctx}); got.Effect != c.want {
			t.Errorf("%s for %s on %s: got %v", c.statement, c.action, c.resource, got.Effect)
		}
	}
}

// An explicit Deny wins wherever it stands.
func TestDenyWins(t *testing.T) {
	policy := parse(t, `{"Statement":[
		{"Effect":"Allow","Principal":{"AWS":"*"},"Action":"sts:AssumeRole"},
		{"Effect":"Deny","Principal":{"AWS":"*"},"Action":"sts:*","Condition":{"StringNotEquals":{"sts:ExternalId":"e"}}}]}`)
	ctx := judge.NewContext()
	if got := policy.Trust(judge.Request{Action: "sts:AssumeRole", Caller: alice, Context: ctx}); got.Effect != judge.Deny || got.Statement != 1 {
		t.Errorf("without the key: got %+v", got)
	}
	ctx.Set("sts:ExternalId", "e")
	if got := policy.Trust(judge.Request{Action: "sts:AssumeRole", Caller: alice, Context: ctx}); got.Effect != judge.Allow {
		t.Errorf("with the key: got %+v", got)
	}
}

// What the policy grammar does not know is an error, never ignored.
func TestParseRefuses(t *testing.T) {
	good := `{"Effect":"Allow","Principal":{"AWS":"*"},"Action":"sts:AssumeRole"`
	for text, want := range map[string]string{
		`[]`:                                            "must be a JSON object",
		`{"Statement":[` + good + `}]} x`:               "after",
		`{"statement":[` + good + `}]}`:                 "unknown element",
		`{"Version":"2012-10-17"}`:                      "no Statement",
		`{"Version":"2013","Statement":[]}`:             "2013",
		`{"Statement":[` + good + `,"Effect":"Deny"}]}`: "duplicate",
		`{"Statement":[` + good + `,"effect":"Deny"}]}`: "unknown element",
		`{"Statement":[` + good + `,"Condition":{"StringLikes":{"k":"v"}}}]}`:                            "no condition operator",
		`{"Statement":[` + good + `,"Condition":{"NullIfExists":{"k":"true"}}}]}`:                        "no condition operator",
		`{"Statement":[` + good + `,"Condition":{"StringLike":{"k":"v","K":"w"}}}]}`:                     "differ only in case",
		`{"Statement":[` + good + `,"Condition":{"StringLike":{"k":{}}}}]}`:                              "must be a string",
		`{"Statement":[{"Effect":"allow","Principal":{"AWS":"*"},"Action":"sts:AssumeRole"}]}`:           "neither Allow nor Deny",
		`{"Statement":[{"Effect":"Allow","Principal":"everyone","Action":"sts:AssumeRole"}]}`:            "no principal",
		`{"Statement":[{"Effect":"Allow","Principal":{"Aws":"*"},"Action":"sts:AssumeRole"}]}`:           "no kind of principal",
		`{"Statement":[{"Effect":"Allow","Principal":{"AWS":"*"}}]}`:                                     "neither Action nor NotAction",
		`{"Statement":` + strings.Repeat("[", 100) + strings.Repeat("]", 100) + `}`:                      "nested deeper",
		"{\"Statement\":[{\"Effect\":\"Allow\",\"Principal\":{\"AWS\":\"\xff\"},\"Action\":\"sts:x\"}]}": "UTF-8",
	} {
		_, err := judge.Parse([]byte(text))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.80s: got error %v, want one with %q", text, err, want)
		}
	}
}
