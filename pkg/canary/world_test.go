package canary_test

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rolewarden/rolewarden/pkg/alert"
	"github.com/rolewarden/rolewarden/pkg/canary"
	"github.com/rolewarden/rolewarden/pkg/deployment"
	"github.com/rolewarden/rolewarden/pkg/ledger"
	"github.com/rolewarden/rolewarden/pkg/meter"
	"github.com/rolewarden/rolewarden/pkg/notify"
	"github.com/rolewarden/rolewarden/pkg/policy"
	"github.com/rolewarden/rolewarden/pkg/role"
	"github.com/rolewarden/rolewarden/pkg/trail"
)

const (
	prod = "111122223333"
	dev  = "444455556666"
	test = "777788889999"
)

// member is an account with its target, and what goes wrong in it.
type member struct {
	target role.Role
	// rule says whether the account's events come through.
	rule way
	// events is the rule as EventBridge shows it.
	events canary.Rule
	// openErr, readErr, ruleErr and writeErr are what the calls end in.
	openErr, readErr, ruleErr, writeErr error
	// makings counts how often the target was made anew.
	makings int
	// panics makes reading run into a mistake.
	panics bool
	// writes counts the changes.
	writes int
}

type way uint8

const (
	open way = iota
	shut
)

// world is an organization, the ledger, the alert topic and the metrics. Guard
// decides on what the canary writes three seconds after it, unless the
// account's rule is off.
type world struct {
	t testing.TB

	mu        sync.Mutex
	now       time.Time
	ids       []string
	members   map[string]*member
	states    map[string]ledger.RoleState
	listErr   error
	ledgerErr error
	tellErr   error
	told      []alert.Alert
	samples   []meter.Sample
	log       strings.Builder
	// opening runs before each session is opened.
	opening func(account string)
}

func newWorld(t testing.TB, accounts ...string) *world {
	w := &world{t: t, now: time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC), members: map[string]*member{}, states: map[string]ledger.RoleState{}}
	for _, id := range accounts {
		w.ids = append(w.ids, id)
		w.members[id] = &member{target: target(id, w.now), events: deployed()}
	}
	return w
}

// deployed is the rule as the member stack makes it.
func deployed() canary.Rule {
	return canary.Rule{Name: deployment.ForwardRule, State: "ENABLED", Pattern: trail.Patterns(trail.PatternOptions{})[0]}
}

// remake deletes an account's target and makes it again, as it is deployed: IAM
// gives it another unique id.
func (w *world) remake(account string) {
	m := w.members[account]
	m.makings++
	m.target = target(account, w.now)
	m.target.ID += fmt.Sprint("N", m.makings)
}

// target is the role as the member stack makes it.
func target(account string, made time.Time) role.Role {
	return role.Role{
		Partition: "aws", Account: account, Path: "/rolewarden-canary/", Name: "rolewarden-canary-target",
		ARN: "arn:aws:iam::" + account + ":role/rolewarden-canary/rolewarden-canary-target", ID: "AROA" + account,
		TrustPolicy: strings.Replace(canary.Document("aws", account, made), sidAt(made), "CanaryNew", 1), Created: made,
	}
}

func sidAt(at time.Time) string {
	return "Canary" + strings.ReplaceAll(at.UTC().Format("20060102T150405.000Z"), ".", "")
}

// Accounts implements canary.Accounts.
func (w *world) Accounts(context.Context) ([]string, error) { return w.ids, w.listErr }

// Open implements canary.Sessions.
func (w *world) Open(ctx context.Context, account string) (canary.Session, error) {
	if w.opening != nil {
		w.opening(account)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	if err := w.members[account].openErr; err != nil {
		return nil, fmt.Errorf("entering account %s: %w", account, err)
	}
	return session{w, account}, nil
}

type session struct {
	w       *world
	account string
}

// Role implements canary.Session.
func (s session) Role(context.Context) (role.Role, error) {
	s.w.mu.Lock()
	defer s.w.mu.Unlock()
	m := s.w.members[s.account]
	if m.panics {
		panic("a bug")
	}
	return m.target, m.readErr
}

// Rule implements canary.Session.
func (s session) Rule(context.Context) (canary.Rule, error) {
	s.w.mu.Lock()
	defer s.w.mu.Unlock()
	m := s.w.members[s.account]
	return m.events, m.ruleErr
}

// Write implements canary.Session.
func (s session) Write(_ context.Context, document string) error {
	s.w.mu.Lock()
	defer s.w.mu.Unlock()
	m := s.w.members[s.account]
	if m.writeErr != nil {
		return m.writeErr
	}
	m.writes++
	m.target.TrustPolicy = document
	if m.rule == open {
		s.w.decide(s.account, 3*time.Second)
	}
	return nil
}

// decide records what guard would: that it handled what the target shows.
func (w *world) decide(account string, after time.Duration) {
	r := w.members[account].target
	d, err := policy.Parse([]byte(r.TrustPolicy))
	if err != nil {
		w.t.Fatal(err)
	}
	w.states[account+"/"+r.ID] = ledger.RoleState{
		Account: account, RoleID: r.ID, Name: r.Name, Digest: d.Digest(r.Partition), UpdatedAt: w.now.Add(after),
	}
}

// Trusting implements canary.Ledger.
func (w *world) Trusting(_ context.Context, p ledger.PrincipalKey) ([]ledger.RoleState, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	var out []ledger.RoleState
	for _, s := range w.states {
		if s.Names(p) {
			out = append(out, s)
		}
	}
	ledger.SortStates(out)
	return out, w.ledgerErr
}

// State implements canary.Ledger.
func (w *world) State(_ context.Context, account, roleID string) (ledger.RoleState, bool, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	s, ok := w.states[account+"/"+roleID]
	return s, ok, w.ledgerErr
}

// Name implements notify.Channel.
func (w *world) Name() string { return "test" }

// Notify implements notify.Channel.
func (w *world) Notify(_ context.Context, a alert.Alert) (notify.Retry, error) {
	if w.tellErr != nil {
		return notify.Retry{}, w.tellErr
	}
	w.told = append(w.told, a)
	return notify.Retry{}, nil
}

// Put implements canary.Meter.
func (w *world) Put(s ...meter.Sample) { w.samples = append(w.samples, s...) }

// clock is read by workers side by side.
func (w *world) clock() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.now
}

func (w *world) canary() *canary.Canary {
	w.t.Helper()
	c, err := canary.New(canary.Config{
		Accounts: w, Sessions: w, Ledger: w, Channel: w, Meter: w, Now: w.clock,
		Log: slog.New(slog.NewJSONHandler(&w.log, nil)),
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return c
}

// run lets an hour pass and then runs the canary, which is to end without error.
func (w *world) run() canary.Report {
	w.t.Helper()
	r, err := w.later(time.Hour)
	if err != nil {
		w.t.Fatal(err)
	}
	return r
}

// later lets some time pass and then runs the canary; alerts and metrics are
// those of this run.
func (w *world) later(d time.Duration) (canary.Report, error) {
	w.now = w.now.Add(d)
	w.told, w.samples = nil, nil
	return w.canary().Run(w.t.Context())
}

// is fails the test unless an account was found in a state.
func is(t testing.TB, r canary.Report, account string, want canary.State) canary.Account {
	t.Helper()
	for _, a := range r.Accounts {
		if a.ID == account {
			if a.State != want {
				t.Errorf("account %s: %s (%s), want %s", account, a.State, a.Why, want)
			}
			return a
		}
	}
	t.Errorf("account %s is not in the report", account)
	return canary.Account{}
}

// sum gives the value of a metric.
func (w *world) sum(name string) float64 {
	total := 0.0
	for _, s := range w.samples {
		if s.Name == name {
			total += s.Value
		}
	}
	return total
}
