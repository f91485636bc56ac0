package awsapi

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
)

// PaceConfig is what a Pace needs.
type PaceConfig struct {
	// Now is the clock, Wait lets time pass and ends with its context.
	Now  func() time.Time
	Wait func(ctx context.Context, d time.Duration) error
	// PerSecond is how many calls there may be in a second for one account;
	// zero means DefaultPerSecond.
	PerSecond int
}

// DefaultPerSecond leaves most of an account's share of IAM's calls to others.
// IAM's rates are not published; its buckets are an account's, and everything
// else in the account draws from them too.
const DefaultPerSecond = 5

// Pace spaces out calls, for each account by itself: no account waits for
// another. It is safe for concurrent use.
type Pace struct {
	cfg   PaceConfig
	every time.Duration
	mu    sync.Mutex
	next  map[string]time.Time
}

// NewPace makes one, or says what is wrong with its PaceConfig.
func NewPace(cfg PaceConfig) (*Pace, error) {
	if cfg.Now == nil || cfg.Wait == nil {
		return nil, errors.New("making a pace: Now and Wait are needed: give time.Now and a wait that ends with its context")
	}
	if cfg.PerSecond == 0 {
		cfg.PerSecond = DefaultPerSecond
	}
	if cfg.PerSecond < 0 || cfg.PerSecond > 1000 {
		return nil, fmt.Errorf("making a pace: PerSecond is %d: give 1 to 1000", cfg.PerSecond)
	}
	return &Pace{cfg: cfg, every: time.Second / time.Duration(cfg.PerSecond), next: map[string]time.Time{}}, nil
}

// Turn waits until it is the caller's turn to call for an account. Turns come in
// the order in which they are asked for, evenly spaced; one that was waited for
// in vain is spent all the same.
func (p *Pace) Turn(ctx context.Context, account string) error {
	p.mu.Lock()
	now := p.cfg.Now()
	at := p.next[account]
	if at.Before(now) {
		at = now
	}
	p.next[account] = at.Add(p.every)
	p.mu.Unlock()
	if d := at.Sub(now); d > 0 {
		if err := p.cfg.Wait(ctx, d); err != nil {
			return fmt.Errorf("waiting for a turn in account %s: %w", account, err)
		}
	}
	return nil
}

// patient is the retryer of a call that reads, which waits for a turn before
// each attempt: what IAM throttled and the SDK repeats counts too.
func (p *Pace) patient(account string) aws.Retryer { return paced{patient(), p, account} }

// paced waits for a turn before each attempt.
type paced struct {
	*retry.Standard
	pace    *Pace
	account string
}

var _ aws.RetryerV2 = paced{}

// GetAttemptToken implements aws.RetryerV2; the SDK calls it before each attempt.
func (p paced) GetAttemptToken(ctx context.Context) (func(error) error, error) {
	if err := p.pace.Turn(ctx, p.account); err != nil {
		return nil, err
	}
	return p.Standard.GetAttemptToken(ctx)
}
