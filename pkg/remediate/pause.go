package remediate

import (
	"context"
	"time"
)

// pause hands out the waiting time of one Apply, in growing steps, until its
// patience is used up: by waiting, or by calls that took long.
type pause struct {
	config Config
	start  time.Time
	waited time.Duration
	next   time.Duration
}

// firstPause is short: IAM mostly shows a write at once.
const firstPause = 200 * time.Millisecond

func (r *Remediator) pause() *pause {
	return &pause{config: r.config, start: r.config.Now(), next: firstPause}
}

// more waits a step, and says whether there was one left.
func (p *pause) more(ctx context.Context) (bool, error) {
	left := p.config.Patience - max(p.waited, p.config.Now().Sub(p.start))
	if left <= 0 {
		return false, ctx.Err()
	}
	d := min(p.next, left)
	p.waited += d
	p.next *= 2
	if err := p.config.Wait(ctx, d); err != nil {
		return false, err
	}
	return true, nil
}
