package guard

import (
	"context"
	"fmt"
	"strings"

	"github.com/rolewarden/rolewarden/pkg/alert"
	"github.com/rolewarden/rolewarden/pkg/decision"
	"github.com/rolewarden/rolewarden/pkg/deployment"
	"github.com/rolewarden/rolewarden/pkg/finding"
	"github.com/rolewarden/rolewarden/pkg/ledger"
	"github.com/rolewarden/rolewarden/pkg/policy"
)

// conclude tells and records. The alert goes out before the record, so that a
// crash between the two repeats an alert of the same id rather than losing it.
func (g *Guard) conclude(ctx context.Context, res Result, j job, v judged) (Result, error) {
	open := ""
	if v.state != nil {
		open = v.state.AlertID
	}
	if a, due := g.roleAlert(j, v, res); due {
		if err := g.publish(ctx, &res, a); err != nil {
			return res, err
		}
		if open = a.ID; a.State == alert.Resolved {
			open = ""
		}
		if err := g.resolvedMeanwhile(ctx, &res, j, v, a); err != nil {
			return res, err
		}
	}
	if v.report.Verdict == finding.Compliant {
		var err error
		if res, err = g.promoteLater(ctx, res, j, v); err != nil {
			return res, err
		}
	}
	end := endOf(res.Decision, res.Outcome)
	reason := ""
	if len(res.Decision.Reasons) > 0 {
		reason = res.Decision.Reasons[0]
	}
	if err := g.cfg.Ledger.Conclude(ctx, ledger.Conclusion{
		Event: j.key, End: end, Reason: reason, At: g.cfg.Now(),
		State: g.remember(j, v, res.Decision, res.Outcome, open),
	}); err != nil {
		return res, fmt.Errorf("recording the end of event %s: %w", j.key.EventID, err)
	}
	res.End, res.Reason = end, reason
	return res, nil
}

// resolvedMeanwhile resolves an alert whose role has been found good by a later
// event while it was being told, such as the event of our own write: that event
// found nothing to resolve, and no other may come.
func (g *Guard) resolvedMeanwhile(ctx context.Context, res *Result, j job, v judged, a alert.Alert) error {
	s, err := g.state(ctx, v.role)
	if err != nil || s == nil || a.State == alert.Resolved || s.Event == j.key || !s.EventTime.After(j.change.Time) || s.Verdict != finding.Compliant {
		return err
	}
	change := toldOf(j.change)
	now := v.role
	now.TrustPolicy = s.Document
	told := map[string]finding.Severity{}
	for _, f := range v.report.Open() {
		told[f.Rule] = max(told[f.Rule], f.Severity)
	}
	return g.publish(ctx, res, alert.Build(alert.Input{
		Now: g.cfg.Now(), Role: now, Change: &change, Before: s.Document, OpenID: a.ID, Resolves: told,
		Report:   finding.Report{Verdict: finding.Compliant},
		Decision: decision.Decision{ID: res.Decision.ID, Action: decision.Clear, Reasons: []string{"The role has obeyed the rules since."}, RulesHash: g.cfg.Rules.Hash, At: g.cfg.Now()},
	}))
}

// endOf is the recorded end of a decision and its outcome.
func endOf(d decision.Decision, o decision.Outcome) ledger.End {
	switch o.Done {
	case decision.Revert:
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
	case decision.Hold, decision.Revert, decision.Quarantine, decision.Tag:
		return ledger.Held
	case decision.Tell:
		return ledger.Told
	default:
		return ledger.Told
	}
}

// remember is what the ledger keeps of the role after this handling.
func (g *Guard) remember(j job, v judged, d decision.Decision, o decision.Outcome, alertID string) *ledger.RoleState {
	s := &ledger.RoleState{
		Account: v.role.Account, RoleID: v.role.ID, Name: v.role.Name, ARN: v.role.ARN,
		Document: v.role.TrustPolicy, Digest: v.digest, Since: j.change.Time,
		Event: j.key, EventTime: j.change.Time, Actor: j.change.Actor.ARN,
		Verdict: v.report.Verdict, RulesHash: g.cfg.Rules.Hash, Action: o.Done, Decided: d.Action, Decision: d.ID,
		AlertID: alertID, UpdatedAt: g.cfg.Now(),
	}
	doc := v.doc
	if o.Done == decision.Revert || o.Done == decision.Quarantine {
		if after, err := policy.Parse([]byte(o.After)); err == nil {
			s.Document, s.Digest, doc = o.After, after.Digest(v.role.Partition), after
		}
	}
	for _, f := range v.report.Open() {
		s.OpenRules = append(s.OpenRules, f.Rule)
	}
	s.Trusts = trusts(doc)
	if alertID != "" || isCanarysTarget(v.role.Path, v.role.Name) {
		s.Trusts = append(s.Trusts, itself(v.role.Account, v.role.Name))
	}
	return s
}

// trusts are the users and roles a document names, as a deletion names them.
func trusts(d policy.Document) []ledger.PrincipalKey {
	var out []ledger.PrincipalKey
	seen := map[ledger.PrincipalKey]bool{}
	for _, p := range named(d) {
		if k := keyOfPrincipal(p); !seen[k] {
			seen[k] = true
			out = append(out, k)
		}
	}
	return out
}

// isCanarysTarget says whether a role is the one that the canary changes. It is
// remembered by its name whether or not an alert is open, so that the canary
// knows one that was made anew from the first of its name (T71).
func isCanarysTarget(path, name string) bool {
	return path == deployment.CanaryPath && name == deployment.CanaryTarget
}

// itself is the key by which a role with an open alert is found by name: the
// event of its deletion carries no RoleId. So is the canary's target.
func itself(account, name string) ledger.PrincipalKey {
	return ledger.PrincipalKey{Account: account, Kind: "self", Name: strings.ToLower(name)}
}

// keyOfPrincipal names a user or role as a deletion names it.
func keyOfPrincipal(p policy.Principal) ledger.PrincipalKey {
	kind := "user"
	if p.Kind == policy.Role {
		kind = "role"
	}
	return ledger.PrincipalKey{Account: p.Account, Kind: kind, Name: strings.ToLower(p.Name)}
}

// publish sends an alert; an error makes the message come again.
func (g *Guard) publish(ctx context.Context, res *Result, a alert.Alert) error {
	if _, err := g.cfg.Channel.Notify(ctx, a); err != nil {
		return fmt.Errorf("telling %s about %s: %w", g.cfg.Channel.Name(), a.Role.ARN, err)
	}
	res.Alerts = append(res.Alerts, a)
	return nil
}
