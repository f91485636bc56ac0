package proof

import (
	"strings"
	"testing"

	"github.com/rolewarden/rolewarden/pkg/access"
	"github.com/rolewarden/rolewarden/pkg/policy"
)

// TestCompare says what a change newly lets in, and what it shuts out.
func TestCompare(t *testing.T) {
	named := allow(ownRoot, "sts:AssumeRole", cond("StringLike", "sts:RoleSessionName", `"${aws:username}"`))
	plain := allow(ownRoot, "sts:AssumeRole", "")
	doubtful := statementText("Allow", anyone, "sts:AssumeRole", cond("StringResembles", "sts:ExternalId", `"a"`))
	tests := []struct {
		name         string
		older, newer string
		new, lost    Outcome
	}{
		{"nothing", named, named, None, None},
		{"a guard removed", named, plain, Found, None},
		{"a guard added", plain, named, None, Found},
		{"another spelling of the account", plain, allow(`{"AWS":"111122223333"}`, "STS:assumerole", ""), None, None},
		{"another partner", plain, allow(partner, "sts:AssumeRole", ""), Found, Found},
		{"a condition that guards nothing", plain, allow(ownRoot, "sts:AssumeRole", cond("StringLike", "sts:RoleSessionName", `"??*"`)), None, None},
		{"IfExists on a key that is always there", allow(ownRoot, "sts:AssumeRole", cond("StringEquals", "sts:RoleSessionName", `"ab"`)), allow(ownRoot, "sts:AssumeRole", cond("StringEqualsIfExists", "sts:RoleSessionName", `"ab"`)), None, None},
		{"IfExists on a key that need not be", allow(ownRoot, "sts:AssumeRole", cond("StringEquals", "sts:ExternalId", `"ab"`)), allow(ownRoot, "sts:AssumeRole", cond("StringEqualsIfExists", "sts:ExternalId", `"ab"`)), Found, None},
		{"a source identity may now be set", plain, allow(ownRoot, `["sts:AssumeRole","sts:SetSourceIdentity"]`, ""), Found, None},
		{"tags may now be passed", plain, allow(ownRoot, `["sts:AssumeRole","sts:TagSession"]`, ""), Found, None},
		{"nobody", plain, document(statementText("Deny", anyone, "*", "")), None, Found},
		{"an action that no caller of the principal makes", plain, document(statementText("Allow", ownRoot, "sts:AssumeRole", ""), statementText("Allow", ownRoot, "sts:AssumeRoleWithSAML", "")), None, None},
		{"a dead principal dropped", allow(`{"AWS":["AIDAEXAMPLEDELETED001","111122223333"]}`, "sts:AssumeRole", ""), plain, None, None},
		{"a doubtful statement on both sides", document(doubtful, statementText("Allow", ownRoot, "sts:AssumeRole", "")), document(doubtful), None, Unknown},
		{"a doubtful statement added", plain, document(doubtful, statementText("Allow", ownRoot, "sts:AssumeRole", "")), Unknown, None},
		{"a service added", plain, allow(`{"AWS":"111122223333","Service":"ec2.amazonaws.com"}`, "sts:AssumeRole", ""), Found, None},
		{"a wildcard that says the same", allow(anyone, "sts:AssumeRole", cond("StringLike", "sts:ExternalId", `["a*","b*"]`)), allow(anyone, "sts:AssumeRole", cond("StringLike", "sts:ExternalId", `["a*","b*","ab*"]`)), None, None},
		{"two statements merged", document(statementText("Allow", anyone, "sts:AssumeRole", cond("StringLike", "sts:ExternalId", `"a*"`)), statementText("Allow", anyone, "sts:AssumeRole", cond("StringLike", "sts:ExternalId", `"b*"`))), allow(anyone, "sts:AssumeRole", cond("StringLike", "sts:ExternalId", `["b*","a*"]`)), None, None},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			older, newer := parse(t, tt.older), parse(t, tt.newer)
			c := Compare(older, newer, world())
			if c.New.Outcome != tt.new || c.Lost.Outcome != tt.lost {
				t.Fatalf("new %v %v %+v\nlost %v %v %+v", c.New.Outcome, c.New.Undecided, c.New.Witness, c.Lost.Outcome, c.Lost.Undecided, c.Lost.Witness)
			}
			confirm(t, newer, older, c.New)
			confirm(t, older, newer, c.Lost)
		})
	}
}

func confirm(t *testing.T, yes, no policy.Document, a Answer) {
	t.Helper()
	if a.Outcome != Found {
		return
	}
	if r := access.Evaluate(yes, *a.Witness); r.Decision != access.Allowed {
		t.Errorf("%v: %s\n%+v", r.Decision, r.Reason, *a.Witness)
	}
	if r := access.Evaluate(no, *a.Witness); r.Decision != access.Denied {
		t.Errorf("%v: %s\n%+v", r.Decision, r.Reason, *a.Witness)
	}
}

// TestRefusedTwin is the question behind set-source-identity: who is let in
// and cannot carry a source identity.
func TestRefusedTwin(t *testing.T) {
	legal := require(Holds, "StringLike", "sts:SourceIdentity", "*")
	ask := func(doc string, callers []Callers, legal []Requirement) Answer {
		return FindRefused(parse(t, doc), Query{World: world(), Callers: callers, Actions: assume}, "sts:SourceIdentity", []string{"sts:SetSourceIdentity"}, legal)
	}
	roles := []Callers{{Kind: RoleSessions}}
	both := `["sts:AssumeRole","sts:SetSourceIdentity"]`
	tests := []struct {
		name  string
		doc   string
		legal []Requirement
		want  Outcome
	}{
		{"the action is missing", allow(partner, "sts:AssumeRole", ""), legal, Found},
		{"it is there", allow(partner, both, ""), legal, None},
		{"by wildcard", allow(partner, "sts:*", ""), legal, None},
		{"in a statement of its own", document(statementText("Allow", partner, "sts:AssumeRole", ""), statementText("Allow", partner, "sts:SetSourceIdentity", cond("StringLike", "sts:SourceIdentity", `"a*"`))), legal, None},
		{"for others only", document(statementText("Allow", partner, "sts:AssumeRole", ""), statementText("Allow", ownRoot, "sts:SetSourceIdentity", "")), legal, Found},
		{"for some of the callers only", document(statementText("Allow", partner, "sts:AssumeRole", ""), statementText("Allow", partner, "sts:SetSourceIdentity", cond("ArnLike", "aws:PrincipalArn", `"arn:aws:iam::444455556666:role/a*"`))), legal, Found},
		{"for all of the callers, in two halves", document(statementText("Allow", partner, "sts:AssumeRole", ""), statementText("Allow", partner, "sts:SetSourceIdentity", cond("ArnLike", "aws:PrincipalArn", `"arn:aws:iam::444455556666:role/a*"`)), statementText("Allow", partner, "sts:SetSourceIdentity", cond("ArnNotLike", "aws:PrincipalArn", `"arn:aws:iam::*:role/a*"`))), legal, None},
		{"denied", document(statementText("Allow", partner, both, ""), statementText("Deny", partner, "sts:SetSourceIdentity", "")), legal, Found},
		{"denied for every legal value", document(statementText("Allow", partner, both, ""), statementText("Deny", partner, "sts:SetSourceIdentity", cond("StringLike", "sts:SourceIdentity", `"??*"`))), legal, Found},
		{"only values that the organization does not permit", allow(partner, both, cond("StringEqualsIfExists", "sts:SourceIdentity", `["bob","eve"]`)), require(Holds, "StringEquals", "sts:SourceIdentity", "alice"), Found},
		{"one permitted value", allow(partner, both, cond("StringEquals", "sts:SourceIdentity", `["bob","alice"]`)), require(Holds, "StringEquals", "sts:SourceIdentity", "alice", "carol"), None},
		{"nobody is let in", document(statementText("Deny", anyone, "*", "")), legal, None},
		{"under an unknown operator", document(statementText("Allow", partner, "sts:AssumeRole", ""), statementText("Allow", partner, "sts:SetSourceIdentity", cond("StringResembles", "sts:SourceIdentity", `"a"`))), legal, Unknown},
		{"under an unknown key", document(statementText("Allow", partner, "sts:AssumeRole", ""), statementText("Allow", partner, "sts:SetSourceIdentity", cond("StringEquals", "custom:thing", `"v"`))), legal, Unknown},
		{"equal to the session's name", document(statementText("Allow", partner, "sts:AssumeRole", ""), statementText("Allow", partner, "sts:SetSourceIdentity", cond("StringEquals", "sts:SourceIdentity", `"${sts:RoleSessionName}"`))), legal, None},
		{"equal to a session name that is not permitted", document(statementText("Allow", partner, "sts:AssumeRole", cond("StringLike", "sts:RoleSessionName", `"x*"`)), statementText("Allow", partner, "sts:SetSourceIdentity", cond("StringEquals", "sts:SourceIdentity", `"${sts:RoleSessionName}"`))), require(Holds, "StringLike", "sts:SourceIdentity", "a*"), Found},
		{"equal to one key and not to another", document(statementText("Allow", partner, "sts:AssumeRole", ""), statementText("Allow", partner, "sts:SetSourceIdentity", cond("StringEquals", "sts:SourceIdentity", `"${sts:RoleSessionName}"`)+`,"StringNotEquals":{"sts:SourceIdentity":"${sts:ExternalId}"}`)), legal, Unknown},
		{"a resource element", document(`{"Effect":"Allow","Principal":{"AWS":"444455556666"},"Action":"sts:AssumeRole"}`, `{"Effect":"Allow","Principal":{"AWS":"444455556666"},"Action":"sts:SetSourceIdentity","Resource":"*"}`), legal, Unknown},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			a := ask(tt.doc, roles, tt.legal)
			if a.Outcome != tt.want {
				t.Fatalf("%v %v %+v\n%s", a.Outcome, a.Undecided, a.Witness, tt.doc)
			}
			if strings.Contains(strings.Join(a.Undecided, " "), "disagree") {
				t.Errorf("open for the wrong reason: %v", a.Undecided)
			}
			if a.Outcome == Found {
				if _, ok := a.Witness.Get("sts:SourceIdentity"); !ok || access.Evaluate(parse(t, tt.doc), *a.Witness).Decision != access.Denied {
					t.Errorf("%+v", *a.Witness)
				}
			}
		})
	}
	user := allow(aliceOnly, "sts:*", cond("StringEqualsIfExists", "sts:SourceIdentity", `"${aws:username}"`))
	if a := ask(user, users(), legal); a.Outcome == Found {
		t.Errorf("a user may set her own name: %v %v %+v", a.Outcome, a.Undecided, a.Witness)
	}
	short := allow(ownRoot, "sts:*", cond("StringEqualsIfExists", "sts:SourceIdentity", `"${aws:username}"`))
	if a := ask(short, users(), legal); a.Outcome != Found || !strings.HasSuffix(a.Witness.Caller.AWS, ":user/"+a.Witness.Caller.AWS[len(a.Witness.Caller.AWS)-1:]) {
		t.Errorf("a user name of one letter is no legal source identity: %v %v %+v", a.Outcome, a.Undecided, a.Witness)
	}
}
