package chaos

import (
	"fmt"
	"log/slog"
	"time"

	"github.com/rolewarden/rolewarden/pkg/decision"
	"github.com/rolewarden/rolewarden/pkg/guard"
	"github.com/rolewarden/rolewarden/pkg/invariant"
	"github.com/rolewarden/rolewarden/pkg/ledger"
	"github.com/rolewarden/rolewarden/pkg/org"
	"github.com/rolewarden/rolewarden/pkg/sweep"
)

// worker is a place where a handling runs.
type worker struct {
	w       *world
	run     int
	fiber   *fiber
	message *message
	pending call
	began   time.Time
	rules   *org.Rules
	guard   *guard.Guard
	sweeper *sweep.Sweeper
	relay   *relay
	// drawn are the texts that unique gave.
	drawn int
}

// unique is the same at each replay of a seed.
func (k *worker) unique() string {
	k.drawn++
	return fmt.Sprintf("%d-%d", k.run, k.drawn)
}

// relay lets a guard outlive its fibers: its calls go to the present one.
type relay struct{ *fiber }

// lifetime is how long a function may run before it is stopped.
const lifetime = time.Minute

func (k *worker) begin(m *message) {
	w := k.w
	m.receives++
	w.runs++
	w.count.Handlings++
	k.run, k.message, k.began = w.runs, m, w.now
	if m.kind == personal {
		k.relay = &relay{}
	} else if k.guard == nil || k.rules != w.rules {
		k.relay = &relay{}
		log := slog.New(&logbook{worker: k})
		g, err := newGuard(k.relay, w.rules, log)
		if err == nil {
			k.sweeper, err = newSweeper(k.relay, w.rules, log, k.unique)
		}
		if err != nil {
			w.err = err
			return
		}
		k.guard, k.rules = g, w.rules
	}
	w.note(k.run, invariant.Began{Key: m.key, What: m.what})
	k.fiber = start(func() time.Time { return w.now }, func(asker) (guard.Result, error) { return k.handle(m) })
	k.relay.fiber = k.fiber
	c, ok := k.fiber.next()
	k.after(c, ok)
}

// after schedules the next call, or ends the handling.
func (k *worker) after(c call, ok bool) {
	if !ok {
		k.end()
		return
	}
	k.pending = c
	d := k.w.latency(c)
	if c.name == string(invariant.UpdateTrust) && k.w.chance(k.w.sky.snipe) {
		k.w.snipe(c.ref, d)
	}
	k.w.in(d, k.resume)
}

// resume does the call that is pending and lets the handling go on.
func (k *worker) resume() {
	w, c := k.w, k.pending
	t := w.strikes(c)
	if w.now.Sub(k.began) > lifetime {
		t = trouble{crash: true}
	}
	var r reply
	sabotaged := false
	if w.sabotage != nil {
		r, sabotaged = w.sabotage(c, func() reply { return c.do(&w.site, hand{run: k.run, answer: invariant.Yes}) })
	}
	if !sabotaged && (t.err == nil && !t.crash || t.effect) {
		r = c.do(&w.site, hand{run: k.run, stale: w.lag(c), odd: c.kind == readsRole && w.chance(w.sky.odd), answer: t.answer()})
		w.flush()
	}
	if t.crash || t.err != nil {
		w.note(k.run, invariant.Troubled{Call: c.name})
	}
	switch {
	case t.crash:
		w.count.Crashes++
		w.note(k.run, invariant.Ended{How: invariant.Crashed, Note: "at " + c.name})
		k.fiber.kill()
		k.fiber = nil
		k.again()
		return
	case t.err != nil:
		r = reply{err: t.err}
		if c.name == "Delivered" && !t.effect {
			w.note(k.run, invariant.Unrecorded{})
		}
		if w.onTrace != nil {
			w.trace("run %d: %s fails (effect %t): %v", k.run, c.name, t.effect, t.err)
		}
	}
	if f, ok := weighed(c, r); ok {
		w.note(k.run, f)
	}
	next, ok := k.fiber.resume(r)
	k.after(next, ok)
}

// weighed is what an answer tells a handling of the kill switch.
func weighed(c call, r reply) (f invariant.Weighed, ok bool) {
	to, is := r.value.(decision.Switch)
	return invariant.Weighed{Switch: to}, is && r.err == nil && c.name == "Switch"
}

// end is for a handling that ended by itself.
func (k *worker) end() {
	w, out := k.w, k.fiber.out
	k.fiber = nil
	switch {
	case out.panicked != "":
		w.note(k.run, invariant.Panicked{Value: out.panicked})
		w.note(k.run, invariant.Ended{How: invariant.Failed, Note: "panic"})
		k.again()
	case out.err != nil:
		w.history.Say(w.now, k.run, "the error", out.err.Error())
		w.note(k.run, invariant.Ended{How: invariant.Failed, Note: out.err.Error()})
		k.again()
	default:
		how := invariant.Done
		if out.result.Ignored != "" && out.result.End == ledger.InFlight {
			how = invariant.Ignoring
		}
		w.note(k.run, invariant.Ended{How: how, Note: out.result.Reason})
		if k.message.kind != delivering && k.message.kind != personal && w.chance(w.sky.again) {
			w.count.Duplicates++
			m := k.message
			w.in(time.Duration(w.rng.IntN(600))*time.Second, func() { w.waiting = append(w.waiting, m) })
		}
	}
}

// again gives the message back to its queue, or to the dead-letter queue.
func (k *worker) again() {
	w, m := k.w, k.message
	if m.kind == personal {
		k.retry()
		return
	}
	if m.kind == ticking || m.kind == delivering {
		// Lambda tries an asynchronous call three times (AWS Lambda Developer Guide,
		// invocation-async-error-handling); then the next tick comes.
		if m.receives < 3 {
			w.in(time.Duration(m.receives)*time.Minute, func() { w.waiting = append(w.waiting, m) })
		}
		return
	}
	if m.receives >= w.sky.receives {
		w.count.Dead++
		w.dead = append(w.dead, m)
		w.trace("message dies: %s", m.what)
		return
	}
	w.in(time.Duration(30+w.rng.IntN(330))*time.Second, func() { w.waiting = append(w.waiting, m) })
}
