package invariant

import (
	"fmt"
	"slices"
	"strings"

	"github.com/rolewarden/rolewarden/pkg/alert"
	"github.com/rolewarden/rolewarden/pkg/decision"
	"github.com/rolewarden/rolewarden/pkg/finding"
	"github.com/rolewarden/rolewarden/pkg/ledger"
	"github.com/rolewarden/rolewarden/pkg/meter"
	"github.com/rolewarden/rolewarden/pkg/role"
)

// alerts is I7.
func alerts(x *indexed) []Violation {
	out := append(repeats(x), again(x)...)
	if !x.over {
		return out
	}
	heard := map[hearing]bool{}
	alarmed, unread := map[string]bool{}, map[string]bool{}
	for _, e := range x.Entries {
		switch f := e.Fact.(type) {
		case Told:
			if a := f.Alert; a.Change != nil && a.LostUpdate == nil {
				heard[hearing{f.Channel, a.ID, a.Change.EventID, ""}] = true
				heard[hearing{f.Channel, "", a.Change.EventID, a.Role.ID}] = true
				heard[hearing{f.Channel, "", a.Change.EventID, ""}] = true
				heard[hearing{f.Channel, "", a.Decision.ID, a.Role.ID}] = true
			}
		case Alarmed:
			switch f.Word {
			case meter.WordAlertRefused, meter.WordMalformedAlert:
				alarmed[f.Key] = true
			case meter.WordReadDenied, meter.WordTrouble:
				// Of a sighting that cannot be gone on with only the alarm tells: a sweep
				// over an account that shuts us out would tell of every role of it.
				unread[f.Key] = true
			}
		}
	}
	quiet := map[string]string{}
	each(x, func(i int, _ Entry, f Concluded) {
		c := f.Conclusion
		sweep := sweepOf(c.Event.EventID)
		if x.leftToASweep(c, quiet) || !asksToBeTold(c) || alarmed[c.Event.EventID] || c.State == nil && sweep != "" && unread[sweep] {
			return
		}
		for _, channel := range x.Channels {
			if !x.wasHeard(heard, channel, c) {
				out = append(out, Violation{Invariant: I7, At: i, Event: c.Event.String(), Role: nameIn(c.State), Sentence: fmt.Sprintf("it ended as %s and %s was told nothing of it", c.End, channel)})
			}
		}
	})
	return out
}

// hearing is what a channel was told: of a thread or of a role, under an event or,
// of a role, under a decision.
type hearing struct{ channel, thread, event, roleID string }

// wasHeard says whether a channel was told of an end: under its own event, or
// under the event that the open alert was told under last, when it says the same. A
// second look tells under the event that made what it finds, and by its own decision.
func (x *indexed) wasHeard(heard map[hearing]bool, channel string, c ledger.Conclusion) bool {
	s := c.State
	if s == nil {
		return heard[hearing{channel, "", asTold(c.Event.EventID), ""}]
	}
	under := func(k ledger.Key) bool {
		return heard[hearing{channel, "", decision.ID(k.Account, k.EventID, s.RoleID), s.RoleID}]
	}
	return heard[hearing{channel, "", asTold(c.Event.EventID), s.RoleID}] || under(c.Event) ||
		s.AlertID != "" && s.Told != (ledger.Key{}) && (heard[hearing{channel, s.AlertID, asTold(s.Told.EventID), ""}] || under(s.Told))
}

// asTold is an event as alerts name it: a sighting bears the name of its sweep.
func asTold(eventID string) string {
	if sweep := sweepOf(eventID); sweep != "" {
		return sweep
	}
	return told(eventID)
}

// leftToASweep says whether an end is told by the summary of a sweep: what a sweep
// finds is told in one message instead of a flood (T11), and
// what a later event finds unchanged is not told again. quiet holds what was left
// to which sweep, by role, as long as nothing else was concluded of it.
func (x *indexed) leftToASweep(c ledger.Conclusion, quiet map[string]string) bool {
	s := c.State
	if s == nil {
		return false
	}
	k := s.Account + "/" + s.RoleID
	sweep, says, _ := strings.Cut(quiet[k], " ")
	if found := sweepOf(c.Event.EventID); found != "" {
		sweep, says = found, saying(s)
	}
	if says != saying(s) {
		delete(quiet, k)
		return false
	}
	quiet[k] = sweep + " " + says
	return x.summarized(sweep)
}

// asksToBeTold says whether an end is one that people have to hear of.
func asksToBeTold(c ledger.Conclusion) bool {
	// Of a good role nothing is to be told but that it is good again: a tag that
	// may not be taken off it is nobody's finding (T56). That what was open about it
	// is resolved, I6 asks.
	if c.State != nil && c.State.Verdict == finding.Compliant {
		return false
	}
	if strings.HasPrefix(c.Event.EventID, undoMark) {
		// A person is told by their command; the write comes to the line as an event,
		// of which it tells like of any other.
		return false
	}
	switch c.End {
	case ledger.Tagged, ledger.Reverted, ledger.Quarantined, ledger.Told, ledger.Held, ledger.Rejected:
		return true
	case ledger.Superseded, ledger.InFlight:
		return false
	case ledger.Compliant:
		// A state that is kept as it was says nothing new.
		return c.State != nil && c.State.Verdict != finding.Compliant && c.State.AlertID != ""
	default:
		return true
	}
}

// repeats are alerts that were told again, beyond what a crash or a failed call
// between the sending and its record excuses: whoever cannot know that an alert was
// told tells it again, once for each telling of which nobody could keep a record.
func repeats(x *indexed) []Violation {
	type sent struct{ channel, id, state, decision, fingerprint, event, at string }
	var out []Violation
	before := map[sent][]int{}
	each(x, func(i int, e Entry, f Told) {
		a := f.Alert
		k := sent{channel: f.Channel, id: a.ID, state: a.State.String(), decision: a.Decision.ID, fingerprint: a.Fingerprint}
		if a.Change != nil {
			k.event = a.Change.EventID
		} else if a.Notice != alert.NoticeSweep {
			// What no event led to is told again as long as it lasts, such as that an
			// account is not covered; of a sweep there is one summary.
			k.at = a.Time.String()
		}
		for _, was := range before[k] {
			if !x.excused(was, i) {
				out = append(out, Violation{Invariant: I7, At: i, Event: k.event, Role: nameOf(a.Role.ARN), Sentence: fmt.Sprintf("alert %s (%s) was told again to %s: that it had been (entry %d) was recorded, or could have been", a.ID, a.State, f.Channel, was)})
				break
			}
		}
		before[k] = append(before[k], i)
	})
	return out
}

// excused says whether a telling could not be recorded before another one: its
// handling crashed, or a call of it failed, before the record was made.
func (x *indexed) excused(told, until int) bool {
	t, r := x.Entries[told].Fact.(Told), x.runs[x.Entries[told].Run]
	if t.Answer != Yes || r == nil {
		// Who got no answer cannot know that it was told.
		return t.Answer != Yes
	}
	for _, i := range r.entries {
		if i <= told || i > until {
			continue
		}
		switch f := x.Entries[i].Fact.(type) {
		case Delivered:
			return false
		case Troubled, Unrecorded:
			return true
		case Ended:
			return f.How == Crashed
		case Told:
			return false
		}
	}
	return false
}

// again are roles of which people were told twice in a row that the same is
// wrong with the same document, though nothing was written in between: what is told
// is told once. Where the document shows unique ids, that one of them was settled
// is news; so is that a role does not show what an event says, what an earlier
// handling wrote that nobody had been told of, and what became of a new role when
// its maker's time to finish was over.
func again(x *indexed) []Violation {
	var out []Violation
	states, says := map[string]*ledger.RoleState{}, map[ledger.Key]string{}
	each(x, func(_ int, _ Entry, f Arrived) { says[f.Key] = f.Document })
	each(x, func(i int, _ Entry, f Concluded) {
		s := f.Conclusion.State
		if s == nil {
			return
		}
		k := s.Account + "/" + s.RoleID
		old := states[k]
		if old != nil && old.EventTime.After(s.EventTime) {
			return
		}
		if states[k] = s; old == nil {
			return
		}
		said := says[ledger.Key{Account: f.Conclusion.Event.Account, EventID: told(f.Conclusion.Event.EventID)}]
		if x.news(f.Conclusion, old) || said != "" && !x.judge.Same(said, s.Document) {
			return
		}
		if sameAgain(old, s) && s.Told == f.Conclusion.Event && old.Told != s.Told && s.Action == decision.Ignore {
			out = append(out, Violation{Invariant: I7, At: i, Event: f.Conclusion.Event.String(), Role: nameIn(s), Sentence: fmt.Sprintf("people are told again that %s is %s, as under event %s", Short(s.Document), s.Verdict, old.Told)})
		}
	})
	return out
}

// news says whether a conclusion tells what an earlier handling wrote, or what became
// of a new role.
func (x *indexed) news(c ledger.Conclusion, old *ledger.RoleState) bool {
	if o := x.rules[old.RulesHash]; o != nil && o.Quarantine.Grace > 0 && strings.Contains(c.Event.EventID, "#ids.") {
		return true
	}
	return slices.ContainsFunc(c.Letters, func(l ledger.Letter) bool {
		a, err := alert.Parse(l.Body)
		return err == nil && replaced(a)
	})
}

// sameAgain says whether what people were told of a role, aloud, is told again.
func sameAgain(old, s *ledger.RoleState) bool {
	return old.AlertID != "" && old.AlertID == s.AlertID && !old.Untold && saying(old) == saying(s) && slices.Equal(old.OpenRules, s.OpenRules) && len(old.Shown)+len(s.Shown) == 0
}

// nameOf gives the account and name in a role's ARN.
func nameOf(arn string) string {
	a, err := role.ParseARN(arn)
	if err != nil {
		return arn
	}
	return a.Ref().String()
}

// sweepOf gives the sweep that saw a role, of the id that its sighting has in
// the ledger; empty for other events.
func sweepOf(eventID string) string {
	rest, ok := strings.CutPrefix(eventID, "sweep/")
	if !ok {
		return ""
	}
	id, _, _ := strings.Cut(rest, "/")
	return id
}

// summarized says whether people were told of a sweep.
func (x *indexed) summarized(sweep string) bool {
	if sweep == "" {
		return false
	}
	if known, ok := x.summaries[sweep]; ok {
		return known
	}
	for _, e := range x.Entries {
		if t, ok := e.Fact.(Told); ok && t.Alert.Notice == alert.NoticeSweep && t.Alert.Decision.ID == decision.ID(t.Alert.Account, "sweep/"+sweep, "") {
			x.summaries[sweep] = true
			return true
		}
	}
	x.summaries[sweep] = false
	return false
}

func nameIn(s *ledger.RoleState) string {
	if s == nil {
		return ""
	}
	return s.Account + "/" + s.Name
}

// saying is what is to be told of a role: the same verdict on the same document
// with the same decision is the same.
func saying(s *ledger.RoleState) string {
	return s.Account + s.RoleID + s.Digest + s.Verdict.String() + s.Decided.String()
}
