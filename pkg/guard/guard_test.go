package guard_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/rolewarden/rolewarden/pkg/alert"
	"github.com/rolewarden/rolewarden/pkg/decision"
	"github.com/rolewarden/rolewarden/pkg/finding"
	"github.com/rolewarden/rolewarden/pkg/guard"
	"github.com/rolewarden/rolewarden/pkg/ledger"
	"github.com/rolewarden/rolewarden/pkg/role"
)

func TestACompliantEventCostsOneReadAndTwoLedgerCalls(t *testing.T) {
	w := newWorld(t, rulesFile)
	w.put(prod, "app", "AROAAPP1111111111111", closed)
	res := w.handle(w.created("ev1", "app", closed))
	if res.End != ledger.Compliant || len(w.told) != 0 {
		t.Fatalf("ended in %s with %d alerts: %s", res.End, len(w.told), res.Reason)
	}
	if got := strings.Join(w.calls, " "); got != "GetRole" {
		t.Errorf("AWS calls: %s", got)
	}
	if w.ledger.n != 2 {
		t.Errorf("%d ledger calls", w.ledger.n)
	}
}

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

// T66: our own write comes back as an event, resolves the alert and writes nothing.
func TestOurOwnWriteEndsInNoSecondWrite(t *testing.T) {
	w := withBaseline(t, rulesFile)
	w.open("ev2")
	before := w.writes()
	res := w.handle(w.updated("ev3", "app", closed))
	if res.End != ledger.Compliant || w.writes() != before {
		t.Fatalf("ended in %s after %d more writes", res.End, w.writes()-before)
	}
	if len(w.told) != 2 || w.told[1].State != alert.Resolved || w.told[1].ID != w.told[0].ID {
		t.Errorf("the alert is not resolved under its id: %+v", w.told[1:])
	}
}

// T5, T6: the same event again is handled once.
func TestADuplicateEventIsHandledOnce(t *testing.T) {
	w := withBaseline(t, rulesFile)
	w.put(prod, "app", "AROAAPP1111111111111", opened)
	body := w.updated("ev2", "app", opened)
	w.handle(body)
	calls, told := len(w.calls), len(w.told)
	res := w.handle(body)
	if res.Ignored != "handled before" || res.End != ledger.Reverted || len(w.calls) != calls || len(w.told) != told {
		t.Errorf("the duplicate ended in %q %s, %d more calls", res.Ignored, res.End, len(w.calls)-calls)
	}
}

// T1: a refused call says nothing of the role.
func TestAFailedCallReadsAndWritesNothing(t *testing.T) {
	w := newWorld(t, rulesFile)
	body := strings.Replace(string(w.updated("ev1", "app", opened)), `"eventID"`, `"errorCode":"AccessDenied","eventID"`, 1)
	if res := w.handle([]byte(body)); res.Ignored == "" || len(w.calls) != 0 || w.ledger.n != 0 {
		t.Errorf("%q, calls %v, %d ledger calls", res.Ignored, w.calls, w.ledger.n)
	}
}

// T4: an event whose accounts disagree is recorded as rejected, and told.
func TestAForgedAccountIsRejectedAndTold(t *testing.T) {
	w := withBaseline(t, rulesFile)
	w.put(prod, "app", "AROAAPP1111111111111", opened)
	body := strings.Replace(string(w.updated("ev2", "app", opened)), `"recipientAccountId":"111122223333"`, `"recipientAccountId":"444455556666"`, 1)
	res := w.handle([]byte(body))
	if res.End != ledger.Rejected || len(w.told) != 1 || w.writes() != 0 {
		t.Errorf("ended in %s, told %d, writes %d", res.End, len(w.told), w.writes())
	}
}

func TestAMessageThatNamesNoEventGoesToTheDeadLetterQueue(t *testing.T) {
	w := newWorld(t, rulesFile)
	if _, err := w.guard.Handle(t.Context(), []byte(`{"no":"envelope`)); err == nil {
		t.Error("no error, so the message would be lost")
	}
}

// T6: an old event that comes late is judged by what the role is now.
func TestAnEventOutOfOrderWritesNothing(t *testing.T) {
	w := withBaseline(t, rulesFile)
	old := w.updated("ev-old", "app", strings.Replace(opened, foreign, "777788889999", 1))
	w.open("ev-new")
	writes := w.writes()
	res := w.handle(old)
	if res.End != ledger.Compliant || w.writes() != writes {
		t.Errorf("ended in %s (%s), %d more writes", res.End, res.Reason, w.writes()-writes)
	}
}

// T7: an event too large to carry its document is no blind spot.
func TestATruncatedEventEndsInTheSameVerdict(t *testing.T) {
	w := withBaseline(t, rulesFile)
	w.put(prod, "app", "AROAAPP1111111111111", opened)
	res := w.handle(w.updated("ev2", "app", opened[:40]))
	if res.End != ledger.Reverted {
		t.Errorf("ended in %s: %s", res.End, res.Reason)
	}
}

// T63: a reading that lags behind its event is no pass.
func TestAReadThatLagsIsReadAgain(t *testing.T) {
	w := withBaseline(t, rulesFile)
	w.lagging = closed
	res := w.open("ev2")
	if res.End != ledger.InFlight || len(res.Steps) != 1 || w.writes() != 0 {
		t.Fatalf("ended in %s with %d steps", res.End, len(res.Steps))
	}
	w.lagging = ""
	if res = w.due(); res.End != ledger.Reverted {
		t.Errorf("ended in %s: %s", res.End, res.Reason)
	}
}

// T63: and when it never settles, people are told and nothing is written.
func TestARoleThatNeverSettlesIsToldOf(t *testing.T) {
	w := withBaseline(t, rulesFile)
	w.lagging = closed
	res := w.open("ev2")
	for len(w.steps) > 0 {
		res = w.due()
	}
	if res.End != ledger.Told || w.writes() != 0 || len(w.told) != 1 {
		t.Errorf("ended in %s, %d writes, %d alerts", res.End, w.writes(), len(w.told))
	}
}

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

func TestDoubtNeverWrites(t *testing.T) {
	for name, arrange := range map[string]func(*world){
		"the kill switch stops":              func(w *world) { w.stop() },
		"the kill switch cannot be read":     func(w *world) { w.ledger.switchErr = errors.New("no answer") },
		"the role is protected":              func(w *world) { w.rules.Protected = []string{"arn:aws:iam::111122223333:role/app"} },
		"Organizations does not answer":      func(w *world) { w.memberErr = errors.New("no answer") },
		"the member role may not be assumed": func(w *world) { w.openErr = fmt.Errorf("assuming: %w", role.ErrAccessDenied) },
		"the limit is used up":               func(w *world) { w.rules.Limits.PerAccountPerHour = 0 },
	} {
		t.Run(name, func(t *testing.T) {
			w := withBaseline(t, rulesFile)
			arrange(w)
			res := w.open("ev2")
			for _, c := range w.calls {
				if c == "UpdateAssumeRolePolicy" {
					t.Error("the role was written")
				}
			}
			if len(w.told) != 1 || res.End == ledger.InFlight || res.End == ledger.Compliant {
				t.Errorf("ended in %s with %d alerts: %v", res.End, len(w.told), res.Decision.Reasons)
			}
			if len(res.Decision.Reasons) == 0 {
				t.Error("nobody is told why nothing was done")
			}
		})
	}
}

func (w *world) stop() {
	if err := w.ledger.SetSwitch(w.t.Context(), decision.WritesStopped, "carol", "exercise", w.now); err != nil {
		w.t.Fatal(err)
	}
}

func TestAnAccountThatJoinedAMinuteAgoIsNoStranger(t *testing.T) {
	w := withBaseline(t, rulesFile)
	w.members[foreign] = guard.Member
	named := strings.Replace(closed, "111122223333:user/alice", foreign+":root", 1)
	w.put(prod, "app", "AROAAPP1111111111111", named)
	if res := w.handle(w.updated("ev2", "app", named)); w.writes() != 0 || res.Report.Verdict != finding.Compliant {
		t.Errorf("ended in %s with %d writes: %+v", res.End, w.writes(), res.Report)
	}
}

// T84: an account that cannot be read is a coverage gap, never a pass.
func TestARoleThatMayNotBeReadIsToldOf(t *testing.T) {
	w := newWorld(t, rulesFile)
	w.put(prod, "app", "AROAAPP1111111111111", closed)
	w.readErr = fmt.Errorf("reading: %w", role.ErrAccessDenied)
	res := w.handle(w.created("ev1", "app", closed))
	if res.End != ledger.Told || len(w.told) != 1 {
		t.Errorf("ended in %s with %d alerts", res.End, len(w.told))
	}
}

func TestAThrottledReadComesAgain(t *testing.T) {
	w := newWorld(t, rulesFile)
	w.put(prod, "app", "AROAAPP1111111111111", closed)
	body := w.created("ev1", "app", closed)
	w.readErr = fmt.Errorf("reading: %w", role.ErrThrottled)
	if _, err := w.guard.Handle(t.Context(), body); !errors.Is(err, role.ErrThrottled) {
		t.Fatalf("got %v", err)
	}
	w.readErr = nil
	if res := w.handle(body); res.End != ledger.Compliant {
		t.Errorf("the second delivery ended in %s", res.End)
	}
}

func TestAnAlertThatCannotBeSentKeepsTheEventInFlight(t *testing.T) {
	w := withBaseline(t, rulesFile)
	w.tellErr = errors.New("the topic does not answer")
	w.put(prod, "app", "AROAAPP1111111111111", opened)
	body := w.updated("ev2", "app", opened)
	if _, err := w.guard.Handle(t.Context(), body); err == nil {
		t.Fatal("no error, so nobody would ever be told")
	}
	writes := w.writes()
	w.tellErr = nil
	res := w.handle(body)
	if res.End != ledger.Reverted || len(w.told) != 1 || w.writes() != writes {
		t.Errorf("the second delivery ended in %s, told %d, %d more writes: %s", res.End, len(w.told), w.writes()-writes, res.Reason)
	}
}

// T64: an administrator who mends the role between our read and our write is not overwritten.
func TestAForeignWriteBetweenReadsStartsOver(t *testing.T) {
	w := withBaseline(t, rulesFile)
	w.put(prod, "app", "AROAAPP1111111111111", opened)
	mended := strings.Replace(closed, "sts:AssumeRole\"", "sts:AssumeRole\",\"Sid\":\"Mended\"", 1)
	reads := 0
	w.onRead(func() {
		if reads++; reads == 2 {
			w.put(prod, "app", "AROAAPP1111111111111", mended)
		}
	})
	res := w.handle(w.updated("ev2", "app", opened))
	for len(w.steps) > 0 && res.End == ledger.InFlight {
		res = w.due()
	}
	if got := w.live(prod, "app").TrustPolicy; got != mended {
		t.Errorf("the mended document was overwritten: %s", got)
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

func TestAnUndecidedRoleIsToldOf(t *testing.T) {
	w := newWorld(t, rulesFile)
	// A trust policy cannot have a Resource: whether this statement lets the
	// foreign account in is not documented.
	odd := strings.Replace(opened, `"Action"`, `"Resource":"*","Action"`, 1)
	w.put(prod, "app", "AROAAPP1111111111111", odd)
	res := w.handle(w.created("ev1", "app", odd))
	if res.End != ledger.Told || w.writes() != 0 || len(w.told) != 1 {
		t.Errorf("ended in %s with %d writes, %d alerts: %+v", res.End, w.writes(), len(w.told), res.Report)
	}
}

// A2, T6: SQS may deliver one message twice at the same time.
func TestTwoDeliveriesAtOnceWriteOnce(t *testing.T) {
	w := withBaseline(t, rulesFile)
	w.put(prod, "app", "AROAAPP1111111111111", opened)
	body := w.updated("ev2", "app", opened)
	inner := false
	w.onWrite = func() {
		if inner {
			return
		}
		inner = true
		res, err := w.guard.Handle(t.Context(), body)
		if err != nil || res.End != ledger.InFlight || len(res.Steps) != 1 {
			t.Errorf("the second delivery ended in %s: %v", res.End, err)
		}
	}
	w.handle(body)
	res := w.due()
	if w.writes() != 1 || len(w.told) != 1 || res.End != ledger.Reverted {
		t.Errorf("%d writes, %d alerts, ended in %s", w.writes(), len(w.told), res.End)
	}
}

// A baseline whose principal cannot be read is no target: the name may have been taken over.
func TestABaselineWhosePrincipalCannotBeReadIsNotRestored(t *testing.T) {
	w := withBaseline(t, rulesFile)
	w.principalErr = fmt.Errorf("reading: %w", role.ErrAccessDenied)
	res := w.open("ev2")
	if res.End != ledger.Tagged || w.live(prod, "app").TrustPolicy != opened {
		t.Errorf("ended in %s: %v", res.End, res.Decision.Reasons)
	}
}

func BenchmarkCompliantEvent(b *testing.B) {
	w := newWorld(b, rulesFile)
	w.put(prod, "app", "AROAAPP1111111111111", closed)
	i := 0
	for b.Loop() {
		i++
		w.steps, w.calls = w.steps[:0], w.calls[:0]
		w.handle(w.created(fmt.Sprintf("ev%d", i), "app", closed))
	}
}

func TestAGuardWithoutItsPartsIsRefused(t *testing.T) {
	_, err := guard.New(guard.Config{})
	if err == nil || !strings.Contains(err.Error(), "Config.Ledger is not set") {
		t.Errorf("got %v", err)
	}
}

// T3: what looks like a step of the later queue is an unknown event on the
// intake queue, and a step that is none is given back.
func TestAForgedStepDoesNothing(t *testing.T) {
	w := withBaseline(t, rulesFile)
	w.put(prod, "app", "AROAAPP1111111111111", opened)
	for _, body := range []string{
		`{"version":1,"account":"111122223333","roleName":"app","step":"settle","attempt":1,"change":{"Kind":2,"EventID":"ev9","Account":"111122223333"}}`,
		`{"version":1,"account":"111122223333","roleName":"app","step":"settle","attempt":-1,"change":{"Kind":2,"EventID":"ev9","Account":"111122223333"}}`,
	} {
		if res := w.handle([]byte(body)); res.Ignored == "" || len(w.calls) != 0 {
			t.Errorf("%s: %+v, calls %v", body, res, w.calls)
		}
	}
	for _, body := range []string{
		`{"version":1,"account":"111122223333","roleName":"app","step":"settle","attempt":-1,"change":{"Kind":2,"EventID":"ev9","Account":"111122223333"}}`,
		`{"version":1,"account":"111122223333","roleName":"app","step":"settle","attempt":99,"change":{"Kind":2,"EventID":"ev9","Account":"111122223333"}}`,
		`{"version":1,"account":"444455556666","roleName":"app","step":"settle","attempt":1,"change":{"Kind":2,"EventID":"ev9","Account":"111122223333"}}`,
		`{"version":7}`, `[]`, ``,
	} {
		if _, err := w.guard.HandleStep(t.Context(), []byte(body)); err == nil {
			t.Errorf("%s was taken for a step", body)
		}
	}
}
