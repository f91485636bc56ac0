package ledger

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/rolewarden/rolewarden/pkg/decision"
	"github.com/rolewarden/rolewarden/pkg/role"
)

// Lease implements Ledger.
func (m *Memory) Lease(ctx context.Context, r role.Ref, holder string, now, until time.Time) error {
	if err := m.enter(ctx); err != nil {
		return fmt.Errorf("leasing role %s: %w", r, err)
	}
	defer m.mu.Unlock()
	k := FoldRef(r)
	if l, ok := m.leases[k]; ok && l.holder != holder && now.Before(l.until) {
		return fmt.Errorf("leasing role %s: %w", r, ErrLeased)
	}
	m.leases[k] = lease{holder, until}
	return nil
}

// Release implements Ledger.
func (m *Memory) Release(ctx context.Context, r role.Ref, holder string) error {
	if err := m.enter(ctx); err != nil {
		return fmt.Errorf("releasing role %s: %w", r, err)
	}
	defer m.mu.Unlock()
	if k := FoldRef(r); m.leases[k].holder == holder {
		delete(m.leases, k)
	}
	return nil
}

// FoldRef gives the Ref with its name in lower case, under which a role is
// leased whatever the spelling.
func FoldRef(r role.Ref) role.Ref {
	r.Name = strings.ToLower(r.Name)
	return r
}

// Spend implements Ledger.
func (m *Memory) Spend(ctx context.Context, token string, at time.Time, counters []Counter) error {
	if err := CheckToken(token); err != nil {
		return err
	}
	counters, err := Distinct(counters)
	if err != nil {
		return err
	}
	if err := m.enter(ctx); err != nil {
		return fmt.Errorf("spending: %w", err)
	}
	defer m.mu.Unlock()
	if _, ok := m.spent[token]; ok {
		return nil
	}
	for _, c := range counters {
		if b, ok := m.breakers[c.Name]; ok {
			return &TrippedError{Breaker: b}
		}
	}
	for _, c := range counters {
		n := m.counts[c.window(at)]
		switch {
		case n < c.Limit:
		case c.Full == Trip:
			m.breakers[c.Name] = c.Tripped(n, at, token)
			return &TrippedError{Breaker: m.breakers[c.Name]}
		default:
			return &LimitError{Counter: c, Count: n}
		}
	}
	m.spent[token] = struct{}{}
	for _, c := range counters {
		w := c.window(at)
		m.counts[w]++
		if _, ok := m.breakers[c.Name]; !ok && c.Full == Trip && m.counts[w] >= c.Limit {
			m.breakers[c.Name] = c.Tripped(m.counts[w], at, token)
		}
	}
	return nil
}

func (c Counter) window(at time.Time) window { return window{c.Name, c.Window, c.Start(at)} }

// Tripped gives the breaker of a counter that has reached its limit.
func (c Counter) Tripped(count int, at time.Time, token string) Breaker {
	return Breaker{Scope: c.Name, Limit: c.Limit, Count: count, Window: c.Window, TrippedAt: at, Token: token}
}

// Breakers implements Ledger.
func (m *Memory) Breakers(ctx context.Context) ([]Breaker, error) {
	if err := m.enter(ctx); err != nil {
		return nil, fmt.Errorf("reading the breakers: %w", err)
	}
	defer m.mu.Unlock()
	var out []Breaker
	for _, b := range m.breakers {
		out = append(out, b)
	}
	slices.SortFunc(out, func(a, b Breaker) int { return strings.Compare(a.Scope, b.Scope) })
	return out, nil
}

// Reset implements Ledger.
func (m *Memory) Reset(ctx context.Context, scope, by, _ string, _ time.Time) error {
	if err := CheckReset(scope, by); err != nil {
		return err
	}
	if err := m.enter(ctx); err != nil {
		return fmt.Errorf("resetting the breaker of %s: %w", scope, err)
	}
	defer m.mu.Unlock()
	if _, ok := m.breakers[scope]; !ok {
		return fmt.Errorf("resetting the breaker of %s: %w", scope, ErrNotTripped)
	}
	delete(m.breakers, scope)
	for w := range m.counts {
		if w.name == scope {
			delete(m.counts, w)
		}
	}
	return nil
}

// CheckReset refuses to reset a breaker that is not named, or that no person answers for.
func CheckReset(scope, by string) error {
	if scope == "" || by == "" {
		return fmt.Errorf("resetting the breaker %q: say which, and which person resets it", scope)
	}
	return nil
}

// Switch implements Ledger.
func (m *Memory) Switch(ctx context.Context) (decision.Switch, error) {
	if err := m.enter(ctx); err != nil {
		return decision.Unreadable, fmt.Errorf("reading the kill switch: %w", err)
	}
	defer m.mu.Unlock()
	if m.turned == nil {
		return decision.WritesAllowed, nil
	}
	return m.turned.Switch, nil
}

// Setting implements Ledger.
func (m *Memory) Setting(ctx context.Context) (Setting, bool, error) {
	if err := m.enter(ctx); err != nil {
		return Setting{}, false, fmt.Errorf("reading the kill switch: %w", err)
	}
	defer m.mu.Unlock()
	if m.turned == nil {
		return Setting{}, false, nil
	}
	return *m.turned, true, nil
}

// SetSwitch implements Ledger.
func (m *Memory) SetSwitch(ctx context.Context, s decision.Switch, by, reason string, at time.Time) error {
	if err := CheckSwitch(s, by); err != nil {
		return err
	}
	if err := m.enter(ctx); err != nil {
		return fmt.Errorf("setting the kill switch: %w", err)
	}
	defer m.mu.Unlock()
	m.turned = &Setting{Switch: s, By: by, Reason: reason, At: at}
	return nil
}

// CheckSwitch refuses a setting of the kill switch that says nothing, or that
// no person answers for.
func CheckSwitch(s decision.Switch, by string) error {
	if s != decision.WritesStopped && s != decision.WritesAllowed {
		return fmt.Errorf("setting the kill switch: %d is no setting: writes are stopped or allowed", s)
	}
	if by == "" {
		return errors.New("setting the kill switch: say which person sets it")
	}
	return nil
}
