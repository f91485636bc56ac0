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
	"github.com/rolewarden/rolewarden/pkg/meter"
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
	// making is until when a role is InTheMaking.
	making time.Time
}

// freshness is how long after its making a role counts as just created, and
// nobody's to miss: nothing relies on it yet. No document of such a role has
// stood for long enough to be a baseline (org: baselines.ageHours).
const freshness = time.Hour

// errUnverified says that it is not known whether a baseline is what was sealed.
var errUnverified = errors.New("whether the baseline is what was sealed is not known")

// past looks for a document to go back to. It asks nobody where no rule may
// act. The newest baseline is the last document known to be good; an older one
// may stand in only where it lets in nobody whom the newest did not. None counts
// whose seal does not fit: whoever can write the ledger must not be able to
// write trust policies (T61).
func (g *Guard) past(ctx context.Context, j job, v judged, modes map[string]org.Mode) (pastOf, error) {
	switch {
	case !enforced(modes):
		return pastOf{}, nil
	case g.cfg.Now().Sub(v.role.Created) < freshness:
		return g.fresh(v.role), nil
	case len(v.known.Baselines) == 0:
		return pastOf{Past: decision.NoPast, reason: g.waiting(v)}, nil
	case g.cfg.Seals == nil:
		return pastOf{Past: decision.RefusedBaseline, reason: "no key is configured by which the seals of baselines are verified; give the function the one that the stack makes"}, nil
	}
	refused := ""
	newest := v.known.Baselines[0]
	for i, b := range v.known.Baselines {
		if i > 0 && (b.Digest == v.digest || !g.withinNewest(newest, b, v)) {
			continue
		}
		if why, err := g.sealed(ctx, j, v, b); err != nil || why != "" {
			return pastOf{Past: decision.RefusedBaseline, reason: why}, err
		}
		if b.Digest == v.digest {
			continue
		}
		restored, why, err := g.restore(ctx, j, b, v)
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
	if refused == "" {
		return pastOf{Past: decision.NoPast, reason: "the only ones are of the document that breaks the rules now, or let in whom a newer one did not"}, nil
	}
	return pastOf{Past: decision.RefusedBaseline, reason: refused}, nil
}

// fresh is the past of a role that was made just now.
func (g *Guard) fresh(r role.Role) pastOf {
	until := g.finished(r)
	if !g.cfg.Now().Before(until) {
		return pastOf{Past: decision.JustCreated}
	}
	return pastOf{Past: decision.InTheMaking, making: until, reason: "until " + until.UTC().Format(time.RFC3339) + ", as quarantine.graceMinutes in the rules file says"}
}

// waiting says what of a role's past is not a baseline yet.
func (g *Guard) waiting(v judged) string {
	c := v.known.Candidate
	if c == nil {
		return "none was ever sealed for this role"
	}
	return fmt.Sprintf("the document of event %s, of %s, is to become one once it has stood for %s, and does not stand any more",
		c.EventID, c.Since.UTC().Format(time.RFC3339), g.cfg.Rules.Baselines.Age)
}

// sealed says why a baseline does not count: its seal is broken. That is told
// and logged, and no other baseline is gone back to either, since somebody has
// been at the ledger. An error says that it is not known.
func (g *Guard) sealed(ctx context.Context, j job, v judged, b role.Baseline) (why string, err error) {
	err = g.cfg.Seals.Verify(ctx, b)
	switch {
	case err == nil:
		return "", nil
	case errors.Is(err, role.ErrSealBroken):
		g.cfg.Log.Error("the seal of a baseline is broken: somebody else than rolewarden may have written to the ledger", meter.Key, meter.WordSealBroken,
			"event_id", toldOf(j.change).EventID, "account", v.role.Account, "role", v.role.ARN, "reason", err.Error())
		return fmt.Sprintf("the seal of the baseline of %s is broken (%s), so somebody else than rolewarden may have written to the ledger: find out who may write its table and who did, restore the table from its backup, and trust no baseline until then",
			b.Sealed.UTC().Format(time.RFC3339), err.Error()), nil
	default:
		return "", fmt.Errorf("%w: verifying the seal of role %s: %w", errUnverified, v.role.Ref(), err)
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
func (g *Guard) restore(ctx context.Context, j job, b role.Baseline, v judged) (remediate.Restored, string, error) {
	if b.RoleID != v.role.ID || b.Account != v.role.Account {
		return remediate.Restored{}, "the baseline is of another role", nil
	}
	if b.Provenance != role.Observed && !g.cfg.Rules.AcceptsFirstSighting(v.role.Account, v.role.ARN) {
		return remediate.Restored{}, "the baseline is a first sighting, and nobody has said that it is good: look at it, and name the role or its account under baselines.firstSightings in the rules file", nil
	}
	now := map[string]string{}
	for _, arn := range slices.Sorted(maps.Keys(b.Principals)) {
		id, err := g.cfg.Reader.PrincipalID(ctx, arn)
		switch {
		case err == nil:
			now[arn] = id
		case errors.Is(err, role.ErrNotFound):
			if err := g.unseen(ctx, j, arn); err != nil {
				return remediate.Restored{}, "", err
			}
		case errors.Is(err, role.ErrAccessDenied) && j.attempt < afterSeconds:
			// One refusal may pass, as one of reading a role may.
			return remediate.Restored{}, "", fmt.Errorf("%w: %s: %w", errUnseen, arn, err)
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

// errUnseen says that somebody whom a baseline names is not to be seen, and may
// be there all the same.
var errUnseen = errors.New("it is not known yet whether somebody whom the baseline lets in is gone")

// unseen says that it is too early to call a principal gone: no event told of
// its deletion, and what was read may lag (IAM User Guide, troubleshoot_general).
// Without those who are gone a revert lets in fewer, or becomes a quarantine.
func (g *Guard) unseen(ctx context.Context, j job, arn string) error {
	key, ok := ledger.PrincipalOf(arn)
	if !ok || j.attempt >= afterSeconds {
		return nil
	}
	ends, err := g.cfg.Ledger.Ends(ctx, []ledger.PrincipalKey{key})
	if err != nil {
		return fmt.Errorf("asking the ledger whether %s was deleted: %w", arn, err)
	}
	if len(ends) > 0 {
		return nil
	}
	return fmt.Errorf("%w: %s", errUnseen, arn)
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
