package guard_test

import (
	"strings"
	"testing"
	"time"

	"github.com/rolewarden/rolewarden/pkg/finding"
	"github.com/rolewarden/rolewarden/pkg/ledger"
)

// T7, T63: a role breaks rules, which people know or an exemption covers. It is
// opened further by a policy that is padded until its event carries no document,
// and the reading lags. What was known before is no answer to the event.
func TestWhatWasKnownBeforeDoesNotHideAPaddedChange(t *testing.T) {
	public := strings.Replace(opened, "arn:aws:iam::999999999999:root", "*", 1)
	exemption := `
exemptions:
  - role: arn:aws:iam::111122223333:role/app
    rules: [external-account, external-id, session-name]
    owner: team@example.com
    reason: the partner is leaving
    ticket: SEC-1
    expires: 2026-04-01
`
	for name, text := range map[string]string{
		"told before": strings.Replace(rulesFile, "enforce", "observe", 1),
		"exempted":    strings.Replace(rulesFile, "enforce", "observe", 1) + exemption,
	} {
		t.Run(name, func(t *testing.T) {
			w := withBaseline(t, text)
			w.settle(w.open("ev2"))
			known := len(w.told)
			w.now, w.steps = w.now.Add(time.Hour), nil
			w.put(prod, "app", "AROAAPP1111111111111", public)
			w.lagging = opened
			res := w.handle(w.updated("ev3", "app", ""))
			if res.End != ledger.InFlight {
				t.Fatalf("ended in %s on a reading of what was there before: %s", res.End, res.Reason)
			}
			w.lagging = ""
			if res = w.settle(res); res.End != ledger.Told || len(w.told) != known+1 || res.Report.Verdict != finding.Noncompliant {
				t.Errorf("ended in %s (%s), told %d times more", res.End, res.Reason, len(w.told)-known)
			}
		})
	}
}

// Where it shows the same for long enough, nothing else came of the event.
func TestAPaddedChangeThatChangedNothingEnds(t *testing.T) {
	w := withBaseline(t, strings.Replace(rulesFile, "enforce", "observe", 1))
	w.settle(w.open("ev2"))
	w.now, w.steps = w.now.Add(time.Hour), nil
	began := w.now
	if res := w.settle(w.handle(w.updated("ev3", "app", ""))); res.End != ledger.Told || len(w.told) != 1 || w.now.Sub(began) > time.Minute {
		t.Errorf("ended in %s after %s, told %d times", res.End, w.now.Sub(began), len(w.told))
	}
}

// T63: what an event says never shows on a role, which shows what people know.
// They are told that somebody has to look.
func TestAnEventThatNeverShowsOnARoleThatIsToldOfIsTold(t *testing.T) {
	w := withBaseline(t, strings.Replace(rulesFile, "enforce", "observe", 1))
	w.settle(w.open("ev2"))
	w.now, w.steps = w.now.Add(time.Hour), nil
	w.lagging = opened
	public := strings.Replace(opened, "arn:aws:iam::999999999999:root", "*", 1)
	w.put(prod, "app", "AROAAPP1111111111111", public)
	if res := w.settle(w.handle(w.updated("ev3", "app", public))); res.End != ledger.Told || len(w.told) != 2 || !strings.Contains(w.told[1].Text(), "does not show what this event says") {
		t.Errorf("ended in %s (%s), told %d times", res.End, res.Reason, len(w.told))
	}
}
