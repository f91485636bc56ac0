package guard

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/rolewarden/rolewarden/pkg/decision"
	"github.com/rolewarden/rolewarden/pkg/finding"
	"github.com/rolewarden/rolewarden/pkg/ledger"
	"github.com/rolewarden/rolewarden/pkg/org"
	"github.com/rolewarden/rolewarden/pkg/policy"
	"github.com/rolewarden/rolewarden/pkg/proof"
	"github.com/rolewarden/rolewarden/pkg/remediate"
	"github.com/rolewarden/rolewarden/pkg/role"
	"github.com/rolewarden/rolewarden/pkg/rules"
)

// pastOf is what is known of a role's past.
type pastOf struct {
	decision.Past
	reason   string
	restored remediate.Restored
}

// freshness is how long after its making a role counts as just created, and
// nobody's to miss: nothing relies on it yet.
const freshness = time.Hour

// past looks for a document to go back to. It asks nobody where no rule may
// act. The newest baseline is the last document known to be good; an older one
// may stand in only where it lets in nobody whom the newest did not.
func (g *Guard) past(ctx context.Context, v judged) (pastOf, error) {
	if modes, _ := v.modes(); v.report.Verdict != finding.Noncompliant || !enforced(modes) {
		return pastOf{}, nil
	}
	list, err := g.cfg.Ledger.Baselines(ctx, v.role.Account, v.role.ID)
	if err != nil {
		return pastOf{}, fmt.Errorf("reading the baselines of role %s: %w", v.role.Ref(), err)
	}
	refused := ""
	for _, b := range list {
		if b.Digest == v.digest || !g.withinNewest(list[0], b, v) {
			continue
		}
		restored, why, err := g.restore(ctx, b, v)
		if err != nil {
			return pastOf{}, err
		}
		if why == "" {
			return pastOf{Past: decision.GoodBaseline, restored: restored}, nil
		}
		if refused == "" {
			refused = why
		}
	}
	if len(list) == 0 && v.state != nil && v.state.Verdict == finding.Compliant {
		// What was judged good a moment ago has not stood for long enough to be
		// a baseline; it is still what the role was.
		restored, why, err := g.restore(ctx, remembered(*v.state), v)
		if err != nil || why == "" {
			return pastOf{Past: decision.GoodBaseline, restored: restored}, err
		}
	}
	switch {
	case refused != "":
		return pastOf{Past: decision.RefusedBaseline, reason: refused}, nil
	case len(list) == 0 && g.cfg.Now().Sub(v.role.Created) < freshness:
		return pastOf{Past: decision.JustCreated}, nil
	default:
		return pastOf{Past: decision.NoPast}, nil
	}
}

// remembered is the document that a compliant role had last. The unique ids of
// those it names were not read then, so one that names users or roles is
// refused like any baseline whose principals are not known.
func remembered(s ledger.RoleState) role.Baseline {
	return role.Baseline{
		Account: s.Account, RoleID: s.RoleID, Document: s.Document, Digest: s.Digest,
		Actor: s.Actor, EventID: s.Event.EventID, RulesHash: s.RulesHash, Since: s.Since,
	}
}

// withinNewest reports whether a baseline is proven to let in nobody whom the
// newest one did not.
func (g *Guard) withinNewest(newest, b role.Baseline, v judged) bool {
	if b.Digest == newest.Digest {
		return true
	}
	was, err := policy.Parse([]byte(newest.Document))
	if err != nil {
		return false
	}
	older, err := policy.Parse([]byte(b.Document))
	if err != nil {
		return false
	}
	return proof.Compare(was, older, rules.World(v.input)).New.Outcome == proof.None
}

func enforced(modes map[string]org.Mode) bool {
	for _, m := range modes {
		if m == org.Enforce {
			return true
		}
	}
	return false
}

// restore makes a baseline into a document that may be written now, or says why not.
func (g *Guard) restore(ctx context.Context, b role.Baseline, v judged) (remediate.Restored, string, error) {
	if b.RoleID != v.role.ID || b.Account != v.role.Account {
		return remediate.Restored{}, "the baseline is of another role", nil
	}
	now := map[string]string{}
	for _, arn := range slices.Sorted(maps.Keys(b.Principals)) {
		id, err := g.cfg.Reader.PrincipalID(ctx, arn)
		switch {
		case err == nil:
			now[arn] = id
		case errors.Is(err, role.ErrNotFound):
		case errors.Is(err, role.ErrAccessDenied):
			return remediate.Restored{}, "rolewarden may not read who " + arn + " is now, and a name alone can be taken over", nil
		default:
			return remediate.Restored{}, "", fmt.Errorf("reading who %s is now: %w", arn, err)
		}
	}
	restored, err := remediate.Restore(b, now, accepted(g.cfg.Rules))
	if err != nil {
		return remediate.Restored{}, err.Error(), nil //nolint:nilerr // a baseline that cannot be read is refused, not retried
	}
	if restored.Reason != "" {
		return remediate.Restored{}, restored.Reason, nil
	}
	in := v.input
	doc, err := policy.Parse([]byte(restored.Document))
	if err != nil {
		return remediate.Restored{}, "the baseline is no valid policy: " + err.Error(), nil //nolint:nilerr // refused, not retried
	}
	in.Document, in.Role.TrustPolicy = doc, restored.Document
	if in.Gone, err = g.goneNames(ctx, doc); err != nil {
		return remediate.Restored{}, "", err
	}
	r := judged{role: in.Role, doc: doc, input: in}
	if err := g.judge(ctx, &r, lastLook); err != nil {
		return remediate.Restored{}, "", err
	}
	if r.report.Verdict != finding.Compliant {
		return remediate.Restored{}, "the baseline does not obey today's rules: its verdict is " + r.report.Verdict.String(), nil
	}
	return restored, "", nil
}

// accepted are the partners' principals that a baseline may name although
// their unique ids cannot be read.
func accepted(r *org.Rules) []string {
	var out []string
	for _, p := range r.Partners {
		out = append(out, p.AcceptedPrincipals...)
	}
	return out
}
