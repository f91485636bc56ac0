package cli

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/rolewarden/rolewarden/pkg/ledger"
)

// hurried is a clock on which nobody waits: a lab goes on while a sweep is closed.
type hurried struct{ clock }

// Wait lets no time pass.
func (hurried) Wait(ctx context.Context, _ time.Duration) error { return ctx.Err() }

// timeless is a context that ends like another and whose deadline is not known:
// that is in the time of the machine, and a lab's passes faster.
type timeless struct{ context.Context }

// Deadline gives none.
func (timeless) Deadline() (time.Time, bool) { return time.Time{}, false }

// ripening gives the roles of a lab whose trust policy has stood for long enough
// to be sealed, and when the next one has; zero where none is on its way.
func (h *house) ripening(ctx context.Context) (ripe []ledger.RoleState, next time.Time, err error) {
	now := h.clock.Now()
	err = h.ledger.States(ctx, "", func(s ledger.RoleState) error {
		known, err := h.ledger.Recall(ctx, s.Account, s.RoleID)
		c := known.Candidate
		if err != nil || c == nil || c.Digest != s.Digest || isSealed(known) {
			return err
		}
		due := c.Since.Add(h.rules.Baselines.Age)
		switch {
		case !due.After(now):
			ripe = append(ripe, s)
		case next.IsZero() || due.Before(next):
			next = due
		}
		return nil
	})
	return ripe, next, err
}

// isSealed says whether a candidate is a baseline already.
func isSealed(r ledger.Recalled) bool {
	for _, b := range r.Baselines {
		if b.Digest == r.Candidate.Digest && len(b.Seal) > 0 && b.Provenance >= r.Candidate.Provenance {
			return true
		}
	}
	return false
}

// ripen has a sweep seal what has stood for long enough, says so, and tells when
// there is more to seal. A document that a sweep does not seal is tried again
// after a while.
func (h *house) ripen(ctx context.Context, s *session) (next time.Time, err error) {
	ripe, next, err := h.ripening(ctx)
	if err != nil || len(ripe) == 0 {
		return next, err
	}
	again := h.swept.Add(h.rules.Baselines.Age / 4)
	if h.clock.Now().Before(again) {
		return again, nil
	}
	h.swept = h.clock.Now()
	if next.IsZero() {
		next = h.swept.Add(h.rules.Baselines.Age / 4)
	}
	if err := h.sweepOn(timeless{ctx}, hurried{h.clock}); err != nil {
		return next, err
	}
	var b strings.Builder
	for _, r := range ripe {
		known, err := h.ledger.Recall(ctx, r.Account, r.RoleID)
		if err != nil {
			return next, err
		}
		if known.Candidate != nil && isSealed(known) {
			scene{
				Time: h.clock.Now(), Kind: Handled, Account: r.Account, Who: "rolewarden",
				Text: fmt.Sprintf("the trust policy of %s is a baseline now: it has stood for %s, and a sweep has sealed it", r.Name, h.rules.Baselines.Age),
			}.print(&b, 1)
		}
	}
	return next, s.show(b.String())
}
