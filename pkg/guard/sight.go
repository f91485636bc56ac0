package guard

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/rolewarden/rolewarden/pkg/alert"
	"github.com/rolewarden/rolewarden/pkg/decision"
	"github.com/rolewarden/rolewarden/pkg/finding"
	"github.com/rolewarden/rolewarden/pkg/ledger"
	"github.com/rolewarden/rolewarden/pkg/remediate"
	"github.com/rolewarden/rolewarden/pkg/role"
	"github.com/rolewarden/rolewarden/pkg/trail"
)

// Sighting is a role that a sweep read.
type Sighting struct {
	// Sweep names the sweep.
	Sweep string
	// Role is the role as the sweep read it, At when. That reading may lag: it is
	// a hint, like an event, and nothing is concluded from it alone.
	Role role.Role
	At   time.Time
	// Voice says whether the role may have an alert of its own.
	Voice Voice
	// Insist takes the role through the line though nothing about it is new.
	Insist Insistence
}

// Insistence says whether a role is to be acted on anew. The zero value is Never.
type Insistence uint8

// Whether a role is to be acted on anew.
const (
	Never Insistence = iota
	// Insist: what held a write back is gone.
	Insist
)

// Voice says whether what is found is told by itself. The zero value is Aloud.
type Voice uint8

// The voices.
const (
	// Aloud: an alert tells of it, as of what an event told.
	Aloud Voice = iota
	// Quietly: no alert is opened; the sweep's summary tells of it. What was
	// written, and what resolves an open alert, is told all the same.
	Quietly
)

// String gives "Aloud" or "Quietly".
func (v Voice) String() string {
	switch v {
	case Aloud:
		return "Aloud"
	case Quietly:
		return "Quietly"
	}
	return "Voice?"
}

// HandsOff is Writers for who may not write: what asks for a write is sent to
// the later queue instead, whose reader writes (two keys: who seals baselines
// is not who reverts to them).
type HandsOff struct{}

// Writer opens nothing.
func (HandsOff) Writer(_ context.Context, r role.Role, d decision.Decision) (remediate.IAM, error) {
	return nil, fmt.Errorf("opening a writing session for role %s: who sweeps never writes, and %s is a write: %w", r.Ref(), d.Action, role.ErrAccessDenied)
}

// Sight takes a role that a sweep read. Where all of it is remembered nothing is
// written, not even that it was seen.
func (g *Guard) Sight(ctx context.Context, s Sighting) (Result, error) {
	l, err := g.Look(ctx, s.Role)
	if err != nil {
		return Result{}, err
	}
	return g.See(ctx, s, l)
}

// See is Sight for a role that was looked at already. The role is read once
// more, live, before anything is concluded; a role that cannot be read is an
// error.
func (g *Guard) See(ctx context.Context, s Sighting, l Look) (Result, error) {
	c := changeOf(s)
	res := Result{Key: keyOf(c), Change: c, Role: s.Role, Report: l.Report}
	if l.News == NoNews && s.Insist != Insist {
		return res.nothing("nothing is new"), nil
	}
	live, err := g.cfg.Reader.Role(ctx, s.Role.Ref())
	switch {
	case errors.Is(err, role.ErrNotFound):
		return res.nothing("the role is gone"), nil
	case err != nil:
		return res, fmt.Errorf("reading role %s, which a sweep saw: %w", s.Role.Ref(), err)
	case live.ID != s.Role.ID:
		return res.nothing("the role was made anew"), nil
	}
	res.Role = live
	if l.Recalled.State != nil {
		if l, err = g.beside(ctx, live, l.Recalled); err != nil {
			return res, err
		}
		if res.Report = l.Report; l.News == NoNews && s.Insist != Insist {
			return res.nothing("the role itself shows nothing new: what the sweep read lagged"), nil
		}
	}
	c.Time = live.ReadAt.Add(-lag)
	return g.change(ctx, job{change: c, key: keyOf(c), attempt: afterSeconds, sweep: s.Sweep, voice: s.Voice, live: &live})
}

func (r Result) nothing(why string) Result {
	r.Ignored, r.Reason = why, why
	return r
}

// lag is how far a sighting is dated back. A reading may lag behind an event
// that is told in whole seconds; so dated, the event is always the later one,
// and what it says of the role stays.
const lag = time.Minute

// sweepMark begins the event ids of sightings. CloudTrail's are UUIDs.
const sweepMark = "sweep/"

// vanished ends the event id under which a role that a sweep missed is taken for gone.
const vanished = "/gone"

// sweepEvent is what a sighting has in place of the name of a call; no event that
// trail reads is called so.
const sweepEvent = "Sweep"

// changeOf makes of a sighting what an event would be: it names the role and
// nobody who changed it, and carries no document.
func changeOf(s Sighting) trail.Change {
	return trail.Change{
		Kind: trail.TrustUpdated, EventID: sweepMark + s.Sweep + "/" + s.Role.ID, EventName: sweepEvent,
		Account: s.Role.Account, Partition: s.Role.Partition, Time: s.At, RoleName: s.Role.Name, RoleARN: s.Role.ARN,
	}
}

// Unwitnessed says whether an event id is none of CloudTrail's: nobody told who
// made what was handled under it.
func Unwitnessed(eventID string) bool {
	return strings.HasPrefix(eventID, sweepMark) || strings.Contains(eventID, standing) || strings.Contains(eventID, lookedAgain)
}

// SeenBy says whether an event id is that of a sighting of a sweep.
func SeenBy(eventID, sweep string) bool { return strings.HasPrefix(eventID, sweepMark+sweep+"/") }

// nobody stands where an alert names who changed a role.
const nobody = "nobody is known: a sweep found it, and no event told of it"

// toldOfSweep is a sighting as people know it.
func toldOfSweep(c trail.Change) trail.Change {
	id, _, _ := strings.Cut(strings.TrimPrefix(c.EventID, sweepMark), "/")
	c.EventID, c.Actor = id, trail.Actor{UserName: nobody}
	return c
}

// Vanished takes a role that is remembered and that a sweep did not see. If it is
// gone, which two more readings have to say, it is recorded as deleted by nobody
// knows whom, and what was open about it is resolved. The roles that trusted it
// show its unique id now, and are seen by themselves.
func (g *Guard) Vanished(ctx context.Context, sweep string, s ledger.RoleState) (Result, error) {
	c := changeOf(Sighting{Sweep: sweep, Role: role.Role{Account: s.Account, Name: s.Name, ARN: s.ARN, ID: s.RoleID}, At: g.cfg.Now()})
	c.Kind, c.EventID = trail.RoleDeleted, c.EventID+vanished
	res := Result{Key: keyOf(c), Change: c}
	live, err := g.cfg.Reader.Role(ctx, role.Ref{Account: s.Account, Name: s.Name})
	switch {
	case errors.Is(err, role.ErrNotFound):
	case err != nil:
		return res, fmt.Errorf("looking whether role %s is gone: %w", s.ARN, err)
	case live.ID == s.RoleID:
		return res.nothing("the role is there"), nil
	default:
		// It was made anew; whoever has the name now was not deleted.
		c.Time = live.Created.Add(-time.Second)
	}
	j := job{change: c, key: keyOf(c), sweep: sweep, voice: Quietly}
	if j.taken, err = g.cfg.Ledger.Take(ctx, j.key, g.cfg.Now()); err != nil {
		return res, fmt.Errorf("taking event %s of account %s: %w", j.key.EventID, j.key.Account, err)
	}
	if j.taken.End != ledger.InFlight {
		return res.nothing("handled before"), nil
	}
	if err := g.cfg.Ledger.Record(ctx, []ledger.Identity{{ID: s.RoleID, ARN: s.ARN, SeenAt: s.UpdatedAt}}); err != nil {
		return res, fmt.Errorf("recording the unique id of role %s: %w", s.ARN, err)
	}
	if _, err := g.cfg.Ledger.Deleted(ctx, ledger.Deletion{Principal: deletedKey(c), At: c.Time, Event: j.key}); err != nil {
		return res, fmt.Errorf("recording the deletion of role %s: %w", s.ARN, err)
	}
	return g.gone(ctx, res, j, ledger.Compliant, "the role is gone, and no event told of it")
}

// Departed takes a user who is remembered and whom a sweep did not see, and says
// whether the name is free, which one more reading has to say. Then it is recorded
// as deleted by nobody knows whom: a condition that lets the name in shows nothing
// of that (T42). Where somebody else has the name, nothing is recorded.
func (g *Guard) Departed(ctx context.Context, sweep string, who finding.Principal) (bool, error) {
	key, ok := ledger.PrincipalOf(who.ARN)
	if !ok {
		return true, nil
	}
	id, err := g.cfg.Reader.PrincipalID(ctx, who.ARN)
	switch {
	case err == nil:
		return id != who.ID, nil
	case errors.Is(err, role.ErrAccessDenied):
		g.cfg.Log.Warn("could not look whether a user is gone whom a sweep did not see", "principal", who.ARN, "id", who.ID, "reason", err.Error())
		return false, nil
	case !errors.Is(err, role.ErrNotFound):
		return false, fmt.Errorf("looking whether %s is gone: %w", who.ARN, err)
	}
	_, err = g.cfg.Ledger.Deleted(ctx, ledger.Deletion{
		Principal: key, At: g.cfg.Now(), Event: ledger.Key{Account: key.Account, EventID: sweepMark + sweep + "/" + who.ID + "/gone"},
	})
	if err != nil {
		return false, fmt.Errorf("recording that %s is gone: %w", who.ARN, err)
	}
	return true, nil
}

// silences says whether an alert is left to the sweep's summary. What was written
// to a trust policy is told by itself, and what resolves an alert that is open.
func (j job) silences(a alert.Alert) bool {
	wrote := a.Outcome.Done == decision.Revert.String() || a.Outcome.Done == decision.Quarantine.String() || a.Outcome.Done == decision.Prune.String()
	return j.sweep != "" && j.voice == Quietly && a.State != alert.Resolved && !wrote
}

// hush takes out the alerts that are left to the sweep's summary.
func (j job) hush(res *Result, all []telling) []telling {
	var told []telling
	for _, t := range all {
		if j.silences(t.Alert) {
			res.Untold = append(res.Untold, t.Alert)
		} else {
			told = append(told, t)
		}
	}
	return told
}

// handOver sends a role that asks for a write to who may write it.
func (g *Guard) handOver(ctx context.Context, res Result, j job, d decision.Decision) (Result, error) {
	res.Decision = d
	res.Reason = d.Action.String() + " is due, which is for guard to do"
	return g.postpone(ctx, res, Step{
		Account: j.change.Account, RoleName: j.change.RoleName, RoleID: res.Role.ID, Step: Sighted,
		NotBefore: g.cfg.Now(), Attempt: afterSeconds, Change: j.change, Sweep: j.sweep, Voice: j.voice,
	})
}

// handsOff says whether it is for somebody else to write.
func (g *Guard) handsOff() bool {
	_, off := g.cfg.Writers.(HandsOff)
	return off
}
