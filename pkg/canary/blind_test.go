package canary_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/rolewarden/rolewarden/pkg/canary"
	"github.com/rolewarden/rolewarden/pkg/deployment"
	"github.com/rolewarden/rolewarden/pkg/meter"
	"github.com/rolewarden/rolewarden/pkg/role"
	"github.com/rolewarden/rolewarden/pkg/trail"
)

// narrowed is the deployed pattern, for the canary's own role alone.
var narrowed = strings.Replace(trail.Patterns(trail.PatternOptions{})[0], `"detail":{`, `"detail":{"requestParameters":{"roleName":["`+deployment.CanaryTarget+`"]},`, 1)

// T71: with the way shut, the target is deleted and made anew before each run,
// so that each would find a first time. Every one of them is told, a day long.
func TestT71ATargetMadeAnewBeforeEachRunIsTold(t *testing.T) {
	w := newWorld(t, prod, dev)
	w.run()
	w.run()
	w.members[prod].rule = shut
	for i := range 24 {
		w.remake(prod)
		r := w.run()
		a := is(t, r, prod, canary.Missed)
		if !strings.Contains(a.Why, "made anew") || !strings.Contains(a.Why, "AROA"+prod+" was decided on before") || a.Change != canary.Changed {
			t.Fatalf("run %d: %s, %s", i, a.Why, a.Change)
		}
		if len(w.told) != 1 || w.told[0].Account != prod || w.sum(meter.CanaryMissed) != 1 || w.sum(meter.CanaryFirst) != 0 {
			t.Fatalf("run %d: told %+v, counted %v", i, w.told, w.samples)
		}
		is(t, r, dev, canary.Reached)
	}
	// Who does not touch it any more, and leaves the way shut, gains nothing.
	is(t, w.run(), prod, canary.Missed)
}

// A stack that is deployed again makes the role anew: that is told once, and the
// next run proves the way under the new unique id.
func TestATargetMadeAnewOnceProvesTheWayAgain(t *testing.T) {
	w := newWorld(t, prod)
	w.run()
	w.run()
	w.remake(prod)
	is(t, w.run(), prod, canary.Missed)
	if a := is(t, w.run(), prod, canary.Reached); a.Took != 3*time.Second || len(w.told) != 0 {
		t.Errorf("took %s, told %+v", a.Took, w.told)
	}
}

// T71: the document that the role was made with is put back on the same, young
// role: that is no first time either, since another one was decided on.
func TestT71TheFirstDocumentPutBackIsTold(t *testing.T) {
	w := newWorld(t, prod)
	w.run()
	w.members[prod].rule = shut
	w.members[prod].target = target(prod, w.members[prod].target.Created)
	if a := is(t, w.run(), prod, canary.Missed); !strings.Contains(a.Why, "put that document back") || len(w.told) != 1 {
		t.Errorf("%s, told %+v", a.Why, w.told)
	}
}

// Guard decides on the making of the role too, before the canary first came by:
// that is a first time, and silent.
func TestATargetWhoseMakingWasDecidedOnIsAFirstTime(t *testing.T) {
	w := newWorld(t, prod)
	w.decide(prod, time.Second)
	if is(t, w.run(), prod, canary.First); len(w.told) != 0 {
		t.Errorf("told %+v", w.told)
	}
}

// Whether a new target is the first of its name is not known while the ledger
// does not answer.
func TestWithoutTheLedgerANewTargetIsUnknown(t *testing.T) {
	w := newWorld(t, prod)
	w.ledgerErr = errors.New("no answer")
	if is(t, w.run(), prod, canary.Unknown); w.members[prod].writes != 0 || len(w.told) != 1 {
		t.Errorf("%d writes, told %+v", w.members[prod].writes, w.told)
	}
}

// T71: the rule of an account is changed so that the canary's events come through
// and no other. Every run tells it, names the rule and says what differs,
// although the ledger decides on all that the canary writes.
func TestT71ARuleThatLetsOnlyTheCanaryThroughIsTold(t *testing.T) {
	whole := deployed().Pattern
	for name, c := range map[string]struct {
		rule canary.Rule
		err  error
		says string
	}{
		"narrowed to the target":   {rule: canary.Rule{State: "ENABLED", Pattern: narrowed}, says: "event pattern"},
		"one call less":            {rule: canary.Rule{State: "ENABLED", Pattern: strings.Replace(whole, `"CreateRole",`, "", 1)}, says: "event pattern"},
		"one call by another name": {rule: canary.Rule{State: "ENABLED", Pattern: strings.Replace(whole, `"CreateRole"`, `"CREATEROLE"`, 1)}, says: "event pattern"},
		"a key twice":              {rule: canary.Rule{State: "ENABLED", Pattern: strings.Replace(whole, `"source":`, `"source":["aws.ec2"],"source":`, 1)}, says: "key twice"},
		"two patterns":             {rule: canary.Rule{State: "ENABLED", Pattern: whole + whole}, says: "more text"},
		"broken off":               {rule: canary.Rule{State: "ENABLED", Pattern: whole[:len(whole)-1]}, says: "cannot be understood"},
		"no pattern":               {rule: canary.Rule{State: "ENABLED"}, says: "cannot be understood"},
		"disabled":                 {rule: canary.Rule{State: "DISABLED", Pattern: whole}, says: `"DISABLED"`},
		"no state":                 {rule: canary.Rule{Pattern: whole}, says: `state is ""`},
		"both":                     {rule: canary.Rule{State: "DISABLED", Pattern: narrowed}, says: "and its event pattern"},
		"gone":                     {err: fmt.Errorf("reading rule %s: %w", deployment.ForwardRule, role.ErrNotFound), says: "rule is gone"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, prod, dev)
			w.run()
			m := w.members[prod]
			m.events, m.ruleErr = c.rule, c.err
			m.events.Name = deployment.ForwardRule
			for range 3 {
				r := w.run()
				a := is(t, r, prod, canary.Missed)
				if !strings.Contains(a.Why, c.says) || !strings.Contains(a.Why, deployment.ForwardRule) || a.Took != 0 || a.Change != canary.Changed {
					t.Errorf("%s, took %s, %s", a.Why, a.Took, a.Change)
				}
				if len(w.told) != 1 || w.told[0].Account != prod || w.sum(meter.CanaryReached) != 1 || w.sum(meter.CanarySeconds) != 3 {
					t.Errorf("told %+v, counted %v", w.told, w.samples)
				}
			}
			m.events, m.ruleErr = deployed(), nil
			is(t, w.run(), prod, canary.Reached)
		})
	}
}

// T71: a changed rule is seen at the very first run too.
func TestT71ANewAccountWithAnotherRuleIsNoFirstTime(t *testing.T) {
	w := newWorld(t, prod)
	w.members[prod].events.Pattern = narrowed
	if is(t, w.run(), prod, canary.Missed); len(w.told) != 1 {
		t.Errorf("told %+v", w.told)
	}
}

// EventBridge may give the pattern back in another order, and a rule that gets
// read events beside the others sends the others on.
func TestTheSameRuleInAnotherSpellingIsTheSame(t *testing.T) {
	whole := deployed().Pattern
	for name, rule := range map[string]canary.Rule{
		"indented":               {State: "ENABLED", Pattern: strings.NewReplacer(`{`, "{\n  ", `,"`, ",\n  \"").Replace(whole) + "\n"},
		"another order":          {State: "ENABLED", Pattern: `{"detail-type":["AWS API Call via CloudTrail"],` + strings.Replace(whole[1:], `"detail-type":["AWS API Call via CloudTrail"],`, "", 1)},
		"another order of any":   {State: "ENABLED", Pattern: strings.Replace(whole, `"CreateRole","UpdateAssumeRolePolicy"`, `"UpdateAssumeRolePolicy","CreateRole"`, 1)},
		"spelled with an escape": {State: "ENABLED", Pattern: strings.Replace(whole, "aws.iam", `aws.\u0069am`, 1)},
		"with read events":       {State: "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS", Pattern: whole},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, prod)
			w.run()
			w.members[prod].events = rule
			if is(t, w.run(), prod, canary.Reached); len(w.told) != 0 {
				t.Errorf("told %+v", w.told)
			}
		})
	}
}

// Where nothing came through, a rule that cannot be looked at does not turn the
// proof into a doubt; and where the rule is why, the reason says so.
func TestWhatWasMissedStaysMissedWhateverTheRuleShows(t *testing.T) {
	for name, c := range map[string]struct {
		rule canary.Rule
		err  error
		says string
	}{
		"denied":    {err: role.ErrAccessDenied, says: "nor could the account's rule be looked at"},
		"no answer": {err: errors.New("connection reset"), says: "nor could the account's rule be looked at"},
		"off":       {rule: canary.Rule{Name: deployment.ForwardRule, State: "DISABLED", Pattern: deployed().Pattern}, says: "changed the account's rule"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, prod)
			m := w.members[prod]
			m.rule = shut
			w.run()
			m.events, m.ruleErr = c.rule, c.err
			if a := is(t, w.run(), prod, canary.Missed); !strings.Contains(a.Why, "nothing has been decided") || !strings.Contains(a.Why, c.says) {
				t.Errorf("it says %q", a.Why)
			}
		})
	}
}
