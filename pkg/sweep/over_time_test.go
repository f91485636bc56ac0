package sweep_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rolewarden/rolewarden/pkg/alert"
)

// A unique id that the details show for a moment, while the role itself shows
// the ARN, leads to nothing, however often it flips (T47).
func TestTransientUniqueIDInTheDetailsLeadsToNothing(t *testing.T) {
	s := swept(t)
	r := s.roles[key(prod, "app")]
	flipped := strings.Replace(closed, alice, "AIDAALICE111111111111", 1)
	before, writes := s.snapshot(), s.writes()
	for i := range 6 {
		if s.stale = map[string]string{}; i%2 == 0 {
			s.stale[r.ARN] = flipped
		}
		s.now = s.now.Add(15 * time.Minute)
		s.sweep()
		if _, others := s.one(); len(others)+len(s.steps) > 0 {
			t.Fatalf("sweep %d told %d alerts and handed over %d roles", i, len(others), len(s.steps))
		}
	}
	if diff := cmp.Diff(before, s.snapshot()); diff != "" || s.writes() != writes {
		t.Errorf("%d writes; what is remembered changed:\n%s", s.writes()-writes, diff)
	}
}

// Details that lag behind a change that an event told of, and which is handled,
// say nothing new.
func TestDetailsThatLagSayNothingNew(t *testing.T) {
	s := swept(t)
	r := s.put(prod, "app", tighter)
	s.stale[r.ARN] = closed
	s.sweep()
	s.stale = map[string]string{}
	s.sweep()
	s.told = nil
	before := s.snapshot()
	s.stale[r.ARN] = closed
	s.now = s.now.Add(time.Minute)
	s.sweep()
	if diff := cmp.Diff(before, s.snapshot()); diff != "" {
		t.Errorf("a reading that lags changed what is remembered:\n%s", diff)
	}
}

const exempting = rulesFile + `
exemptions:
  - {rules: [external-account, external-id, session-name], role: "arn:aws:iam::444455556666:role/open", owner: team-app, reason: moving house, ticket: SEC-77, expires: "2026-03-20"}
`

// When an exemption ends its findings are open again: the role is found by the
// sweep, though nothing about it changed (T59).
func TestExemptionThatEndsReopensItsFindings(t *testing.T) {
	s := newSweeping(newWorld(t, exempting))
	s.put(dev, "open", opened)
	s.sweep()
	if sum, others := s.one(); sum.Verdict != "Compliant" || len(others) != 0 || !says(sum, "set aside by") {
		t.Fatalf("under the exemption: %s, %q", sum.Verdict, sum.Decision.Reasons)
	}
	s.now = time.Date(2026, 3, 20, 1, 0, 0, 0, time.UTC)
	s.sweep()
	s.hand()
	sum, others := s.one()
	if !says(sum, "1 role is judged otherwise though it did not change") || !says(sum, "1 exemption of the rules file has ended") || sum.Verdict != "Noncompliant" {
		t.Errorf("the summary says %q", sum.Decision.Reasons)
	}
	var told []string
	for _, a := range others {
		told = append(told, string(a.Notice)+" "+a.Role.ARN)
	}
	if !slices.Contains(told, " arn:aws:iam::444455556666:role/open") || !slices.Contains(told, "exemption arn:aws:iam::444455556666:role/open") {
		t.Errorf("told: %v", told)
	}
}

// Owners are reminded 14, 3 and 0 days before an exemption ends, once each; after
// a gap in the sweeps only of what is due at last (T59).
func TestExemptionsAreRemindedOfOnceEach(t *testing.T) {
	end := time.Date(2026, 3, 20, 0, 0, 0, 0, time.UTC)
	for name, c := range map[string]struct {
		sweeps []float64 // days before the end
		want   []float64 // the days on which there was a reminder
	}{
		"every day":                          {[]float64{20, 15, 14, 13, 10, 4, 3, 2, 1, 0, -1, -2, -40}, []float64{14, 3, 0}},
		"four times a day":                   {[]float64{14.2, 14, 13.8, 13.5, 3.1, 3, 2.7, 0.1, 0, -0.2}, []float64{14, 3, 0}},
		"none for two weeks":                 {[]float64{20, 1, 0.5}, []float64{1}},
		"none before the end":                {[]float64{20, -5, -6}, []float64{-5}},
		"never, while it was of any concern": {[]float64{20, -31}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, exempting)
			w.now = end.Add(-time.Duration(c.sweeps[0]*24) * time.Hour)
			s := newSweeping(w)
			s.setRules(exempting)
			var got []float64
			for _, days := range c.sweeps {
				if at := end.Add(-time.Duration(days * 24 * float64(time.Hour))); at.After(s.now) {
					s.now = at
				}
				s.setRules(exempting)
				s.sweep()
				_, others := s.one()
				for _, a := range others {
					if a.Notice == alert.NoticeExemption {
						got = append(got, days)
						if !says(a, "SEC-77") || !says(a, "team-app") {
							t.Errorf("the reminder says %q", a.Decision.Reasons)
						}
					}
				}
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("reminded %v days before the end, want %v", got, c.want)
			}
		})
	}
}

// A role that is gone without an event is found to be gone only when IAM says so
// itself; then what was open about it is resolved.
func TestRoleThatVanishedIsResolvedAfterIAMSaysSo(t *testing.T) {
	s := swept(t)
	s.put(prod, "app", opened)
	s.sweep()
	s.hand()
	if _, others := s.one(); len(others) != 1 {
		t.Fatalf("%d alerts about the bad role", len(others))
	}
	arn := s.roles[key(prod, "app")].ARN
	// The details lack it for a moment: nothing comes of that.
	s.unseen[arn] = true
	s.now = s.now.Add(time.Hour)
	s.sweep()
	if sum, others := s.one(); len(others) != 0 || says(sum, "gone") {
		t.Fatalf("a role that was not listed once counts as gone: %q", sum.Decision.Reasons)
	}
	id := s.roles[key(prod, "app")].ID
	delete(s.roles, key(prod, "app"))
	s.now = s.now.Add(time.Hour)
	s.sweep()
	sum, others := s.one()
	if !says(sum, "1 role was gone without an event") || len(others) != 1 || others[0].State != alert.Resolved {
		t.Errorf("told: %q, %+v", sum.Decision.Reasons, others)
	}
	if p, ok, err := s.memory.Identify(t.Context(), id); err != nil || !ok || p.DeletedAt.IsZero() || p.DeletedBy != "" {
		t.Errorf("its unique id is remembered as %+v, %t, %v", p, ok, err)
	}
	s.calls, s.now = nil, s.now.Add(time.Hour)
	s.sweep()
	if sum, others := s.one(); len(others) != 0 || says(sum, "gone") {
		t.Errorf("the next sweep tells again: %q", sum.Decision.Reasons)
	}
}

// Who has the name of a role that vanished is not taken for gone.
func TestRoleMadeAnewIsNotTakenForTheOneThatVanished(t *testing.T) {
	s := swept(t)
	old := s.roles[key(prod, "app")]
	anew := old
	anew.ID, anew.Created = idFor("anew"), s.now.Add(-10*time.Minute)
	s.roles[key(prod, "app")] = anew
	s.sweep()
	sum, _ := s.one()
	if !says(sum, "1 role was gone without an event") || !says(sum, "1 role was seen for the first time") {
		t.Errorf("the summary says %q", sum.Decision.Reasons)
	}
	for id, gone := range map[string]bool{old.ID: true, anew.ID: false} {
		if p, ok, err := s.memory.Identify(t.Context(), id); err != nil || !ok || !p.DeletedAt.IsZero() != gone {
			t.Errorf("%s is remembered as %+v, %t, %v", id, p, ok, err)
		}
	}
}
