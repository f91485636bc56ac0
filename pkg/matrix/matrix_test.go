package matrix

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rolewarden/rolewarden/pkg/awsapi/actions"
	"github.com/rolewarden/rolewarden/pkg/invariant"
)

// calls are those of the functions that act: every one must have its cells.
func calls() []Call {
	var out []Call
	for _, a := range actions.All() {
		if a.Function == actions.Guard || a.Function == actions.Sweep {
			out = append(out, Call{a.Function, a.Name, a.Under})
		}
	}
	return out
}

// made counts the calls that each story makes when nothing goes wrong.
func made(t *testing.T) map[string]map[Call]int {
	out := map[string]map[Call]int{}
	var mu sync.Mutex
	t.Run("nothing goes wrong", func(t *testing.T) {
		for _, s := range stories() {
			t.Run(s.name, func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					w := newWorld(t)
					got := w.tell(s, Cell{Story: s.name})
					if got.fired != 0 || len(got.breaches) > 0 {
						t.Errorf("%d calls went wrong, %q; errors %q\n%s", got.fired, got.breaches, w.errors, w.lines())
					}
					mu.Lock()
					defer mu.Unlock()
					out[s.name] = got.counts
				})
			})
		}
	})
	return out
}

// outcome is what became of a cell.
type outcome struct {
	cell     Cell
	fired    int
	counts   map[Call]int
	during   string
	after    string
	breaches []string
	// judged are those that the room invariant finds.
	judged []string
}

// tell tells a story with a cell's fault, and then lets AWS be well again.
func (w *world) tell(s story, c Cell) outcome {
	s.setup(w)
	w.log.Reset()
	w.told, w.errors = nil, nil
	w.wire.Arm(c.Call, c.Fault, c.When)
	s.acts(w)
	w.run(time.Now().Add(time.Hour))
	got := outcome{cell: c, counts: w.wire.Counts()}
	got.fired = w.wire.Heal()
	for _, cure := range w.cures {
		cure()
	}
	w.note(0, invariant.Healed{})
	got.judged = w.judged(onTheWay)
	got.during = w.state(s)
	got.breaches = slices.Concat(w.breaches(s, c, got.fired), w.lost())
	// Of a role that cannot be found there is nothing to tell; the sweep finds it.
	if !w.heard(s) && !strings.HasPrefix(got.during, "Superseded") {
		got.breaches = append(got.breaches, "I7: nobody hears of it, and nothing waits")
	}
	w.recover()
	got.judged = append(got.judged, w.judged(atTheEnd)...)
	got.after = w.state(s)
	got.breaches = append(got.breaches, w.breaches(s, c, got.fired)...)
	for _, k := range w.keys {
		if w.endOf(k) == 0 {
			got.breaches = append(got.breaches, "I1: event "+k.EventID+" never ends")
		}
	}
	if len(w.dead)+len(w.waiting) > 0 {
		got.breaches = append(got.breaches, fmt.Sprintf("I1: %d messages are dead and %d wait though all is well", len(w.dead), len(w.waiting)))
	}
	// A role that could not be put right is held, and people know.
	given := []string{"Held", "Tagged", "Told"}
	held := (slices.Contains(given, got.after) || s.state != nil && slices.ContainsFunc(w.ends, func(e string) bool { return slices.Contains(given, e) })) && (s.tells == "" || w.hasTold(s.tells))
	// What could not be done beside the write that counts is told as such.
	told := got.after != "InFlight" && w.alarmed("write-incomplete") && s.tells != "" && w.hasTold(s.tells)
	// Whoever is not to be seen for long is gone, and a role that let in nobody else
	// lets in nobody.
	shut := c.Call.Name == "iam:GetUser" && c.When == Always && s.past && quarantined(prod, "app")(w) == ""
	if why := s.good(w); why != "" && !held && !told && !shut {
		got.breaches = append(got.breaches, "I6: "+why)
	}
	if s.tells != "" && !w.hasTold(s.tells) {
		got.breaches = append(got.breaches, "I7: nobody was told")
	}
	got.breaches = append(got.breaches, got.judged...)
	slices.Sort(got.breaches)
	got.breaches = slices.Compact(got.breaches)
	return got
}

// cells gives every cell that is tried, and the impossible ones with the reason.
func cells(made map[string]map[Call]int) (tried []Cell, impossible map[Cell]string) {
	impossible = map[Cell]string{}
	for _, call := range calls() {
		for _, s := range told(call, made) {
			for _, f := range Faults() {
				for _, when := range Moments() {
					c := Cell{Call: call, Fault: f, When: when, Story: s}
					if why := never(c, made[s][call]); why != "" {
						impossible[c] = why
						continue
					}
					tried = append(tried, c)
				}
			}
		}
	}
	return tried, impossible
}

// told gives the stories in which a call is tried: the first that makes it twice,
// or at all; of a call that changes a role, all.
func told(call Call, made map[string]map[Call]int) []string {
	if _, name, _ := strings.Cut(call.Name, ":"); slices.Contains(writes, name) {
		var all []string
		for _, s := range stories() {
			if made[s.name][call] > 0 {
				all = append(all, s.name)
			}
		}
		return all
	}
	once := ""
	for _, s := range stories() {
		switch n := made[s.name][call]; {
		case n >= 2:
			return []string{s.name}
		case n == 1:
			once = cmp.Or(once, s.name)
		}
	}
	if once == "" {
		return nil
	}
	return []string{once}
}

// Every call of the functions that act goes wrong in every way that there is,
// and whatever happens then, nothing is written that must not be, nothing is lost,
// and people hear of it.
func TestMatrix(t *testing.T) {
	made := made(t)
	if t.Failed() {
		return
	}
	for _, call := range calls() {
		switch why, listed := unmade()[call]; {
		case len(told(call, made)) == 0 && !listed:
			t.Errorf("no story makes the call %s: tell one, so that it is known what happens when it goes wrong", call)
		case len(told(call, made)) > 0 && listed:
			t.Errorf("the call %s is made and yet listed as not made: %s", call, why)
		}
	}
	tried, impossible := cells(made)
	by := map[string]story{}
	for _, s := range stories() {
		by[s.name] = s
	}
	var mu sync.Mutex
	all := map[Cell]outcome{}
	began := time.Now()
	t.Run("cells", func(t *testing.T) {
		for i, c := range tried {
			if i%every != 0 {
				continue
			}
			t.Run(c.String(), func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					w := newWorld(t)
					got := w.tell(by[c.Story], c)
					for _, b := range got.breaches {
						t.Errorf("%s\n%s -> %s", b, got.during, got.after)
					}
					if got.fired == 0 {
						t.Error("nothing went wrong: the cell is empty")
					}
					if t.Failed() && testing.Verbose() {
						t.Logf("errors %q\n%s\n%s", w.errors, w.log.String(), w.lines())
					}
					mu.Lock()
					defer mu.Unlock()
					all[c] = got
				})
			})
		}
	})
	results := map[Cell]Ends{}
	for c, got := range all {
		results[c] = Ends{got.during, got.after}
	}
	t.Logf("%d cells in %s, %d impossible\n%s", len(all), time.Since(began).Round(time.Second), len(impossible), Table(results))
	if len(all) < len(tried) || t.Failed() {
		return // some tests were left out on purpose
	}
	page(t, results, impossible)
}
