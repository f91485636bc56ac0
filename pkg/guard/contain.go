package guard

import (
	"context"
	"errors"
	"fmt"

	"github.com/rolewarden/rolewarden/pkg/decision"
	"github.com/rolewarden/rolewarden/pkg/ledger"
	"github.com/rolewarden/rolewarden/pkg/meter"
	"github.com/rolewarden/rolewarden/pkg/remediate"
	"github.com/rolewarden/rolewarden/pkg/role"
)

// errUncontained says that a trust policy was replaced, and that the sessions of
// its role may be ended a little later.
var errUncontained = errors.New("the sessions of the role were not ended yet")

// contain ends the sessions that were issued before a trust policy was put
// right, where the rules file asks for it (T69): a revert shuts the door and
// does not throw out who is inside. It follows what was seen to have taken, has
// an intent of its own with the boundary that it replaces, and what goes wrong
// with it is told and undoes nothing.
//
// errUncontained is for what may pass: a later step finds the trust policy
// written, and goes on from there.
func (g *Guard) contain(ctx context.Context, j job, v judged, t remediate.Task, out *decision.Outcome) error {
	replaced := t.Decision.Action == decision.Revert || t.Decision.Action == decision.Quarantine
	if !replaced || !g.cfg.Rules.Contains(t.Decision.Rules) {
		return nil
	}
	out.Contained.Asked = true
	switch {
	case out.Done != t.Decision.Action || !out.Verified:
		out.Contained.Problem = "Sessions already issued go on: the trust policy was not seen to have been replaced, so the role was not shut."
		return nil
	case g.cfg.Containers == nil:
		out.Contained.Problem = "Sessions already issued go on: this rolewarden has no way to set a permissions boundary, though the rules file asks for it."
		return nil
	}
	done, err := g.shut(ctx, j, v, t)
	out.Contained = decision.Contained{Asked: true, Done: done.Done, Verified: done.Verified, Before: done.Before, After: done.After, Problem: done.Problem}
	switch {
	case err == nil:
	case passes(err) && j.attempt < afterSeconds:
		return fmt.Errorf("%w: %w", errUncontained, err)
	default:
		out.Contained.Problem = "Sessions already issued may go on, and a person has to end them: " + err.Error()
	}
	if out.Contained.Done {
		g.cfg.Log.Error("the sessions of a role were cut off, and only a person can lift that", meter.Key, meter.WordContained, "event_id", toldOf(j.change).EventID,
			"account", v.role.Account, "role", v.role.ARN, "rule", t.Decision.Rules, "action", t.Decision.Action.String(), "reason", "the permissions boundary was "+orNone(out.Contained.Before))
	}
	return nil
}

// passes reports whether an error of containing may pass by itself.
func passes(err error) bool {
	var stopped *stoppedError
	for _, lasting := range []error{remediate.ErrTask, remediate.ErrStale, role.ErrAccessDenied, role.ErrNotFound, role.ErrUnmodifiable, role.ErrLimit, role.ErrMalformed} {
		if errors.Is(err, lasting) {
			return false
		}
	}
	return !errors.As(err, &stopped)
}

// shut records the intent and sets the boundary.
func (g *Guard) shut(ctx context.Context, j job, v judged, t remediate.Task) (remediate.Contained, error) {
	i := intent(j, v, t, g.cfg.Now())
	i.Contains, i.Boundary = true, v.role.Boundary
	if err := g.cfg.Ledger.Intend(ctx, i); err != nil {
		return remediate.Contained{}, fmt.Errorf("recording the intent to set the permissions boundary of role %s: %w", v.role.Ref(), err)
	}
	session, err := g.cfg.Containers.Container(ctx, v.role, t.Decision)
	if err != nil {
		return remediate.Contained{}, fmt.Errorf("opening a session to set the permissions boundary of role %s: %w", v.role.Ref(), err)
	}
	return g.remedier.Contain(ctx, &shutting{Boundaries: session, g: g}, t)
}

// boundaryOf is the boundary that a role had before this event's handling
// replaced it.
func boundaryOf(i *ledger.Intent, live role.Role) string {
	if i != nil && i.Contains {
		return i.Boundary
	}
	return live.Boundary
}

// shutting reads the kill switch before the boundary is set.
type shutting struct {
	remediate.Boundaries
	g *Guard
}

func (s *shutting) PutBoundary(ctx context.Context, r role.Ref, policyARN string) error {
	if err := s.g.mayWrite(ctx); err != nil {
		return err
	}
	return s.Boundaries.PutBoundary(ctx, r, policyARN)
}

func orNone(boundary string) string {
	if boundary == "" {
		return "none"
	}
	return boundary
}
