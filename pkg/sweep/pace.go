package sweep

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/rolewarden/rolewarden/pkg/role"
)

// Pace lets a call into an account happen when it is time for it.
type Pace interface {
	Wait(ctx context.Context, account string) error
}

// Steady is a Pace of so many calls a second into each account, one after the
// other. IAM's own limits are not published and are shared with everybody who
// works in the account, so a sweep stays far below them.
type Steady struct {
	cfg  SteadyConfig
	mu   sync.Mutex
	next map[string]time.Time
}

// SteadyConfig is what a Steady needs.
type SteadyConfig struct {
	// PerSecond is how many calls; DefaultPerSecond when zero.
	PerSecond int
	Now       func() time.Time
	// Wait lets time pass.
	Wait func(ctx context.Context, d time.Duration) error
}

// DefaultPerSecond is how many calls a sweep makes into one account.
const DefaultPerSecond = 5

// NewSteady makes a Steady.
func NewSteady(cfg SteadyConfig) *Steady {
	if cfg.PerSecond == 0 {
		cfg.PerSecond = DefaultPerSecond
	}
	return &Steady{cfg: cfg, next: map[string]time.Time{}}
}

// Wait implements Pace.
func (s *Steady) Wait(ctx context.Context, account string) error {
	s.mu.Lock()
	now := s.cfg.Now()
	at := s.next[account]
	if at.Before(now) {
		at = now
	}
	s.next[account] = at.Add(time.Second / time.Duration(s.cfg.PerSecond))
	s.mu.Unlock()
	if d := at.Sub(now); d > 0 {
		if err := s.cfg.Wait(ctx, d); err != nil {
			return fmt.Errorf("waiting to call account %s: %w", account, err)
		}
	}
	return ctx.Err()
}

// Polite is a Reader at a Pace. Give it to guard too: it reads into the same accounts.
type Polite struct {
	Reader Reader
	Pace   Pace
}

// Role reads a role as it stands now.
func (p Polite) Role(ctx context.Context, r role.Ref) (role.Role, error) {
	if err := p.Pace.Wait(ctx, r.Account); err != nil {
		return role.Role{}, err
	}
	return p.Reader.Role(ctx, r)
}

// PrincipalID reads the unique id that an ARN stands for now.
func (p Polite) PrincipalID(ctx context.Context, arn string) (string, error) {
	if err := p.Pace.Wait(ctx, accountIn(arn)); err != nil {
		return "", err
	}
	return p.Reader.PrincipalID(ctx, arn)
}

func accountIn(arn string) string {
	parts := strings.SplitN(arn, ":", 6)
	if len(parts) < 6 {
		return ""
	}
	return parts[4]
}
