package guard_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/rolewarden/rolewarden/pkg/decision"
	"github.com/rolewarden/rolewarden/pkg/guard"
	"github.com/rolewarden/rolewarden/pkg/ledger"
	"github.com/rolewarden/rolewarden/pkg/role"
)

// trust counts the writes of trust policies.
func (w *world) trust() int {
	return strings.Count(strings.Join(w.calls, " "), "UpdateAssumeRolePolicy")
}

// war opens the role again and again, an hour apart, as infrastructure code does,
// and hands over the event of what rolewarden wrote in between.
func (w *world) war(times int, agent string) []guard.Result {
	w.t.Helper()
	var out []guard.Result
	for range times {
		w.now = w.now.Add(time.Hour)
		n := len(w.calls)
		w.put(prod, "app", appID, opened)
		body := strings.Replace(string(w.updated(fmt.Sprintf("war%d", n), "app", opened)), "aws-cli/2.31.0", agent, 1)
		res := w.settle(w.handle([]byte(body)))
		out = append(out, res)
		if res.Outcome.Done == decision.Revert {
			w.handle(w.updated(fmt.Sprintf("own%d", n), "app", closed))
		}
	}
	w.steps = nil
	return out
}

// T65: a role that infrastructure code opens again and again is reverted as often
// as the limit allows, and then held: people are told that it stops, who keeps
// changing the role and through which tool, and what to do; time does not start
// it over, a person does.
func TestT65AFlappingRoleIsHeldAndTheAlertNamesWhoFlaps(t *testing.T) {
	w := withBaseline(t, rulesFile)
	w.log.Reset()
	ends := w.war(3, "APN/1.0 HashiCorp/1.0 Terraform/1.13.4")
	for i, res := range ends {
		if res.End != ledger.Reverted {
			t.Fatalf("number %d ended in %s", i, res.End)
		}
	}
	const scope = "role/111122223333/" + appID
	last := w.told[len(w.told)-2].Text()
	for _, want := range []string{"the last write that the limit allows", scope, "user/bob with Terraform", "rolewarden breaker reset " + scope} {
		if !strings.Contains(last, want) {
			t.Errorf("the third revert's alert does not say %q:\n%s", want, last)
		}
	}
	if a := w.alarms(); len(a) != 1 || a[0]["alarm"] != "breaker-tripped" {
		t.Errorf("alarms %v", a)
	}
	for _, later := range []time.Duration{0, 25 * time.Hour, 400 * time.Hour} {
		w.now = w.now.Add(later)
		w.told = nil
		res := w.war(1, "Mozilla/5.0 (console)")[0]
		if res.End != ledger.Tagged || w.trust() != 3 {
			t.Fatalf("after %s: ended in %s with %d writes", later, res.End, w.trust())
		}
		if later > 0 {
			continue
		}
		text := w.told[0].Text()
		for _, want := range []string{"the breaker of " + scope + " is tripped since 2026-03-02T12:01:", "3 were written of at most 3", "user/bob with console, and by arn:aws:iam::111122223333:user/bob with Terraform", "not written any more", "rolewarden breaker reset " + scope} {
			if !strings.Contains(strings.ToLower(text), strings.ToLower(want)) {
				t.Errorf("the alert does not say %q:\n%s", want, text)
			}
		}
	}
	if err := w.ledger.Reset(t.Context(), scope, "carol", "the pipeline is mended", w.now); err != nil {
		t.Fatal(err)
	}
	if res := w.war(1, "aws-cli/2.31.0")[0]; res.End != ledger.Reverted {
		t.Errorf("after the reset: ended in %s: %v", res.End, res.Decision.Reasons)
	}
}

// T68: past the limit of an account, of the organization or of a rule everything
// in its scope is only tagged, and told of with the breaker's name.
func TestT68ALimitOfManyRolesTripsForAllOfThem(t *testing.T) {
	for scope, text := range map[string]string{
		"account/111122223333": "perAccountPerHour: 2",
		"organization":         "perHour: 2",
		"rule/session-name":    "perRulePerHour: 2",
	} {
		t.Run(scope, func(t *testing.T) {
			w := newWorld(t, rulesFile+"limits: {"+text+"}\n")
			var ends []string
			for i := range 5 {
				name := fmt.Sprintf("app%d", i)
				w.put(prod, name, fmt.Sprintf("AROAAPP%d111111111111", i), opened)
				ends = append(ends, w.settle(w.handle(w.created("ev-"+name, name, opened))).End.String())
				w.now = w.now.Add(40 * time.Minute)
			}
			if got := strings.Join(ends, " "); got != "Quarantined Quarantined Tagged Tagged Tagged" {
				t.Errorf("ended in %s", got)
			}
			all, err := w.ledger.Breakers(t.Context())
			if err != nil || len(all) == 0 {
				t.Fatalf("breakers %v, %v", all, err)
			}
			text := w.told[len(w.told)-1].Text()
			if !strings.Contains(text, "rolewarden breaker reset "+all[0].Scope) || strings.Contains(text, "keeps being changed") {
				t.Errorf("the last alert says:\n%s", text)
			}
		})
	}
}

// I10: a decision is counted once, however often its write is tried: nothing is
// spent on crashes and throttles, and the last write that is paid for is made.
func TestI10ADecisionIsCountedOnceAcrossCrashes(t *testing.T) {
	w := withBaseline(t, strings.Replace(rulesFile, "modes:", "limits: {perRolePerDay: 1}\nmodes:", 1))
	w.put(prod, "app", appID, opened)
	body := w.updated("ev2", "app", opened)
	for _, crash := range []func(error){
		func(err error) { w.ledger.intendErr = err },
		func(err error) { w.writeErr = err },
		func(err error) { w.openErr = err },
	} {
		crash(fmt.Errorf("the process ended: %w", role.ErrThrottled))
		if _, err := w.guard.Handle(t.Context(), body); err == nil {
			t.Fatal("a crash ended the event")
		}
		crash(nil)
	}
	if res := w.settle(w.handle(body)); res.End != ledger.Reverted {
		t.Errorf("ended in %s: %v", res.End, res.Decision.Reasons)
	}
	if res := w.open("ev3"); res.End != ledger.Tagged {
		t.Errorf("the next ended in %s", res.End)
	}
}

// The kill switch is read right before each write, so that one that is turned
// while a decision is being carried out stops what is left of it. Unreadable
// means stop. People are told once, and each try alarms with the switch's word: a
// switch that cannot be read is tried again, since that may pass.
func TestTheKillSwitchStopsWhatIsAlreadyUnderWay(t *testing.T) {
	for name, turn := range map[string]struct {
		off   func(*world)
		word  string
		tries int
	}{
		"stopped":     {func(w *world) { w.stop() }, "writes-stopped-by-switch", 1},
		"unreadable":  {func(w *world) { w.ledger.switchErr = errors.New("no answer") }, "kill-switch-unreadable", 4},
		"no position": {func(w *world) { w.ledger.switchAs = 7 }, "kill-switch-unreadable", 4},
	} {
		for action, arrange := range map[string]func(*world) []byte{
			"a revert": func(w *world) []byte {
				w.put(prod, "app", appID, opened)
				return w.updated("ev2", "app", opened)
			},
			"a quarantine": func(w *world) []byte {
				w.put(prod, "new", "AROANEW1111111111111", opened)
				return w.created("ev2", "new", opened)
			},
			"a tag": func(w *world) []byte {
				w.rules.Default = 1
				w.put(prod, "app", appID, opened)
				return w.updated("ev2", "app", opened)
			},
		} {
			t.Run(action+", "+name, func(t *testing.T) {
				w := withBaseline(t, rulesFile)
				w.log.Reset()
				body := arrange(w)
				w.ledger.intending = func() { turn.off(w) }
				res := w.settle(w.handle(body))
				if res.End != ledger.Held || w.writes() != 0 || len(w.told) != 1 {
					t.Errorf("ended in %s with %d writes, told %d times", res.End, w.writes(), len(w.told))
				}
				alarms := w.alarms()
				for _, a := range alarms {
					if a["alarm"] != turn.word || a["event_id"] != "ev2" {
						t.Errorf("alarm %v", a)
					}
				}
				if len(alarms) != turn.tries {
					t.Errorf("%d alarms", len(alarms))
				}
				if len(w.told) > 0 && !strings.Contains(w.told[0].Text(), "kill switch") {
					t.Errorf("told:\n%s", w.told[0].Text())
				}
			})
		}
	}
}

// Between the trust policy and the tags, and before a write that is tried again,
// the switch is read too.
func TestTheKillSwitchIsReadBeforeEachWrite(t *testing.T) {
	w := withBaseline(t, rulesFile)
	w.live(prod, "app").Tags["rolewarden:state"] = "noncompliant"
	w.onWrite = func() { w.stop() }
	res := w.open("ev2")
	if res.End != ledger.Reverted || strings.Contains(strings.Join(w.calls, " "), "UntagRole") || !strings.Contains(res.Outcome.Problem, "kill switch") {
		t.Errorf("ended in %s after %v: %s", res.End, w.calls, res.Outcome.Problem)
	}
	w = withBaseline(t, rulesFile)
	w.writeErr = fmt.Errorf("writing: %w", role.ErrInvalidPrincipal)
	w.onWrite = func() { w.stop() }
	if res = w.open("ev2"); res.End != ledger.Held || w.trust() != 1 {
		t.Errorf("ended in %s after %v", res.End, w.calls)
	}
}

// Nobody says that nothing was written when a write got no answer and the switch
// stops the next: the message comes again, and a reading tells.
func TestAStoppedWriteAfterAnUncertainOneIsNotDenied(t *testing.T) {
	w := withBaseline(t, strings.Replace(rulesFile, "enforce", "tag", 1))
	w.put(prod, "app", appID, opened)
	body := w.updated("ev2", "app", opened)
	w.onTag = func() error {
		w.stop()
		return fmt.Errorf("tagging: %w", role.ErrUncertain)
	}
	if _, err := w.guard.Handle(t.Context(), body); !errors.Is(err, role.ErrUncertain) || len(w.told) != 0 {
		t.Errorf("got %v, told %d", err, len(w.told))
	}
}
