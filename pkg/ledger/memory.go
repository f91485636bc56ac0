package ledger

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/rolewarden/rolewarden/pkg/decision"
	"github.com/rolewarden/rolewarden/pkg/role"
)

// Memory is a Ledger that forgets when the process ends: for the lab, the
// command line and tests. Make one with NewMemory.
type Memory struct {
	mu        sync.Mutex
	events    map[Key]*event
	states    map[roleKey]RoleState
	baselines map[roleKey][]role.Baseline
	leases    map[role.Ref]lease
	counts    map[window]int
	spent     map[string]struct{}
	turned    *Setting
	ids       map[string]*identity
	ends      map[PrincipalKey]Deletion
}

var _ Ledger = (*Memory)(nil)

type roleKey struct{ account, roleID string }

type event struct {
	attempts int
	end      End
	intent   *Intent
}

type lease struct {
	holder string
	until  time.Time
}

type window struct {
	name   string
	length time.Duration
	start  time.Time
}

// NewMemory makes an empty one.
func NewMemory() *Memory {
	return &Memory{
		events:    map[Key]*event{},
		states:    map[roleKey]RoleState{},
		baselines: map[roleKey][]role.Baseline{},
		leases:    map[role.Ref]lease{},
		counts:    map[window]int{},
		spent:     map[string]struct{}{},
		ids:       map[string]*identity{},
		ends:      map[PrincipalKey]Deletion{},
	}
}

// enter checks the context and locks; the caller unlocks.
func (m *Memory) enter(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	m.mu.Lock()
	return nil
}

func (m *Memory) event(k Key) *event {
	e, ok := m.events[k]
	if !ok {
		e = &event{}
		m.events[k] = e
	}
	return e
}

// Take implements Ledger.
func (m *Memory) Take(ctx context.Context, k Key, _ time.Time) (Taken, error) {
	if err := k.Check(); err != nil {
		return Taken{}, err
	}
	if err := m.enter(ctx); err != nil {
		return Taken{}, fmt.Errorf("taking event %s: %w", k, err)
	}
	defer m.mu.Unlock()
	e := m.event(k)
	e.attempts++
	t := Taken{End: e.end, Attempts: e.attempts}
	if e.attempts == 1 {
		t.First = First
	}
	if e.end == InFlight && e.intent != nil {
		i := cloneIntent(*e.intent)
		t.Intent = &i
	}
	return t, nil
}

// Intend implements Ledger.
func (m *Memory) Intend(ctx context.Context, i Intent) error {
	if err := i.Event.Check(); err != nil {
		return err
	}
	if err := m.enter(ctx); err != nil {
		return fmt.Errorf("recording the intent of event %s: %w", i.Event, err)
	}
	defer m.mu.Unlock()
	e := m.event(i.Event)
	if e.end != InFlight {
		return fmt.Errorf("recording the intent of event %s: %w", i.Event, ErrConcluded)
	}
	i = cloneIntent(i)
	e.intent = &i
	return nil
}

// Conclude implements Ledger.
func (m *Memory) Conclude(ctx context.Context, c Conclusion) error {
	if err := c.Check(); err != nil {
		return err
	}
	if err := m.enter(ctx); err != nil {
		return fmt.Errorf("concluding event %s: %w", c.Event, err)
	}
	defer m.mu.Unlock()
	e := m.event(c.Event)
	if e.end != InFlight {
		return nil
	}
	if c.Expect == NoOpenAlert && c.State != nil && m.states[roleKey{c.State.Account, c.State.RoleID}].AlertID != "" {
		return fmt.Errorf("concluding event %s: %w", c.Event, ErrOpenAlert)
	}
	e.end = c.End
	if c.State != nil {
		k := roleKey{c.State.Account, c.State.RoleID}
		if old, ok := m.states[k]; !ok || !old.EventTime.After(c.State.EventTime) {
			m.states[k] = cloneState(*c.State)
		}
	}
	for _, i := range c.Seen {
		m.see(i)
	}
	return nil
}

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
		if n := m.counts[window{c.Name, c.Window, c.Start(at)}]; n >= c.Limit {
			return &LimitError{Counter: c, Count: n}
		}
	}
	for _, c := range counters {
		m.counts[window{c.Name, c.Window, c.Start(at)}]++
	}
	m.spent[token] = struct{}{}
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
