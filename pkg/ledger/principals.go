package ledger

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/rolewarden/rolewarden/pkg/finding"
)

// identity is what is known of a unique id.
type identity struct {
	// arn is the one it was seen under last.
	arn     string
	seen    map[string]sighting // by ARN
	deleted *Deletion
}

// sighting is when an id was first and last seen under one ARN.
type sighting struct{ first, last time.Time }

// see takes one sighting in; an older one never hides a newer.
func (m *Memory) see(i Identity) {
	id, ok := m.ids[i.ID]
	if !ok {
		id = &identity{seen: map[string]sighting{}}
		m.ids[i.ID] = id
	}
	s, ok := id.seen[i.ARN]
	if !ok {
		s = sighting{first: i.SeenAt, last: i.SeenAt}
	}
	if i.SeenAt.Before(s.first) {
		s.first = i.SeenAt
	}
	if i.SeenAt.After(s.last) {
		s.last = i.SeenAt
	}
	id.seen[i.ARN] = s
	if id.arn == "" || !i.SeenAt.Before(id.seen[id.arn].last) {
		id.arn = i.ARN
	}
}

// Record implements Ledger.
func (m *Memory) Record(ctx context.Context, ids []Identity) error {
	if err := CheckIdentities(ids); err != nil {
		return err
	}
	if err := m.enter(ctx); err != nil {
		return fmt.Errorf("recording identities: %w", err)
	}
	defer m.mu.Unlock()
	for _, i := range ids {
		m.see(i)
	}
	return nil
}

// Identify implements Ledger.
func (m *Memory) Identify(ctx context.Context, id string) (finding.Principal, bool, error) {
	if err := m.enter(ctx); err != nil {
		return finding.Principal{}, false, fmt.Errorf("identifying %s: %w", id, err)
	}
	defer m.mu.Unlock()
	if _, ok := m.ids[id]; !ok {
		return finding.Principal{}, false, nil
	}
	return m.principal(id), true, nil
}

// principal tells an id's history.
func (m *Memory) principal(id string) finding.Principal {
	known := m.ids[id]
	p := finding.Principal{ID: id, ARN: known.arn}
	if d := known.deleted; d != nil {
		p.DeletedBy, p.DeletedAt, p.DeletedEvent = d.By, d.At, d.Event.EventID
	}
	var others []Bearer
	for other, o := range m.ids {
		if other != id && o.arn == known.arn {
			others = append(others, o.bearer(other))
		}
	}
	p.LivesAgainAs = LivesAgain(known.bearer(id), others)
	return p
}

func (i *identity) bearer(id string) Bearer {
	return Bearer{ID: id, Since: i.seen[i.arn].first, Ended: i.deleted != nil}
}

// Bearer is a unique id that has, or had until its end, a certain ARN.
type Bearer struct {
	ID string
	// Since is when it was first seen under that ARN.
	Since time.Time
	// Ended says that it was deleted.
	Ended bool
}

// LivesAgain gives the id that bears an ARN after another one did: the newest
// that was not deleted and is not older than the other; empty when none is known.
func LivesAgain(of Bearer, others []Bearer) string {
	var newest Bearer
	for _, o := range others {
		after := o.Since.After(of.Since) || (o.Since.Equal(of.Since) && of.Ended)
		if o.Ended || !after {
			continue
		}
		if newest.ID == "" || o.Since.After(newest.Since) || (o.Since.Equal(newest.Since) && o.ID < newest.ID) {
			newest = o
		}
	}
	return newest.ID
}

// Identities implements Ledger.
func (m *Memory) Identities(ctx context.Context, arn string) ([]Identity, error) {
	if err := m.enter(ctx); err != nil {
		return nil, fmt.Errorf("reading the identities of %s: %w", arn, err)
	}
	defer m.mu.Unlock()
	var out []Identity
	for id, known := range m.ids {
		if s, ok := known.seen[arn]; ok {
			out = append(out, Identity{ID: id, ARN: arn, SeenAt: s.last})
		}
	}
	SortIdentities(out)
	return out, nil
}

// SortIdentities puts the one seen last first.
func SortIdentities(list []Identity) {
	slices.SortFunc(list, func(a, b Identity) int {
		if c := b.SeenAt.Compare(a.SeenAt); c != 0 {
			return c
		}
		return strings.Compare(a.ID, b.ID)
	})
}

// named gives the ids, in order, that stand for a principal now and did so at a time.
func (m *Memory) named(p PrincipalKey, at time.Time) []string {
	var out []string
	for id, known := range m.ids {
		key, ok := PrincipalOf(known.arn)
		if ok && key == p && known.seen[known.arn].first.Before(Until(at)) {
			out = append(out, id)
		}
	}
	slices.Sort(out)
	return out
}

// Deleted implements Ledger.
func (m *Memory) Deleted(ctx context.Context, d Deletion) ([]finding.Principal, error) {
	if err := d.Event.Check(); err != nil {
		return nil, err
	}
	d.Principal = d.Principal.Fold()
	if err := m.enter(ctx); err != nil {
		return nil, fmt.Errorf("recording the deletion of %s: %w", d.Principal, err)
	}
	defer m.mu.Unlock()
	if last, ok := m.ends[d.Principal]; !ok || d.At.After(last.At) {
		m.ends[d.Principal] = d
	}
	if d.RenamedTo != "" {
		return nil, nil
	}
	ids := m.named(d.Principal, d.At)
	for _, id := range ids {
		if known := m.ids[id]; known.deleted == nil {
			end := d
			known.deleted = &end
		}
	}
	var out []finding.Principal
	for _, id := range ids {
		if m.ids[id].deleted.Event == d.Event {
			out = append(out, m.principal(id))
		}
	}
	return out, nil
}

// Ends implements Ledger.
func (m *Memory) Ends(ctx context.Context, principals []PrincipalKey) ([]Deletion, error) {
	if err := m.enter(ctx); err != nil {
		return nil, fmt.Errorf("reading the ends of principals: %w", err)
	}
	defer m.mu.Unlock()
	var out []Deletion
	for _, p := range EachOnce(principals) {
		if d, ok := m.ends[p]; ok {
			out = append(out, d)
		}
	}
	return out, nil
}

// EachOnce gives the principals folded, each once, in their order.
func EachOnce(principals []PrincipalKey) []PrincipalKey {
	var out []PrincipalKey
	for _, p := range principals {
		if p = p.Fold(); !slices.Contains(out, p) {
			out = append(out, p)
		}
	}
	return out
}

// CheckRename refuses a new ARN that does not name the new principal.
func CheckRename(to PrincipalKey, newARN string) error {
	if key, ok := PrincipalOf(newARN); !ok || key != to.Fold() {
		return fmt.Errorf("recording a new name: the ARN %q does not name %s", newARN, to)
	}
	return nil
}

// Renamed implements Ledger.
func (m *Memory) Renamed(ctx context.Context, from, to PrincipalKey, newARN string, at time.Time) error {
	if err := CheckRename(to, newARN); err != nil {
		return err
	}
	from, to = from.Fold(), to.Fold()
	if err := m.enter(ctx); err != nil {
		return fmt.Errorf("recording the new name of %s: %w", from, err)
	}
	defer m.mu.Unlock()
	for _, id := range m.named(from, at) {
		if m.ids[id].deleted == nil && m.ids[id].arn != newARN {
			m.see(Identity{ID: id, ARN: newARN, SeenAt: at})
			m.ids[id].arn = newARN
		}
	}
	for k, s := range m.states {
		if moved, ok := s.Rename(from, to, at); ok {
			m.states[k] = moved
		}
	}
	return nil
}

// Rename gives the state with one trusted principal under its new name; ok is
// false when the state does not name it, when only the name's case changed, or
// when the state was recorded after the time and so
// already speaks of whoever bears the name since.
func (s RoleState) Rename(from, to PrincipalKey, at time.Time) (moved RoleState, ok bool) {
	if from == to || !s.Names(from) || !s.UpdatedAt.Before(Until(at)) {
		return s, false
	}
	s = cloneState(s)
	var trusts []PrincipalKey
	for _, p := range s.Trusts {
		if p.Fold() == from {
			p = to
		}
		if !slices.Contains(trusts, p) {
			trusts = append(trusts, p)
		}
	}
	s.Trusts = trusts
	return s, true
}

// Names says whether the role's remembered document names a principal, or the
// principal is the role itself.
func (s RoleState) Names(p PrincipalKey) bool {
	if p.Kind == OwnName {
		return p.Fold() == PrincipalKey{Account: s.Account, Kind: OwnName, Name: s.Name}.Fold()
	}
	return slices.ContainsFunc(s.Trusts, func(t PrincipalKey) bool { return t.Fold() == p.Fold() })
}

// Trusting implements Ledger.
func (m *Memory) Trusting(ctx context.Context, p PrincipalKey) ([]RoleState, error) {
	if err := m.enter(ctx); err != nil {
		return nil, fmt.Errorf("reading who trusts %s: %w", p, err)
	}
	defer m.mu.Unlock()
	var out []RoleState
	for k, s := range m.states {
		if s.Names(p) && (p.Kind != OwnName || m.own[k]) {
			out = append(out, cloneState(s))
		}
	}
	SortStates(out)
	return out, nil
}

// SortStates puts states in the order of account and RoleId.
func SortStates(list []RoleState) {
	slices.SortFunc(list, func(a, b RoleState) int {
		if c := strings.Compare(a.Account, b.Account); c != 0 {
			return c
		}
		return strings.Compare(a.RoleID, b.RoleID)
	})
}
