package matrix

import (
	"errors"
	"slices"
	"time"

	"github.com/rolewarden/rolewarden/pkg/deployment"
	"github.com/rolewarden/rolewarden/pkg/guard"
	"github.com/rolewarden/rolewarden/pkg/ledger"
	"github.com/rolewarden/rolewarden/pkg/sweep"
)

// message is one message of a queue.
type message struct {
	queue string
	body  string
	due   time.Time
	tries int
}

// The queues. Lambda takes messages from them, which is no call of ours.
const (
	intake = deployment.IntakeQueue
	later  = deployment.LaterQueue
	swept  = deployment.SweepQueue
)

// visibility is for how long a message that failed stays out of sight, and
// mostTries how often it is handed out before it goes to the dead-letter queue.
const (
	visibility = 3 * time.Minute
	mostTries  = 5
)

// manyMessages is from when on messages multiply, mostMessages how many are
// handled at most once all is well.
const (
	manyMessages = 200
	mostMessages = 5000
)

// run hands every message that is due to its function, until none waits that
// comes before a time.
func (w *world) run(until time.Time) {
	for n := 0; ; n++ {
		if n > mostMessages && w.well {
			w.t.Fatalf("%d messages and no end: something answers itself", n)
		}
		if n > manyMessages && !w.well {
			w.multiplies = true
			return
		}
		slices.SortStableFunc(w.waiting, func(a, b message) int { return a.due.Compare(b.due) })
		if len(w.waiting) == 0 || w.waiting[0].due.After(until) {
			return
		}
		m := w.waiting[0]
		w.waiting = w.waiting[1:]
		time.Sleep(time.Until(m.due))
		w.hand(m)
	}
}

// hand hands out one message.
func (w *world) hand(m message) {
	m.tries++
	err := w.handle(m)
	if err == nil {
		return
	}
	w.errors = append(w.errors, err.Error())
	if m.tries >= mostTries {
		w.dead = append(w.dead, m)
		return
	}
	m.due = time.Now().Add(visibility)
	w.waiting = append(w.waiting, m)
}

// handle lets the function have a message.
func (w *world) handle(m message) error {
	w.say("a message", m.body)
	if m.queue == swept {
		run := w.sweeping()
		_, err := w.as(run, ledger.Key{}, m.queue+" "+m.body, func() (guard.Result, error) {
			asked, err := sweep.ParseMessage([]byte(m.body))
			if err == nil {
				_, err = run.sweeper.Handle(run.ctx, asked, m.tries)
			}
			return guard.Result{}, err
		})
		return err
	}
	run := w.guarding()
	handle := run.guard.Handle
	if m.queue == later {
		handle = run.guard.HandleStep
	}
	res, err := w.as(run, m.keyOf(), m.queue, func() (guard.Result, error) { return handle(run.ctx, []byte(m.body)) })
	if err == nil && res.Ignored == "" && len(res.Steps) == 0 {
		w.ends = append(w.ends, res.End.String())
	}
	return err
}

// survived gives the error of a handling; a crash is one.
func (w *world) survived(run *running, err error) error {
	if run.process.Dead() {
		w.crashes++
		return errors.Join(errCrashed)
	}
	return err
}

// begin begins a sweep, as the schedule does: one that fails comes again, as
// Lambda's two retries do.
func (w *world) begin() error {
	var err error
	id := sweep.IDAt(time.Now())
	for range 3 {
		run := w.sweeping()
		_, err = w.as(run, ledger.Key{}, "sweep "+id, func() (guard.Result, error) {
			_, err := run.sweeper.Begin(run.ctx, id)
			return guard.Result{}, err
		})
		if err == nil {
			return nil
		}
		w.errors = append(w.errors, err.Error())
		time.Sleep(time.Minute)
	}
	return err
}

// deliver sends what waits, as the schedule does.
func (w *world) deliver() {
	run := w.sweeping()
	_, err := w.as(run, ledger.Key{}, "alerts that wait", func() (guard.Result, error) {
		_, err := run.sweeper.Deliver(run.ctx)
		return guard.Result{}, err
	})
	if err != nil {
		w.errors = append(w.errors, err.Error())
	}
}
