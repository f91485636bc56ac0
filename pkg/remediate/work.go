package remediate

import (
	"context"
	"errors"
	"fmt"

	"github.com/rolewarden/rolewarden/pkg/decision"
	"github.com/rolewarden/rolewarden/pkg/role"
)

// work is one task being done.
type work struct {
	Task
	iam   IAM
	pause *pause
	out   decision.Outcome
	// sent is the document that is being written: Document, or its fallback.
	sent string
	// tagless says that there was something to do with tags and all of it was left out.
	tagless bool
}

// do reads again, writes, reads until it shows, and tags.
func (w *work) do(ctx context.Context) error {
	live, err := w.read(ctx, w.iam)
	if err != nil {
		return err
	}
	switch w.Decision.Action {
	case decision.Revert, decision.Quarantine, decision.Prune:
		return w.replace(ctx, live)
	case decision.Tag, decision.Clear:
		if !w.same(live.TrustPolicy, w.Role.TrustPolicy) {
			return w.stale(live)
		}
		return w.retag(ctx, live)
	case decision.Ignore, decision.Tell, decision.Hold:
		return nil
	default:
		return nil
	}
}

// reading is what every session can do.
type reading interface {
	Role(ctx context.Context, r role.Ref) (role.Role, error)
}

// read reads the role through the session at hand; another RoleId under the
// same name is another role.
func (t Task) read(ctx context.Context, session reading) (role.Role, error) {
	live, err := session.Role(ctx, t.Role.Ref())
	if err != nil {
		return role.Role{}, fmt.Errorf("reading it again: %w", err)
	}
	if live.ID != t.Role.ID {
		return role.Role{}, fmt.Errorf("%w: its id was %s and is %s, so it was deleted and made again", ErrStale, t.Role.ID, live.ID)
	}
	return live, nil
}

func (t Task) stale(live role.Role) error {
	return fmt.Errorf("%w: its trust policy was %s and is %s", ErrStale, t.digest(t.Role.TrustPolicy), t.digest(live.TrustPolicy))
}

// replace writes the trust policy, unless it stands there already.
func (w *work) replace(ctx context.Context, live role.Role) error {
	w.sent = w.Document
	for {
		if !w.same(live.TrustPolicy, w.Role.TrustPolicy) {
			// Also where it shows what is about to be written: nothing was written
			// yet, so the reading lags behind what was judged, or somebody else wrote
			// it. Who has the record of an earlier try tells these apart.
			return w.stale(live)
		}
		if w.Stands(live) {
			return w.shown(ctx, live)
		}
		err := w.iam.UpdateTrust(ctx, w.Role.Ref(), w.sent)
		switch {
		case err == nil, errors.Is(err, role.ErrUncertain):
			return w.verify(ctx, err)
		case errors.Is(err, role.ErrInvalidPrincipal) && w.Refused == SayAtOnce:
			return fmt.Errorf("writing its trust policy: %w", err)
		case errors.Is(err, role.ErrInvalidPrincipal):
			// A principal that was just made is refused like one that is gone.
			more, ended := w.pause.more(ctx)
			if ended != nil {
				return ended
			}
			if !more {
				return fmt.Errorf("writing its trust policy: %w", err)
			}
		case errors.Is(err, role.ErrMalformed) && w.fallBack():
		case errors.Is(err, role.ErrUnmodifiable), errors.Is(err, role.ErrLimit), errors.Is(err, role.ErrMalformed):
			w.out.Problem = fmt.Sprintf("The trust policy was not written: %v. Trying again would not help, so a person has to mend the role.", err)
			return nil
		default:
			return fmt.Errorf("writing its trust policy: %w", err)
		}
		// Time has passed, and somebody may have written meanwhile.
		if live, err = w.read(ctx, w.iam); err != nil {
			return err
		}
	}
}

// Stands says whether the role has the document already, in either form of this
// task's quarantine.
func (t Task) Stands(live role.Role) bool {
	return t.same(live.TrustPolicy, t.Document) ||
		IsQuarantine(t.Document) && t.same(live.TrustPolicy, t.fallback())
}

func (t Task) fallback() string { return QuarantineFallback(t.Role.Account, t.Decision.ID) }

// fallBack turns to the other form of a quarantine, once.
func (w *work) fallBack() bool {
	other := w.fallback()
	if !IsQuarantine(w.sent) || w.sent == other {
		return false
	}
	w.sent = other
	return true
}

// shown is for a document that was seen on the role.
func (w *work) shown(ctx context.Context, live role.Role) error {
	w.out.Done, w.out.Verified, w.out.After = w.Decision.Action, true, live.TrustPolicy
	return w.retag(ctx, live)
}

// verify reads until the document shows. written is nil when IAM took the
// write, and ErrUncertain when no answer came.
func (w *work) verify(ctx context.Context, written error) error {
	if written == nil {
		w.out.Done, w.out.After = w.Decision.Action, w.sent
	}
	for {
		live, err := w.read(ctx, w.iam)
		if err == nil && w.same(live.TrustPolicy, w.sent) {
			return w.shown(ctx, live)
		}
		more, ended := w.pause.more(ctx)
		switch {
		case ended != nil:
			return errors.Join(ended, written)
		case more:
			continue
		case err != nil:
			return w.unread(err, written)
		case w.same(live.TrustPolicy, w.Role.TrustPolicy):
			return w.unseen(ctx, live, written)
		default:
			w.lost(live)
			return nil
		}
	}
}

// unread is for a write after which the role could not be read any more.
func (w *work) unread(err, written error) error {
	if written != nil {
		return fmt.Errorf("writing its trust policy: %w, and %w", written, err)
	}
	if errors.Is(err, ErrStale) {
		// IAM writes to whoever has the name.
		w.addProblem(fmt.Sprintf("LOST UPDATE: %v. What was written may have replaced the trust policy that the new role was made with; the event of its making holds that one. Look at the role by hand.", err))
		return nil
	}
	w.out.Problem = fmt.Sprintf("IAM took the new trust policy, and then the role could not be read back: %v. Look at it by hand.", err)
	return nil
}

// unseen is for a write that does not show within the patience.
func (w *work) unseen(ctx context.Context, live role.Role, written error) error {
	if written != nil {
		return fmt.Errorf("writing its trust policy: %w, and it does not show", written)
	}
	if err := w.retag(ctx, live); err != nil {
		return err
	}
	w.out.Verified = false
	w.addProblem(fmt.Sprintf("IAM took the new trust policy and still showed the old one after %s. Read the role again in a few minutes.", w.pause.config.Patience))
	return nil
}

// lost is for a role that shows neither what was judged nor what was written:
// somebody else wrote at the same moment (IAM has no compare-and-set).
func (w *work) lost(live role.Role) {
	w.out.After = live.TrustPolicy
	w.addProblem(fmt.Sprintf("LOST UPDATE: %s was judged and %s was written, and the role shows %s. Somebody else wrote it at the same time; ask who, and judge the role again.",
		w.digest(w.Role.TrustPolicy), w.digest(w.sent), w.digest(live.TrustPolicy)))
}

func (w *work) addProblem(p string) {
	if w.out.Problem != "" {
		p = w.out.Problem + " " + p
	}
	w.out.Problem = p
}
