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
	out := repeats(x)
	if !x.over {
		return out
	}
	channels, byEvent, byThread := map[string]bool{}, map[string]map[string]bool{}, map[string]map[string]bool{}
	for _, c := range x.Channels {
		channels[c] = true
	}
	note := func(m map[string]map[string]bool, k, channel string) {
		if m[k] == nil {
			m[k] = map[string]bool{}
		}
		m[k][channel] = true
	}
	alarmed := map[string]bool{}
	for _, e := range x.Entries {
		switch f := e.Fact.(type) {
		case Told:
			if f.Alert.Change != nil {
				note(byEvent, f.Alert.Change.EventID, f.Channel)
			}
			note(byThread, f.Alert.ID+"/"+f.Alert.Verdict, f.Channel)
		case Alarmed:
			if slices.Contains([]string{meter.WordAlertRefused, meter.WordMalformedAlert}, f.Word) {
				alarmed[f.Key] = true
			}
		}
	}
	quiet := map[string]string{}
	each(x, func(i int, _ Entry, f Concluded) {
		c := f.Conclusion
		if s := c.State; s != nil && sweepOf(c.Event.EventID) != "" {
			quiet[saying(s)] = sweepOf(c.Event.EventID)
		}
		if s := c.State; s != nil && x.summarized(quiet[saying(s)]) {
			// The sweep's summary told of the same before.
			return
		}
		if !asksToBeTold(c) || alarmed[c.Event.EventID] {
			return
		}
		for channel := range channels {
			thread := c.State != nil && c.State.AlertID != "" && byThread[c.State.AlertID+"/"+c.State.Verdict.String()][channel]
			if !thread && !byEvent[told(c.Event.EventID)][channel] {
				out = append(out, Violation{Invariant: I7, At: i, Event: c.Event.String(), Role: nameIn(c.State), Sentence: fmt.Sprintf("it ended as %s and %s was told nothing of it", c.End, channel)})
			}
		}
	})
	return out
}

// asksToBeTold says whether an end is one that people have to hear of.
func asksToBeTold(c ledger.Conclusion) bool {
	if c.State != nil && c.State.Verdict == finding.Compliant {
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

// repeats are alerts that were told again though nobody crashed in between.
func repeats(x *indexed) []Violation {
	type sent struct{ channel, id, state, decision, fingerprint, event, at string }
	var out []Violation
	free := map[sent]int{}
	each(x, func(i int, e Entry, f Told) {
		a := f.Alert
		k := sent{channel: f.Channel, id: a.ID, state: a.State.String(), decision: a.Decision.ID, fingerprint: a.Fingerprint}
		if a.Change != nil {
			k.event = a.Change.EventID
		} else {
			// What no event led to may be told again at another time.
			k.at = a.Time.String()
		}
		r := x.runs[e.Run]
		if f.Answer != Yes || r == nil || r.ended < 0 || r.how == Crashed || r.how == Failed || !x.kept(r, i) {
			// Who cannot know that it was told may tell it again.
			return
		}
		if free[k]++; free[k] == 2 {
			out = append(out, Violation{Invariant: I7, At: i, Event: k.event, Role: nameOf(a.Role.ARN), Sentence: fmt.Sprintf("alert %s (%s) was told again to %s, and nobody had crashed", a.ID, a.State, f.Channel)})
		}
	})
	return out
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

// kept says whether a handling recorded that it told the alert of an entry.
func (x *indexed) kept(r *handling, told int) bool {
	for _, i := range r.entries {
		if i <= told {
			continue
		}
		switch x.Entries[i].Fact.(type) {
		case Delivered:
			return true
		case Told:
			return false
		}
	}
	return false
}
