package guard

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/rolewarden/rolewarden/pkg/finding"
	"github.com/rolewarden/rolewarden/pkg/ledger"
	"github.com/rolewarden/rolewarden/pkg/policy"
	"github.com/rolewarden/rolewarden/pkg/remediate"
	"github.com/rolewarden/rolewarden/pkg/role"
	"github.com/rolewarden/rolewarden/pkg/rules"
	"github.com/rolewarden/rolewarden/pkg/trail"
)

// promoteLater asks for the second look after which a compliant document is a
// candidate for a baseline, once for a handling. Roles that are never written
// need none; nor does a document that another event made, whose handling asks
// for it, nor one that a sweep saw, which looks twice itself.
func (g *Guard) promoteLater(ctx context.Context, res Result, j job, v judged) (Result, error) {
	_, protected := role.Protected(v.role, g.cfg.Rules.Protected)
	asked := slices.ContainsFunc(res.Steps, func(s Step) bool { return s.Step == Promote })
	if protected || asked || len(v.shown) > 0 || j.sweep != "" || v.shows == laterDocument || remediate.IsQuarantine(v.role.TrustPolicy) {
		return res, nil
	}
	return g.promoteStep(ctx, res, j, v.role, v.digest)
}

// promoteStep asks for a second look at a document.
func (g *Guard) promoteStep(ctx context.Context, res Result, j job, r role.Role, digest string) (Result, error) {
	return g.postpone(ctx, res, Step{
		Account: r.Account, RoleName: r.Name, RoleID: r.ID, Step: Promote,
		NotBefore: g.cfg.Now().Add(promoteAfter), Attempt: 1, Change: j.change, Digest: digest,
	})
}

// promote makes a document a candidate for a baseline when it still stands,
// still obeys the rules, and the unique ids of the users and roles it names were
// read between two equal readings of it: a name alone can be taken over (T5,
// T60). It is no baseline before a sweep has seen it stand for long enough and
// sealed it, which the guard cannot.
func (g *Guard) promote(ctx context.Context, s Step, key ledger.Key) (Result, error) {
	res := Result{Key: key, Change: s.Change}
	ref := role.Ref{Account: s.Account, Name: s.RoleName}
	live, doc, err := g.stands(ctx, ref, s)
	if err != nil {
		return res, err
	}
	if live.ID == "" {
		return g.another(ctx, res, s)
	}
	v := judged{role: live, doc: doc, digest: s.Digest}
	v.input = rules.Input{Role: live, Document: doc, Org: g.cfg.Rules, Now: g.cfg.Now()}
	if v.input.Gone, err = g.goneNames(ctx, doc); err != nil {
		return res, err
	}
	if err := g.judge(ctx, &v, moreLooks); err != nil {
		return res, err
	}
	if v.report.Verdict != finding.Compliant {
		return g.another(ctx, res, s)
	}
	ids, seen, err := g.identities(ctx, doc)
	if err != nil {
		return res, err
	}
	if len(ids) > 0 {
		if again, _, err := g.stands(ctx, ref, s); err != nil || again.ID == "" {
			res.Reason = "the document changed while its principals were read, so it becomes no baseline"
			return res, err
		}
		if err := g.cfg.Ledger.Record(ctx, seen); err != nil {
			return res, fmt.Errorf("recording the principals of role %s: %w", ref, err)
		}
	}
	res.Role = live
	return g.candidate(ctx, res, s.Change, role.Baseline{
		Account: live.Account, RoleID: live.ID, Document: live.TrustPolicy, Digest: s.Digest, Principals: ids,
		Provenance: role.Observed, Actor: s.Change.Actor.ARN, EventID: s.Change.EventID, RulesHash: g.cfg.Rules.Hash,
		Since: s.Change.Time,
	})
}

// candidate records a document that may become a baseline. One of which no
// event tells who made it is a first sighting, and takes nothing away from a
// baseline of the same document that an event told of, nor from what is to be one.
func (g *Guard) candidate(ctx context.Context, res Result, c trail.Change, b role.Baseline) (Result, error) {
	if strings.Contains(c.EventID, standing) || lookedUp(c, b, res.Role) {
		b.Provenance, b.Actor = role.Unreviewed, ""
		known, err := g.cfg.Ledger.Recall(ctx, b.Account, b.RoleID)
		if err != nil {
			return res, fmt.Errorf("reading the baselines of role %s: %w", res.Role.Ref(), err)
		}
		all := known.Baselines
		if known.Candidate != nil {
			all = append(all, *known.Candidate)
		}
		if slices.ContainsFunc(all, func(k role.Baseline) bool { return k.Digest == b.Digest && k.Provenance == role.Observed }) {
			res.Reason = "the document stands, and is a baseline already, or is to become one"
			return res, nil
		}
	}
	if err := g.cfg.Ledger.SetCandidate(ctx, b); err != nil {
		return res, fmt.Errorf("recording a candidate for a baseline of role %s: %w", res.Role.Ref(), err)
	}
	res.Reason = "the document still stands, and becomes a baseline once it has stood for " + g.cfg.Rules.Baselines.Age.String()
	return res, nil
}

// standing marks the events that no event told of: what a role shows when it is
// looked at again. Each look is an event of its own in the ledger.
const standing = "#stands"

// generations bounds how often one event leads to another look.
const generations = 5

// another has a role judged that shows another document than the one that was to
// become a baseline, or that does not obey the rules any more: the reading that
// found it good may have lagged, and no event may tell of what stands. The look
// is an event with a message of its own, so that it comes again until it has
// ended, whatever the role shows by then.
func (g *Guard) another(ctx context.Context, res Result, s Step) (Result, error) {
	c := s.Change
	c.Kind, c.Document, c.RoleID = trail.TrustUpdated, "", ""
	c.EventID += standing
	if strings.Count(c.EventID, standing) > generations {
		j := job{change: c, key: keyOf(c), attempt: afterSeconds}
		return g.trouble(ctx, Result{Key: j.key, Change: c}, j, ledger.Held, "the role shows another document at every look, so nothing was changed; look at the role and at who keeps changing it")
	}
	res.Reason = "the role does not show a good document that stands, so it is judged again"
	return g.postpone(ctx, res, Step{
		Account: s.Account, RoleName: s.RoleName, Step: Settle, NotBefore: g.cfg.Now(), Attempt: afterSeconds, Change: c,
	})
}

// foundStanding stands where an alert names who changed a role.
const foundStanding = "nobody is known: it was found when the role was looked at again after this event"

// toldOf is an event as people know it. Who made what is found at a later look is
// not who made the event that led to the look.
func toldOf(c trail.Change) trail.Change {
	if c.EventName == sweepEvent {
		return toldOfSweep(c)
	}
	if strings.Contains(c.EventID, standing) {
		c.Actor, c.SourceIP, c.UserAgent = trail.Actor{UserName: foundStanding}, "", ""
	}
	c.EventID, _, _ = strings.Cut(strings.ReplaceAll(c.EventID, standing, ""), lookedAgain)
	return c
}

// stands reads the role and gives it when it still shows the document of the
// step; a zero role when it does not.
func (g *Guard) stands(ctx context.Context, ref role.Ref, s Step) (role.Role, policy.Document, error) {
	live, err := g.cfg.Reader.Role(ctx, ref)
	switch {
	case errors.Is(err, role.ErrNotFound):
		return role.Role{}, policy.Document{}, nil
	case err != nil:
		return role.Role{}, policy.Document{}, fmt.Errorf("reading role %s for a baseline: %w", ref, err)
	}
	doc, err := policy.Parse([]byte(live.TrustPolicy))
	if err != nil || live.ID != s.RoleID || doc.Digest(live.Partition) != s.Digest {
		return role.Role{}, policy.Document{}, nil //nolint:nilerr // a document that is no policy does not stand
	}
	return live, doc, nil
}

// identities reads the unique ids of the users and roles a document names. One
// that cannot be read has none: a baseline that names it is no target unless
// the rules file accepts it.
func (g *Guard) identities(ctx context.Context, d policy.Document) (map[string]string, []ledger.Identity, error) {
	ids := map[string]string{}
	var seen []ledger.Identity
	for _, p := range named(d) {
		if _, done := ids[p.Value]; done {
			continue
		}
		id, err := g.cfg.Reader.PrincipalID(ctx, p.Value)
		switch {
		case err == nil:
			ids[p.Value] = id
			seen = append(seen, ledger.Identity{ID: id, ARN: p.Value, SeenAt: g.cfg.Now()})
		case errors.Is(err, role.ErrNotFound), errors.Is(err, role.ErrAccessDenied):
			g.cfg.Log.Info("a principal of a baseline has no readable id", "principal", p.Value, "reason", err.Error())
		default:
			return nil, nil, fmt.Errorf("reading who %s is: %w", p.Value, err)
		}
	}
	return ids, seen, nil
}

// named are the users and roles that a document names.
func named(d policy.Document) []policy.Principal {
	var out []policy.Principal
	for _, s := range d.Statements {
		for _, p := range append(append([]policy.Principal(nil), s.Principal.List...), s.NotPrincipal.List...) {
			switch p.Kind {
			case policy.User, policy.Role:
				out = append(out, p)
			default:
			}
		}
	}
	return out
}
