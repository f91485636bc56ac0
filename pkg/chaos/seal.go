package chaos

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"fmt"
	"time"

	"github.com/rolewarden/rolewarden/pkg/invariant"
	"github.com/rolewarden/rolewarden/pkg/policy"
	"github.com/rolewarden/rolewarden/pkg/role"
)

// seal is what only the sweep's key makes.
func seal(b role.Baseline) []byte {
	h := hmac.New(sha256.New, []byte("the key of the simulation"))
	h.Write(b.Message())
	return h.Sum(nil)
}

func verify(b role.Baseline) error {
	if !bytes.Equal(b.Seal, seal(b)) {
		return fmt.Errorf("verifying the seal of a baseline of %s: %w", b.RoleID, role.ErrSealBroken)
	}
	return nil
}

// baseline is a role's document as a baseline, with those whom it names now.
func (a *iam) baseline(r role.Role, since, sealed time.Time) (role.Baseline, error) {
	d, err := policy.Parse([]byte(r.TrustPolicy))
	if err != nil {
		return role.Baseline{}, err
	}
	b := role.Baseline{
		Account: r.Account, RoleID: r.ID, Document: r.TrustPolicy, Digest: d.Digest(r.Partition), Principals: map[string]string{},
		Provenance: role.Observed, Actor: arn(r.Account, "user", "ops"), EventID: "before", RulesHash: "sha256:before", Since: since, Sealed: sealed,
	}
	for _, st := range d.Statements {
		for _, p := range st.Principal.List {
			if id, ok := a.people[p.Value]; ok {
				b.Principals[p.Value] = id
			}
		}
	}
	b.Seal = seal(b)
	return b, nil
}

// tamper puts into the ledger what somebody who can write the table would: a
// document of theirs as a baseline (T61).
func (w *world) tamper() {
	for _, r := range w.truth() {
		if w.rng.IntN(4) > 0 {
			continue
		}
		d, err := policy.Parse([]byte(one(w, append(goodDocuments(), badDocuments()...))))
		if err != nil {
			w.err = err
			return
		}
		b := role.Baseline{
			Account: r.Account, RoleID: r.ID, Document: string(d.Print()), Digest: d.Digest("aws"), Provenance: role.Observed,
			Principals: map[string]string{alice: w.iam.people[alice], bob: w.iam.people[bob]}, Since: w.now.Add(-48 * time.Hour), Sealed: w.now, Seal: []byte("none"),
		}
		if err := w.ledger.AddBaseline(ctx, b); err != nil {
			w.err = err
		}
		w.trace("somebody puts a baseline into the table for %s: %s", r.Ref(), invariant.Short(b.Document))
		return
	}
}
