package sweep

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"hash/fnv"
	"slices"

	"github.com/rolewarden/rolewarden/pkg/ledger"
	"github.com/rolewarden/rolewarden/pkg/role"
)

// identities is the name under which it is kept which users and roles of an
// account are recorded. It is no sweep: it never ends.
const identities = "identities"

// record remembers who the users and roles of a page are, where that is not
// remembered. Which are is kept for the whole account in one record, so that a
// sweep that sees nobody new neither asks for each nor writes.
func (s *Sweeper) record(ctx context.Context, v *visit, principals []ledger.Identity) error {
	account := v.saved.Account
	if v.known == nil {
		a, _, err := s.cfg.Ledger.Swept(ctx, identities, account)
		if err != nil {
			return fmt.Errorf("reading whom account %s is known to have: %w", account, err)
		}
		v.known = unpackKnown(a.Notes)
	}
	var fresh []ledger.Identity
	for _, p := range principals {
		v.current[identityMark(p)] = true
		if !v.known[identityMark(p)] {
			fresh = append(fresh, p)
		}
	}
	if len(fresh) == 0 {
		return nil
	}
	for part := range slices.Chunk(fresh, 25) {
		if err := s.cfg.Ledger.Record(ctx, part); err != nil {
			return fmt.Errorf("recording the users and roles of account %s: %w", account, err)
		}
	}
	for _, p := range fresh {
		v.known[identityMark(p)] = true
	}
	return s.saveKnown(ctx, v)
}

func (s *Sweeper) saveKnown(ctx context.Context, v *visit) error {
	err := s.cfg.Ledger.SaveSwept(ctx, ledger.SweptAccount{Sweep: identities, Account: v.saved.Account, Notes: packKnown(v.known)})
	if err != nil {
		return fmt.Errorf("recording whom account %s is known to have: %w", v.saved.Account, err)
	}
	return nil
}

// forget takes those who are gone out of the record of an account, once they are
// many: an account whose roles come and go every day would grow without end.
func (s *Sweeper) forget(ctx context.Context, v *visit) error {
	if v.whole != wholly || len(v.known) <= 2*len(v.current)+1000 {
		return nil
	}
	v.known = v.current
	return s.saveKnown(ctx, v)
}

// identityMark is what is kept of an identity that is recorded.
func identityMark(i ledger.Identity) uint64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte(i.ID + "\x00" + i.ARN)) // a hash never refuses
	return h.Sum64()
}

func packKnown(known map[uint64]bool) []byte {
	var all []uint64
	for m := range known {
		all = append(all, m)
	}
	slices.Sort(all)
	var out []byte
	for _, m := range all {
		out = binary.BigEndian.AppendUint64(out, m)
	}
	return out
}

// unpackKnown reads what packKnown wrote; what cannot be read is recorded again.
func unpackKnown(b []byte) map[uint64]bool {
	known := map[uint64]bool{}
	for ; len(b) >= 8; b = b[8:] {
		known[binary.BigEndian.Uint64(b)] = true
	}
	return known
}

// secret gives the key under which the external ids of one sweep are compared.
// It is the seal of nothing but the sweep's name, which only the sweep can make:
// it is the same in every run and is kept nowhere. Without a sealing key it is
// random, and good for as long as the process lives.
func (s *Sweeper) secret(ctx context.Context, sweep string) ([]byte, error) {
	if s.cfg.Sealer == nil {
		return s.random()
	}
	key, err := s.cfg.Sealer.Seal(ctx, role.Baseline{RoleID: "external ids of sweep " + sweep})
	if err != nil {
		return nil, fmt.Errorf("making the key for external ids: %w", err)
	}
	return key, nil
}

// random gives the same 32 random bytes to every caller of one Sweeper.
func (s *Sweeper) random() ([]byte, error) {
	s.once.Do(func() {
		s.key = make([]byte, 32)
		_, s.keyErr = rand.Read(s.key)
	})
	return s.key, s.keyErr
}
