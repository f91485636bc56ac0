package invariant

import (
	"fmt"
	"strings"

	"github.com/rolewarden/rolewarden/pkg/alert"
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
	// deleted, or showed their document again, before anybody had handled that event:
	// the change is found by its event, and by what the role shows then, so nobody
	// could tell, or there was nothing to put right any more.
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
	reading, read, ok := last(x, e.Run, i, func(f Read) bool { return sameRole(f.Role.Ref(), w.Role.Ref()) })
	theirs := x.writtenBefore(i, w.Role.ID)
	if !ok || theirs < 0 || x.Entries[theirs].Run != 0 {
		return LostUpdate{}, false
	}
	f, shown := x.Entries[theirs].Fact.(Wrote), reading.Role.TrustPolicy
	l := LostUpdate{Ours: i, Theirs: theirs, Role: w.Role.Ref().String()}
	switch {
	case x.judge.Same(f.Document, w.Document), x.judge.Same(f.Document, shown):
		return l, false
	case theirs < read && !x.stood(theirs, w.Role.ID, shown):
		// Nothing that stood before theirs: IAM rewrote a principal of theirs.
		return l, false
	case theirs < read:
		l.Stale = Lagged
	}
	x.told(&l, f, x.decidedBy(e.Run, i))
	return l, true
}

// writtenBefore is the entry of the last write of a role before another; -1 for none.
func (x *indexed) writtenBefore(i int, roleID string) int {
	for k := i - 1; k >= 0; k-- {
		if f, is := x.Entries[k].Fact.(Wrote); is && f.Call == UpdateTrust && f.Role.ID == roleID {
			return k
		}
	}
	return -1
}

// stood says whether a role had a document at some time before a write.
func (x *indexed) stood(i int, roleID, document string) bool {
	for k := i; k >= 0; k = x.writtenBefore(k, roleID) {
		if f, is := x.Entries[k].Fact.(Wrote); is && x.judge.Same(f.Role.TrustPolicy, document) {
			return true
		}
	}
	return false
}

// told notes whether people were told of a lost update, and whether anybody could.
func (x *indexed) told(l *LostUpdate, theirs Wrote, decision string) {
	handled := false
	for n, e := range x.Entries {
		switch f := e.Fact.(type) {
		case Told:
			if tellsOfLost(f.Alert, theirs.Event, decision) {
				l.Detected = Detected
			}
		case Wrote:
			if n > l.Ours && f.Call == DeleteRole && f.Role.ID == theirs.Role.ID && !handled {
				l.Event = Unseen
			}
		case Concluded:
			handled = handled || n > l.Ours && f.Conclusion.Event.EventID == theirs.Event
		case Read:
			if n > l.Ours && !handled && x.standsAgain(e.Run, f, theirs) {
				l.Event = Unseen
			}
		case Lost:
			if f.Key.EventID == theirs.Event {
				l.Event = Unseen
			}
		}
	}
}

// standsAgain says whether the handling of a change is shown what it made.
func (x *indexed) standsAgain(run int, f Read, theirs Wrote) bool {
	r := x.runs[run]
	return r != nil && r.key.EventID == theirs.Event && f.Role.ID == theirs.Role.ID && x.judge.Same(f.Role.TrustPolicy, theirs.Document)
}

// tellsOfLost says whether an alert tells that the change of an event was
// overwritten by a decision's write.
func tellsOfLost(a alert.Alert, event, decision string) bool {
	if lost := a.LostUpdate; lost != nil && lost.Event == event && event != "" {
		return true
	}
	return a.Decision.ID == decision && strings.Contains(a.Outcome.Problem, "LOST UPDATE")
}

// decidedBy is the id of the decision that a handling recorded last.
func (x *indexed) decidedBy(run, before int) string {
	i, _, _ := last(x, run, before, func(Intended) bool { return true })
	return i.Intent.Decision.ID
}
