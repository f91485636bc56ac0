package guard_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/rolewarden/rolewarden/pkg/ledger"
	"github.com/rolewarden/rolewarden/pkg/role"
)

// freshEnough is longer than a role counts as just created.
const freshEnough = time.Hour

// T48: who took the name of a trusted user meanwhile is left out of a revert.
func TestARevertNeverGivesAccessToAReCreatedName(t *testing.T) {
	w := withBaseline(t, rulesFile)
	w.principals["arn:aws:iam::111122223333:user/alice"] = "AIDAOTHER111111111111"
	res := w.open("ev2")
	if res.End != ledger.Reverted || len(res.Outcome.Dropped) != 1 {
		t.Fatalf("ended in %s, dropped %v: %v", res.End, res.Outcome.Dropped, res.Decision.Reasons)
	}
	if got := w.live(prod, "app").TrustPolicy; strings.Contains(got, "alice") {
		t.Errorf("the role trusts the new alice: %s", got)
	}
}

func TestACreatedRoleIsQuarantinedAndStaysSo(t *testing.T) {
	w := newWorld(t, rulesFile)
	w.put(prod, "fresh", "AROAFRESH11111111111", opened)
	res := w.handle(w.created("ev1", "fresh", opened))
	if res.End != ledger.Quarantined {
		t.Fatalf("ended in %s: %v", res.End, res.Decision.Reasons)
	}
	written := w.live(prod, "fresh").TrustPolicy
	// Whoever finds the role shut reads on from its Sid: it is the decision that
	// the alert names, and that the ledger keeps the original under.
	if !strings.Contains(written, `"RolewardenQuarantine`+res.Decision.ID+`"`) || w.told[0].Decision.ID != res.Decision.ID {
		t.Errorf("decision %s, told as %s, leaves %s", res.Decision.ID, w.told[0].Decision.ID, written)
	}
	if i, end, ok, err := w.ledger.Decided(t.Context(), res.Decision.ID); err != nil || !ok || end != ledger.Quarantined || i.Before != opened {
		t.Errorf("the ledger keeps %+v, %s, %t, %v", i, end, ok, err)
	}
	writes := w.writes()
	if res = w.handle(w.updated("ev2", "fresh", written)); w.writes() != writes || res.End != ledger.Compliant {
		t.Errorf("our own write ended in %s with %d more writes", res.End, w.writes()-writes)
	}
	if len(w.steps) != 0 {
		t.Error("the quarantine document would become a baseline")
	}
}

// Only the last good document is restored, or an older one that is proven to let
// in nobody whom the last one did not: here the last one cannot be, since who
// alice is may not be read.
func TestAnOlderBaselineLetsNobodyBackIn(t *testing.T) {
	const carol = "arn:aws:iam::111122223333:user/carol"
	onlyCarol := strings.Replace(closed, aliceARN, carol, 1)
	with := strings.Replace(closed, `"`+aliceARN+`"`, `["`+aliceARN+`","`+carol+`"]`, 1)
	for name, row := range map[string]struct {
		older, newest string
		end           ledger.End
		stands        string
	}{
		"the older one lets in whom the newest did not": {onlyCarol, closed, ledger.Held, opened},
		"the older one lets in fewer":                   {onlyCarol, with, ledger.Reverted, onlyCarol},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, rulesFile)
			w.principals[carol] = "AIDACAROL111111111111"
			for i, document := range []string{row.older, row.newest} {
				w.put(prod, "app", appID, document)
				w.settle(w.handle(w.updated(fmt.Sprint("ev", i), "app", document)))
				w.due()
				w.now = w.now.Add(24 * time.Hour)
				w.seal(prod, appID)
			}
			w.hidden, w.steps = aliceARN, nil
			if res := w.settle(w.open("ev3")); res.End != row.end || w.live(prod, "app").TrustPolicy != row.stands {
				t.Errorf("ended in %s with %s: %v", res.End, w.live(prod, "app").TrustPolicy, res.Decision.Reasons)
			}
		})
	}
}

// A document that obeyed the rules when it was sealed is gone back to only as
// long as it obeys them: here a partner was struck out since. An older one that
// still does, and lets in no more, takes its place.
func TestABaselineThatBreaksTodaysRulesIsNotRestored(t *testing.T) {
	less := strings.Replace(trusting, `"AWS":"arn:aws:iam::777788889999:root"`, `"Service":"ec2.amazonaws.com"`, 1)
	less = strings.Replace(less, `,"Condition":{"StringEquals":{"sts:ExternalId":"a-long-external-id"},"StringLike":{"sts:RoleSessionName":"${aws:username}"}}`, "", 1)
	more := strings.Replace(less, `"Statement":[`, `"Statement":[`+statementOf(trusting)+",", 1)
	for name, row := range map[string]struct {
		sealed []string
		end    ledger.End
		stands string
	}{
		"the only one":                    {[]string{trusting}, ledger.Held, opened},
		"an older one lets in others":     {[]string{less, trusting}, ledger.Held, opened},
		"an older one obeys and is less":  {[]string{less, more}, ledger.Reverted, less},
		"the newest obeys, the older not": {[]string{trusting, less}, ledger.Reverted, less},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, rulesFile+partners)
			for i, document := range row.sealed {
				w.put(prod, "app", appID, document)
				w.settle(w.handle(w.updated(fmt.Sprint("ev", i), "app", document)))
				w.due()
				w.now = w.now.Add(24 * time.Hour)
				w.seal(prod, appID)
			}
			w.deploy(rulesFile)
			w.steps, w.told, w.calls = nil, nil, nil
			res := w.open("ev9")
			if res.End != row.end || w.live(prod, "app").TrustPolicy != row.stands {
				t.Errorf("ended in %s with %s: %v", res.End, w.live(prod, "app").TrustPolicy, res.Decision.Reasons)
			}
			if row.end == ledger.Held {
				w.untouched(res, "does not obey today's rules")
			}
		})
	}
}

// statementOf gives the only statement of a document.
func statementOf(document string) string {
	_, rest, _ := strings.Cut(document, `"Statement":[`)
	return strings.TrimSuffix(rest, "]}")
}

// T5: an event that is replayed quarantines no role that has lived for long;
// without a baseline not even a tag is written, and people are told why.
func TestAReplayedCreationQuarantinesNothing(t *testing.T) {
	w := newWorld(t, rulesFile)
	w.put(prod, "old", "AROAOLD1111111111111", opened)
	body := w.created("ev1", "old", opened)
	w.now = w.now.Add(3 * freshEnough)
	res := w.handle(body)
	if res.End != ledger.Held || w.writes() != 0 || w.live(prod, "old").TrustPolicy != opened {
		t.Errorf("ended in %s with %d writes", res.End, w.writes())
	}
	if len(w.told) != 1 || !strings.Contains(w.told[0].Text(), "no baseline is known") {
		t.Errorf("told %d times: %v", len(w.told), res.Decision.Reasons)
	}
}

// T62: a role that is made good and opened within its first hour has nothing to
// go back to that has stood for long enough, so it is shut.
func TestARoleOpenedRightAfterItsMakingIsQuarantined(t *testing.T) {
	w := newWorld(t, rulesFile)
	w.put(prod, "app", "AROAAPP1111111111111", closed)
	w.handle(w.created("ev1", "app", closed))
	w.due()
	if res := w.open("ev2"); res.End != ledger.Quarantined {
		t.Errorf("ended in %s: %v", res.End, res.Decision.Reasons)
	}
}

// A baseline whose principal cannot be read is no target: the name may have been taken over.
func TestABaselineWhosePrincipalCannotBeReadIsNotRestored(t *testing.T) {
	w := withBaseline(t, rulesFile)
	w.principalErr = fmt.Errorf("reading: %w", role.ErrAccessDenied)
	res := w.settle(w.open("ev2"))
	if res.End != ledger.Held || w.writes() != 0 || w.live(prod, "app").TrustPolicy != opened {
		t.Errorf("ended in %s: %v", res.End, res.Decision.Reasons)
	}
}
