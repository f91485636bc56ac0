package chaos

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"runtime"
	"strings"
	"testing"
	"time"
)

var (
	chaosSteps = flag.Int("chaos.steps", 60_000, "TestChaos makes so many steps")
	chaosSeed  = flag.Uint64("chaos.seed", 1, "the seed of TestChaos; 0 draws one")

	episodeSeed    = flag.Uint64("episode.seed", 0, "TestEpisode runs this episode and prints it")
	episodeLength  = flag.Int("episode.steps", episodeSteps, "the steps of that episode before it heals")
	episodeWithout = flag.String("episode.without", "", "what is taken out of its weather, such as crashes,stale")
)

// A world in which calls fail and lag, functions vanish, events come twice, late,
// in any order or not at all, and others change roles, people, rules and the
// kill switch all the while: no invariant is broken, and once that ends every
// role comes to rest.
func TestChaos(t *testing.T) {
	seed := *chaosSeed
	if seed == 0 {
		seed = rand.Uint64()
	}
	start := time.Now()
	count, failure := Run(Options{Seed: seed, Steps: *chaosSteps, Side: runtime.GOMAXPROCS(0)})
	took := time.Since(start)
	t.Logf("seed %d: %s\n%s, %.0f steps a second", seed, count, took.Round(time.Millisecond), float64(count.Steps)/took.Seconds())
	if failure != nil {
		t.Fatal(failure)
	}
	if count.Writes == 0 || count.Crashes == 0 || count.Duplicates == 0 || count.Lost == 0 || count.LostUpdates == 0 {
		t.Errorf("the weather was too mild to show anything: %s", count)
	}
}

// One episode, all of it told.
func TestEpisode(t *testing.T) {
	if *episodeSeed == 0 {
		t.Skip("give -episode.seed")
	}
	e := Episode{Seed: *episodeSeed, Steps: *episodeLength, Trace: func(l string) { fmt.Println(l) }}
	if *episodeWithout != "" {
		e.Without = strings.Split(*episodeWithout, ",")
	}
	out := e.Run()
	t.Log(out.Count)
	for _, v := range out.Violations {
		t.Error(v)
	}
	if out.Err != nil {
		t.Error(out.Err)
	}
}

// The same seed is the same world, call by call, however many run side by side.
func TestASeedReplays(t *testing.T) {
	tell := func() string {
		var lines []string
		e := Episode{Seed: 7, Steps: 1500, Trace: func(l string) { lines = append(lines, l) }}
		out := e.Run()
		return strings.Join(lines, "\n") + out.Count.String()
	}
	if a, b := tell(), tell(); a != b {
		x, y := strings.Split(a, "\n"), strings.Split(b, "\n")
		for i := range x {
			if i >= len(y) || x[i] != y[i] {
				t.Fatalf("the episodes part at line %d:\n%s\n%s", i, x[i], y[min(i, len(y)-1)])
			}
		}
		t.Fatal("the second episode goes on")
	}
	alone, _ := Run(Options{Seed: 3, Steps: 9000, Side: 1})
	beside, _ := Run(Options{Seed: 3, Steps: 9000, Side: 3})
	if alone != beside {
		t.Errorf("alone %s\nside by side %s", alone, beside)
	}
}
