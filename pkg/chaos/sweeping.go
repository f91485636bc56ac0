package chaos

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/rolewarden/rolewarden/pkg/guard"
	"github.com/rolewarden/rolewarden/pkg/invariant"
	"github.com/rolewarden/rolewarden/pkg/ledger"
	"github.com/rolewarden/rolewarden/pkg/meter"
	"github.com/rolewarden/rolewarden/pkg/org"
	"github.com/rolewarden/rolewarden/pkg/role"
	"github.com/rolewarden/rolewarden/pkg/sweep"
)

// census lists the users and roles of an account.
type census struct{ *port }

// sweepPort is everything that a sweep needs, each call of which goes to one asker.
type sweepPort struct{ census }

// newSweeper makes a sweep whose every call goes to an asker. Its line seals
// nothing and writes nothing.
func newSweeper(a asker, rules *org.Rules, log *slog.Logger, unique func() string) (*sweep.Sweeper, error) {
	p := newPort(a)
	line, err := guard.New(guard.Config{
		Rules: rules, Reader: p, Writers: guard.HandsOff{}, Members: p, Census: census{p}, Seals: p, Ledger: p.memory, Channel: p, Later: p,
		Now: p.clock, Wait: p.Wait, Log: log,
	})
	if err != nil {
		return nil, err
	}
	s := sweepPort{census{p}}
	return sweep.New(sweep.Config{
		Rules: rules, Organization: s, Details: s, Reader: p, Line: line, Ledger: p.memory, Queue: s, Sealer: s, Meter: s,
		Now: p.clock, Log: log, Unique: unique, Aloud: 3, AloudInAll: 5,
	})
}

// pageSize is how many roles a page of an account holds.
const pageSize = 4

// page is what Details gives.
type page struct {
	roles      []role.Role
	principals []ledger.Identity
	next       string
}

// Details implements sweep.Details and guard.Census.
func (p census) Details(_ context.Context, account, marker string) ([]role.Role, []ledger.Identity, string, error) {
	got, err := get[page](p, call{kind: readsRole, name: "GetAccountAuthorizationDetails", account: account, do: func(s *site, h hand) reply {
		return value(s.page(h, account, marker), nil)
	}})
	return got.roles, got.principals, got.next, err
}

// page reads some of an account's roles, each of which may lag.
func (s *site) page(h hand, account, marker string) page {
	out := s.read(h, account, marker)
	var ids []string
	for _, r := range out.roles {
		ids = append(ids, r.ID)
	}
	s.record(h.run, invariant.Listed{RoleIDs: ids})
	return out
}

func (s *site) read(h hand, account, marker string) page {
	var out page
	for _, k := range sortedKeys(s.iam.roles) {
		if !strings.HasPrefix(k, account+"/") || k <= marker {
			continue
		}
		at := s.now
		if !h.stale.IsZero() {
			at = h.stale
		}
		r, ok := s.iam.shows(role.Ref{Account: account, Name: k[len(account)+1:]}, at, 0)
		if !ok {
			continue
		}
		if len(out.roles) == pageSize {
			return out
		}
		r.ReadAt = s.now
		out.roles, out.next = append(out.roles, r), k
		out.principals = append(out.principals, ledger.Identity{ID: r.ID, ARN: r.ARN, SeenAt: s.now})
	}
	out.next = ""
	for _, arn := range sortedKeys(s.iam.people) {
		if accountOf(arn) == account && strings.Contains(arn, ":user/") {
			out.principals = append(out.principals, ledger.Identity{ID: s.iam.people[arn], ARN: arn, SeenAt: s.now})
		}
	}
	return out
}

// Members implements sweep.Organization.
func (p sweepPort) Members(context.Context) ([]org.Account, error) {
	return get[[]org.Account](p, call{kind: asks, name: "ListAccounts", do: func(s *site, _ hand) reply {
		out := []org.Account{{ID: prod}, {ID: dev}, {ID: hub}}
		for _, id := range sortedKeys(s.members) {
			if s.members[id] == org.Member && !slices.ContainsFunc(out, func(a org.Account) bool { return a.ID == id }) {
				out = append(out, org.Account{ID: id})
			}
		}
		return value(out, nil)
	}})
}

// errand is a message for the sweep, and when it may be taken.
type errand struct {
	message sweep.Message
	delay   time.Duration
}

// Send implements sweep.Queue.
func (p sweepPort) Send(_ context.Context, m sweep.Message, delay time.Duration) error {
	return p.ask(call{kind: sends, name: "SendMessage", do: func(s *site, _ hand) reply {
		s.errands = append(s.errands[:len(s.errands):len(s.errands)], errand{m, delay})
		return reply{}
	}}).err
}

// Seal implements sweep.Sealer.
func (p sweepPort) Seal(_ context.Context, b role.Baseline) ([]byte, error) {
	return get[[]byte](p, call{kind: verifies, name: "GenerateMac", do: func(*site, hand) reply { return value(seal(b), nil) }})
}

// Put implements sweep.Meter.
func (sweepPort) Put(...meter.Sample) {}

// short is a context that says when the function's time is up.
type short struct {
	context.Context
	end time.Time
}

// Deadline implements context.Context.
func (s short) Deadline() (time.Time, bool) { return s.end, true }

// tick is the schedule's message to the sweep.
func (w *world) tick() {
	id := sweep.IDAt(w.now)
	w.note(0, invariant.Ticked{})
	w.count.Sweeps++
	w.waiting = append(w.waiting, &message{kind: ticking, body: []byte(id), what: "sweep " + id})
}

// sweeps lets sweeps come on their schedule.
func (w *world) sweeps() {
	if w.healed {
		return
	}
	w.tick()
	w.in(6*time.Hour, w.sweeps)
}

// deliveries lets alerts that wait be sent again every five minutes.
func (w *world) deliveries() {
	if w.healed {
		return
	}
	w.waiting = append(w.waiting, &message{kind: delivering, what: "alerts that wait"})
	w.in(5*time.Minute, w.deliveries)
}

// errand puts a message on the sweep's queue.
func (w *world) errand(e errand) {
	body, err := e.message.Body()
	if err != nil {
		w.err = err
		return
	}
	m := &message{kind: sweeping, body: body, what: fmt.Sprintf("sweep %s: %s %s", e.message.Sweep, e.message.Task, e.message.Account)}
	w.in(e.delay, func() { w.waiting = append(w.waiting, m) })
}

// handle gives a message to the part that it is for.
func (k *worker) handle(m *message) (guard.Result, error) {
	switch m.kind {
	case intake:
		return k.guard.Handle(ctx, m.body)
	case later:
		return k.guard.HandleStep(ctx, m.body)
	case sweeping:
		t, err := sweep.ParseMessage(m.body)
		if err != nil {
			return guard.Result{}, err
		}
		_, err = k.sweeper.Handle(short{ctx, k.began.Add(lifetime)}, t, m.receives)
		return guard.Result{}, err
	case ticking:
		_, err := k.sweeper.Begin(ctx, string(m.body))
		return guard.Result{}, err
	case personal:
		return k.commanded(m)
	case delivering:
		_, err := k.sweeper.Deliver(ctx)
		return guard.Result{}, err
	default:
		return guard.Result{}, fmt.Errorf("a message of kind %d", m.kind)
	}
}
