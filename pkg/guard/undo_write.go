package guard

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/rolewarden/rolewarden/pkg/decision"
	"github.com/rolewarden/rolewarden/pkg/finding"
	"github.com/rolewarden/rolewarden/pkg/ledger"
	"github.com/rolewarden/rolewarden/pkg/policy"
	"github.com/rolewarden/rolewarden/pkg/remediate"
	"github.com/rolewarden/rolewarden/pkg/role"
)

// undo takes the role, gives the person's word, writes, and records.
func (g *Guard) undo(ctx context.Context, u Undoing, i ledger.Intent, key ledger.Key, out Undone, document string, dropped []string) (Undone, error) {
	taken, err := g.takeUndoing(ctx, i, key)
	if err != nil {
		return out, err
	}
	// Two people may take the same decision back at once: these are two holders.
	now, holder := g.cfg.Now(), fmt.Sprintf("undo#%s#%d", i.Decision.ID, taken.Attempts)
	if err := g.cfg.Ledger.Lease(ctx, out.Role.Ref(), holder, now, now.Add(leaseFor)); err != nil {
		if errors.Is(err, ledger.ErrLeased) {
			return out, refuse("another event of the role is being handled: try again in two minutes")
		}
		return out, fmt.Errorf("taking the lease of role %s: %w", out.Role.Ref(), err)
	}
	defer func() {
		if err := g.cfg.Ledger.Release(context.WithoutCancel(ctx), out.Role.Ref(), holder); err != nil {
			g.cfg.Log.Warn("could not give a lease back; it ends by itself", "account", out.Role.Account, "role", out.Role.ARN, "reason", err.Error())
		}
	}()
	// Somebody else may have ended it before the lease was ours.
	if _, err := g.takeUndoing(ctx, i, key); err != nil {
		return out, err
	}
	doc, err := policy.Parse([]byte(document))
	if err != nil {
		return out, fmt.Errorf("reading what is put back: %w", err)
	}
	intent := ledger.Intent{
		Event: key, Role: out.Role.Ref(), RoleID: out.Role.ID, Decision: out.Decision, Before: out.Role.TrustPolicy, After: document,
		BeforeDigest: i.AfterDigest, AfterDigest: doc.Digest(out.Role.Partition), ReadAt: out.Role.ReadAt, At: now,
	}
	if before, err := policy.Parse([]byte(intent.Before)); err == nil {
		// IAM may have taken the other form of the quarantine document.
		intent.BeforeDigest = before.Digest(out.Role.Partition)
	}
	if err := g.give(ctx, u, intent, &out); err != nil {
		return out, err
	}
	if err := g.writeBack(ctx, u, intent, &out); err != nil {
		return out, g.unsay(ctx, intent, &out, err)
	}
	out.Outcome.Dropped = append(out.Outcome.Dropped, dropped...)
	if err := g.cfg.Ledger.Conclude(ctx, ledger.Conclusion{Event: key, End: ledger.Reverted, Reason: out.Decision.Reasons[0], At: g.cfg.Now()}); err != nil {
		return out, fmt.Errorf("recording that decision %s is taken back: %w", i.Decision.ID, err)
	}
	return out, nil
}

// takeUndoing records that a decision is being taken back, which is done once.
func (g *Guard) takeUndoing(ctx context.Context, i ledger.Intent, key ledger.Key) (ledger.Taken, error) {
	taken, err := g.cfg.Ledger.Take(ctx, key, g.cfg.Now())
	switch {
	case err != nil:
		return taken, fmt.Errorf("recording that decision %s is taken back: %w", i.Decision.ID, err)
	case taken.End != ledger.InFlight:
		return taken, refuse("decision %s was taken back before", i.Decision.ID)
	}
	return taken, nil
}

// give records a person's word on a document that breaks rules. It stands before
// the write, whose event may be handled before this call ends.
func (g *Guard) give(ctx context.Context, u Undoing, i ledger.Intent, out *Undone) error {
	if out.Report.Verdict == finding.Compliant {
		return nil
	}
	w := ledger.Word{
		Account: out.Role.Account, RoleID: out.Role.ID, Digest: i.AfterDigest, By: u.By, Reason: u.Reason,
		Decision: out.Taken.ID, At: i.At, Until: u.Until,
	}
	if err := g.cfg.Ledger.GiveWord(ctx, w); err != nil {
		return fmt.Errorf("recording the word of %s: %w", u.By, err)
	}
	out.Word = &w
	return nil
}

// unsay takes the word back that was given for a write of which nothing came, and
// gives the error that says why. Else whoever writes the document next would be
// let be, on the word of somebody who was told that nothing was written.
func (g *Guard) unsay(ctx context.Context, i ledger.Intent, out *Undone, why error) error {
	if out.Outcome.Done != decision.Ignore || errors.Is(why, role.ErrUncertain) {
		return why
	}
	why = g.void(ctx, i, why)
	if out.Word == nil {
		return why
	}
	over := *out.Word
	over.At = g.cfg.Now()
	// A word needs a time to stand for.
	over.Until = over.At.Add(time.Millisecond)
	if err := g.cfg.Ledger.GiveWord(context.WithoutCancel(ctx), over); err != nil {
		return fmt.Errorf("%s; nothing was written, and the word that the document stays until %s could not be taken back: %w", why.Error(), out.Word.Until.UTC().Format(time.RFC3339), err)
	}
	out.Word = nil
	return why
}

// writeBack intends and writes, as every other write is. What IAM took is not
// refused any more, also where it does not show: the outcome's problem says so.
func (g *Guard) writeBack(ctx context.Context, u Undoing, i ledger.Intent, out *Undone) error {
	if err := g.cfg.Ledger.Intend(ctx, i); err != nil {
		return fmt.Errorf("recording the intent to undo decision %s: %w", out.Taken.ID, err)
	}
	session, err := g.cfg.Writers.Writer(ctx, out.Role, out.Decision)
	if err != nil {
		return fmt.Errorf("opening a writing session for role %s: %w", out.Role.Ref(), err)
	}
	writing := &switched{IAM: session, g: g, may: func(ctx context.Context) error { return g.mayUndo(ctx, u) }}
	out.Outcome, err = g.remedier.Apply(ctx, writing, remediate.Task{Decision: out.Decision, Role: out.Role, Document: i.After})
	g.written(ctx, i, writing.written)
	if err != nil {
		return fmt.Errorf("putting the trust policy of role %s back: %w", out.Role.Ref(), err)
	}
	if out.Outcome.Done == decision.Ignore {
		return refuse("the trust policy of role %s could not be put back: %s", out.Role.Ref(), out.Outcome.Problem)
	}
	return nil
}
