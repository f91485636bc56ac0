package chaos

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/rolewarden/rolewarden/pkg/decision"
	"github.com/rolewarden/rolewarden/pkg/invariant"
	"github.com/rolewarden/rolewarden/pkg/ledger"
	"github.com/rolewarden/rolewarden/pkg/org"
	"github.com/rolewarden/rolewarden/pkg/role"
)

// Count is what happened, in figures.
type Count struct {
	Episodes, Steps, Events, Duplicates, Late, Lost, Forged int
	// Found are roles of which a sweep told first.
	Found                                            int
	Handlings, Sweeps, Crashes, Dead, Writes, Alerts int
	LostUpdates                                      int
	// Undone are the decisions that people took back.
	Undone int
	// Told are the lost updates that people were told of.
	Told   int
	faults int
	Ends   [16]int
}

// Add adds another count.
func (c *Count) Add(o Count) {
	c.Episodes += o.Episodes
	c.Steps += o.Steps
	c.Events += o.Events
	c.Duplicates += o.Duplicates
	c.Late += o.Late
	c.Lost += o.Lost
	c.Found += o.Found
	c.Forged += o.Forged
	c.Handlings += o.Handlings
	c.Sweeps += o.Sweeps
	c.Crashes += o.Crashes
	c.Dead += o.Dead
	c.Writes += o.Writes
	c.Alerts += o.Alerts
	c.LostUpdates += o.LostUpdates
	c.Undone += o.Undone
	c.Told += o.Told
	c.faults += o.faults
	for i := range c.Ends {
		c.Ends[i] += o.Ends[i]
	}
}

// String gives the figures in two lines.
func (c Count) String() string {
	ends := ""
	for _, e := range ledger.Ends()[1:] {
		ends += fmt.Sprintf(" %s %d", e, c.Ends[e])
	}
	return fmt.Sprintf("%d episodes, %d steps, %d events (%d more copies, %d a day late, %d lost, %d forged), %d handlings, %d sweeps that found %d roles first, %d faults, %d crashes, %d dead letters, %d writes, %d alerts, %d lost updates (%d told), %d decisions taken back by people\nends:%s",
		c.Episodes, c.Steps, c.Events, c.Duplicates, c.Late, c.Lost, c.Forged, c.Handlings, c.Sweeps, c.Found, c.faults, c.Crashes, c.Dead, c.Writes, c.Alerts, c.LostUpdates, c.Told, c.Undone, ends)
}

// Episode is one world from its beginning until it has healed.
type Episode struct {
	Seed uint64
	// Steps are the steps before it heals.
	Steps int
	// Judge remembers verdicts from episode to episode; nil is fine.
	Judge *invariant.Judge
	// Trace, when not nil, is given each line of what happens.
	Trace func(line string)
	// Without takes things out of the weather, by their names in knobs.
	Without []string
	// change changes the weather; nil leaves it.
	change func(*weather)
	// sabotage answers a call in place of the site, to see that a mistake is
	// noticed; nil for none.
	sabotage func(c call, do func() reply) (reply, bool)
}

// Outcome is what became of an episode.
type Outcome struct {
	Count      Count
	History    *invariant.History
	Violations []invariant.Violation
	Err        error
}

func join(names []string) string { return strings.Join(names, ",") }

// mostHealing bounds the steps in which an episode must have come to rest.
const mostHealing = 200_000

// Run runs an episode and checks its history.
func (e Episode) Run() Outcome {
	w, err := e.world()
	if err != nil {
		return Outcome{Err: err}
	}
	w.in(0, w.others)
	w.in(time.Hour, w.sweeps)
	w.in(time.Minute, w.deliveries)
	for w.count.Steps < e.Steps && w.err == nil && w.step() {
	}
	w.heal()
	w.rest(e.Seed)
	// What no event told of is for the sweep to find, and what it hands over for
	// the guard; the second one finds what reading by reading was still open.
	for range 2 {
		w.now = w.now.Add(25 * time.Hour)
		w.tick()
		w.rest(e.Seed)
	}
	w.close()
	out := Outcome{Count: w.count, History: w.history, Err: w.err, Violations: invariant.Check(w.history)}
	for _, l := range invariant.LostUpdates(w.history) {
		out.Count.LostUpdates++
		switch {
		case l.Detected == invariant.Detected:
			out.Count.Told++
		case l.Event == invariant.Seen:
			out.Violations = append(out.Violations, l.Violation())
		}
	}
	out.Count.Episodes = 1
	return out
}

// rest lets everything happen that is still to come.
func (w *world) rest(seed uint64) {
	w.deliver()
	for n := 0; w.err == nil && w.step(); n++ {
		if n > mostHealing {
			w.err = fmt.Errorf("seed %d: no rest after %d steps without faults: %d things on the agenda, the next one at %s", seed, n, len(w.agenda), w.agenda[0].at)
		}
	}
}

// garbage says whether a message is text that is no event, which stays dead.
func (m *message) garbage() bool { return m.kind == intake && m.key == (ledger.Key{}) }

// world makes the episode's world.
func (e Episode) world() (*world, error) {
	rng := rand.New(rand.NewPCG(e.Seed, 0x726f6c6577617264))
	sky := forecast(rng)
	limits := wideLimits
	if rng.IntN(3) == 0 {
		limits = tightLimits
	}
	for _, name := range e.Without {
		off, ok := sky.knobs()[name]
		if !ok {
			return nil, fmt.Errorf("there is nothing called %q in the weather: take of %s", name, join(calmed()))
		}
		off()
	}
	if e.change != nil {
		e.change(&sky)
	}
	variants, err := rulesFiles(limits)
	if err != nil {
		return nil, err
	}
	w := &world{
		rng: rng, sky: sky, sabotage: e.sabotage, rules: variants[0], variants: variants, unseen: map[string]bool{}, about: map[ledger.Key]string{}, wars: map[string]war{}, onTrace: e.Trace,
		history: &invariant.History{Judge: judgeOf(e), Channels: []string{channel}, Secrets: []string{hush}},
	}
	w.site = site{now: epoch, iam: newIAM(), ledger: ledger.NewMemory(), members: map[string]org.Membership{}, ended: map[ledger.Key]bool{}, record: w.note, name: w.eventID}
	w.iam.loneDenyRefused = sky.loneDenyRefused
	for range sky.workers {
		w.workers = append(w.workers, &worker{w: w})
	}
	w.trace("seed %d, weather %+v, limits %+v", e.Seed, sky, w.rules.Limits)
	w.note(0, invariant.Ruled{Rules: w.rules})
	for _, who := range people() {
		if who != deploy {
			w.note(0, invariant.Principal{ARN: who, ID: w.iam.user(who)})
		}
	}
	w.change(arn(dev, "user", "ops"), refOf(deploy), goodDocuments()[5])
	w.flush()
	w.settled()
	return w, w.err
}

// settled makes roles that were there long before, with their baselines.
func (w *world) settled() {
	for i, name := range []string{"app0", "app1", "app2", "kept-1"} {
		for _, account := range []string{prod, dev} {
			long := epoch.Add(-time.Duration(48+i) * time.Hour)
			r := role.Ref{Account: account, Name: name}
			made, err := w.iam.create(long, r, pathOf(r), goodDocuments()[(i+w.rng.IntN(3))%len(goodDocuments())], nil)
			if err != nil {
				w.err = err
				return
			}
			w.note(0, invariant.Principal{ARN: made.ARN, ID: made.ID})
			b, err := w.iam.baseline(made, long, long.Add(30*time.Hour))
			if err == nil {
				err = w.addBaseline(0, b)
			}
			if err != nil {
				w.err = err
				return
			}
			w.unseen[place(r)] = true
		}
	}
}

// heal ends every fault and lets nobody else write any more. What lies dead is
// sent again, as an operator would.
func (w *world) heal() {
	w.healed, w.outages = true, nil
	w.sky = w.sky.calm()
	w.wars = map[string]war{}
	if err := w.turn(decision.WritesAllowed, oncall, "a drill", w.now); err != nil {
		w.err = err
	}
	w.resetBreakers()
	w.note(0, invariant.Healed{})
	for _, m := range w.dead {
		if m.garbage() {
			continue
		}
		m.receives = 0
		w.in(time.Duration(w.rng.IntN(60))*time.Second, func() { w.waiting = append(w.waiting, m) })
	}
	w.dead = slices.DeleteFunc(w.dead, func(m *message) bool { return !m.garbage() })
	w.sky.receives = 20
}

// close tells the history how everything stands.
func (w *world) close() {
	for _, m := range w.dead {
		if m.key != (ledger.Key{}) {
			w.note(0, invariant.Left{Key: m.key, Place: invariant.InDeadLetters})
		}
	}
	for _, r := range w.truth() {
		w.note(0, invariant.Stands{Role: r, Rules: w.rules})
	}
	w.note(0, invariant.Over{})
}

// resetBreakers is a person's work after things went wrong.
func (w *world) resetBreakers() {
	all, err := w.ledger.Breakers(ctx)
	if err != nil {
		w.err = err
	}
	for _, b := range all {
		if err := w.reset(b.Scope, oncall, "looked at", w.now); err != nil {
			w.err = err
		}
	}
}

func judgeOf(e Episode) *invariant.Judge {
	if e.Judge == nil {
		return invariant.NewJudge()
	}
	return e.Judge
}
