package sweep

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/rolewarden/rolewarden/pkg/finding"
	"github.com/rolewarden/rolewarden/pkg/ledger"
	"github.com/rolewarden/rolewarden/pkg/org"
	"github.com/rolewarden/rolewarden/pkg/role"
)

// Reader reads roles and principals as they stand now. It is guard's Reader.
type Reader interface {
	Role(ctx context.Context, r role.Ref) (role.Role, error)
	PrincipalID(ctx context.Context, arn string) (string, error)
}

// Judge judges a role that was read by today's rules. It is guard's.
type Judge interface {
	Judge(ctx context.Context, r role.Role) (finding.Report, error)
}

// Sealer seals a baseline, so that whoever can write the ledger's table cannot
// make one up (T61). Only the sweep has one.
type Sealer interface {
	Seal(ctx context.Context, b role.Baseline) ([]byte, error)
}

// Pasts is what the promoter asks of the ledger.
type Pasts interface {
	Recall(ctx context.Context, account, roleID string) (ledger.Recalled, error)
	SetCandidate(ctx context.Context, b role.Baseline) error
	AddBaseline(ctx context.Context, b role.Baseline) error
}

// PromoterConfig is what a Promoter needs. Every field is required but Sealer:
// without one, nothing ever becomes a baseline.
type PromoterConfig struct {
	Rules  *org.Rules
	Reader Reader
	Judge  Judge
	Ledger Pasts
	Sealer Sealer
	Now    func() time.Time
	Log    *slog.Logger
}

// Promoter makes candidates, and makes candidates baselines. It is safe for
// concurrent use.
//
// What a candidate says of its past (since when it stands, who made it) is only
// as good as the ledger's table, which is not sealed. Whoever can write that
// table and a role can have a document sealed that is younger than the rules
// file asks, or of which no event told, but none that breaks a rule, and none
// that does not stand.
type Promoter struct{ cfg PromoterConfig }

// NewPromoter makes a Promoter, or says which part is missing.
func NewPromoter(cfg PromoterConfig) (*Promoter, error) {
	var missing []error
	for _, part := range []struct {
		name   string
		absent bool
	}{
		{"Rules", cfg.Rules == nil},
		{"Reader", cfg.Reader == nil},
		{"Judge", cfg.Judge == nil},
		{"Ledger", cfg.Ledger == nil},
		{"Now", cfg.Now == nil},
		{"Log", cfg.Log == nil},
	} {
		if part.absent {
			missing = append(missing, fmt.Errorf("making the promoter: PromoterConfig.%s is not set", part.name))
		}
	}
	return &Promoter{cfg: cfg}, errors.Join(missing...)
}

// Promotion is what became of a role's document on its way to a baseline.
type Promotion struct {
	Standing Standing
	// Reason is one sentence, for people.
	Reason string
	// Baseline is the candidate that was set, or the baseline that was sealed;
	// zero for the other standings.
	Baseline role.Baseline
}

// Standing is how far a document is on its way to a baseline. The zero value is Unfit.
type Standing uint8

// The standings.
const (
	// Unfit: the document becomes no baseline as it stands now.
	Unfit Standing = iota
	// Kept: it is a baseline already, and was left alone.
	Kept
	// Young: it is a candidate that has not stood for long enough.
	Young
	// Candidate: it was made a candidate now.
	Candidate
	// Sealed: it was made a baseline now.
	Sealed
)

// String gives the standing's name, such as "Sealed".
func (s Standing) String() string {
	switch s {
	case Unfit:
		return "Unfit"
	case Kept:
		return "Kept"
	case Young:
		return "Young"
	case Candidate:
		return "Candidate"
	case Sealed:
		return "Sealed"
	}
	return "Standing?"
}

// Promote looks at one role and does for its past what is due: it reads the
// role, judges it, and reads it once more where anything is to be recorded.
func (p *Promoter) Promote(ctx context.Context, r role.Ref) (Promotion, error) {
	first, err := p.cfg.Reader.Role(ctx, r)
	if err != nil {
		return Promotion{}, fmt.Errorf("reading role %s for a baseline: %w", r, err)
	}
	recalled, err := p.cfg.Ledger.Recall(ctx, first.Account, first.ID)
	if err != nil {
		return Promotion{}, fmt.Errorf("recalling role %s for a baseline: %w", r, err)
	}
	report, err := p.cfg.Judge.Judge(ctx, first)
	if err != nil {
		return Promotion{}, fmt.Errorf("judging role %s for a baseline: %w", r, err)
	}
	return p.consider(ctx, aspirant{first: first, report: report, recalled: recalled})
}

// aspirant is a role that was read, judged and recalled.
type aspirant struct {
	// first is the earlier of two readings.
	first    role.Role
	report   finding.Report
	recalled ledger.Recalled
	// ids are the unique ids of principals that were read after first; nil when
	// none were. Those that are missing are read.
	ids map[string]string
	// second is a live reading made after ids were read; nil when there was none.
	second *role.Role
}
