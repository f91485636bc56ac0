package matrix

import (
	"context"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rolewarden/rolewarden/pkg/alert"
	"github.com/rolewarden/rolewarden/pkg/awsapi/actions"
	"github.com/rolewarden/rolewarden/pkg/decision"
	"github.com/rolewarden/rolewarden/pkg/finding"
	"github.com/rolewarden/rolewarden/pkg/guard"
	"github.com/rolewarden/rolewarden/pkg/invariant"
	"github.com/rolewarden/rolewarden/pkg/ledger"
	"github.com/rolewarden/rolewarden/pkg/notify"
	"github.com/rolewarden/rolewarden/pkg/remediate"
	"github.com/rolewarden/rolewarden/pkg/role"
)

// forgetful is a ledger that seems to do what it does not do.
type forgetful struct {
	ledger.Ledger
	without string
}

func (l forgetful) Intend(ctx context.Context, i ledger.Intent) error {
	if l.without == "intents" {
		return nil
	}
	return l.Ledger.Intend(ctx, i)
}

func (l forgetful) Conclude(ctx context.Context, c ledger.Conclusion) error {
	switch {
	case l.without == "ends":
		return nil
	case l.without == "verdicts" && c.State != nil:
		s := *c.State
		s.Verdict = finding.Compliant
		c.State = &s
	case l.without == "documents" && c.State != nil:
		s := *c.State
		s.Verdict, s.Document = finding.Compliant, narrow
		c.State = &s
	}
	return l.Ledger.Conclude(ctx, c)
}

func (l forgetful) Spend(ctx context.Context, token string, at time.Time, counters []ledger.Counter) error {
	if l.without == "limits" {
		return nil
	}
	return l.Ledger.Spend(ctx, token, at, counters)
}

func (l forgetful) Switch(ctx context.Context) (decision.Switch, error) {
	if l.without == "switch" {
		return decision.WritesAllowed, nil
	}
	return l.Ledger.Switch(ctx)
}

func (l forgetful) Delivered(ctx context.Context, of ledger.Letter) error {
	if l.without == "tellings" {
		return nil
	}
	return l.Ledger.Delivered(ctx, of)
}

func without(what string) func(*guard.Config) {
	return func(cfg *guard.Config) { cfg.Ledger = forgetful{cfg.Ledger, what} }
}

// telling tells every alert a number of times.
type telling struct {
	notify.Channel
	times int
}

func (t telling) Notify(ctx context.Context, a alert.Alert) (retry notify.Retry, err error) {
	for range t.times {
		retry, err = t.Channel.Notify(ctx, a)
	}
	return retry, err
}

func tells(times int) func(*guard.Config) {
	return func(cfg *guard.Config) { cfg.Channel = telling{cfg.Channel, times} }
}

// scribbling writes otherwise than it is asked.
type scribbling struct {
	guard.Writers
	document string
	times    int
}

func (s scribbling) Writer(ctx context.Context, r role.Role, d decision.Decision) (remediate.IAM, error) {
	session, err := s.Writers.Writer(ctx, r, d)
	return scribble{session, s}, err
}

type scribble struct {
	remediate.IAM
	scribbling
}

func (s scribble) UpdateTrust(ctx context.Context, r role.Ref, document string) error {
	if s.document != "" {
		document = s.document
	}
	var err error
	for range s.times {
		err = s.IAM.UpdateTrust(ctx, r, document)
	}
	return err
}

func scribbles(document string, times int) func(*guard.Config) {
	return func(cfg *guard.Config) {
		if _, never := cfg.Writers.(guard.HandsOff); !never {
			cfg.Writers = scribbling{cfg.Writers, document, times}
		}
	}
}

// reading does something before it reads.
type reading struct {
	guard.Reader
	first func()
}

func (r reading) Role(ctx context.Context, ref role.Ref) (role.Role, error) {
	r.first()
	return r.Reader.Role(ctx, ref)
}

// losing loses the steps that have to wait.
type losing struct{}

func (losing) Send(context.Context, guard.Step) error { return nil }

// The invariants notice what they are for, on the wire too: with one thing broken
// on purpose each, mostly though no call goes wrong.
func TestTheMatrixNoticesWhatIsBroken(t *testing.T) {
	for _, row := range []struct {
		name, story string
		id          invariant.ID
		do          func(*guard.Config)
		// hurts is what goes wrong beside, where the break shows only then.
		hurts Cell
	}{
		{"steps that have to wait are lost", "revert", invariant.I1, func(cfg *guard.Config) { cfg.Later = losing{} }, Cell{Call: readRole, Fault: StaleRead, When: Always}},
		{"ends are not recorded", "revert", invariant.I1, without("ends"), Cell{}},
		{"intents are not recorded", "revert", invariant.I2, without("intents"), Cell{}},
		{"every write is made twice", "revert", invariant.I2, scribbles("", 2), Cell{}},
		{"another document is written", "revert", invariant.I2, scribbles(narrow, 1), Cell{}},
		{"what is written breaks the rules", "revert", invariant.I3, scribbles(public, 1), Cell{}},
		{"what is written lets in more than before", "revert", invariant.I4, scribbles(public, 1), Cell{}},
		{"what is written is written again and again", "revert", invariant.I6, scribbles("", 4), Cell{Call: Call{actions.Guard, "sts:AssumeRole", actions.Own}, Fault: Throttle, When: Always}},
		{"alerts vanish", "revert", invariant.I7, tells(0), Cell{}},
		{"alerts are told twice", "revert", invariant.I7, tells(2), Cell{}},
		{"tellings are not recorded", "revert", invariant.I7, without("tellings"), Cell{}},
		{"what breaks the rules is concluded to be compliant", "tag", invariant.I8, without("verdicts"), Cell{}},
		{"what nobody read is concluded to be compliant", "tag", invariant.I9, without("documents"), Cell{}},
		{"no limit is asked", "revert", invariant.I10, without("limits"), Cell{}},
		{"a document is written more often than it was paid for", "revert", invariant.I10, scribbles("", 4), Cell{}},
		{"the kill switch is not looked at", "stopped", invariant.I10, without("switch"), Cell{}},
		{"a secret is logged", "revert", invariant.I11, func(cfg *guard.Config) {
			cfg.Reader = reading{cfg.Reader, func() { cfg.Log.Info("reading", "with", externalID) }}
		}, Cell{}},
		{"a handling panics", "revert", invariant.I12, func(cfg *guard.Config) {
			cfg.Reader = reading{cfg.Reader, func() { panic("a bug") }}
		}, Cell{}},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				w.meddle = row.do
				i := slices.IndexFunc(stories(), func(s story) bool { return s.name == row.story })
				row.hurts.Story = row.story
				got := w.tell(stories()[i], row.hurts)
				if !slices.ContainsFunc(got.judged, func(b string) bool { return strings.HasPrefix(b, row.id.String()+" (") }) {
					t.Errorf("nobody notices: %s -> %s, %q\n%s", got.during, got.after, got.breaches, w.lines())
				}
			})
		})
	}
}
