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
	"github.com/rolewarden/rolewarden/pkg/org"
	"github.com/rolewarden/rolewarden/pkg/policy"
	"github.com/rolewarden/rolewarden/pkg/remediate"
	"github.com/rolewarden/rolewarden/pkg/role"
)

// leaseFor is how long a role stays reserved for one handling; longer than a
// Lambda's handling of one message, shorter than anybody would wait for.
const leaseFor = 2 * time.Minute

// answer plans, brakes, acts, tells and records, in this order.
func (g *Guard) answer(ctx context.Context, res Result, j job, v judged) (Result, error) {
	res.Report = v.report
	state, err := g.state(ctx, v.role)
	if err != nil {
		return res, err
	}
	v.state = state
	past, err := g.past(ctx, v)
	if err != nil {
		return res, err
	}
	d := decision.Plan(g.situation(j, v, past))
	d.ID = decision.ID(j.key.Account, j.key.EventID, v.role.ID)
	d.RulesHash, d.At = g.cfg.Rules.Hash, g.cfg.Now()
	if d.Action == decision.Hold {
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
	why := ""
	switch {
	case errors.Is(err, remediate.ErrStale), errors.Is(err, role.ErrUncertain):
		// Nobody may say that nothing was written when it is not known: the
		// message comes again, and the recorded intent tells.
		return res, err
	case errors.Is(err, ledger.ErrLeased):
		why = "another event of the role is being handled"
	case errors.Is(err, role.ErrInvalidPrincipal):
		why = "IAM does not accept a principal of the document: it is gone, or too new"
	case errors.Is(err, role.ErrAccessDenied) && j.attempt >= afterMinutes:
		return g.held(ctx, res, j, v, "the role may not be written ("+err.Error()+"); check that the member stack is deployed in the account and that no SCP or RCP stops its roles")
	case errors.Is(err, role.ErrAccessDenied):
		why = "the role may not be written (" + err.Error() + "); check that the member stack is deployed in the account and that no SCP or RCP stops its roles"
	case errors.Is(err, role.ErrNotFound):
		why = "the role vanished while it was being handled"
	case errors.Is(err, role.ErrUnmodifiable), errors.Is(err, role.ErrLimit), errors.Is(err, role.ErrMalformed), errors.Is(err, remediate.ErrTask):
		return g.held(ctx, res, j, v, err.Error())
	default:
		return res, err
	}
	if s, more := g.settleStep(j); more {
		res.Decision, res.Outcome, res.Reason = decision.Decision{}, decision.Outcome{}, why+"; it is tried again later"
		return g.postpone(ctx, res, s)
	}
	return g.held(ctx, res, j, v, why)
}

// held ends a handling whose decision could not be carried out. All that was
// found is told: the role stays as it is, and people have to mend it.
func (g *Guard) held(ctx context.Context, res Result, j job, v judged, why string) (Result, error) {
	g.leaves(j, v, res.Decision, meter.WordHeld, why)
	res.Decision.Reasons = append([]string{"Nothing was written (" + res.Decision.Action.String() + " was due): " + why + ". Mend the role by hand."}, res.Decision.Reasons...)
	res.Decision.Action = decision.Hold
	res.Outcome = decision.Outcome{Before: v.role.TrustPolicy, After: v.role.TrustPolicy, Problem: why}
	return g.conclude(ctx, res, j, v)
}

func (g *Guard) state(ctx context.Context, live role.Role) (*ledger.RoleState, error) {
	s, ok, err := g.cfg.Ledger.State(ctx, live.Account, live.ID)
	if err != nil {
		return nil, fmt.Errorf("reading what is remembered of role %s: %w", live.Ref(), err)
	}
	if !ok {
		return nil, nil
	}
	return &s, nil
}

// situation gathers what the table looks at.
func (g *Guard) situation(j job, v judged, past pastOf) decision.Situation {
	s := decision.Situation{
		Change: j.change.Kind, Verdict: v.report.Verdict, Reasons: v.report.Reasons,
		Past: past.Past, PastReason: past.reason, Tagged: decision.Untagged, Told: decision.Untagged,
	}
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
	if v.state != nil && v.state.AlertID != "" {
		s.Told = decision.Tagged
	}
	return s
}

// tagged reports whether the role carries our tags; keys ignore case (T57).
func tagged(r role.Role) bool { return len(ourTags(r)) > 0 }

// act does what is planned, as far as the brakes let it.
func (g *Guard) act(ctx context.Context, j job, v judged, d decision.Decision, past pastOf) (decision.Decision, decision.Outcome, error) {
	nothing := decision.Outcome{Before: v.role.TrustPolicy, After: v.role.TrustPolicy}
	if !d.Action.Writes() || d.Action == decision.Clear && !tagged(v.role) {
		return d, nothing, nil
	}
	now, holder := g.cfg.Now(), j.holder()
	if err := g.cfg.Ledger.Lease(ctx, v.role.Ref(), holder, now, now.Add(leaseFor)); err != nil {
		return d, nothing, fmt.Errorf("taking the lease of role %s: %w", v.role.Ref(), err)
	}
	defer func() {
		if err := g.cfg.Ledger.Release(context.WithoutCancel(ctx), v.role.Ref(), holder); err != nil {
			g.cfg.Log.Warn("could not give a lease back; it ends by itself", "event_id", j.key.EventID, "account", v.role.Account, "role", v.role.ARN, "reason", err.Error())
		}
	}()
	brakes, err := g.brakes(ctx, j, v, d)
	if err != nil {
		return d, nothing, err
	}
	due := d
	d = due.Brake(brakes)
	g.braked(j, v, due, d, brakes)
	if !d.Action.Writes() {
		return d, nothing, nil
	}
	task := g.task(d, v, past)
	if err := g.cfg.Ledger.Intend(ctx, ledger.Intent{
		Event: j.key, Role: v.role.Ref(), RoleID: v.role.ID, Decision: d,
		Before: v.role.TrustPolicy, After: task.Document, BeforeDigest: v.digest, AfterDigest: digestOf(task.Document, v),
		ReadAt: v.role.ReadAt, At: now,
	}); err != nil {
		return d, nothing, fmt.Errorf("recording the intent to %s role %s: %w", d.Action, v.role.Ref(), err)
	}
	session, err := g.cfg.Writers.Writer(ctx, v.role, d)
	if err != nil {
		return d, nothing, fmt.Errorf("opening a writing session for role %s: %w", v.role.Ref(), err)
	}
	out, err := g.remedier.Apply(ctx, session, task)
	if err != nil {
		return d, out, fmt.Errorf("%s of role %s: %w", d.Action, v.role.Ref(), err)
	}
	out.Dropped = append(out.Dropped, past.restored.Dropped...)
	return d, out, nil
}

// digestOf gives the digest of a document that is to be written; empty when none is.
func digestOf(document string, v judged) string {
	after, err := policy.Parse([]byte(document))
	if err != nil {
		return ""
	}
	return after.Digest(v.role.Partition)
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
	case decision.Ignore, decision.Tell, decision.Hold:
	}
	return t
}

// brakes reads the switch and spends the limits. Nothing is spent while the
// switch stops every write.
func (g *Guard) brakes(ctx context.Context, j job, v judged, d decision.Decision) (decision.Brakes, error) {
	var b decision.Brakes
	s, err := g.cfg.Ledger.Switch(ctx)
	switch {
	case err != nil:
		g.leaves(j, v, d, meter.WordSwitchUnreadable, err.Error())
		return b, nil
	case s == decision.WritesAllowed:
		b.Switch = s
	case s == decision.WritesStopped:
		b.Switch = s
		return b, nil
	default:
		g.leaves(j, v, d, meter.WordSwitchUnreadable, "the ledger gives the kill switch no known position")
		return b, nil
	}
	l := g.cfg.Rules.Limits
	if d.Action == decision.Revert || d.Action == decision.Quarantine {
		if b.Limit, err = g.spend(ctx, d.ID, writeCounters(l, d, v.role)); err != nil || b.Limit == "" {
			return b, err
		}
	}
	b.TagLimit, err = g.spend(ctx, d.ID+"/tags", []ledger.Counter{
		{Name: "tags/" + v.role.Account, Window: time.Hour, Limit: max(1, l.TagsPerHour/4)},
		{Name: "tags", Window: time.Hour, Limit: l.TagsPerHour},
	})
	return b, err
}

func writeCounters(l org.Limits, d decision.Decision, r role.Role) []ledger.Counter {
	out := []ledger.Counter{
		{Name: "role/" + r.Account + "/" + r.ID, Window: 24 * time.Hour, Limit: l.PerRolePerDay},
		{Name: "account/" + r.Account, Window: time.Hour, Limit: l.PerAccountPerHour},
		{Name: "organization", Window: time.Hour, Limit: l.PerHour},
	}
	for _, rule := range d.Rules {
		out = append(out, ledger.Counter{Name: "rule/" + rule, Window: time.Hour, Limit: l.PerRulePerHour})
	}
	return out
}

// spend gives the name of the limit that is used up, or "".
func (g *Guard) spend(ctx context.Context, token string, counters []ledger.Counter) (string, error) {
	err := g.cfg.Ledger.Spend(ctx, token, g.cfg.Now(), counters)
	var limit *ledger.LimitError
	switch {
	case err == nil:
		return "", nil
	case errors.As(err, &limit):
		return limit.Error(), nil
	default:
		return "", fmt.Errorf("counting the write %s: %w", token, err)
	}
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
