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
	"github.com/rolewarden/rolewarden/pkg/deployment"
	"github.com/rolewarden/rolewarden/pkg/finding"
	"github.com/rolewarden/rolewarden/pkg/ledger"
	"github.com/rolewarden/rolewarden/pkg/org"
	"github.com/rolewarden/rolewarden/pkg/role"
	"github.com/rolewarden/rolewarden/pkg/trail"
)

// principalDeleted tells of every role that trusted a user or role which was
// deleted. IAM will show a unique id in its place, no event says so, and who
// takes the name next does not regain access by a principal (S3); by a condition
// on the name it does (T42).
func (g *Guard) principalDeleted(ctx context.Context, j job) (Result, error) {
	res := Result{Key: j.key, Change: j.change}
	who := deletedKey(j.change)
	marked, err := g.cfg.Ledger.Deleted(ctx, ledger.Deletion{Principal: who, By: j.change.Actor.ARN, At: j.change.Time, Event: j.key})
	if err != nil {
		return res, fmt.Errorf("recording the deletion of %s %s: %w", who.Kind, who.Name, err)
	}
	found, err := g.trustedBy(ctx, who, marked)
	if err != nil {
		return res, err
	}
	d := alert.Deletion{Now: g.cfg.Now(), Change: j.change, Principal: deletedPrincipal(j.change, who, marked, found)}
	as := goneAs{key: who, marked: marked, arn: d.Principal.ARN, event: j.change.EventID, at: j.change.Time}
	if d.Trusting, err = g.stillTrusting(ctx, found, as); err != nil {
		return res, err
	}
	if len(d.Trusting) > 0 {
		d.LivesStill = g.bearerOf(ctx, d.Principal.ARN)
		as.heir = d.LivesStill
		d.Trusting = as.disinherited(d.Trusting, found)
	}
	if len(d.Trusting) == 0 {
		return g.gone(ctx, res, j, ledger.Compliant, "no role that is known trusted the deleted "+who.Kind)
	}
	if d.Next, err = g.afterDeletion(ctx, &res, j, d.Trusting); err != nil {
		return res, err
	}
	res.Decision = decision.Decision{ID: decision.ID(j.key.Account, j.key.EventID, ""), Action: decision.Tell, RulesHash: g.cfg.Rules.Hash, At: g.cfg.Now()}
	return g.gone(ctx, res, j, ledger.Told, fmt.Sprintf("%d roles trusted the deleted %s", len(d.Trusting), who.Kind), deletions(d)...)
}

// bearerOf gives the unique id of who has a name now; empty when nobody has, or
// nobody may look.
func (g *Guard) bearerOf(ctx context.Context, arn string) string {
	id, err := g.cfg.Reader.PrincipalID(ctx, arn)
	if err != nil && !errors.Is(err, role.ErrNotFound) {
		g.cfg.Log.Warn("could not look whether the deleted principal's name lives again", "principal", arn, "reason", err.Error())
	}
	if err != nil {
		return ""
	}
	return id
}

// deletions are as many alerts as the names of all roles need.
func deletions(d alert.Deletion) []telling {
	var out []telling
	for _, one := range d.Split() {
		out = append(out, telling{Alert: alert.BuildDeletion(one)})
	}
	return out
}

// gone ends the deletion of a principal. If that was a role with an open alert,
// nothing about it is open any more: the alert is resolved, and forgotten. All of
// that is done alone, and by what is remembered then: what is put off half way would
// be taken for done once the event has ended.
func (g *Guard) gone(ctx context.Context, res Result, j job, end ledger.End, reason string, all ...telling) (Result, error) {
	over := ledger.Conclusion{End: end, Reason: reason}
	if j.change.Kind != trail.RoleDeleted {
		return g.finish(ctx, res, j, over, all...)
	}
	states, err := g.bearers(ctx, j)
	if err != nil {
		return res, err
	}
	if !slices.ContainsFunc(states, func(s ledger.RoleState) bool { return s.AlertID != "" }) {
		return g.finish(ctx, res, j, over, all...)
	}
	return g.alone(ctx, res, &j, func(j job) (Result, error) { return g.resolveGone(ctx, res, j, over, all) })
}

// bearers gives what is remembered of the roles that had the name of a deleted one.
func (g *Guard) bearers(ctx context.Context, j job) ([]ledger.RoleState, error) {
	states, err := g.cfg.Ledger.Trusting(ctx, itself(j.change.Account, j.change.RoleName))
	if err != nil {
		return nil, fmt.Errorf("looking for what is open about role %s: %w", j.change.RoleName, err)
	}
	return states, nil
}

// resolveGone ends the deletion of a role of whose name something is open.
func (g *Guard) resolveGone(ctx context.Context, res Result, j job, over ledger.Conclusion, all []telling) (Result, error) {
	states, err := g.bearers(ctx, j)
	if err != nil {
		return res, err
	}
	d := g.wasDeleted(ctx, j, states)
	// Those who are to be told of others that trusted it do not wait for that: a
	// sweep resolves what is left open.
	if step, more := g.settleStep(j); d.seen == notYet && more && len(all) == 0 && j.sweep == "" && j.attempt < afterMinutes {
		res.Reason = "whether the deleted role is gone is not to be seen yet, and it is looked for again later"
		return g.postpone(ctx, res, step)
	}
	if s := d.found; s != nil {
		all = append(all, telling{Alert: resolvedByDeletion(g.cfg.Rules, g.cfg.Now(), j, *s), after: s.Told})
		over.State = forgotten(*s, j, g.cfg.Now())
	}
	if err := g.goneBefore(ctx, j, states, d); err != nil {
		return res, err
	}
	return g.finish(ctx, res, j, over, all...)
}

// gonePart marks, with the RoleId behind it, the end of a role that had the name of
// a deleted one before it.
const gonePart = "#gone."

// goneBefore resolves what is open about the other roles that had the name of a
// deleted one: whichever was seen before the deletion, and is not there, is gone as
// well, and its own deletion may have been taken for another's, or its event lost.
// Each has an end of its own, since one state is kept with an end.
func (g *Guard) goneBefore(ctx context.Context, j job, states []ledger.RoleState, d deleted) error {
	for _, s := range states {
		if s.AlertID == "" || s.RoleID == d.lives || d.found != nil && s.RoleID == d.found.RoleID || !s.UpdatedAt.Before(j.change.Time) || j.sweep != "" {
			continue
		}
		other := j
		other.key.EventID += gonePart + s.RoleID
		taken, err := g.cfg.Ledger.Take(ctx, other.key, g.cfg.Now())
		if err != nil {
			return fmt.Errorf("taking event %s of account %s: %w", other.key.EventID, other.key.Account, err)
		}
		if other.taken = taken; taken.End != ledger.InFlight {
			continue
		}
		over := telling{Alert: resolvedByDeletion(g.cfg.Rules, g.cfg.Now(), other, s), after: s.Told}
		end := ledger.Conclusion{End: ledger.Compliant, Reason: "another role of the name was there before it, and is gone", State: forgotten(s, other, g.cfg.Now())}
		if _, err := g.finish(ctx, Result{Key: other.key, Change: j.change}, other, end, over); err != nil {
			return err
		}
	}
	return nil
}

// sight says whether it is to be seen which role was deleted. The zero value is not yet.
type sight uint8

const (
	notYet sight = iota
	plainly
)

// deleted is what is to be seen of the deletion of a role.
type deleted struct {
	// found is the role that was deleted, of those about which something is open;
	// nil for none.
	found *ledger.RoleState
	seen  sight
	// lives is the unique id of the role that has the name now; empty for none, and
	// where that is not known.
	lives string
}

// wasDeleted gives, of the roles of a name about which something is open, the one
// that a deletion is of. What was seen of a role in the second of the deletion or
// later is of one that was made after it, as far as anybody knows, and a reading may
// lag: it may show what is gone, and not yet what was made anew.
func (g *Guard) wasDeleted(ctx context.Context, j job, states []ledger.RoleState) deleted {
	open := slices.DeleteFunc(slices.Clone(states), func(s ledger.RoleState) bool {
		return s.AlertID == "" || j.sweep != "" && !strings.HasSuffix(j.change.EventID, "/"+s.RoleID+vanished)
	})
	if len(open) == 0 {
		return deleted{seen: plainly}
	}
	bearer, known := g.bearer(ctx, role.Ref{Account: j.change.Account, Name: j.change.RoleName})
	d := deleted{seen: plainly, lives: bearer}
	for i, s := range open {
		lives, earlier := known && s.RoleID == bearer, s.EventTime.Before(j.change.Time) || j.sweep != ""
		if lives || !earlier || !known && len(open) > 1 {
			d.seen = notYet
		}
		if lives || !earlier && !known {
			continue
		}
		if d.found == nil || nearer(s, *d.found, j.change.Time) {
			d.found = &open[i]
		}
	}
	return d
}

// nearer says whether a role is more likely than another one to be what was deleted
// at a time: one that was looked at before it, since that one was there; the last
// that was seen before it; or else one that was seen in that second, in which its
// name may have been made anew; or else the one that was there first.
func nearer(s, other ledger.RoleState, deleted time.Time) bool {
	rank, theirs := s.EventTime.Compare(deleted), other.EventTime.Compare(deleted)
	there, theyWere := s.UpdatedAt.Before(deleted), other.UpdatedAt.Before(deleted)
	switch {
	case there != theyWere:
		return there
	case rank != theirs:
		return rank < theirs
	case rank < 0:
		return s.EventTime.After(other.EventTime)
	default:
		return s.Since.Before(other.Since)
	}
}

// forgotten is what is remembered of a deleted role: nothing about it is open.
func forgotten(s ledger.RoleState, j job, now time.Time) *ledger.RoleState {
	s.AlertID, s.Told, s.Event, s.UpdatedAt = "", ledger.Key{}, j.key, now
	if j.change.Time.After(s.EventTime) {
		s.EventTime = j.change.Time
	}
	if !strings.HasSuffix(s.ARN, ":role"+deployment.CanaryPath+deployment.CanaryTarget) {
		s.Trusts = slices.DeleteFunc(slices.Clone(s.Trusts), func(k ledger.PrincipalKey) bool { return k == itself(s.Account, s.Name) })
	}
	return &s
}

// leftByDeletion says whether the deletion of a role is what was handled of it last.
func (g *Guard) leftByDeletion(ctx context.Context, s ledger.RoleState) (bool, error) {
	if strings.Contains(s.Event.EventID, gonePart) {
		return true, nil
	}
	ends, err := g.cfg.Ledger.Ends(ctx, []ledger.PrincipalKey{{Account: s.Account, Kind: "role", Name: strings.ToLower(s.Name)}})
	if err != nil {
		return false, fmt.Errorf("asking the ledger whether role %s/%s was deleted: %w", s.Account, s.Name, err)
	}
	return slices.ContainsFunc(ends, func(d ledger.Deletion) bool { return d.Event == s.Event }), nil
}

// bearer gives the unique id of the role that has a name now, empty for none, and
// whether that is known: where nobody may look, the event of a deletion is believed.
func (g *Guard) bearer(ctx context.Context, r role.Ref) (id string, known bool) {
	live, err := g.cfg.Reader.Role(ctx, r)
	if err != nil && !errors.Is(err, role.ErrNotFound) {
		g.cfg.Log.Warn("could not look whether a deleted role is gone", "account", r.Account, "role", r.Name, "reason", err.Error())
		return "", false
	}
	return live.ID, true
}

func resolvedByDeletion(o *org.Rules, now time.Time, j job, s ledger.RoleState) alert.Alert {
	change := toldOf(j.change)
	return alert.Build(alert.Input{
		Now: now, Role: role.Role{Account: s.Account, Name: s.Name, ARN: s.ARN, ID: s.RoleID, TrustPolicy: s.Document},
		Change: &change, Before: s.Document, OpenID: s.AlertID, Resolves: resolves(o, s), Report: finding.Report{Verdict: finding.Compliant},
		Decision: decision.Decision{ID: decision.ID(j.key.Account, j.key.EventID, s.RoleID), Action: decision.Clear, Reasons: []string{"The role was deleted, so nothing about it is open any more."}, RulesHash: o.Hash, At: now},
	})
}

func deletedKey(c trail.Change) ledger.PrincipalKey {
	k := ledger.PrincipalKey{Account: c.Account, Kind: "user", Name: strings.ToLower(c.UserName)}
	if c.Kind == trail.RoleDeleted {
		k.Kind, k.Name = "role", strings.ToLower(c.RoleName)
	}
	return k
}
