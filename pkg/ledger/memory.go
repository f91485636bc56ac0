package ledger

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/rolewarden/rolewarden/pkg/role"
)

// Memory is a Ledger that forgets when the process ends: for the lab, the
// command line and tests. Make one with NewMemory.
type Memory struct {
	mu        sync.Mutex
	events    map[Key]*event
	states    map[roleKey]RoleState
	baselines map[roleKey][]role.Baseline
	// candidates, words and written are those of roles.
	candidates map[roleKey]role.Baseline
	words      map[roleKey]Word
	written    map[roleKey]Written
	writes     map[roleKey][]Written
	decisions  map[string]Intent
	// letters are those that wait, by their names; posted are the tokens.
	letters  map[string]Letter
	posted   map[string]struct{}
	leases   map[role.Ref]lease
	counts   map[window]int
	spent    map[string]struct{}
	breakers map[string]Breaker
	turned   *Setting
	ids      map[string]*identity
	ends     map[PrincipalKey]Deletion
	// own are the roles that are found by their own names.
	own    map[roleKey]bool
	seen   map[string]*RulesSeen
	sweeps map[string]Sweep
	swept  map[string]map[string]SweptAccount
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
		events:     map[Key]*event{},
		states:     map[roleKey]RoleState{},
		baselines:  map[roleKey][]role.Baseline{},
		leases:     map[role.Ref]lease{},
		counts:     map[window]int{},
		spent:      map[string]struct{}{},
		ids:        map[string]*identity{},
		own:        map[roleKey]bool{},
		ends:       map[PrincipalKey]Deletion{},
		breakers:   map[string]Breaker{},
		candidates: map[roleKey]role.Baseline{},
		words:      map[roleKey]Word{},
		written:    map[roleKey]Written{},
		writes:     map[roleKey][]Written{},
		decisions:  map[string]Intent{},
		letters:    map[string]Letter{},
		posted:     map[string]struct{}{},
		seen:       map[string]*RulesSeen{},
		sweeps:     map[string]Sweep{},
		swept:      map[string]map[string]SweptAccount{},
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
	t.Letters = m.waiting(func(l Letter) bool { return l.Event == k })
	return t, nil
}

// Intend implements Ledger.
func (m *Memory) Intend(ctx context.Context, i Intent) error {
	if err := i.Check(); err != nil {
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
	e.intent, m.decisions[i.Decision.ID] = &i, i
	k := roleKey{i.Role.Account, i.RoleID}
	if old, ok := m.written[k]; i.Replaces() && (!ok || !old.At.After(i.At)) {
		m.written[k] = i.Written()
	}
	if i.Replaces() {
		m.writes[k] = append(slices.DeleteFunc(m.writes[k], func(w Written) bool { return w.Decision == i.Decision.ID && w.At.Equal(i.At) }), i.Written())
	}
	return nil
}

// Replaces says whether a trust policy is about to be replaced: not where only
// tags are written, nor where what is written is a boundary.
func (i Intent) Replaces() bool { return i.AfterDigest != "" && !i.Contains }

// Written gives what is kept with the role of a write that was intended; one of
// which nothing came left no document.
func (i Intent) Written() Written {
	w := Written{
		Decision: i.Decision.ID, Event: i.Event, EventTime: i.EventTime, ReadAt: i.ReadAt, At: i.At, WrittenAt: i.WrittenAt,
		BeforeDigest: i.BeforeDigest, AfterDigest: i.AfterDigest,
	}
	if i.Void {
		w.AfterDigest = ""
	}
	return w
}

// since says whether a write was intended or made after a time that leaves
// another document.
func (w Written) since(at time.Time, digest string) bool {
	return (w.At.After(at) || w.WrittenAt.After(at)) && (digest == "" || w.AfterDigest != digest)
}

// Decided implements Ledger.
func (m *Memory) Decided(ctx context.Context, decisionID string) (Intent, End, bool, error) {
	if err := m.enter(ctx); err != nil {
		return Intent{}, InFlight, false, fmt.Errorf("reading the decision %s: %w", decisionID, err)
	}
	defer m.mu.Unlock()
	i, ok := m.decisions[decisionID]
	if !ok {
		return Intent{}, InFlight, false, nil
	}
	return cloneIntent(i), m.event(i.Event).end, true, nil
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
	if c.Expect == NoOpenAlert && (e.intent != nil || c.State != nil && m.states[roleKey{c.State.Account, c.State.RoleID}].AlertID != "") {
		return fmt.Errorf("concluding event %s: %w", c.Event, ErrOpenAlert)
	}
	if !c.ReadAt.IsZero() && c.State != nil && m.written[roleKey{c.State.Account, c.State.RoleID}].since(c.ReadAt, c.State.Digest) {
		return fmt.Errorf("concluding event %s: %w", c.Event, ErrWritten)
	}
	e.end = c.End
	if c.State != nil {
		k := roleKey{c.State.Account, c.State.RoleID}
		if old, ok := m.states[k]; !ok || !old.EventTime.After(c.State.EventTime) {
			m.states[k] = cloneState(*c.State)
			m.own[k] = m.own[k] || slices.ContainsFunc(c.State.Trusts, func(p PrincipalKey) bool { return p.Kind == OwnName })
		}
	}
	for _, i := range c.Seen {
		m.see(i)
	}
	for _, l := range c.Letters {
		m.letters[l.Name()] = cloneLetter(l)
	}
	return nil
}
