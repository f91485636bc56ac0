package guard

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/rolewarden/rolewarden/pkg/alert"
	"github.com/rolewarden/rolewarden/pkg/deployment"
	"github.com/rolewarden/rolewarden/pkg/finding"
	"github.com/rolewarden/rolewarden/pkg/ledger"
	"github.com/rolewarden/rolewarden/pkg/meter"
	"github.com/rolewarden/rolewarden/pkg/policy"
	"github.com/rolewarden/rolewarden/pkg/role"
	"github.com/rolewarden/rolewarden/pkg/trail"
)

// IAM has no compare-and-set, so a change that somebody makes between our last
// reading and our write is overwritten (T64). It cannot be prevented, and is
// always found: by the event of that change when it comes after our write, and
// by our write, or by its event, when that change was handled before it. What was
// read before a write is not recorded as what stands (ledger.ErrWritten), so no
// order of the two escapes both.

// noted remembers when a write of a trust policy ended that may have happened.
func (s *switched) noted(err error) error {
	if err == nil || errors.Is(err, role.ErrUncertain) {
		s.written = s.g.cfg.Now()
	}
	return err
}

// written records when a write was made. That it cannot be recorded only widens
// the time in which somebody else's change may have been lost.
func (g *Guard) written(ctx context.Context, i ledger.Intent, at time.Time) {
	if at.IsZero() || !i.Replaces() {
		return
	}
	i.WrittenAt = at
	if err := g.cfg.Ledger.Intend(ctx, i); err != nil && !errors.Is(err, ledger.ErrConcluded) {
		g.cfg.Log.Warn("could not record when a role was written", "event_id", i.Event.EventID, "account", i.Role.Account, "role", i.Role.Name, "reason", err.Error())
	}
}

// tellLost looks, at the end of a handling, whether a change was overwritten:
// the one that was handled, by an earlier write of ours; or an earlier one, by
// the write of this handling.
func (g *Guard) tellLost(ctx context.Context, res *Result, j job, v judged) error {
	if res.Outcome.Done.Replaces() || j.looksAgain() && v.showsOurs() {
		// A look takes the place of what is remembered, and with it of the change
		// that a write may have overwritten which nobody could record as made.
		if err := g.tellOverwritten(ctx, res, v.role, time.Time{}); err != nil {
			return err
		}
	}
	for i, w := range v.known.Writes {
		if !j.mayBeLost(w, v, place(i)) {
			continue
		}
		if err := g.tellLostUpdate(ctx, res, w, alert.Lost{Role: v.role, Change: toldOf(j.change), Lost: j.change.Document}); err != nil {
			return err
		}
	}
	return nil
}

// tellLostUnseen looks whether the change of a handling that ends without a
// judgement of the role was overwritten by an earlier write of ours: of the role
// only what is remembered is at hand.
func (g *Guard) tellLostUnseen(ctx context.Context, res *Result, j job) error {
	if j.change.Kind != trail.TrustUpdated {
		return nil
	}
	states, err := g.cfg.Ledger.Trusting(ctx, itself(j.change.Account, j.change.RoleName))
	if err != nil {
		return fmt.Errorf("looking for what is remembered of role %s/%s: %w", j.change.Account, j.change.RoleName, err)
	}
	for _, s := range states {
		v := judged{role: role.Role{Partition: j.change.Partition, Account: s.Account, ID: s.RoleID, Name: s.Name, ARN: s.ARN}}
		if v.known, err = g.cfg.Ledger.Recall(ctx, s.Account, s.RoleID); err != nil {
			return fmt.Errorf("reading what is remembered of role %s: %w", v.role.Ref(), err)
		}
		if err := g.tellLost(ctx, res, j, v); err != nil {
			return err
		}
	}
	return nil
}

// looksAgain says whether a job is a look that no event of its own led to.
func (j job) looksAgain() bool { return strings.Contains(j.change.EventID, standing) }

// showsOurs says whether a role shows what rolewarden wrote last, or was about to.
func (v judged) showsOurs() bool {
	return len(v.known.Writes) > 0 && v.known.Writes[0].AfterDigest == v.digest
}

// place is where a write stands among those of a role, the newest first.
type place int

// newest is the last write.
const newest place = 0

// unsettled says why a reading that shows what an event says is not believed yet:
// it may lag behind a write of ours that replaced it. A breach is acted on all
// the same, since it is read again right before it is written.
func (j job) unsettled(v judged) string {
	if v.report.Verdict == finding.Noncompliant || j.change.Kind != trail.TrustUpdated || oursSays(j.change.Actor.ARN) {
		return ""
	}
	for _, w := range v.known.Writes {
		if !sameEvent(w.Event, j.key) && v.digest != w.AfterDigest && inWindow(w, j.change.Time) && !v.role.ReadAt.After(lastOf(w).Add(lag)) {
			return "the role was written by rolewarden a moment ago, and a reading may still show what was there before; it is read again later"
		}
	}
	return ""
}

// lastOf is the latest that a write may have been made.
func lastOf(w ledger.Written) time.Time {
	if w.WrittenAt.IsZero() {
		return w.At.Add(leaseFor)
	}
	return w.WrittenAt
}

// inWindow says whether a change may have come between what was read and the
// write that followed. What was read may have lagged, but it is no older than
// the change that the write answers. CloudTrail tells whole seconds.
func inWindow(w ledger.Written, at time.Time) bool {
	return at.Add(time.Second).After(w.ReadAt.Add(-lag)) && !at.After(lastOf(w)) && !at.Before(w.EventTime.Truncate(time.Second))
}

// mayBeLost says whether the change of a job may have come between a reading
// and the write that followed: its document is neither what was read nor what
// was written, and the role does not show it.
func (j job) mayBeLost(w ledger.Written, v judged, at place) bool {
	c := j.change
	if c.Kind != trail.TrustUpdated || c.Unfinished != "" || c.EventID != toldOf(c).EventID || sameEvent(w.Event, j.key) || w.AfterDigest == "" {
		return false
	}
	sent := ""
	if d, err := policy.Parse([]byte(c.Document)); err == nil {
		sent = d.Digest(v.role.Partition)
	}
	if sent == w.BeforeDigest || sent == w.AfterDigest || sent == v.digest && sent != "" || !inWindow(w, c.Time) {
		return false
	}
	return !w.WrittenAt.IsZero() || at != newest || !j.wroteTheSame(w, v)
}

// wroteTheSame says whether a role shows what a write of ours would have written
// that nobody recorded as made, within the lease, and an event told that somebody
// else wrote the same since: a look that saw it says nothing of who wrote it. The
// event of a person's undoing looks like somebody else's.
func (j job) wroteTheSame(w ledger.Written, v judged) bool {
	s := v.known.State
	return v.digest == w.AfterDigest && s != nil && !strings.HasPrefix(w.Event.EventID, undoMark) && s.Digest == w.AfterDigest && !s.EventTime.Before(j.change.Time) &&
		!sameEvent(s.Event, w.Event) && !sameEvent(s.Event, j.key) && !Unwitnessed(s.Event.EventID) && !oursSays(s.Actor)
}

// untold says whether an event changed a trust policy and does not tell to what:
// then only what is remembered of our own writes says whether it was overwritten.
func (j job) untold(v judged) bool {
	return v.shows == nothingToCompare && j.change.Kind == trail.TrustUpdated && j.change.EventID == toldOf(j.change).EventID
}

// sameEvent says whether two keys are of one event, looks again included.
func sameEvent(a, b ledger.Key) bool {
	return a.Account == b.Account && toldOf(trail.Change{EventID: a.EventID}).EventID == toldOf(trail.Change{EventID: b.EventID}).EventID
}

// tellOverwritten looks whether a change that was handled already was
// overwritten by the last write of a role: what is remembered of the role is
// neither what was read nor what was written, and came between the two. until is
// when the write was made, by its event; zero where that is not at hand.
func (g *Guard) tellOverwritten(ctx context.Context, res *Result, r role.Role, until time.Time) error {
	known, err := g.cfg.Ledger.Recall(ctx, r.Account, r.ID)
	if err != nil {
		return fmt.Errorf("reading what is remembered of role %s: %w", r.Ref(), err)
	}
	s := known.State
	if s == nil || len(known.Writes) == 0 || oursSays(s.Actor) || s.Document == "" {
		return nil
	}
	w := known.Writes[0]
	if sameEvent(s.Event, w.Event) || s.Digest == w.BeforeDigest || s.Digest == w.AfterDigest ||
		!inWindow(w, s.EventTime) || !until.IsZero() && s.EventTime.After(until) {
		return nil
	}
	if gone, err := g.leftByDeletion(ctx, *s); gone || err != nil {
		return err // a deletion leaves the document that was there, and is none that was overwritten
	}
	change := toldOf(trail.Change{EventID: s.Event.EventID, Account: s.Account, Time: s.EventTime, EventName: "UpdateAssumeRolePolicy", Actor: trail.Actor{ARN: s.Actor}})
	return g.tellLostUpdate(ctx, res, w, alert.Lost{Role: r, Change: change, Lost: s.Document})
}

// tellLostUpdate tells of one change that may have been overwritten, once.
func (g *Guard) tellLostUpdate(ctx context.Context, res *Result, w ledger.Written, l alert.Lost) error {
	i, _, ok, err := g.cfg.Ledger.Decided(ctx, w.Decision)
	if err != nil {
		return fmt.Errorf("reading decision %s: %w", w.Decision, err)
	}
	if ok {
		l.Before, l.Written = i.Before, i.After
	}
	l.Now, l.Decision, l.ReadAt, l.WrittenAt = g.cfg.Now(), w.Decision, w.ReadAt, w.WrittenAt
	first, err := g.tellOnce(ctx, res, "lost-update/"+w.Decision+"/"+l.Change.EventID, alert.BuildLost(l))
	if err == nil && first == ledger.First {
		g.cfg.Log.Error("somebody else's change may have been overwritten", meter.Key, meter.WordLostUpdate, "event_id", l.Change.EventID,
			"account", l.Role.Account, "role", l.Role.ARN, "decision", w.Decision, "reason", "it came between the reading of the role and the write that followed, by the whole second that CloudTrail tells")
	}
	return err
}

// tellOnce keeps an alert that is no part of an event's end, once per token, and
// tells it. What cannot be told now waits, and is told by Deliver.
func (g *Guard) tellOnce(ctx context.Context, res *Result, token string, a alert.Alert) (ledger.Firstness, error) {
	l := ledger.Letter{ID: a.ID, Body: a.JSON(), At: g.cfg.Now()}
	box, holder := mailbox(l), token
	if err := g.lease(ctx, box, holder); err != nil && !errors.Is(err, ledger.ErrLeased) {
		return ledger.Again, err
	}
	defer g.release(ctx, res.Key, box, holder)
	first, err := g.cfg.Ledger.Post(ctx, token, l)
	switch {
	case err != nil:
		return ledger.Again, fmt.Errorf("keeping the alert %s: %w", a.ID, err)
	case first == ledger.Again:
		return first, nil
	}
	if err := g.sendOne(ctx, res, l, a); err != nil {
		g.cfg.Log.Warn("an alert waits to be told", "alert", a.ID, "reason", err.Error())
	}
	return first, nil
}

// oursSays says whether an ARN is that of a session of the role that rolewarden
// writes with.
func oursSays(arn string) bool {
	_, session, ok := strings.Cut(arn, ":assumed-role/")
	name, _, _ := strings.Cut(session, "/")
	return ok && name == deployment.RemediatorRole
}
