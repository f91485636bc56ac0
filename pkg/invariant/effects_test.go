package invariant_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/rolewarden/rolewarden/pkg/alert"
	"github.com/rolewarden/rolewarden/pkg/decision"
	"github.com/rolewarden/rolewarden/pkg/invariant"
	"github.com/rolewarden/rolewarden/pkg/ledger"
	"github.com/rolewarden/rolewarden/pkg/notify"
	"github.com/rolewarden/rolewarden/pkg/remediate"
	"github.com/rolewarden/rolewarden/pkg/role"
)

type tookKey struct{}

// followed lets a call's effects be told by who has the context.
func followed(ctx context.Context, took func(invariant.Answer)) context.Context {
	return context.WithValue(ctx, tookKey{}, took)
}

// wired is the other side of a network: calls take effect as often as it says,
// and their callers learn that they failed.
type wired struct {
	remediate.IAM
	ledger.Ledger
	notify.Channel
	times int
	err   error
}

func (w *wired) do(ctx context.Context) error {
	for range w.times {
		ctx.Value(tookKey{}).(func(invariant.Answer))(invariant.NoAnswer)
	}
	return w.err
}

func (w *wired) Name() string { return topic }

func (w *wired) Role(context.Context, role.Ref) (role.Role, error) { return role.Role{}, w.err }

func (w *wired) UpdateTrust(ctx context.Context, _ role.Ref, _ string) error { return w.do(ctx) }

func (w *wired) PutBoundary(ctx context.Context, _ role.Ref, _ string) error { return w.do(ctx) }

func (w *wired) Take(ctx context.Context, _ ledger.Key, _ time.Time) (ledger.Taken, error) {
	return ledger.Taken{}, w.do(ctx)
}

func (w *wired) Intend(ctx context.Context, _ ledger.Intent) error { return w.do(ctx) }

func (w *wired) Conclude(ctx context.Context, _ ledger.Conclusion) error { return w.do(ctx) }

func (w *wired) Delivered(ctx context.Context, _ ledger.Letter) error { return w.do(ctx) }

func (w *wired) Spend(ctx context.Context, _ string, _ time.Time, _ []ledger.Counter) error {
	return w.do(ctx)
}

func (w *wired) Notify(ctx context.Context, _ alert.Alert) (notify.Retry, error) {
	return notify.Retry{}, w.do(ctx)
}

// What fails below a recorder is recorded as it took effect: not at all, once or
// more often, whatever the caller was told.
func TestARecorderWithEffectsRecordsWhatTakesEffect(t *testing.T) {
	lost := errors.New("no answer")
	full := &ledger.LimitError{}
	for _, row := range []struct {
		times int
		err   error
		want  string
	}{
		{0, lost, "Unrecorded Spent:no"},
		{0, nil, "Read Read Delivered Spent:yes"},
		{0, full, "Unrecorded Spent:no"},
		{1, lost, "Wrote Wrote Took Intended Concluded Delivered Told:no answer Spent:no answer"},
		{1, nil, "Read Read Wrote Wrote Took Intended Concluded Delivered Told:no answer Spent:yes"},
		// A breaker trips, and nothing is spent.
		{1, &ledger.TrippedError{}, "Wrote Wrote Took Intended Concluded Delivered Told:no answer Spent:no"},
	} {
		w, h := &wired{times: row.times, err: row.err}, &invariant.History{}
		r := invariant.Recorder{History: h, Now: func() time.Time { return start }, Run: func() int { return 1 }, Effects: followed}
		truth := func(ref role.Ref) role.Role { return role.Role{Account: ref.Account, Name: ref.Name, TrustPolicy: bad} }
		ref, ctx := role.Ref{Account: "111122223333", Name: "app"}, t.Context()
		session, bounds, book := r.Session(w, truth), r.Boundaries(w, truth), r.Ledger(w)
		_, _ = session.Role(ctx, ref)
		_, _ = bounds.Role(ctx, ref)
		_ = session.UpdateTrust(ctx, ref, good)
		_ = bounds.PutBoundary(ctx, ref, "a boundary")
		_, _ = book.Take(ctx, event, start)
		_ = book.Intend(ctx, ledger.Intent{Event: event, Decision: decision.Decision{ID: "d1"}})
		_ = book.Conclude(ctx, ledger.Conclusion{Event: event})
		_ = book.Delivered(ctx, ledger.Letter{ID: "a1"})
		_, _ = r.Channel(w).Notify(ctx, alert.Alert{})
		_ = book.Spend(ctx, "d1", start, nil)
		var got []string
		for _, e := range h.Entries {
			s := strings.TrimPrefix(fmt.Sprintf("%T", e.Fact), "invariant.")
			switch f := e.Fact.(type) {
			case invariant.Told:
				s += ":" + f.Answer.String()
			case invariant.Spent:
				s += ":" + f.Answer.String()
			}
			got = append(got, s)
		}
		if strings.Join(got, " ") != row.want {
			t.Errorf("%d effects, %v: got %s, want %s", row.times, row.err, strings.Join(got, " "), row.want)
		}
	}
}

// A write that is sent again finds what it wrote, and an end that is taken twice
// is recorded twice.
func TestARecorderWithEffectsRecordsEveryEffect(t *testing.T) {
	w, h := &wired{times: 2}, &invariant.History{}
	r := invariant.Recorder{History: h, Now: func() time.Time { return start }, Run: func() int { return 1 }, Effects: followed}
	truth := func(role.Ref) role.Role { return role.Role{TrustPolicy: bad} }
	_ = r.Session(w, truth).UpdateTrust(t.Context(), role.Ref{}, good)
	_ = r.Ledger(w).Conclude(t.Context(), ledger.Conclusion{Event: event})
	if len(h.Entries) != 4 {
		t.Fatalf("%d facts", len(h.Entries))
	}
	for i, want := range []string{bad, good} {
		if f := h.Entries[i].Fact.(invariant.Wrote); f.Role.TrustPolicy != want || f.Document != good || f.Resent != (i > 0) {
			t.Errorf("write %d found %s and left %s", i, f.Role.TrustPolicy, f.Document)
		}
	}
}
