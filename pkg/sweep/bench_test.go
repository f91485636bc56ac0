package sweep_test

import (
	"context"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/rolewarden/rolewarden/pkg/deployment"
	"github.com/rolewarden/rolewarden/pkg/ledger"
	"github.com/rolewarden/rolewarden/pkg/role"
)

// large is an account of so many roles, each trusting one of thirty users, and
// every tenth of them bad.
func large(t testing.TB, roles int) *sweeping {
	s := newSweeping(newWorld(t, strings.Replace(rulesFile, "enforce", "observe", 1)))
	s.members, s.pageSize = []string{dev}, 200
	for i := range 30 {
		s.principals[fmt.Sprintf("arn:aws:iam::111122223333:user/u%02d", i)] = fmt.Sprintf("AIDAUSER%013d", i)
	}
	for i := range roles {
		document := strings.Replace(closed, "user/alice", fmt.Sprintf("user/u%02d", i%30), 1)
		if i%10 == 0 {
			document = opened
		}
		s.put(dev, fmt.Sprintf("r%04d", i), document)
	}
	return s
}

// The largest account that IAM allows, 5,000 roles (IAM User Guide,
// reference_iam-quotas), is swept within bounds: what is held of it at a time is
// a page, and what is kept of it fits an item of DynamoDB many times over.
func TestTheLargestAccountIsSweptWithinBounds(t *testing.T) {
	s := large(t, 5000)
	var stats runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&stats)
	before, most := stats.HeapAlloc, uint64(0)
	s.pages = func() {
		runtime.GC()
		runtime.ReadMemStats(&stats)
		most = max(most, stats.HeapAlloc)
	}
	id := s.begin()
	largest := 0
	for len(s.queue) > 0 {
		q := s.queue[0]
		s.queue = s.queue[1:]
		if _, err := s.sweeper().Handle(t.Context(), q.message, 1); err != nil {
			t.Fatal(err)
		}
		for _, of := range []string{id, "inhabitants"} {
			a, _, err := s.memory.Swept(t.Context(), of, dev)
			if err != nil {
				t.Fatal(err)
			}
			largest = max(largest, len(a.Notes))
		}
	}
	sum, _ := s.one()
	if !says(sum, "A sweep read 5000 roles in 2 accounts") && !says(sum, "5000 roles") {
		t.Errorf("the summary says %q", sum.Decision.Reasons)
	}
	// The memory of the test's own ledger, which is elsewhere in AWS, is in it.
	t.Logf("%.1f MB at most beside what was there before, and %.1f kB in the largest record", float64(most-before)/1e6, float64(largest)/1e3)
	if most-before > 100e6 || largest > 200e3 {
		t.Errorf("%d bytes of memory and %d of a record are too many", most-before, largest)
	}
}

// The calls that a sweep makes into an account of 200 roles, of which a tenth is
// bad, and what that means for 5,000 such accounts at five calls a second into
// each: the budget is six hours.
func BenchmarkCallsOfASweep(b *testing.B) {
	iam := func(s *sweeping) int { return s.count("Details") + s.count("GetRole") + s.count("PrincipalID") }
	for b.Loop() {
		s := large(b, 200)
		for _, sweep := range []string{"first", "usual", "sealing"} {
			if sweep == "sealing" {
				s.now = s.now.Add(25 * time.Hour)
			}
			s.calls = nil
			counted := &requests{Ledger: s.memory}
			s.over = counted
			s.sweep()
			s.over = nil
			// Two sessions are opened in an account: one that lists, one that reads.
			calls := float64(iam(s))
			b.ReportMetric(calls, "iam-calls/"+sweep)
			b.ReportMetric(float64(counted.n), "ledger-calls/"+sweep)
			const atOnce = deployment.SweepAccountsAtOnce * deployment.SweepBatch
			b.ReportMetric(5000*calls/5/3600/atOnce, fmt.Sprintf("hours@%d/%s", atOnce, sweep))
			s.now = s.now.Add(6 * time.Hour)
		}
	}
}

// The largest account once more, against the clock of the machine.
func BenchmarkSweepOfTheLargestAccount(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		b.StopTimer()
		s := large(b, 5000)
		s.sweep()
		s.now = s.now.Add(6 * time.Hour)
		b.StartTimer()
		s.sweep()
	}
	b.ReportMetric(b.Elapsed().Seconds()*1e6/float64(b.N)/5000, "µs/unchanged-role")
}

// requests counts the calls to a ledger.
type requests struct {
	ledger.Ledger
	n int
}

func (r *requests) Take(ctx context.Context, k ledger.Key, at time.Time) (ledger.Taken, error) {
	r.n++
	return r.Ledger.Take(ctx, k, at)
}

func (r *requests) Conclude(ctx context.Context, c ledger.Conclusion) error {
	r.n++
	return r.Ledger.Conclude(ctx, c)
}

func (r *requests) Recall(ctx context.Context, account, id string) (ledger.Recalled, error) {
	r.n++
	return r.Ledger.Recall(ctx, account, id)
}

func (r *requests) Lease(ctx context.Context, ref role.Ref, holder string, now, until time.Time) error {
	r.n++
	return r.Ledger.Lease(ctx, ref, holder, now, until)
}

func (r *requests) Release(ctx context.Context, ref role.Ref, holder string) error {
	r.n++
	return r.Ledger.Release(ctx, ref, holder)
}

func (r *requests) SetCandidate(ctx context.Context, b role.Baseline) error {
	r.n++
	return r.Ledger.SetCandidate(ctx, b)
}

func (r *requests) AddBaseline(ctx context.Context, b role.Baseline) error {
	r.n++
	return r.Ledger.AddBaseline(ctx, b)
}

func (r *requests) Record(ctx context.Context, ids []ledger.Identity) error {
	r.n++
	return r.Ledger.Record(ctx, ids)
}

func (r *requests) Trusting(ctx context.Context, p ledger.PrincipalKey) ([]ledger.RoleState, error) {
	r.n++
	return r.Ledger.Trusting(ctx, p)
}

func (r *requests) SaveSwept(ctx context.Context, a ledger.SweptAccount) error {
	r.n++
	return r.Ledger.SaveSwept(ctx, a)
}

func (r *requests) Swept(ctx context.Context, id, account string) (ledger.SweptAccount, bool, error) {
	r.n++
	return r.Ledger.Swept(ctx, id, account)
}

func (r *requests) Spend(ctx context.Context, token string, at time.Time, counters []ledger.Counter) error {
	r.n++
	return r.Ledger.Spend(ctx, token, at, counters)
}

func (r *requests) Ends(ctx context.Context, names []ledger.PrincipalKey) ([]ledger.Deletion, error) {
	r.n++
	return r.Ledger.Ends(ctx, names)
}
