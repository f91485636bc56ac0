package deployment_test

import (
	"strings"
	"testing"

	"github.com/rolewarden/rolewarden/pkg/deployment"
	"github.com/rolewarden/rolewarden/pkg/org"
	"github.com/rolewarden/rolewarden/pkg/rules"
)

// Whatever stands in the file, it is refused with a place, or all that is
// deployed from it has been said and fits together.
func FuzzParse(f *testing.F) {
	for _, folder := range []string{"accepted", "refused"} {
		for _, a := range archives(f, folder) {
			f.Add(a.Files[0].Data)
		}
	}
	s := schema(f)
	f.Fuzz(func(t *testing.T, text []byte) {
		d, err := deployment.Parse(samples+"fuzz.yaml", text, today())
		if err != nil {
			for line := range strings.Lines(err.Error()) {
				if !placed.MatchString(line) {
					t.Fatalf("an error without a place: %q", line)
				}
			}
			if d != nil {
				t.Fatalf("an error, and %+v", d)
			}
			return
		}
		holds(t, d)
		if got, err := verdict(s, text); got == "refuses" {
			t.Fatalf("Parse accepts what the schema refuses: %v", err)
		}
	})
}

// holds checks what is true of every deployment, however it was written.
func holds(t fataler, d *deployment.Deployment) {
	t.Helper()
	home, known := deployment.HomeRegion(d.Partition)
	switch {
	case d.Way == deployment.NoWay:
		t.Fatalf("nothing is deployed")
	case len(d.Account) != 12 || strings.Trim(d.Account, "0123456789") != "":
		t.Fatalf("account %q", d.Account)
	case !known || d.Region != home:
		t.Fatalf("deployed to %q, but IAM of %q lives in %q", d.Region, d.Partition, home)
	case d.Rules == nil || len(d.RulesText) == 0:
		t.Fatalf("no rules")
	case d.Way != deployment.Single && (len(d.Targets) == 0 || d.Organization() == "" || d.Account == d.Rules.Organization.Management):
		t.Fatalf("the way %v with targets %q, organization %q, account %q", d.Way, d.Targets, d.Organization(), d.Account)
	case d.Way == deployment.Single && len(d.Targets)+len(d.AttachSCP)+len(d.AttachRCP) > 0:
		t.Fatalf("one account with %q, %q, %q", d.Targets, d.AttachSCP, d.AttachRCP)
	case len(d.AssumeRoleRegions) > 0 && len(d.AssumeRoleRoles()) == 0:
		t.Fatalf("AssumeRole of no role in %q", d.AssumeRoleRegions)
	}
	management := d.Rules.Organization.Management
	for _, account := range append(d.Rules.MemberIDs(), d.Account, "000000000000") {
		writable := d.Remediator == deployment.Present && account != management || d.Way == deployment.Single && (account != d.Account || d.Remediator == deployment.Present)
		for _, rule := range rules.Under(d.Rules) {
			if mode := d.Rules.Mode(rule.ID, account); !writable && rule.Reach != rules.TellOnly && mode != org.Observe {
				t.Fatalf("the rule %s may %v in %s, without a role that may write there", rule.ID, mode, account)
			}
		}
	}
}

// fataler is what tests and property tests have in common.
type fataler interface {
	Helper()
	Fatalf(format string, args ...any)
}
