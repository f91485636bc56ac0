package guard_test

import (
	"testing"
	"time"

	"github.com/rolewarden/rolewarden/pkg/alert"
	"github.com/rolewarden/rolewarden/pkg/ledger"
)

// A rule that the organization wrote itself acts like one of the catalogue, on
// members whom the policy names too, and what was told of it is resolved.
func TestARuleOfTheOrganizationsOwnActsAndResolves(t *testing.T) {
	w := newWorld(t, rulesFile+`
customRules:
  - id: deploys-with-a-ticket
    title: Members' roles may only come with a ticket
    severity: high
    mode: enforce
    why: a call without a ticket leaves nobody to ask
    fix: ask for the tag
    callers: [{kind: roles, accounts: organization}]
    actions: [sts:AssumeRole]
    require:
      - {operator: StringLike, key: aws:PrincipalTag/ticket, values: ["CHG-*"]}
`)
	const good = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::444455556666:role/deploy"},"Action":"sts:AssumeRole","Condition":{"StringLike":{"aws:PrincipalTag/ticket":"CHG-*"}}}]}`
	const bad = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::444455556666:role/deploy"},"Action":"sts:AssumeRole"}]}`
	w.principals["arn:aws:iam::444455556666:role/deploy"] = "AROADEPLOY1111111111"
	w.put(prod, "app", "AROAAPP1111111111111", good)
	w.handle(w.created("ev1", "app", good))
	w.due()
	w.now = w.now.Add(24 * time.Hour)
	w.seal(prod, "AROAAPP1111111111111")
	w.put(prod, "app", "AROAAPP1111111111111", bad)
	res := w.handle(w.updated("ev2", "app", bad))
	if res.End != ledger.Reverted || w.live(prod, "app").TrustPolicy != good {
		t.Fatalf("ended in %s: %s %v", res.End, res.Reason, res.Decision.Reasons)
	}
	w.handle(w.updated("ev3", "app", good))
	last := w.told[len(w.told)-1]
	if last.State != alert.Resolved || len(last.Resolves) != 1 || last.Resolves[0].Rule != "deploys-with-a-ticket" {
		t.Errorf("the alert is %v of %+v", last.State, last.Resolves)
	}
}
