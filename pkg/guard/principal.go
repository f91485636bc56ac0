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
	"github.com/rolewarden/rolewarden/pkg/meter"
	"github.com/rolewarden/rolewarden/pkg/org"
	"github.com/rolewarden/rolewarden/pkg/policy"
	"github.com/rolewarden/rolewarden/pkg/role"
	"github.com/rolewarden/rolewarden/pkg/trail"
)

// principalDeleted tells of every role that trusted a user or role which was
// deleted. IAM will show a unique id in its place, no event says so, and who
// takes the name next does not regain access (S3).
func (g *Guard) principalDeleted(ctx context.Context, j job) (Result, error) {
	res := Result{Key: j.key, Change: j.change}
	who := deletedKey(j.change)
	marked, err := g.cfg.Ledger.Deleted(ctx, ledger.Deletion{Principal: who, By: j.change.Actor.ARN, At: j.change.Time, Event: j.key})
	if err != nil {
		return res, fmt.Errorf("recording the deletion of %s %s: %w", who.Kind, who.Name, err)
	}
	states, err := g.cfg.Ledger.Trusting(ctx, who)
	if err != nil {
		return res, fmt.Errorf("looking for roles that trust %s %s: %w", who.Kind, who.Name, err)
	}
	d := alert.Deletion{Now: g.cfg.Now(), Change: j.change, Principal: deletedPrincipal(j.change, who, marked, states)}
	for _, s := range states {
		live, still, err := g.stillTrusts(ctx, s, d.Principal)
		if err != nil {
			return res, err
		}
		if still {
			d.Roles = append(d.Roles, live)
		}
	}
	if len(d.Roles) == 0 {
		return g.gone(ctx, res, j, ledger.Compliant, "no role that is known trusted the deleted "+who.Kind)
	}
	if id, err := g.cfg.Reader.PrincipalID(ctx, d.Principal.ARN); err == nil {
		d.LivesStill = id
	} else if !errors.Is(err, role.ErrNotFound) {
		g.cfg.Log.Warn("could not look whether the deleted principal's name lives again", "principal", d.Principal.ARN, "reason", err.Error())
	}
	res.Decision = decision.Decision{ID: decision.ID(j.key.Account, j.key.EventID, ""), Action: decision.Tell, RulesHash: g.cfg.Rules.Hash, At: g.cfg.Now()}
	return g.gone(ctx, res, j, ledger.Told, fmt.Sprintf("%d roles trusted the deleted %s", len(d.Roles), who.Kind), telling{Alert: alert.BuildDeletion(d)})
}

// gone ends the deletion of a principal. If that was a role with an open alert,
// nothing about it is open any more: the alert is resolved, and forgotten.
func (g *Guard) gone(ctx context.Context, res Result, j job, end ledger.End, reason string, all ...telling) (Result, error) {
	var last *ledger.RoleState
	if j.change.Kind == trail.RoleDeleted {
		states, err := g.cfg.Ledger.Trusting(ctx, itself(j.change.Account, j.change.RoleName))
		if err != nil {
			return res, fmt.Errorf("looking for what is open about role %s: %w", j.change.RoleName, err)
		}
		for _, s := range states {
			if s.AlertID == "" || g.lives(ctx, s) {
				continue
			}
			all = append(all, telling{resolvedByDeletion(g.cfg.Rules, g.cfg.Now(), j, s), s.Told})
			s.AlertID, s.Told, s.Event, s.EventTime, s.UpdatedAt = "", ledger.Key{}, j.key, j.change.Time, g.cfg.Now()
			if !strings.HasSuffix(s.ARN, ":role"+deployment.CanaryPath+deployment.CanaryTarget) {
				s.Trusts = slices.DeleteFunc(slices.Clone(s.Trusts), func(k ledger.PrincipalKey) bool { return k == itself(s.Account, s.Name) })
			}
			last = &s
		}
	}
	return g.finish(ctx, res, j, ledger.Conclusion{End: end, Reason: reason, State: last}, all...)
}

// lives reports whether a role of which a deletion was told is there all the
// same; where nobody may look, the event is believed.
func (g *Guard) lives(ctx context.Context, s ledger.RoleState) bool {
	live, err := g.cfg.Reader.Role(ctx, role.Ref{Account: s.Account, Name: s.Name})
	if err != nil && !errors.Is(err, role.ErrNotFound) {
		g.cfg.Log.Warn("could not look whether a deleted role is gone", "role", s.ARN, "reason", err.Error())
	}
	return err == nil && live.ID == s.RoleID
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

// deletedPrincipal says who was deleted, as well as is known: the newest
// marked id, else the ARN that a trusting role's document wrote.
func deletedPrincipal(c trail.Change, who ledger.PrincipalKey, marked []finding.Principal, states []ledger.RoleState) finding.Principal {
	if len(marked) > 0 {
		return marked[0]
	}
	p := finding.Principal{DeletedBy: c.Actor.ARN, DeletedAt: c.Time, DeletedEvent: c.EventID}
	for _, s := range states {
		doc, err := policy.Parse([]byte(s.Document))
		if err != nil {
			continue
		}
		for _, n := range named(doc) {
			if keyOfPrincipal(n) == who {
				p.ARN = n.Value
				return p
			}
		}
	}
	p.ARN = "arn:" + c.Partition + ":iam::" + who.Account + ":" + who.Kind + "/" + who.Name
	return p
}

// stillTrusts reads a role and reports whether it names the principal, by ARN
// or by unique id. A role that cannot be read is told of all the same.
func (g *Guard) stillTrusts(ctx context.Context, s ledger.RoleState, p finding.Principal) (role.Role, bool, error) {
	live, err := g.cfg.Reader.Role(ctx, role.Ref{Account: s.Account, Name: s.Name})
	switch {
	case errors.Is(err, role.ErrNotFound):
		return role.Role{}, false, nil
	case errors.Is(err, role.ErrAccessDenied):
		g.cfg.Log.Error("a role that trusted a deleted principal may not be read, so its account is not covered", meter.Key, meter.WordReadDenied,
			"event_id", p.DeletedEvent, "account", s.Account, "role", s.ARN, "reason", err.Error())
		return role.Role{Account: s.Account, Name: s.Name, ARN: s.ARN, ID: s.RoleID}, true, nil
	case err != nil:
		return role.Role{}, false, fmt.Errorf("reading role %s, which trusted %s: %w", s.ARN, p.ARN, err)
	}
	if live.ID != s.RoleID {
		return role.Role{}, false, nil
	}
	doc, err := policy.Parse([]byte(live.TrustPolicy))
	if err != nil {
		return live, true, nil //nolint:nilerr // what cannot be read may still trust it
	}
	for _, st := range doc.Statements {
		for _, q := range append(append([]policy.Principal(nil), st.Principal.List...), st.NotPrincipal.List...) {
			if q.Value == p.ARN || p.ID != "" && q.Value == p.ID || p.ID == "" && q.Kind == policy.UniqueID {
				return live, true, nil
			}
		}
	}
	return live, false, nil
}

// userRenamed records that a user's id goes by another name now.
func (g *Guard) userRenamed(ctx context.Context, j job) (Result, error) {
	res := Result{Key: j.key, Change: j.change}
	c := j.change
	name := c.NewUserName
	if name == "" {
		name = c.UserName
	}
	from := ledger.PrincipalKey{Account: c.Account, Kind: "user", Name: strings.ToLower(c.UserName)}
	to := ledger.PrincipalKey{Account: c.Account, Kind: "user", Name: strings.ToLower(name)}
	path, err := g.pathOf(ctx, c, from)
	if err != nil {
		return res, err
	}
	arn := "arn:" + c.Partition + ":iam::" + c.Account + ":user" + path + name
	if err := g.cfg.Ledger.Renamed(ctx, from, to, arn, c.Time); err != nil {
		return res, fmt.Errorf("recording that user %s is %s now: %w", c.UserName, name, err)
	}
	return g.end(ctx, res, j, ledger.Compliant, "the user keeps its id, and every role that trusted it still does")
}

// pathOf is the path of a user who was renamed: the new one, where the event
// names it, else the one by which roles name the user. Without either it is "/".
func (g *Guard) pathOf(ctx context.Context, c trail.Change, k ledger.PrincipalKey) (string, error) {
	if c.NewPath != "" {
		return c.NewPath, nil
	}
	states, err := g.cfg.Ledger.Trusting(ctx, k)
	if err != nil {
		return "", fmt.Errorf("looking for roles that trust user %s: %w", c.UserName, err)
	}
	for _, s := range states {
		doc, err := policy.Parse([]byte(s.Document))
		if err != nil {
			continue
		}
		for _, p := range named(doc) {
			if keyOfPrincipal(p) == k {
				return p.Path, nil
			}
		}
	}
	return "/", nil
}
