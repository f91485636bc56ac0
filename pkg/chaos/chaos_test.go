package chaos

import (
	"flag"
	"fmt"
	"testing"
	"time"

	"github.com/rolewarden/rolewarden/pkg/invariant"
)

var (
	steps = flag.Int("chaos.steps", 60_000, "how many steps TestChaos makes")
	seed  = flag.Uint64("chaos.seed", 0, "the seed of TestChaos; 0 draws one")
)

func TestTry(t *testing.T) {
	start := time.Now()
	var total Count
	j := invariant.NewJudge()
	kinds := map[string]int{}
	for s := uint64(1); total.Steps < *steps; s++ {
		out := Episode{Seed: s, Steps: 3000, Judge: j}.Run()
		if out.Err != nil {
			t.Errorf("seed %d: %v", s, out.Err)
		}
		total.Add(out.Count)
		for _, v := range out.Violations {
			k := v.Invariant.String()
			if k == "I7" {
				k += v.Sentence[len(v.Sentence)-10:]
			}
			if kinds[k]++; kinds[k] < 4 {
				fmt.Println("seed", s, v)
			}
		}
	}
	took := time.Since(start)
	fmt.Println(total, kinds, took, float64(total.Steps)/took.Seconds())
}
