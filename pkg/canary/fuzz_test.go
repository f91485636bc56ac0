package canary_test

import (
	"testing"
	"time"

	"github.com/rolewarden/rolewarden/pkg/canary"
	"github.com/rolewarden/rolewarden/pkg/policy"
	"github.com/rolewarden/rolewarden/pkg/proof"
)

// Whatever somebody puts on the canary's role: it passes for the canary's own,
// and is asked about in the ledger, only when it lets nobody in. And it is
// never left standing once it was told.
func FuzzOnlyWhatLetsNobodyInPassesForTheCanarys(f *testing.F) {
	own := canary.Document("aws", prod, at())
	for _, text := range rewritings(own) {
		f.Add(text)
	}
	f.Add(target(prod, at()).TrustPolicy)
	f.Add(opened)
	f.Add("")
	f.Fuzz(func(t *testing.T, text string) {
		w := newWorld(t, prod)
		w.now = at()
		w.members[prod].target.TrustPolicy = text
		w.members[prod].rule = shut
		r, err := w.later(time.Hour)
		if err != nil || len(r.Accounts) != 1 {
			t.Fatalf("%+v, %v", r, err)
		}
		// A young document of the canary's own form is left to be decided on.
		if r.Accounts[0].State != canary.Unknown && w.members[prod].target.TrustPolicy != canary.Document("aws", prod, w.now) {
			t.Errorf("left standing: %s", w.members[prod].target.TrustPolicy)
		}
		if r.Accounts[0].State == canary.Missed && r.Accounts[0].Written.IsZero() {
			return // known to be somebody else's
		}
		d, err := policy.Parse([]byte(text))
		if err != nil {
			t.Fatalf("%s is no policy: %v", text, err)
		}
		if a := proof.Compare(policy.Document{}, d, proof.World{RoleARN: target(prod, at()).ARN, Own: prod}).New; a.Outcome != proof.None {
			t.Errorf("%s lets somebody in: %v", text, a.Witness)
		}
	})
}
