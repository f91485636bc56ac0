package guard

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/rolewarden/rolewarden/pkg/decision"
	"github.com/rolewarden/rolewarden/pkg/finding"
	"github.com/rolewarden/rolewarden/pkg/ledger"
	"github.com/rolewarden/rolewarden/pkg/meter"
	"github.com/rolewarden/rolewarden/pkg/policy"
	"github.com/rolewarden/rolewarden/pkg/remediate"
	"github.com/rolewarden/rolewarden/pkg/role"
)

// answer plans, brakes, acts, records and tells, in this order. What the role
// was before is read once for all of it.
func (g *Guard) answer(ctx context.Context, res Result, j job, v judged) (Result, error) {
	var err error
	if v.known, err = g.cfg.Ledger.Recall(ctx, v.role.Account, v.role.ID); err != nil {
		return res, fmt.Errorf("reading what is remembered of role %s: %w", v.role.Ref(), err)
	}
	j.placeInTime(&v)
	g.foundBy(&j, &v)
	if why := j.unsettled(v); why != "" {
		if s, more := g.settleStep(j); more {
			res.Report, res.Reason = v.report, why
			return g.postpone(ctx, res, s)
		}
	}
	if why := j.waitFor(v); why != "" {
		if s, more := g.settleStep(j); more {
			res.Report, res.Reason = v.report, why
			return g.postpone(ctx, res, s)
		}
		v.unsure("the role still does not show what its newest event says: an event was lost, or somebody changes it without one; compare the role with the event and with your trail")
	}
	if v.shows == anotherDocument && v.report.Verdict == finding.Noncompliant {
		v.report.Reasons = append([]string{"The role does not show what this event says, so somebody else may have made what stands: find out in your trail who did."}, v.report.Reasons...)
	}
	res.Report = v.report
	s, past, err := g.situation(ctx, j, &v)
	if step, more := g.settleStep(j); more && (errors.Is(err, errUnverified) || errors.Is(err, errUnseen)) {
		res.Reason = err.Error() + "; it is tried again later"
		return g.postpone(ctx, res, step)
	}
	if err != nil {
		return res, err
	}
	d := decision.Plan(s)
	d.ID = decision.ID(j.key.Account, j.key.EventID, v.role.ID)
	d.RulesHash, d.At = g.cfg.Rules.Hash, g.cfg.Now()
	if g.handsOff() && d.Action.Writes() && (d.Action != decision.Clear || tagged(v.role)) {
		return g.handOver(ctx, res, j, d)
	}
	if d.Action == decision.Hold && s.Stays == "" {
		g.leaves(j, v, d, meter.WordHeld, d.Reasons[0])
	}
	d, out, err := g.act(ctx, j, v, d, past)
	res.Decision, res.Outcome = d, out
	if err != nil {
		return g.acted(ctx, res, j, v, err)
	}
	g.fellShort(j, v, d, out)
	return g.conclude(ctx, res, j, v)
}

// acted sorts the errors of acting: begin again, wait, tell, or give the
// message back to the queue.
func (g *Guard) acted(ctx context.Context, res Result, j job, v judged, err error) (Result, error) {
	const stack = "; check that the member stack is deployed in the account and that no SCP or RCP stops its roles"
	var stopped *stoppedError
	why, word := "", meter.WordHeld
	switch {
	case errors.Is(err, errUncontained), errors.Is(err, errUntagged), errors.Is(err, errSwitch):
		why = err.Error()
	case errors.Is(err, remediate.ErrStale), errors.Is(err, role.ErrUncertain):
		// Nobody may say that nothing was written when it is not known: the
		// message comes again, and the recorded intent tells.
		return res, err
	case errors.As(err, &stopped) && stopped.word == meter.WordSwitchUnreadable:
		why, word = stopped.Error(), stopped.word
	case errors.As(err, &stopped):
		return g.held(ctx, res, j, v, stopped.word, stopped.Error())
	case errors.Is(err, role.ErrInvalidPrincipal) && j.attempt >= afterMinutes:
		return g.withoutRefused(ctx, res, j, v, err)
	case errors.Is(err, role.ErrInvalidPrincipal):
		why = "IAM does not accept a principal of the document: it is gone, or too new"
	case errors.Is(err, role.ErrAccessDenied) && j.attempt >= afterMinutes:
		return g.held(ctx, res, j, v, meter.WordHeld, "the role may not be written ("+err.Error()+")"+stack)
	case errors.Is(err, role.ErrAccessDenied):
		why = "the role may not be written (" + err.Error() + ")" + stack
	case errors.Is(err, role.ErrNotFound):
		why = "the role vanished while it was being handled"
	case errors.Is(err, role.ErrUnmodifiable), errors.Is(err, role.ErrLimit), errors.Is(err, role.ErrMalformed), errors.Is(err, remediate.ErrTask):
		return g.held(ctx, res, j, v, meter.WordHeld, err.Error())
	default:
		return res, err
	}
	if s, more := g.settleStep(j); more {
		res.Decision, res.Outcome, res.Reason = decision.Decision{}, decision.Outcome{}, why+"; it is tried again later"
		return g.postpone(ctx, res, s)
	}
	return g.held(ctx, res, j, v, word, why)
}

// held ends a handling whose decision could not be carried out. All that was
// found is told: the role stays as it is, and people have to mend it.
func (g *Guard) held(ctx context.Context, res Result, j job, v judged, word, why string) (Result, error) {
	g.leaves(j, v, res.Decision, word, why)
	res.Decision.Reasons = append([]string{"Nothing was written (" + res.Decision.Action.String() + " was due): " + why + ". Mend the role by hand."}, res.Decision.Reasons...)
	res.Decision.Action = decision.Hold
	res.Outcome = decision.Outcome{Before: v.role.TrustPolicy, After: v.role.TrustPolicy, Problem: why}
	return g.conclude(ctx, res, j, v)
}

// situation gathers what the table looks at. A past is looked for only where
// the table may need it: that asks IAM and KMS.
func (g *Guard) situation(ctx context.Context, j job, v *judged) (decision.Situation, pastOf, error) {
	s := g.plain(j, *v)
	if v.report.Verdict != finding.Noncompliant || s.Protected != "" || s.Doubt != "" {
		return s, pastOf{}, nil
	}
	var err error
	if s.Stays, err = g.wordOn(ctx, *v); err != nil || s.Stays != "" {
		return s, pastOf{}, err
	}
	differs, err := g.differs(ctx, *v, s.Modes)
	if err != nil || differs != "" {
		s.Differs, v.differs = differs, differs
		return s, pastOf{}, err
	}
	v.prune = g.pruning(*v)
	s.Pruning, s.PruneReason = v.prune.what, v.prune.Reason
	if g.handsOff() && len(v.known.Baselines) > 0 {
		// Whether one of them may be gone back to is for whoever writes to find out.
		s.Past = decision.GoodBaseline
		return s, pastOf{}, nil
	}
	past, err := g.past(ctx, j, *v, s.Modes)
	if errors.Is(err, errUnverified) {
		if _, more := g.settleStep(j); !more {
			past, err = pastOf{Past: decision.RefusedBaseline, reason: err.Error()}, nil
		}
	}
	s.Past, s.PastReason = past.Past, past.reason
	if s.Enforced() {
		v.making = past.making // what is tagged at most asks for no other look
	}
	return s, past, err
}

// plain is a situation without a past.
func (g *Guard) plain(j job, v judged) decision.Situation {
	s := decision.Situation{Change: j.change.Kind, Verdict: v.report.Verdict, Reasons: v.report.Reasons}
	for _, f := range v.report.Open() {
		if f.Severity != finding.Advice || v.report.Verdict == finding.Noncompliant {
			s.Open = append(s.Open, f)
		}
	}
	var held bool
	if s.Modes, held = v.modes(); held {
		s.Doubt = v.doubt
	}
	if reason, protected := role.Protected(v.role, g.cfg.Rules.Protected); protected {
		s.Protected = reason
	}
	if remediate.IsQuarantine(v.role.TrustPolicy) {
		// Nobody gets in, and a person has to say who should: the tags and the
		// alert stay until they do.
		return s
	}
	if tagged(v.role) {
		s.Tagged = decision.Tagged
	}
	if v.known.State != nil && v.known.State.AlertID != "" {
		s.Told = decision.Tagged
	}
	return s
}

// tagged reports whether the role carries our tags; keys ignore case (T57).
func tagged(r role.Role) bool { return len(ourTags(r)) > 0 }

// act does what is planned, as far as the brakes let it. The intent is recorded
// before anything is written.
func (g *Guard) act(ctx context.Context, j job, v judged, d decision.Decision, past pastOf) (decision.Decision, decision.Outcome, error) {
	nothing := decision.Outcome{Before: v.role.TrustPolicy, After: v.role.TrustPolicy}
	if !d.Action.Writes() || d.Action == decision.Clear && !tagged(v.role) {
		return d, nothing, nil
	}
	brakes, err := g.brakes(ctx, j, v, d)
	if err != nil {
		return d, nothing, err
	}
	if _, more := g.settleStep(j); more && brakes.Switch == decision.Unreadable {
		return d, nothing, errSwitch
	}
	due := d
	d = due.Brake(brakes.Brakes)
	d.Reasons = append(d.Reasons, brakes.notes...)
	g.braked(j, v, due, d, brakes.Brakes)
	if !d.Action.Writes() {
		return d, nothing, nil
	}
	task := g.task(d, v, past)
	if j.attempt >= afterMinutes {
		// Whom IAM refuses now was refused minutes ago: several of them are not waited
		// for one after the other.
		task.Refused = remediate.SayAtOnce
	}
	made, err := g.intend(ctx, j, v, task)
	if err != nil {
		return d, nothing, err
	}
	session, err := g.cfg.Writers.Writer(ctx, v.role, d)
	if err != nil {
		return d, nothing, g.void(ctx, made, fmt.Errorf("opening a writing session for role %s: %w", v.role.Ref(), err))
	}
	writing := g.switched(session)
	out, err := g.remedier.Apply(ctx, writing, task)
	g.written(ctx, made, writing.written)
	out.Dropped = append(out.Dropped, v.dropped(d, past)...)
	switch {
	case err != nil && out.Done == decision.Ignore && !errors.Is(err, role.ErrUncertain):
		return d, out, g.void(ctx, made, fmt.Errorf("%s of role %s: %w", d.Action, v.role.Ref(), err))
	case err != nil:
		return d, out, fmt.Errorf("%s of role %s: %w", d.Action, v.role.Ref(), err)
	}
	return d, out, g.contain(ctx, j, v, task, &out)
}

// void records that nothing came of an intent, and gives the error that says why.
func (g *Guard) void(ctx context.Context, i ledger.Intent, why error) error {
	i.Void = true
	if err := g.cfg.Ledger.Intend(context.WithoutCancel(ctx), i); err != nil {
		// It then counts as a write that may have been made, which is the careful way.
		g.cfg.Log.Warn("could not record that nothing was written", "event_id", i.Event.EventID, "account", i.Role.Account, "role", i.Role.Name, "reason", err.Error())
	}
	return why
}

// intend records what is about to be written.
func (g *Guard) intend(ctx context.Context, j job, v judged, t remediate.Task) (ledger.Intent, error) {
	i := intent(j, v, t, g.cfg.Now())
	if err := g.cfg.Ledger.Intend(ctx, i); err != nil {
		return i, fmt.Errorf("recording the intent to %s role %s: %w", t.Decision.Action, v.role.Ref(), err)
	}
	return i, nil
}

// intent is what is about to be written, with what was judged and when it was read.
func intent(j job, v judged, t remediate.Task, now time.Time) ledger.Intent {
	i := ledger.Intent{
		Event: j.key, Role: v.role.Ref(), RoleID: v.role.ID, Decision: t.Decision,
		Before: v.role.TrustPolicy, BeforeDigest: v.digest, After: t.Document, Payment: payment(j, t.Decision), EventTime: j.change.Time, ReadAt: v.role.ReadAt, At: now,
	}
	if after, err := policy.Parse([]byte(t.Document)); err == nil {
		i.AfterDigest = after.Digest(v.role.Partition)
	}
	return i
}

// task says what is to be written for a decision.
func (g *Guard) task(d decision.Decision, v judged, past pastOf) remediate.Task {
	t := remediate.Task{Decision: d, Role: v.role}
	switch d.Action {
	case decision.Revert:
		// A reverted role obeys the rules, so it carries no tag of ours.
		t.Document, t.Untag = past.restored.Document, ourTags(v.role)
	case decision.Quarantine:
		t.Document, t.Tags = remediate.Quarantine(d.ID), remediate.Tags(d, v.report.Open()...)
	case decision.Tag:
		t.Tags = remediate.Tags(d, v.report.Open()...)
	case decision.Clear:
		t.Untag = ourTags(v.role)
	case decision.Prune:
		return v.pruneTask(d)
	case decision.Ignore, decision.Tell, decision.Hold:
	}
	return t
}

// ourTags are those of our tags that the role carries, in whatever case (T57).
func ourTags(r role.Role) []string {
	var out []string
	for _, ours := range remediate.TagKeys() {
		for key := range r.Tags {
			if strings.EqualFold(key, ours) && !slices.Contains(out, ours) {
				out = append(out, ours)
			}
		}
	}
	return out
}
