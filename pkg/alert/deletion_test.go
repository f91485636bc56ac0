package alert_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/rolewarden/rolewarden/pkg/alert"
	"github.com/rolewarden/rolewarden/pkg/finding"
	"github.com/rolewarden/rolewarden/pkg/role"
	"github.com/rolewarden/rolewarden/pkg/trail"
)

// However many roles trusted who was deleted, each is named in an alert, and
// the alerts have ids of their own.
func TestNoRoleThatTrustedTheDeletedIsLeftOut(t *testing.T) {
	c := change(trail.RoleDeleted, "DeleteRole")
	d := alert.Deletion{Now: noon(), Change: *c, Principal: finding.Principal{ID: "AROAEXAMPLECI", ARN: "arn:aws:iam::111122223333:role/" + strings.Repeat("c", 64), DeletedBy: "arn:aws:sts::111122223333:assumed-role/" + strings.Repeat("d", 64) + "/mallory"}}
	for i := range 3*alert.PartSize + 7 {
		arn := fmt.Sprintf("arn:aws:iam::444455556666:role/%s%03d", strings.Repeat("r", 60), i)
		d.Trusting = append(d.Trusting, alert.Trusting{
			Role:   role.Role{Account: "444455556666", ARN: arn, TrustPolicy: opened},
			Places: []alert.Place{{Where: "Statement[0].Principal.AWS[0]", Hold: alert.ByPrincipal}, {Where: "Statement[1].Condition.ArnEquals.aws:PrincipalArn", Hold: alert.ByName}},
		})
	}
	ids, told := map[string]bool{}, ""
	for _, one := range d.Split() {
		a := alert.BuildDeletion(one)
		ids[a.ID] = true
		told += string(a.JSON())
		if a.Omitted != 0 {
			t.Errorf("%d findings had no room", a.Omitted)
		}
	}
	if len(ids) != (len(d.Trusting)+alert.PartSize-1)/alert.PartSize {
		t.Errorf("%d ids", len(ids))
	}
	for _, r := range d.Trusting {
		if !strings.Contains(told, r.Role.ARN) {
			t.Errorf("%s is not named", r.Role.ARN)
		}
	}
}
