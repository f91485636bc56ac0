package chaos

import (
	"math"
	"time"

	"github.com/rolewarden/rolewarden/pkg/invariant"
	"github.com/rolewarden/rolewarden/pkg/org"
	"github.com/rolewarden/rolewarden/pkg/role"
)

// Scenario is what the model check tries in every order: one role, others that
// write it, two workers, and how much may go wrong.
type Scenario struct {
	Name string
	// Before is the role's document that has become a baseline.
	Before string
	// Writes are what others write, in their order, each at any moment.
	Writes []string
	// Age is how old the role is when it is opened; zero is two days. A role
	// younger than an hour has no past.
	Age time.Duration
	// Early is how many of them they have made before anything is handled, two
	// seconds apart; zero is one.
	Early int
	// Copies is how often each of their events comes.
	Copies  int
	Workers int
	// Crashes and Stales bound how often a handling vanishes and a reading lags.
	Crashes, Stales int
	// States bounds the states; zero is no bound.
	States int
	// without makes calls of which nothing comes though they seem to work, to see
	// that a mistake is found; nil for none.
	without func(call) bool
	// Depth bounds the steps from the first foreign write; zero is no bound.
	Depth int
}

// Explored is what the model check saw.
type Explored struct {
	States, Edges, Ends, Positions, GuardRuns, Deepest int
	// Whole says that every order was tried.
	Whole Extent
	// Lost are the writes that replaced one which the handling had not seen;
	// Told and Untold count the ends of those by whether people were told.
	Lost, Told, Untold int
	Found              []Broken
}

// Extent says how much was explored.
type Extent uint8

// The extents.
const (
	Bounded Extent = iota
	Exhausted
)

// String gives "bounded" or "exhausted".
func (e Extent) String() string {
	if e == Exhausted {
		return "exhausted"
	}
	return "bounded"
}

// Broken is a violation with the way that leads to it.
type Broken struct {
	Violation invariant.Violation
	Way       []string
}

// staleness is for how long IAM may show what it showed before.
const staleness = time.Minute

// visibility is after what time a message that was not done with comes again.
const visibility = 6 * time.Minute

// choice is one thing that may happen next.
type choice struct {
	kind choiceKind
	// which worker or message, how many versions back a reading lags.
	which, back int
	crash       crashKind
}

type choiceKind uint8

const (
	takes choiceKind = iota
	goesOn
	disturbs
	ticks
)

type crashKind uint8

const (
	lives crashKind = iota
	diesBefore
	diesAfter
)

// explorer walks through all states.
type explorer struct {
	Scenario
	digests
	machine *automaton
	rules   *org.Rules
	judge   *invariant.Judge
	// seen are the states, each with the fewest steps that lead there; finished are
	// those from which the undisturbed way to the end was gone.
	seen     map[uint64]uint16
	finished map[uint64]bool
	bodies   map[string]*message
	out      Explored
	err      error
	most     int
}

// modelled is the role of the model check.
var modelled = role.Ref{Account: prod, Name: "app"}

// Explore tries a scenario.
func Explore(s Scenario, judge *invariant.Judge) (Explored, error) {
	variants, err := rulesFiles(wideLimits)
	if err != nil {
		return Explored{}, err
	}
	d := newDigests()
	x := &explorer{Scenario: s, digests: d, rules: variants[0], machine: newAutomaton(variants[0], d), judge: judge, seen: map[uint64]uint16{}, finished: map[uint64]bool{}, bodies: map[string]*message{}, most: 10}
	first, err := x.first()
	if err != nil {
		return Explored{}, err
	}
	x.walk(first)
	x.out.States, x.out.Positions, x.out.GuardRuns = len(x.seen), int(x.machine.count), x.machine.runs
	return x.out, x.err
}

// frame is a state on the way, and what of it was tried.
type frame struct {
	state   *state
	choices []choice
	tried   int
}

// walk goes depth first through every order of what may happen.
func (x *explorer) walk(first *state) {
	x.out.Whole = Exhausted
	stack := []frame{{state: first, choices: x.choices(first)}}
	x.seen[first.sum(x.digests)] = 0
	for len(stack) > 0 && x.err == nil {
		f := &stack[len(stack)-1]
		if f.tried == len(f.choices) {
			stack = stack[:len(stack)-1]
			continue
		}
		c := f.choices[f.tried]
		f.tried++
		next := x.apply(f.state, c)
		if x.err != nil {
			return
		}
		x.out.Edges++
		x.out.Deepest = max(x.out.Deepest, next.depth)
		sum := next.sum(x.digests)
		if at, ok := x.seen[sum]; ok && int(at) <= next.depth {
			continue
		}
		x.seen[sum] = uint16(next.depth)
		if x.States > 0 && len(x.seen) >= x.States || len(x.out.Found) >= x.most {
			x.out.Whole = Bounded
			return
		}
		if x.Depth > 0 && next.depth >= x.Depth {
			x.out.Whole = Bounded
			x.finish(next)
			continue
		}
		choices := x.choices(next)
		if len(choices) == 0 {
			x.out.Ends++
			x.look(next, atTheEnd)
			continue
		}
		stack = append(stack, frame{state: next, choices: choices})
	}
}

// finish goes on from a state without any more disturbance until all has come to
// rest, as far as no other way has come by before.
func (x *explorer) finish(s *state) {
	for x.err == nil {
		sum := s.sum(x.digests)
		if x.finished[sum] {
			return
		}
		x.finished[sum] = true
		if _, ok := x.seen[sum]; !ok {
			// It counts as a state, and hinders nobody from coming by on a shorter way.
			x.seen[sum] = math.MaxUint16
		}
		choices := x.choices(s)
		if len(choices) == 0 {
			x.out.Ends++
			x.look(s, atTheEnd)
			return
		}
		s = x.apply(s, choices[0])
		x.out.Edges++
	}
}

// choices are what may happen next; the first one disturbs nothing.
func (x *explorer) choices(s *state) []choice {
	var out []choice
	running, idle := false, -1
	for i, p := range s.workers {
		switch {
		case p.at == nil:
			idle = i
		case !p.until.After(s.now):
			running = true
			out = append(out, x.steps(s, i)...)
		}
	}
	if idle >= 0 {
		taken := map[uint64]bool{}
		for i, q := range s.queue {
			if !q.at.After(s.now) && !taken[q.sum] {
				taken[q.sum] = true
				out = append(out, choice{kind: takes, which: i})
			}
		}
	}
	if s.foreign < len(x.Writes) {
		out = append(out, choice{kind: disturbs})
	}
	if _, ok := s.alarm(); ok && !running {
		out = append(out, choice{kind: ticks})
	}
	return out
}

// steps are the ways in which a worker may go on.
func (x *explorer) steps(s *state, i int) []choice {
	c := s.workers[i].at.call
	out := []choice{{kind: goesOn, which: i}}
	if c.kind == readsRole && s.stales > 0 {
		for back := 1; back <= s.iam.older(c.ref, s.now, staleness); back++ {
			out = append(out, choice{kind: goesOn, which: i, back: back})
		}
	}
	if s.crashes > 0 {
		out = append(out, choice{kind: goesOn, which: i, crash: diesBefore})
		if lasting(c.kind) {
			out = append(out, choice{kind: goesOn, which: i, crash: diesAfter})
		}
	}
	return out
}

// alarm is the next time at which something becomes possible that is not now.
func (s *state) alarm() (time.Time, bool) {
	var next time.Time
	note := func(t time.Time) {
		if t.After(s.now) && (next.IsZero() || t.Before(next)) {
			next = t
		}
	}
	for _, q := range s.queue {
		note(q.at)
	}
	for _, p := range s.workers {
		if p.at != nil {
			note(p.until)
		}
	}
	return next, !next.IsZero()
}
