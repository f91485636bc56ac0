package guard_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/rolewarden/rolewarden/pkg/decision"
	"github.com/rolewarden/rolewarden/pkg/finding"
	"github.com/rolewarden/rolewarden/pkg/guard"
	"github.com/rolewarden/rolewarden/pkg/ledger"
	"github.com/rolewarden/rolewarden/pkg/org"
	"github.com/rolewarden/rolewarden/pkg/role"
)

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

func TestDoubtNeverWrites(t *testing.T) {
	for name, arrange := range map[string]func(*world){
		"the kill switch stops":              func(w *world) { w.stop() },
		"the kill switch cannot be read":     func(w *world) { w.ledger.switchErr = errors.New("no answer") },
		"the role is protected":              func(w *world) { w.rules.Protected = []string{"arn:aws:iam::111122223333:role/app"} },
		"the member role may not be assumed": func(w *world) { w.openErr = fmt.Errorf("assuming: %w", role.ErrAccessDenied) },
		"the limit is used up":               func(w *world) { w.rules.Limits.PerAccountPerHour = 0 },
	} {
		t.Run(name, func(t *testing.T) {
			w := withBaseline(t, rulesFile)
			arrange(w)
			res := w.settle(w.open("ev2"))
			// Past a limit a role is tagged, and that is all; elsewhere not even that.
			if tags := strings.Count(strings.Join(w.calls, " "), "TagRole"); w.trust() != 0 || w.writes() != tags || tags > 0 && name != "the limit is used up" {
				t.Errorf("written: %v", w.calls)
			}
			if len(w.told) != 1 || res.End == ledger.InFlight || res.End == ledger.Compliant {
				t.Errorf("ended in %s with %d alerts: %v", res.End, len(w.told), res.Decision.Reasons)
			}
			if len(res.Decision.Reasons) == 0 || len(w.told[0].Findings) == 0 {
				t.Error("nobody is told what is wrong, or why nothing was done")
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
	for name, account := range map[string]string{"written plainly": foreign, "spelled with an escape": foreign[:11] + `\u0039`} {
		t.Run(name, func(t *testing.T) {
			w := withBaseline(t, rulesFile)
			w.members[foreign] = org.Member
			named := strings.Replace(closed, "111122223333:user/alice", account+":root", 1)
			w.put(prod, "app", "AROAAPP1111111111111", named)
			if res := w.handle(w.updated("ev2", "app", named)); w.writes() != 0 || res.Report.Verdict != finding.Compliant {
				t.Errorf("ended in %s with %d writes: %+v", res.End, w.writes(), res.Report)
			}
		})
	}
}

// Accounts that joined are no cover for one that did not.
func TestManyNewMembersHideNoStranger(t *testing.T) {
	w := withBaseline(t, rulesFile)
	var all []string
	for i := range 20 {
		account := fmt.Sprintf("2222222222%02d", i)
		w.members[account] = org.Member
		all = append(all, `"`+account+`"`)
	}
	crowd := strings.Replace(opened, `"arn:aws:iam::999999999999:root"`, "["+strings.Join(all, ",")+`,"`+foreign+`"]`, 1)
	w.put(prod, "app", "AROAAPP1111111111111", crowd)
	if res := w.handle(w.updated("ev2", "app", crowd)); res.End != ledger.Reverted {
		t.Errorf("ended in %s: %v", res.End, res.Decision.Reasons)
	}
}

// Without Organizations' word an account that is not listed may be a member:
// what rests on that is held back and told with its reason, and nothing else is.
func TestWithoutOrganizationsOnlyTheOtherRulesAct(t *testing.T) {
	w := withBaseline(t, rulesFile)
	w.memberErr = fmt.Errorf("asking: %w", role.ErrAccessDenied)
	named := strings.Replace(closed, "111122223333:user/alice", foreign+":root", 1)
	w.put(prod, "app", "AROAAPP1111111111111", named)
	res := w.handle(w.updated("ev2", "app", named))
	if res.End != ledger.Held || w.writes() != 0 || len(w.told) != 1 || !strings.Contains(w.told[0].Text(), "organizations:DescribeAccount") {
		t.Errorf("ended in %s with %d writes: %v", res.End, w.writes(), res.Decision.Reasons)
	}
	// Without the condition the rule session-name is broken too, and acts.
	if res = w.open("ev3"); res.End != ledger.Reverted {
		t.Errorf("ended in %s: %v", res.End, res.Decision.Reasons)
	}
}

// A failure to ask that may pass is tried again, and is no verdict; when it
// does not pass, people are told.
func TestOrganizationsThatFailForAMomentAreAskedAgain(t *testing.T) {
	w := withBaseline(t, rulesFile)
	w.memberErr = fmt.Errorf("asking: %w", role.ErrThrottled)
	named := strings.Replace(closed, "111122223333:user/alice", foreign+":root", 1)
	w.put(prod, "app", "AROAAPP1111111111111", named)
	res := w.handle(w.updated("ev2", "app", named))
	if res.End != ledger.InFlight || len(w.steps) != 1 {
		t.Fatalf("ended in %s with %d steps", res.End, len(w.steps))
	}
	w.memberErr = nil
	if res = w.settle(res); res.End != ledger.Reverted {
		t.Errorf("ended in %s: %s", res.End, res.Reason)
	}
	w.memberErr = fmt.Errorf("asking: %w", role.ErrThrottled)
	w.told = nil
	w.put(prod, "app", "AROAAPP1111111111111", named)
	if res = w.settle(w.handle(w.updated("ev3", "app", named))); res.End != ledger.Held || len(w.told) != 1 {
		t.Errorf("ended in %s with %d alerts", res.End, len(w.told))
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

func TestAGuardWithoutItsPartsIsRefused(t *testing.T) {
	_, err := guard.New(guard.Config{})
	if err == nil || !strings.Contains(err.Error(), "Config.Ledger is not set") {
		t.Errorf("got %v", err)
	}
}

// T3: what looks like a step of the later queue is given back when it comes
// from the intake queue, and so is a step that is none.
func TestAForgedStepDoesNothing(t *testing.T) {
	w := withBaseline(t, rulesFile)
	w.put(prod, "app", "AROAAPP1111111111111", opened)
	for _, body := range []string{
		`{"version":1,"account":"111122223333","roleName":"app","step":"settle","attempt":1,"change":{"Kind":2,"EventID":"ev9","Account":"111122223333"}}`,
		`{"version":1,"account":"111122223333","roleName":"app","step":"settle","attempt":-1,"change":{"Kind":2,"EventID":"ev9","Account":"111122223333"}}`,
	} {
		if _, err := w.guard.Handle(t.Context(), []byte(body)); err == nil || len(w.calls) != 0 {
			t.Errorf("%s was taken for an event: calls %v", body, w.calls)
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
