package sweep

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/rolewarden/rolewarden/pkg/finding"
	"github.com/rolewarden/rolewarden/pkg/guard"
	"github.com/rolewarden/rolewarden/pkg/ledger"
	"github.com/rolewarden/rolewarden/pkg/meter"
	"github.com/rolewarden/rolewarden/pkg/org"
	"github.com/rolewarden/rolewarden/pkg/role"
)

// Details reads accounts page by page. An empty marker begins, an empty next one
// ends. Its errors wrap those of the room role where they apply; one beside
// anything else is about single entries of the page.
type Details interface {
	Details(ctx context.Context, account, marker string) (roles []role.Role, principals []ledger.Identity, next string, err error)
}

// Organization lists the accounts of the organization that are active. Whoever was
// found is given also beside an error.
type Organization interface {
	Members(ctx context.Context) ([]org.Account, error)
}

// Line is the line that every role goes through: guard.
type Line interface {
	Look(ctx context.Context, r role.Role) (guard.Look, error)
	See(ctx context.Context, s guard.Sighting, l guard.Look) (guard.Result, error)
	Vanished(ctx context.Context, sweep string, s ledger.RoleState) (guard.Result, error)
	Departed(ctx context.Context, sweep string, who finding.Principal) (gone bool, err error)
	Judge(ctx context.Context, r role.Role) (finding.Report, error)
	Deliver(ctx context.Context, limit int) (int, error)
}

// Ledger is what the sweep asks of the ledger.
type Ledger interface {
	Pasts
	Record(ctx context.Context, ids []ledger.Identity) error
	Identify(ctx context.Context, id string) (p finding.Principal, ok bool, err error)
	Trusting(ctx context.Context, p ledger.PrincipalKey) ([]ledger.RoleState, error)
	Spend(ctx context.Context, token string, at time.Time, counters []ledger.Counter) error
	Post(ctx context.Context, token string, l ledger.Letter) (ledger.Firstness, error)
	Breakers(ctx context.Context) ([]ledger.Breaker, error)
	Setting(ctx context.Context) (s ledger.Setting, ok bool, err error)
	Undelivered(ctx context.Context, limit int) ([]ledger.Letter, error)
	SeeRules(ctx context.Context, hash string, at time.Time) (ledger.RulesSeen, error)
	BeginSweep(ctx context.Context, s ledger.Sweep) (ledger.Firstness, error)
	Sweeping(ctx context.Context, id string) (s ledger.Sweep, accounts []ledger.SweptAccount, ok bool, err error)
	Swept(ctx context.Context, sweep, account string) (a ledger.SweptAccount, ok bool, err error)
	SaveSwept(ctx context.Context, a ledger.SweptAccount) error
}

// Queue takes a message that shows after a delay.
type Queue interface {
	Send(ctx context.Context, m Message, delay time.Duration) error
}

// Meter counts.
type Meter interface {
	Put(samples ...meter.Sample)
}

// Config is what a Sweeper needs. Every field is required but Organization,
// Sealer, and those that name what stands for zero.
type Config struct {
	Rules *org.Rules
	// Organization is nil where there is none, or nobody may ask: then the rules
	// file says which accounts there are.
	Organization Organization
	// Accounts are swept in any case, beside those of the organization.
	Accounts []string
	Details  Details
	// Details and Reader keep a pace by themselves in each account: IAM's buckets
	// are shared with everybody who works there.
	Reader Reader
	Line   Line
	Ledger Ledger
	Queue  Queue
	// Sealer is nil where there is no key: then nothing becomes a baseline.
	Sealer Sealer
	Meter  Meter
	Now    func() time.Time
	Log    *slog.Logger
	// Unique gives a text that it never gave before, here or in another process;
	// crypto/rand.Text when nil.
	Unique func() string
	// Reserve is kept of the time of a run for handing on what is left;
	// DefaultReserve when zero.
	Reserve time.Duration
	// Aloud is how many roles of one account may have an alert of their own in
	// one sweep, AloudInAll how many of all; DefaultAloud and DefaultAloudInAll
	// when zero.
	Aloud, AloudInAll int
	// Patience is how long a sweep waits for its accounts before it ends without
	// them; DefaultPatience when zero.
	Patience time.Duration
}

// What stands for zero.
const (
	DefaultReserve    = 20 * time.Second
	DefaultAloud      = 5
	DefaultAloudInAll = 50
	DefaultPatience   = 6 * time.Hour
)

// Sweeper sweeps. It is safe for concurrent use.
type Sweeper struct {
	cfg      Config
	promoter *Promoter
	// key is for external ids where nothing can be sealed.
	once   sync.Once
	key    []byte
	keyErr error
}

// New makes a Sweeper, or says which part is missing.
func New(cfg Config) (*Sweeper, error) {
	var missing []error
	for _, part := range []struct {
		name   string
		absent bool
	}{
		{"Rules", cfg.Rules == nil},
		{"Details", cfg.Details == nil},
		{"Reader", cfg.Reader == nil},
		{"Line", cfg.Line == nil},
		{"Ledger", cfg.Ledger == nil},
		{"Queue", cfg.Queue == nil},
		{"Meter", cfg.Meter == nil},
		{"Now", cfg.Now == nil},
		{"Log", cfg.Log == nil},
	} {
		if part.absent {
			missing = append(missing, fmt.Errorf("making the sweep: Config.%s is not set", part.name))
		}
	}
	if len(missing) > 0 {
		return nil, errors.Join(missing...)
	}
	if cfg.Unique == nil {
		cfg.Unique = rand.Text
	}
	if cfg.Reserve == 0 {
		cfg.Reserve = DefaultReserve
	}
	if cfg.Aloud == 0 {
		cfg.Aloud = DefaultAloud
	}
	if cfg.AloudInAll == 0 {
		cfg.AloudInAll = DefaultAloudInAll
	}
	if cfg.Patience == 0 {
		cfg.Patience = DefaultPatience
	}
	p, err := NewPromoter(PromoterConfig{
		Rules: cfg.Rules, Reader: cfg.Reader, Judge: cfg.Line, Ledger: cfg.Ledger, Sealer: cfg.Sealer, Now: cfg.Now, Log: cfg.Log,
	})
	return &Sweeper{cfg: cfg, promoter: p}, err
}

// until gives when a run has to stop and hand on what is left; zero where its time
// is not limited. Of a short run a third is kept.
func (s *Sweeper) until(ctx context.Context) time.Time {
	end, limited := ctx.Deadline()
	if !limited {
		return time.Time{}
	}
	return end.Add(-max(0, min(s.cfg.Reserve, end.Sub(s.cfg.Now())/3)))
}

// short says whether the time of a visit's run is nearly up.
func (s *Sweeper) short(v *visit) bool { return !v.until.IsZero() && !s.cfg.Now().Before(v.until) }
