package guard

import (
	"time"

	"github.com/rolewarden/rolewarden/pkg/decision"
	"github.com/rolewarden/rolewarden/pkg/ledger"
	"github.com/rolewarden/rolewarden/pkg/meter"
)

// Latency is the time from the event of a Result to its end, which is now. It
// is not ok when nothing ended, when the event had ended before, when it has no
// time that is known, and when no event told of what was handled.
func (r Result) Latency(now time.Time) (d time.Duration, ok bool) {
	if !r.Concluded() || r.Change.Time.IsZero() || r.Key.EventID != toldOf(r.Change).EventID {
		return 0, false
	}
	return now.Sub(r.Change.Time), true
}

// Concluded reports whether the handling brought an event to its end.
func (r Result) Concluded() bool { return r.Ignored == "" && r.End != ledger.InFlight }

// leaves logs that a role is left as it is, though more was due.
func (g *Guard) leaves(j job, v judged, d decision.Decision, word, why string) {
	g.cfg.Log.Error("a role is left as it is, and a person has to see to it", meter.Key, word, "event_id", toldOf(j.change).EventID,
		"account", v.role.Account, "role", v.role.ARN, "rule", d.Rules, "action", d.Action.String(), "reason", why)
}

// fellShort logs a write that was not made, not made in full, or not seen
// afterwards; also one that met somebody else's (T64).
func (g *Guard) fellShort(j job, v judged, d decision.Decision, out decision.Outcome) {
	if out.Contained.Problem != "" {
		g.cfg.Log.Error("the sessions of a role were not ended for sure, and a person has to look at it", meter.Key, meter.WordIncomplete, "event_id", toldOf(j.change).EventID,
			"account", v.role.Account, "role", v.role.ARN, "rule", d.Rules, "action", d.Action.String(), "reason", out.Contained.Problem)
	}
	switch {
	case out.Problem == "":
	case out.Done == decision.Ignore:
		g.leaves(j, v, d, meter.WordHeld, out.Problem)
	default:
		g.cfg.Log.Error("a role was written, and a person has to look at it", meter.Key, meter.WordIncomplete, "event_id", toldOf(j.change).EventID,
			"account", v.role.Account, "role", v.role.ARN, "rule", d.Rules, "action", d.Action.String(), "reason", out.Problem)
	}
}

// braked logs that the brakes stopped a write that was due, or weakened it to a
// tag. A kill switch that cannot be read is logged where it is read.
func (g *Guard) braked(j job, v judged, due, left decision.Decision, b decision.Brakes) {
	if left.Action == due.Action {
		return
	}
	switch b.Switch {
	case decision.WritesAllowed:
		g.leaves(j, v, due, meter.WordStoppedByLimit, left.Reasons[0])
	case decision.WritesStopped:
		g.leaves(j, v, due, meter.WordStoppedBySwitch, left.Reasons[0])
	case decision.Unreadable:
	}
}
