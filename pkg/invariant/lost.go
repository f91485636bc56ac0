package invariant

import (
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
	each(x, func(n int, _ Entry, t Told) {
		if n > i && t.Alert.Role.ARN == w.Role.ARN && speaksOfLoss(t.Alert) {
			l.Detected = Detected
		}
	})
	return l, true
}

// speaksOfLoss says whether an alert tells of a lost update.
func speaksOfLoss(a alert.Alert) bool {
	for _, s := range append([]string{a.Outcome.Problem, a.Undo, a.Mend}, append(a.Reasons, a.Decision.Reasons...)...) {
		if s = strings.ToUpper(s); strings.Contains(s, "LOST UPDATE") || strings.Contains(s, "LOST_UPDATE") {
			return true
		}
	}
	return false
}
