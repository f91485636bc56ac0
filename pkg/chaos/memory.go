package chaos

import (
	"context"
	"time"

	"github.com/rolewarden/rolewarden/pkg/decision"
	"github.com/rolewarden/rolewarden/pkg/finding"
	"github.com/rolewarden/rolewarden/pkg/ledger"
	"github.com/rolewarden/rolewarden/pkg/role"
)

// memory is the ledger as a handling sees it.
type memory struct{ asker }

var _ ledger.Ledger = memory{}

func note(a asker, name string, do func(s *site, run int) error) error {
	return a.ask(call{kind: notes, name: name, do: func(s *site, h hand) reply { return done(do(s, h.run)) }}).err
}

func noted[T any](a asker, name string, do func(s *site, run int) (T, error)) (T, error) {
	return get[T](a, call{kind: notes, name: name, do: func(s *site, h hand) reply { return value(do(s, h.run)) }})
}

func recall[T any](a asker, name string, do func(l ledger.Ledger) (T, error)) (T, error) {
	return get[T](a, call{kind: remembers, name: name, do: func(s *site, _ hand) reply { return value(do(s.ledger)) }})
}

// found is an answer that may be none.
type found[T any] struct {
	value T
	ok    bool
}

func find[T any](a asker, name string, do func(l ledger.Ledger) (T, bool, error)) (T, bool, error) {
	f, err := recall(a, name, func(l ledger.Ledger) (found[T], error) {
		v, ok, err := do(l)
		return found[T]{v, ok}, err
	})
	return f.value, f.ok, err
}

// Take implements ledger.Ledger.
func (m memory) Take(_ context.Context, k ledger.Key, at time.Time) (ledger.Taken, error) {
	return noted(m, "Take", func(s *site, run int) (ledger.Taken, error) { return s.take(run, k, at) })
}

// Intend implements ledger.Ledger.
func (m memory) Intend(_ context.Context, i ledger.Intent) error {
	return note(m, "Intend", func(s *site, run int) error { return s.intend(run, i) })
}

// Conclude implements ledger.Ledger.
func (m memory) Conclude(_ context.Context, c ledger.Conclusion) error {
	return note(m, "Conclude", func(s *site, run int) error { return s.conclude(run, c) })
}

// State implements ledger.Ledger.
func (m memory) State(_ context.Context, account, roleID string) (ledger.RoleState, bool, error) {
	return find(m, "State", func(l ledger.Ledger) (ledger.RoleState, bool, error) { return l.State(ctx, account, roleID) })
}

// Baselines implements ledger.Ledger.
func (m memory) Baselines(_ context.Context, account, roleID string) ([]role.Baseline, error) {
	return recall(m, "Baselines", func(l ledger.Ledger) ([]role.Baseline, error) { return l.Baselines(ctx, account, roleID) })
}

// AddBaseline implements ledger.Ledger.
func (m memory) AddBaseline(_ context.Context, b role.Baseline) error {
	return note(m, "AddBaseline", func(s *site, run int) error { return s.addBaseline(run, b) })
}

// Lease implements ledger.Ledger.
func (m memory) Lease(_ context.Context, r role.Ref, holder string, now, until time.Time) error {
	return note(m, "Lease", func(s *site, _ int) error { return s.ledger.Lease(ctx, r, holder, now, until) })
}

// Release implements ledger.Ledger.
func (m memory) Release(_ context.Context, r role.Ref, holder string) error {
	return note(m, "Release", func(s *site, _ int) error { return s.ledger.Release(ctx, r, holder) })
}

// Spend implements ledger.Ledger.
func (m memory) Spend(_ context.Context, token string, at time.Time, counters []ledger.Counter) error {
	return note(m, "Spend", func(s *site, run int) error { return s.spend(run, token, at, counters) })
}

// Switch implements ledger.Ledger.
func (m memory) Switch(context.Context) (decision.Switch, error) {
	return recall(m, "Switch", func(l ledger.Ledger) (decision.Switch, error) { return l.Switch(ctx) })
}

// Setting implements ledger.Ledger.
func (m memory) Setting(context.Context) (ledger.Setting, bool, error) {
	return find(m, "Setting", func(l ledger.Ledger) (ledger.Setting, bool, error) { return l.Setting(ctx) })
}

// SetSwitch implements ledger.Ledger.
func (m memory) SetSwitch(_ context.Context, to decision.Switch, by, reason string, at time.Time) error {
	return note(m, "SetSwitch", func(s *site, _ int) error { return s.turn(to, by, reason, at) })
}

// Identify implements ledger.Ledger.
func (m memory) Identify(_ context.Context, id string) (finding.Principal, bool, error) {
	return find(m, "Identify", func(l ledger.Ledger) (finding.Principal, bool, error) { return l.Identify(ctx, id) })
}

// Identities implements ledger.Ledger.
func (m memory) Identities(_ context.Context, arn string) ([]ledger.Identity, error) {
	return recall(m, "Identities", func(l ledger.Ledger) ([]ledger.Identity, error) { return l.Identities(ctx, arn) })
}

// Record implements ledger.Ledger.
func (m memory) Record(_ context.Context, ids []ledger.Identity) error {
	return note(m, "Record", func(s *site, _ int) error { return s.ledger.Record(ctx, ids) })
}

// Deleted implements ledger.Ledger.
func (m memory) Deleted(_ context.Context, d ledger.Deletion) ([]finding.Principal, error) {
	return noted(m, "Deleted", func(s *site, _ int) ([]finding.Principal, error) { return s.ledger.Deleted(ctx, d) })
}

// Ends implements ledger.Ledger.
func (m memory) Ends(_ context.Context, principals []ledger.PrincipalKey) ([]ledger.Deletion, error) {
	return recall(m, "Ends", func(l ledger.Ledger) ([]ledger.Deletion, error) { return l.Ends(ctx, principals) })
}

// Renamed implements ledger.Ledger.
func (m memory) Renamed(_ context.Context, from, to ledger.PrincipalKey, newARN string, at time.Time) error {
	return note(m, "Renamed", func(s *site, _ int) error { return s.ledger.Renamed(ctx, from, to, newARN, at) })
}

// Trusting implements ledger.Ledger.
func (m memory) Trusting(_ context.Context, p ledger.PrincipalKey) ([]ledger.RoleState, error) {
	return recall(m, "Trusting", func(l ledger.Ledger) ([]ledger.RoleState, error) { return l.Trusting(ctx, p) })
}

// Delivered implements ledger.Ledger.
func (m memory) Delivered(_ context.Context, l ledger.Letter) error {
	return note(m, "Delivered", func(s *site, run int) error { return s.delivered(run, l) })
}

// Undelivered implements ledger.Ledger.
func (m memory) Undelivered(_ context.Context, limit int) ([]ledger.Letter, error) {
	return recall(m, "Undelivered", func(l ledger.Ledger) ([]ledger.Letter, error) { return l.Undelivered(ctx, limit) })
}

// Post implements ledger.Ledger.
func (m memory) Post(_ context.Context, token string, l ledger.Letter) (ledger.Firstness, error) {
	return noted(m, "Post", func(s *site, _ int) (ledger.Firstness, error) { return s.ledger.Post(ctx, token, l) })
}

// Recall implements ledger.Ledger.
func (m memory) Recall(_ context.Context, account, roleID string) (ledger.Recalled, error) {
	return recall(m, "Recall", func(l ledger.Ledger) (ledger.Recalled, error) { return l.Recall(ctx, account, roleID) })
}

// SetCandidate implements ledger.Ledger.
func (m memory) SetCandidate(_ context.Context, b role.Baseline) error {
	return note(m, "SetCandidate", func(s *site, _ int) error { return s.ledger.SetCandidate(ctx, b) })
}

// decided is what Decided gives.
type decided struct {
	intent ledger.Intent
	end    ledger.End
}

// Decided implements ledger.Ledger.
func (m memory) Decided(_ context.Context, id string) (ledger.Intent, ledger.End, bool, error) {
	d, ok, err := find(m, "Decided", func(l ledger.Ledger) (decided, bool, error) {
		i, e, ok, err := l.Decided(ctx, id)
		return decided{i, e}, ok, err
	})
	return d.intent, d.end, ok, err
}

// GiveWord implements ledger.Ledger.
func (m memory) GiveWord(_ context.Context, w ledger.Word) error {
	return note(m, "GiveWord", func(s *site, _ int) error { return s.give(w) })
}

// Breakers implements ledger.Ledger.
func (m memory) Breakers(context.Context) ([]ledger.Breaker, error) {
	return recall(m, "Breakers", func(l ledger.Ledger) ([]ledger.Breaker, error) { return l.Breakers(ctx) })
}

// Reset implements ledger.Ledger.
func (m memory) Reset(_ context.Context, scope, by, reason string, at time.Time) error {
	return note(m, "Reset", func(s *site, _ int) error { return s.reset(scope, by, reason, at) })
}

// SeeRules implements ledger.Ledger.
func (m memory) SeeRules(_ context.Context, hash string, at time.Time) (ledger.RulesSeen, error) {
	return noted(m, "SeeRules", func(s *site, _ int) (ledger.RulesSeen, error) { return s.ledger.SeeRules(ctx, hash, at) })
}

// ConfirmRules implements ledger.Ledger.
func (m memory) ConfirmRules(_ context.Context, hash, by, reason string, at time.Time) error {
	return note(m, "ConfirmRules", func(s *site, _ int) error { return s.ledger.ConfirmRules(ctx, hash, by, reason, at) })
}

// BeginSweep implements ledger.Ledger.
func (m memory) BeginSweep(_ context.Context, w ledger.Sweep) (ledger.Firstness, error) {
	return noted(m, "BeginSweep", func(s *site, _ int) (ledger.Firstness, error) { return s.ledger.BeginSweep(ctx, w) })
}

// swept is what Sweeping gives.
type swept struct {
	sweep    ledger.Sweep
	accounts []ledger.SweptAccount
}

// Sweeping implements ledger.Ledger.
func (m memory) Sweeping(_ context.Context, id string) (ledger.Sweep, []ledger.SweptAccount, bool, error) {
	w, ok, err := find(m, "Sweeping", func(l ledger.Ledger) (swept, bool, error) {
		s, a, ok, err := l.Sweeping(ctx, id)
		return swept{s, a}, ok, err
	})
	return w.sweep, w.accounts, ok, err
}

// Swept implements ledger.Ledger.
func (m memory) Swept(_ context.Context, sweep, account string) (ledger.SweptAccount, bool, error) {
	return find(m, "Swept", func(l ledger.Ledger) (ledger.SweptAccount, bool, error) { return l.Swept(ctx, sweep, account) })
}

// SaveSwept implements ledger.Ledger.
func (m memory) SaveSwept(_ context.Context, a ledger.SweptAccount) error {
	return note(m, "SaveSwept", func(s *site, _ int) error { return s.ledger.SaveSwept(ctx, a) })
}

// States implements ledger.Ledger. What is visited was read in one call.
func (m memory) States(_ context.Context, account string, visit func(ledger.RoleState) error) error {
	list, err := recall(m, "States", func(l ledger.Ledger) ([]ledger.RoleState, error) {
		var out []ledger.RoleState
		err := l.States(ctx, account, func(s ledger.RoleState) error { out = append(out, s); return nil })
		ledger.SortStates(out)
		return out, err
	})
	for _, s := range list {
		if err := visit(s); err != nil {
			return err
		}
	}
	return err
}
