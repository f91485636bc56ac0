// Package canary proves that the whole way is open, from an IAM call in an
// account to a decision in the ledger.
//
// It takes the accounts that ought to be covered and gives a Report. Once a run
// it looks, in each of them, at a role of its own: when it changed that role
// last, and whether and when guard decided on the change. It also looks at the
// rule that sends the account's events on, since a rule may let the canary's own
// events through and nobody else's. Then it changes the role again, for the next
// run to ask about. It remembers nothing itself: when the role was changed
// stands in the role, and which roles there were before it in the ledger.
//
// It writes no other role, and that one lets nobody in. It never counts an
// account that it could not look at as one that is fine.
package canary

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/rolewarden/rolewarden/pkg/ledger"
	"github.com/rolewarden/rolewarden/pkg/meter"
	"github.com/rolewarden/rolewarden/pkg/notify"
	"github.com/rolewarden/rolewarden/pkg/role"
)

// Accounts lists the accounts that ought to be covered. Where a part of them
// cannot be listed it gives the others, and the error.
type Accounts interface {
	Accounts(ctx context.Context) ([]string, error)
}

// Sessions enters accounts. The errors of a session and of opening it wrap those
// of the room role where they apply.
type Sessions interface {
	// Open opens a session that can read and change an account's target, read its
	// rule, and nothing else. The target is the role deployment.CanaryTarget in
	// the path deployment.CanaryPath.
	Open(ctx context.Context, account string) (Session, error)
}

// Session is good for one account's target and rule.
type Session interface {
	// Role reads the target as it stands now.
	Role(ctx context.Context) (role.Role, error)
	// Rule reads the rule that sends the account's events on; the error wraps
	// role.ErrNotFound where there is none.
	Rule(ctx context.Context) (Rule, error)
	// Write replaces the target's trust policy.
	Write(ctx context.Context, document string) error
}

// Rule is a rule of EventBridge as an account has it.
type Rule struct {
	Name string
	// State is EventBridge's word, such as "ENABLED" or "DISABLED".
	State string
	// Pattern is the event pattern, JSON.
	Pattern string
}

// Ledger is what the canary asks of the ledger. It writes nothing there, so
// that whoever takes over the canary cannot make up a past.
type Ledger interface {
	State(ctx context.Context, account, roleID string) (s ledger.RoleState, ok bool, err error)
	// Trusting is asked with the key of kind ledger.OwnName, under which a role is
	// remembered by its own name.
	Trusting(ctx context.Context, p ledger.PrincipalKey) ([]ledger.RoleState, error)
}

// Meter counts.
type Meter interface {
	Put(samples ...meter.Sample)
}

// Config is what a Canary needs. Every field is required but those that name
// what stands for zero.
type Config struct {
	Accounts Accounts
	Sessions Sessions
	Ledger   Ledger
	Channel  notify.Channel
	Meter    Meter
	Now      func() time.Time
	Log      *slog.Logger
	// Partition is "aws" when empty.
	Partition string
	// Grace is how long a decision may take until it counts as missed;
	// DefaultGrace when zero.
	Grace time.Duration
	// Fresh is how old a change may be and still prove something about now:
	// somewhat more than two intervals between runs, so that one run may fail.
	// DefaultFresh when zero.
	Fresh time.Duration
	// Parallel is how many accounts are looked at side by side; 8 when zero.
	Parallel int
}

const (
	// DefaultGrace is shorter than the shortest interval between runs, 15
	// minutes, by more than a schedule and a run vary: whatever a run has
	// written has to count at the next one, or what is shut would show a run
	// too late (T10).
	DefaultGrace = 10 * time.Minute
	// DefaultFresh fits the longest interval, a day.
	DefaultFresh = 49 * time.Hour

	defaultParallel = 8
)

// Canary runs. It is safe for concurrent use, though two runs at a time get in
// each other's way and say so.
type Canary struct{ cfg Config }

// New makes a Canary, or says which part is missing.
func New(cfg Config) (*Canary, error) {
	var wrong []error
	for _, part := range []struct {
		name   string
		absent bool
	}{
		{"Accounts", cfg.Accounts == nil},
		{"Sessions", cfg.Sessions == nil},
		{"Ledger", cfg.Ledger == nil},
		{"Channel", cfg.Channel == nil},
		{"Meter", cfg.Meter == nil},
		{"Now", cfg.Now == nil},
		{"Log", cfg.Log == nil},
	} {
		if part.absent {
			wrong = append(wrong, fmt.Errorf("making the canary: Config.%s is not set", part.name))
		}
	}
	if cfg.Partition == "" {
		cfg.Partition = "aws"
	}
	if cfg.Grace == 0 {
		cfg.Grace = DefaultGrace
	}
	if cfg.Fresh == 0 {
		cfg.Fresh = DefaultFresh
	}
	if cfg.Parallel == 0 {
		cfg.Parallel = defaultParallel
	}
	if cfg.Grace < 0 || cfg.Fresh <= cfg.Grace || cfg.Parallel < 0 {
		wrong = append(wrong, fmt.Errorf("making the canary: Grace %s, Fresh %s and Parallel %d do not fit: Fresh must be longer than Grace, and none below zero", cfg.Grace, cfg.Fresh, cfg.Parallel))
	}
	if err := errors.Join(wrong...); err != nil {
		return nil, err
	}
	return &Canary{cfg: cfg}, nil
}
