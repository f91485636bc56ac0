package chaos

import (
	"fmt"
	"strings"
	"time"

	"github.com/rolewarden/rolewarden/pkg/deployment"
	"github.com/rolewarden/rolewarden/pkg/guard"
	"github.com/rolewarden/rolewarden/pkg/invariant"
	"github.com/rolewarden/rolewarden/pkg/ledger"
)

// apply makes the next state.
func (x *explorer) apply(s *state, c choice) *state {
	n := s.child()
	switch c.kind {
	case takes:
		x.take(n, s, c.which)
	case goesOn:
		x.goOn(n, c)
	case disturbs:
		x.disturb(n)
	case ticks:
		n.now, _ = s.alarm()
	}
	return n
}

func (x *explorer) take(n, s *state, which int) {
	for i := range n.workers {
		if n.workers[i].at != nil {
			continue
		}
		q := s.queue[which]
		n.queue = s.without(which)
		n.runs++
		p, err := x.machine.begin(q.message, n.now)
		if err != nil {
			x.err = err
			return
		}
		n.workers[i] = post{at: p, run: n.runs, item: q}
		x.note(n, n.runs, invariant.Began{Key: q.message.key, What: q.message.what})
		x.arrive(n, i)
		return
	}
}

// arrive ends a handling that has come to its end, and lets a wait begin.
func (x *explorer) arrive(n *state, i int) {
	p := &n.workers[i]
	if !p.at.ended {
		p.until = time.Time{}
		if p.at.call.kind == waits {
			p.until = n.now.Add(p.at.call.pause)
		}
		return
	}
	out := p.at.out
	ended := invariant.Ended{How: invariant.Done, Note: out.result.Reason}
	switch {
	case out.panicked != "":
		x.note(n, p.run, invariant.Panicked{Value: out.panicked})
		ended = invariant.Ended{How: invariant.Failed, Note: "panic"}
	case out.err != nil:
		ended = invariant.Ended{How: invariant.Failed, Note: out.err.Error()}
	case out.result.Ignored != "" && out.result.End == ledger.InFlight:
		ended.How = invariant.Ignoring
	}
	x.note(n, p.run, ended)
	if ended.How == invariant.Failed {
		n.queue = add(n.queue, queued{p.item.message, p.item.sum, n.now.Add(visibility)})
	}
	*p = post{}
}

// goOn does the call for which a worker waits.
func (x *explorer) goOn(n *state, c choice) {
	p := n.workers[c.which]
	k := p.at.call
	if c.back > 0 {
		n.stales--
	}
	var r reply
	if c.crash != diesBefore {
		answer := invariant.Yes
		if c.crash == diesAfter {
			answer = invariant.NoAnswer
		}
		r = x.do(n, k, hand{run: p.run, back: c.back, answer: answer})
	}
	if c.crash != lives {
		n.crashes--
		x.note(n, p.run, invariant.Troubled{Call: k.name})
		x.note(n, p.run, invariant.Ended{How: invariant.Crashed, Note: "at " + k.name})
		n.queue = add(n.queue, queued{p.item.message, p.item.sum, n.now.Add(visibility)})
		n.workers[c.which] = post{}
		return
	}
	if f, ok := weighed(k, r); ok {
		x.note(n, p.run, f)
	}
	next, err := x.machine.answer(p.at, r, n.now)
	if err != nil {
		x.err = err
		return
	}
	n.workers[c.which].at = next
	x.arrive(n, c.which)
}

// do does a call on the state.
func (x *explorer) do(n *state, k call, h hand) reply {
	s := &site{now: n.now, iam: n.iam, name: n.eventID, ledger: n.ledger.memory, ended: n.ended, record: func(run int, f invariant.Fact) { x.note(n, run, f) }}
	wrote := false
	switch k.kind {
	case writes:
		s.iam = n.iam.copied()
		wrote = k.name == "UpdateAssumeRolePolicy"
	case notes:
		s.ledger = n.ledger.replay()
	case waits, readsRole, readsPrincipal, opens, tells, remembers, asks, verifies, sends, kinds:
	}
	if x.without != nil && x.without(k) {
		return reply{}
	}
	r := k.do(s, h)
	switch k.kind {
	case writes:
		n.iam, n.iamSum = s.iam, sumIAM(x.digests, s.iam)
	case notes:
		m := s.ledger.(*ledger.Memory)
		if sum := x.of(m); sum != n.ledger.sum {
			now := n.now
			n.ledger = &remembered{before: n.ledger, memory: m, sum: sum, length: n.ledger.length + 1, do: func(s *site) {
				s.now = now
				k.do(s, h)
			}}
			n.ended = s.ended
		}
	case waits, readsRole, readsPrincipal, opens, tells, remembers, asks, verifies, sends, kinds:
	}
	x.flush(n, s)
	if wrote {
		x.look(n, onTheWay)
	}
	return r
}

// disturb lets others write.
func (x *explorer) disturb(n *state) {
	s := &site{now: n.now, iam: n.iam.copied(), name: n.eventID, record: func(run int, f invariant.Fact) { x.note(n, run, f) }}
	n.foreign++
	if err := s.update(0, arn(prod, "user", "mallory"), "", modelled, x.Writes[n.foreign-1]); err != nil {
		x.err = err
		return
	}
	n.iam, n.iamSum = s.iam, sumIAM(x.digests, s.iam)
	x.flush(n, s)
}

// eventID names an event by who made the change, and how many they made.
func (s *state) eventID(by string) string {
	if strings.Contains(by, deployment.RemediatorRole) {
		s.own++
		return fmt.Sprintf("ours-%d", s.own)
	}
	return fmt.Sprintf("theirs-%d", s.foreign)
}

// flush puts events and steps on the queue.
func (x *explorer) flush(n *state, s *site) {
	for _, e := range s.emitted {
		copies := max(1, x.Copies)
		if e.source != "" {
			copies = 1
		}
		told := e.told()
		m := x.message(told.body(), message{key: ledger.Key{Account: told.account, EventID: e.id}, what: e.event + " " + e.id})
		x.note(n, 0, invariant.Arrived{Key: m.key, Document: told.document()})
		for range copies {
			n.queue = add(n.queue, queued{m, x.text(string(m.body)), n.now})
		}
	}
	for _, step := range s.sent {
		x.later(n, step)
	}
}

func (x *explorer) later(n *state, step guard.Step) {
	body, err := step.Body()
	if err != nil {
		x.err = err
		return
	}
	m := x.message(body, message{key: ledger.Key{Account: step.Change.Account, EventID: step.Change.EventID}, kind: later, what: fmt.Sprintf("%s %d of %s", step.Step, step.Attempt, step.Change.EventID)})
	n.queue = add(n.queue, queued{m, x.text(string(body)), n.now.Add(min(step.Delay(n.now), 15*time.Minute))})
}

// message gives the one message with a body.
func (x *explorer) message(body []byte, m message) *message {
	if known, ok := x.bodies[string(body)]; ok {
		return known
	}
	m.body = body
	x.bodies[string(body)] = &m
	return &m
}

func add(list []queued, q queued) []queued { return append(list[:len(list):len(list)], q) }
