package invariant

import (
	"fmt"
	"maps"
	"time"

	"github.com/rolewarden/rolewarden/pkg/decision"
)

// SwitchWithin is how long after the kill switch was turned a write may still happen.
const SwitchWithin = time.Minute

// caps is I10.
func caps(x *indexed) []Violation {
	till := &till{indexed: x, counts: map[window]int{}, first: map[string]time.Time{}}
	var out []Violation
	for i, e := range x.Entries {
		switch f := e.Fact.(type) {
		case Turned:
			till.turned(e.At, f.Switch)
		case Reset:
			maps.DeleteFunc(till.counts, func(w window, _ int) bool { return w.name == f.Scope })
		case Spent:
			if _, ok := till.first[f.Token]; !ok && f.Answer != No {
				till.first[f.Token] = e.At
			}
		case Wrote:
			if e.Run == 0 {
				continue
			}
			for _, why := range till.over(i, e, f) {
				out = append(out, Violation{Invariant: I10, At: i, Role: f.Role.Ref().String(), Event: x.runs[e.Run].key.String(), Sentence: why})
			}
		}
	}
	return out
}

// window is a window of a counter.
type window struct {
	name  string
	start time.Time
}

// till knows what was written and paid for, and since when the switch says stop.
type till struct {
	*indexed
	counts  map[window]int
	first   map[string]time.Time
	stopped time.Time
}

func (t *till) turned(at time.Time, to decision.Switch) {
	switch to {
	case decision.WritesStopped:
		if t.stopped.IsZero() {
			t.stopped = at
		}
	case decision.WritesAllowed, decision.Unreadable:
		t.stopped = time.Time{}
	}
}

// over says what a write goes beyond.
func (t *till) over(i int, e Entry, w Wrote) []string {
	var out []string
	if !t.stopped.IsZero() && e.At.Sub(t.stopped) > SwitchWithin {
		out = append(out, fmt.Sprintf("%s, and the kill switch had said stop for %s", w.Call, e.At.Sub(t.stopped)))
	}
	s, _, ok := last(t.indexed, e.Run, i, func(s Spent) bool {
		return s.Answer != No && (w.Call != UpdateTrust || s.Token == t.payment(e.Run, i))
	})
	// A boundary follows a trust policy that was paid for, maybe by an earlier handling.
	if _, before := t.first[t.decidedBy(e.Run, i)]; !ok && (w.Call != Bound || !before) {
		return append(out, fmt.Sprintf("%s, and no limit was asked", w.Call))
	}
	if w.Call != UpdateTrust {
		return out
	}
	for _, c := range s.Counters {
		k := window{c.Name, c.Start(t.first[s.Token])}
		if t.counts[k]++; t.counts[k] > c.Limit {
			out = append(out, fmt.Sprintf("it is write %d of the %d that %s may have in %s", t.counts[k], c.Limit, c.Name, c.Window))
		}
	}
	return out
}

// payment is the token under which the write was counted that a handling
// intended last.
func (x *indexed) payment(run, before int) string {
	i, _, _ := last(x, run, before, func(Intended) bool { return true })
	if i.Intent.Payment != "" {
		return i.Intent.Payment
	}
	return i.Intent.Decision.ID
}

// secrets is I11.
func secrets(x *indexed) []Violation {
	var out []Violation
	each(x, func(i int, _ Entry, f Said) {
		out = append(out, Violation{Invariant: I11, At: i, Sentence: f.Where + " holds a secret"})
	})
	return out
}

// mostCalls bounds one handling where the history gives no bound of its own.
const mostCalls = 1000

// totality is I12.
func totality(x *indexed) []Violation {
	var out []Violation
	most := x.MaxCalls
	if most == 0 {
		most = mostCalls
	}
	each(x, func(i int, e Entry, f Panicked) {
		out = append(out, Violation{Invariant: I12, At: i, Sentence: "a handling panicked: " + f.Value})
	})
	for n := range len(x.runs) + 1 {
		if r := x.runs[n]; r != nil && len(r.entries) > most {
			out = append(out, Violation{Invariant: I12, At: r.entries[most], Event: r.key.String(), Sentence: fmt.Sprintf("a handling made more than %d calls", most)})
		}
	}
	return out
}
