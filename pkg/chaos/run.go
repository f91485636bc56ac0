package chaos

import (
	"fmt"
	"slices"
	"sync"

	"github.com/rolewarden/rolewarden/pkg/invariant"
)

// Options say how much chaos there is to be.
type Options struct {
	Seed uint64
	// Steps are how many steps are made at least: calls of handlings, deliveries,
	// and what others do.
	Steps int
	// Side is how many episodes run side by side; zero is one. The figures do not
	// depend on it.
	Side int
}

// episodeSteps is how long others and faults disturb one world.
const episodeSteps = 3000

// Failure is an episode in which something was not as it must be.
type Failure struct {
	Episode    Episode
	Violations []invariant.Violation
	Err        error
	// Story is what led to the first violation.
	Story []string
}

// String tells how to see it again, and what led to it.
func (f Failure) String() string {
	s := fmt.Sprintf("again with: go test ./pkg/chaos -v -run '^TestEpisode$' -episode.seed=%d -episode.steps=%d -episode.without=%s\n", f.Episode.Seed, f.Episode.Steps, join(f.Episode.Without))
	if f.Err != nil {
		s += f.Err.Error() + "\n"
	}
	for _, v := range f.Violations {
		s += v.String() + "\n"
	}
	for _, l := range f.Story {
		s += "  " + l + "\n"
	}
	return s
}

// Run runs episodes one after the other until the steps are made or something
// is not as it must be; then it gives the first such episode, made smaller.
func Run(o Options) (Count, *Failure) {
	var (
		mu       sync.Mutex
		wg       sync.WaitGroup
		next     int
		outcomes []*Outcome
		total    Count
		failed   = -1
	)
	// prefix adds up the episodes in their order, as far as they are done.
	prefix := func() (steps int) {
		total = Count{}
		for i, out := range outcomes {
			if out == nil {
				return total.Steps
			}
			total.Add(out.Count)
			if out.broken() {
				failed = i
				return o.Steps
			}
			if total.Steps >= o.Steps {
				return total.Steps
			}
		}
		return total.Steps
	}
	for range max(1, o.Side) {
		wg.Go(func() {
			judge := invariant.NewJudge()
			for {
				mu.Lock()
				if prefix() >= o.Steps {
					mu.Unlock()
					return
				}
				i := next
				next++
				outcomes = append(outcomes, nil)
				mu.Unlock()
				out := o.episode(i, judge).Run()
				out.History = nil
				mu.Lock()
				outcomes[i] = &out
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	prefix()
	if failed < 0 {
		return total, nil
	}
	f := o.episode(failed, invariant.NewJudge()).smaller()
	return total, &f
}

// stir makes numbers that are near each other far apart.
func stir(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9
	x = (x ^ (x >> 27)) * 0x94d049bb133111eb
	return x ^ (x >> 31)
}

// episode is the i-th one of a seed.
func (o Options) episode(i int, judge *invariant.Judge) Episode {
	return Episode{Seed: stir(o.Seed ^ stir(uint64(i)+1)), Steps: episodeSteps, Judge: judge}
}

func (o Outcome) broken() bool { return o.Err != nil || len(o.Violations) > 0 }

// smaller looks for an episode with fewer steps and in milder weather in which
// the same is broken.
func (e Episode) smaller() Failure {
	out := e.Run()
	for _, name := range calmed() {
		milder := e
		milder.Without = append(slices.Clone(e.Without), name)
		if o := milder.Run(); o.alike(out) {
			e, out = milder, o
		}
	}
	for _, part := range []float64{0.1, 0.2, 0.35, 0.5, 0.65, 0.8, 0.9} {
		shorter := e
		shorter.Steps = int(part * float64(e.Steps))
		if o := shorter.Run(); o.alike(out) {
			e, out = shorter, o
			break
		}
	}
	f := Failure{Episode: e, Violations: out.Violations, Err: out.Err}
	if len(out.Violations) > 0 {
		f.Story = Story(out.History, out.Violations[0], 120)
	}
	return f
}

// alike says whether the same invariant is broken first.
func (o Outcome) alike(other Outcome) bool {
	if len(o.Violations) == 0 || len(other.Violations) == 0 {
		return (o.Err == nil) == (other.Err == nil) && len(o.Violations) == len(other.Violations)
	}
	return o.Violations[0].Invariant == other.Violations[0].Invariant
}
