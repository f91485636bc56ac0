package guard

import (
	"strings"
	"time"

	"github.com/rolewarden/rolewarden/pkg/decision"
	"github.com/rolewarden/rolewarden/pkg/finding"
	"github.com/rolewarden/rolewarden/pkg/ledger"
	"github.com/rolewarden/rolewarden/pkg/role"
	"github.com/rolewarden/rolewarden/pkg/trail"
)

// secondLook says whether a job is the second look at a role that shows ids, or
// is new.
func (j job) secondLook() bool { return strings.Contains(j.change.EventID, lookedAgain) }

// madeAnew says whether a second look finds another role under the name: the
// making of that one is an event of its own, which names who made it. Where the look
// may have written to it, that is still to be told.
func (j job) madeAnew(live role.Role) bool {
	i := j.mayHaveWritten()
	return j.secondLook() && (i == nil || live.Created.After(lastOf(i.Written()))) && j.change.RoleID != "" && j.change.RoleID != live.ID
}

// foundBy says whose a document is that a second look finds, where it is not the
// event behind the look that made it: that of the event which was handled last,
// where the role still shows what that one left, or else nobody's that is known.
// What no event told of is believed once the last event is so old that no reading
// lags behind it any more.
func (g *Guard) foundBy(j *job, v *judged) {
	if j.found = nil; !j.secondLook() {
		return
	}
	s := v.known.State
	remembered := s != nil && s.Digest == v.digest && !sameEvent(s.Event, j.key)
	unnamed := v.shows == nothingToCompare && j.change.EventName == sweepEvent
	switch {
	case v.shows == anotherDocument && g.cfg.Now().Sub(j.change.Time) > lag:
		v.shows, j.found = nothingToCompare, nobodys(j.change)
	case remembered && s.Actor != "" && (v.shows == laterDocument || unnamed):
		j.found = leftBehind(j.change, *s)
	case remembered && v.shows == laterDocument && shows(j.change, v.role, v.doc) != sameDocument:
		j.found = nobodys(j.change)
	}
}

// nobodys is the event behind a look whose find nobody is known to have made.
func nobodys(c trail.Change) *trail.Change {
	c = toldOf(c)
	c.Actor, c.SourceIP, c.UserAgent = trail.Actor{UserName: foundStanding}, "", ""
	return &c
}

// leftBehind is the event that left what is remembered of a role, as far as that
// is remembered too.
func leftBehind(c trail.Change, s ledger.RoleState) *trail.Change {
	c.EventID, c.EventName, c.Time, c.Document = s.Event.EventID, "UpdateAssumeRolePolicy", s.EventTime, s.Document
	c = toldOf(c)
	c.Actor, c.SourceIP, c.UserAgent = trail.Actor{ARN: s.Actor}, "", ""
	return &c
}

// asTold is the change of a job as people know it.
func (j job) asTold() trail.Change {
	if j.found != nil {
		return *j.found
	}
	return toldOf(j.change)
}

// finished is when whoever makes a role is to have finished it.
func (g *Guard) finished(r role.Role) time.Time { return r.Created.Add(g.cfg.Rules.Quarantine.Grace) }

// lookFor is how long a sweep leaves a second look that is due to itself: it may
// have to wait for somebody, and knows more of who changed the role.
const lookFor = 15 * time.Minute

// wasUnfinished reports whether a role was handled last while its maker had time to
// finish, and has none left at a time, nor had when this handling was decided. What
// people were told of it then, that it would be shut, needs another word, also where
// other rules shut nothing.
func (g *Guard) wasUnfinished(v judged, at time.Time) bool {
	s, until := v.known.State, g.finished(v.role)
	if s == nil || !v.making.IsZero() || s.Decided != decision.Tag || s.Verdict != finding.Noncompliant || !s.UpdatedAt.Before(until) || at.Before(until) {
		return false
	}
	return s.RulesHash != g.cfg.Rules.Hash || g.plain(job{}, v).Enforced()
}
