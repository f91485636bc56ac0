package grants_test

import (
	"testing"

	"github.com/rolewarden/rolewarden/pkg/awsapi/actions"
	"github.com/rolewarden/rolewarden/pkg/deployment"
	"github.com/rolewarden/rolewarden/pkg/grants"
	"github.com/rolewarden/rolewarden/pkg/lab/judge"
)

// T61: with a key that was replaced nobody seals any more, the sweep neither,
// and what it sealed is checked by those who checked it before.
func TestAFormerSealKeyOnlyChecks(t *testing.T) {
	t.Parallel()
	for world, w := range worlds(t) {
		key := grants.FormerSealKeyPolicy(w)
		for name, tt := range map[string]struct {
			action, role string
			want         judge.Effect
		}{
			"the sweep seals":         {"kms:GenerateMac", "rolewarden/" + deployment.SweepRole, judge.Deny},
			"the sweep checks":        {"kms:VerifyMac", "rolewarden/" + deployment.SweepRole, judge.Neither},
			"the guard checks":        {"kms:VerifyMac", "rolewarden/" + deployment.GuardRole, judge.Allow},
			"an administrator seals":  {"kms:GenerateMac", "Admin", judge.Deny},
			"an administrator checks": {"kms:VerifyMac", "Admin", judge.Neither},
			"somebody takes it away":  {"kms:ScheduleKeyDeletion", "Admin", judge.Allow},
		} {
			if got := says(t, key, tt.action, roleOf(w, hub, tt.role, ourOrg).with("kms:MacAlgorithm", "HMAC_SHA_256")); got != tt.want {
				t.Errorf("%s, %s: %s, want %s", world, name, got, tt.want)
			}
		}
	}
}

// The guard's role may check with former keys, and seal with none.
func TestTheGuardMayCheckWithFormerKeys(t *testing.T) {
	t.Parallel()
	for world, w := range worlds(t) {
		former := here(w, "kms", "key/00000000-12ab-34cd-56ef-1234567890ab")
		for _, f := range []string{actions.Guard, actions.Sweep, actions.Notify, actions.Canary} {
			r := resources(w, f)
			r.FormerSealKeys = []string{former}
			checks := false
			for _, s := range grants.Function(w, f, r).Statement {
				for _, one := range s.Resource {
					if one == former {
						checks = len(s.Action) == 1 && s.Action[0] == "kms:VerifyMac"
						if !checks {
							t.Errorf("%s in %s may %v with a former key", f, world, s.Action)
						}
					}
				}
			}
			if judges := f == actions.Guard; checks != judges {
				t.Errorf("%s in %s may check with a former key: %t", f, world, checks)
			}
		}
	}
}
