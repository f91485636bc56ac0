package guard_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/rolewarden/rolewarden/pkg/alert"
	"github.com/rolewarden/rolewarden/pkg/finding"
	"github.com/rolewarden/rolewarden/pkg/ledger"
)

func TestAnOpenedRoleIsRevertedAndToldOnce(t *testing.T) {
	w := withBaseline(t, rulesFile)
	res := w.open("ev2")
	if res.End != ledger.Reverted || !res.Outcome.Verified {
		t.Fatalf("ended in %s: %v %+v", res.End, res.Decision.Reasons, res.Outcome)
	}
	if got := w.live(prod, "app").TrustPolicy; got != closed {
		t.Errorf("the role reads %s", got)
	}
	if len(w.told) != 1 || w.told[0].State != alert.Opened || w.told[0].Outcome.Done != "Revert" {
		t.Fatalf("told %+v", w.told)
	}
	if w.told[0].Change.NewlyAllowed == "" {
		t.Error("the alert does not say what the change newly allowed")
	}
}

// S3: a trusted user is deleted; the role that trusted it is told of at once.
func TestADeletedUserIsToldOfAtOnce(t *testing.T) {
	w := withBaseline(t, rulesFile)
	delete(w.principals, "arn:aws:iam::111122223333:user/alice")
	w.put(prod, "app", "AROAAPP1111111111111", strings.Replace(closed, "arn:aws:iam::111122223333:user/alice", "AIDAALICE111111111111", 1))
	res := w.handle(w.event("DeleteUser", "ev-del", map[string]any{"userName": "Alice"}, nil))
	if res.End != ledger.Told || len(w.told) != 1 {
		t.Fatalf("ended in %s with %d alerts: %s", res.End, len(w.told), res.Reason)
	}
	text := w.told[0].Text()
	for _, want := range []string{"role/app", "user/alice", "user/bob"} {
		if !strings.Contains(text, want) {
			t.Errorf("the alert does not name %s:\n%s", want, text)
		}
	}
	res = w.handle(w.updated("ev3", "app", closed))
	f := res.Report.Findings
	if len(f) == 0 || f[0].Evidence.Principal == nil || f[0].Evidence.Principal.DeletedBy != "arn:aws:iam::111122223333:user/bob" {
		t.Errorf("the unique id is not explained: %+v", res.Report)
	}
}

func TestADeletionThatConcernsNobodyIsQuiet(t *testing.T) {
	w := withBaseline(t, rulesFile)
	if res := w.handle(w.event("DeleteUser", "ev-del", map[string]any{"userName": "nobody"}, nil)); len(w.told) != 0 || res.End != ledger.Compliant {
		t.Errorf("ended in %s with %d alerts", res.End, len(w.told))
	}
}

// T57: somebody else's tag in another case stops no revert.
func TestATagInAnotherCaseStopsNoRevert(t *testing.T) {
	w := withBaseline(t, rulesFile)
	w.live(prod, "app").Tags["Rolewarden:State"] = "x"
	if res := w.open("ev2"); res.End != ledger.Reverted || w.live(prod, "app").TrustPolicy != closed {
		t.Errorf("ended in %s: %+v", res.End, res.Outcome)
	}
}

// T56: tags that somebody else set resolve nothing that was never told.
func TestForeignTagsMakeNoNoise(t *testing.T) {
	w := withBaseline(t, rulesFile)
	w.live(prod, "app").Tags["rolewarden:state"] = "fine"
	if w.handle(w.updated("ev2", "app", closed)); len(w.told) != 0 {
		t.Errorf("told %+v", w.told)
	}
}

// Another document that cannot be read is told of too.
func TestASecondUnreadableDocumentIsToldOf(t *testing.T) {
	w := newWorld(t, rulesFile)
	for i, text := range []string{`{"Version":"2012-10-17"}`, `{"Version":"2012-10-17","Statement":7}`} {
		w.put(prod, "app", "AROAAPP1111111111111", text)
		w.settle(w.handle(w.updated(fmt.Sprintf("ev%d", i), "app", text)))
	}
	if len(w.told) != 2 {
		t.Errorf("told %d times", len(w.told))
	}
}

func TestObservedRulesOnlyTell(t *testing.T) {
	w := withBaseline(t, strings.Replace(rulesFile, "enforce", "observe", 1))
	res := w.open("ev2")
	if res.End != ledger.Told || w.writes() != 0 || res.Report.Verdict != finding.Noncompliant {
		t.Errorf("ended in %s with %d writes", res.End, w.writes())
	}
	again := w.handle(w.updated("ev3", "app", opened))
	if again.End != ledger.Told || len(w.told) != 1 {
		t.Errorf("the same findings were told %d times", len(w.told))
	}
}

// A role that is deleted while an alert about it is open resolves the alert.
func TestADeletedRoleResolvesItsAlert(t *testing.T) {
	w := withBaseline(t, strings.Replace(rulesFile, "enforce", "observe", 1))
	w.open("ev2")
	delete(w.roles, prod+"/app")
	res := w.handle(w.event("DeleteRole", "ev3", map[string]any{"roleName": "App"}, nil))
	if len(w.told) != 2 || w.told[1].State != alert.Resolved || w.told[1].ID != w.told[0].ID {
		t.Errorf("ended in %s, told %+v", res.End, w.told)
	}
}
