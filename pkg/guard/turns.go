package guard

import (
	"context"
	"errors"
	"strings"
	"sync"
	"time"

	"github.com/rolewarden/rolewarden/pkg/trail"
)

// What one process handles of one account at once. The first two bounds are for
// any events, the next two for roles that have not been handled within the
// minute: whoever keeps changing one role does not delay what becomes of
// another. A deployment runs several processes, so an account has that many
// times as much; it is more than Terraform asks for, and less than all that the
// processes can do.
const (
	anyBurst, anyRate     = 100, 5.0 // events, and events a second
	freshBurst, freshRate = 200, 2.0
	freshFor              = time.Minute
	// backRate is how many of an account's queued events come back in a second.
	backRate = 10
	// soonest and latest are when a queued event comes back. SQS delays a message
	// by at most 900 s (Amazon SQS API Reference, API_SendMessage: DelaySeconds).
	soonest, latest = time.Second, 890 * time.Second
	// idle is when an account that sent nothing is forgotten: its bounds are
	// whole again by then.
	idle = latest
)

// Turns says whether an event's turn is now, by the events of its account that
// this process has seen: one account's flood must not delay the others (T11).
// It is safe for concurrent use. A nil Turns gives every event its turn.
type Turns struct {
	now      func() time.Time
	mu       sync.Mutex
	accounts map[string]*turn
	swept    time.Time
}

// turn is what is known of one account.
type turn struct {
	any, fresh bucket
	// seen are the roles handled since began.
	seen  map[string]bool
	began time.Time
	// back is when the next queued event may come back.
	back time.Time
	last time.Time
}

// TurnsConfig is what Turns need.
type TurnsConfig struct {
	Now func() time.Time
}

// NewTurns makes Turns in which nobody has had one.
func NewTurns(cfg TurnsConfig) (*Turns, error) {
	if cfg.Now == nil {
		return nil, errors.New("making turns: TurnsConfig.Now is not set")
	}
	return &Turns{now: cfg.Now, accounts: map[string]*turn{}}, nil
}

// Wait is how long an event of an account has to wait for its turn: zero when
// its turn is now, and otherwise between one and 900 seconds. About names the
// role or user that it is about.
func (t *Turns) Wait(account, about string) time.Duration {
	if t == nil {
		return 0
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	now := t.now()
	t.forget(now)
	a := t.accounts[account]
	if a == nil {
		a = &turn{any: bucket{full: anyBurst, rate: anyRate}, fresh: bucket{full: freshBurst, rate: freshRate}}
		t.accounts[account] = a
	}
	a.last = now
	if now.Sub(a.began) >= freshFor || now.Before(a.began) {
		a.seen, a.began = map[string]bool{}, now
	}
	about = strings.ToLower(about)
	if a.any.take(now) || (!a.seen[about] && a.fresh.take(now)) {
		a.seen[about] = true
		return 0
	}
	return a.slot(now)
}

// slot gives a queued event its time: one after the other, and once the longest
// delay is given away from the beginning again, so that what comes back is
// spread evenly however much it is.
func (a *turn) slot(now time.Time) time.Duration {
	if a.back.Before(now.Add(soonest)) || a.back.After(now.Add(latest)) {
		a.back = now.Add(soonest)
	}
	wait := a.back.Sub(now)
	a.back = a.back.Add(time.Second / backRate)
	return wait
}

// forget drops the accounts that sent nothing for long.
func (t *Turns) forget(now time.Time) {
	if now.Sub(t.swept) < freshFor {
		return
	}
	t.swept = now
	for account, a := range t.accounts {
		if now.Sub(a.last) >= idle {
			delete(t.accounts, account)
		}
	}
}

// bucket holds tokens, and gets new ones as time passes; it begins full.
type bucket struct {
	full, rate float64
	used       float64
	at         time.Time
}

// take takes one token, if there is one.
func (b *bucket) take(now time.Time) bool {
	if passed := now.Sub(b.at).Seconds(); passed > 0 {
		b.used = max(0, b.used-passed*b.rate)
		b.at = now
	}
	if b.used+1 > b.full {
		return false
	}
	b.used++
	return true
}

// about names what a change is about: a role, or a user.
func about(c trail.Change) string {
	if c.RoleName != "" {
		return "role/" + c.RoleName
	}
	return "user/" + c.UserName
}

// queue sends an event whose turn has not come to the later queue. Nothing is
// recorded yet: until it comes back it is in flight there, and when it does it
// is handled whatever else its account sends.
func (g *Guard) queue(ctx context.Context, j job, wait time.Duration) (Result, error) {
	return g.postpone(ctx, Result{Key: j.key, Change: j.change, Reason: "its account sends more events than are handled at once; this one is handled later"}, Step{
		Account: j.change.Account, RoleName: j.change.RoleName, RoleID: j.change.RoleID,
		Step: Queued, NotBefore: g.cfg.Now().Add(wait), Attempt: 1, Change: j.change,
	})
}
