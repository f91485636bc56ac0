package grants_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/rolewarden/rolewarden/pkg/awsapi/actions"
	"github.com/rolewarden/rolewarden/pkg/deployment"
	"github.com/rolewarden/rolewarden/pkg/grants"
	"github.com/rolewarden/rolewarden/pkg/lab/judge"
)

// onLedger judges a call on some partitions of the ledger's table.
func onLedger(t *testing.T, w grants.World, d grants.Document, action string, parts ...string) judge.Effect {
	t.Helper()
	return onTable(t, w, d, action, deployment.Table, parts...)
}

func onTable(t *testing.T, w grants.World, d grants.Document, action, name string, parts ...string) judge.Effect {
	t.Helper()
	person := roleOf(w, hub, "OnCall", ourOrg)
	c := context(person.keys)
	if len(parts) > 0 {
		c.SetMany("dynamodb:LeadingKeys", parts)
	}
	return judged(t, d).Identity(judge.Request{Action: action, Resource: here(w, "dynamodb", "table/"+name), Caller: person.who, Context: c}).Effect
}

// Each verb's policy reaches the partitions of the ledger that the verb is about:
// whoever may stop the writes resets no breaker, whoever may look confirms
// nothing, and nobody but preview reads everything.
func TestAPersonsPolicyReachesWhatItsVerbIsAbout(t *testing.T) {
	t.Parallel()
	const (
		aRole   = "ROLE#111122223333#AROAEXAMPLEAPP0000001"
		anEvent = "EVENT#111122223333#11111111-1111-4111-8111-111111111111"
		undoing = "EVENT#111122223333#undo/rw-0123456789abcdef"
	)
	w := commercial(t)
	for _, tt := range []struct {
		verb, action string
		parts        []string
		want         judge.Effect
	}{
		{actions.Writes, "dynamodb:PutItem", []string{"SWITCH"}, judge.Allow},
		{actions.Writes, "dynamodb:GetItem", []string{"SWITCH"}, judge.Allow},
		{actions.Writes, "dynamodb:PutItem", []string{aRole}, judge.Neither},
		{actions.Writes, "dynamodb:GetItem", []string{"SWITCH", "ROLE#x"}, judge.Neither},
		{actions.Writes, "dynamodb:PutItem", nil, judge.Neither},
		{actions.Writes, "dynamodb:DeleteItem", []string{"SWITCH"}, judge.Neither},
		{actions.Breaker, "dynamodb:DeleteItem", []string{"BREAKER"}, judge.Allow},
		{actions.Breaker, "dynamodb:PutItem", []string{"RESET#account/111122223333"}, judge.Allow},
		{actions.Breaker, "dynamodb:DeleteItem", []string{"RESET#account/111122223333"}, judge.Neither},
		{actions.Breaker, "dynamodb:PutItem", []string{"SWITCH"}, judge.Neither},
		{actions.Breaker, "dynamodb:PutItem", []string{aRole}, judge.Neither},
		{actions.Preview, "dynamodb:Scan", nil, judge.Allow},
		{actions.Preview, "dynamodb:UpdateItem", []string{"RULES#sha256:x"}, judge.Neither},
		{actions.Confirm, "dynamodb:UpdateItem", []string{"RULES#sha256:x"}, judge.Allow},
		{actions.Confirm, "dynamodb:UpdateItem", []string{aRole}, judge.Neither},
		{actions.Confirm, "dynamodb:Scan", nil, judge.Neither},
		{actions.Undo, "dynamodb:UpdateItem", []string{undoing}, judge.Allow},
		{actions.Undo, "dynamodb:UpdateItem", []string{anEvent}, judge.Neither},
		{actions.Undo, "dynamodb:PutItem", []string{aRole}, judge.Allow},
		{actions.Undo, "dynamodb:PutItem", []string{"SWITCH"}, judge.Neither},
		{actions.Undo, "dynamodb:DeleteItem", []string{"BREAKER"}, judge.Neither},
		{actions.Look, "dynamodb:GetItem", []string{aRole}, judge.Neither},
	} {
		if got := onLedger(t, w, grants.Person(w, tt.verb), tt.action, tt.parts...); got != tt.want {
			t.Errorf("%s: %s on %v: %s, want %s", tt.verb, tt.action, tt.parts, got, tt.want)
		}
	}
	for _, verb := range actions.People() {
		for _, action := range allowed(grants.Person(w, verb)) {
			if strings.HasPrefix(action, "dynamodb:") && onTable(t, w, grants.Person(w, verb), action, "payroll", "SWITCH") == judge.Allow {
				t.Errorf("%s: %s on another table", verb, action)
			}
		}
	}
}

// A person's policies allow the calls that are listed for the verb, and the
// ledger's key; none of them seals, opens a session, or publishes.
func TestAPersonsPoliciesAreTheirVerbsCalls(t *testing.T) {
	t.Parallel()
	for world, w := range worlds(t) {
		for _, verb := range actions.People() {
			want := actions.Permissions(verb, actions.Own)
			if len(want) > 0 {
				want = append(want, "kms:Decrypt")
			}
			if w.Organization == "" {
				want = slices.DeleteFunc(want, func(a string) bool { return strings.HasPrefix(a, "organizations:") })
			}
			slices.Sort(want)
			if got := allowed(grants.Person(w, verb)); !slices.Equal(got, want) {
				t.Errorf("%s in %s: it may %v, and calls %v", verb, world, got, want)
			}
			if got, want := allowed(grants.PersonInAccount(w, verb)), actions.Permissions(verb, actions.RoleAccount); !slices.Equal(got, want) {
				t.Errorf("%s in %s, in the role's account: it may %v, and calls %v", verb, world, got, want)
			}
		}
	}
}

// An undoing writes no role that rolewarden itself never writes.
func TestAnUndoingLeavesTheProtectedRolesAlone(t *testing.T) {
	t.Parallel()
	w := commercial(t)
	person := roleOf(w, prod, "OnCall", ourOrg)
	for name, want := range map[string]judge.Effect{"app": judge.Allow, "payroll/clerk": judge.Deny, "rolewarden/rolewarden-reader": judge.Deny, "breakglass/admin": judge.Deny} {
		r := judge.Request{Action: "iam:UpdateAssumeRolePolicy", Resource: roleARN(w, prod, name), Caller: person.who, Context: context(person.keys)}
		if got := judged(t, grants.PersonInAccount(w, actions.Undo)).Identity(r).Effect; got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
}

// What a person's word is needed for no function does, whatever else somebody
// attaches to its role: the kill switch is turned, and a breaker put back, by
// people alone. A breaker trips all the same.
func TestNoFunctionTurnsWhatPeopleTurn(t *testing.T) {
	t.Parallel()
	const scope = "account/111122223333"
	w := commercial(t)
	for _, f := range functions() {
		d := grants.Function(w, f, resources(w, f))
		for _, tt := range []struct{ action, part string }{
			{"dynamodb:PutItem", "SWITCH"},
			{"dynamodb:UpdateItem", "SWITCH"},
			{"dynamodb:DeleteItem", "SWITCH"},
			{"dynamodb:PutItem", "RESET#" + scope},
			{"dynamodb:DeleteItem", "BREAKER"},
		} {
			if got := onLedger(t, w, d, tt.action, tt.part); got != judge.Deny {
				t.Errorf("%s: %s on %s: %s", f, tt.action, tt.part, got)
			}
		}
	}
	guard := grants.Function(w, actions.Guard, resources(w, actions.Guard))
	for _, tt := range []struct{ action, part string }{
		{"dynamodb:PutItem", "BREAKER"}, {"dynamodb:ConditionCheckItem", "BREAKER"}, {"dynamodb:GetItem", "SWITCH"}, {"dynamodb:UpdateItem", "COUNT#" + scope}, {"dynamodb:DeleteItem", "OUTBOX#0"},
	} {
		if got := onLedger(t, w, guard, tt.action, tt.part); got != judge.Allow {
			t.Errorf("the guard: %s on %s: %s", tt.action, tt.part, got)
		}
	}
}
