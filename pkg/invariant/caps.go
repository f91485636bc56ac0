package invariant

import (
	"fmt"
	"time"

	"github.com/rolewarden/rolewarden/pkg/decision"
)

// SwitchWithin is how long after the kill switch was turned a write may still happen.
const SwitchWithin = time.Minute

// caps is I10.
func caps(x *indexed) []Violation {
	var out []Violation
	type window struct {
		name  string
		start time.Time
	}
	counts, first := map[window]int{}, map[string]time.Time{}
	stopped := time.Time{}
	for i, e := range x.Entries {
		switch f := e.Fact.(type) {
		case Turned:
			switch f.Switch {
			case decision.WritesStopped:
				if stopped.IsZero() {
					stopped = e.At
				}
			case decision.WritesAllowed, decision.Unreadable:
				stopped = time.Time{}
			}
		case Reset:
			for w := range counts {
				if w.name == f.Scope {
					delete(counts, w)
				}
			}
		case Spent:
			if _, ok := first[f.Token]; !ok && f.Answer != No {
				first[f.Token] = e.At
			}
		case Wrote:
			if e.Run == 0 {
				continue
			}
			v := Violation{Invariant: I10, At: i, Role: f.Role.Ref().String(), Event: x.runs[e.Run].key.String()}
			if !stopped.IsZero() && e.At.Sub(stopped) > SwitchWithin {
				v.Sentence = fmt.Sprintf("%s, and the kill switch had said stop for %s", f.Call, e.At.Sub(stopped))
				out = append(out, v)
			}
			s, _, ok := last(x, e.Run, i, func(s Spent) bool { return s.Answer != No && (f.Call != UpdateTrust || s.Token == x.payment(e.Run, i)) })
			// A boundary follows a trust policy that was paid for, maybe by an earlier handling.
			if _, before := first[x.decidedBy(e.Run, i)]; !ok && (f.Call != Bound || !before) {
				v.Sentence = fmt.Sprintf("%s, and no limit was asked", f.Call)
				out = append(out, v)
				continue
			}
			if f.Call != UpdateTrust {
				continue
			}
			for _, c := range s.Counters {
				w := window{c.Name, c.Start(first[s.Token])}
				if counts[w]++; counts[w] > c.Limit {
					v.Sentence = fmt.Sprintf("it is write %d of the %d that %s may have in %s", counts[w], c.Limit, c.Name, c.Window)
					out = append(out, v)
				}
			}
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
