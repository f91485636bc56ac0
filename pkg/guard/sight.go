package guard

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/rolewarden/rolewarden/pkg/alert"
	"github.com/rolewarden/rolewarden/pkg/decision"
	"github.com/rolewarden/rolewarden/pkg/finding"
	"github.com/rolewarden/rolewarden/pkg/ledger"
	"github.com/rolewarden/rolewarden/pkg/policy"
	"github.com/rolewarden/rolewarden/pkg/remediate"
	"github.com/rolewarden/rolewarden/pkg/role"
	"github.com/rolewarden/rolewarden/pkg/rules"
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

// News says what a look at a role shows that is not remembered yet. The zero
// value is NoNews.
type News uint8

// The news.
const (
	// NoNews: all that is seen is remembered, and there is nothing to do.
	NoNews News = iota
	// FirstSeen: nothing is remembered of the role.
	FirstSeen
	// Redocumented: it shows another document than the one handled last.
	Redocumented
	// Rejudged: the same document, under the same rules, is judged otherwise: an
	// exemption ended, somebody whom it names was deleted, an id that it shows was
	// confirmed to be an orphan.
	Rejudged
	// RulesChanged: the same document is judged otherwise under other rules.
	RulesChanged
	// RulesAct: the role is as bad as it was, and what kept the rules from acting
	// is over: they have changed and act from now on, or a person's word that the
	// document stays has ended.
	RulesAct
	// Leftover: the role obeys the rules and still has our tags or an open alert.
	Leftover
)

// String gives the name of the news, such as "FirstSeen".
func (n News) String() string {
	switch n {
	case NoNews:
		return "NoNews"
	case FirstSeen:
		return "FirstSeen"
	case Redocumented:
		return "Redocumented"
	case Rejudged:
		return "Rejudged"
	case RulesChanged:
		return "RulesChanged"
	case RulesAct:
		return "RulesAct"
	case Leftover:
		return "Leftover"
	}
	return "News?"
}

// Look is a role beside what is remembered of it.
type Look struct {
	Role     role.Role
	Recalled ledger.Recalled
	Report   finding.Report
	News     News
	// Differs says until when a change of the rules only tells of the role; empty
	// where it acts, or nothing changed.
	Differs string
}

// Worse says whether a role that was good no longer is.
func (l Look) Worse() bool {
	s := l.Recalled.State
	return s != nil && s.Verdict == finding.Compliant && l.Report.Verdict != finding.Compliant
}

// HandsOff is Writers for who may not write: what asks for a write is sent to
// the later queue instead, whose reader writes (two keys: who seals baselines
// is not who reverts to them).
type HandsOff struct{}

// Writer opens nothing.
func (HandsOff) Writer(_ context.Context, r role.Role, d decision.Decision) (remediate.IAM, error) {
	return nil, fmt.Errorf("opening a writing session for role %s: who sweeps never writes, and %s is a write: %w", r.Ref(), d.Action, role.ErrAccessDenied)
}

// Judge judges a role by today's rules, with all that is known around it.
func (g *Guard) Judge(ctx context.Context, r role.Role) (finding.Report, error) {
	v, err := g.appraise(ctx, r)
	return v.report, err
}

// appraise judges a role to which no event belongs.
func (g *Guard) appraise(ctx context.Context, r role.Role) (judged, error) {
	v := judged{role: r, shows: nothingToCompare, input: rules.Input{Role: r, Org: g.cfg.Rules, Now: g.cfg.Now()}}
	doc, err := policy.Parse([]byte(r.TrustPolicy))
	if err != nil {
		v.report = rules.JudgeText(v.input, r.TrustPolicy)
		return v, nil //nolint:nilerr // what is no policy is judged Undecided
	}
	v.doc, v.digest, v.input.Document = doc, doc.Digest(r.Partition), doc
	if err := g.whoWere(ctx, &v); err != nil {
		return v, err
	}
	if v.input.Gone, err = g.goneNames(ctx, doc); err != nil {
		return v, err
	}
	return v, g.judge(ctx, &v, lastLook)
}

// Look compares a role that was read with what is remembered. It writes nothing.
func (g *Guard) Look(ctx context.Context, r role.Role) (Look, error) {
	recalled, err := g.cfg.Ledger.Recall(ctx, r.Account, r.ID)
	if err != nil {
		return Look{}, fmt.Errorf("reading what is remembered of role %s: %w", r.Ref(), err)
	}
	return g.beside(ctx, r, recalled)
}

func (g *Guard) beside(ctx context.Context, r role.Role, recalled ledger.Recalled) (Look, error) {
	v, err := g.appraise(ctx, r)
	if err != nil {
		return Look{}, err
	}
	v.known = recalled
	l := Look{Role: r, Recalled: recalled, Report: v.report, News: g.news(recalled.State, v)}
	if l.News == NoNews && v.stayed(g.cfg.Now()) {
		l.News = RulesAct
		return l, nil
	}
	if left := leftBefore(v); v.report.Verdict != finding.Noncompliant || left == "" || left == g.cfg.Rules.Hash || g.protected(r) {
		return l, nil
	}
	modes, _ := v.modes()
	if l.Differs, err = g.differs(ctx, v, modes); err != nil {
		return Look{}, err
	}
	if l.News == NoNews && l.Differs == "" && acts(modes) {
		l.News = RulesAct
	}
	return l, nil
}

// news compares a judgement with the last one. Another rules file alone is
// none, and neither is another wording: a sweep over an organization in which
// nothing happened writes nothing.
func (g *Guard) news(s *ledger.RoleState, v judged) News {
	switch {
	case s == nil:
		return FirstSeen
	case s.Digest != v.digest || v.digest == "" && s.Document != v.role.TrustPolicy:
		return Redocumented
	case s.Verdict != v.report.Verdict || !slices.Equal(sorted(s.OpenRules), sorted(openRules(v.report))):
		if s.RulesHash != g.cfg.Rules.Hash {
			return RulesChanged
		}
		return Rejudged
	case v.confirms():
		return Rejudged
	case v.report.Verdict != finding.Compliant || remediate.IsQuarantine(v.role.TrustPolicy):
		return NoNews
	case tagged(v.role) && !g.protected(v.role) || s.AlertID != "":
		return Leftover
	}
	return NoNews
}

func (g *Guard) protected(r role.Role) bool {
	_, protected := role.Protected(r, g.cfg.Rules.Protected)
	return protected
}

func openRules(r finding.Report) []string {
	var out []string
	for _, f := range r.Open() {
		out = append(out, f.Rule)
	}
	return out
}

func sorted(list []string) []string {
	list = slices.Clone(list)
	slices.Sort(list)
	return list
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
	c.Kind, c.EventID = trail.RoleDeleted, c.EventID+"/gone"
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
