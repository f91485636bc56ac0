package sweep

import (
	"context"
	"fmt"
	"maps"
	"slices"
)

// mostGone is how many roles of an account are looked for in one sweep; the next
// takes the others.
const mostGone = 100

// gone looks for the roles that an earlier sweep saw and this one, which has read
// all of the account, did not: nothing else tells of a role whose deletion was
// lost. A role that came and went between two sweeps, and both of whose events
// were lost or whose deletion was, is not looked for.
func (s *Sweeper) gone(ctx context.Context, v *visit) error {
	k, err := s.residents(ctx, v)
	if err != nil {
		return err
	}
	var missing []string
	for _, id := range slices.Sorted(maps.Keys(k.roles)) {
		if !v.seen[markOf(id)] && len(missing) < mostGone {
			missing = append(missing, id)
		}
	}
	for _, id := range missing {
		if s.short(v) {
			return errShort
		}
		if err := s.vanished(ctx, v, id); err != nil {
			return err
		}
	}
	left, err := s.departed(ctx, v, k)
	if err != nil {
		return err
	}
	// Users and roles that went stay marked, since a unique id never comes again,
	// until they are many: an account whose roles come and go every day would grow
	// without end, and one with as many roles and users as IAM allows (10,000 and
	// 5,000: IAM User Guide, reference_iam-quotas) beyond what the ledger takes.
	crowded := v.whole == wholly && len(k.marks) > len(v.current)+len(v.current)/2+1000
	if crowded {
		k.marks = v.current
	}
	if !crowded && len(missing) == 0 && left == 0 {
		return nil
	}
	return s.saveKnown(ctx, v)
}

// vanished looks for one role, and forgets it where it is gone.
func (s *Sweeper) vanished(ctx context.Context, v *visit, id string) error {
	recalled, err := s.cfg.Ledger.Recall(ctx, v.saved.Account, id)
	if err != nil {
		return fmt.Errorf("recalling role %s, which is not there any more: %w", id, err)
	}
	p, known, err := s.cfg.Ledger.Identify(ctx, id)
	if err != nil {
		return fmt.Errorf("asking who %s was: %w", id, err)
	}
	// A deletion resolves one role of a name; what is open about another is left.
	if s := recalled.State; s == nil || known && !p.DeletedAt.IsZero() && s.AlertID == "" {
		delete(v.known.roles, id)
		return nil
	}
	res, err := s.cfg.Line.Vanished(ctx, v.saved.Sweep, *recalled.State)
	if err != nil {
		return err
	}
	if res.Concluded() {
		v.counts[countGone]++
		delete(v.known.roles, id)
	}
	return nil
}

// departed looks for the users whom an earlier sweep saw and this run, which has
// read all of the account, did not, and says how many it forgot. A user whose
// account no run reads to its end at once is not looked for.
func (s *Sweeper) departed(ctx context.Context, v *visit, k *known) (forgotten int, err error) {
	if v.whole != wholly {
		return 0, nil
	}
	var missing []string
	for _, id := range slices.Sorted(maps.Keys(k.users)) {
		if !v.users[id] && len(missing) < mostGone {
			missing = append(missing, id)
		}
	}
	for _, id := range missing {
		if s.short(v) {
			return forgotten, errShort
		}
		p, known, err := s.cfg.Ledger.Identify(ctx, id)
		if err != nil {
			return forgotten, fmt.Errorf("asking who %s was: %w", id, err)
		}
		gone := !known || !p.DeletedAt.IsZero()
		if !gone {
			if gone, err = s.cfg.Line.Departed(ctx, v.saved.Sweep, p); err != nil {
				return forgotten, err
			}
		}
		if gone {
			delete(k.users, id)
			forgotten++
		}
	}
	return forgotten, nil
}
