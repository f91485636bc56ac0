package guard_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rolewarden/rolewarden/pkg/decision"
	"github.com/rolewarden/rolewarden/pkg/guard"
	"github.com/rolewarden/rolewarden/pkg/ledger"
	"github.com/rolewarden/rolewarden/pkg/remediate"
	"github.com/rolewarden/rolewarden/pkg/role"
)

const (
	vendorARN = "arn:aws:iam::777788889999:role/vendor"
	partner   = "partners:\n  - {name: initech, accounts: [\"777788889999\"], externalId: role-principal-suffices, acceptedPrincipals: [\"" + vendorARN + "\"]}\n"
	// shared lets alice in, and a partner's role of which nobody here knows the id.
	shared = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:user/alice"},"Action":"sts:AssumeRole","Condition":{"StringLike":{"sts:RoleSessionName":"${aws:username}"}}},{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::777788889999:role/vendor"},"Action":"sts:AssumeRole"}]}`
)

// refusing has a role with a sealed baseline opened, while IAM refuses documents
// as it is told.
func refusing(t *testing.T, baseline string, refuse func(w *world, document string) error) *world {
	t.Helper()
	w := newWorld(t, rulesFile+partner)
	w.hidden = vendorARN
	w.put(prod, "app", appID, baseline)
	if res := w.handle(w.created("ev-create", "app", baseline)); res.End != ledger.Compliant {
		t.Fatalf("ended in %s: %+v", res.End, res.Report)
	}
	w.due()
	w.now = w.now.Add(24 * time.Hour)
	w.seal(prod, appID)
	w.calls, w.told, w.steps = nil, nil, nil
	w.refuse = func(document string) error { return refuse(w, document) }
	return w
}

// gone refuses a principal as IAM does.
func gone(arn string) func(*world, string) error {
	return func(_ *world, document string) error {
		if strings.Contains(document, arn) {
			return fmt.Errorf("operation error IAM: UpdateAssumeRolePolicy, https response error StatusCode: 400, api error MalformedPolicyDocument: Invalid principal in policy: \"AWS\":%q: %w", arn, role.ErrInvalidPrincipal)
		}
		return nil
	}
}

// T67: a revert to a document of which IAM refuses a principal is tried again for
// as long as a new principal may need, then whom IAM names is left out, and told.
func TestT67ARefusedPrincipalIsLeftOutAfterTwoMinutes(t *testing.T) {
	w := refusing(t, shared, gone(vendorARN))
	began := w.now
	res := w.settle(w.open("ev2"))
	if res.End != ledger.Reverted || !strings.Contains(w.live(prod, "app").TrustPolicy, aliceARN) || strings.Contains(w.live(prod, "app").TrustPolicy, vendorARN) {
		t.Fatalf("ended in %s (%s): %s", res.End, res.Reason, w.live(prod, "app").TrustPolicy)
	}
	if took := w.now.Sub(began); took < 2*time.Minute || took > 4*time.Minute {
		t.Errorf("the principal was left out after %s", took)
	}
	if len(w.told) != 1 || !strings.Contains(w.told[0].Text(), "Left out of the restored policy, since it no longer is whom it was: "+vendorARN) || !strings.Contains(w.told[0].Text(), "did not accept") {
		t.Errorf("told %+v", w.told)
	}
}

// T67: nobody sleeps: several principals that IAM refuses one after the other
// are left out in one step, without waiting for each of them once more.
func TestT67SeveralRefusedPrincipalsAreNotWaitedForOneByOne(t *testing.T) {
	var names []string
	for i := range 4 {
		names = append(names, fmt.Sprintf("arn:aws:iam::777788889999:role/vendor%d", i))
	}
	w := newWorld(t, rulesFile+strings.Replace(partner, `"`+vendorARN+`"`, `"`+strings.Join(names, `","`)+`"`, 1))
	document := strings.Replace(shared, `"`+vendorARN+`"`, `["`+strings.Join(names, `","`)+`"]`, 1)
	w.put(prod, "app", appID, document)
	if res := w.handle(w.created("ev-create", "app", document)); res.End != ledger.Compliant {
		t.Fatalf("ended in %s: %+v", res.End, res.Report)
	}
	w.due()
	w.now = w.now.Add(24 * time.Hour)
	w.seal(prod, appID)
	w.told, w.steps = nil, nil
	w.refuse = func(document string) error {
		for _, name := range names {
			if err := gone(name)(w, document); err != nil {
				return err
			}
		}
		return nil
	}
	res := w.open("ev2")
	for len(w.steps) > 0 && res.End == ledger.InFlight {
		began := w.steps[0].NotBefore
		if res = w.due(); w.now.Sub(began) > guard.Patience {
			t.Errorf("slept %s in a step that ended in %s", w.now.Sub(began), res.End)
		}
	}
	if res.End != ledger.Reverted || len(res.Outcome.Dropped) != 4 || strings.Contains(w.live(prod, "app").TrustPolicy, "vendor") {
		t.Errorf("ended in %s, dropped %v: %s", res.End, res.Outcome.Dropped, w.live(prod, "app").TrustPolicy)
	}
}

// T48, T67: the alert names all who were left out, also whom the baseline named
// and who is gone, and calls only him refused whom IAM refused.
func TestT67WhoIsGoneIsNamedBesideWhomIAMRefuses(t *testing.T) {
	const carol = "arn:aws:iam::111122223333:user/carol"
	w := newWorld(t, rulesFile+partner)
	w.hidden, w.principals[carol] = vendorARN, "AIDACAROL111111111111"
	three := strings.Replace(shared, `{"AWS":"`+aliceARN+`"}`, `{"AWS":["`+aliceARN+`","`+carol+`"]}`, 1)
	w.put(prod, "app", appID, three)
	w.handle(w.created("ev-create", "app", three))
	w.due()
	w.now = w.now.Add(24 * time.Hour)
	w.seal(prod, appID)
	w.calls, w.told, w.steps = nil, nil, nil
	delete(w.principals, carol)
	w.refuse = func(document string) error { return gone(vendorARN)(w, document) }
	res := w.settle(w.open("ev2"))
	if res.End != ledger.Reverted || len(w.told) != 1 {
		t.Fatalf("ended in %s (%s), told %d times", res.End, res.Reason, len(w.told))
	}
	text := w.told[0].Text()
	if diff := cmp.Diff([]string{carol, vendorARN}, w.told[0].Outcome.Dropped); diff != "" || !strings.Contains(text, `did not accept ["`+vendorARN+`"]`) {
		t.Errorf("the alert names (-want +got):\n%s\n%s", diff, text)
	}
}

// T67: a principal that IAM comes to know within the two minutes is not left out.
func TestT67ANewPrincipalIsWaitedFor(t *testing.T) {
	var since time.Time
	w := refusing(t, shared, func(w *world, document string) error {
		if since.IsZero() {
			since = w.now
		}
		if w.now.Sub(since) < time.Minute {
			return gone(vendorARN)(w, document)
		}
		return nil
	})
	if res := w.settle(w.open("ev2")); res.End != ledger.Reverted || w.live(prod, "app").TrustPolicy != shared {
		t.Errorf("ended in %s: %s", res.End, w.live(prod, "app").TrustPolicy)
	}
}

// T67: with everybody refused nobody is let in; the role is shut, never opened.
func TestT67WithEverybodyRefusedTheRoleIsShut(t *testing.T) {
	only := strings.Replace(opened, "arn:aws:iam::999999999999:root", vendorARN, 1)
	w := refusing(t, only, gone(vendorARN))
	if res := w.settle(w.open("ev2")); res.End != ledger.Reverted || !remediate.IsQuarantine(w.live(prod, "app").TrustPolicy) {
		t.Errorf("ended in %s: %s", res.End, w.live(prod, "app").TrustPolicy)
	}
}

// T67, T46, T82: what trying again does not mend ends in one alert and no second
// try: a document that IAM refuses, such as one without the subject that it asks
// for of a shared OIDC provider, a used-up quota, a role that cannot be modified.
func TestT67WhatCannotBeWrittenIsToldOnce(t *testing.T) {
	for name, row := range map[string]struct {
		err   error
		tries int
		says  string
	}{
		"a shared OIDC provider":              {fmt.Errorf("api error MalformedPolicyDocument: the trust policy must evaluate token.actions.githubusercontent.com:sub: %w", role.ErrMalformed), 1, "must evaluate token.actions.githubusercontent.com:sub"},
		"T46: over the quota":                 {fmt.Errorf("api error LimitExceeded: Cannot exceed quota for ACLSizePerRole: %w", role.ErrLimit), 1, "ACLSizePerRole"},
		"T82: a role that is AWS's":           {fmt.Errorf("api error UnmodifiableEntity: %w", role.ErrUnmodifiable), 1, "UnmodifiableEntity"},
		"a principal that IAM does not name":  {fmt.Errorf("api error MalformedPolicyDocument: Invalid principal: %w", role.ErrInvalidPrincipal), 0, "could not be left out"},
		"a principal that the document lacks": {gone("arn:aws:iam::999999999999:user/eve")(nil, "arn:aws:iam::999999999999:user/eve"), 0, "could not be left out"},
	} {
		t.Run(name, func(t *testing.T) {
			w := refusing(t, shared, func(*world, string) error { return row.err })
			res := w.settle(w.open("ev2"))
			tries := strings.Count(strings.Join(w.calls, " "), "UpdateAssumeRolePolicy")
			if res.End != ledger.Held || row.tries > 0 && tries != row.tries || len(w.steps) != 0 || w.live(prod, "app").TrustPolicy != opened {
				t.Errorf("ended in %s after %d tries, %d steps wait", res.End, tries, len(w.steps))
			}
			if len(w.told) != 1 || !strings.Contains(w.told[0].Text(), row.says) {
				t.Errorf("told %+v", w.told)
			}
		})
	}
}

// T58: a role whose tags are used up is told of, and the event ends.
func TestT58ARoleWithoutRoomForTagsIsTold(t *testing.T) {
	w := newWorld(t, strings.Replace(rulesFile, "enforce", "tag", 1))
	w.put(prod, "app", appID, opened)
	w.onTag = func() error {
		return fmt.Errorf("api error LimitExceeded: Cannot exceed quota for TagsPerRole: 50: %w", role.ErrLimit)
	}
	res := w.settle(w.handle(w.updated("ev1", "app", opened)))
	if res.End != ledger.Held || res.Outcome.Done != decision.Ignore || len(w.steps) != 0 || len(w.told) != 1 || !strings.Contains(w.told[0].Text(), "TagsPerRole") {
		t.Errorf("ended in %s, told %+v", res.End, w.told)
	}
}

// A failing ledger while a principal is being left out makes the message come again.
func TestT67WithoutTheLedgerNothingIsLeftOut(t *testing.T) {
	w := refusing(t, shared, gone(vendorARN))
	res := w.open("ev2")
	for res.End == ledger.InFlight && len(w.steps) > 0 {
		s := w.steps[0]
		w.steps = w.steps[1:]
		w.now = s.NotBefore
		body, err := s.Body()
		if err != nil {
			t.Fatal(err)
		}
		w.ledger.decidedErr = errDown
		if res, err = w.guard.HandleStep(t.Context(), body); err != nil {
			if !errors.Is(err, errDown) || w.live(prod, "app").TrustPolicy != opened {
				t.Fatal(err)
			}
			w.ledger.decidedErr = nil
			if res, err = w.guard.HandleStep(t.Context(), body); err != nil || res.End != ledger.Reverted {
				t.Fatalf("ended in %s, %v", res.End, err)
			}
			return
		}
	}
	t.Errorf("the ledger was not asked: ended in %s", res.End)
}
