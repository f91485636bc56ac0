package ledger

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/rolewarden/rolewarden/pkg/role"
)

// State implements Ledger.
func (m *Memory) State(ctx context.Context, account, roleID string) (RoleState, bool, error) {
	if err := m.enter(ctx); err != nil {
		return RoleState{}, false, fmt.Errorf("reading the state of role %s/%s: %w", account, roleID, err)
	}
	defer m.mu.Unlock()
	s, ok := m.states[roleKey{account, roleID}]
	return cloneState(s), ok, nil
}

// Baselines implements Ledger.
func (m *Memory) Baselines(ctx context.Context, account, roleID string) ([]role.Baseline, error) {
	if err := m.enter(ctx); err != nil {
		return nil, fmt.Errorf("reading the baselines of role %s/%s: %w", account, roleID, err)
	}
	defer m.mu.Unlock()
	var out []role.Baseline
	for _, b := range m.baselines[roleKey{account, roleID}] {
		out = append(out, cloneBaseline(b))
	}
	SortBaselines(out)
	return out, nil
}

// AddBaseline implements Ledger.
func (m *Memory) AddBaseline(ctx context.Context, b role.Baseline) error {
	if err := CheckBaseline(b); err != nil {
		return err
	}
	if err := m.enter(ctx); err != nil {
		return fmt.Errorf("adding a baseline of role %s/%s: %w", b.Account, b.RoleID, err)
	}
	defer m.mu.Unlock()
	k := roleKey{b.Account, b.RoleID}
	list := m.baselines[k]
	at := slices.IndexFunc(list, func(o role.Baseline) bool { return o.Digest == b.Digest })
	if at < 0 {
		m.baselines[k] = append(list, cloneBaseline(b))
	} else {
		list[at] = cloneBaseline(b)
	}
	return nil
}

// CheckBaseline refuses a baseline that names no role or has no digest.
func CheckBaseline(b role.Baseline) error {
	if b.Account == "" || b.RoleID == "" || b.Digest == "" {
		return errors.New("adding a baseline: it needs an account, a RoleId and a digest")
	}
	return nil
}

// SortBaselines puts the one sealed last first.
func SortBaselines(list []role.Baseline) {
	slices.SortFunc(list, func(a, b role.Baseline) int {
		if c := b.Sealed.Compare(a.Sealed); c != 0 {
			return c
		}
		return strings.Compare(a.Digest, b.Digest)
	})
}

// SetCandidate implements Ledger.
func (m *Memory) SetCandidate(ctx context.Context, b role.Baseline) error {
	if err := CheckBaseline(b); err != nil {
		return err
	}
	if err := m.enter(ctx); err != nil {
		return fmt.Errorf("recording a candidate of role %s/%s: %w", b.Account, b.RoleID, err)
	}
	defer m.mu.Unlock()
	k := roleKey{b.Account, b.RoleID}
	if old, ok := m.candidates[k]; !ok || !old.Since.After(b.Since) {
		m.candidates[k] = cloneBaseline(b)
	}
	return nil
}

// GiveWord implements Ledger.
func (m *Memory) GiveWord(ctx context.Context, w Word) error {
	if err := w.Check(); err != nil {
		return err
	}
	if err := m.enter(ctx); err != nil {
		return fmt.Errorf("recording a word on role %s/%s: %w", w.Account, w.RoleID, err)
	}
	defer m.mu.Unlock()
	k := roleKey{w.Account, w.RoleID}
	if old, ok := m.words[k]; !ok || !old.At.After(w.At) {
		m.words[k] = w
	}
	return nil
}

// Recall implements Ledger.
func (m *Memory) Recall(ctx context.Context, account, roleID string) (Recalled, error) {
	if err := m.enter(ctx); err != nil {
		return Recalled{}, fmt.Errorf("recalling role %s/%s: %w", account, roleID, err)
	}
	defer m.mu.Unlock()
	k := roleKey{account, roleID}
	var r Recalled
	if s, ok := m.states[k]; ok {
		s = cloneState(s)
		r.State = &s
	}
	if b, ok := m.candidates[k]; ok {
		b = cloneBaseline(b)
		r.Candidate = &b
	}
	if w, ok := m.words[k]; ok {
		r.Word = &w
	}
	if w, ok := m.written[k]; ok {
		r.Written = &w
	}
	r.Writes = Standing(m.writes[k])
	for _, b := range m.baselines[k] {
		r.Baselines = append(r.Baselines, cloneBaseline(b))
	}
	SortBaselines(r.Baselines)
	return r, nil
}

// States implements Ledger. It holds no lock while it visits.
func (m *Memory) States(ctx context.Context, account string, visit func(RoleState) error) error {
	if err := m.enter(ctx); err != nil {
		return fmt.Errorf("reading the states of roles: %w", err)
	}
	var all []RoleState
	for _, s := range m.states {
		if account == "" || s.Account == account {
			all = append(all, cloneState(s))
		}
	}
	m.mu.Unlock()
	SortStates(all)
	for _, s := range all {
		if err := visit(s); err != nil {
			return err
		}
	}
	return nil
}
