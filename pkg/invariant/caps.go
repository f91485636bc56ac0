package invariant

import (
	"fmt"
	"maps"
	"strings"
	"time"

	"github.com/rolewarden/rolewarden/pkg/decision"
	"github.com/rolewarden/rolewarden/pkg/guard"
	"github.com/rolewarden/rolewarden/pkg/ledger"
)

// caps is I10.
func caps(x *indexed) []Violation {
	till := &till{indexed: x, counts: map[window]int{}, first: map[string]time.Time{}, charged: map[string][]ledger.Counter{}, paid: map[string]int{}, reset: map[string]int{}, written: map[string]string{}, stopped: -1}
	var out []Violation
	for i, e := range x.Entries {
		switch f := e.Fact.(type) {
		case Turned:
			till.turned(i, f.Switch)
		case Reset:
			maps.DeleteFunc(till.counts, func(w window, _ int) bool { return w.name == f.Scope })
			till.reset[f.Scope] = i
		case Spent:
			if _, ok := till.first[f.Token]; !ok && f.Answer != No {
				till.first[f.Token], till.paid[f.Token], till.charged[f.Token] = e.At, i, f.Counters
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
	counts map[window]int
	first  map[string]time.Time
	// charged are the counters of the first spending under each token. A decision
	// that is tried again is counted once, and may be of other rules then, where the
	// rules file changed in between: it then counts where it was counted.
	charged map[string][]ledger.Counter
	// paid and reset are the entries of the first spending under each token, and of
	// the last reset of each scope.
	paid, reset map[string]int
	// written are the RoleIds of the trust policies that decisions wrote.
	written map[string]string
	// stopped is the entry that turned the switch to stop, or -1.
	stopped int
}

func (t *till) turned(at int, to decision.Switch) {
	switch to {
	case decision.WritesStopped:
		if t.stopped < 0 {
			t.stopped = at
		}
	case decision.WritesAllowed, decision.Unreadable:
		t.stopped = -1
	}
}

// over says what a write goes beyond.
func (t *till) over(i int, e Entry, w Wrote) []string {
	if w.Resent {
		// The client sent the same call once more.
		return nil
	}
	var out []string
	if why := t.unasked(i, e); why != "" {
		out = append(out, fmt.Sprintf("%s, and %s", w.Call, why))
	}
	if t.runs[e.Run].undoing != nil {
		// The limits bound what nobody asked for; this one a person did.
		return out
	}
	if why := t.unpaid(i, e, w); why != "" {
		return append(out, fmt.Sprintf("%s, and %s", w.Call, why))
	}
	return append(out, t.counted(i, e, w)...)
}

// unasked says why the kill switch did not let a write pass. It is to be read
// right before each: then it stops all but the one call that is under way.
func (t *till) unasked(i int, e Entry) string {
	_, at, ok := last(t.indexed, e.Run, i, func(Weighed) bool { return true })
	if !ok {
		return "the kill switch was not read"
	}
	says := t.Entries[at].Fact.(Weighed).Switch
	_, theirs, busy := last(t.indexed, e.Run, i, func(f Fact) bool {
		switch f.(type) {
		case Weighed, Troubled, Alarmed, Said:
			return false
		default:
			return true
		}
	})
	u := t.runs[e.Run].undoing
	switch allTheSame := u != nil && u.Stopped == guard.WriteAllTheSame; {
	case busy && theirs > at:
		return fmt.Sprintf("the kill switch was read last before other calls (%s ago)", e.At.Sub(t.Entries[at].At))
	case says == decision.WritesAllowed && (t.stopped < 0 || t.stopped > at), says == decision.WritesStopped && allTheSame:
		return ""
	default:
		return fmt.Sprintf("the kill switch said %s", says)
	}
}

// unpaid says why a write was not let pass by the limits. Tags are counted by
// themselves or go with a trust policy that was. A boundary goes with a trust
// policy that the same decision wrote and paid for, maybe in an earlier handling
// that crashed between the two: the limits count changes of roles, and it is none
// of another.
func (t *till) unpaid(i int, e Entry, w Wrote) string {
	if w.Call == Bound {
		if id := t.decidedBy(e.Run, i); t.written[id] != w.Role.ID {
			return "decision " + id + " wrote no trust policy of the role before"
		}
		return ""
	}
	if _, ok := t.payer(i, e, w); !ok {
		return "no limit was asked"
	}
	return ""
}

// payer is the spending that a write was let pass by.
func (t *till) payer(i int, e Entry, w Wrote) (Spent, bool) {
	token := t.payment(e.Run, i)
	s, _, ok := last(t.indexed, e.Run, i, func(s Spent) bool {
		return s.Answer != No && (s.Token == token || w.Call != UpdateTrust && s.Token == t.tagging(e.Run, i, w))
	})
	return s, ok
}

// tagging is the token under which tags are counted.
func (t *till) tagging(run, before int, w Wrote) string {
	intent, ok := t.intentOf(run, before, w)
	if !ok {
		return ""
	}
	return intent.Intent.Decision.ID + "/tags"
}

// counted counts a write, and says which limits it goes beyond. Tags of one
// decision count once, however often they are tried.
func (t *till) counted(i int, e Entry, w Wrote) []string {
	var out []string
	if w.Call == UpdateTrust {
		t.written[t.decidedBy(e.Run, i)] = w.Role.ID
	}
	s, ok := t.payer(i, e, w)
	tags := strings.HasSuffix(s.Token, "/tags")
	if !ok || tags != (w.Call != UpdateTrust) {
		return nil
	}
	if tags {
		if t.written[s.Token] != "" {
			return nil
		}
		t.written[s.Token] = w.Role.ID
	}
	for _, c := range t.charged[s.Token] {
		if t.reset[c.Name] > t.paid[s.Token] {
			// It was counted before a person began the counting anew.
			continue
		}
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
