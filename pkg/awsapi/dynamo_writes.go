package awsapi

import (
	"context"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/rolewarden/rolewarden/pkg/ledger"
	"github.com/rolewarden/rolewarden/pkg/role"
)

func tokenKey(token string) item { return keyed("SPENT#"+token, "SPENT") }

// countPart is the partition of a counter's windows, by which a reset finds them.
func countPart(name string) string { return "COUNT#" + name }

const countSort = "COUNT#"

func counterKey(c ledger.Counter, at time.Time) item {
	return keyed(countPart(c.Name), fmt.Sprintf(countSort+"%d#%d", int64(c.Window/time.Second), c.Start(at).Unix()))
}

// counterStep adds one where fewer than a number are written.
func counterStep(c ledger.Counter, at time.Time, below int) step {
	// A limit of zero holds against a counter that does not exist yet.
	condition := "written < :limit"
	if below > 0 {
		condition = "attribute_not_exists(written) OR written < :limit"
	}
	return step{
		key:       counterKey(c, at),
		update:    "ADD written :one SET expires = :expires",
		condition: condition,
		values:    item{":one": number(1), ":limit": number(int64(below)), ":expires": expiry(c.Start(at), c.Window+7*24*time.Hour)},
	}
}

// lastStep adds the one by which a counter reaches its limit.
func lastStep(c ledger.Counter, at time.Time) step {
	s := counterStep(c, at, c.Limit)
	if c.Limit > 1 {
		s.condition = "written = :limit"
		s.values[":limit"] = number(int64(c.Limit - 1))
	}
	return s
}

// spending is one Spend under way.
type spending struct {
	token    string
	at       time.Time
	counters []ledger.Counter
	// names are those of the counters, each once, in order.
	names []string
	// last says, by the counter's place, that this one reaches its limit.
	last map[int]bool
}

// Spend implements ledger.Ledger: one call, one more where a breaker trips, and
// one or two more where a limit is used up.
func (d *Dynamo) Spend(ctx context.Context, token string, at time.Time, counters []ledger.Counter) error {
	if err := ledger.CheckToken(token); err != nil {
		return err
	}
	counters, err := ledger.Distinct(counters)
	if err != nil {
		return err
	}
	s := &spending{token: token, at: at, counters: counters, last: map[int]bool{}}
	had := map[string]bool{}
	for i, c := range counters {
		if !had[c.Name] {
			had[c.Name] = true
			s.names = append(s.names, c.Name)
		}
		s.last[i] = c.Full == ledger.Trip && c.Limit == 1
	}
	for range rounds {
		again, err := d.spend(ctx, s)
		if err != nil || !again {
			return err
		}
	}
	return fmt.Errorf("spending for %s what others spend too, %d times: %w", token, rounds, role.ErrConflict)
}

// steps are the token, then the breakers, then the counters: what stops a
// spending earlier is told before what stops it later.
func (s *spending) steps() ([]step, error) {
	spent := tokenKey(s.token)
	spent[ttl] = expiry(s.at, kept)
	out := []step{{key: tokenKey(s.token), put: spent, condition: "attribute_not_exists(pk)"}}
	for _, name := range s.names {
		breaker := step{deed: checks, key: breakerKey(name), condition: "attribute_not_exists(pk)"}
		for i, c := range s.counters {
			if c.Name != name || !s.last[i] {
				continue
			}
			tripped, err := breakerItem(c.Tripped(c.Limit, s.at, s.token))
			if err != nil {
				return nil, err
			}
			breaker.deed, breaker.put = writes, tripped
			break
		}
		out = append(out, breaker)
	}
	for i, c := range s.counters {
		switch {
		case s.last[i]:
			out = append(out, lastStep(c, s.at))
		case c.Full == ledger.Trip:
			out = append(out, counterStep(c, s.at, c.Limit-1))
		default:
			out = append(out, counterStep(c, s.at, c.Limit))
		}
	}
	return out, nil
}

// spend tries once; again says that another wrote meanwhile, or that a breaker
// has to trip in the same step.
func (d *Dynamo) spend(ctx context.Context, s *spending) (again bool, err error) {
	steps, err := s.steps()
	if err != nil {
		return false, doing(err, "spending for %s", s.token)
	}
	reasons, err := d.send(ctx, steps)
	if err != nil {
		return false, doing(err, "spending for %s", s.token)
	}
	if reasons == nil || unmet(reasons[0]) {
		return false, nil
	}
	// The reasons of a canceled transaction may stop at the first; a token
	// that was spent before is not stopped by a limit.
	before, err := d.get(ctx, tokenKey(s.token))
	if err != nil {
		return false, doing(err, "spending for %s", s.token)
	}
	if before != nil {
		return false, nil
	}
	return d.stopped(ctx, s, steps, reasons)
}

// stopped tells why nothing was counted.
func (d *Dynamo) stopped(ctx context.Context, s *spending, steps []step, reasons []types.CancellationReason) (again bool, err error) {
	for n := range s.names {
		if unmet(reasons[1+n]) {
			return d.behind(ctx, s, steps[1+n], reasons[1+n])
		}
	}
	for i, c := range s.counters {
		at := 1 + len(s.names) + i
		if !unmet(reasons[at]) {
			continue
		}
		stored, err := d.storedOf(ctx, steps[at], reasons[at])
		if err != nil {
			return false, doing(err, "spending for %s", s.token)
		}
		count, err := written(stored)
		switch {
		case err != nil:
			return false, doing(err, "spending for %s", s.token)
		case count >= c.Limit && c.Full == ledger.Trip:
			return d.tripFull(ctx, s, c, count)
		case count >= c.Limit:
			return false, &ledger.LimitError{Counter: c, Count: count}
		}
		s.last[i] = c.Full == ledger.Trip && count == c.Limit-1
		again = true
	}
	if !again {
		return false, fmt.Errorf("spending for %s: the transaction was canceled for no counter", s.token)
	}
	return true, nil
}

// behind tells of the breaker that stopped a spending; again when a person
// reset it just now.
func (d *Dynamo) behind(ctx context.Context, s *spending, at step, reason types.CancellationReason) (again bool, err error) {
	stored, err := d.storedOf(ctx, at, reason)
	if err != nil {
		return false, doing(err, "spending for %s", s.token)
	}
	if stored == nil {
		return true, nil
	}
	b, err := breakerOf(stored)
	if err != nil {
		return false, doing(err, "spending for %s", s.token)
	}
	return false, &ledger.TrippedError{Breaker: b}
}

// tripFull trips the breaker of a counter that was found at its limit or above,
// as when the limit was lowered.
func (d *Dynamo) tripFull(ctx context.Context, s *spending, c ledger.Counter, count int) (again bool, err error) {
	b := c.Tripped(count, s.at, s.token)
	i, err := breakerItem(b)
	if err != nil {
		return false, doing(err, "tripping the breaker of %s", c.Name)
	}
	steps := []step{{key: breakerKey(c.Name), put: i, condition: "attribute_not_exists(pk)"}}
	if count > 0 {
		steps = append(steps, step{deed: checks, key: counterKey(c, s.at), condition: "written = :count", values: item{":count": number(int64(count))}})
	}
	reasons, err := d.send(ctx, steps)
	if err != nil {
		return false, doing(err, "tripping the breaker of %s", c.Name)
	}
	switch {
	case reasons == nil:
		return false, &ledger.TrippedError{Breaker: b}
	case unmet(reasons[0]):
		return d.behind(ctx, s, steps[0], reasons[0])
	}
	return true, nil
}

// written is how much a counter has; none that does not exist has any.
func written(stored item) (int, error) {
	if stored == nil {
		return 0, nil
	}
	f := fields{of: stored}
	n := f.count("written")
	return n, f.err
}
