package decision_test

import (
	"strings"
	"testing"
	"time"

	. "github.com/rolewarden/rolewarden/pkg/decision"
	"github.com/rolewarden/rolewarden/pkg/ledger"
)

// What stays the hand, row by row; T65 and T68 live on these rows.
func TestBrakeRows(t *testing.T) {
	free := Brakes{Switch: WritesAllowed}
	limited := Brakes{Switch: WritesAllowed, Limit: (&ledger.LimitError{Counter: ledger.Counter{Name: "account/111122223333", Window: time.Hour, Limit: 5}, Count: 5}).Error()}
	tagLimited := Brakes{Switch: WritesAllowed, TagLimit: "the limit for tags is used up"}
	both := Brakes{Switch: WritesAllowed, Limit: "the limit for organization is used up", TagLimit: "the limit for tags is used up"}
	rows := []struct {
		name   string
		action Action
		brakes Brakes
		want   Action
		says   string
	}{
		{"zero brakes stop a revert", Revert, Brakes{}, Hold, "could not be read"},
		{"zero brakes stop a quarantine", Quarantine, Brakes{}, Hold, "could not be read"},
		{"zero brakes stop a tag", Tag, Brakes{}, Hold, "could not be read"},
		{"zero brakes stop taking tags off", Clear, Brakes{}, Hold, "could not be read"},
		{"zero brakes leave telling", Tell, Brakes{}, Tell, ""},
		{"zero brakes leave ignoring", Ignore, Brakes{}, Ignore, ""},
		{"zero brakes leave holding", Hold, Brakes{}, Hold, ""},
		{"the switch stops a tag", Tag, Brakes{Switch: WritesStopped}, Hold, "kill switch"},
		{"the switch stops a revert", Revert, Brakes{Switch: WritesStopped}, Hold, "Revert was due"},
		{"a switch position that does not exist stops", Revert, Brakes{Switch: 9}, Hold, "could not be read"},
		{"nothing stays the hand", Revert, free, Revert, ""},
		{"nothing stays the tag", Tag, free, Tag, ""},
		{"nothing stays the clearing", Clear, free, Clear, ""},
		{"past the limit a revert is a tag", Revert, limited, Tag, "account/111122223333"},
		{"past the limit a quarantine is a tag", Quarantine, limited, Tag, "only tagged"},
		{"past the limit people are told what to do", Revert, Brakes{Switch: WritesAllowed, Limit: "the breaker role/x is tripped", Next: "run rolewarden breaker reset role/x"}, Tag, "The breaker role/x is tripped. So the role is only tagged (Revert was due). Run rolewarden breaker reset role/x."},
		{"past both limits people are told what to do", Revert, Brakes{Switch: WritesAllowed, Limit: "the breaker role/x is tripped", TagLimit: "the limit for tags is used up", Next: "stop bob first"}, Hold, "Stop bob first."},
		{"past the limit a prune is a tag", Prune, limited, Tag, "Prune was due"},
		{"the switch stops a prune", Prune, Brakes{Switch: WritesStopped}, Hold, "Prune was due"},
		{"past both limits nothing is pruned", Prune, both, Hold, "organization"},
		{"past the limit a tag stays", Tag, limited, Tag, ""},
		{"past both limits nothing is written", Revert, both, Hold, "organization"},
		{"past the tag limit a tag is held", Tag, tagLimited, Hold, "limit for tags"},
		{"past the tag limit a clearing is held", Clear, tagLimited, Hold, "limit for tags"},
		{"past the tag limit a revert goes on", Revert, tagLimited, Revert, ""},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			d := Decision{ID: "abc", Action: row.action, Reasons: []string{"Because."}, Rules: []string{"mfa"}}
			got := d.Brake(row.brakes)
			if got.Action != row.want {
				t.Errorf("Brake = %s, want %s", got.Action, row.want)
			}
			if row.says != "" && !strings.Contains(got.Reasons[0], row.says) {
				t.Errorf("first reason does not say %q: %q", row.says, got.Reasons[0])
			}
			if first := got.Reasons[0]; strings.Contains(strings.ToLower(first), "limit the limit") || !strings.HasSuffix(first, ".") || strings.ToUpper(first[:1]) != first[:1] {
				t.Errorf("the first reason does not read well: %q", first)
			}
			if last := got.Reasons[len(got.Reasons)-1]; last != "Because." || got.ID != "abc" || len(got.Rules) != 1 {
				t.Errorf("braking lost what was decided before: %+v", got)
			}
			if len(d.Reasons) != 1 {
				t.Errorf("braking changed the decision it was asked about: %q", d.Reasons)
			}
		})
	}
}
