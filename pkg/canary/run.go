package canary

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"slices"
	"sync"
	"time"

	"github.com/rolewarden/rolewarden/pkg/meter"
)

// Run looks at every account once, tells what is wrong, and counts. Everything
// it found is in the Report; the error says what kept it from telling all or
// from looking everywhere, so that whoever runs it sees that too.
//
// A document that shows something wrong is written over only after it was told:
// when telling fails, the next run finds and tells the same.
func (c *Canary) Run(ctx context.Context) (Report, error) {
	ids, listing := c.list(ctx)
	probes := c.lookAll(ctx, ids)
	report := reportOf(probes)
	told, telling := c.tell(ctx, report, listing)
	if telling == nil {
		c.each(ctx, probes, func(ctx context.Context, p *probe) *probe {
			return c.again(ctx, p)
		})
	}
	report = reportOf(probes)
	report.Told = told
	c.count(report)
	c.log(report, listing)
	return report, errors.Join(listing, telling)
}

// errNobody is told where no account ought to be covered: then nothing is
// proven either.
var errNobody = errors.New("listing the accounts to cover: there is none: name roots or organizational units that hold active accounts")

// list gives the accounts, each once.
func (c *Canary) list(ctx context.Context) ([]string, error) {
	ids, err := c.cfg.Accounts.Accounts(ctx)
	ids = slices.Clone(ids)
	slices.Sort(ids)
	ids = slices.Compact(ids)
	if err == nil && len(ids) == 0 {
		err = errNobody
	}
	return ids, err
}

// forTelling is the time that is kept for telling; of a short run it is a third.
const forTelling = 20 * time.Second

// lookAll looks at the accounts while there is time; those whose turn does not
// come stay NotLooked.
func (c *Canary) lookAll(ctx context.Context, ids []string) []*probe {
	if end, ok := ctx.Deadline(); ok {
		left := end.Sub(c.cfg.Now())
		var cancel context.CancelFunc
		ctx, cancel = context.WithDeadline(ctx, end.Add(-min(forTelling, left/3)))
		defer cancel()
	}
	probes := make([]*probe, len(ids))
	for i, id := range ids {
		probes[i] = &probe{Account: Account{ID: id, Why: "the time of the run was up before this account's turn came"}}
	}
	c.each(ctx, probes, func(ctx context.Context, p *probe) *probe { return c.look(ctx, p.ID) })
	return probes
}

// again changes a target that showed something wrong and may be written: the
// next run asks about the new document.
func (c *Canary) again(ctx context.Context, p *probe) *probe {
	if p.State != Missed || p.session == nil {
		return p
	}
	was := *p
	if c.change(ctx, p); p.Change != Changed {
		// It was told as missed, and the next run finds it missed again.
		change, why := p.Change, p.Why
		*p = was
		p.Change, p.Why = change, was.Why+"; nor could it be changed: "+why
	}
	return p
}

// each does something for every account, side by side, until the time is up. A
// panic is one account's and nobody else's.
func (c *Canary) each(ctx context.Context, probes []*probe, do func(context.Context, *probe) *probe) {
	next := make(chan int)
	var workers sync.WaitGroup
	for range min(c.cfg.Parallel, len(probes)) {
		workers.Go(func() {
			for i := range next {
				if ctx.Err() == nil {
					probes[i] = c.guarded(ctx, probes[i], do)
				}
			}
		})
	}
	for i := range probes {
		next <- i
	}
	close(next)
	workers.Wait()
}

func (c *Canary) guarded(ctx context.Context, p *probe, do func(context.Context, *probe) *probe) (out *probe) {
	defer func() {
		if v := recover(); v != nil {
			out = &probe{Account: Account{ID: p.ID, State: Unknown, Why: fmt.Sprintf("looking at the account ran into a mistake in rolewarden's code: %v", v)}}
			c.cfg.Log.Error("panic", meter.Key, meter.WordPanic, "account", p.ID, "reason", fmt.Sprint(v), "stack", string(debug.Stack()))
		}
	}()
	return do(ctx, p)
}

func reportOf(probes []*probe) Report {
	r := Report{Accounts: make([]Account, len(probes))}
	for i, p := range probes {
		r.Accounts[i] = p.Account
	}
	return r
}
