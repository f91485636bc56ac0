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

// The doctor may make its calls and no other, and none of them writes.
func TestTheDoctorMayLookAndNothingElse(t *testing.T) {
	t.Parallel()
	for world, w := range worlds(t) {
		got := slices.DeleteFunc(allowed(grants.Doctor(w)), func(a string) bool { return a == "kms:Decrypt" })
		slices.Sort(got)
		if want := actions.Permissions(actions.Doctor, actions.Own); !slices.Equal(got, want) {
			t.Errorf("%s: it may %v, and calls %v", world, got, want)
		}
		for _, a := range got {
			_, call, _ := strings.Cut(a, ":")
			if !slices.ContainsFunc([]string{"Get", "List", "Describe"}, func(p string) bool { return strings.HasPrefix(call, p) }) {
				t.Errorf("%s: %s writes", world, a)
			}
		}
	}
}

// Whoever may stop the writes may turn that switch, and read or change nothing
// else of what rolewarden remembers.
func TestWhoMayPauseMayTurnTheSwitchAlone(t *testing.T) {
	t.Parallel()
	w := commercial(t)
	table := here(w, "dynamodb", "table/"+deployment.Table)
	person := roleOf(w, hub, "OnCall", ourOrg)
	for _, tt := range []struct {
		action, resource string
		keys             []string
		want             judge.Effect
	}{
		{"dynamodb:PutItem", table, []string{"SWITCH"}, judge.Allow},
		{"dynamodb:GetItem", table, []string{"SWITCH"}, judge.Allow},
		{"dynamodb:PutItem", table, []string{"ROLE#111122223333#AROAEXAMPLEAPP0000001"}, judge.Neither},
		{"dynamodb:GetItem", table, []string{"SWITCH", "ROLE#x"}, judge.Neither},
		{"dynamodb:PutItem", table, nil, judge.Neither},
		{"dynamodb:DeleteItem", table, []string{"SWITCH"}, judge.Neither},
		{"dynamodb:PutItem", here(w, "dynamodb", "table/payroll"), []string{"SWITCH"}, judge.Neither},
	} {
		c := context(person.keys)
		if tt.keys != nil {
			c.SetMany("dynamodb:LeadingKeys", tt.keys)
		}
		if got := judged(t, grants.Pause(w)).Identity(judge.Request{Action: tt.action, Resource: tt.resource, Caller: person.who, Context: c}).Effect; got != tt.want {
			t.Errorf("%s on %s with %v: %s, want %s", tt.action, tt.resource, tt.keys, got, tt.want)
		}
	}
}
