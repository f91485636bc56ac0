package invariant_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/rolewarden/rolewarden/pkg/invariant"
	"github.com/rolewarden/rolewarden/pkg/ledger"
)

// A look that follows another one is kept by a message that bears the first one's
// id, and by no other.
func TestAMessageOfALookKeepsTheLookThatFollows(t *testing.T) {
	of := func(suffix string) ledger.Key {
		return ledger.Key{Account: event.Account, EventID: event.EventID + suffix}
	}
	for _, row := range []struct {
		waits string
		lost  bool
	}{{"#ids.AROAAPP#ids.AROAAPP", false}, {"#ids.AROAAPP", false}, {"#ids.AROAOTHER", true}, {"", true}} {
		s := begin(t)
		order, parts := s.parts(t)
		for _, name := range order {
			s.say(1, parts[name])
		}
		intent := parts["intended"].(invariant.Intended)
		intent.Intent.Event = of("#ids.AROAAPP#ids.AROAAPP")
		s.say(2, intent)
		s.say(0, invariant.Left{Key: of(row.waits), Place: invariant.InDeadLetters})
		s.resolve(t)
		s.end(good)
		found := invariant.Check(s.History)
		lost := slices.ContainsFunc(found, func(v invariant.Violation) bool { return v.Invariant == invariant.I1 })
		if lost != row.lost || len(found) > 1 {
			t.Errorf("a message of %q waits: %v", of(row.waits), found)
		}
	}
}

// Within a handling nobody crashes: an alert that its sender knows to be told is
// not told again, whatever is recorded of it then.
func TestAHandlingTellsOnce(t *testing.T) {
	for _, first := range []invariant.Answer{invariant.NoAnswer, invariant.Yes} {
		found := invariant.Check(tell(t, func(s *story, p map[string]invariant.Fact) {
			again := p["told"].(invariant.Told)
			again.Answer = first
			p["concluded"], p["shown"] = again, p["concluded"]
		}))
		twice := slices.ContainsFunc(found, func(v invariant.Violation) bool {
			return v.Invariant == invariant.I7 && strings.Contains(v.Sentence, "told again")
		})
		if twice != (first == invariant.Yes) || len(found) > 1 {
			t.Errorf("the first time the answer was %s: %v", first, found)
		}
	}
}

// A second write needs a second reading, unless it is the same call once more.
func TestAWriteNeedsAReadingOfItsOwn(t *testing.T) {
	for _, resent := range []bool{false, true} {
		found := invariant.Check(tell(t, func(_ *story, p map[string]invariant.Fact) {
			again := p["wrote"].(invariant.Wrote)
			again.Role.TrustPolicy, again.Resent = good, resent
			p["shown"] = again
			s := p["spent"].(invariant.Spent)
			s.Counters[0].Limit = 2
			p["spent"] = s
		}))
		twice := slices.ContainsFunc(found, func(v invariant.Violation) bool {
			return v.Invariant == invariant.I2 && strings.Contains(v.Sentence, "has written it since")
		})
		if twice == resent || resent && len(found) > 0 {
			t.Errorf("resent %t: %v", resent, found)
		}
	}
}

// Who tells what another handling told is excused where that one could not record
// it, and not where it did not try.
func TestOnlyARecordThatFailedExcusesATellingAgain(t *testing.T) {
	for _, record := range []invariant.Fact{nil, invariant.Delivered{Letter: "a1"}, invariant.Unrecorded{}} {
		s := begin(t)
		order, parts := s.parts(t)
		delete(parts, "kept")
		if record != nil {
			parts["kept"] = record
		}
		for _, name := range order {
			if f, ok := parts[name]; ok {
				s.say(1, f)
			}
		}
		s.say(2, parts["told"], invariant.Delivered{Letter: "a1"}, parts["ended"])
		s.resolve(t)
		s.end(good)
		found := invariant.Check(s.History)
		_, excused := record.(invariant.Unrecorded)
		if excused != (len(found) == 0) || !excused && found[0].Invariant != invariant.I7 {
			t.Errorf("%T: %v", record, found)
		}
	}
}
