package proof

import (
	"strings"
	"testing"
	"time"

	"github.com/rolewarden/rolewarden/pkg/policy"
)

// world is the role and its surroundings in most tests.
func world() World {
	return World{
		RoleARN: "arn:aws:iam::111122223333:role/app", Own: "111122223333",
		OrganizationID: "o-exampleorg1", Members: []string{"111122223333", "222222222222"}, OtherMembers: Complete,
		Now: time.Date(2026, 7, 1, 0, 0, 0, 0, time.UTC),
	}
}

func parse(t testing.TB, text string) policy.Document {
	t.Helper()
	d, err := policy.Parse([]byte(text))
	if err != nil {
		t.Fatalf("%v in %.400s", err, text)
	}
	return d
}

// allow makes a document of one Allow for a principal, an action and a condition block.
func allow(principal, action, condition string) string {
	return document(statementText("Allow", principal, action, condition))
}

func statementText(effect, principal, action, condition string) string {
	if !strings.HasPrefix(action, "[") {
		action = `"` + action + `"`
	}
	s := `{"Effect":"` + effect + `","Principal":` + principal + `,"Action":` + action
	if condition != "" {
		s += `,"Condition":{` + condition + `}`
	}
	return s + "}"
}

func document(statements ...string) string {
	return `{"Version":"2012-10-17","Statement":[` + strings.Join(statements, ",") + `]}`
}

const (
	anyone    = `{"AWS":"*"}`
	partner   = `{"AWS":"444455556666"}`
	ownRoot   = `{"AWS":"arn:aws:iam::111122223333:root"}`
	aliceOnly = `{"AWS":"arn:aws:iam::111122223333:user/alice"}`
)

// outsiders are users and roles of accounts that are neither ours nor a member's.
func outsiders() []Callers {
	except := Accounts{Except: []string{"111122223333", "222222222222"}}
	return []Callers{{Kind: Users, Accounts: except}, {Kind: RoleSessions, Accounts: except}}
}

func users() []Callers { return []Callers{{Kind: Users}} }

func require(sense Sense, operator, key string, values ...string) []Requirement {
	return []Requirement{{Condition: policy.Condition{Operator: operator, Key: key, Values: values}, Sense: sense}}
}

var assume = []string{"sts:AssumeRole"}

func TestSmoke(t *testing.T) {
	q := Query{
		World: world(), Callers: users(), Actions: assume,
		Where: [][]Requirement{require(Fails, "StringEquals", "sts:RoleSessionName", "${aws:username}")},
	}
	for _, doc := range []string{
		allow(ownRoot, "sts:AssumeRole", ""),
		allow(ownRoot, "sts:AssumeRole", `"StringLike":{"sts:RoleSessionName":"${aws:username}"}`),
		allow(aliceOnly, "sts:AssumeRole", `"StringLike":{"sts:RoleSessionName":"${aws:username}*"}`),
		allow(aliceOnly, "sts:AssumeRole", `"StringLike":{"sts:RoleSessionName":"alice"}`),
		allow(anyone, "sts:*", `"StringEquals":{"sts:ExternalId":"abc-def"},"StringNotEquals":{"aws:username":["mallory","eve","trudy","oscar"]}`),
	} {
		a := Find(parse(t, doc), q)
		t.Logf("%s\n  %v %v %v", doc, a.Outcome, a.Witness, a.Undecided)
	}
}
