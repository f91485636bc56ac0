package guard

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/rolewarden/rolewarden/pkg/alert"
	"github.com/rolewarden/rolewarden/pkg/decision"
	"github.com/rolewarden/rolewarden/pkg/finding"
	"github.com/rolewarden/rolewarden/pkg/ledger"
	"github.com/rolewarden/rolewarden/pkg/policy"
	"github.com/rolewarden/rolewarden/pkg/trail"
)

// userRenamed records that a user's id goes by another name now, and that the
// old name is free. A principal follows its user (IAM User Guide,
// id_users_manage); a condition does not, so the roles that let the user in by
// the old name are told of (T42).
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
	if from != to {
		// The ids have the new name already, so this ends the name and nobody's id.
		if _, err := g.cfg.Ledger.Deleted(ctx, ledger.Deletion{Principal: from, By: c.Actor.ARN, At: c.Time, Event: j.key, RenamedTo: arn}); err != nil {
			return res, fmt.Errorf("recording that nobody is user %s any more: %w", c.UserName, err)
		}
	}
	return g.tellRename(ctx, res, j, from, arn)
}

// tellRename tells of the roles that know a renamed user by the old name.
func (g *Guard) tellRename(ctx context.Context, res Result, j job, from ledger.PrincipalKey, arn string) (Result, error) {
	c := j.change
	states, err := g.cfg.Ledger.Trusting(ctx, nameKey(from))
	if err != nil {
		return res, fmt.Errorf("looking for roles that know user %s by name: %w", c.UserName, err)
	}
	was := finding.Principal{ARN: writtenARN(from, states), DeletedBy: c.Actor.ARN, DeletedAt: c.Time, DeletedEvent: c.EventID, RenamedTo: arn}
	if was.ARN == "" {
		was.ARN = strings.TrimSuffix(arn, arn[strings.LastIndexByte(arn, '/')+1:]) + c.UserName
	}
	all, err := g.stillTrusting(ctx, states, goneAs{key: from, arn: was.ARN, keeps: arn, event: c.EventID})
	if err != nil {
		return res, err
	}
	d := alert.Deletion{Now: g.cfg.Now(), Change: c, Principal: was}
	for _, t := range all {
		// A principal that still shows the old ARN follows in a moment.
		t.Places = slices.DeleteFunc(t.Places, func(p alert.Place) bool { return p.Hold == alert.ByPrincipal })
		if len(t.Places) > 0 {
			d.Trusting = append(d.Trusting, t)
		}
	}
	if len(d.Trusting) == 0 {
		return g.end(ctx, res, j, ledger.Compliant, "the user keeps its id, and every role that trusted it still does")
	}
	if id, err := g.cfg.Reader.PrincipalID(ctx, was.ARN); err == nil {
		d.LivesStill = id
	}
	res.Decision = decision.Decision{ID: decision.ID(j.key.Account, j.key.EventID, ""), Action: decision.Tell, RulesHash: g.cfg.Rules.Hash, At: g.cfg.Now()}
	return g.end(ctx, res, j, ledger.Told, fmt.Sprintf("%d roles let the user in by the name that was given up", len(d.Trusting)), deletions(d)...)
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
