package sweep_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/rolewarden/rolewarden/pkg/finding"
	"github.com/rolewarden/rolewarden/pkg/ledger"
	"github.com/rolewarden/rolewarden/pkg/policy"
	"github.com/rolewarden/rolewarden/pkg/remediate"
	"github.com/rolewarden/rolewarden/pkg/role"
	"github.com/rolewarden/rolewarden/pkg/sweep"
)

func (w *world) promoter() *sweep.Promoter {
	w.t.Helper()
	p, err := sweep.NewPromoter(sweep.PromoterConfig{
		Rules: w.rules, Reader: w, Judge: w.guard, Ledger: w.memory, Sealer: w, Now: w.time, Log: w.logger(),
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return p
}

// promote looks at a role once.
func (w *world) promote(account, name string) sweep.Promotion {
	w.t.Helper()
	p, err := w.promoter().Promote(w.t.Context(), role.Ref{Account: account, Name: name})
	if err != nil {
		w.t.Fatal(err)
	}
	return p
}

func (w *world) wantStanding(name string, want sweep.Standing) sweep.Promotion {
	w.t.Helper()
	p := w.promote(prod, name)
	if p.Standing != want {
		w.t.Fatalf("role %s is %s (%s), want %s", name, p.Standing, p.Reason, want)
	}
	return p
}

func digestOf(t testing.TB, text string) string {
	t.Helper()
	d, err := policy.Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return d.Digest("aws")
}

// What was there before anybody looked is sealed too, after it has stood for the
// age of the rules file, and says of itself that nobody knows who made it (T62).
func TestFirstSightingBecomesABaselineThatSaysItIsUnreviewed(t *testing.T) {
	w := newWorld(t, rulesFile)
	w.put(prod, "app", closed)
	w.wantStanding("app", sweep.Candidate)
	w.now = w.now.Add(24*time.Hour - time.Second)
	w.wantStanding("app", sweep.Young)
	w.now = w.now.Add(time.Second)
	got := w.wantStanding("app", sweep.Sealed).Baseline
	if got.Provenance != role.Unreviewed || got.Actor != "" || got.EventID != "" {
		t.Errorf("the baseline claims a maker: %+v", got)
	}
	if got.Principals[alice] != "AIDAALICE111111111111" || got.Document != closed || got.RulesHash != w.rules.Hash || !got.Sealed.Equal(w.now) {
		t.Errorf("the baseline is %+v", got)
	}
	list := w.recall(prod, "app").Baselines
	if len(list) != 1 || !w.fits(list[0]) {
		t.Errorf("the ledger has %d baselines, the first of which verifies: %v", len(list), len(list) > 0 && w.fits(list[0]))
	}
	w.calls = nil
	w.wantStanding("app", sweep.Kept)
	if w.count("GenerateMac")+w.count("PrincipalID") != 0 {
		t.Errorf("a baseline that is kept cost %v", w.calls)
	}
}

// A candidate that an event led to keeps the name of who made it.
func TestObservedCandidateKeepsItsMaker(t *testing.T) {
	w := newWorld(t, rulesFile)
	r := w.put(prod, "app", closed)
	since := w.now.Add(-25 * time.Hour)
	w.candidate(r, role.Baseline{
		Provenance: role.Observed, Actor: "arn:aws:iam::111122223333:user/bob", EventID: "ev-1", Since: since,
		Principals: map[string]string{alice: "AIDAALICE111111111111"},
	})
	got := w.wantStanding("app", sweep.Sealed).Baseline
	if got.Provenance != role.Observed || got.Actor != "arn:aws:iam::111122223333:user/bob" || got.EventID != "ev-1" || !got.Since.Equal(since) {
		t.Errorf("the baseline is %+v", got)
	}
}

// candidate records a candidate of a role's live document.
func (w *world) candidate(r role.Role, b role.Baseline) {
	w.t.Helper()
	b.Account, b.RoleID, b.Document, b.Digest = r.Account, r.ID, r.TrustPolicy, digestOf(w.t, r.TrustPolicy)
	if err := w.memory.SetCandidate(w.t.Context(), b); err != nil {
		w.t.Fatal(err)
	}
}

// ripe is a world in which a candidate of the role app is due.
func ripe(t testing.TB) *world {
	w := newWorld(t, rulesFile)
	r := w.put(prod, "app", closed)
	w.candidate(r, role.Baseline{
		Provenance: role.Observed, Actor: "arn:aws:iam::111122223333:user/bob", EventID: "ev-1",
		Since: w.now.Add(-25 * time.Hour), Principals: map[string]string{alice: "AIDAALICE111111111111"},
	})
	return w
}

// A document is sealed only while all holds that makes it worth going back to;
// each row breaks one of these (T60, T62, T70).
func TestNothingButAStandingCompliantKnownDocumentIsSealed(t *testing.T) {
	quarantine := remediate.Quarantine("d-1")
	for name, c := range map[string]struct {
		spoil func(*world)
		want  sweep.Standing
	}{
		"only white space changed": {func(w *world) { w.put(prod, "app", closed+" ") }, sweep.Sealed},
		"the document changed":     {func(w *world) { w.put(prod, "app", strings.Replace(closed, "StringLike", "StringEquals", 1)) }, sweep.Candidate},
		"it breaks a rule": {func(w *world) {
			w.candidate(w.put(prod, "app", opened), role.Baseline{Since: w.now.Add(-24 * time.Hour)})
		}, sweep.Unfit},
		"it is a quarantine": {func(w *world) {
			w.candidate(w.put(prod, "app", quarantine), role.Baseline{Since: w.now.Add(-24 * time.Hour)})
		}, sweep.Unfit},
		"it is no policy":                 {func(w *world) { w.put(prod, "app", "{") }, sweep.Unfit},
		"the role is protected":           {func(w *world) { w.setRules(rulesFile + "protected: [\"arn:aws:iam::111122223333:role/app\"]\n") }, sweep.Unfit},
		"a name belongs to somebody else": {func(w *world) { w.principals[alice] = "AIDAALICE222222222222" }, sweep.Candidate},
		"a name cannot be read now":       {func(w *world) { w.hidden[alice] = true }, sweep.Unfit},
		"nobody has the name now":         {func(w *world) { delete(w.principals, alice) }, sweep.Unfit},
		"it changes between two readings": {func(w *world) {
			w.reading = func(call string) {
				if call == "PrincipalID" {
					w.put(prod, "app", opened)
				}
			}
		}, sweep.Unfit},
		"the role is made anew between two readings": {func(w *world) {
			w.reading = func(call string) {
				if call == "PrincipalID" {
					r := w.roles[key(prod, "app")]
					r.ID = "AROANEW11111111111111"
					w.roles[key(prod, "app")] = r
				}
			}
		}, sweep.Unfit},
		"the role is deleted between two readings": {func(w *world) {
			w.reading = func(call string) {
				if call == "PrincipalID" {
					delete(w.roles, key(prod, "app"))
				}
			}
		}, sweep.Unfit},
		"nothing is amiss": {func(*world) {}, sweep.Sealed},
	} {
		t.Run(name, func(t *testing.T) {
			w := ripe(t)
			c.spoil(w)
			if p := w.promote(prod, "app"); p.Standing != c.want {
				t.Errorf("it is %s (%s), want %s", p.Standing, p.Reason, c.want)
			}
			if n := len(w.baselines(prod, "app")); (n > 0) != (c.want == sweep.Sealed) {
				t.Errorf("it has %d baselines", n)
			}
		})
	}
}

// Whose name was taken over begins anew, and is nobody's document: whoever saved
// it for the new bearer of the name was told by no event (T5, T60).
func TestTakenOverNameBeginsAnewAsUnreviewed(t *testing.T) {
	w := ripe(t)
	w.principals[alice] = "AIDAALICE222222222222"
	got := w.wantStanding("app", sweep.Candidate).Baseline
	if got.Provenance != role.Unreviewed || got.Actor != "" || !got.Since.Equal(w.now) {
		t.Errorf("the candidate is %+v", got)
	}
	w.now = w.now.Add(24 * time.Hour)
	if b := w.wantStanding("app", sweep.Sealed).Baseline; b.Principals[alice] != "AIDAALICE222222222222" || b.Provenance != role.Unreviewed {
		t.Errorf("the baseline is %+v", b)
	}
}

// A principal that could not be read and now can is known from now on; who made
// the document stays known.
func TestIDThatCanBeReadAtLastIsRecordedFirst(t *testing.T) {
	w := newWorld(t, rulesFile)
	r := w.put(prod, "app", closed)
	w.candidate(r, role.Baseline{Provenance: role.Observed, Actor: "arn:aws:iam::111122223333:user/bob", EventID: "ev-1", Since: w.now.Add(-25 * time.Hour)})
	got := w.wantStanding("app", sweep.Candidate).Baseline
	if got.Provenance != role.Observed || got.EventID != "ev-1" || !got.Since.Equal(w.now) || got.Principals[alice] == "" {
		t.Errorf("the candidate is %+v", got)
	}
}

// A document that an event was handled for, and that lost its candidate, keeps
// its maker; one that a sweep or a second look handled has none.
func TestOnlyACloudTrailEventNamesAMaker(t *testing.T) {
	for eventID, want := range map[string]role.Provenance{
		"0f1e2d3c-1111-4222-8333-444455556666": role.Observed,
		"sweep/20260301T090000Z/AROAAPP":       role.Unreviewed,
		"0f1e2d3c#stands":                      role.Unreviewed,
	} {
		w := newWorld(t, rulesFile)
		r := w.put(prod, "app", closed)
		k := ledger.Key{Account: prod, EventID: eventID}
		if err := w.memory.Conclude(t.Context(), ledger.Conclusion{Event: k, End: ledger.Compliant, At: w.now, State: &ledger.RoleState{
			Account: prod, RoleID: r.ID, Name: r.Name, ARN: r.ARN, Document: closed, Digest: digestOf(t, closed), Verdict: finding.Compliant,
			Event: k, EventTime: w.now, Actor: "arn:aws:iam::111122223333:user/bob",
		}}); err != nil {
			t.Fatal(err)
		}
		if b := w.wantStanding("app", sweep.Candidate).Baseline; b.Provenance != want {
			t.Errorf("%s: the candidate is %s, want %s", eventID, b.Provenance, want)
		}
	}
}

// Without KMS nothing becomes a baseline, and a seal that fails is an error that
// leaves the candidate where it is.
func TestWithoutASealThereIsNoBaseline(t *testing.T) {
	w := ripe(t)
	w.sealErr = errors.New("KMS does not answer")
	if _, err := w.promoter().Promote(t.Context(), role.Ref{Account: prod, Name: "app"}); !errors.Is(err, w.sealErr) {
		t.Errorf("the error is %v", err)
	}
	if len(w.baselines(prod, "app")) != 0 {
		t.Error("it has a baseline without a seal")
	}
	p, err := sweep.NewPromoter(sweep.PromoterConfig{Rules: w.rules, Reader: w, Judge: w.guard, Ledger: w.memory, Now: w.time, Log: w.logger()})
	if err != nil {
		t.Fatal(err)
	}
	if got, err := p.Promote(t.Context(), role.Ref{Account: prod, Name: "app"}); err != nil || got.Standing != sweep.Young {
		t.Errorf("without a key it is %s, %v", got.Standing, err)
	}
	w.sealErr = nil
	w.wantStanding("app", sweep.Sealed)
}

// Several documents of a role are kept, and sealing one again changes none.
func TestSeveralBaselinesOfOneRoleAreKept(t *testing.T) {
	w := ripe(t)
	w.wantStanding("app", sweep.Sealed)
	w.put(prod, "app", strings.Replace(closed, "StringLike", "StringEquals", 1))
	w.wantStanding("app", sweep.Candidate)
	w.now = w.now.Add(24 * time.Hour)
	w.wantStanding("app", sweep.Sealed)
	if n := len(w.baselines(prod, "app")); n != 2 {
		t.Fatalf("%d baselines, want 2", n)
	}
	w.put(prod, "app", closed)
	w.wantStanding("app", sweep.Kept)
}

// Whatever happens to a role, its principals, the clock and KMS between two
// looks, a sealed document stood at two looks at least the age apart, was
// compliant at both, and named the same people (T60, T61).
func TestSealsOnlyWhatStoodForItsAge(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		w := newWorld(t, rulesFile)
		documents := []string{closed, strings.Replace(closed, "StringLike", "StringEquals", 1), opened}
		w.put(prod, "app", closed)
		for range rapid.IntRange(1, 25).Draw(rt, "steps") {
			switch rapid.IntRange(0, 3).Draw(rt, "step") {
			case 0:
				w.put(prod, "app", rapid.SampledFrom(documents).Draw(rt, "document"))
			case 1:
				w.principals[alice] = rapid.SampledFrom([]string{"AIDAALICE111111111111", "AIDAALICE222222222222"}).Draw(rt, "alice")
			case 2:
				w.now = w.now.Add(time.Duration(rapid.IntRange(0, 30).Draw(rt, "hours")) * time.Hour)
			case 3:
				p := w.promote(prod, "app")
				if p.Standing != sweep.Sealed {
					continue
				}
				b := p.Baseline
				if w.now.Sub(b.Since) < w.rules.Baselines.Age || w.roles[key(prod, "app")].TrustPolicy != b.Document || b.Document == opened ||
					b.Principals[alice] != w.principals[alice] || !w.fits(b) || b.Since.After(w.now) {
					rt.Fatalf("sealed at %s: %+v", w.now, b)
				}
			}
		}
	})
}
