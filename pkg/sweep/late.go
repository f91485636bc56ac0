package sweep

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/rolewarden/rolewarden/pkg/ledger"
)

// without keeps which accounts a sweep's summary is told without, before it is
// told: what is found in them later is told by itself. Those of an earlier try
// stay, since its summary may have been told.
func (s *Sweeper) without(ctx context.Context, id string, accounts []ledger.SweptAccount, open []string) ([]string, error) {
	kept := listOf(accounts).Late
	late := slices.Concat(kept, open)
	slices.Sort(late)
	if late = slices.Compact(late); len(late) == len(kept) || closed(accounts) {
		return kept, nil
	}
	note, err := noteOf(id, accounts, late)
	if err != nil {
		return nil, err
	}
	if err := s.cfg.Ledger.SaveSwept(ctx, note); err != nil {
		return nil, fmt.Errorf("closing sweep %s: recording which accounts have not ended: %w", id, err)
	}
	return late, nil
}

// listOf gives what is kept of a sweep as a whole. Nothing more than words is
// lost where it cannot be read.
func listOf(accounts []ledger.SweptAccount) list {
	var l list
	if i := slices.IndexFunc(accounts, isEverybody); i >= 0 && json.Unmarshal(accounts[i].Notes, &l) != nil {
		return list{}
	}
	return l
}

// noteOf is what is kept of a sweep as a whole, with the accounts that its
// summary is told without.
func noteOf(id string, accounts []ledger.SweptAccount, late []string) (ledger.SweptAccount, error) {
	note := ledger.SweptAccount{Sweep: id, Account: everybody}
	if i := slices.IndexFunc(accounts, isEverybody); i >= 0 {
		note = accounts[i]
	}
	if len(late) == 0 {
		return note, nil
	}
	l := listOf(accounts)
	l.Late = late
	text, err := json.Marshal(l)
	if err != nil {
		return note, fmt.Errorf("closing sweep %s: writing down which accounts have not ended: %w", id, err)
	}
	note.Notes = text
	return note, nil
}

// lateOf is late for an account of which is asked how far it got.
func (s *Sweeper) lateOf(ctx context.Context, sweep, account string) error {
	a, _, err := s.cfg.Ledger.Swept(ctx, sweep, account)
	if err != nil {
		return fmt.Errorf("reading how sweep %s ended in account %s: %w", sweep, account, err)
	}
	return s.late(ctx, a)
}

// late tells what was found in an account that ended after its sweep had. That
// sweep's summary knows nothing of it, and to the next one it is no news.
func (s *Sweeper) late(ctx context.Context, a ledger.SweptAccount) error {
	if a.Ended.IsZero() {
		return nil
	}
	note, _, err := s.cfg.Ledger.Swept(ctx, a.Sweep, everybody)
	if err != nil {
		return fmt.Errorf("reading whether sweep %s had ended before account %s: %w", a.Sweep, a.Account, err)
	}
	if note.Ended.IsZero() || !slices.Contains(listOf([]ledger.SweptAccount{note}).Late, a.Account) {
		return nil
	}
	t := sum(ledger.Sweep{ID: a.Sweep, RulesHash: s.cfg.Rules.Hash, Accounts: []string{a.Account}}, []ledger.SweptAccount{a}, nil)
	if t.rules = s.cfg.Rules; t.news() == 0 {
		return nil
	}
	if _, err := s.post(ctx, "sweep/"+a.Sweep+"/late/"+a.Account, t.summary(s.cfg.Now())); err != nil {
		return fmt.Errorf("telling what sweep %s found in account %s, which ended late: %w", a.Sweep, a.Account, err)
	}
	return nil
}
