package chaos

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/rolewarden/rolewarden/pkg/alert"
	"github.com/rolewarden/rolewarden/pkg/decision"
	"github.com/rolewarden/rolewarden/pkg/guard"
	"github.com/rolewarden/rolewarden/pkg/invariant"
	"github.com/rolewarden/rolewarden/pkg/ledger"
	"github.com/rolewarden/rolewarden/pkg/remediate"
	"github.com/rolewarden/rolewarden/pkg/role"
)

// command is what a person does at the command line. It may fail or end in the
// midst like any handling; then they try again, a few times.
type command func(k *worker, p *port) error

// mostTries is how often a person tries what does not work.
const mostTries = 3

// order has a person give a command.
func (w *world) order(what string, do command) {
	m := &message{kind: personal, what: what, command: do}
	k := &worker{w: w}
	k.begin(m)
}

// retry lets the person come back to a command that did not work.
func (k *worker) retry() {
	w, m := k.w, k.message
	if m.receives >= mostTries {
		return
	}
	w.in(time.Duration(10+w.rng.IntN(600))*time.Second, func() {
		if !w.healed {
			(&worker{w: w}).begin(m)
		}
	})
}

// commanded runs a command. That it was refused is an answer, and no failure.
func (k *worker) commanded(m *message) (guard.Result, error) {
	err := m.command(k, newPort(k.relay))
	var refused *guard.RefusedError
	if errors.As(err, &refused) {
		return guard.Result{Reason: "refused: " + refused.Why}, nil
	}
	return guard.Result{}, err
}

// flip has a person stop every write, and let them go on some time later.
func (w *world) flip() {
	turn := func(to decision.Switch) command {
		return func(_ *worker, p *port) error { return p.SetSwitch(ctx, to, oncall, "a drill", p.clock()) }
	}
	if w.rng.IntN(2) == 0 {
		w.order("kill switch off", turn(decision.WritesAllowed))
		return
	}
	w.order("kill switch on", turn(decision.WritesStopped))
	w.in(time.Duration(w.rng.IntN(3600))*time.Second, func() { w.order("kill switch off", turn(decision.WritesAllowed)) })
}

// mend has a person reset what is tripped, and stand for the rules.
func (w *world) mend() {
	hash := w.rules.Hash
	w.order("reset breakers", func(_ *worker, p *port) error {
		all, err := p.Breakers(ctx)
		for _, b := range all {
			if err == nil {
				err = p.Reset(ctx, b.Scope, oncall, "looked at", p.clock())
			}
			if errors.Is(err, ledger.ErrNotTripped) {
				err = nil
			}
		}
		return err
	})
	w.order("confirm the rules", func(_ *worker, p *port) error {
		return p.ConfirmRules(ctx, hash, oncall, "looked at", p.clock())
	})
}

// regret has somebody who reads of a write take it back, a while later; sometimes
// two people do.
func (w *world) regret(a alert.Alert) {
	done := a.Outcome.Done
	if w.healed || done == decision.Ignore.String() || done == decision.Clear.String() || a.Decision.ID == "" || !w.chance(w.sky.regrets) {
		return
	}
	for range 1 + w.rng.IntN(6)/5 {
		w.in(time.Duration(w.rng.ExpFloat64()*float64(5*time.Minute)), func() { w.undo(a.Account, a.Decision.ID) })
	}
}

// undo has a person of an account take a decision back.
func (w *world) undo(account, decision string) {
	if w.healed {
		return
	}
	u := guard.Undoing{Decision: decision, By: arn(account, "user", "admin"), Reason: "an incident"}
	stays := one(w, []time.Duration{10 * time.Minute, 2 * time.Hour, 26 * time.Hour, 72 * time.Hour})
	if w.rng.IntN(3) == 0 {
		u.Accept = people()
	}
	if w.rng.IntN(3) == 0 {
		u.Stopped = guard.WriteAllTheSame
	}
	w.order("undo "+decision, func(k *worker, p *port) error {
		u := u
		u.Until = p.clock().Add(stays)
		w.note(k.run, invariant.Asked{Undoing: u})
		own := credentials{port: p, account: account}
		g, err := guard.New(guard.Config{
			Rules: w.rules, Reader: own, Writers: own, Members: p, Ledger: p.memory, Channel: guard.Nobody{}, Later: guard.Nobody{},
			Now: p.clock, Wait: p.Wait, Log: slog.New(slog.DiscardHandler),
		})
		if err != nil {
			return err
		}
		out, err := g.Undo(ctx, u)
		if err == nil {
			w.count.Undone++
			if w.rng.IntN(8) == 0 {
				w.in(time.Duration(w.rng.IntN(600))*time.Second, func() { w.undo(account, out.Decision.ID) })
			}
		}
		return err
	})
}

// credentials are a person's own, which are of one account.
type credentials struct {
	*port
	account string
}

func (c credentials) deny(account string) error {
	if account == c.account {
		return nil
	}
	return fmt.Errorf("reading in account %s under credentials of account %s: %w", account, c.account, role.ErrAccessDenied)
}

// Role implements guard.Reader.
func (c credentials) Role(ctx context.Context, r role.Ref) (role.Role, error) {
	if err := c.deny(r.Account); err != nil {
		return role.Role{}, err
	}
	return c.port.Role(ctx, r)
}

// PrincipalID implements guard.Reader.
func (c credentials) PrincipalID(ctx context.Context, arn string) (string, error) {
	if err := c.deny(accountOf(arn)); err != nil {
		return "", err
	}
	return c.port.PrincipalID(ctx, arn)
}

// Writer implements guard.Writers.
func (c credentials) Writer(context.Context, role.Role, decision.Decision) (remediate.IAM, error) {
	return c, nil
}

// UpdateTrust implements part of remediate.IAM.
func (c credentials) UpdateTrust(_ context.Context, r role.Ref, document string) error {
	return c.ask(call{kind: writes, name: "UpdateAssumeRolePolicy", account: r.Account, ref: r, do: func(s *site, h hand) reply {
		return done(s.update(h.run, arn(c.account, "user", "admin"), "", r, document))
	}}).err
}
