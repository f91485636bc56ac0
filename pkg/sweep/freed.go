package sweep

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/rolewarden/rolewarden/pkg/decision"
	"github.com/rolewarden/rolewarden/pkg/finding"
	"github.com/rolewarden/rolewarden/pkg/guard"
	"github.com/rolewarden/rolewarden/pkg/ledger"
)

// brakes is the name under which it is kept which breakers were tripped when they
// were looked at last, and since when others no longer are. It is no sweep.
const brakes = "brakes"

// freedFor is how long it is remembered that a breaker was reset: longer than
// any sweep takes to come by every role once.
const freedFor = 7 * day

// freed says what held writes back, and no longer does.
type freed struct {
	Tripped []string `json:"tripped,omitempty"`
	// Freed are scopes whose breaker a person has reset, and when that was seen.
	Freed map[string]time.Time `json:"freed,omitempty"`
	// allowed is when the kill switch was last turned to allow writes.
	allowed time.Time
}

// watch looks which breakers are tripped, and notes which no longer are. It is
// done at every tick, so that a reset between two sweeps is seen.
func (s *Sweeper) watch(ctx context.Context) (freed, error) {
	now := s.cfg.Now()
	breakers, err := s.cfg.Ledger.Breakers(ctx)
	if err != nil {
		return freed{}, fmt.Errorf("looking at the breakers: %w", err)
	}
	was, err := s.freed(ctx)
	if err != nil {
		return freed{}, err
	}
	is := freed{Freed: map[string]time.Time{}, allowed: was.allowed}
	for _, b := range breakers {
		is.Tripped = append(is.Tripped, b.Scope)
	}
	slices.Sort(is.Tripped)
	for scope, at := range was.Freed {
		if now.Sub(at) < freedFor {
			is.Freed[scope] = at
		}
	}
	for _, scope := range lacking(was.Tripped, is.Tripped) {
		is.Freed[scope] = now
	}
	for _, scope := range is.Tripped {
		delete(is.Freed, scope)
	}
	if slices.Equal(was.Tripped, is.Tripped) && maps.Equal(was.Freed, is.Freed) {
		return is, nil
	}
	text, err := json.Marshal(is)
	if err == nil {
		err = s.cfg.Ledger.SaveSwept(ctx, ledger.SweptAccount{Sweep: brakes, Account: everybody, Notes: text})
	}
	if err != nil {
		return is, fmt.Errorf("noting which breakers are tripped: %w", err)
	}
	return is, nil
}

// freed reads what watch noted, and how the kill switch stands.
func (s *Sweeper) freed(ctx context.Context) (freed, error) {
	var f freed
	a, _, err := s.cfg.Ledger.Swept(ctx, brakes, everybody)
	if err != nil {
		return f, fmt.Errorf("reading which breakers were tripped: %w", err)
	}
	if len(a.Notes) > 0 && json.Unmarshal(a.Notes, &f) != nil {
		// What cannot be read is noted anew.
		f = freed{}
	}
	set, ok, err := s.cfg.Ledger.Setting(ctx)
	if err != nil {
		return f, fmt.Errorf("reading the kill switch: %w", err)
	}
	if ok && set.Switch == decision.WritesAllowed {
		f.allowed = set.At
	}
	return f, nil
}

// retries says whether a bad role about which nothing is new was held back by
// what has been freed since, so that it goes through the line once more.
func (f freed) retries(l guard.Look) bool {
	s := l.Recalled.State
	held := s != nil && s.Verdict == finding.Noncompliant && (s.Decided == decision.Hold || s.Decided == decision.Tag)
	if l.News != guard.NoNews || !held {
		return false
	}
	if s.Decided == decision.Hold && f.allowed.After(s.UpdatedAt) {
		return true
	}
	for _, scope := range guard.Scopes(l.Role, s.OpenRules) {
		if f.Freed[scope].After(s.UpdatedAt) {
			return true
		}
	}
	return false
}
