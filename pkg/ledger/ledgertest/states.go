package ledgertest

import (
	"strings"
	"testing"

	"github.com/rolewarden/rolewarden/pkg/decision"
	"github.com/rolewarden/rolewarden/pkg/ledger"
	"github.com/rolewarden/rolewarden/pkg/role"
)

func statePromises() []promise {
	return []promise{
		{"a role's state comes back whole, by account and RoleId", stateWhole},
		{"nothing is known of a role never handled", stateUnknown},
		{"an older event ends without overwriting newer state", olderEvent},
		{"an event of the same second replaces the state", sameSecond},
		{"a conclusion that expects no open alert records nothing when one is open", openAlert},
		{"what is given and taken is copied", copied},
		{"baselines come newest first, whole, each digest once", baselines},
		{"a baseline without role or digest is refused", baselineNeedsRole},
		{"the kill switch is open until a person turns it", killSwitch},
		{"the kill switch remembers who turned it", killSwitchRemembers},
		{"the kill switch refuses a setting that says nothing", killSwitchRefuses},
	}
}

func readState(t *testing.T, l ledger.Ledger, account, roleID string) (ledger.RoleState, bool) {
	t.Helper()
	s, ok, err := l.State(t.Context(), account, roleID)
	if err != nil {
		t.Fatal(err)
	}
	return s, ok
}

func stateWhole(t *testing.T, l ledger.Ledger) {
	for _, a := range []decision.Action{
		decision.Ignore, decision.Tell, decision.Tag, decision.Revert, decision.Quarantine, decision.Hold, decision.Clear, decision.Prune,
	} {
		s := state("AROA"+a.String(), a.String(), 7, user("alice"))
		s.Action = a
		s.Document = strings.Repeat("{\t}", int(a)*9000)
		remember(t, l, s)
		got, ok := readState(t, l, account, s.RoleID)
		equal(t, "known", ok, true)
		equal(t, "the state", got, s)
	}
	if _, ok := readState(t, l, other, "AROATell"); ok {
		t.Error("another account's role has this role's state")
	}
}

func stateUnknown(t *testing.T, l ledger.Ledger) {
	got, ok := readState(t, l, account, "AROA1")
	equal(t, "known", ok, false)
	equal(t, "the state", got, ledger.RoleState{})
	conclude(t, l, ledger.Conclusion{Event: key("e1"), End: ledger.Superseded, At: at(1)})
	if _, ok := readState(t, l, account, "AROA1"); ok {
		t.Error("a conclusion without a state made one")
	}
}

// T5, T6: duplicates, replays and reordering.
func olderEvent(t *testing.T, l ledger.Ledger) {
	newer, older := state("AROA1", "newer", 100, user("alice")), state("AROA1", "older", 40, user("bob"))
	remember(t, l, newer)
	conclude(t, l, ledger.Conclusion{
		Event: older.Event, End: ledger.Superseded, At: at(200), State: &older,
		Seen: []ledger.Identity{identity("AIDABOB", userARN("bob"), 40)},
	})
	got, _ := readState(t, l, account, "AROA1")
	equal(t, "the state", got, newer)
	equal(t, "the older event's end", take(t, l, older.Event).End, ledger.Superseded)
	equal(t, "what was seen", identify(t, l, "AIDABOB").ARN, userARN("bob"))
	equal(t, "who is trusted", trusting(t, l, user("bob")), nil)
}

func sameSecond(t *testing.T, l ledger.Ledger) {
	remember(t, l, state("AROA1", "e1", 100))
	second := state("AROA1", "e2", 100)
	remember(t, l, second)
	got, _ := readState(t, l, account, "AROA1")
	equal(t, "the state", got, second)
}

func openAlert(t *testing.T, l ledger.Ledger) {
	alerted, clean, older := state("AROA1", "e1", 10), state("AROA1", "e2", 20), state("AROA1", "e0", 5)
	clean.AlertID, older.AlertID = "", ""
	remember(t, l, alerted)
	expecting := func(s ledger.RoleState) ledger.Conclusion {
		return ledger.Conclusion{
			Event: s.Event, End: ledger.Compliant, At: at(21), State: &s, Expect: ledger.NoOpenAlert,
			Seen: []ledger.Identity{identity("AIDA1", userARN("alice"), 20)},
		}
	}
	for _, s := range []ledger.RoleState{clean, older} {
		wants(t, l.Conclude(t.Context(), expecting(s)), ledger.ErrOpenAlert)
		equal(t, "the end of "+s.Event.EventID, take(t, l, s.Event).End, ledger.InFlight)
	}
	got, _ := readState(t, l, account, "AROA1")
	equal(t, "the state", got, alerted)
	if _, known, err := l.Identify(t.Context(), "AIDA1"); known || err != nil {
		t.Errorf("a sighting was recorded (%v)", err)
	}
	// An event that has ended stays ended, and that is no error.
	conclude(t, l, expecting(alerted))
	// Who resolves the alert concludes without the expectation; the next may have it.
	remember(t, l, clean)
	next := state("AROA1", "e3", 30)
	conclude(t, l, expecting(next))
	got, _ = readState(t, l, account, "AROA1")
	equal(t, "the next state", got, next)
	fresh := state("AROA2", "e4", 30)
	conclude(t, l, expecting(fresh))
	// Who intended a write under the event tells of it, and nobody ends it meanwhile.
	begun := state("AROA3", "e6", 40)
	if err := l.Intend(t.Context(), intent(begun.Event)); err != nil {
		t.Fatal(err)
	}
	wants(t, l.Conclude(t.Context(), expecting(begun)), ledger.ErrOpenAlert)
	equal(t, "the end of e6", take(t, l, begun.Event).End, ledger.InFlight)
	remember(t, l, begun)
	conclude(t, l, expecting(begun))
	// A conclusion about no role expects nothing of one.
	conclude(t, l, ledger.Conclusion{Event: key("e5"), End: ledger.Superseded, At: at(31), Expect: ledger.NoOpenAlert})
}

func copied(t *testing.T, l ledger.Ledger) {
	s := state("AROA1", "e1", 1, user("alice"))
	remember(t, l, s)
	s.OpenRules[0], s.Trusts[0].Name, s.Findings[0].Rule, s.Principals["x"] = "changed", "changed", "changed", "changed"
	got, _ := readState(t, l, account, "AROA1")
	got.OpenRules[1], got.Findings[1].Rule, got.Principals["y"] = "changed", "changed", "changed"
	again, _ := readState(t, l, account, "AROA1")
	equal(t, "the state", again, state("AROA1", "e1", 1, user("alice")))
}

func baseline(digest string, sealed int) role.Baseline {
	return role.Baseline{
		Account: account, RoleID: "AROA1", Document: `{"Statement":"` + digest + `"}`, Digest: digest,
		Principals: map[string]string{userARN("alice"): "AIDAALICE"}, Actor: userARN("alice"), EventID: "e1",
		Provenance: role.Observed, RulesHash: "sha256:rules", Since: at(1), Sealed: at(sealed), Seal: []byte{0, 1, 255},
	}
}

func baselines(t *testing.T, l ledger.Ledger) {
	list := func() []role.Baseline {
		t.Helper()
		got, err := l.Baselines(t.Context(), account, "AROA1")
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	add := func(b role.Baseline) {
		t.Helper()
		if err := l.AddBaseline(t.Context(), b); err != nil {
			t.Fatal(err)
		}
	}
	equal(t, "before any", list(), nil)
	foreign := baseline("sha256:z", 99)
	foreign.RoleID = "AROA2"
	for _, b := range []role.Baseline{baseline("sha256:b", 20), baseline("sha256:c", 30), baseline("sha256:a", 10), foreign} {
		add(b)
	}
	equal(t, "newest first", list(), []role.Baseline{baseline("sha256:c", 30), baseline("sha256:b", 20), baseline("sha256:a", 10)})
	renewed := baseline("sha256:a", 40)
	renewed.Seal, renewed.Actor, renewed.Provenance = []byte{7}, "renewed", role.Unreviewed
	add(renewed)
	equal(t, "renewed in place", list(), []role.Baseline{renewed, baseline("sha256:c", 30), baseline("sha256:b", 20)})
}

func baselineNeedsRole(t *testing.T, l ledger.Ledger) {
	for _, b := range []role.Baseline{{}, {Account: account, RoleID: "AROA1"}, {Account: account, Digest: "d"}, {RoleID: "AROA1", Digest: "d"}} {
		refused(t, "a baseline", l.AddBaseline(t.Context(), b))
	}
}

func readSwitch(t *testing.T, l ledger.Ledger) decision.Switch {
	t.Helper()
	s, err := l.Switch(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func killSwitch(t *testing.T, l ledger.Ledger) {
	equal(t, "before any setting", readSwitch(t, l), decision.WritesAllowed)
	for _, s := range []decision.Switch{decision.WritesStopped, decision.WritesAllowed, decision.WritesStopped} {
		if err := l.SetSwitch(t.Context(), s, "alice", "a drill", at(1)); err != nil {
			t.Fatal(err)
		}
		equal(t, "after setting", readSwitch(t, l), s)
	}
}

// Whoever finds the writes stopped is told whom to ask.
func killSwitchRemembers(t *testing.T, l ledger.Ledger) {
	if _, ok, err := l.Setting(t.Context()); err != nil || ok {
		t.Fatalf("before any setting: %v, %v", ok, err)
	}
	for i, s := range []decision.Switch{decision.WritesStopped, decision.WritesAllowed} {
		if err := l.SetSwitch(t.Context(), s, "alice", "a drill", at(i)); err != nil {
			t.Fatal(err)
		}
		got, ok, err := l.Setting(t.Context())
		if err != nil || !ok {
			t.Fatalf("after setting: %v, %v", ok, err)
		}
		got.At = got.At.UTC()
		equal(t, "who, when and why", got, ledger.Setting{Switch: s, By: "alice", Reason: "a drill", At: at(i)})
	}
}

func killSwitchRefuses(t *testing.T, l ledger.Ledger) {
	if err := l.SetSwitch(t.Context(), decision.WritesStopped, "alice", "a drill", at(1)); err != nil {
		t.Fatal(err)
	}
	refused(t, "Unreadable", l.SetSwitch(t.Context(), decision.Unreadable, "alice", "", at(2)))
	refused(t, "an unknown state", l.SetSwitch(t.Context(), 99, "alice", "", at(2)))
	refused(t, "nobody's word", l.SetSwitch(t.Context(), decision.WritesAllowed, "", "", at(2)))
	equal(t, "after refusals", readSwitch(t, l), decision.WritesStopped)
}
