package guard

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/rolewarden/rolewarden/pkg/decision"
	"github.com/rolewarden/rolewarden/pkg/finding"
	"github.com/rolewarden/rolewarden/pkg/ledger"
	"github.com/rolewarden/rolewarden/pkg/policy"
	"github.com/rolewarden/rolewarden/pkg/remediate"
	"github.com/rolewarden/rolewarden/pkg/role"
	"github.com/rolewarden/rolewarden/pkg/rules"
	"github.com/rolewarden/rolewarden/pkg/trail"
)

// job is the handling of one event.
type job struct {
	change trail.Change
	key    ledger.Key
	taken  ledger.Taken
	// attempt counts the later steps this handling has been through.
	attempt int
}

// holder names this handling where roles are leased: two deliveries of one
// event at the same time are two handlings.
func (j job) holder() string { return fmt.Sprintf("%s#%d", j.key.EventID, j.taken.Attempts) }

// judged is a role as it was read and what was found in it.
type judged struct {
	role   role.Role
	doc    policy.Document
	digest string
	report finding.Report
	input  rules.Input
	// shows says how the document relates to the one that the event carried.
	shows showing
	// unconfirmed are the rules whose findings rest on an account's absence
	// that Organizations did not confirm, and doubt says why.
	unconfirmed map[string]bool
	doubt       string
	state       *ledger.RoleState
}

// unsure notes a reason for which the role is not what the report says it is.
func (v *judged) unsure(why string) {
	v.report.Reasons = append([]string{why}, v.report.Reasons...)
	if v.report.Verdict == finding.Compliant {
		v.report.Verdict = finding.Undecided
	}
}

// startOvers is how often a handling begins again within one message because
// somebody else changed the role between two readings.
const startOvers = 3

// role judges and acts on the role of a change, beginning again when the role
// was changed under its hands.
func (g *Guard) role(ctx context.Context, j job) (Result, error) {
	const why = "somebody keeps changing the role while it is being handled"
	for range startOvers {
		res, err := g.once(ctx, j)
		if !errors.Is(err, remediate.ErrStale) {
			return res, err
		}
	}
	res := Result{Key: j.key, Change: j.change, Reason: why}
	if s, more := g.settleStep(j); more {
		return g.postpone(ctx, res, s)
	}
	return g.trouble(ctx, res, j, ledger.Held, why+"; nothing was changed, look at the role and at who keeps changing it")
}

func (g *Guard) once(ctx context.Context, j job) (Result, error) {
	res := Result{Key: j.key, Change: j.change}
	live, err := g.cfg.Reader.Role(ctx, role.Ref{Account: j.change.Account, Name: j.change.RoleName})
	if err != nil {
		return g.unread(ctx, res, j, err)
	}
	res.Role = live
	if made, ok := g.madeBefore(j, live); ok {
		if s, more := g.settleStep(j); more && j.attempt < afterSeconds {
			res.Reason = "the role shows what an earlier handling was about to write, and did before the change too; it is read again later"
			return g.postpone(ctx, res, s)
		}
		return g.resume(ctx, res, j, made)
	}
	v, err := g.look(ctx, j, live)
	if s, more := g.settleStep(j); more && errors.Is(err, errUnasked) {
		res.Reason = err.Error() + "; the role is judged again later"
		return g.postpone(ctx, res, s)
	}
	if err != nil {
		return res, err
	}
	if why := j.waitFor(v); why != "" {
		if s, more := g.settleStep(j); more {
			res.Report, res.Reason = v.report, why
			return g.postpone(ctx, res, s)
		}
		v.unsure("the role still does not show what its newest event says: an event was lost, or somebody changes it without one; compare the role with the event and with your trail")
	}
	res.Report = v.report
	if v.report.Verdict == finding.Compliant && !tagged(live) {
		return g.compliant(ctx, res, j, v)
	}
	return g.answer(ctx, res, j, v)
}

// look judges a live role, and says how its document relates to the event's.
func (g *Guard) look(ctx context.Context, j job, live role.Role) (judged, error) {
	v := judged{role: live}
	change := j.change
	v.input = rules.Input{Role: live, Change: &change, Org: g.cfg.Rules, Now: g.cfg.Now()}
	doc, err := policy.Parse([]byte(live.TrustPolicy))
	if err != nil {
		v.report, v.shows = rules.JudgeText(v.input, live.TrustPolicy), nothingToCompare
		return v, nil //nolint:nilerr // what is no policy is judged Undecided, which tells people
	}
	v.doc, v.digest, v.input.Document = doc, doc.Digest(live.Partition), doc
	v.shows = shows(change, live, doc)
	if v.input.History, err = g.history(ctx, doc); err != nil {
		return v, err
	}
	if v.input.Gone, err = g.goneNames(ctx, doc); err != nil {
		return v, err
	}
	looks := moreLooks
	if _, more := g.settleStep(j); !more {
		looks = lastLook
	}
	if err := g.judge(ctx, &v, looks); err != nil {
		return v, err
	}
	return v, g.placeInTime(ctx, j, &v)
}

// placeInTime compares a reading with the last event that was handled. A
// document that a later event left is what stands; one that a later event
// replaced is a reading that lags, also when it is the one that this event
// tells of. A compliant role needs no such care: nothing is done about it.
func (g *Guard) placeInTime(ctx context.Context, j job, v *judged) error {
	if v.shows != anotherDocument && (v.shows != sameDocument || v.report.Verdict == finding.Compliant) {
		return nil
	}
	s, ok, err := g.cfg.Ledger.State(ctx, v.role.Account, v.role.ID)
	if err != nil {
		return fmt.Errorf("reading what is remembered of role %s: %w", v.role.Ref(), err)
	}
	if !ok || s.Event == j.key {
		return nil
	}
	// CloudTrail tells whole seconds: of two events in one, nobody can say at
	// once which came later.
	later := s.EventTime.After(j.change.Time) || s.EventTime.Equal(j.change.Time) && j.attempt >= afterSeconds
	switch {
	case later && s.Digest == v.digest:
		v.shows = laterDocument
	case s.EventTime.After(j.change.Time):
		v.shows = anotherDocument
	}
	return nil
}

// history asks the ledger about each unique id that a document shows.
func (g *Guard) history(ctx context.Context, d policy.Document) (map[string]finding.Principal, error) {
	var out map[string]finding.Principal
	for _, s := range d.Statements {
		for _, p := range append(append([]policy.Principal(nil), s.Principal.List...), s.NotPrincipal.List...) {
			if p.Kind != policy.UniqueID {
				continue
			}
			h, ok, err := g.cfg.Ledger.Identify(ctx, p.Value)
			if err != nil {
				return nil, fmt.Errorf("asking the ledger who %s was: %w", p.Value, err)
			}
			if !ok {
				continue
			}
			if out == nil {
				out = map[string]finding.Principal{}
			}
			out[p.Value] = g.livesAgain(ctx, h)
		}
	}
	return out, nil
}

// goneNames asks the ledger which of the users and roles that a condition lets in
// by name were deleted, and IAM whether they have come back. Where nobody may
// look the name is not known to be free, so it is not called gone.
func (g *Guard) goneNames(ctx context.Context, d policy.Document) (map[string]finding.Principal, error) {
	names := rules.NamesInConditions(d)
	if len(names) == 0 {
		return nil, nil
	}
	var keys []ledger.PrincipalKey
	for _, p := range names {
		keys = append(keys, keyOfPrincipal(p))
	}
	ends, err := g.cfg.Ledger.Ends(ctx, keys)
	if err != nil {
		return nil, fmt.Errorf("asking the ledger whether %s still exists: %w", names[0].Value, err)
	}
	var out map[string]finding.Principal
	for _, end := range ends {
		for _, p := range names {
			if keyOfPrincipal(p) != end.Principal {
				continue
			}
			_, err := g.cfg.Reader.PrincipalID(ctx, p.Value)
			switch {
			case errors.Is(err, role.ErrNotFound):
				if out == nil {
					out = map[string]finding.Principal{}
				}
				out[strings.ToLower(p.Value)] = finding.Principal{ARN: p.Value, DeletedBy: end.By, DeletedAt: end.At, DeletedEvent: end.Event.EventID}
			case errors.Is(err, role.ErrAccessDenied):
				g.cfg.Log.Warn("could not look whether a deleted name in a condition lives again", "principal", p.Value, "reason", err.Error())
			case err != nil:
				// A look that may succeed later is no reason to call the role fine now.
				return nil, fmt.Errorf("looking whether %s lives again: %w", p.Value, err)
			}
		}
	}
	return out, nil
}

// livesAgain looks whether somebody else has the name now. A failure to look
// leaves the question open; it is no reason to be silent about the id.
func (g *Guard) livesAgain(ctx context.Context, p finding.Principal) finding.Principal {
	if p.ARN == "" || p.LivesAgainAs != "" {
		return p
	}
	id, err := g.cfg.Reader.PrincipalID(ctx, p.ARN)
	switch {
	case err == nil && id != p.ID:
		p.LivesAgainAs = id
	case err != nil && !errors.Is(err, role.ErrNotFound):
		g.cfg.Log.Warn("could not look whether a deleted principal's name lives again", "principal", p.ARN, "reason", err.Error())
	}
	return p
}

// compliant ends an event whose role obeys the rules, and asks for a second
// look after which its document becomes a baseline. That is asked for first:
// a second asking does no harm, and a lost one would leave the role without a past.
func (g *Guard) compliant(ctx context.Context, res Result, j job, v judged) (Result, error) {
	res, err := g.promoteLater(ctx, res, j, v)
	if err != nil {
		return res, err
	}
	err = g.cfg.Ledger.Conclude(ctx, ledger.Conclusion{
		Event: j.key, End: ledger.Compliant, Reason: "the role obeys the rules", At: g.cfg.Now(),
		State: g.remember(j, v, decision.Decision{}, decision.Outcome{}, ""), Expect: ledger.NoOpenAlert,
	})
	switch {
	case errors.Is(err, ledger.ErrOpenAlert):
		return g.answer(ctx, res, j, v)
	case err != nil:
		return res, fmt.Errorf("recording the end of event %s: %w", j.key.EventID, err)
	}
	res.End, res.Reason = ledger.Compliant, "the role obeys the rules"
	return res, nil
}
