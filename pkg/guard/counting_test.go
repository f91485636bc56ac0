package guard_test

import (
	"context"
	"errors"
	"time"

	"github.com/rolewarden/rolewarden/pkg/decision"
	"github.com/rolewarden/rolewarden/pkg/finding"
	"github.com/rolewarden/rolewarden/pkg/ledger"
)

// counting counts the calls to a ledger.
type counting struct {
	ledger.Ledger
	n           int
	switchErr   error
	takeErr     error
	intendErr   error
	concludeErr error
	// deliveredErr fails the record that a letter was told.
	deliveredErr error
	// intending runs before each intent; switchAs is a position that is none.
	intending func()
	switchAs  decision.Switch
	// recalling changes what is recalled of a role, as somebody at the table may.
	recalling func(*ledger.Recalled)
	// takeAs is what the next taking answers in place of the truth.
	takeAs *ledger.Taken
	// concluding runs before each conclusion.
	concluding func()
	// ends counts how often it was asked who was deleted, which endsErr fails.
	ends        int
	endsErr     error
	identifyErr error
	decidedErr  error
}

var errDown = errors.New("the table does not answer")

func (c *counting) Decided(ctx context.Context, id string) (ledger.Intent, ledger.End, bool, error) {
	if c.decidedErr != nil {
		return ledger.Intent{}, ledger.InFlight, false, c.decidedErr
	}
	return c.Ledger.Decided(ctx, id)
}

// States reads the whole table: no handling of an event may.
func (c *counting) States(context.Context, string, func(ledger.RoleState) error) error {
	return errors.New("the whole table is read on the event path")
}

func (c *counting) Identify(ctx context.Context, id string) (finding.Principal, bool, error) {
	if c.identifyErr != nil {
		return finding.Principal{}, false, c.identifyErr
	}
	return c.Ledger.Identify(ctx, id)
}

func (c *counting) Ends(ctx context.Context, names []ledger.PrincipalKey) ([]ledger.Deletion, error) {
	c.ends++
	if c.endsErr != nil {
		return nil, c.endsErr
	}
	return c.Ledger.Ends(ctx, names)
}

func (c *counting) Intend(ctx context.Context, i ledger.Intent) error {
	if c.intending != nil {
		c.intending()
	}
	if c.intendErr != nil {
		return c.intendErr
	}
	return c.Ledger.Intend(ctx, i)
}

func (c *counting) Take(ctx context.Context, k ledger.Key, at time.Time) (ledger.Taken, error) {
	c.n++
	if c.takeErr != nil {
		return ledger.Taken{}, c.takeErr
	}
	if as := c.takeAs; as != nil {
		c.takeAs = nil
		return *as, nil
	}
	return c.Ledger.Take(ctx, k, at)
}

func (c *counting) Recall(ctx context.Context, account, id string) (ledger.Recalled, error) {
	c.n++
	r, err := c.Ledger.Recall(ctx, account, id)
	if c.recalling != nil {
		c.recalling(&r)
	}
	return r, err
}

func (c *counting) State(ctx context.Context, account, id string) (ledger.RoleState, bool, error) {
	c.n++
	return c.Ledger.State(ctx, account, id)
}

func (c *counting) Conclude(ctx context.Context, x ledger.Conclusion) error {
	c.n++
	if c.concluding != nil {
		c.concluding()
	}
	if c.concludeErr != nil {
		return c.concludeErr
	}
	return c.Ledger.Conclude(ctx, x)
}

func (c *counting) Delivered(ctx context.Context, l ledger.Letter) error {
	if c.deliveredErr != nil {
		return c.deliveredErr
	}
	return c.Ledger.Delivered(ctx, l)
}

func (c *counting) Switch(ctx context.Context) (decision.Switch, error) {
	c.n++
	if c.switchErr != nil {
		return decision.Unreadable, c.switchErr
	}
	if c.switchAs != 0 {
		return c.switchAs, nil
	}
	return c.Ledger.Switch(ctx)
}
