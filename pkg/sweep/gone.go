package sweep

import (
	"context"
	"errors"
	"fmt"

	"github.com/rolewarden/rolewarden/pkg/ledger"
	"github.com/rolewarden/rolewarden/pkg/meter"
	"github.com/rolewarden/rolewarden/pkg/role"
)

// vanished is what is known of the roles that are remembered and were not seen.
type vanished struct {
	// count is how many are gone without an event.
	count int
	// partly says why not all were looked for; empty when all were.
	partly string
}

// mostGone is how many roles are looked for in one sweep: an account whose roles
// all went is told of as well by fewer, and the next sweep takes the others.
const mostGone = 500

// gone looks for the roles that the ledger remembers and that were not seen in
// accounts which were read to their end. It reads the whole ledger once for a
// sweep: nothing else tells of a role whose deletion was lost.
func (s *Sweeper) gone(ctx context.Context, sweep ledger.Sweep, accounts []ledger.SweptAccount) (vanished, error) {
	seen := map[string]map[uint32]bool{}
	for _, a := range accounts {
		t, err := tallyOf(a)
		if a.Ended.IsZero() || a.Problem != "" || err != nil {
			continue
		}
		seen[a.Account] = t.seen
	}
	var out vanished
	var missing []ledger.RoleState
	err := s.cfg.Ledger.States(ctx, "", func(st ledger.RoleState) error {
		roles, read := seen[st.Account]
		switch {
		case !read || roles[markOf(st.RoleID)] || st.RoleID == "" || !st.UpdatedAt.Before(sweep.At):
			return nil
		case s.short(ctx):
			return errShort
		case len(missing) == mostGone:
			return errEnough
		}
		p, known, err := s.cfg.Ledger.Identify(ctx, st.RoleID)
		if err == nil && (!known || p.DeletedAt.IsZero()) {
			missing = append(missing, st)
		}
		return err
	})
	switch {
	case errors.Is(err, errShort):
		out.partly = "there was no time to look for all roles that were not seen"
	case errors.Is(err, errEnough):
		out.partly = fmt.Sprintf("only %d of the roles that were not seen were looked for", mostGone)
	case err != nil:
		// What can be read is not kept back for what cannot.
		out.partly = "not all that is remembered of roles could be read: " + err.Error()
		s.cfg.Log.Error("the roles that vanished are not all known", meter.Key, meter.WordTrouble, "sweep", sweep.ID, "reason", err.Error())
	}
	for _, st := range missing {
		if s.short(ctx) {
			out.partly = "there was no time to look for all roles that were not seen"
			break
		}
		res, err := s.cfg.Line.Vanished(ctx, sweep.ID, st)
		switch {
		case errors.Is(err, role.ErrThrottled), errors.Is(err, role.ErrAccessDenied):
			out.partly = "some roles that were not seen could not be looked for: " + err.Error()
		case err != nil:
			return out, err
		case res.Concluded():
			out.count++
		}
	}
	return out, nil
}

// errEnough ends a search that has found enough.
var errEnough = errors.New("enough was found")
