package chaos

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/rolewarden/rolewarden/pkg/alert"
	"github.com/rolewarden/rolewarden/pkg/guard"
	"github.com/rolewarden/rolewarden/pkg/invariant"
	"github.com/rolewarden/rolewarden/pkg/ledger"
)

// note adds a fact to a state's history, and to what the checks will look at.
func (x *explorer) note(n *state, run int, f invariant.Fact) {
	n.past = &past{before: n.past, entry: invariant.Entry{At: n.now, Run: run, Fact: f}}
	switch f := f.(type) {
	case invariant.Told:
		a := f.Alert
		n.ghost += mix(x.text(a.ID+a.Decision.ID+a.Outcome.Problem), mix(uint64(a.State), x.text(a.Decision.Action+a.Outcome.Done)))
	case invariant.Wrote:
		if f.Call == invariant.UpdateTrust {
			n.ghost += mix(mix(x.text(f.Role.TrustPolicy), x.text(f.Document)), mix(uint64(min(run, 1)), x.read(n, run)))
		}
	case invariant.Read:
		for i := range n.workers {
			if n.workers[i].run == run {
				n.workers[i].read = x.text(f.Role.TrustPolicy)
			}
		}
	}
}

// read names what a handling read last.
func (x *explorer) read(n *state, run int) uint64 {
	for _, p := range n.workers {
		if p.run == run && run > 0 {
			return p.read
		}
	}
	return 0
}

// whereabouts says whether a state is an end. The zero value is none.
type whereabouts uint8

const (
	onTheWay whereabouts = iota
	atTheEnd
)

// look checks the history of a state; at an end, with all that must have come to rest.
func (x *explorer) look(n *state, where whereabouts) {
	h := &invariant.History{Judge: x.judge, Channels: []string{channel}, Secrets: []string{hush}, Entries: n.past.entries()}
	if where == onTheWay {
		l := lostNow(h)
		x.out.Lost += l
	} else {
		x.rest(h, n)
	}
	for _, v := range invariant.Check(h) {
		if len(x.out.Found) < x.most {
			x.out.Found = append(x.out.Found, Broken{Violation: v, Way: lines(h)})
		}
	}
	if where == onTheWay {
		return
	}
	for _, l := range invariant.LostUpdates(h) {
		if l.Detected == invariant.Detected {
			x.out.Told++
		} else if x.out.Untold++; len(x.out.Found) < x.most {
			x.out.Found = append(x.out.Found, Broken{Violation: l.Violation(), Way: lines(h)})
		}
	}
}

// lostNow says whether the last write of a history lost another.
func lostNow(h *invariant.History) int {
	n := 0
	for _, l := range invariant.LostUpdates(h) {
		if l.Ours >= len(h.Entries)-3 {
			n++
		}
	}
	return n
}

// rest puts into a history of an end where the disturbances stopped and how all stands.
func (x *explorer) rest(h *invariant.History, n *state) {
	at := 0
	for i, e := range h.Entries {
		switch f := e.Fact.(type) {
		case invariant.Wrote:
			if e.Run == 0 {
				at = i + 1
			}
		case invariant.Ended:
			if f.How == invariant.Crashed {
				at = i + 1
			}
		}
	}
	healed := append([]invariant.Entry{}, h.Entries[:at]...)
	healed = append(healed, invariant.Entry{At: n.now, Fact: invariant.Healed{}})
	h.Entries = append(healed, h.Entries[at:]...)
	x.deliver(h, n)
	x.sweep(h, n)
	if r, ok := n.iam.is(modelled); ok {
		h.Add(n.now.Add(sweptAfter), 0, invariant.Stands{Role: r, Rules: x.rules})
	}
	h.Add(n.now.Add(sweptAfter), 0, invariant.Over{})
}

// deliver tells the letters that wait, as the schedule does every five minutes.
func (x *explorer) deliver(h *invariant.History, n *state) {
	waiting, err := n.ledger.memory.Undelivered(ctx, 100)
	for _, l := range waiting {
		a, bad := alert.Parse(l.Body)
		err = errors.Join(err, bad)
		h.Add(n.now, 0, invariant.Told{Channel: channel, Alert: a, Answer: invariant.Yes})
	}
	x.err = errors.Join(x.err, err)
}

// sweptAfter is how long after all has come to rest the next sweep comes by.
const sweptAfter = 25 * time.Hour

// sweep has the next sweep see the role, on copies: what no event told of, and
// what crossing handlings left open, is for it to find.
func (x *explorer) sweep(h *invariant.History, n *state) {
	live, ok := n.iam.is(modelled)
	if !ok {
		return
	}
	run := n.runs + 1
	s := &site{now: n.now.Add(sweptAfter), iam: n.iam.copied(), ledger: n.ledger.replay(), ended: n.ended, name: n.eventID}
	s.record = func(run int, f invariant.Fact) { h.Add(s.now, run, f) }
	g, err := newGuard(atOnce{s, run}, x.rules, slog.New(slog.DiscardHandler))
	if err == nil {
		h.Add(s.now, run, invariant.Began{What: "the next sweep"})
		_, err = g.Sight(ctx, guard.Sighting{Sweep: "next", Role: live, At: s.now, Voice: guard.Aloud})
		h.Add(s.now, run, invariant.Ended{How: invariant.Done})
	}
	x.err = errors.Join(x.err, err)
}

// atOnce is an asker whose calls are done at once, and never fail.
type atOnce struct {
	site *site
	run  int
}

func (a atOnce) ask(c call) reply {
	r := c.do(a.site, hand{run: a.run, answer: invariant.Yes})
	if f, ok := weighed(c, r); ok {
		a.site.record(a.run, f)
	}
	return r
}

func (a atOnce) clock() time.Time { return a.site.now }

func lines(h *invariant.History) []string {
	var out []string
	for i, e := range h.Entries {
		out = append(out, fmt.Sprintf("%4d %s", i, e.Line(epoch)))
	}
	return out
}

// first makes the state in which everything begins: the role stands with its
// baseline, and all that led there is done with.
func (x *explorer) first() (*state, error) {
	s := &state{now: epoch, iam: newIAM(), ledger: &remembered{memory: ledger.NewMemory()}, ended: map[ledger.Key]bool{}, workers: make([]post, 1)}
	s.ledger.sum = x.of(s.ledger.memory)
	for _, who := range []string{alice, bob} {
		x.note(s, 0, invariant.Principal{ARN: who, ID: s.iam.user(who)})
	}
	x.note(s, 0, invariant.Ruled{Rules: x.rules})
	made, err := s.iam.create(s.now, modelled, "/", x.Before, nil)
	if err != nil {
		return nil, err
	}
	s.iamSum = sumIAM(x.digests, s.iam)
	x.flush(s, &site{emitted: []emission{{id: "made", event: "CreateRole", ref: modelled, document: x.Before, made: made, actor: arn(prod, "user", "bob"), at: s.now}}})
	if s, err = x.settle(s); err != nil {
		return nil, err
	}
	live, _ := s.iam.is(modelled)
	b, err := s.iam.baseline(live, epoch, epoch.Add(25*time.Hour))
	if err != nil {
		return nil, err
	}
	if r := x.do(s, call{kind: notes, name: "AddBaseline", do: func(s *site, h hand) reply { return done(s.addBaseline(h.run, b)) }}, hand{}); r.err != nil {
		return nil, r.err
	}
	s.now = epoch.Add(cmp.Or(x.Age, 48*time.Hour))
	s.workers = make([]post, x.Workers)
	s.crashes, s.stales, s.ghost, s.depth = x.Crashes, x.Stales, 0, 0
	for range max(1, x.Early) {
		x.disturb(s)
		s.now = s.now.Add(2 * time.Second)
	}
	s.now = s.now.Add(time.Second)
	return s, x.err
}

// settle lets everything happen in one order until nothing is left.
func (x *explorer) settle(s *state) (*state, error) {
	foreign := s.foreign
	s.foreign = len(x.Writes)
	for range 10_000 {
		choices := x.choices(s)
		if len(choices) == 0 {
			s.foreign = foreign
			return s, x.err
		}
		if s = x.apply(s, choices[0]); x.err != nil {
			return nil, x.err
		}
	}
	return nil, fmt.Errorf("the role of the model does not settle")
}
