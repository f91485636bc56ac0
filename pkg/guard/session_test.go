package guard_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"maps"
	"strings"

	"github.com/rolewarden/rolewarden/pkg/decision"
	"github.com/rolewarden/rolewarden/pkg/remediate"
	"github.com/rolewarden/rolewarden/pkg/role"
)

// mac is what KMS would make of a baseline.
func mac(b role.Baseline) []byte {
	m := hmac.New(sha256.New, []byte("nobody but the sweep has this key"))
	m.Write(b.Message())
	return m.Sum(nil)
}

// Verify implements guard.Seals.
func (w *world) Verify(_ context.Context, b role.Baseline) error {
	w.verified++
	switch {
	case w.sealErr != nil:
		return w.sealErr
	case !hmac.Equal(b.Seal, mac(b)):
		return role.ErrSealBroken
	default:
		return nil
	}
}

// seal makes the candidate of a role a baseline, as a sweep does.
func (w *world) seal(account, id string) {
	w.t.Helper()
	known, err := w.ledger.Recall(w.t.Context(), account, id)
	if err != nil || known.Candidate == nil {
		w.t.Fatalf("the role has no candidate: %v", err)
	}
	w.sealed(*known.Candidate)
}

// sealed adds a baseline that a sweep seals now.
func (w *world) sealed(b role.Baseline) {
	w.t.Helper()
	b.Sealed = w.now
	b.Seal = mac(b)
	if err := w.ledger.AddBaseline(w.t.Context(), b); err != nil {
		w.t.Fatal(err)
	}
}

// Writer implements guard.Writers.
func (w *world) Writer(context.Context, role.Role, decision.Decision) (remediate.IAM, error) {
	w.calls = append(w.calls, "Writer")
	if w.openErr != nil {
		return nil, w.openErr
	}
	return session{w}, nil
}

// Container implements guard.Containers.
func (w *world) Container(context.Context, role.Role, decision.Decision) (remediate.Boundaries, error) {
	w.calls = append(w.calls, "Container")
	if w.shutErr != nil {
		return nil, w.shutErr
	}
	return session{w}, nil
}

func (s session) PutBoundary(_ context.Context, r role.Ref, policyARN string) error {
	if s.w.onShut != nil {
		s.w.onShut()
	}
	s.w.calls = append(s.w.calls, "PutRolePermissionsBoundary")
	if s.w.boundaryErr != nil {
		return s.w.boundaryErr
	}
	k := r.Account + "/" + strings.ToLower(r.Name)
	got := s.w.roles[k]
	got.Boundary = policyARN
	s.w.roles[k] = got
	return nil
}

type session struct{ w *world }

func (s session) Role(ctx context.Context, r role.Ref) (role.Role, error) { return s.w.Role(ctx, r) }

func (s session) UpdateTrust(_ context.Context, r role.Ref, document string) error {
	if s.w.onWrite != nil {
		s.w.onWrite()
	}
	s.w.calls = append(s.w.calls, "UpdateAssumeRolePolicy")
	if s.w.writeErr != nil {
		return s.w.writeErr
	}
	if s.w.refuse != nil {
		if err := s.w.refuse(document); err != nil {
			return err
		}
	}
	k := r.Account + "/" + strings.ToLower(r.Name)
	got := s.w.roles[k]
	got.TrustPolicy = document
	s.w.roles[k] = got
	return nil
}

func (s session) Tag(_ context.Context, r role.Ref, tags map[string]string) error {
	if s.w.onTag != nil {
		if err := s.w.onTag(); err != nil {
			return err
		}
	}
	s.w.calls = append(s.w.calls, "TagRole")
	maps.Copy(s.w.live(r.Account, r.Name).Tags, tags)
	return nil
}

func (s session) Untag(_ context.Context, r role.Ref, keys []string) error {
	s.w.calls = append(s.w.calls, "UntagRole")
	for _, k := range keys {
		delete(s.w.live(r.Account, r.Name).Tags, k)
	}
	return nil
}
