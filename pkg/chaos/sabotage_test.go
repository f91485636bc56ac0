package chaos

import (
	"testing"
	"time"

	"github.com/rolewarden/rolewarden/pkg/decision"
	"github.com/rolewarden/rolewarden/pkg/invariant"
	"github.com/rolewarden/rolewarden/pkg/ledger"
)

// nothing is the answer to a call that seems to work and of which nothing comes.
func nothing(names ...string) func(call, func() reply) (reply, bool) {
	return func(c call, _ func() reply) (reply, bool) {
		for _, n := range names {
			if c.name == n {
				return reply{}, true
			}
		}
		return reply{}, false
	}
}

// rough is a weather in which a mistake is soon met.
func rough(w *weather) {
	w.workers, w.gap, w.twice, w.shuffled, w.tampered, w.outages, w.regrets = 6, 5*time.Second, 0.5, 0, 0.2, 0, 0.5
}

// The simulation notices what it is for: with one thing broken on purpose, some
// episode breaks an invariant.
func TestTheSimulationNoticesWhatIsBroken(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name string
		id   invariant.ID
		do   func(c call, do func() reply) (reply, bool)
	}{
		{"steps that have to wait are lost", invariant.I1, nothing("SendMessage")},
		{"ends are not recorded", invariant.I1, nothing("Conclude")},
		{"intents are not recorded", invariant.I2, nothing("Intend")},
		{"nothing keeps two handlings apart", invariant.I2, nothing("Lease")},
		{"any seal fits (T61)", invariant.I3, nothing("VerifyMac")},
		{"limits are not counted", invariant.I10, nothing("Spend")},
		{"the kill switch always says go", invariant.I10, func(c call, _ func() reply) (reply, bool) {
			return reply{value: decision.WritesAllowed}, c.name == "Switch"
		}},
		{"alerts vanish", invariant.I7, nothing("Publish")},
		{"nobody keeps what was told", invariant.I7, nothing("Delivered")},
		{"a person's word is forgotten", invariant.I2, func(c call, do func() reply) (reply, bool) {
			if c.name != "Recall" {
				return reply{}, false
			}
			r := do()
			if known, ok := r.value.(ledger.Recalled); ok {
				known.Word = nil
				r.value = known
			}
			return r, true
		}},
	} {
		t.Run(row.name, func(t *testing.T) {
			judge := invariant.NewJudge()
			for seed := uint64(1); seed <= 40; seed++ {
				e := Episode{Seed: stir(seed), Steps: 2000, Judge: judge, sabotage: row.do, change: rough}
				for _, v := range e.Run().Violations {
					if v.Invariant == row.id {
						t.Logf("episode %d: %s", seed, v)
						return
					}
				}
			}
			t.Errorf("40 episodes broke no %s (%s)", row.id, row.id.Title())
		})
	}
}
