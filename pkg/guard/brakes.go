package guard

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/rolewarden/rolewarden/pkg/decision"
	"github.com/rolewarden/rolewarden/pkg/ledger"
	"github.com/rolewarden/rolewarden/pkg/meter"
	"github.com/rolewarden/rolewarden/pkg/org"
	"github.com/rolewarden/rolewarden/pkg/remediate"
	"github.com/rolewarden/rolewarden/pkg/role"
)

// brakes are what stays the hand, and what else is to be told of it.
type brakes struct {
	decision.Brakes
	notes []string
}

// brakes reads the switch and spends the limits, once for a decision. Nothing
// is spent while the switch stops every write.
func (g *Guard) brakes(ctx context.Context, j job, v judged, d decision.Decision) (brakes, error) {
	var b brakes
	var why string
	if b.Switch, why = g.position(ctx); b.Switch != decision.WritesAllowed {
		if b.Switch == decision.Unreadable {
			g.leaves(j, v, d, meter.WordSwitchUnreadable, why)
		}
		return b, nil
	}
	l := g.cfg.Rules.Limits
	var err error
	if d.Action.Replaces() {
		if err = g.spendWrite(ctx, j, v, d, &b); err != nil || b.Limit == "" {
			return b, err
		}
	}
	err = g.cfg.Ledger.Spend(ctx, d.ID+"/tags", g.cfg.Now(), []ledger.Counter{
		{Name: "tags/" + v.role.Account, Window: time.Hour, Limit: max(1, l.TagsPerHour/4)},
		{Name: "tags", Window: time.Hour, Limit: l.TagsPerHour},
	})
	if limit := (*ledger.LimitError)(nil); errors.As(err, &limit) {
		b.TagLimit, err = limit.Error(), nil
	}
	if err != nil {
		return b, fmt.Errorf("counting the tags of decision %s: %w", d.ID, err)
	}
	return b, nil
}

// spendWrite counts a write of a trust policy against every limit, or against
// none when the breaker of one is tripped. A decision is counted once, however
// often it is tried, as long as nothing came of the tries.
func (g *Guard) spendWrite(ctx context.Context, j job, v judged, d decision.Decision, b *brakes) error {
	token := payment(j, d)
	err := g.cfg.Ledger.Spend(ctx, token, g.cfg.Now(), writeCounters(g.cfg.Rules.Limits, d, v.role))
	var tripped *ledger.TrippedError
	switch {
	case errors.As(err, &tripped):
		b.Limit, b.Next = tripped.Error(), next(j, v, tripped.Breaker)
		if tripped.Breaker.Token == token {
			g.tripped(j, v, d, tripped.Breaker)
		}
		return nil
	case err != nil:
		return fmt.Errorf("counting the write %s: %w", d.ID, err)
	}
	// This write may be the last that a limit allows: then people hear of it now,
	// and not when the next one is due.
	all, err := g.cfg.Ledger.Breakers(ctx)
	if err != nil {
		return fmt.Errorf("looking whether the write %s is the last: %w", d.ID, err)
	}
	for _, one := range all {
		if one.Token == token {
			g.tripped(j, v, d, one)
			b.notes = append(b.notes, fmt.Sprintf("It was the last write that the limit allows: %s. %s.", (&ledger.TrippedError{Breaker: one}).Error(), next(j, v, one)))
		}
	}
	return nil
}

// payment names what a write is counted under. Where an earlier handling of the
// event may have written already, and the role does not show it any more,
// somebody undid it: another write is counted anew. Else whoever keeps a handling
// from its end would have many writes for one (I10).
func payment(j job, d decision.Decision) string {
	switch i := j.taken.Intent; {
	case i == nil:
		return d.ID
	case i.Void && i.Payment != "":
		return i.Payment
	default:
		return fmt.Sprintf("%s/%d", d.ID, j.taken.Attempts)
	}
}

// tripped logs that a breaker has tripped.
func (g *Guard) tripped(j job, v judged, d decision.Decision, b ledger.Breaker) {
	g.cfg.Log.Error("a breaker has tripped: writes of its scope stay stopped until a person resets it", meter.Key, meter.WordBreakerTripped,
		"event_id", toldOf(j.change).EventID, "account", v.role.Account, "role", v.role.ARN, "rule", d.Rules, "action", d.Action.String(),
		"reason", (&ledger.TrippedError{Breaker: b}).Error())
}

// next says what a person does about a tripped breaker. Where one role keeps
// being changed, it says by whom and through which tool (T65): resetting alone
// would begin it all over.
func next(j job, v judged, b ledger.Breaker) string {
	reset := " Then `rolewarden breaker reset " + b.Scope + " --deployment FILE --reason TEXT` has them written again"
	if !strings.HasPrefix(b.Scope, roleScope) {
		return "Trust policies of this scope are not written any more. Find out who or what changes so many roles, and mend this one by hand." + reset
	}
	return "The role keeps being changed, by " + strings.Join(changers(j, v), ", and by ") +
		". Its trust policy is not written any more: make whatever changes it write what the rules allow, or take the role out of it." + reset
}

// mostChangers is how many of those who changed a role are remembered.
const mostChangers = 5

// changers are those who changed the role to what the rules forbid, this one first.
func changers(j job, v judged) []string {
	change := j.asTold()
	if s := v.known.State; j.found != nil && change.Actor.ARN != "" && s != nil && len(s.Changers) > 0 {
		return s.Changers // one of them made what stands
	}
	who := change.Actor.ARN
	switch {
	case j.sweep != "", change.Actor.UserName == foundStanding, change.Actor.UserName == nobody:
		who = "somebody of whom no event told"
	case who == "":
		who = "somebody whom the event does not name"
	}
	if tool := change.Tool(); tool != "" {
		who += " with " + tool
	}
	out := []string{who}
	if v.known.State != nil {
		for _, one := range v.known.State.Changers {
			if one != who && len(out) < mostChangers {
				out = append(out, one)
			}
		}
	}
	return out
}

// roleScope begins the names of the counters of single roles.
const roleScope = "role/"

func writeCounters(l org.Limits, d decision.Decision, r role.Role) []ledger.Counter {
	out := []ledger.Counter{
		{Name: roleScope + r.Account + "/" + r.ID, Window: 24 * time.Hour, Limit: l.PerRolePerDay, Full: ledger.Trip},
		{Name: "account/" + r.Account, Window: time.Hour, Limit: l.PerAccountPerHour, Full: ledger.Trip},
		{Name: "organization", Window: time.Hour, Limit: l.PerHour, Full: ledger.Trip},
	}
	for _, rule := range d.Rules {
		out = append(out, ledger.Counter{Name: "rule/" + rule, Window: time.Hour, Limit: l.PerRulePerHour, Full: ledger.Trip})
	}
	return out
}

// Scopes are the names of the counters, and of their breakers, that a write to a
// role under some rules counts for.
func Scopes(r role.Role, rules []string) []string {
	var out []string
	for _, c := range writeCounters(org.Limits{}, decision.Decision{Rules: rules}, r) {
		out = append(out, c.Name)
	}
	return out
}

// errSwitch says that nothing is written since the kill switch could not be read,
// which may pass.
var errSwitch = errors.New("the kill switch could not be read, which stops every write")

// position reads the kill switch. What cannot be read, or is no position, stops
// every write, and why says so.
func (g *Guard) position(ctx context.Context) (at decision.Switch, why string) {
	s, err := g.cfg.Ledger.Switch(ctx)
	switch {
	case err != nil:
		return decision.Unreadable, err.Error()
	case s == decision.WritesAllowed, s == decision.WritesStopped:
		return s, ""
	default:
		return decision.Unreadable, "the ledger gives the kill switch no known position"
	}
}

// stoppedError says that the kill switch stopped a write at the last moment.
type stoppedError struct{ word, why string }

func (e *stoppedError) Error() string { return e.why }

// mayWrite reads the kill switch once more, right before a write.
func (g *Guard) mayWrite(ctx context.Context) error {
	switch at, why := g.position(ctx); at {
	case decision.WritesAllowed:
		return nil
	case decision.WritesStopped:
		return &stoppedError{meter.WordStoppedBySwitch, "the kill switch stops every write since a moment ago"}
	case decision.Unreadable:
		return &stoppedError{meter.WordSwitchUnreadable, "the kill switch could not be read, which stops every write: " + why}
	default:
		return &stoppedError{meter.WordSwitchUnreadable, "the kill switch has no known position, which stops every write"}
	}
}

// switched is a writing session that reads the kill switch before each write,
// also before one that is tried again.
type switched struct {
	remediate.IAM
	g *Guard
	// may reads the switch.
	may func(context.Context) error
	// open is the error of a write that may or may not have happened.
	open error
	// written is when the last write of a trust policy ended that may have
	// happened; zero when none did.
	written time.Time
}

// switched is a writing session of the guard's own.
func (g *Guard) switched(in remediate.IAM) *switched {
	return &switched{IAM: in, g: g, may: g.mayWrite}
}

// write makes one write, if the switch allows it. After one whose effect is not
// known, nobody may say that nothing was written.
func (s *switched) write(ctx context.Context, call func() error) error {
	if err := s.may(ctx); err != nil {
		return errors.Join(err, s.open)
	}
	err := call()
	if errors.Is(err, role.ErrUncertain) {
		s.open = err
	}
	return err
}

func (s *switched) UpdateTrust(ctx context.Context, r role.Ref, document string) error {
	return s.write(ctx, func() error { return s.noted(s.IAM.UpdateTrust(ctx, r, document)) })
}

func (s *switched) Tag(ctx context.Context, r role.Ref, tags map[string]string) error {
	return s.write(ctx, func() error { return s.IAM.Tag(ctx, r, tags) })
}

func (s *switched) Untag(ctx context.Context, r role.Ref, keys []string) error {
	return s.write(ctx, func() error { return s.IAM.Untag(ctx, r, keys) })
}
