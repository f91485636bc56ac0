package chaos

import (
	"context"
	"log/slog"
	"time"

	"github.com/rolewarden/rolewarden/pkg/alert"
	"github.com/rolewarden/rolewarden/pkg/decision"
	"github.com/rolewarden/rolewarden/pkg/finding"
	"github.com/rolewarden/rolewarden/pkg/guard"
	"github.com/rolewarden/rolewarden/pkg/ledger"
	"github.com/rolewarden/rolewarden/pkg/notify"
	"github.com/rolewarden/rolewarden/pkg/org"
	"github.com/rolewarden/rolewarden/pkg/remediate"
	"github.com/rolewarden/rolewarden/pkg/role"
)

// ctx is the context of every handling: it never ends by itself.
var ctx = context.Background()

// asker answers the calls of one handling, one at a time.
type asker interface {
	ask(c call) reply
	// clock is the time as the handling sees it.
	clock() time.Time
}

// port is everything that a guard needs, each call of which goes to one asker.
type port struct {
	asker
	memory
}

func newPort(a asker) *port { return &port{asker: a, memory: memory{asker: a}} }

// newGuard makes a guard whose every call goes to an asker.
func newGuard(a asker, rules *org.Rules, log *slog.Logger) (*guard.Guard, error) {
	p := newPort(a)
	return guard.New(guard.Config{
		Rules: rules, Reader: p, Writers: p, Members: p, Ledger: p.memory, Channel: p, Later: p,
		Now: p.clock, Wait: p.Wait, Log: log,
	})
}

func get[T any](a asker, c call) (T, error) {
	r := a.ask(c)
	v, _ := r.value.(T)
	return v, r.err
}

// Wait lets time pass.
func (p *port) Wait(_ context.Context, d time.Duration) error {
	return p.ask(call{kind: waits, name: "Wait", pause: d, do: func(*site, hand) reply { return reply{} }}).err
}

// Role implements guard.Reader and part of remediate.IAM.
func (p *port) Role(_ context.Context, r role.Ref) (role.Role, error) {
	return get[role.Role](p, call{kind: readsRole, name: "GetRole", account: r.Account, ref: r, do: func(s *site, h hand) reply {
		return value(s.readRole(h, r))
	}})
}

// PrincipalID implements guard.Reader.
func (p *port) PrincipalID(_ context.Context, arn string) (string, error) {
	return get[string](p, call{kind: readsPrincipal, name: "PrincipalID", account: accountOf(arn), do: func(s *site, h hand) reply {
		return value(s.principal(h.run, arn))
	}})
}

// Writer implements guard.Writers.
func (p *port) Writer(_ context.Context, r role.Role, _ decision.Decision) (remediate.IAM, error) {
	rep := p.ask(call{kind: opens, name: "AssumeRole", account: r.Account, do: func(*site, hand) reply { return reply{} }})
	return p, rep.err
}

// UpdateTrust, Tag and Untag implement remediate.IAM.
func (p *port) UpdateTrust(_ context.Context, r role.Ref, document string) error {
	return p.ask(call{kind: writes, name: "UpdateAssumeRolePolicy", account: r.Account, ref: r, do: func(s *site, h hand) reply {
		return done(s.update(h.run, writer, r, document))
	}}).err
}

// Tag sets tags.
func (p *port) Tag(_ context.Context, r role.Ref, tags map[string]string) error {
	return p.ask(call{kind: writes, name: "TagRole", account: r.Account, ref: r, do: func(s *site, h hand) reply {
		return done(s.tag(h.run, r, tags))
	}}).err
}

// Untag takes tags off.
func (p *port) Untag(_ context.Context, r role.Ref, keys []string) error {
	return p.ask(call{kind: writes, name: "UntagRole", account: r.Account, ref: r, do: func(s *site, h hand) reply {
		return done(s.untag(h.run, r, keys))
	}}).err
}

// Confirm implements guard.Members.
func (p *port) Confirm(_ context.Context, account string) (org.Membership, error) {
	return get[org.Membership](p, call{kind: asks, name: "DescribeAccount", do: func(s *site, _ hand) reply {
		return value(s.confirm(account))
	}})
}

// Name implements notify.Channel.
func (p *port) Name() string { return channel }

// Notify implements notify.Channel.
func (p *port) Notify(_ context.Context, a alert.Alert) (notify.Retry, error) {
	err := p.ask(call{kind: tells, name: "Publish", do: func(s *site, h hand) reply {
		s.notify(h.run, a, h.answer)
		return reply{}
	}}).err
	if err != nil {
		return notify.Retry{When: notify.Now}, err
	}
	return notify.Retry{}, nil
}

// Send implements guard.Later.
func (p *port) Send(_ context.Context, step guard.Step) error {
	return p.ask(call{kind: sends, name: "SendMessage", do: func(s *site, _ hand) reply {
		s.sent = append(s.sent[:len(s.sent):len(s.sent)], step)
		return reply{}
	}}).err
}

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
	return note(m, "SetSwitch", func(s *site, _ int) error { return s.ledger.SetSwitch(ctx, to, by, reason, at) })
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
