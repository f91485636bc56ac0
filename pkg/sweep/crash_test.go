package sweep_test

import (
	"context"
	"time"

	"github.com/rolewarden/rolewarden/pkg/ledger"
	"github.com/rolewarden/rolewarden/pkg/role"
)

// crashing is the ledger whose every call may be the last of a run: half of
// them before their effect, half of them after it.
type crashing struct {
	ledger.Ledger
	s *sweeping
}

func (c crashing) Take(ctx context.Context, k ledger.Key, at time.Time) (ledger.Taken, error) {
	if err := c.s.step(); err != nil {
		return ledger.Taken{}, err
	}
	return c.Ledger.Take(ctx, k, at)
}

func (c crashing) Conclude(ctx context.Context, x ledger.Conclusion) error {
	if err := c.s.step(); err != nil {
		return err
	}
	if err := c.Ledger.Conclude(ctx, x); err != nil {
		return err
	}
	return c.s.step()
}

func (c crashing) SetCandidate(ctx context.Context, b role.Baseline) error {
	if err := c.s.step(); err != nil {
		return err
	}
	if err := c.Ledger.SetCandidate(ctx, b); err != nil {
		return err
	}
	return c.s.step()
}

func (c crashing) AddBaseline(ctx context.Context, b role.Baseline) error {
	if err := c.s.step(); err != nil {
		return err
	}
	if err := c.Ledger.AddBaseline(ctx, b); err != nil {
		return err
	}
	return c.s.step()
}

func (c crashing) SaveSwept(ctx context.Context, a ledger.SweptAccount) error {
	if err := c.s.step(); err != nil {
		return err
	}
	if err := c.Ledger.SaveSwept(ctx, a); err != nil {
		return err
	}
	c.s.saved[a.Sweep]++
	return c.s.step()
}

func (c crashing) Post(ctx context.Context, token string, l ledger.Letter) (ledger.Firstness, error) {
	if err := c.s.step(); err != nil {
		return ledger.Again, err
	}
	f, err := c.Ledger.Post(ctx, token, l)
	if err != nil {
		return f, err
	}
	return f, c.s.step()
}

func (c crashing) Delivered(ctx context.Context, l ledger.Letter) error {
	if err := c.s.step(); err != nil {
		return err
	}
	if err := c.Ledger.Delivered(ctx, l); err != nil {
		return err
	}
	return c.s.step()
}

func (c crashing) Undelivered(ctx context.Context, limit int) ([]ledger.Letter, error) {
	if err := c.s.step(); err != nil {
		return nil, err
	}
	return c.Ledger.Undelivered(ctx, limit)
}

func (c crashing) BeginSweep(ctx context.Context, x ledger.Sweep) (ledger.Firstness, error) {
	if err := c.s.step(); err != nil {
		return ledger.Again, err
	}
	f, err := c.Ledger.BeginSweep(ctx, x)
	if err != nil {
		return f, err
	}
	return f, c.s.step()
}

func (c crashing) Spend(ctx context.Context, token string, at time.Time, counters []ledger.Counter) error {
	if err := c.s.step(); err != nil {
		return err
	}
	if err := c.Ledger.Spend(ctx, token, at, counters); err != nil {
		return err
	}
	return c.s.step()
}

func (c crashing) Record(ctx context.Context, ids []ledger.Identity) error {
	if err := c.s.step(); err != nil {
		return err
	}
	return c.Ledger.Record(ctx, ids)
}

func (c crashing) Recall(ctx context.Context, account, id string) (ledger.Recalled, error) {
	if err := c.s.step(); err != nil {
		return ledger.Recalled{}, err
	}
	return c.Ledger.Recall(ctx, account, id)
}

func (c crashing) Swept(ctx context.Context, id, account string) (ledger.SweptAccount, bool, error) {
	if err := c.s.step(); err != nil {
		return ledger.SweptAccount{}, false, err
	}
	return c.Ledger.Swept(ctx, id, account)
}

func (c crashing) Sweeping(ctx context.Context, id string) (ledger.Sweep, []ledger.SweptAccount, bool, error) {
	if err := c.s.step(); err != nil {
		return ledger.Sweep{}, nil, false, err
	}
	return c.Ledger.Sweeping(ctx, id)
}
