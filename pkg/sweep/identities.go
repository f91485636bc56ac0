package sweep

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"maps"
	"slices"

	"github.com/rolewarden/rolewarden/pkg/ledger"
	"github.com/rolewarden/rolewarden/pkg/role"
)

// inhabitants is the name under which it is kept who is recorded of an account.
// It is no sweep: it never ends.
const inhabitants = "inhabitants"

// known is who is recorded of an account, in one record for all of it: a sweep
// that sees nobody new neither asks for each nor writes, and one that misses a
// role knows whom to look for.
type known struct {
	// Marks are eight bytes for each user and role that is recorded under its ARN.
	Marks string `json:"marks"`
	// Roles are the ids of the roles that were seen and not seen to be gone.
	Roles []string `json:"roles"`
	// Users are the ids of the users, likewise.
	Users []string `json:"users,omitempty"`

	marks        map[uint64]bool
	roles, users map[string]bool
}

// residents gives who is recorded of the account.
func (s *Sweeper) residents(ctx context.Context, v *visit) (*known, error) {
	if v.known != nil {
		return v.known, nil
	}
	a, _, err := s.cfg.Ledger.Swept(ctx, inhabitants, v.saved.Account)
	if err != nil {
		return nil, fmt.Errorf("reading whom account %s is known to have: %w", v.saved.Account, err)
	}
	k := &known{marks: map[uint64]bool{}, roles: map[string]bool{}, users: map[string]bool{}}
	// What cannot be read is recorded anew.
	if len(a.Notes) > 0 && json.Unmarshal(a.Notes, k) != nil {
		*k = known{marks: k.marks, roles: k.roles, users: k.users}
	}
	b, _ := base64.StdEncoding.DecodeString(k.Marks)
	for ; len(b) >= 8; b = b[8:] {
		k.marks[binary.BigEndian.Uint64(b)] = true
	}
	for _, id := range k.Roles {
		k.roles[id] = true
	}
	for _, id := range k.Users {
		k.users[id] = true
	}
	v.known = k
	return k, nil
}

func (s *Sweeper) saveKnown(ctx context.Context, v *visit) error {
	k := v.known
	var all []uint64
	for m := range k.marks {
		all = append(all, m)
	}
	slices.Sort(all)
	var b []byte
	for _, m := range all {
		b = binary.BigEndian.AppendUint64(b, m)
	}
	k.Marks = base64.StdEncoding.EncodeToString(b)
	k.Roles, k.Users = slices.Sorted(maps.Keys(k.roles)), slices.Sorted(maps.Keys(k.users))
	text, err := json.Marshal(k)
	if err == nil {
		err = s.cfg.Ledger.SaveSwept(ctx, ledger.SweptAccount{Sweep: inhabitants, Account: v.saved.Account, Notes: text})
	}
	if err != nil {
		return fmt.Errorf("recording whom account %s is known to have: %w", v.saved.Account, err)
	}
	return nil
}

// record remembers who the users and roles of a page are, where that is not
// remembered.
func (s *Sweeper) record(ctx context.Context, v *visit, found []role.Role, principals []ledger.Identity) error {
	k, err := s.residents(ctx, v)
	if err != nil {
		return err
	}
	var fresh []ledger.Identity
	for _, p := range principals {
		v.current[identityMark(p)] = true
		if !k.marks[identityMark(p)] {
			fresh = append(fresh, p)
		}
	}
	moved := len(fresh) > 0
	for _, p := range principals {
		if key, ok := ledger.PrincipalOf(p.ARN); ok && key.Kind == "user" {
			moved = moved || !k.users[p.ID]
			k.users[p.ID], v.users[p.ID] = true, true
		}
	}
	for _, r := range found {
		moved = moved || !k.roles[r.ID]
		k.roles[r.ID] = true
	}
	if !moved {
		return nil
	}
	for part := range slices.Chunk(fresh, 25) {
		if err := s.cfg.Ledger.Record(ctx, part); err != nil {
			return fmt.Errorf("recording the users and roles of account %s: %w", v.saved.Account, err)
		}
	}
	for _, p := range fresh {
		k.marks[identityMark(p)] = true
	}
	return s.saveKnown(ctx, v)
}

// identityMark is what is kept of an identity that is recorded.
func identityMark(i ledger.Identity) uint64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte(i.ID + "\x00" + i.ARN)) // a hash never refuses
	return h.Sum64()
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
