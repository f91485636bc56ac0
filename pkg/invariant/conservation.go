package invariant

import (
	"fmt"
	"strings"

	"github.com/rolewarden/rolewarden/pkg/ledger"
)

// fate is what became of an event.
type fate struct {
	seen      int // the entry by which it is known
	concluded int // how often it was concluded
	ignored   bool
	left      bool
}

// conservation is I1. What arrived or was taken has ended exactly once, was
// found to ask for nothing, or still has a message somewhere.
func conservation(x *indexed) []Violation {
	var out []Violation
	fates := map[ledger.Key]*fate{}
	var order []ledger.Key
	of := func(k ledger.Key, i int) *fate {
		f, ok := fates[k]
		if !ok {
			f = &fate{seen: i}
			fates[k], order = f, append(order, k)
		}
		return f
	}
	for i, e := range x.Entries {
		switch f := e.Fact.(type) {
		case Arrived:
			of(f.Key, i)
		case Took:
			// A sighting of a sweep has no message of its own until it is handed to the
			// guard, when it arrives: what is still to be seen in the role then is for the
			// sweep's message, which comes again, and for the next sweep. A person's
			// command is no event either: its end is what the person is told. Nor is what a
			// deletion resolves of another role of the name: where it is interrupted, it
			// comes again with the deletion, unless somebody else has resolved it by then.
			if sweepOf(f.Key.EventID) == "" && !strings.HasPrefix(f.Key.EventID, undoMark) && !strings.Contains(f.Key.EventID, goneMark) {
				of(f.Key, i)
			}
		case Intended:
			if !strings.HasPrefix(f.Intent.Event.EventID, undoMark) {
				of(f.Intent.Event, i)
			}
		case Concluded:
			g := of(f.Conclusion.Event, i)
			g.concluded++
			if why := g.wrongEnd(f.Conclusion); why != "" {
				out = append(out, Violation{Invariant: I1, At: i, Event: f.Conclusion.Event.String(), Sentence: why})
			}
		case Ended:
			if r := x.runs[e.Run]; f.How == Ignoring && r.key != (ledger.Key{}) {
				of(r.key, i).ignored = true
			}
		case Left:
			of(f.Key, i).left = true
		}
	}
	if x.over {
		out = append(out, vanished(fates, order)...)
	}
	return out
}

// goneMark is in the keys under which a deletion resolves what is open about other
// roles that had the name.
const goneMark = "#gone."

// undoMark begins the keys under which people's undoings are recorded.
const undoMark = "undo/"

// vanished are the events that nobody has ended and no message is about.
func vanished(fates map[ledger.Key]*fate, order []ledger.Key) []Violation {
	var out []Violation
	for _, k := range order {
		f := fates[k]
		if before := fates[ledger.Key{Account: k.Account, EventID: lookedAfter(k.EventID)}]; before != nil && before.left {
			// The message of a look bears the id of what it follows: the event, or
			// another look.
			continue
		}
		if f.concluded == 0 && !f.ignored && !f.left {
			out = append(out, Violation{Invariant: I1, At: -1, Event: k.String(), Sentence: fmt.Sprintf("it was received (entry %d), has not ended, and no message about it is left: it is lost", f.seen)})
		}
	}
	return out
}

// wrongEnd says why a conclusion is none that an event may have.
func (f *fate) wrongEnd(c ledger.Conclusion) string {
	if f.concluded == 2 {
		return "it ended a second time, as " + c.End.String()
	}
	if err := c.Check(); err != nil {
		return err.Error()
	}
	return ""
}
