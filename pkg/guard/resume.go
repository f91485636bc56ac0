package guard

import (
	"context"
	"errors"
	"fmt"

	"github.com/rolewarden/rolewarden/pkg/decision"
	"github.com/rolewarden/rolewarden/pkg/ledger"
	"github.com/rolewarden/rolewarden/pkg/policy"
	"github.com/rolewarden/rolewarden/pkg/remediate"
	"github.com/rolewarden/rolewarden/pkg/role"
	"github.com/rolewarden/rolewarden/pkg/rules"
)

// madeBefore gives the outcome of a write that an earlier handling of the same
// event made before it could say so: the intent is recorded and the role shows
// its document. Without this the role's good state would look like a reading
// that lags behind the event, and nobody would be told of the revert.
func (g *Guard) madeBefore(j job, live role.Role) (decision.Outcome, bool) {
	i := j.taken.Intent
	if i == nil || i.Void || i.RoleID != live.ID || i.After == "" {
		return decision.Outcome{}, false
	}
	// A quarantine of another decision is none that this event's handling made.
	if t := (remediate.Task{Decision: i.Decision, Role: live, Document: i.After}); !t.Stands(live) {
		return decision.Outcome{}, false
	}
	return decision.Outcome{Done: i.Decision.Action, Verified: true, Before: i.Before, After: live.TrustPolicy}, true
}

// resume tells and records what an earlier handling did, judged by the
// document that it replaced.
func (g *Guard) resume(ctx context.Context, res Result, j job, out decision.Outcome) (Result, error) {
	v := g.judgedBefore(j, res.Role, out.Before)
	var err error
	if v.known, err = g.cfg.Ledger.Recall(ctx, v.role.Account, v.role.ID); err != nil {
		return res, fmt.Errorf("reading what is remembered of role %s: %w", v.role.Ref(), err)
	}
	replaced := v
	replaced.shows = shows(j.change, v.role, v.doc)
	j.placeInTime(&replaced)
	g.foundBy(&j, &replaced)
	i := j.taken.Intent
	if i.WrittenAt.IsZero() {
		// The role shows what was written, so whoever wrote before this reading
		// wrote before us.
		g.written(ctx, *i, res.Role.ReadAt)
	}
	if g.handsOff() && i.Decision.Action != decision.Prune && g.cfg.Rules.Contains(i.Decision.Rules) {
		// Who may not write ends no sessions either.
		return g.handOver(ctx, res, j, i.Decision)
	}
	v.role.Boundary = boundaryOf(i, res.Role)
	if err := g.contain(ctx, j, v, remediate.Task{Decision: i.Decision, Role: v.role, Document: i.After}, &out); err != nil {
		return g.acted(ctx, res, j, v, err)
	}
	late := interrupted{*i, v, res.Role}
	if tags := late.lacking(); tags != nil {
		if g.handsOff() {
			return g.handOver(ctx, res, j, i.Decision)
		}
		if err := g.tagLate(ctx, j, late, tags, &out); err != nil {
			return g.acted(ctx, res, j, v, err)
		}
	}
	res.Report, res.Decision, res.Outcome = v.report, i.Decision, out
	g.fellShort(j, v, res.Decision, out)
	// Should nothing have been written after all, the second look finds it. No
	// event tells who made what it finds.
	if live, err := policy.Parse([]byte(out.After)); err == nil && !remediate.IsQuarantine(out.After) {
		look := j
		look.change.EventID += standing
		if res, err = g.promoteStep(ctx, res, look, res.Role, live.Digest(res.Role.Partition)); err != nil {
			return res, err
		}
	}
	return g.conclude(ctx, res, j, v)
}

// judgedBefore judges a role by a document that it had.
func (g *Guard) judgedBefore(j job, live role.Role, before string) judged {
	v := judged{role: live}
	v.role.TrustPolicy = before
	change := j.change
	v.input = rules.Input{Role: v.role, Change: &change, Org: g.cfg.Rules, Now: g.cfg.Now()}
	v.report = rules.JudgeText(v.input, before)
	if doc, err := policy.Parse([]byte(before)); err == nil {
		v.doc, v.digest, v.input.Document = doc, doc.Digest(v.role.Partition), doc
	}
	return v
}

// errUntagged says that a quarantine stands, and that its tags may be set a little later.
var errUntagged = errors.New("the role was quarantined and does not bear the tags yet")

// lacking gives the tags of a quarantine that its handling did not set any more:
// the document is written before them, and nothing else would set them, since a
// quarantined role is left alone.
func (i interrupted) lacking() map[string]string {
	if i.Decision.Action != decision.Quarantine {
		return nil
	}
	want := remediate.Tags(i.Decision, i.judged.report.Open()...)
	for key, value := range want {
		if i.live.Tags[key] != value {
			return want
		}
	}
	return nil
}

// interrupted is a write that is gone on with: its intent, the role as it was
// judged then and as it stands now.
type interrupted struct {
	ledger.Intent
	judged judged
	live   role.Role
}

// tagLate sets tags, under the intent of the write that they belong to. What does
// not pass by itself is told.
func (g *Guard) tagLate(ctx context.Context, j job, i interrupted, tags map[string]string, out *decision.Outcome) error {
	problem, err := g.tagOnly(ctx, j, i, tags)
	switch {
	case err == nil:
		out.Problem = problem
	case passes(err) && j.attempt < afterMinutes:
		return fmt.Errorf("%w: %w", errUntagged, err)
	default:
		out.Problem = "The role's tags were not set: " + err.Error() + "."
	}
	return nil
}

// tagOnly sets tags as every write is made: under the switch and the limits, by a
// session that can do nothing else.
func (g *Guard) tagOnly(ctx context.Context, j job, i interrupted, tags map[string]string) (problem string, err error) {
	d := i.Decision
	d.Action = decision.Tag
	brakes, err := g.brakes(ctx, j, i.judged, d)
	if err != nil {
		return "", err
	}
	if left := d.Brake(brakes.Brakes); !left.Action.Writes() {
		g.braked(j, i.judged, d, left, brakes.Brakes)
		return "The role's tags were not set: " + left.Reasons[0], nil
	}
	session, err := g.cfg.Writers.Writer(ctx, i.live, d)
	if err != nil {
		return "", fmt.Errorf("opening a writing session for role %s: %w", i.live.Ref(), err)
	}
	done, err := g.remedier.Apply(ctx, g.switched(session), remediate.Task{Decision: d, Role: i.live, Tags: tags})
	return done.Problem, err
}
