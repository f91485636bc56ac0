// Package ledgertest holds the conformance tests of the ledger's contract:
// each sentence of ledger.Ledger is a test that every implementation passes.
//
// It takes a way to open an empty ledger and gives passed or failed tests. It
// knows no implementation.
package ledgertest

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/rolewarden/rolewarden/pkg/decision"
	"github.com/rolewarden/rolewarden/pkg/finding"
	"github.com/rolewarden/rolewarden/pkg/ledger"
)

// Conformance runs all of them. Each gets an empty ledger of its own from open.
func Conformance(t *testing.T, open func(t *testing.T) ledger.Ledger) {
	t.Helper()
	groups := [][]promise{
		eventPromises(), letterPromises(), statePromises(), recallPromises(), decidedPromises(),
		writePromises(), breakerPromises(), principalPromises(), trustPromises(), rulesPromises(), overwrittenPromises(), sweepPromises(),
	}
	for _, group := range groups {
		for _, p := range group {
			t.Run(p.name, func(t *testing.T) { p.check(t, open(t)) })
		}
	}
}

// promise is one sentence of the contract.
type promise struct {
	name  string
	check func(*testing.T, ledger.Ledger)
}

const (
	account = "111122223333"
	other   = "444455556666"
)

// at gives a time, some seconds into the story.
func at(seconds int) time.Time {
	return time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC).Add(time.Duration(seconds) * time.Second)
}

func key(id string) ledger.Key { return ledger.Key{Account: account, EventID: id} }

func user(name string) ledger.PrincipalKey {
	return ledger.PrincipalKey{Account: account, Kind: "user", Name: name}
}

func userARN(name string) string { return "arn:aws:iam::" + account + ":user/" + name }

// state is what is remembered of a role after an event at a time.
func state(roleID, event string, seconds int, trusts ...ledger.PrincipalKey) ledger.RoleState {
	return ledger.RoleState{
		Account: account, RoleID: roleID, Name: "App", ARN: "arn:aws:iam::" + account + ":role/team/App",
		Document: `{"Version":"2012-10-17","Statement":[]}`, Digest: "sha256:" + event,
		Since: at(seconds), Event: key(event), EventTime: at(seconds), Actor: userARN("alice"),
		Verdict: finding.Noncompliant, OpenRules: []string{"external-id", "public-principal"}, RulesHash: "sha256:rules",
		Findings: []ledger.Noted{
			{Rule: "external-id", Place: "Statement[0]", Problem: "no external id is asked for", Severity: finding.High},
			{Rule: "public-principal", Place: "Statement[1].Principal", Problem: "anybody may assume it", Severity: finding.Critical},
		},
		LeftUnder: "sha256:former", Changers: []string{userARN("bob") + " with Terraform", userARN("alice") + " with console"},
		Action: decision.Tag, Decision: "d-" + event, AlertID: "alert-" + event, Told: key("before-" + event),
		Trusts: trusts, Principals: map[string]string{userARN("alice"): "AIDAALICE"}, UpdatedAt: at(seconds + 1),
	}
}

func conclude(t *testing.T, l ledger.Ledger, c ledger.Conclusion) {
	t.Helper()
	if err := l.Conclude(t.Context(), c); err != nil {
		t.Fatal(err)
	}
}

// remember concludes an event with a role's state.
func remember(t *testing.T, l ledger.Ledger, s ledger.RoleState) {
	t.Helper()
	conclude(t, l, ledger.Conclusion{Event: s.Event, End: ledger.Told, At: s.UpdatedAt, State: &s})
}

func record(t *testing.T, l ledger.Ledger, ids ...ledger.Identity) {
	t.Helper()
	if err := l.Record(t.Context(), ids); err != nil {
		t.Fatal(err)
	}
}

func identity(id, arn string, seconds int) ledger.Identity {
	return ledger.Identity{ID: id, ARN: arn, SeenAt: at(seconds)}
}

func identify(t *testing.T, l ledger.Ledger, id string) finding.Principal {
	t.Helper()
	p, ok, err := l.Identify(t.Context(), id)
	if err != nil || !ok {
		t.Fatalf("%s is not known: %v, %v", id, ok, err)
	}
	return p
}

func remove(t *testing.T, l ledger.Ledger, p ledger.PrincipalKey, event string, seconds int) []finding.Principal {
	t.Helper()
	marked, err := l.Deleted(t.Context(), ledger.Deletion{Principal: p, By: userARN("mallory"), At: at(seconds), Event: key(event)})
	if err != nil {
		t.Fatal(err)
	}
	return marked
}

func rename(t *testing.T, l ledger.Ledger, from, to string, seconds int) {
	t.Helper()
	if err := l.Renamed(t.Context(), user(from), user(to), userARN(to), at(seconds)); err != nil {
		t.Fatal(err)
	}
}

// equal compares values; an empty list is as good as none.
func equal[T any](t *testing.T, what string, got, want T) {
	t.Helper()
	if d := cmp.Diff(want, got, cmpopts.EquateEmpty()); d != "" {
		t.Errorf("%s (-want +got):\n%s", what, d)
	}
}

func refused(t *testing.T, what string, err error) {
	t.Helper()
	if err == nil {
		t.Errorf("%s was taken", what)
	}
}

func wants(t *testing.T, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("got error %v, want %v", err, want)
	}
}
