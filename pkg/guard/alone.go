package guard

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/rolewarden/rolewarden/pkg/ledger"
	"github.com/rolewarden/rolewarden/pkg/role"
)

// leaseFor is how long a role stays reserved for one handling; longer than a
// Lambda's handling of one message, shorter than anybody would wait for.
const leaseFor = 2 * time.Minute

// errBegun says that another handling of the event has begun to write since
// this one looked, so this one has to look again.
var errBegun = errors.New("another handling of the event has begun to write")

// alone lets one handling go on while no other works on the same role, so that
// the work on a role is done in order, whatever the concurrency. The event is
// taken once more, since another delivery of it may have ended it, or begun to
// write, meanwhile: nothing is done, and nobody told, twice.
func (g *Guard) alone(ctx context.Context, res Result, j *job, do func(job) (Result, error)) (Result, error) {
	if j.alone {
		return do(*j)
	}
	ref := j.bench()
	err := g.lease(ctx, ref, j.holder())
	if s, more := g.settleStep(*j); more && s.RoleName != "" && errors.Is(err, ledger.ErrLeased) {
		res.Reason = "another event of the role is being handled; this one is tried again later"
		return g.postpone(ctx, res, s)
	}
	if err != nil {
		return res, err
	}
	defer g.release(ctx, j.key, ref, j.holder())
	taken, err := g.cfg.Ledger.Take(ctx, j.key, g.cfg.Now())
	if err != nil {
		return res, fmt.Errorf("taking event %s of account %s: %w", j.key.EventID, j.key.Account, err)
	}
	if taken.End != ledger.InFlight {
		return g.ended(ctx, *j, taken)
	}
	if begun(j.taken.Intent, taken.Intent) {
		j.taken.Intent = taken.Intent
		return res, errBegun
	}
	only := *j
	only.alone = true
	return do(only)
}

// begun reports whether an intent is another one than was known.
func begun(was, is *ledger.Intent) bool {
	return is != nil && (was == nil || !was.At.Equal(is.At) || was.Decision.ID != is.Decision.ID)
}

// bench is what is leased for the handling of an event: its role; and what the
// event has to tell, where it is about no role.
func (j job) bench() role.Ref {
	if j.change.RoleName == "" {
		return mailbox(ledger.Letter{Event: j.key})
	}
	return role.Ref{Account: j.change.Account, Name: j.change.RoleName}
}

func (g *Guard) lease(ctx context.Context, ref role.Ref, holder string) error {
	now := g.cfg.Now()
	if err := g.cfg.Ledger.Lease(ctx, ref, holder, now, now.Add(leaseFor)); err != nil {
		return fmt.Errorf("taking the lease of %s: %w", ref, err)
	}
	return nil
}

// release gives a lease back. That it cannot is no trouble: it ends by itself.
func (g *Guard) release(ctx context.Context, k ledger.Key, ref role.Ref, holder string) {
	if err := g.cfg.Ledger.Release(context.WithoutCancel(ctx), ref, holder); err != nil {
		g.cfg.Log.Warn("could not give a lease back; it ends by itself", "event_id", k.EventID, "account", ref.Account, "role", ref.Name, "reason", err.Error())
	}
}
