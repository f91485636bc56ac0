package invariant_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rolewarden/rolewarden/pkg/alert"
	"github.com/rolewarden/rolewarden/pkg/decision"
	"github.com/rolewarden/rolewarden/pkg/finding"
	"github.com/rolewarden/rolewarden/pkg/guard"
	"github.com/rolewarden/rolewarden/pkg/invariant"
	"github.com/rolewarden/rolewarden/pkg/ledger"
)

const bobs = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":["arn:aws:iam::111122223333:user/alice","arn:aws:iam::111122223333:user/bob"]},"Action":"sts:AssumeRole"}]}`

// undone is a story that goes on: a person takes the revert back, with a word.
func undone(t *testing.T, before string, change func(s *story, p map[string]invariant.Fact)) *invariant.History {
	t.Helper()
	s := begin(t)
	s.live.TrustPolicy = before
	s.say(0, invariant.Principal{ARN: strings.Replace(alice, "alice", "bob", 1), ID: "AIDABOB"})
	order, parts := s.parts(t)
	i := parts["intended"].(invariant.Intended)
	i.Intent.Before = before
	parts["intended"] = i
	for _, name := range order {
		s.say(1, parts[name])
	}
	s.resolve(t)
	u := guard.Undoing{Decision: "d1", By: "carol", Reason: "incident", Until: s.at.Add(time.Hour)}
	key := ledger.Key{Account: event.Account, EventID: "undo/d1"}
	p := map[string]invariant.Fact{
		"began": invariant.Began{What: "undo"}, "asked": invariant.Asked{Undoing: u}, "read": invariant.Read{Role: with(s.live, good)}, "looked": invariant.Looked{ARN: alice, ID: "AIDAALICE"},
		"gave":     invariant.Gave{Word: ledger.Word{Account: event.Account, RoleID: "AROAAPP", Digest: digest(t, before), By: "carol", Decision: "d1", At: s.at, Until: u.Until}},
		"intended": invariant.Intended{Intent: ledger.Intent{Event: key, Role: s.live.Ref(), RoleID: "AROAAPP", Before: good, After: before, Decision: decision.Decision{ID: "d2", Action: decision.Revert}}},
		"again":    invariant.Read{Role: with(s.live, good)},
		"weighed":  invariant.Weighed{Switch: decision.WritesAllowed},
		"wrote":    invariant.Wrote{Role: with(s.live, good), Call: invariant.UpdateTrust, Document: before},
		"ended":    invariant.Ended{How: invariant.Done},
	}
	if change != nil {
		change(s, p)
	}
	for _, name := range []string{"began", "asked", "read", "looked", "gave", "intended", "again", "weighed", "wrote", "ended", "after"} {
		if f, ok := p[name]; ok {
			s.say(3, f)
		}
	}
	return s.History
}

func noticed(t *testing.T, h *invariant.History, id invariant.ID, words string) {
	t.Helper()
	found := invariant.Check(flatten(h))
	if !slices.ContainsFunc(found, func(v invariant.Violation) bool { return v.Invariant == id && strings.Contains(v.Sentence, words) }) {
		t.Errorf("not noticed; found %v", found)
	}
}

// What people do is held to what they asked for, and each breach of it is noticed.
func TestWhatPeopleTakeBackIsLookedAt(t *testing.T) {
	for _, before := range []string{bad, bobs} {
		for _, v := range invariant.Check(undone(t, before, nil)) {
			t.Errorf("all is well, and %s", v)
		}
	}
	to := func(document string) func(*story, map[string]invariant.Fact) {
		return func(_ *story, p map[string]invariant.Fact) {
			w, i := p["wrote"].(invariant.Wrote), p["intended"].(invariant.Intended)
			w.Document, i.Intent.After = document, document
			p["wrote"], p["intended"] = w, i
		}
	}
	for _, row := range []struct {
		name, before string
		id           invariant.ID
		words        string
		do           func(s *story, p map[string]invariant.Fact)
	}{
		{"without an intent", bad, invariant.I2, "no intent", func(_ *story, p map[string]invariant.Fact) { delete(p, "intended") }},
		{"of a role that shows something else", bad, invariant.I2, "did not show", func(s *story, p map[string]invariant.Fact) { p["again"] = invariant.Read{Role: with(s.live, other)} }},
		{"of another decision", bad, invariant.I2, "wrote nothing that could", func(_ *story, p map[string]invariant.Fact) {
			p["asked"] = invariant.Asked{Undoing: guard.Undoing{Decision: "d9"}}
		}},
		{"without somebody who lives", bobs, invariant.I2, "left out", to(loose)},
		{"to more than was there", loose, invariant.I4, "what the decision replaced", to(bad)},
		{"to somebody who took a name", bobs, invariant.I3, "in again", func(s *story, p map[string]invariant.Fact) {
			s.say(0, invariant.Principal{ARN: alice, ID: "AIDANEWONE"})
			p["looked"] = invariant.Looked{ARN: alice, ID: "AIDANEWONE"}
		}},
		{"while the switch says stop", bad, invariant.I10, "kill switch said", func(_ *story, p map[string]invariant.Fact) {
			p["weighed"] = invariant.Weighed{Switch: decision.WritesStopped}
		}},
		{"long after it read the switch", bad, invariant.I10, "read last before other calls", func(_ *story, p map[string]invariant.Fact) {
			p["again"], p["weighed"] = p["weighed"], p["again"]
		}},
		{"with a word and nothing else", bad, invariant.I2, "the word of carol stays", func(_ *story, p map[string]invariant.Fact) { delete(p, "wrote") }},
	} {
		t.Run(row.name, func(t *testing.T) { noticed(t, undone(t, row.before, row.do), row.id, row.words) })
	}
	t.Run("all the same", func(t *testing.T) {
		h := undone(t, bad, func(_ *story, p map[string]invariant.Fact) {
			a := p["asked"].(invariant.Asked)
			a.Undoing.Stopped = guard.WriteAllTheSame
			p["asked"], p["weighed"] = a, invariant.Weighed{Switch: decision.WritesStopped}
		})
		if found := invariant.Check(h); len(found) > 0 {
			t.Error(found)
		}
	})
}

// A word holds until its time, and not beyond.
func TestAWordIsLookedAt(t *testing.T) {
	against := func(t *testing.T, word ledger.Word) *invariant.History {
		return tell(t, func(s *story, p map[string]invariant.Fact) {
			word.Account, word.RoleID, word.Digest, word.By = event.Account, "AROAAPP", digest(t, bad), "carol"
			s.say(0, invariant.Gave{Word: word})
		})
	}
	noticed(t, against(t, ledger.Word{At: start, Until: start.Add(time.Hour)}), invariant.I2, "carol said that this document stays")
	if found := invariant.Check(against(t, ledger.Word{At: start, Until: start.Add(time.Millisecond)})); len(found) > 0 {
		t.Errorf("after its time: %v", found)
	}
	s := begin(t)
	state := s.state(bad, finding.Noncompliant, decision.Ignore, "a1", t)
	state.Decided, state.UpdatedAt, state.Told = decision.Hold, start.Add(time.Minute), event
	opened := s.alert(alert.Opened)
	s.say(0, invariant.Gave{Word: ledger.Word{Account: event.Account, RoleID: "AROAAPP", Digest: state.Digest, By: "carol", At: start, Until: start.Add(time.Hour)}})
	s.say(1, invariant.Began{Key: event}, invariant.Took{Key: event}, invariant.Read{Role: s.live}, invariant.Concluded{Conclusion: ledger.Conclusion{Event: event, End: ledger.Held, State: state}},
		invariant.Told{Channel: topic, Alert: opened, Answer: invariant.Yes}, invariant.Delivered{Letter: "a1"}, invariant.Ended{How: invariant.Done})
	s.at = start.Add(2 * time.Hour)
	s.say(0, invariant.Ticked{})
	s.end(bad)
	noticed(t, s.History, invariant.I6, "the word of carol ended")
}

// People are not left with what is over, nor told what they know.
func TestWhatPeopleAreLeftWithIsLookedAt(t *testing.T) {
	h := tell(t, nil)
	h.Entries = slices.DeleteFunc(h.Entries, func(e invariant.Entry) bool {
		f, ok := e.Fact.(invariant.Told)
		return ok && f.Alert.State == alert.Resolved
	})
	noticed(t, h, invariant.I6, "stays open, and the role obeys the rules")
	gone := slices.DeleteFunc(slices.Clone(h.Entries), func(e invariant.Entry) bool { _, ok := e.Fact.(invariant.Stands); return ok })
	noticed(t, &invariant.History{Entries: gone, Channels: h.Channels}, invariant.I6, "stays open, and the role is gone")

	again := func(between ...invariant.Fact) *invariant.History {
		return tell(t, func(s *story, p map[string]invariant.Fact) {
			s.say(4, invariant.Began{What: "alerts that wait"}, p["told"])
			s.say(4, between...)
			s.say(4, invariant.Ended{How: invariant.Failed})
		})
	}
	noticed(t, again(), invariant.I7, "told again")
	noticed(t, again(invariant.Delivered{Letter: "a1"}, invariant.Troubled{Call: "Delivered"}), invariant.I7, "told again")
	for _, v := range invariant.Check(again(invariant.Troubled{Call: "Delivered"})) {
		t.Errorf("nobody could record it, and %s", v)
	}
	noticed(t, tell(t, func(s *story, p map[string]invariant.Fact) {
		for n, id := range []string{"ev-a", "ev-b"} {
			k := ledger.Key{Account: event.Account, EventID: id}
			state := s.state(bad, finding.Noncompliant, decision.Ignore, "a1", t)
			state.Event, state.Told, state.Decided = k, k, decision.Tell
			s.say(10+n, invariant.Began{Key: k}, invariant.Concluded{Conclusion: ledger.Conclusion{Event: k, End: ledger.Told, State: state}})
		}
	}), invariant.I7, "people are told again")
}
