package guard

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/rolewarden/rolewarden/pkg/alert"
	"github.com/rolewarden/rolewarden/pkg/decision"
	"github.com/rolewarden/rolewarden/pkg/deployment"
	"github.com/rolewarden/rolewarden/pkg/finding"
	"github.com/rolewarden/rolewarden/pkg/ledger"
	"github.com/rolewarden/rolewarden/pkg/policy"
	"github.com/rolewarden/rolewarden/pkg/role"
)

// conclude ends the handling of a role: what is remembered of it and what is
// told go into the ledger in one step.
func (g *Guard) conclude(ctx context.Context, res Result, j job, v judged) (Result, error) {
	var all []telling
	var open thread
	if s := v.known.State; s != nil && s.AlertID != "" {
		open = thread{s.AlertID, s.Told, s.Untold}
	}
	written := j.overtaken(v, res)
	if written != nil {
		res.Decision.Reasons = append([]string{v.overtook(*written)}, res.Decision.Reasons...)
		j.voice = Aloud // what was written is told by itself, also where this handling wrote nothing
	}
	a, due := g.roleAlert(j, v, res)
	if due && a.State != alert.Resolved && res.Outcome.Done == decision.Ignore {
		if ended, is, err := g.deletedMeanwhile(ctx, res, j, v); is || err != nil {
			return ended, err
		}
	}
	switch {
	case !due && written != nil:
		if all = g.tellOvertaken(j, v, *written, open); open.id != "" {
			// What is told next of the open alert comes after this.
			open.told = j.key
		}
	case due:
		var err error
		if all, open, err = g.threading(ctx, res, j, &v, a, open); err != nil {
			return res, err
		}
	}
	if v.report.Verdict == finding.Compliant {
		var err error
		if res, err = g.promoteLater(ctx, res, j, v); err != nil {
			return res, err
		}
	}
	if err := g.confirmLater(ctx, &res, j, v); err != nil {
		return res, err
	}
	if err := g.tellLost(ctx, &res, j, v); err != nil {
		return res, err
	}
	reason := ""
	if len(res.Decision.Reasons) > 0 {
		reason = res.Decision.Reasons[0]
	}
	return g.finish(ctx, res, j, ledger.Conclusion{
		End: endOf(res.Decision, res.Outcome), Reason: reason, State: g.remember(j, v, res.Decision, res.Outcome, open),
	}, all...)
}

// threading gives what is told of a role, and what is open of it then.
func (g *Guard) threading(ctx context.Context, res Result, j job, v *judged, a alert.Alert, open thread) ([]telling, thread, error) {
	all := []telling{{Alert: a, after: open.told}}
	switch {
	case a.State == alert.Resolved:
		open = thread{}
	case j.silences(a):
		open.untold = true
	default:
		open = thread{id: a.ID, told: j.key}
	}
	// Other events are handled without the lease where they find all well, so what
	// is remembered may be newer by now.
	s, ok, err := g.cfg.Ledger.State(ctx, v.role.Account, v.role.ID)
	if err != nil {
		return all, open, fmt.Errorf("reading what is remembered of role %s: %w", v.role.Ref(), err)
	}
	if ok {
		v.known.State = &s
	}
	if open.id == "" {
		// It is over, or left to a sweep's summary: what was never told is not resolved.
		return all, open, nil
	}
	if good := foundGood(j, *v, res); good != nil {
		all[0].mark = mended
		return append(all, telling{Alert: g.resolution(a, *good)}), thread{}, nil
	}
	if res.Outcome.Done == decision.Ignore {
		return all, open, nil
	}
	deleted, err := g.deleted(ctx, v.role)
	if err != nil {
		g.cfg.Log.Warn("a written role is told of, and it could not be looked up whether it was deleted since", "account", v.role.Account, "role", v.role.ARN, "reason", err.Error())
	}
	if deleted {
		// It was deleted while the write was watched.
		all[0].mark = mended
		gone := ledger.RoleState{Account: v.role.Account, Name: v.role.Name, ARN: v.role.ARN, RoleID: v.role.ID, Document: v.role.TrustPolicy, AlertID: a.ID}
		return append(all, telling{Alert: resolvedByDeletion(g.cfg.Rules, g.cfg.Now(), j, gone)}), thread{}, nil
	}
	return all, open, nil
}

// deletedMeanwhile ends a handling, or puts it off, where the deletion of the role
// was handled that is still to be seen: nothing would resolve what is opened about
// it. Where the ledger never says, people are told.
func (g *Guard) deletedMeanwhile(ctx context.Context, res Result, j job, v judged) (ended Result, is bool, err error) {
	deleted, err := g.deleted(ctx, v.role)
	step, more := g.settleStep(j)
	switch {
	case err != nil && more:
		res.Decision, res.Reason = decision.Decision{}, err.Error()+"; it is tried again later"
		ended, err = g.postpone(ctx, res, step)
		return ended, true, err
	case err != nil:
		g.cfg.Log.Warn("a role is told of, and it could not be looked up whether it was deleted", "account", v.role.Account, "role", v.role.ARN, "reason", err.Error())
	case deleted:
		ended, err = g.unread(ctx, res, j, fmt.Errorf("role %s was deleted, and the reading lagged: %w", v.role.Ref(), role.ErrNotFound))
		return ended, true, err
	}
	return res, false, nil
}

// deleted says whether the deletion of a role was handled.
func (g *Guard) deleted(ctx context.Context, r role.Role) (bool, error) {
	if r.Created.IsZero() {
		return false, nil
	}
	ends, err := g.cfg.Ledger.Ends(ctx, []ledger.PrincipalKey{{Account: r.Account, Kind: "role", Name: strings.ToLower(r.Name)}})
	if err != nil {
		return false, fmt.Errorf("asking the ledger whether role %s was deleted: %w", r.Ref(), err)
	}
	return len(ends) > 0 && ends[0].At.After(r.Created), nil
}

// thread is an open alert, and the event that told of it last.
type thread struct {
	id   string
	told ledger.Key
	// untold says that what stands now was left to a sweep's summary.
	untold bool
}

// endOf is the recorded end of a decision and its outcome.
func endOf(d decision.Decision, o decision.Outcome) ledger.End {
	switch o.Done {
	case decision.Revert, decision.Prune:
		// A pruned role is taken back to whom it lets in: its reason says so.
		return ledger.Reverted
	case decision.Quarantine:
		return ledger.Quarantined
	case decision.Tag:
		return ledger.Tagged
	case decision.Clear:
		return ledger.Compliant
	case decision.Ignore, decision.Tell, decision.Hold:
	}
	switch d.Action {
	case decision.Ignore, decision.Clear:
		return ledger.Compliant
	case decision.Hold, decision.Revert, decision.Quarantine, decision.Tag, decision.Prune:
		return ledger.Held
	case decision.Tell:
		return ledger.Told
	default:
		return ledger.Told
	}
}

// remember is what the ledger keeps of the role after this handling.
func (g *Guard) remember(j job, v judged, d decision.Decision, o decision.Outcome, open thread) *ledger.RoleState {
	s := &ledger.RoleState{
		Account: v.role.Account, RoleID: v.role.ID, Name: v.role.Name, ARN: v.role.ARN,
		Document: v.role.TrustPolicy, Digest: v.digest, Since: v.since(j),
		Event: j.key, EventTime: j.change.Time, Actor: j.asTold().Actor.ARN,
		Verdict: v.report.Verdict, RulesHash: g.cfg.Rules.Hash, LeftUnder: g.leftUnder(v, d, o),
		Action: o.Done, Decided: d.Action, Decision: d.ID,
		AlertID: open.id, Told: open.told, Untold: open.untold, UpdatedAt: g.cfg.Now(),
	}
	if k := v.known.State; k != nil && (open.id != "" || k.AlertID != "") && k.EventTime.After(s.EventTime) {
		// A state of an older event than the remembered one is dropped, and what it has
		// open or has resolved with it: nothing would resolve the one, and the other
		// would not be told again. The role was read now, so this is what stands since
		// that later event.
		s.Event, s.EventTime, s.Actor, s.Since = k.Event, k.EventTime, k.Actor, k.Since
	}
	doc := v.doc
	if o.Done.Replaces() {
		if after, err := policy.Parse([]byte(o.After)); err == nil {
			s.Document, s.Digest, s.Since, doc = o.After, after.Digest(v.role.Partition), j.change.Time, after
		}
	}
	for _, f := range v.report.Open() {
		s.OpenRules = append(s.OpenRules, f.Rule)
		if len(s.Findings) < mostNoted {
			s.Findings = append(s.Findings, ledger.Noted{Rule: f.Rule, Place: f.Where, Problem: f.Message, Severity: f.Severity})
		}
	}
	switch {
	case v.report.Verdict == finding.Noncompliant && len(s.OpenRules) > 0:
		s.Changers = changers(j, v)
	case v.known.State != nil:
		s.Changers = v.known.State.Changers
	}
	s.Principals = v.principals(s.Digest)
	s.Trusts, s.Shown = trusts(doc), v.stillShown(doc)
	if open.id != "" || isCanarysTarget(v.role.Path, v.role.Name) {
		s.Trusts = append(s.Trusts, itself(v.role.Account, v.role.Name))
	}
	return s
}

// since is when the document was handled first, with no other in between.
func (v judged) since(j job) time.Time {
	if s := v.known.State; s != nil && v.digest != "" && s.Digest == v.digest && s.Since.Before(j.change.Time) {
		return s.Since
	}
	return j.change.Time
}

// mostNoted bounds how many findings are remembered of a role; the rules of all are.
const mostNoted = 50

// principals are the unique ids that a document's users and roles stood for
// when it was looked at twice, as far as that is remembered.
func (v judged) principals(digest string) map[string]string {
	switch c, s := v.known.Candidate, v.known.State; {
	case c != nil && c.Digest == digest:
		return c.Principals
	case s != nil && s.Digest == digest:
		return s.Principals
	default:
		return nil
	}
}

// isCanarysTarget says whether a role is the one that the canary changes. It is
// remembered by its name whether or not an alert is open, so that the canary
// knows one that was made anew from the first of its name (T71).
func isCanarysTarget(path, name string) bool {
	return path == deployment.CanaryPath && name == deployment.CanaryTarget
}

// itself is the key by which a role that had an alert is found by name: the events
// of its changes and of its deletion carry no RoleId. So is the canary's target.
func itself(account, name string) ledger.PrincipalKey {
	return ledger.PrincipalKey{Account: account, Kind: ledger.OwnName, Name: strings.ToLower(name)}
}

// keyOfPrincipal names a user or role as a deletion names it.
func keyOfPrincipal(p policy.Principal) ledger.PrincipalKey {
	kind := "user"
	if p.Kind == policy.Role {
		kind = "role"
	}
	return ledger.PrincipalKey{Account: p.Account, Kind: kind, Name: strings.ToLower(p.Name)}
}
