package guard_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/rolewarden/rolewarden/pkg/guard"
	"github.com/rolewarden/rolewarden/pkg/ledger"
	"github.com/rolewarden/rolewarden/pkg/role"
)

const appID = "AROAAPP1111111111111"

// onlyEC2 obeys the rules and names no user or role.
const onlyEC2 = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole"}]}`

// untouched fails when the role was written in any way, or nobody was told why.
func (w *world) untouched(res guard.Result, says string) {
	w.t.Helper()
	if res.End != ledger.Held || w.writes() != 0 {
		w.t.Errorf("ended in %s with %d writes: %v", res.End, w.writes(), res.Decision.Reasons)
	}
	if len(w.told) != 1 || !strings.Contains(w.told[0].Text(), says) {
		w.t.Errorf("told %d times, and nobody that %q: %v", len(w.told), says, res.Decision.Reasons)
	}
}

// T61: whoever can write the ledger cannot write trust policies: a baseline of
// which anything was changed is refused, logged and told with what to do, and
// nothing is written, not even a tag.
func TestT61ABaselineThatSomebodyChangedIsRefusedAndTold(t *testing.T) {
	for name, change := range map[string]func(*role.Baseline){
		"another document":   func(b *role.Baseline) { b.Document = onlyEC2 },
		"another digest":     func(b *role.Baseline) { b.Digest += "0" },
		"another person":     func(b *role.Baseline) { b.Principals["arn:aws:iam::111122223333:user/alice"] = "AIDAMALLORY1111111111" },
		"one person less":    func(b *role.Baseline) { b.Principals = nil },
		"another maker":      func(b *role.Baseline) { b.Actor = "arn:aws:iam::111122223333:user/mallory" },
		"another event":      func(b *role.Baseline) { b.EventID = "ev9" },
		"other rules":        func(b *role.Baseline) { b.RulesHash = "sha256:0" },
		"another provenance": func(b *role.Baseline) { b.Provenance = role.Unreviewed },
		"another age":        func(b *role.Baseline) { b.Since = b.Since.Add(-time.Second) },
		"another sealing":    func(b *role.Baseline) { b.Sealed = b.Sealed.Add(time.Second) },
		"another seal":       func(b *role.Baseline) { b.Seal[7] ^= 1 },
		"half a seal":        func(b *role.Baseline) { b.Seal = b.Seal[:16] },
		"no seal":            func(b *role.Baseline) { b.Seal = nil },
	} {
		t.Run(name, func(t *testing.T) {
			w := withBaseline(t, rulesFile)
			w.log.Reset()
			known, err := w.ledger.Baselines(t.Context(), prod, appID)
			if err != nil || len(known) != 1 {
				t.Fatal(known, err)
			}
			b := known[0]
			change(&b)
			if b.Digest == known[0].Digest {
				err = w.ledger.AddBaseline(t.Context(), b)
			} else {
				b.Sealed = b.Sealed.Add(time.Minute)
				err = w.ledger.AddBaseline(t.Context(), b)
			}
			if err != nil {
				t.Fatal(err)
			}
			w.untouched(w.open("ev2"), "find out who may write its table")
			a := w.alarms()
			if len(a) != 2 || a[0]["alarm"] != "seal-broken" || a[0]["event_id"] != "ev2" || a[1]["alarm"] != "held" {
				t.Errorf("alarms %v", a)
			}
		})
	}
}

// T61, T53: a good baseline of another role, or of a role of this id in another
// account, is no target though its seal fits.
func TestT61ASealedBaselineOfAnotherRoleIsNoTarget(t *testing.T) {
	for name, b := range map[string]role.Baseline{
		"role":    {Account: prod, RoleID: "AROAOTHER11111111111"},
		"account": {Account: dev, RoleID: appID},
	} {
		w := withBaseline(t, rulesFile)
		b.Document, b.Digest, b.Provenance, b.Since, b.Sealed = onlyEC2, digestOf(t, onlyEC2), role.Observed, w.now, w.now
		b.Seal = mac(b)
		w.ledger.recalling = func(r *ledger.Recalled) { r.Baselines = []role.Baseline{b} }
		w.untouched(w.open("ev2"), "the baseline is of another role")
		if t.Failed() {
			t.Log(name)
		}
	}
}

// T61: nor is one that somebody made out of it for this role.
func TestT61ABaselineOfAnotherRoleIsNoTarget(t *testing.T) {
	w := withBaseline(t, rulesFile)
	known, err := w.ledger.Baselines(t.Context(), prod, appID)
	if err != nil {
		t.Fatal(err)
	}
	const otherID = "AROAOTHER11111111111"
	w.put(prod, "other", otherID, closed)
	b := known[0]
	b.RoleID = otherID
	// Whoever writes the table puts the record under the other role's key.
	if err := w.ledger.AddBaseline(t.Context(), b); err != nil {
		t.Fatal(err)
	}
	w.now = w.now.Add(2 * time.Hour)
	w.put(prod, "other", otherID, opened)
	w.untouched(w.handle(w.updated("ev2", "other", opened)), "seal of the baseline")
}

// T61: with a broken seal on the newest, no older baseline is gone back to:
// somebody has been at the ledger.
func TestT61ABrokenSealStopsOlderBaselinesToo(t *testing.T) {
	w := withBaseline(t, rulesFile)
	if err := w.ledger.AddBaseline(t.Context(), role.Baseline{
		Account: prod, RoleID: appID, Document: onlyEC2, Digest: "sha256:planted", Sealed: w.now.Add(time.Hour), Provenance: role.Observed,
	}); err != nil {
		t.Fatal(err)
	}
	w.untouched(w.open("ev2"), "seal of the baseline")
}

// KMS that does not answer for a moment is no reason to write and none to give
// up: the role is reverted once the seal is verified.
func TestASealThatCannotBeVerifiedForAMomentIsVerifiedLater(t *testing.T) {
	w := withBaseline(t, rulesFile)
	w.sealErr = fmt.Errorf("verifying: %w", role.ErrThrottled)
	res := w.open("ev2")
	if res.End != ledger.InFlight || w.writes() != 0 || len(w.told) != 0 {
		t.Fatalf("ended in %s with %d writes", res.End, w.writes())
	}
	w.sealErr = nil
	if res = w.settle(res); res.End != ledger.Reverted {
		t.Errorf("ended in %s: %s", res.End, res.Reason)
	}
}

// T61: and when it never does, people are told, and nothing was written.
func TestASealThatIsNeverVerifiedIsToldOf(t *testing.T) {
	for name, err := range map[string]error{"denied": role.ErrAccessDenied, "throttled": role.ErrThrottled, "unknown": errors.New("no answer")} {
		t.Run(name, func(t *testing.T) {
			w := withBaseline(t, rulesFile)
			w.sealErr = fmt.Errorf("verifying: %w", err)
			w.untouched(w.settle(w.open("ev2")), "whether the baseline is what was sealed is not known")
		})
	}
}

// Without a key nothing is gone back to, and people are told why.
func TestWithoutAKeyNoBaselineCounts(t *testing.T) {
	w := withBaseline(t, rulesFile)
	w.rebuild(func(c *guard.Config) { c.Seals = nil })
	w.untouched(w.open("ev2"), "no key is configured")
}

// T62, T76: what was found standing when rolewarden came is gone back to only
// where the rules file, which people review, says so.
func TestT62AFirstSightingIsATargetOnlyWhereTheRulesFileSaysSo(t *testing.T) {
	for text, want := range map[string]ledger.End{
		"": ledger.Held,
		"baselines: {firstSightings: [\"444455556666\", \"arn:aws:iam::111122223333:role/other\"]}\n": ledger.Held,
		"baselines: {firstSightings: [\"111122223333\"]}\n":                                           ledger.Reverted,
		"baselines: {firstSightings: [\"arn:aws:iam::111122223333:role/app\"]}\n":                     ledger.Reverted,
	} {
		w := newWorld(t, rulesFile+text)
		w.put(prod, "app", appID, onlyEC2)
		w.now = w.now.Add(48 * time.Hour)
		w.sealed(role.Baseline{Account: prod, RoleID: appID, Document: onlyEC2, Digest: digestOf(t, onlyEC2), Since: w.now})
		res := w.open("ev2")
		if res.End != want {
			t.Errorf("%q: ended in %s: %v", text, res.End, res.Decision.Reasons)
		}
		if want == ledger.Held && (w.writes() != 0 || !strings.Contains(w.told[0].Text(), "baselines.firstSightings")) {
			t.Errorf("%q: %d writes, told %v", text, w.writes(), res.Decision.Reasons)
		}
	}
}

// T60: what obeyed the rules a moment ago is no baseline: it is a candidate,
// which nothing is reverted to, however often it was looked at.
func TestT60ACandidateIsNoTarget(t *testing.T) {
	w := newWorld(t, rulesFile)
	w.put(prod, "app", appID, onlyEC2)
	w.now = w.now.Add(48 * time.Hour)
	w.handle(w.updated("ev1", "app", onlyEC2))
	w.due()
	known, err := w.ledger.Recall(t.Context(), prod, appID)
	if err != nil || known.Candidate == nil || len(known.Baselines) != 0 {
		t.Fatalf("%+v, %v", known, err)
	}
	c := known.Candidate
	if c.Provenance != role.Observed || c.Actor != "arn:aws:iam::111122223333:user/bob" || c.EventID != "ev1" || c.RulesHash != w.rules.Hash || len(c.Seal) != 0 {
		t.Errorf("the candidate is %+v", c)
	}
	w.untouched(w.open("ev2"), "once it has stood for 24h0m0s")
	if w.verified != 0 {
		t.Errorf("%d seals were verified of a role that has none", w.verified)
	}
}

// T60: a document of which no event told who made it is a first sighting, and
// takes no baseline's place that an event told of.
func TestT60WhatNoEventToldOfIsAFirstSighting(t *testing.T) {
	w := newWorld(t, rulesFile)
	w.put(prod, "app", appID, closed)
	w.handle(w.created("ev1", "app", closed))
	w.put(prod, "app", appID, onlyEC2)
	for len(w.steps) > 0 {
		w.due()
	}
	known, err := w.ledger.Recall(t.Context(), prod, appID)
	if err != nil || known.Candidate == nil || known.Candidate.Digest != digestOf(t, onlyEC2) {
		t.Fatalf("%+v, %v", known.Candidate, err)
	}
	if c := known.Candidate; c.Provenance != role.Unreviewed || c.Actor != "" {
		t.Errorf("the candidate is %+v", c)
	}
}
