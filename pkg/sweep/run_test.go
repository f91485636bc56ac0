package sweep_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/rolewarden/rolewarden/pkg/alert"
	"github.com/rolewarden/rolewarden/pkg/guard"
	"github.com/rolewarden/rolewarden/pkg/ledger"
	"github.com/rolewarden/rolewarden/pkg/meter"
	"github.com/rolewarden/rolewarden/pkg/org"
	"github.com/rolewarden/rolewarden/pkg/role"
	"github.com/rolewarden/rolewarden/pkg/sweep"
)

// errCrash ends a run in the midst of it, as a Lambda's end would.
var errCrash = errors.New("the run ended here")

// sweeping is a world with its sweep: the queue, Organizations and IAM's details.
type sweeping struct {
	*world
	// members are the accounts of the organization; nil where there is none.
	members   []string
	memberErr error
	// denied are the accounts that may not be read.
	denied map[string]error
	// pageSize is how many roles a page has.
	pageSize int
	queue    []queued
	samples  map[string]float64
	// calls are counted, and the one of this number does not come back.
	n, crashAt int
	crashed    bool
	// saved counts what the sweep kept of itself, by name.
	saved map[string]int
	// over, when set, is the ledger in place of memory; pages runs after each page.
	over  ledger.Ledger
	pages func()
	// refuses says that the queue does not take a message; nil when it takes any.
	refuses func(sweep.Message) error
	// unseen are roles that the details do not show.
	unseen map[string]bool
	// stale is what the details show of a role, by ARN, instead of the truth.
	stale map[string]string
}

type queued struct {
	message sweep.Message
	due     time.Time
	tries   int
}

func newSweeping(w *world) *sweeping {
	s := &sweeping{
		world: w, members: []string{prod, dev}, denied: map[string]error{}, pageSize: 3,
		samples: map[string]float64{}, saved: map[string]int{}, unseen: map[string]bool{}, stale: map[string]string{},
	}
	w.fault = s.step
	return s
}

// step counts one call, and ends the run where it is time for it: before the
// effect of a call that has none yet.
func (s *sweeping) step() error {
	s.n++
	if s.crashAt > 0 && s.n == s.crashAt {
		s.crashed = true
		return errCrash
	}
	if s.crashed {
		return errCrash
	}
	return nil
}

// Members implements sweep.Organization.
func (s *sweeping) Members(context.Context) ([]org.Account, error) {
	if err := s.step(); err != nil {
		return nil, err
	}
	if s.memberErr != nil {
		return nil, s.memberErr
	}
	var out []org.Account
	for _, id := range s.members {
		out = append(out, org.Account{ID: id})
	}
	return out, nil
}

// Details implements sweep.Details.
func (s *sweeping) Details(_ context.Context, account, marker string) ([]role.Role, []ledger.Identity, string, error) {
	if err := s.step(); err != nil {
		return nil, nil, "", err
	}
	s.called("Details", account)
	if s.pages != nil {
		s.pages()
	}
	if err := s.denied[account]; err != nil {
		return nil, nil, "", fmt.Errorf("reading account %s: %w", account, err)
	}
	var names []string
	for k, r := range s.roles {
		if r.Account == account && !s.unseen[r.ARN] {
			names = append(names, k)
		}
	}
	slices.Sort(names)
	at := 0
	if marker != "" {
		at, _ = strconv.Atoi(marker)
	}
	var roles []role.Role
	var ids []ledger.Identity
	for _, k := range names[min(at, len(names)):min(at+s.pageSize, len(names))] {
		r := s.shown(s.roles[k])
		ids = append(ids, ledger.Identity{ID: r.ID, ARN: r.ARN, SeenAt: s.now})
		if text, ok := s.stale[r.ARN]; ok {
			r.TrustPolicy = text
		}
		roles = append(roles, r)
	}
	if marker == "" {
		for arn, id := range s.principals {
			if strings.Contains(arn, account+":user/") {
				ids = append(ids, ledger.Identity{ID: id, ARN: arn, SeenAt: s.now})
			}
		}
	}
	if at += s.pageSize; at < len(names) {
		return roles, ids, strconv.Itoa(at), nil
	}
	return roles, ids, "", nil
}

// Send implements sweep.Queue.
func (s *sweeping) Send(_ context.Context, m sweep.Message, delay time.Duration) error {
	if err := s.step(); err != nil {
		return err
	}
	body, err := m.Body()
	if err != nil {
		return err
	}
	if m, err = sweep.ParseMessage(body); err != nil {
		return err
	}
	if s.refuses != nil {
		if err := s.refuses(m); err != nil {
			return err
		}
	}
	s.queue = append(s.queue, queued{message: m, due: s.now.Add(delay)})
	return nil
}

// Put implements sweep.Meter; every sample must be in the table.
func (s *sweeping) Put(samples ...meter.Sample) {
	for _, one := range samples {
		if _, ok := meter.Find(meter.Sweep, one.Name); !ok {
			s.t.Errorf("the sweep counts %q, which is in no row of the table", one.Name)
		}
		s.samples[one.Name] += one.Value
	}
}

// sweeper makes a Sweeper, as a function that starts would.
func (s *sweeping) sweeper() *sweep.Sweeper {
	s.t.Helper()
	var l ledger.Ledger = crashing{s.memory, s}
	if s.over != nil {
		l = s.over
	}
	g, err := guard.New(guard.Config{
		Rules: s.rules, Reader: s, Writers: guard.HandsOff{}, Ledger: l, Channel: s, Later: later{s.world},
		Now: s.time, Wait: s.wait, Log: s.logger(),
	})
	if err != nil {
		s.t.Fatal(err)
	}
	cfg := sweep.Config{
		Rules: s.rules, Details: s, Reader: s, Line: g, Ledger: l, Queue: s, Sealer: s, Meter: s,
		Now: s.time, Log: s.logger(),
	}
	if s.members != nil {
		cfg.Organization = s
	}
	sw, err := sweep.New(cfg)
	if err != nil {
		s.t.Fatal(err)
	}
	return sw
}

// run is one run of the function; a crash is what it ends in, and nothing of it
// is left but what is in the ledger and the queue.
func (s *sweeping) run(do func(ctx context.Context, sw *sweep.Sweeper) error) error {
	s.crashed = false
	return do(s.t.Context(), s.sweeper())
}

// begin starts a sweep, as often as it takes.
func (s *sweeping) begin() string {
	s.t.Helper()
	id := sweep.IDAt(s.now)
	for range 50 {
		err := s.run(func(ctx context.Context, sw *sweep.Sweeper) error {
			_, err := sw.Begin(ctx, id)
			return err
		})
		if err == nil {
			return id
		}
		if !errors.Is(err, errCrash) {
			s.t.Fatalf("beginning: %v", err)
		}
	}
	s.t.Fatal("the sweep does not begin")
	return ""
}

// drain handles the queue's messages until none is left; those that fail come again.
func (s *sweeping) drain() {
	s.t.Helper()
	for n := 0; len(s.queue) > 0; n++ {
		if n > 2000 {
			s.t.Fatal("the queue does not become empty")
		}
		slices.SortStableFunc(s.queue, func(a, b queued) int { return a.due.Compare(b.due) })
		q := s.queue[0]
		s.queue = s.queue[1:]
		if q.due.After(s.now) {
			s.now = q.due
		}
		q.tries++
		err := s.run(func(ctx context.Context, sw *sweep.Sweeper) error {
			_, err := sw.Handle(ctx, q.message, q.tries)
			return err
		})
		switch {
		case err == nil:
		case q.tries >= 5:
			s.t.Fatalf("a message went to the dead-letter queue: %+v: %v", q.message, err)
		default:
			q.due = s.now.Add(30 * time.Second)
			s.queue = append(s.queue, q)
		}
	}
}

// sweep sweeps once, to its end.
func (s *sweeping) sweep() string {
	s.t.Helper()
	id := s.begin()
	s.drain()
	return id
}

// summaries gives the summaries that were told, and clears what was told.
func (s *sweeping) summaries() (summaries, others []alert.Alert) {
	for _, a := range s.told {
		if a.Notice == alert.NoticeSweep {
			summaries = append(summaries, a)
		} else {
			others = append(others, a)
		}
	}
	s.told = nil
	return summaries, others
}

// one gives the only summary that was told, and what else was.
func (s *sweeping) one() (alert.Alert, []alert.Alert) {
	s.t.Helper()
	summaries, others := s.summaries()
	if len(summaries) != 1 {
		s.t.Fatalf("%d summaries were told, want 1", len(summaries))
	}
	return summaries[0], others
}

// says reports whether one of an alert's sentences holds a text.
func says(a alert.Alert, text string) bool {
	return strings.Contains(strings.Join(slices.Concat(a.Decision.Reasons, a.Reasons), "\n"), text)
}
