package chaos

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/rolewarden/rolewarden/pkg/invariant"
	"github.com/rolewarden/rolewarden/pkg/role"
)

// weather is how rough an episode is. Every chance is of one call, message or event.
type weather struct {
	// workers are the handlings that may run at the same time.
	workers int
	// gap is the mean time between two things that others do.
	gap time.Duration
	// fault is the chance that a call fails, effect that a failed one took
	// effect all the same, crash that the function vanishes at a call.
	fault, effect, crash float64
	// stale is the chance that a reading lags, by at most lag.
	stale float64
	lag   time.Duration
	// odd is the chance that a reading shows living principals by their ids.
	odd float64
	// slow is the chance that a call takes seconds.
	slow float64
	// twice is the chance that an event comes in up to ten copies, again that a
	// message that was done with comes once more.
	twice, again float64
	// late is the chance of a delay of a day, lost of no delivery at all,
	// shuffled that an event takes up to 15 minutes.
	late, lost, shuffled float64
	// receives is how often a message is received before it is dead.
	receives int
	// outages is the chance that a thing that others do is an outage of one part.
	outages float64
	// snipe is the chance that somebody writes a role just before we do.
	snipe float64
	// regrets is the chance that somebody takes a write back of which they read.
	regrets float64
	// tampered is the chance that a thing that others do is a baseline of theirs in
	// the ledger's table (T61).
	tampered float64
	// loneDenyRefused: IAM takes no policy that is a single Deny.
	loneDenyRefused bool
}

// forecast draws the weather of an episode.
func forecast(r *rand.Rand) weather {
	pick := func(list ...float64) float64 { return list[r.IntN(len(list))] }
	w := weather{
		workers: 2 + r.IntN(5),
		gap:     []time.Duration{time.Second, 5 * time.Second, time.Minute, time.Hour}[r.IntN(4)],
		fault:   pick(0, 0.002, 0.01, 0.05), effect: pick(0.1, 0.5), crash: pick(0, 0.001, 0.005, 0.02),
		stale: pick(0, 0.05, 0.3), lag: []time.Duration{2 * time.Second, 10 * time.Second, time.Minute}[r.IntN(3)],
		slow: pick(0, 0.01), odd: pick(0, 0, 0.02), twice: pick(0, 0.1, 0.5), again: pick(0, 0.02), late: pick(0, 0.01), lost: pick(0, 0.01, 0.05),
		shuffled: pick(0, 0.2, 0.8), receives: 6 + r.IntN(20), outages: pick(0, 0.02, 0.1), snipe: pick(0, 0.05, 0.3), tampered: pick(0, 0, 0.05), regrets: pick(0, 0.1, 0.5),
		loneDenyRefused: r.IntN(4) == 0,
	}
	return w
}

// knobs are what can be taken out of the weather, by name.
func (w *weather) knobs() map[string]func() {
	return map[string]func(){
		"faults": func() { w.fault = 0 }, "crashes": func() { w.crash = 0 }, "stale": func() { w.stale = 0 }, "slow": func() { w.slow = 0 }, "odd": func() { w.odd = 0 },
		"twice": func() { w.twice = 0 }, "again": func() { w.again = 0 }, "late": func() { w.late = 0 }, "lost": func() { w.lost = 0 },
		"shuffled": func() { w.shuffled = 0 }, "outages": func() { w.outages = 0 }, "snipers": func() { w.snipe = 0 }, "regrets": func() { w.regrets = 0 },
	}
}

// calmed gives the names of what can be taken out of the weather.
func calmed() []string { return sortedKeys(new(weather).knobs()) }

// calm is the weather in which an episode heals.
func (w weather) calm() weather {
	return weather{workers: w.workers, gap: w.gap, receives: 1 << 30, loneDenyRefused: w.loneDenyRefused}
}

// trouble is what befalls one call.
type trouble struct {
	err error
	// effect: the call is done although it fails; crash: nobody learns of it.
	effect, crash bool
}

// strikes draws what befalls a call.
func (w *world) strikes(c call) trouble {
	if c.kind == waits {
		return trouble{crash: w.chance(w.sky.crash)}
	}
	if w.chance(w.sky.crash) {
		return trouble{crash: true, effect: w.rng.IntN(2) == 0}
	}
	for _, o := range w.outages {
		if o.kind == c.kind && (o.account == "" || o.account == c.account) {
			w.count.faults++
			return trouble{err: o.err, effect: o.kind != opens && w.chance(w.sky.effect) && lasting(c.kind) && errors.Is(o.err, errDown)}
		}
	}
	if !w.chance(w.sky.fault) {
		return trouble{}
	}
	w.count.faults++
	return w.fault(c)
}

// lasting says whether a call of a kind leaves something behind.
func lasting(k kind) bool {
	switch k {
	case writes, tells, notes, sends:
		return true
	case waits, readsRole, readsPrincipal, opens, remembers, asks, kinds:
		return false
	default:
		return false
	}
}

// fault draws a fault that fits a call.
func (w *world) fault(c call) trouble {
	effect := lasting(c.kind) && w.chance(w.sky.effect)
	switch c.kind {
	case writes:
		if effect {
			return trouble{err: wrap(c, role.ErrUncertain), effect: true}
		}
		errs := []error{role.ErrUncertain, role.ErrThrottled, role.ErrAccessDenied, errDown}
		if c.name == "TagRole" || c.name == "UntagRole" {
			errs = append(errs, role.ErrConflict)
		}
		return trouble{err: wrap(c, errs[w.rng.IntN(len(errs))])}
	case readsRole, readsPrincipal, opens, asks:
		return trouble{err: wrap(c, []error{role.ErrThrottled, errDown, role.ErrAccessDenied}[w.rng.IntN(3)])}
	case waits, tells, remembers, notes, verifies, sends, kinds:
	}
	return trouble{err: wrap(c, errDown), effect: effect}
}

func wrap(c call, err error) error { return fmt.Errorf("calling %s: %w", c.name, err) }

func (w *world) chance(p float64) bool { return p > 0 && w.rng.Float64() < p }

// outage is a part that fails for a while.
type outage struct {
	kind    kind
	account string
	err     error
	until   time.Time
}

// breaks lets a part fail for minutes or hours.
func (w *world) breaks() {
	o := outage{until: w.now.Add(time.Duration(1+w.rng.IntN(90)) * time.Minute), err: errDown}
	switch w.rng.IntN(9) {
	case 0:
		o.kind = notes
	case 1:
		o.kind = remembers
	case 2:
		o.kind = tells
	case 3:
		o.kind = sends
	case 4:
		o.kind, o.account, o.err = readsRole, w.account(), role.ErrAccessDenied
	case 5:
		o.kind, o.account, o.err = opens, w.account(), role.ErrAccessDenied
	case 6:
		o.kind, o.err = asks, []error{errDown, role.ErrAccessDenied}[w.rng.IntN(2)]
	case 7:
		o.kind = verifies
	default:
		o.kind, o.err = readsRole, role.ErrThrottled
	}
	w.outages = append(w.outages, o)
	w.trace("OUTAGE of %s %s until %s: %v", o.kind, o.account, o.until.Sub(epoch), o.err)
	w.at(o.until, func() { w.repair(o) })
}

func (w *world) repair(o outage) {
	kept := w.outages[:0]
	for _, x := range w.outages {
		if x != o {
			kept = append(kept, x)
		}
	}
	w.outages = kept
}

// latency draws how long a call takes.
func (w *world) latency(c call) time.Duration {
	switch {
	case c.kind == waits:
		return c.pause
	case w.chance(w.sky.slow):
		return time.Duration(w.rng.IntN(3000)) * time.Millisecond
	default:
		return time.Duration(5+w.rng.IntN(60)) * time.Millisecond
	}
}

// lag draws the time as of which a reading shows a role; zero for now.
func (w *world) lag(c call) time.Time {
	if c.kind != readsRole || !w.chance(w.sky.stale) {
		return time.Time{}
	}
	return w.now.Add(-time.Duration(w.rng.Int64N(int64(w.sky.lag))))
}

// answer says what the caller of a call learns.
func (t trouble) answer() invariant.Answer {
	if t.err != nil || t.crash {
		return invariant.NoAnswer
	}
	return invariant.Yes
}
