package decision_test

import (
	"strings"
	"testing"

	. "github.com/rolewarden/rolewarden/pkg/decision"
)

// What stays the hand, row by row; T65 and T68 live on these rows.
func TestBrakeRows(t *testing.T) {
	free := Brakes{Switch: WritesAllowed}
	limited := Brakes{Switch: WritesAllowed, Limit: "account/111122223333 (5 per hour)"}
	tagLimited := Brakes{Switch: WritesAllowed, TagLimit: "tags (200 per hour)"}
	both := Brakes{Switch: WritesAllowed, Limit: "organization (25 per hour)", TagLimit: "tags (200 per hour)"}
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
		{"past the limit a tag stays", Tag, limited, Tag, ""},
		{"past both limits nothing is written", Revert, both, Hold, "organization"},
		{"past the tag limit a tag is held", Tag, tagLimited, Hold, "tags (200 per hour)"},
		{"past the tag limit a clearing is held", Clear, tagLimited, Hold, "tags (200 per hour)"},
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
			if last := got.Reasons[len(got.Reasons)-1]; last != "Because." || got.ID != "abc" || len(got.Rules) != 1 {
				t.Errorf("braking lost what was decided before: %+v", got)
			}
			if len(d.Reasons) != 1 {
				t.Errorf("braking changed the decision it was asked about: %q", d.Reasons)
			}
		})
	}
}
