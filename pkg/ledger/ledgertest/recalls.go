package ledgertest

import (
	"errors"
	"slices"
	"testing"

	"github.com/rolewarden/rolewarden/pkg/decision"
	"github.com/rolewarden/rolewarden/pkg/ledger"
	"github.com/rolewarden/rolewarden/pkg/role"
)

func recallPromises() []promise {
	return []promise{
		{"nothing is recalled of a role never handled", recallNothing},
		{"all that is remembered of a role is recalled, by account and RoleId", recallWhole},
		{"a newer candidate replaces an older one, an older never a newer", candidateOrder},
		{"a candidate is no baseline, and takes none away", candidateIsNone},
		{"a person's later word replaces the earlier one, whatever the order they come in", wordOrder},
		{"a word that no person answers for is refused", wordRefused},
		{"what is recalled is a copy", recallCopied},
		{"every remembered role is shown, of one account or of all", statesShown},
		{"a showing ends when whoever looks has seen enough", statesStopped},
	}
}

func recall(t *testing.T, l ledger.Ledger, account, roleID string) ledger.Recalled {
	t.Helper()
	r, err := l.Recall(t.Context(), account, roleID)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// candidate is a document that may become a baseline of AROA1.
func candidate(digest string, since int) role.Baseline {
	b := baseline(digest, 0)
	b.Since, b.Sealed, b.Seal = at(since), role.Baseline{}.Sealed, nil
	return b
}

func propose(t *testing.T, l ledger.Ledger, b role.Baseline) {
	t.Helper()
	if err := l.SetCandidate(t.Context(), b); err != nil {
		t.Fatal(err)
	}
}

func word(digest string, seconds int) ledger.Word {
	return ledger.Word{
		Account: account, RoleID: "AROA1", Digest: digest, By: userARN("alice"), Reason: "the partner moves next week",
		Decision: "dec1", At: at(seconds), Until: at(seconds + 3600),
	}
}

func give(t *testing.T, l ledger.Ledger, w ledger.Word) {
	t.Helper()
	if err := l.GiveWord(t.Context(), w); err != nil {
		t.Fatal(err)
	}
}

func recallNothing(t *testing.T, l ledger.Ledger) {
	equal(t, "of nothing", recall(t, l, account, "AROA1"), ledger.Recalled{})
}

// T53: a role made again under the old name has another RoleId and no past.
func recallWhole(t *testing.T, l ledger.Ledger) {
	s := state("AROA1", "e1", 5, user("alice"))
	remember(t, l, s)
	i := intent(key("e2"))
	i.RoleID = "AROA1"
	if err := l.Intend(t.Context(), i); err != nil {
		t.Fatal(err)
	}
	for _, b := range []role.Baseline{baseline("sha256:a", 10), baseline("sha256:b", 20)} {
		if err := l.AddBaseline(t.Context(), b); err != nil {
			t.Fatal(err)
		}
	}
	c, w := candidate("sha256:c", 30), word("sha256:w", 40)
	propose(t, l, c)
	give(t, l, w)
	written := ledger.Written{
		Decision: "dec1", Event: key("e2"), ReadAt: at(2), At: at(4), BeforeDigest: "sha256:before", AfterDigest: "sha256:after",
	}
	equal(t, "the role", recall(t, l, account, "AROA1"), ledger.Recalled{
		State: &s, Candidate: &c, Baselines: []role.Baseline{baseline("sha256:b", 20), baseline("sha256:a", 10)}, Word: &w, Written: &written, Writes: []ledger.Written{written},
	})
	equal(t, "the role made again", recall(t, l, account, "AROA2"), ledger.Recalled{})
	equal(t, "a role that is called longer", recall(t, l, account, "AROA"), ledger.Recalled{})
	equal(t, "another account's", recall(t, l, other, "AROA1"), ledger.Recalled{})
}

func candidateOrder(t *testing.T, l ledger.Ledger) {
	for _, step := range []struct{ put, want role.Baseline }{
		{candidate("sha256:b", 20), candidate("sha256:b", 20)},
		{candidate("sha256:a", 10), candidate("sha256:b", 20)},
		{candidate("sha256:c", 30), candidate("sha256:c", 30)},
		{candidate("sha256:d", 30), candidate("sha256:d", 30)},
		{candidate("sha256:c", 29), candidate("sha256:d", 30)},
	} {
		propose(t, l, step.put)
		equal(t, "the candidate", recall(t, l, account, "AROA1").Candidate, &step.want)
	}
	for _, b := range []role.Baseline{{}, {Account: account, RoleID: "AROA1"}, {Account: account, Digest: "d"}, {RoleID: "AROA1", Digest: "d"}} {
		refused(t, "a candidate", l.SetCandidate(t.Context(), b))
	}
}

// T60: what merely obeys the rules is not yet what a role is set back to.
func candidateIsNone(t *testing.T, l ledger.Ledger) {
	propose(t, l, candidate("sha256:a", 10))
	list := func() []role.Baseline {
		t.Helper()
		got, err := l.Baselines(t.Context(), account, "AROA1")
		if err != nil {
			t.Fatal(err)
		}
		equal(t, "recalled", recall(t, l, account, "AROA1").Baselines, got)
		return got
	}
	equal(t, "the baselines", list(), nil)
	sealed := baseline("sha256:a", 20)
	if err := l.AddBaseline(t.Context(), sealed); err != nil {
		t.Fatal(err)
	}
	propose(t, l, candidate("sha256:b", 30))
	equal(t, "the baselines", list(), []role.Baseline{sealed})
	// T62: a first sighting says that it is one.
	first := baseline("sha256:z", 40)
	first.Provenance = role.Unreviewed
	if err := l.AddBaseline(t.Context(), first); err != nil {
		t.Fatal(err)
	}
	equal(t, "the baselines", list(), []role.Baseline{first, sealed})
}

func wordOrder(t *testing.T, l ledger.Ledger) {
	for _, step := range []struct{ given, want ledger.Word }{
		{word("sha256:b", 20), word("sha256:b", 20)},
		{word("sha256:a", 10), word("sha256:b", 20)},
		{word("sha256:c", 20), word("sha256:c", 20)},
		{word("sha256:d", 9000), word("sha256:d", 9000)},
	} {
		give(t, l, step.given)
		equal(t, "the word", recall(t, l, account, "AROA1").Word, &step.want)
	}
}

func wordRefused(t *testing.T, l ledger.Ledger) {
	for _, f := range []func(*ledger.Word){
		func(w *ledger.Word) { w.Account = "" }, func(w *ledger.Word) { w.RoleID = "" }, func(w *ledger.Word) { w.Digest = "" },
		func(w *ledger.Word) { w.By = "" }, func(w *ledger.Word) { w.Until = w.At }, func(w *ledger.Word) { w.Until = ledger.Word{}.Until },
	} {
		w := word("sha256:a", 10)
		f(&w)
		refused(t, "a word", l.GiveWord(t.Context(), w))
	}
	equal(t, "the role", recall(t, l, account, "AROA1"), ledger.Recalled{})
}

func recallCopied(t *testing.T, l ledger.Ledger) {
	remember(t, l, state("AROA1", "e1", 1))
	c := candidate("sha256:a", 1)
	propose(t, l, c)
	give(t, l, word("sha256:a", 1))
	c.Principals["x"] = "changed"
	got := recall(t, l, account, "AROA1")
	got.State.OpenRules[0], got.State.Digest, got.Candidate.Digest, got.Word.By = "changed", "changed", "changed", "changed"
	got.Candidate.Principals["y"] = "changed"
	again := recall(t, l, account, "AROA1")
	s, fresh, w := state("AROA1", "e1", 1), candidate("sha256:a", 1), word("sha256:a", 1)
	equal(t, "recalled", again, ledger.Recalled{State: &s, Candidate: &fresh, Word: &w})
}

func shown(t *testing.T, l ledger.Ledger, account string) []ledger.RoleState {
	t.Helper()
	var out []ledger.RoleState
	err := l.States(t.Context(), account, func(s ledger.RoleState) error {
		out = append(out, s)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	ledger.SortStates(out)
	return out
}

func statesShown(t *testing.T, l ledger.Ledger) {
	equal(t, "of none", shown(t, l, ""), nil)
	here := []ledger.RoleState{state("AROA1", "e1", 1), state("AROA2", "e2", 2)}
	far := state("AROA1", "e3", 3)
	far.Account = other
	for _, s := range append(slices.Clone(here), far) {
		remember(t, l, s)
	}
	propose(t, l, candidate("sha256:a", 1))
	if err := l.AddBaseline(t.Context(), baseline("sha256:a", 1)); err != nil {
		t.Fatal(err)
	}
	record(t, l, identity("AIDA1", userARN("alice"), 1))
	equal(t, "of one account", shown(t, l, account), here)
	equal(t, "of all", shown(t, l, ""), append(slices.Clone(here), far))
	equal(t, "of an account without roles", shown(t, l, "777788889999"), nil)
	equal(t, "of the beginning of an account", shown(t, l, account[:6]), nil)
}

func statesStopped(t *testing.T, l ledger.Ledger) {
	for _, id := range []string{"AROA1", "AROA2", "AROA3"} {
		s := state(id, id, 1)
		s.Action = decision.Hold
		remember(t, l, s)
	}
	enough, seen := errors.New("enough"), 0
	err := l.States(t.Context(), "", func(ledger.RoleState) error {
		if seen++; seen == 2 {
			return enough
		}
		return nil
	})
	wants(t, err, enough)
	equal(t, "how many were shown", seen, 2)
}
