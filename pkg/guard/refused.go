package guard

import (
	"context"
	"errors"
	"fmt"
	"regexp"

	"github.com/rolewarden/rolewarden/pkg/decision"
	"github.com/rolewarden/rolewarden/pkg/meter"
	"github.com/rolewarden/rolewarden/pkg/remediate"
	"github.com/rolewarden/rolewarden/pkg/role"
)

// refusedName is a principal in IAM's words: MalformedPolicyDocument, Invalid
// principal in policy: "AWS":"arn:aws:iam::111122223333:user/alice".
var refusedName = regexp.MustCompile(`(?i)invalid principal in policy: ["\\]*[a-z]+["\\]*\s*:\s*["\\]*([^"\\]+)`)

// mostRefused is how many principals are left out one after the other: IAM names
// one at a time.
const mostRefused = 5

// withoutRefused goes on with a revert that IAM has refused for longer than a new
// principal needs to be known: whom IAM names is left out of the document, which
// then lets in nobody more. Where IAM does not say whom it means, or nothing can
// be left out, people are told, and nothing is tried again (T67).
func (g *Guard) withoutRefused(ctx context.Context, res Result, j job, v judged, err error) (Result, error) {
	d, past := res.Decision, pastOf{}
	// Those whom the baseline named and who are gone were left out before.
	past.restored.Dropped = res.Outcome.Dropped
	var refused []string
	for range mostRefused {
		found := refusedName.FindStringSubmatch(err.Error())
		if d.Action != decision.Revert || len(found) < 2 {
			break
		}
		i, _, ok, lerr := g.cfg.Ledger.Decided(ctx, d.ID)
		if lerr != nil || !ok {
			return res, errors.Join(err, lerr)
		}
		left, werr := remediate.Without(v.role.Ref(), i.After, found[1:2])
		if werr != nil || left.Reason != "" || len(left.Dropped) == 0 {
			break
		}
		refused = append(refused, left.Dropped...)
		left.Dropped = append(past.restored.Dropped, left.Dropped...)
		past.restored = left
		var out decision.Outcome
		if d, out, err = g.act(ctx, j, v, d, past); err == nil {
			res.Decision, res.Outcome = d, out
			res.Decision.Reasons = append(res.Decision.Reasons, fmt.Sprintf("IAM did not accept %q for more than two minutes, so it was left out of the document that was put back.", refused))
			g.fellShort(j, v, d, out)
			return g.conclude(ctx, res, j, v)
		}
		if !errors.Is(err, role.ErrInvalidPrincipal) {
			res.Decision, res.Outcome = d, out
			return g.acted(ctx, res, j, v, err)
		}
	}
	return g.held(ctx, res, j, v, meter.WordHeld, "IAM has not accepted a principal of the document for more than two minutes, so it is gone, and it could not be left out ("+err.Error()+")")
}
