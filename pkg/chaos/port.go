package chaos

import (
	"context"
	"log/slog"
	"time"

	"github.com/rolewarden/rolewarden/pkg/alert"
	"github.com/rolewarden/rolewarden/pkg/decision"
	"github.com/rolewarden/rolewarden/pkg/guard"
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
		Rules: rules, Reader: p, Writers: p, Containers: p, Members: p, Census: census{p}, Seals: p, Ledger: p.memory, Channel: p, Later: p,
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

// session is a writing session, which bears the name of its decision.
type session struct {
	*port
	decision string
}

// Writer implements guard.Writers.
func (p *port) Writer(_ context.Context, r role.Role, d decision.Decision) (remediate.IAM, error) {
	rep := p.ask(call{kind: opens, name: "AssumeRole", account: r.Account, do: func(*site, hand) reply { return reply{} }})
	return session{p, d.ID}, rep.err
}

// UpdateTrust implements part of remediate.IAM.
func (p session) UpdateTrust(_ context.Context, r role.Ref, document string) error {
	return p.ask(call{kind: writes, name: "UpdateAssumeRolePolicy", account: r.Account, ref: r, do: func(s *site, h hand) reply {
		return done(s.update(h.run, writer(r.Account, p.decision), p.decision, r, document))
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
		return value(s.confirm(account), nil)
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

// Verify implements guard.Seals.
func (p *port) Verify(_ context.Context, b role.Baseline) error {
	return p.ask(call{kind: verifies, name: "VerifyMac", do: func(*site, hand) reply { return done(verify(b)) }}).err
}

// Container implements guard.Containers.
func (p *port) Container(_ context.Context, r role.Role, _ decision.Decision) (remediate.Boundaries, error) {
	rep := p.ask(call{kind: opens, name: "AssumeRole", account: r.Account, do: func(*site, hand) reply { return reply{} }})
	return p, rep.err
}

// PutBoundary implements remediate.Boundaries.
func (p *port) PutBoundary(_ context.Context, r role.Ref, policyARN string) error {
	return p.ask(call{kind: writes, name: "PutRolePermissionsBoundary", account: r.Account, ref: r, do: func(s *site, h hand) reply {
		return done(s.bound(h.run, r, policyARN))
	}}).err
}
