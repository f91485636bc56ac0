package awsapi

import (
	"context"
	"time"

	"github.com/rolewarden/rolewarden/pkg/ledger"
)

// breakerPart holds what is tripped and nothing else, so that all of it is
// found by one query.
const breakerPart = "BREAKER"

func breakerKey(scope string) item { return keyed(breakerPart, scope) }

func breakerItem(b ledger.Breaker) (item, error) {
	i, err := packed(breakerKey(b.Scope), breakerRecord(b))
	if err != nil {
		return nil, err
	}
	i["trippedAt"], i["trippedBy"] = stamp(b.TrippedAt), text(b.Token)
	return i, nil
}

func breakerOf(i item) (ledger.Breaker, error) {
	record, err := unpack[breakerRecord](i, body)
	if err != nil {
		return ledger.Breaker{}, err
	}
	if record.Scope != textOf(i, sortKey) {
		return ledger.Breaker{}, broken(i, errMoved)
	}
	return ledger.Breaker(record), nil
}

// Breakers implements ledger.Ledger.
func (d *Dynamo) Breakers(ctx context.Context) ([]ledger.Breaker, error) {
	stored, err := d.partition(ctx, breakerPart)
	if err != nil {
		return nil, doing(err, "reading the breakers")
	}
	var out []ledger.Breaker
	for _, i := range stored {
		b, err := breakerOf(i)
		if err != nil {
			return nil, doing(err, "reading the breakers")
		}
		out = append(out, b)
	}
	return out, nil
}

// Reset implements ledger.Ledger. Nothing is counted under the scope while its
// breaker is tripped, so the counters that are read are those that are emptied.
func (d *Dynamo) Reset(ctx context.Context, scope, by, reason string, at time.Time) error {
	if err := ledger.CheckReset(scope, by); err != nil {
		return err
	}
	if err := d.reset(ctx, scope, by, reason, at); err != nil {
		return doing(err, "resetting the breaker of %s", scope)
	}
	return nil
}

func (d *Dynamo) reset(ctx context.Context, scope, by, reason string, at time.Time) error {
	tripped, err := d.get(ctx, breakerKey(scope))
	if err != nil {
		return err
	}
	if tripped == nil {
		return ledger.ErrNotTripped
	}
	counts, err := d.query(ctx, countPart(scope), countSort)
	if err != nil {
		return err
	}
	var steps []step
	for _, i := range counts {
		steps = append(steps, step{deed: removes, key: keyed(textOf(i, partKey), textOf(i, sortKey))})
	}
	// It is closed last. Stopped before, it stays tripped with fewer counters.
	for len(steps) > maxSteps-2 {
		if err := d.transact(ctx, steps[:maxSteps:maxSteps]); err != nil {
			return err
		}
		steps = steps[maxSteps:]
	}
	return d.transact(ctx, append(closing(tripped, scope, by, reason, at), steps...))
}

// closing removes the breaker that was read, and no other that tripped since,
// and keeps who reset it.
func closing(tripped item, scope, by, reason string, at time.Time) []step {
	done := keyed("RESET#"+scope, at.UTC().Format(stampForm))
	done["resetBy"], done["reason"], done["resetAt"], done[ttl] = text(by), text(reason), stamp(at), expiry(at, kept)
	done["trippedAt"], done["trippedBy"] = tripped["trippedAt"], tripped["trippedBy"]
	return []step{{
		deed: removes, key: breakerKey(scope), condition: "trippedAt = :at AND trippedBy = :by",
		values: item{":at": tripped["trippedAt"], ":by": tripped["trippedBy"]},
		again:  func(item) (*step, error) { return nil, ledger.ErrNotTripped },
	}, {key: keyed("RESET#"+scope, at.UTC().Format(stampForm)), put: done}}
}
