package sweep_test

import (
	"context"
	"maps"

	"github.com/rolewarden/rolewarden/pkg/decision"
	"github.com/rolewarden/rolewarden/pkg/guard"
	"github.com/rolewarden/rolewarden/pkg/remediate"
	"github.com/rolewarden/rolewarden/pkg/role"
)

// writers are the sessions that guard opens; a sweep has none.
type writers struct{ w *world }

func (x writers) Writer(context.Context, role.Role, decision.Decision) (remediate.IAM, error) {
	return session(x), nil
}

type session struct{ w *world }

func (x session) Role(ctx context.Context, r role.Ref) (role.Role, error) { return x.w.Role(ctx, r) }

func (x session) UpdateTrust(_ context.Context, r role.Ref, document string) error {
	x.w.calls = append(x.w.calls, "UpdateAssumeRolePolicy "+r.Account)
	got := x.w.roles[key(r.Account, r.Name)]
	got.TrustPolicy = document
	x.w.roles[key(r.Account, r.Name)] = got
	return nil
}

func (x session) Tag(_ context.Context, r role.Ref, tags map[string]string) error {
	x.w.calls = append(x.w.calls, "TagRole "+r.Account)
	got := x.w.roles[key(r.Account, r.Name)]
	got.Tags = maps.Clone(got.Tags)
	maps.Copy(got.Tags, tags)
	x.w.roles[key(r.Account, r.Name)] = got
	return nil
}

func (x session) Untag(_ context.Context, r role.Ref, keys []string) error {
	x.w.calls = append(x.w.calls, "UntagRole "+r.Account)
	for _, k := range keys {
		delete(x.w.roles[key(r.Account, r.Name)].Tags, k)
	}
	return nil
}

// seals are those that guard may verify and not make.
type seals struct{ w *world }

func (x seals) Verify(_ context.Context, b role.Baseline) error {
	if !x.w.fits(b) {
		return role.ErrSealBroken
	}
	return nil
}

// writes counts the calls that changed a role.
func (w *world) writes() int {
	return w.count("UpdateAssumeRolePolicy") + w.count("TagRole") + w.count("UntagRole")
}

// hand lets guard, with its own credentials, handle what the sweep handed to it.
func (w *world) hand() []guard.Result {
	w.t.Helper()
	g, err := guard.New(guard.Config{
		Rules: w.rules, Reader: w, Writers: writers{w}, Seals: seals{w}, Ledger: w.memory, Channel: w, Later: later{w},
		Now: w.time, Wait: w.wait, Log: w.logger(),
	})
	if err != nil {
		w.t.Fatal(err)
	}
	var out []guard.Result
	for n := 0; len(w.steps) > 0; n++ {
		if n > 5000 {
			w.t.Fatal("guard sends itself steps without end")
		}
		s := w.steps[0]
		w.steps = w.steps[1:]
		if s.NotBefore.After(w.now) {
			w.now = s.NotBefore
		}
		body, err := s.Body()
		if err != nil {
			w.t.Fatal(err)
		}
		res, err := g.HandleStep(w.t.Context(), body)
		if err != nil {
			w.t.Fatalf("handling a step: %v", err)
		}
		out = append(out, res)
	}
	return out
}
