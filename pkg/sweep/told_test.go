package sweep_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/rolewarden/rolewarden/pkg/alert"
	"github.com/rolewarden/rolewarden/pkg/finding"
	"github.com/rolewarden/rolewarden/pkg/ledger"
	"github.com/rolewarden/rolewarden/pkg/sweep"
)

// A first sweep over hundreds of bad roles is one message.
func TestFirstSweepOverBadRolesIsOneMessage(t *testing.T) {
	s := organization(t)
	for i := range 300 {
		s.put(dev, fmt.Sprintf("bad%03d", i), opened)
	}
	s.pageSize = 100
	s.sweep()
	s.hand()
	sum, others := s.one()
	if len(others) != 0 {
		t.Errorf("%d alerts beside the summary, the first: %s", len(others), others[0].Headline())
	}
	if len(sum.Findings) == 0 || len(sum.Findings) > 25 || sum.Omitted != 300-len(sum.Findings) || !says(sum, "300 roles break the rules in all") {
		t.Errorf("the summary has %d findings and omits %d: %q", len(sum.Findings), sum.Omitted, sum.Decision.Reasons)
	}
}

// Of good roles that went bad without an event a few are told by themselves, five
// in an account; the others are in the summary.
func TestOnlyAFewOfAnAccountAreToldByThemselves(t *testing.T) {
	s := newSweeping(newWorld(t, strings.Replace(rulesFile, "enforce", "observe", 1)))
	for i := range 20 {
		s.put(dev, fmt.Sprintf("r%02d", i), closed)
	}
	s.sweep()
	s.one()
	s.now = s.now.Add(time.Hour)
	for i := range 20 {
		s.put(dev, fmt.Sprintf("r%02d", i), opened)
	}
	s.sweep()
	sum, others := s.one()
	if len(others) != sweep.DefaultAloud || !says(sum, "20 roles were good before and no longer are") {
		t.Errorf("%d alerts, and %q", len(others), sum.Decision.Reasons)
	}
	s.now = s.now.Add(time.Hour)
	s.sweep()
	if _, others := s.one(); len(others) != 0 {
		t.Errorf("the next sweep tells %d of them", len(others))
	}
	// Those that were told are resolved; nobody is told that the others are good again.
	for i := range 20 {
		s.put(dev, fmt.Sprintf("r%02d", i), closed)
	}
	s.now = s.now.Add(time.Hour)
	s.sweep()
	s.hand()
	_, others = s.one()
	for _, a := range others {
		if a.State != alert.Resolved {
			t.Errorf("told: %s", a.Headline())
		}
	}
	if len(others) != sweep.DefaultAloud {
		t.Errorf("%d alerts were resolved, want %d", len(others), sweep.DefaultAloud)
	}
}

const shared = "\npartners:\n  - {name: acme, accounts: [\"777788889999\"]}\n  - {name: initech, accounts: [\"999999999999\"]}\n"

// External IDs that two partners share are found across accounts, however the
// document spells the key, and are in nothing that is kept, told or logged (T80).
func TestSharedExternalIDsAreFoundAcrossAccountsAndNeverShown(t *testing.T) {
	const secret = "one-id-for-all-4711"
	s := newSweeping(newWorld(t, rulesFile+shared))
	trust := func(account string) string {
		return `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::` + account + `:root"},"Action":"sts:AssumeRole","Condition":{"StringEquals":{"sts:ExternalId":"` + secret + `"}}}]}`
	}
	s.put(prod, "acme", trust("777788889999"))
	s.put(dev, "initech", strings.Replace(trust("999999999999"), "ExternalId", `Externa\u006cId`, 1))
	s.put(dev, "initech-too", strings.Replace(trust("999999999999"), "ExternalId", `\u0045xternalId`, 1))
	id := s.sweep()
	sum, others := s.one()
	if !says(sum, "acme and the partner initech give one external ID") && !says(sum, "give one external ID") {
		t.Errorf("the summary says %q", sum.Decision.Reasons)
	}
	_, accounts, _, err := s.memory.Sweeping(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	all, err := json.Marshal([]any{sum, others, accounts, s.log.String()})
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range accounts {
		all = append(all, a.Notes...)
	}
	if strings.Contains(string(all), secret) {
		t.Error("the external ID is shown")
	}
}

// Whoever gets into a bad role gets into the good ones that trust it: they are
// listed, and nothing is done about them (T45).
func TestGoodRolesThatTrustABadOneAreListed(t *testing.T) {
	s := organization(t)
	s.put(dev, "open", opened)
	trusting := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::444455556666:role/open"},"Action":["sts:AssumeRole","sts:SetSourceIdentity"]}]}`
	s.principals["arn:aws:iam::444455556666:role/open"] = s.roles[key(dev, "open")].ID
	s.put(prod, "inner", trusting)
	s.sweep()
	s.hand()
	s.one()
	if st := s.recall(prod, "inner").State; st == nil || st.Verdict != finding.Compliant {
		t.Fatalf("the inner role is not compliant: %+v", st)
	}
	s.now = s.now.Add(time.Hour)
	writes := s.writes()
	s.sweep()
	s.hand()
	sum, others := s.one()
	if !says(sum, "arn:aws:iam::444455556666:role/open -> arn:aws:iam::111122223333:role/inner") || len(others) != 0 || s.writes() != writes {
		t.Errorf("the summary says %q, %d others, %d writes", sum.Decision.Reasons, len(others), s.writes()-writes)
	}
}

// Alerts that wait are sent at every tick, and one that has waited for long is an alarm.
func TestAlertsThatWaitAreSentAtEveryTick(t *testing.T) {
	s := organization(t)
	a := alert.BuildTrouble(alert.Trouble{Now: s.now, Account: prod, Problem: "it waits"})
	if _, err := s.memory.Post(t.Context(), "x", ledger.Letter{ID: "x", Body: a.JSON(), At: s.now}); err != nil {
		t.Fatal(err)
	}
	s.mute = errors.New("SNS does not answer")
	s.now = s.now.Add(11 * time.Minute)
	if _, err := s.sweeper().Deliver(t.Context()); err == nil || !strings.Contains(s.log.String(), `"alarm":"alert-undelivered"`) {
		t.Errorf("an alert that cannot be sent: %v", err)
	}
	s.mute = nil
	if n, err := s.sweeper().Deliver(t.Context()); n != 1 || err != nil {
		t.Errorf("sent %d, %v", n, err)
	}
}

// What is no message of this version is refused with what to do.
func TestMessagesAreReadStrictly(t *testing.T) {
	good := sweep.Message{Task: sweep.ReadAccount, Sweep: "20260301T090000Z", Account: prod}
	body, err := good.Body()
	if err != nil {
		t.Fatal(err)
	}
	if got, err := sweep.ParseMessage(body); err != nil || got.Account != prod || got.Task != sweep.ReadAccount {
		t.Errorf("%+v, %v", got, err)
	}
	for name, text := range map[string]string{
		"no JSON": "x", "another version": `{"version":2,"task":"account","sweep":"a","account":"111122223333"}`,
		"no task": `{"version":1,"sweep":"a","account":"111122223333"}`, "no sweep": `{"version":1,"task":"close"}`,
		"a sweep with a slash": `{"version":1,"task":"close","sweep":"a/b"}`, "no account": `{"version":1,"task":"account","sweep":"a"}`,
		"an event": `{"version":"0","detail-type":"AWS API Call via CloudTrail"}`,
	} {
		if _, err := sweep.ParseMessage([]byte(text)); err == nil {
			t.Errorf("%s is taken for a message", name)
		}
	}
}
