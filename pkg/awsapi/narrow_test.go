package awsapi

import (
	"strings"
	"testing"

	"github.com/rolewarden/rolewarden/pkg/decision"
	"github.com/rolewarden/rolewarden/pkg/lab/judge"
	"github.com/rolewarden/rolewarden/pkg/role"
)

// allows asks the lab's judge, which shares nothing with the code under test.
func allows(t *testing.T, policy *judge.Policy, action, arn string) bool {
	t.Helper()
	ctx := judge.NewContext()
	// What a variable that slipped into the policy could stand for.
	ctx.Set("aws:username", "alice")
	return policy.Identity(judge.Request{Action: action, Resource: arn, Context: ctx}).Effect == judge.Allow
}

// neighbours gives ARNs that a careless policy for one of them would cover.
func neighbours(arn string) []string {
	at := strings.LastIndexByte(arn, '/') + 1
	head, name := arn[:at], arn[at:]
	return []string{
		arn + "x", arn + "/x", head + "x" + name, head + "x/" + name, head, head + "alice", head + strings.ToUpper(name) + "_",
		strings.Replace(arn, "111122223333", "444455556666", 1), strings.Replace(arn, ":iam:", ":sts:", 1),
		"arn:aws:iam::111122223333:role/other", "arn:aws:iam::111122223333:role/rolewarden/rolewarden-remediator",
		strings.ReplaceAll(arn, "*", "x"), strings.ReplaceAll(arn, "?", "x"), strings.ReplaceAll(arn, "${aws:username}", "alice"), "*",
	}
}

// F6, T55: the policy of a writing session and that of a containing one each
// allow exactly one ARN, whatever stands in the role's path, or there is no
// policy; and neither of them allows the other's write.
func FuzzWritePolicyAllowsOneARN(f *testing.F) {
	for _, path := range []string{
		"/", "/team/", "/a/b/c/", "/*/", "/?/", "/${aws:username}/", "/${*}/", `/"]}/`, `/\u002a/`, "/a//b/", "/%2a/", "/é/", "/a b/", "/<&>/",
		"/" + strings.Repeat("x", 510) + "/",
	} {
		for action := range uint8(8) {
			f.Add(path, "App", action)
		}
	}
	f.Add("/", "*", uint8(decision.Revert))
	f.Add("/", strings.Repeat("n", 64), uint8(decision.Revert))
	f.Fuzz(func(t *testing.T, path, name string, action uint8) {
		arn := "arn:aws:iam::111122223333:role" + path + name
		never := []string{"iam:PutRolePolicy", "iam:AttachRolePolicy", "iam:PassRole", "iam:CreateRole", "iam:DeleteRole", "iam:DeleteRolePermissionsBoundary", "sts:AssumeRole"}
		onlyOne(t, writePolicy, arn, decision.Action(action), append(never, "iam:PutRolePermissionsBoundary"))
		onlyOne(t, containPolicy, arn, decision.Action(action), append(never, "iam:UpdateAssumeRolePolicy", "iam:TagRole", "iam:UntagRole"))
	})
}

// onlyOne looks at the policy of a session for one role, if there is one.
func onlyOne(t *testing.T, narrow narrowing, arn string, action decision.Action, never []string) {
	t.Helper()
	text, err := narrow(arn, action)
	if err != nil {
		return
	}
	if len(text) > maxSessionPolicy {
		t.Fatalf("the policy has %d characters", len(text))
	}
	policy, err := judge.Parse([]byte(text))
	if err != nil {
		t.Fatalf("%s is no policy: %v", text, err)
	}
	if !allows(t, policy, "iam:GetRole", arn) {
		t.Errorf("%s does not allow reading %s", text, arn)
	}
	for _, other := range neighbours(arn) {
		if other != arn && allows(t, policy, "iam:GetRole", other) {
			t.Errorf("%s allows %s", text, other)
		}
	}
	for _, action := range never {
		if allows(t, policy, action, arn) {
			t.Errorf("%s allows %s", text, action)
		}
	}
}

// Every plain ARN gets a policy: a role must not be out of reach because its
// path is long.
func TestEveryLegalRoleCanBeNarrowedTo(t *testing.T) {
	for _, arn := range []string{
		"arn:aws:iam::111122223333:role/App",
		"arn:aws-us-gov:iam::111122223333:role/a+b/c=d,e.f@g-h_i/" + strings.Repeat("n", 64),
		"arn:aws:iam::111122223333:role/" + strings.Repeat("p", 510) + "/App",
	} {
		if _, err := writePolicy(arn, decision.Revert); err != nil {
			t.Error(err)
		}
	}
}

// Each action gets the calls it makes and no others.
func TestWritePolicyByAction(t *testing.T) {
	const arn = "arn:aws:iam::111122223333:role/App"
	writes := []string{"iam:UpdateAssumeRolePolicy", "iam:TagRole", "iam:UntagRole"}
	want := map[decision.Action][]bool{
		decision.Revert:     {true, false, true},
		decision.Quarantine: {true, true, false},
		decision.Tag:        {false, true, false},
		decision.Clear:      {false, false, true},
		decision.Prune:      {true, true, true},
	}
	for action := decision.Ignore; action < 10; action++ {
		text, err := writePolicy(arn, action)
		if (err == nil) != (want[action] != nil) {
			t.Errorf("%s: got %q, %v", action, text, err)
		}
		if err != nil {
			continue
		}
		policy, err := judge.Parse([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		for i, call := range writes {
			if got := allows(t, policy, call, arn); got != want[action][i] {
				t.Errorf("%s: %s is allowed: %v", action, call, got)
			}
		}
	}
}

// Only a decision that replaces the trust policy contains, and a containing
// session reads and sets the boundary, no more.
func TestContainPolicyByAction(t *testing.T) {
	const arn = "arn:aws:iam::111122223333:role/App"
	for action := decision.Ignore; action < 10; action++ {
		text, err := containPolicy(arn, action)
		if contains := action == decision.Revert || action == decision.Quarantine; (err == nil) != contains {
			t.Errorf("%s: got %q, %v", action, text, err)
		}
		if want := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["iam:GetRole","iam:PutRolePermissionsBoundary"],"Resource":["` + arn + `"]}]}`; err == nil && text != want {
			t.Errorf("%s: got %s", action, text)
		}
	}
}

// The id that the decision room makes fits into both names.
func TestDecisionFitsTheSessionNames(t *testing.T) {
	id := decision.ID("111122223333", "event", "AROA1")
	session, source, err := sessionNames(id)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{session, source} {
		if !strings.HasSuffix(name, id) || len(name) < 2 || len(name) > 64 || !role.ValidName(name) {
			t.Errorf("%q is no legal name", name)
		}
	}
	if _, source, err := sessionNames(strings.Repeat("x", 53)); err != nil || len(source) > 64 {
		t.Errorf("the longest id gives %q, %v", source, err)
	}
}
