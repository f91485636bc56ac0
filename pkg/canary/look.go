package canary

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/rolewarden/rolewarden/pkg/deployment"
	"github.com/rolewarden/rolewarden/pkg/ledger"
	"github.com/rolewarden/rolewarden/pkg/role"
)

// probe is an account in a run.
type probe struct {
	Account
	// session and target are there where the target may be written.
	session Session
	target  role.Role
}

// look finds out how an account stands. Where nothing is wrong it changes the
// target at once; where something is, the target keeps showing it until people
// have been told.
func (c *Canary) look(ctx context.Context, account string) *probe {
	p := &probe{Account: Account{ID: account}}
	session, err := c.cfg.Sessions.Open(ctx, account)
	if err != nil {
		p.fail(err)
		return p
	}
	live, err := session.Role(ctx)
	if err != nil {
		p.fail(err)
		return p
	}
	if live.Account != account || live.Path != deployment.CanaryPath || live.Name != deployment.CanaryTarget {
		p.State = Unreachable
		p.Why = fmt.Sprintf("the role of the canary's name is %s, which is not the canary's; nothing was written to it", live.ARN)
		return p
	}
	p.session, p.target = session, live
	c.judge(ctx, p)
	c.checkRule(ctx, p)
	if p.State == Reached || p.State == First {
		c.change(ctx, p)
	}
	return p
}

// judge says what the target and the ledger show.
func (c *Canary) judge(ctx context.Context, p *probe) {
	now := c.cfg.Now()
	by, at, digest := written(p.target, now)
	switch by {
	case canary:
		p.Written = at
	case maker:
		c.judgeNew(ctx, p, digest, now)
		return
	case stranger:
		p.State, p.Why = Missed, foreign
		return
	}
	age := now.Sub(at)
	if age > c.cfg.Fresh {
		// An old document proves nothing about now, and putting one back would
		// be a way of hiding that nothing arrives any more.
		p.State = Missed
		p.Why = fmt.Sprintf("the canary's last change is %s old: it has not run since, could not write, or somebody put an old document back", round(age))
		return
	}
	s, ok, err := c.cfg.Ledger.State(ctx, p.ID, p.target.ID)
	switch {
	case err != nil:
		p.State, p.Why = Unknown, fmt.Sprintf("asking the ledger about role %s: %v", p.target.Ref(), err)
	case ok && s.Digest == digest:
		// UpdatedAt is when the handling that found this document came to its
		// end. Where clocks differ by more than the way takes, it took no time.
		p.State, p.Took = Reached, max(0, s.UpdatedAt.Sub(at))
	case age >= c.cfg.Grace:
		p.State = Missed
		p.Why = fmt.Sprintf("the canary changed %s at %s, and %s later nothing has been decided on it: the account's rule, its role for events or its trail is off, or the hub's bus, queue or guard", p.target.ARN, at.Format(time.RFC3339), round(age))
	default:
		// Runs are further apart than this. Left as it is, the document still
		// counts at the next one.
		p.State = Unknown
		p.Why = fmt.Sprintf("the canary's last change is only %s old and not decided on: two runs were too close together, or somebody else writes the canary's document", round(age))
	}
}

// foreign is said of a document that is none of the canary's.
//
// It is written over all the same, once people have been told. The role is
// rolewarden's own, is used by nobody, and lets nobody in: whoever changes it
// wants to get in by it, or wants the canary blind. So there is nothing in doubt
// that a write could harm, and leaving it would leave open what they opened.
const foreign = "somebody changed the canary's own role, which nobody has a reason to: look in CloudTrail for who called UpdateAssumeRolePolicy on it; the canary puts its own document back"

// judgeNew is judge for a target that shows the document it was made with.
//
// It is quiet for a role of which the ledger knows nothing. Else whoever makes
// the role anew before each run would have every run find a first time, and the
// way could be shut for ever (T71).
func (c *Canary) judgeNew(ctx context.Context, p *probe, digest string, now time.Time) {
	if age := now.Sub(p.target.Created); !p.target.Created.IsZero() && age > c.cfg.Fresh {
		// A stack is deployed before or after the canary's first run, but the
		// document it brings does not stay.
		p.State = Missed
		p.Why = fmt.Sprintf("the canary's role was made %s ago and shows the document it was made with: the canary has not run since, or somebody put that document back", round(age))
		return
	}
	self := ledger.PrincipalKey{Account: p.ID, Kind: ledger.OwnName, Name: deployment.CanaryTarget}
	known, err := c.cfg.Ledger.Trusting(ctx, self)
	if err != nil {
		p.State, p.Why = Unknown, fmt.Sprintf("asking the ledger which roles were called %s before: %v", p.target.Ref(), err)
		return
	}
	p.State = First
	for _, s := range known {
		switch {
		case s.RoleID != p.target.ID:
			p.State = Missed
			p.Why = fmt.Sprintf("the canary's role was made anew, as %s: one that is %s was decided on before, the last time at %s; if nobody deployed the stack again, somebody makes the role anew so that nothing can be asked about it: look in CloudTrail for who called DeleteRole and CreateRole", p.target.ID, s.RoleID, s.UpdatedAt.UTC().Format(time.RFC3339))
			return
		case s.Digest != digest:
			p.State = Missed
			p.Why = "the canary's role shows the document it was made with, and another one was decided on before: somebody put that document back"
		}
	}
}

// change writes a new document, which the next run asks about.
func (c *Canary) change(ctx context.Context, p *probe) {
	err := p.session.Write(ctx, Document(p.target.Partition, p.ID, c.cfg.Now()))
	switch {
	case err == nil:
		p.Change = Changed
		return
	case stateOf(err) == Unknown:
		p.Change = Uncertain
	}
	// What was found is old by the next run: without a change there is no proof.
	p.Took = 0
	p.fail(err)
}

// fail notes an error as the account's state.
func (p *probe) fail(err error) {
	p.State, p.Why = stateOf(err), err.Error()
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		p.Why = "the time of the run was up: " + p.Why
	case p.State == Unreachable:
		p.Why += ": deploy the member stack there again, and look for an SCP or RCP that stops its role " + deployment.CanaryWriterRole
	}
}

// stateOf tells a refusal, which lasts until somebody mends it, from what may be
// gone the next time.
func stateOf(err error) State {
	for _, refusal := range []error{
		role.ErrAccessDenied, role.ErrNotFound, role.ErrUnmodifiable, role.ErrLimit, role.ErrInvalidPrincipal, role.ErrMalformed,
	} {
		if errors.Is(err, refusal) {
			return Unreachable
		}
	}
	return Unknown
}

func round(d time.Duration) time.Duration { return d.Round(time.Second) }
