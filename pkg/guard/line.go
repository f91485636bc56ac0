package guard

import (
	"context"
	"errors"
	"fmt"
	"time"

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
	// sweep names the sweep that saw the role, where no event did; voice says
	// whether the role may have an alert of its own, and live is the role as it
	// was read just now.
	sweep string
	voice Voice
	live  *role.Role
	// found is the change that people are told of where what a second look shows
	// is not what the event behind it brought.
	found *trail.Change
	// alone says that nobody else handles the role, or the event, meanwhile.
	alone bool
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
	// known is what is remembered of the role.
	known ledger.Recalled
	// differs says that only the rules have changed; empty when they act.
	differs string
	// making is until when whoever makes the role may finish; zero where nobody
	// waits for that.
	making time.Time
	// shown are the unique ids that the document shows, and since when; prune is
	// what could be pruned.
	shown map[string]time.Time
	prune pruning
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
		res, err := g.once(ctx, &j)
		if !errors.Is(err, remediate.ErrStale) && !errors.Is(err, errBegun) && !errors.Is(err, ledger.ErrWritten) {
			return res, err
		}
		j.live = nil
	}
	res := Result{Key: j.key, Change: j.change, Reason: why}
	if s, more := g.settleStep(j); more {
		return g.postpone(ctx, res, s)
	}
	if err := g.tellLostUnseen(ctx, &res, j); err != nil {
		return res, err
	}
	return g.trouble(ctx, res, j, ledger.Held, why+", so this handling left it as it is; look at the role and at who keeps changing it")
}

// once goes the whole way with one reading of the role. What obeys the rules
// ends here; what has to be remembered, written or told is done alone.
func (g *Guard) once(ctx context.Context, j *job) (Result, error) {
	res := Result{Key: j.key, Change: j.change}
	live, err := g.read(ctx, *j)
	if err != nil {
		return g.unread(ctx, res, *j, err)
	}
	if j.madeAnew(live) {
		return g.end(ctx, res, *j, ledger.Superseded, "the role was made anew, and its making is an event of its own")
	}
	res.Role = live
	if made, ok := g.madeBefore(*j, live); ok {
		if s, more := g.settleStep(*j); more && j.attempt < afterSeconds {
			res.Reason = "the role shows what an earlier handling was about to write, and did before the change too; it is read again later"
			return g.postpone(ctx, res, s)
		}
		return g.alone(ctx, res, j, func(j job) (Result, error) { return g.resume(ctx, res, j, made) })
	}
	v, err := g.look(ctx, *j, live)
	if s, more := g.settleStep(*j); more && errors.Is(err, errUnasked) {
		res.Reason = err.Error() + "; the role is judged again later"
		return g.postpone(ctx, res, s)
	}
	if err != nil {
		return res, err
	}
	res.Report = v.report
	// A quarantined role waits for a person, and its alert with it: that is not
	// recorded beside a handling that is about to open one.
	shut := remediate.IsQuarantine(live.TrustPolicy)
	if v.report.Verdict == finding.Compliant && !shut && !tagged(live) && j.waitFor(v) == "" && !j.untold(v) && !j.looksAgain() {
		done, err := g.compliant(ctx, res, *j, v)
		if !errors.Is(err, ledger.ErrOpenAlert) && !errors.Is(err, ledger.ErrWritten) {
			return done, err
		}
		res.Steps = done.Steps
	}
	return g.alone(ctx, res, j, func(j job) (Result, error) { return g.answer(ctx, res, j, v) })
}

// read gives the role as it stands now.
func (g *Guard) read(ctx context.Context, j job) (role.Role, error) {
	if j.live != nil {
		return *j.live, nil
	}
	return g.cfg.Reader.Role(ctx, role.Ref{Account: j.change.Account, Name: j.change.RoleName})
}

// compliant ends an event whose role obeys the rules, and asks for a second
// look after which its document may become a baseline. That is asked for first:
// a second asking does no harm, and a lost one would leave the role without a
// past. ErrOpenAlert says that more is to be done than that, and so does
// ErrWritten: after a write of ours a reading may still show what it replaced,
// or what it replaced unread.
func (g *Guard) compliant(ctx context.Context, res Result, j job, v judged) (Result, error) {
	res, err := g.promoteLater(ctx, res, j, v)
	if err != nil {
		return res, err
	}
	err = g.cfg.Ledger.Conclude(ctx, ledger.Conclusion{
		Event: j.key, End: ledger.Compliant, Reason: "the role obeys the rules", At: g.cfg.Now(),
		State: g.remember(j, v, decision.Decision{}, decision.Outcome{}, thread{}), Expect: ledger.NoOpenAlert, ReadAt: v.role.ReadAt.Add(-lag),
	})
	if err != nil {
		return res, fmt.Errorf("recording the end of event %s: %w", j.key.EventID, err)
	}
	res.End, res.Reason = ledger.Compliant, "the role obeys the rules"
	return res, nil
}
