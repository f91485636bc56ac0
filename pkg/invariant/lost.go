package invariant

import (
	"fmt"
	"strings"
)

// LostUpdate is a write of ours that replaced somebody else's, which the
// handling had not seen. IAM has no compare-and-set, so the window between the
// last reading and the write stays; what falls into it has to be told.
type LostUpdate struct {
	// Ours and Theirs are the entries of the two writes.
	Ours, Theirs int
	Role         string
	// Stale: theirs came before the reading, which lagged.
	Stale Lag
	// Detected: people were told.
	Detected Detection
	// Event is Unseen where no event ever told of their write, or the role was
	// deleted since: nobody could tell, and nobody has anything to put right.
	Event Knowledge
}

// Violation says that nobody was told of a lost update, which breaks T64.
func (l LostUpdate) Violation() Violation {
	return Violation{Invariant: I7, At: l.Ours, Role: l.Role, Sentence: fmt.Sprintf("the write replaced somebody else's of entry %d, which the handling had not seen (the reading was %s), and nobody was told of the lost update", l.Theirs, l.Stale)}
}

// Lag says whether a reading lagged behind a write.
type Lag uint8

// Whether a reading lagged.
const (
	Current Lag = iota
	Lagged
)

// Detection says whether people were told of a lost update.
type Detection uint8

// Whether people were told.
const (
	Undetected Detection = iota
	Detected
)

// LostUpdates gives the lost updates of a history.
func LostUpdates(h *History) []LostUpdate {
	x := index(h)
	var out []LostUpdate
	each(x, func(i int, e Entry, w Wrote) {
		if e.Run == 0 || w.Call != UpdateTrust {
			return
		}
		if l, ok := x.lost(i, e, w); ok {
			out = append(out, l)
		}
	})
	return out
}

func (x *indexed) lost(i int, e Entry, w Wrote) (LostUpdate, bool) {
	_, read, ok := last(x, e.Run, i, func(f Read) bool { return sameRole(f.Role.Ref(), w.Role.Ref()) })
	if !ok {
		return LostUpdate{}, false
	}
	theirs := -1
	for k := i - 1; k >= 0 && theirs < 0; k-- {
		if f, is := x.Entries[k].Fact.(Wrote); is && f.Call == UpdateTrust && f.Role.ID == w.Role.ID {
			theirs = k
		}
	}
	if theirs < 0 || x.Entries[theirs].Run != 0 {
		return LostUpdate{}, false
	}
	f := x.Entries[theirs].Fact.(Wrote)
	shown := x.Entries[read].Fact.(Read).Role.TrustPolicy
	switch {
	case x.judge.Same(f.Document, w.Document), x.judge.Same(f.Document, shown):
		return LostUpdate{}, false
	case theirs < read && !x.judge.Same(shown, f.Role.TrustPolicy):
		// Not the document that theirs replaced: IAM rewrote a principal.
		return LostUpdate{}, false
	}
	l := LostUpdate{Ours: i, Theirs: theirs, Role: w.Role.Ref().String()}
	if theirs < read {
		l.Stale = Lagged
	}
	decision := x.decidedBy(e.Run, i)
	each(x, func(_ int, _ Entry, t Told) {
		switch a := t.Alert; {
		case a.LostUpdate != nil && a.LostUpdate.Event == f.Event && f.Event != "":
			l.Detected = Detected
		case a.Decision.ID == decision && strings.Contains(a.Outcome.Problem, "LOST UPDATE"):
			l.Detected = Detected
		}
	})
	each(x, func(n int, _ Entry, later Wrote) {
		if n > i && later.Call == DeleteRole && later.Role.ID == w.Role.ID {
			l.Event = Unseen
		}
	})
	each(x, func(_ int, _ Entry, gone Lost) {
		if gone.Key.EventID == f.Event {
			l.Event = Unseen
		}
	})
	return l, true
}

// decidedBy is the id of the decision that a handling recorded last.
func (x *indexed) decidedBy(run, before int) string {
	i, _, _ := last(x, run, before, func(Intended) bool { return true })
	return i.Intent.Decision.ID
}
