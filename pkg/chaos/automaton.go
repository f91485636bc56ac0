package chaos

import (
	"log/slog"
	"time"

	"github.com/rolewarden/rolewarden/pkg/guard"
	"github.com/rolewarden/rolewarden/pkg/org"
)

// position is where a handling stands: what it was given and every answer it
// has had so far. The guard keeps nothing else between its calls, so the same
// message and the same answers always lead to the same next call; a position is
// found once by running the guard up to it, and remembered.
type position struct {
	id     uint64
	parent *position
	// message, of the first position.
	message *message
	// reply and now are the answer that led here, and the time it came.
	reply reply
	now   time.Time
	next  map[uint64]*position
	// call is what the handling asks for here; ended when it has come to its end.
	call  call
	ended bool
	out   ending
	depth int
}

// automaton is the guard as a tree of positions.
type automaton struct {
	digests
	rules *org.Rules
	roots map[uint64]*position
	count uint64
	// runs counts how often the guard was run, calls the calls it made then.
	runs, calls int
}

func newAutomaton(rules *org.Rules, d digests) *automaton {
	return &automaton{digests: d, rules: rules, roots: map[uint64]*position{}}
}

// begin is the position of a handling that is given a message at a time.
func (a *automaton) begin(m *message, now time.Time) (*position, error) {
	k := mix(a.text(string(m.body)), a.moment(now))
	if p, ok := a.roots[k]; ok {
		return p, nil
	}
	p := &position{message: m, now: now}
	a.roots[k] = p
	return p, a.run(p)
}

// answer is the position after an answer.
func (a *automaton) answer(p *position, r reply, now time.Time) (*position, error) {
	k := mix(a.of(r.value), a.moment(now))
	if r.err != nil {
		k = mix(k, a.text(r.err.Error()))
	}
	if n, ok := p.next[k]; ok {
		return n, nil
	}
	n := &position{parent: p, message: p.message, reply: r, now: now, depth: p.depth + 1}
	if p.next == nil {
		p.next = map[uint64]*position{}
	}
	p.next[k] = n
	return n, a.run(n)
}

// run runs the guard up to a position, to see what it asks for there.
func (a *automaton) run(to *position) error {
	a.count++
	to.id = a.count
	var way []*position
	for p := to; p.parent != nil; p = p.parent {
		way = append(way, p)
	}
	root := to
	if len(way) > 0 {
		root = way[len(way)-1].parent
	}
	now := root.now
	held := &relay{}
	g, err := newGuard(held, a.rules, slog.New(slog.DiscardHandler))
	if err != nil {
		return err
	}
	a.runs++
	held.fiber = start(func() time.Time { return now }, func(asker) (guard.Result, error) {
		if root.message.kind == later {
			return g.HandleStep(ctx, root.message.body)
		}
		return g.Handle(ctx, root.message.body)
	})
	c, ok := held.next()
	for i := len(way) - 1; i >= 0; i-- {
		now = way[i].now
		c, ok = held.resume(way[i].reply)
		a.calls++
	}
	to.call, to.ended, to.out = c, !ok, held.out
	if ok {
		held.kill()
	}
	return nil
}
