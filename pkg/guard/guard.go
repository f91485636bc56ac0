// Package guard is the line, end to end: from an EventBridge envelope to a
// role that is left, tagged, reverted or quarantined, and an alert.
//
// It takes message bodies, one at a time, and gives a Result. It defines the
// small interfaces that it needs and wires the rooms below in one direction:
// envelope, change, live role, document, findings, decision, outcome, alert,
// ledger. It judges nothing itself and speaks to no AWS service itself. A
// message ends in exactly one recorded end, in a recorded next step, or in an
// error that makes the queue deliver it again.
package guard

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/rolewarden/rolewarden/pkg/alert"
	"github.com/rolewarden/rolewarden/pkg/decision"
	"github.com/rolewarden/rolewarden/pkg/finding"
	"github.com/rolewarden/rolewarden/pkg/ledger"
	"github.com/rolewarden/rolewarden/pkg/notify"
	"github.com/rolewarden/rolewarden/pkg/org"
	"github.com/rolewarden/rolewarden/pkg/remediate"
	"github.com/rolewarden/rolewarden/pkg/role"
	"github.com/rolewarden/rolewarden/pkg/trail"
)

// Reader reads roles and principals in any account, under narrow credentials.
// Its errors wrap role.ErrNotFound, role.ErrAccessDenied or role.ErrThrottled
// where they apply.
type Reader interface {
	// Role reads a role by account and name, as it stands now.
	Role(ctx context.Context, r role.Ref) (role.Role, error)
	// PrincipalID gives the unique id that a user's or role's ARN stands for
	// now; role.ErrNotFound when nothing has that ARN.
	PrincipalID(ctx context.Context, arn string) (string, error)
}

// Writers opens sessions that may write one role, and only do what one
// decision needs.
type Writers interface {
	Writer(ctx context.Context, r role.Role, d decision.Decision) (remediate.IAM, error)
}

// Containers opens sessions that may set the permissions boundary of one role,
// and do nothing else.
type Containers interface {
	Container(ctx context.Context, r role.Role, d decision.Decision) (remediate.Boundaries, error)
}

// Seals verifies that a baseline is what was sealed. An error that is
// role.ErrSealBroken says that it is not; any other that it is not known.
type Seals interface {
	Verify(ctx context.Context, b role.Baseline) error
}

// Members asks Organizations whether an account belongs to the organization
// now; an account may have joined a minute ago.
type Members interface {
	Confirm(ctx context.Context, account string) (org.Membership, error)
}

// Later takes a step that has to wait. Nobody sleeps longer than Patience.
type Later interface {
	Send(ctx context.Context, s Step) error
}

// Config is what a Guard needs. Every field is required but Members, which may
// be nil where there is no organization; Census, without which an id is called
// an orphan only where its deletion was told; Seals, without which no baseline
// is ever gone back to; Containers, without which no session is ended; and
// Turns, without which every event is handled as it comes.
type Config struct {
	Rules      *org.Rules
	Reader     Reader
	Writers    Writers
	Members    Members
	Census     Census
	Seals      Seals
	Containers Containers
	Ledger     ledger.Ledger
	Channel    notify.Channel
	Later      Later
	Turns      *Turns
	Now        func() time.Time
	// Wait waits, at most Patience in all for one message.
	Wait func(ctx context.Context, d time.Duration) error
	Log  *slog.Logger
}

// Patience is the longest that the handling of one message waits for IAM to
// show what was written.
const Patience = 5 * time.Second

// Wait is the Config.Wait of real time. It ends with its context, and gives its error.
func Wait(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}

// Guard handles messages. It is safe for concurrent use.
type Guard struct {
	cfg      Config
	remedier *remediate.Remediator
	counted  counted
}

// New makes a Guard, or says which part is missing.
func New(cfg Config) (*Guard, error) {
	var missing []error
	for name, absent := range map[string]bool{
		"Rules": cfg.Rules == nil, "Reader": cfg.Reader == nil, "Writers": cfg.Writers == nil,
		"Ledger": cfg.Ledger == nil, "Channel": cfg.Channel == nil, "Later": cfg.Later == nil,
		"Now": cfg.Now == nil, "Wait": cfg.Wait == nil, "Log": cfg.Log == nil,
	} {
		if absent {
			missing = append(missing, fmt.Errorf("making the guard: Config.%s is not set", name))
		}
	}
	if len(missing) > 0 {
		return nil, errors.Join(missing...)
	}
	r, err := remediate.New(remediate.Config{Now: cfg.Now, Wait: cfg.Wait, Patience: Patience})
	if err != nil {
		return nil, fmt.Errorf("making the guard: %w", err)
	}
	return &Guard{cfg: cfg, remedier: r}, nil
}

// Result is how the handling of one message ended, for people and tests.
type Result struct {
	// Key names the event.
	Key ledger.Key
	// End is the recorded end; InFlight when a later step goes on with it, or
	// when the event asked for nothing.
	End ledger.End
	// Ignored says why the event asked for nothing; empty when it asked for something.
	Ignored string
	// Reason is one sentence about the end.
	Reason string
	Change trail.Change
	// Role is the role as it was judged; zero when none was read.
	Role     role.Role
	Report   finding.Report
	Decision decision.Decision
	Outcome  decision.Outcome
	// Alerts are those that were told.
	Alerts []alert.Alert
	// Untold are those that were not, since the sweep's summary tells of them.
	Untold []alert.Alert
	// Steps are those that were sent to the later queue.
	Steps []Step
}

// Handle takes one message of the intake queue: an EventBridge envelope. An
// error means that nothing final is recorded and that the message must be
// delivered again.
func (g *Guard) Handle(ctx context.Context, body []byte) (Result, error) {
	change, err := trail.Parse(body)
	if err != nil {
		return g.reject(ctx, body, err)
	}
	if change.Kind == trail.Ignored {
		g.cfg.Log.Info("event ignored", "event_id", change.EventID, "account", change.Account, "event", change.EventName, "reason", change.Ignored)
		return Result{Key: keyOf(change), Change: change, Ignored: change.Ignored, Reason: change.Ignored}, nil
	}
	j := job{change: change, key: keyOf(change)}
	if wait := g.cfg.Turns.Wait(change.Account, about(change)); wait > 0 {
		return g.queue(ctx, j, wait)
	}
	return g.change(ctx, j)
}

func keyOf(c trail.Change) ledger.Key { return ledger.Key{Account: c.Account, EventID: c.EventID} }

// change takes the event, so that it is handled once, and goes the way of its kind.
func (g *Guard) change(ctx context.Context, j job) (Result, error) {
	taken, err := g.cfg.Ledger.Take(ctx, j.key, g.cfg.Now())
	if err != nil {
		return Result{}, fmt.Errorf("taking event %s of account %s: %w", j.key.EventID, j.key.Account, err)
	}
	if taken.End != ledger.InFlight {
		return g.ended(ctx, j, taken)
	}
	j.taken = taken
	if err := g.vouch(ctx, j); err != nil {
		return Result{Key: j.key, Change: j.change}, err
	}
	switch j.change.Kind {
	case trail.RoleCreated, trail.TrustUpdated:
		return g.role(ctx, j)
	case trail.RoleAssumed:
		return g.assumed(ctx, j)
	case trail.UserDeleted, trail.RoleDeleted:
		return g.principalDeleted(ctx, j)
	case trail.UserRenamed:
		return g.userRenamed(ctx, j)
	case trail.Ignored:
		return Result{Key: j.key, Ignored: j.change.Ignored}, nil
	default:
		return Result{}, fmt.Errorf("handling event %s: no way for a change of kind %d", j.key.EventID, j.change.Kind)
	}
}
