package remediate

import (
	"context"
	"errors"
	"fmt"

	"github.com/rolewarden/rolewarden/pkg/decision"
	"github.com/rolewarden/rolewarden/pkg/role"
)

// Boundaries is one session for containing one role: it reads that role and
// sets its permissions boundary, and nothing else. Its errors wrap those of the
// room role.
type Boundaries interface {
	// Role reads the role with its trust policy and permissions boundary.
	Role(ctx context.Context, r role.Ref) (role.Role, error)
	// PutBoundary sets the permissions boundary. Only DenyAll is taken.
	PutBoundary(ctx context.Context, r role.Ref, policyARN string) error
}

// DenyAll is the ARN of AWS's own policy that denies everything, the one
// permissions boundary that rolewarden ever sets (AWS Managed Policy Reference,
// AWSDenyAll).
func DenyAll(partition string) string {
	if partition == "" {
		partition = "aws"
	}
	return "arn:" + partition + ":iam::aws:policy/AWSDenyAll"
}

// Contained is what became of a containment. The zero value says that nothing was.
type Contained struct {
	// Before is the boundary that the role had when it was judged, which a
	// person puts back; empty when it had none.
	Before string
	// After is the boundary that the role was last seen with, or that IAM took.
	After string
	// Done says that the boundary was set, now or by an earlier try, Verified
	// that a read showed it.
	Done, Verified bool
	// Problem is why less was done than decided; empty when all was.
	Problem string
}

// Contain ends what sessions of a role can do, those already issued included,
// by setting its permissions boundary to DenyAll. A boundary is looked at on
// every call, so it holds for sessions that are hours old (IAM User Guide,
// access_policies_boundaries). It does not hold for what a policy of a resource
// grants to a session by that session's own ARN, nor beyond services that honour
// boundaries: what it ends is what the role's own policies allow.
//
// The task is the one that Apply had: the role as it was judged, whose boundary
// is the one to be recorded and put back, and the document that the decision
// writes. The role must have either of the two trust policies; a third is
// somebody's later change, and so is a boundary that is neither the old one nor
// DenyAll: then the error is ErrStale and nothing was written. A role that has
// the boundary already is not written again, so that a try after a crash finds
// what was done. Errors otherwise mean what those of Apply mean.
func (r *Remediator) Contain(ctx context.Context, b Boundaries, t Task) (Contained, error) {
	c := &containment{Task: t, session: b, pause: r.pause(), out: Contained{Before: t.Role.Boundary, After: t.Role.Boundary}}
	if err := t.checkContain(); err != nil {
		return c.out, fmt.Errorf("containing role %s: %w: %w", t.Role.Ref(), ErrTask, err)
	}
	if why, protected := role.Protected(t.Role, nil); protected {
		c.out.Problem = "No permissions boundary was set, since this role is never written: " + why + "."
		return c.out, nil
	}
	if err := c.do(ctx); err != nil {
		return c.out, fmt.Errorf("containing role %s: %w", t.Role.Ref(), err)
	}
	return c.out, nil
}

// checkContain refuses what is no containment before anything is read: only a
// decision that replaces the trust policy contains.
func (t Task) checkContain() error {
	switch t.Decision.Action {
	case decision.Revert, decision.Quarantine:
		return t.check()
	case decision.Ignore, decision.Tell, decision.Tag, decision.Hold, decision.Clear, decision.Prune:
		return fmt.Errorf("the action is %s, and only a decision that replaces the trust policy contains sessions", t.Decision.Action)
	default:
		return fmt.Errorf("there is no action with the number %d", t.Decision.Action)
	}
}

// containment is one boundary being set.
type containment struct {
	Task
	session Boundaries
	pause   *pause
	out     Contained
}

func (c *containment) do(ctx context.Context) error {
	live, err := c.read(ctx, c.session)
	if err != nil {
		return err
	}
	if !c.same(live.TrustPolicy, c.Role.TrustPolicy) && !c.Stands(live) {
		return c.stale(live)
	}
	denyAll := DenyAll(c.Role.Partition)
	switch live.Boundary {
	case denyAll:
		c.shown(live)
		return nil
	case c.Role.Boundary:
	default:
		return fmt.Errorf("%w: its permissions boundary was %s and is %s", ErrStale, orNone(c.Role.Boundary), orNone(live.Boundary))
	}
	err = c.session.PutBoundary(ctx, c.Role.Ref(), denyAll)
	switch {
	case err == nil, errors.Is(err, role.ErrUncertain):
		return c.verify(ctx, err)
	case errors.Is(err, role.ErrUnmodifiable), errors.Is(err, role.ErrLimit), errors.Is(err, role.ErrMalformed):
		c.out.Problem = fmt.Sprintf("The permissions boundary was not set: %v. Sessions already issued go on; end them by hand.", err)
		return nil
	case errors.Is(err, role.ErrNotFound):
		return c.missing(ctx, err)
	default:
		return fmt.Errorf("setting its permissions boundary: %w", err)
	}
}

// missing is for an answer that says that something does not exist: the role, or
// the policy, for which IAM has one code (IAM API Reference,
// API_PutRolePermissionsBoundary: NoSuchEntity).
func (c *containment) missing(ctx context.Context, refused error) error {
	if _, err := c.read(ctx, c.session); err != nil {
		return err
	}
	c.out.Problem = fmt.Sprintf("The permissions boundary was not set, and the role exists: %v. Sessions already issued go on; end them by hand.", refused)
	return nil
}

// shown is for a boundary that was seen on the role.
func (c *containment) shown(live role.Role) {
	c.out.Done, c.out.Verified, c.out.After = true, true, live.Boundary
}

// verify reads until the boundary shows. written is nil when IAM took the
// write, and ErrUncertain when no answer came.
func (c *containment) verify(ctx context.Context, written error) error {
	denyAll := DenyAll(c.Role.Partition)
	if written == nil {
		c.out.Done, c.out.After = true, denyAll
	}
	for {
		live, err := c.read(ctx, c.session)
		if err == nil && live.Boundary == denyAll {
			c.shown(live)
			return nil
		}
		more, ended := c.pause.more(ctx)
		switch {
		case ended != nil:
			return errors.Join(ended, written)
		case more:
			continue
		case written != nil && err != nil:
			return fmt.Errorf("setting its permissions boundary: %w, and %w", written, err)
		case written != nil && live.Boundary == c.Role.Boundary:
			return fmt.Errorf("setting its permissions boundary: %w, and it does not show", written)
		}
		c.unseen(live, err)
		return nil
	}
}

// unseen says what is known of a write that did not show.
func (c *containment) unseen(live role.Role, err error) {
	switch {
	case err != nil:
		c.out.Problem = fmt.Sprintf("IAM took the permissions boundary, and then the role could not be read back: %v. Look at it by hand.", err)
	case live.Boundary == c.Role.Boundary:
		c.out.Problem = fmt.Sprintf("IAM took the permissions boundary and still showed %s after %s. Read the role again in a few minutes.", orNone(live.Boundary), c.pause.config.Patience)
	default:
		c.out.After = live.Boundary
		c.out.Problem = fmt.Sprintf("LOST UPDATE: the permissions boundary was %s, %s was set, and the role shows %s. Somebody else wrote it at the same time; ask who.",
			orNone(c.Role.Boundary), DenyAll(c.Role.Partition), orNone(live.Boundary))
	}
}

func orNone(boundary string) string {
	if boundary == "" {
		return "none"
	}
	return boundary
}
