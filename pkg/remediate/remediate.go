// Package remediate changes a role: it tags, reverts, quarantines, prunes and
// takes tags off.
//
// It takes a Task (a decision, the role as it was judged, the document and the
// tags to write) and an IAM session narrowed to that one role, and gives an
// Outcome. It reads again before it writes, reads until the write shows, and
// is bounded in time. It never decides what to do, never retries without end
// and never writes a role that differs from the one that was judged.
//
// IAM has no compare-and-set (IAM API Reference, API_UpdateAssumeRolePolicy:
// the request holds a role name and a document, nothing else). A window of one
// round trip between the last read and the write remains, in which somebody
// else's write can be lost; what reads back afterwards tells.
package remediate

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/rolewarden/rolewarden/pkg/decision"
	"github.com/rolewarden/rolewarden/pkg/policy"
	"github.com/rolewarden/rolewarden/pkg/role"
)

// IAM is one session for one action on one role. Its errors wrap those of the
// room role.
type IAM interface {
	// Role reads the role with its trust policy and tags.
	Role(ctx context.Context, r role.Ref) (role.Role, error)
	// UpdateTrust replaces the trust policy.
	UpdateTrust(ctx context.Context, r role.Ref, document string) error
	// Tag sets tags, Untag takes tags off; both leave all others alone.
	Tag(ctx context.Context, r role.Ref, tags map[string]string) error
	Untag(ctx context.Context, r role.Ref, keys []string) error
}

// MaxPatience is the longest that one Apply waits in all.
const MaxPatience = 5 * time.Second

// Config is what a Remediator needs.
type Config struct {
	// Now is the clock, Wait lets time pass. Both are the caller's, so that a
	// test or the lab need not sleep.
	Now  func() time.Time
	Wait func(ctx context.Context, d time.Duration) error
	// Patience bounds the waiting of one Apply; zero means MaxPatience.
	Patience time.Duration
}

// Remediator applies tasks. It keeps nothing between them.
type Remediator struct{ config Config }

// New makes a Remediator.
func New(c Config) (*Remediator, error) {
	if c.Now == nil || c.Wait == nil {
		return nil, errors.New("making a remediator: Now and Wait are needed: give time.Now and a wait that ends with its context")
	}
	if c.Patience == 0 {
		c.Patience = MaxPatience
	}
	if c.Patience < 0 || c.Patience > MaxPatience {
		return nil, fmt.Errorf("making a remediator: patience %s: give more than zero and at most %s", c.Patience, MaxPatience)
	}
	return &Remediator{config: c}, nil
}

// Task is one thing to do to one role.
type Task struct {
	Decision decision.Decision
	// Role is the role as it was judged.
	Role role.Role
	// Document is the trust policy to write, for Revert, Quarantine and Prune; empty otherwise.
	Document string
	// Tags are set, Untag are taken off; only rolewarden's own keys are taken,
	// those of Untag in any case. Others are left out, and the Outcome's Problem
	// says so: tags never stand in the way of a trust policy.
	Tags  map[string]string
	Untag []string
	// Refused says what is done about a principal that IAM refuses.
	Refused Refused
}

// Refused says what is done about a principal that IAM refuses: one that was
// just made is refused like one that is gone. The zero value waits.
type Refused uint8

// What is done about a principal that IAM refuses.
const (
	// WaitForIt: it may be new, so the write is tried again for a while.
	WaitForIt Refused = iota
	// SayAtOnce: it had its time already.
	SayAtOnce
)

// ErrStale is returned when the role is no longer what was judged. Nothing has
// been written; the role wants judging again.
var ErrStale = errors.New("the role is not what was judged any more")

// ErrTask is returned for a task that contradicts itself. Nothing has been read
// or written, and the same task is refused for ever.
var ErrTask = errors.New("the task cannot be done as it is")

// Apply does a task.
//
// An error means that the task may be tried again: nothing was written, or
// nobody can tell (then the next Apply finds out by reading); ErrTask alone is
// for good. What cannot get better by trying again is an Outcome with a Problem
// and no error. A role that shows the task's document before anything was
// written is ErrStale: whether an earlier try wrote it, somebody else did, or the
// reading lags, only a record of that try and a later reading tell.
func (r *Remediator) Apply(ctx context.Context, iam IAM, t Task) (decision.Outcome, error) {
	nothing := decision.Outcome{Before: t.Role.TrustPolicy, After: t.Role.TrustPolicy}
	if err := t.check(); err != nil {
		return nothing, fmt.Errorf("acting on role %s: %w: %w", t.Role.Ref(), ErrTask, err)
	}
	if !t.Decision.Action.Writes() {
		return nothing, nil
	}
	if why, protected := role.Protected(t.Role, nil); protected {
		nothing.Problem = "Nothing was written, since this role never is: " + why + "."
		return nothing, nil
	}
	w := &work{Task: t, iam: iam, pause: r.pause(), out: nothing}
	w.leaveOut()
	if err := w.do(ctx); err != nil {
		return w.out, fmt.Errorf("acting on role %s: %w", t.Role.Ref(), err)
	}
	return w.out, nil
}

// check refuses tasks that say two things at once, before anything is read.
func (t Task) check() error {
	switch t.Decision.Action {
	case decision.Ignore, decision.Tell, decision.Hold:
		return nil
	case decision.Revert, decision.Quarantine, decision.Prune:
		if err := t.replaceable(); err != nil {
			return err
		}
	case decision.Tag, decision.Clear:
		if t.Document != "" {
			return fmt.Errorf("the action is %s and there is a document to write: leave it empty", t.Decision.Action)
		}
	default:
		return fmt.Errorf("there is no action with the number %d", t.Decision.Action)
	}
	if t.Role.ID == "" {
		return errors.New("the role as judged has no RoleId: read it from IAM first")
	}
	return nil
}

// replaceable refuses documents that the action must never write.
func (t Task) replaceable() error {
	d, err := policy.Parse([]byte(t.Document))
	if err != nil {
		return fmt.Errorf("reading the document to write: %w", err)
	}
	switch {
	case t.same(t.Document, t.Role.TrustPolicy):
		return errors.New("the document to write is the one that was judged: a role is never replaced by itself")
	case t.Decision.Action == decision.Quarantine && !IsQuarantine(t.Document):
		return errors.New("the document to write is no quarantine: take it from Quarantine")
	case t.Decision.Action == decision.Prune && !prunes(t.Role.TrustPolicy, d):
		return errors.New("the document to write is not the one that was judged without its orphans: take it from Prune")
	default:
		return nil
	}
}

// same says whether two texts are the same trust policy of this role, as IAM
// may spell it. Texts that cannot be read are only the same letter by letter.
func (t Task) same(a, b string) bool {
	if a == b {
		return true
	}
	x, errX := policy.Parse([]byte(a))
	y, errY := policy.Parse([]byte(b))
	return errX == nil && errY == nil && x.Equal(y, t.Role.Partition)
}

// digest names a document in a sentence.
func (t Task) digest(text string) string {
	d, err := policy.Parse([]byte(text))
	if err != nil {
		return "unreadable"
	}
	return d.Digest(t.Role.Partition)
}
