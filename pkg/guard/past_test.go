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
	writes := w.writes()
	if res = w.handle(w.updated("ev2", "fresh", written)); w.writes() != writes || res.End != ledger.Compliant {
		t.Errorf("our own write ended in %s with %d more writes", res.End, w.writes()-writes)
	}
	if len(w.steps) != 0 {
		t.Error("the quarantine document would become a baseline")
	}
}

// T14 of the past: only the last good document, or one that lets in no more, is restored.
func TestAnOlderBaselineLetsNobodyBackIn(t *testing.T) {
	w := newWorld(t, rulesFile)
	both := strings.Replace(closed, `"arn:aws:iam::111122223333:user/alice"`, `["arn:aws:iam::111122223333:user/alice","arn:aws:iam::111122223333:user/bob"]`, 1)
	w.principals["arn:aws:iam::111122223333:user/bob"] = "AIDABOB11111111111111"
	w.put(prod, "app", "AROAAPP1111111111111", both)
	w.handle(w.created("ev1", "app", both))
	w.due()
	w.seal(prod, "AROAAPP1111111111111")
	w.put(prod, "app", "AROAAPP1111111111111", closed)
	w.handle(w.updated("ev2", "app", closed))
	w.due()
	w.seal(prod, "AROAAPP1111111111111")
	// The newest baseline cannot be restored: who alice is cannot be read.
	w.now = w.now.Add(3 * freshEnough)
	w.hidden = "arn:aws:iam::111122223333:user/alice"
	if res := w.open("ev3"); res.End == ledger.Reverted || strings.Contains(w.live(prod, "app").TrustPolicy, "bob") {
		t.Errorf("ended in %s with %s", res.End, w.live(prod, "app").TrustPolicy)
	}
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
