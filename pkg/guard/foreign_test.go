package guard_test

import (
	"strings"
	"testing"
	"time"

	"github.com/rolewarden/rolewarden/pkg/awsapi/actions"
	"github.com/rolewarden/rolewarden/pkg/decision"
	"github.com/rolewarden/rolewarden/pkg/guard"
	"github.com/rolewarden/rolewarden/pkg/ledger"
	"github.com/rolewarden/rolewarden/pkg/remediate"
)

// reverted opens a role that has a baseline, and has it reverted.
func reverted(t *testing.T) (*world, guard.Result) {
	t.Helper()
	w := withBaseline(t, rulesFile)
	res := w.open("ev2")
	if res.End != ledger.Reverted {
		t.Fatalf("ended in %s: %s", res.End, res.Reason)
	}
	w.told = nil
	return w, res
}

// T66, T75: the event of our own write fits the decision that it names, and is
// handled in silence like any event of a good role.
func TestT75OurOwnWriteIsVouchedFor(t *testing.T) {
	w, res := reverted(t)
	got := w.handle(own(t, w.updated("ours", "app", closed), res.Decision.ID))
	if got.End != ledger.Compliant || w.alarmed("write-without-intent") != 0 || w.alarmed("lost-update") != 0 {
		t.Errorf("ended in %s, log %s", got.End, w.log.String())
	}
}

// T75: a write under our own role that no decision asked for is an alarm and an
// alert, once, and the role is judged like any other: nobody is passed over for
// the name of a session (T66).
func TestT75AWriteWithoutAnIntentIsAnAlarm(t *testing.T) {
	for name, make := range map[string]func(*testing.T, *world, string) []byte{
		"another document": func(t *testing.T, w *world, id string) []byte {
			return own(t, w.updated("theirs", "app", opened), id)
		},
		"another role": func(t *testing.T, w *world, id string) []byte {
			w.put(prod, "other", "AROAOTHER11111111111", closed)
			return own(t, w.updated("theirs", "other", closed), id)
		},
		"a decision that nobody made": func(t *testing.T, w *world, _ string) []byte {
			return own(t, w.updated("theirs", "app", closed), "aaaaaaaaaaaaaaaaaaaaaaaaaa")
		},
		"no source identity": func(t *testing.T, w *world, id string) []byte {
			return as(t, w.updated("theirs", "app", closed), actions.SessionPrefix+id, "")
		},
		"a session of another name": func(t *testing.T, w *world, id string) []byte {
			return as(t, w.updated("theirs", "app", closed), "mallory", actions.SourceIdentityPrefix+id)
		},
		"long after the decision": func(t *testing.T, w *world, id string) []byte {
			w.now = w.now.Add(20 * time.Minute)
			return own(t, w.updated("theirs", "app", closed), id)
		},
		"a padded document": func(t *testing.T, w *world, id string) []byte {
			return own(t, w.updated("theirs", "app", closed[:20]), id)
		},
		"another call": func(t *testing.T, w *world, id string) []byte {
			return own(t, w.event("DeleteRole", "theirs", map[string]any{"roleName": "nobodys"}, nil), id)
		},
	} {
		t.Run(name, func(t *testing.T) {
			w, res := reverted(t)
			body := make(t, w, res.Decision.ID)
			first := w.settle(w.handle(body))
			if w.alarmed("write-without-intent") != 1 || len(w.told) == 0 || !strings.Contains(w.told[0].Text(), "is none that rolewarden decided") {
				t.Fatalf("alarms %d, told %+v", w.alarmed("write-without-intent"), w.told)
			}
			if first.End == ledger.InFlight {
				t.Errorf("the event is not handled: %+v", first)
			}
			n := len(w.told)
			w.handle(body)
			if w.alarmed("write-without-intent") != 1 || len(w.told) != n {
				t.Error("the same event is told again")
			}
		})
	}
}

// T66, T75: whoever opens a role under our name has it shut, and a borrowed name
// is no excuse.
func TestT75ABorrowedNameIsJudgedLikeAnyOther(t *testing.T) {
	w, res := reverted(t)
	w.put(prod, "app", appID, opened)
	got := w.handle(own(t, w.updated("theirs", "app", opened), res.Decision.ID))
	if got.End != ledger.Reverted || w.live(prod, "app").TrustPolicy != closed || w.alarmed("write-without-intent") != 1 {
		t.Errorf("ended in %s, stands %s", got.End, w.live(prod, "app").TrustPolicy)
	}
}

// IAM may take the other form of a quarantine; it is ours all the same. A
// document that is written by our role into another's account is not.
func TestT75TheOtherFormOfAQuarantineIsOurs(t *testing.T) {
	w := newWorld(t, rulesFile)
	w.put(prod, "app", appID, opened)
	res := w.handle(w.created("ev1", "app", opened))
	if res.Outcome.Done != decision.Quarantine {
		t.Fatalf("%s: %s", res.Outcome.Done, res.Reason)
	}
	fallback := remediate.QuarantineFallback(prod, res.Decision.ID)
	w.put(prod, "app", appID, fallback)
	w.handle(own(t, w.updated("ours", "app", fallback), res.Decision.ID))
	if w.alarmed("write-without-intent") != 0 {
		t.Errorf("log: %s", w.log.String())
	}
}

// The ledger that cannot be read is no reason to vouch for a write.
func TestT75WithoutTheLedgerNothingIsVouchedFor(t *testing.T) {
	w, res := reverted(t)
	w.ledger.decidedErr = errDown
	body := own(t, w.updated("ours", "app", closed), res.Decision.ID)
	if _, err := w.guard.Handle(t.Context(), body); err == nil {
		t.Fatal("an event was vouched for without the ledger")
	}
	w.ledger.decidedErr = nil
	if got := w.handle(body); got.End != ledger.Compliant || w.alarmed("write-without-intent") != 0 {
		t.Errorf("ended in %s", got.End)
	}
}

// An event under another role than ours is nobody's concern here, whatever its
// session is called.
func TestT75OthersMayBeCalledLikeUs(t *testing.T) {
	w, res := reverted(t)
	body := strings.ReplaceAll(string(own(t, w.updated("theirs", "app", closed), res.Decision.ID)), "rolewarden-remediator", "deploy")
	w.handle([]byte(body))
	if w.alarmed("write-without-intent") != 0 {
		t.Errorf("log: %s", w.log.String())
	}
}
