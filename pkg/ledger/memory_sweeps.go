package ledger

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// rules gives what is known of a version of the rules file.
func (m *Memory) rules(hash string) *RulesSeen {
	r, ok := m.seen[hash]
	if !ok {
		r = &RulesSeen{Hash: hash}
		m.seen[hash] = r
	}
	return r
}

// SeeRules implements Ledger.
func (m *Memory) SeeRules(ctx context.Context, hash string, at time.Time) (RulesSeen, error) {
	if err := CheckRules(hash); err != nil {
		return RulesSeen{}, err
	}
	if err := m.enter(ctx); err != nil {
		return RulesSeen{}, fmt.Errorf("recording the rules %s: %w", hash, err)
	}
	defer m.mu.Unlock()
	r := m.rules(hash)
	if r.First.IsZero() {
		r.First = at
	}
	return *r, nil
}

// ConfirmRules implements Ledger.
func (m *Memory) ConfirmRules(ctx context.Context, hash, by, reason string, at time.Time) error {
	if err := CheckConfirmation(hash, by); err != nil {
		return err
	}
	if err := m.enter(ctx); err != nil {
		return fmt.Errorf("confirming the rules %s: %w", hash, err)
	}
	defer m.mu.Unlock()
	r := m.rules(hash)
	r.ConfirmedBy, r.Reason, r.ConfirmedAt = by, reason, at
	return nil
}

// BeginSweep implements Ledger.
func (m *Memory) BeginSweep(ctx context.Context, s Sweep) (Firstness, error) {
	if err := s.Check(); err != nil {
		return Again, err
	}
	if err := m.enter(ctx); err != nil {
		return Again, fmt.Errorf("beginning the sweep %s: %w", s.ID, err)
	}
	defer m.mu.Unlock()
	if _, ok := m.sweeps[s.ID]; ok {
		return Again, nil
	}
	s.Accounts = slices.Clone(s.Accounts)
	m.sweeps[s.ID] = s
	return First, nil
}

// Sweeping implements Ledger.
func (m *Memory) Sweeping(ctx context.Context, id string) (Sweep, []SweptAccount, bool, error) {
	if err := m.enter(ctx); err != nil {
		return Sweep{}, nil, false, fmt.Errorf("reading the sweep %s: %w", id, err)
	}
	defer m.mu.Unlock()
	s, ok := m.sweeps[id]
	if !ok {
		return Sweep{}, nil, false, nil
	}
	s.Accounts = slices.Clone(s.Accounts)
	var out []SweptAccount
	for _, a := range m.swept[id] {
		out = append(out, cloneSwept(a))
	}
	SortSwept(out)
	return s, out, true, nil
}

// SortSwept puts accounts in their order.
func SortSwept(list []SweptAccount) {
	slices.SortFunc(list, func(a, b SweptAccount) int { return strings.Compare(a.Account, b.Account) })
}

// Swept implements Ledger.
func (m *Memory) Swept(ctx context.Context, sweep, account string) (SweptAccount, bool, error) {
	if err := m.enter(ctx); err != nil {
		return SweptAccount{}, false, fmt.Errorf("reading the sweep %s of account %s: %w", sweep, account, err)
	}
	defer m.mu.Unlock()
	a, ok := m.swept[sweep][account]
	return cloneSwept(a), ok, nil
}

// SaveSwept implements Ledger.
func (m *Memory) SaveSwept(ctx context.Context, a SweptAccount) error {
	if err := a.Check(); err != nil {
		return err
	}
	if err := m.enter(ctx); err != nil {
		return fmt.Errorf("saving the sweep %s of account %s: %w", a.Sweep, a.Account, err)
	}
	defer m.mu.Unlock()
	accounts, ok := m.swept[a.Sweep]
	if !ok {
		accounts = map[string]SweptAccount{}
		m.swept[a.Sweep] = accounts
	}
	if accounts[a.Account].Ended.IsZero() || !a.Ended.IsZero() {
		accounts[a.Account] = cloneSwept(a)
	}
	return nil
}

func cloneSwept(a SweptAccount) SweptAccount {
	a.Counts, a.Notes = maps.Clone(a.Counts), bytes.Clone(a.Notes)
	return a
}
