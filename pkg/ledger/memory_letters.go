package ledger

import (
	"context"
	"fmt"
	"slices"
	"strings"
)

// waiting gives some of the letters that wait, the oldest first.
func (m *Memory) waiting(some func(Letter) bool) []Letter {
	var out []Letter
	for _, l := range m.letters {
		if some(l) {
			out = append(out, cloneLetter(l))
		}
	}
	SortLetters(out)
	return out
}

// SortLetters puts the oldest first; those of one time are in the order of their names.
func SortLetters(list []Letter) {
	slices.SortFunc(list, func(a, b Letter) int {
		if c := a.At.Compare(b.At); c != 0 {
			return c
		}
		return strings.Compare(a.Name(), b.Name())
	})
}

// Delivered implements Ledger.
func (m *Memory) Delivered(ctx context.Context, l Letter) error {
	if err := l.CheckName(); err != nil {
		return err
	}
	if err := m.enter(ctx); err != nil {
		return fmt.Errorf("recording that letter %s was delivered: %w", l.Name(), err)
	}
	defer m.mu.Unlock()
	delete(m.letters, l.Name())
	return nil
}

// Undelivered implements Ledger.
func (m *Memory) Undelivered(ctx context.Context, limit int) ([]Letter, error) {
	if err := CheckLimit(limit); err != nil {
		return nil, err
	}
	if err := m.enter(ctx); err != nil {
		return nil, fmt.Errorf("reading the letters that wait: %w", err)
	}
	defer m.mu.Unlock()
	all := m.waiting(func(Letter) bool { return true })
	return all[:min(limit, len(all))], nil
}

// Post implements Ledger.
func (m *Memory) Post(ctx context.Context, token string, l Letter) (Firstness, error) {
	if err := CheckPost(token, l); err != nil {
		return Again, err
	}
	if err := m.enter(ctx); err != nil {
		return Again, fmt.Errorf("posting letter %s: %w", l.ID, err)
	}
	defer m.mu.Unlock()
	if _, ok := m.posted[token]; ok {
		return Again, nil
	}
	if _, ok := m.letters[l.Name()]; ok {
		return Again, fmt.Errorf("posting letter %s: %w", l.ID, ErrLetterWaits)
	}
	m.posted[token], m.letters[l.Name()] = struct{}{}, cloneLetter(l)
	return First, nil
}
