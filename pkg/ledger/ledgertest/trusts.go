package ledgertest

import (
	"fmt"
	"testing"

	"github.com/rolewarden/rolewarden/pkg/ledger"
)

func trustPromises() []promise {
	return []promise{
		{"a principal's trusting roles are found in every account, ignoring the name's case", trustFound},
		{"a role that no longer names a principal is not found", trustGone},
		{"a rename moves the trust", trustRenamed},
		{"a rename leaves what was recorded after it", trustRenamedLate},
		{"a renamed role state keeps the rest, and a later conclusion replaces it", trustRenamedWhole},
		{"a role that names a hundred principals is found by each", trustMany},
		{"a role that was to be found by its own name stays so", trustItself},
	}
}

func trusting(t *testing.T, l ledger.Ledger, p ledger.PrincipalKey) []string {
	t.Helper()
	states, err := l.Trusting(t.Context(), p)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, s := range states {
		if !s.Names(p) {
			t.Errorf("role %s is said to trust %s and trusts %v", s.RoleID, p, s.Trusts)
		}
		out = append(out, s.Account+"/"+s.RoleID)
	}
	return out
}

func trustFound(t *testing.T, l ledger.Ledger) {
	far := state("AROA2", "e2", 2, user("alice"))
	far.Account = other
	remember(t, l, state("AROA3", "e3", 3, user("bob"), user("ALICE")))
	remember(t, l, far)
	remember(t, l, state("AROA1", "e1", 1, user("alice")))
	remember(t, l, state("AROA4", "e4", 4, user("bob"), ledger.PrincipalKey{Account: account, Kind: "role", Name: "alice"}))
	want := []string{account + "/AROA1", account + "/AROA3", other + "/AROA2"}
	for _, spelling := range []string{"alice", "Alice"} {
		equal(t, spelling, trusting(t, l, user(spelling)), want)
	}
	equal(t, "nobody", trusting(t, l, user("carol")), nil)
}

func trustGone(t *testing.T, l ledger.Ledger) {
	remember(t, l, state("AROA1", "e1", 1, user("alice"), user("bob")))
	remember(t, l, state("AROA1", "e2", 2, user("bob")))
	equal(t, "alice", trusting(t, l, user("alice")), nil)
	equal(t, "bob", trusting(t, l, user("bob")), []string{account + "/AROA1"})
}

func trustRenamed(t *testing.T, l ledger.Ledger) {
	remember(t, l, state("AROA1", "e1", 1, user("Alice"), user("dave")))
	remember(t, l, state("AROA2", "e2", 2, user("dave")))
	rename(t, l, "alice", "bob", 20)
	rename(t, l, "alice", "bob", 20)
	equal(t, "alice", trusting(t, l, user("alice")), nil)
	equal(t, "bob", trusting(t, l, user("bob")), []string{account + "/AROA1"})
	equal(t, "dave", trusting(t, l, user("dave")), []string{account + "/AROA1", account + "/AROA2"})
}

func trustRenamedLate(t *testing.T, l ledger.Ledger) {
	remember(t, l, state("AROA1", "e1", 30, user("alice")))
	rename(t, l, "alice", "bob", 20)
	equal(t, "alice", trusting(t, l, user("alice")), []string{account + "/AROA1"})
	equal(t, "bob", trusting(t, l, user("bob")), nil)
}

func trustRenamedWhole(t *testing.T, l ledger.Ledger) {
	remember(t, l, state("AROA1", "e1", 1, user("alice")))
	rename(t, l, "alice", "bob", 20)
	got, _ := readState(t, l, account, "AROA1")
	equal(t, "the state", got, state("AROA1", "e1", 1, user("bob")))
	remember(t, l, state("AROA1", "e2", 30, user("carol")))
	equal(t, "bob", trusting(t, l, user("bob")), nil)
	equal(t, "carol", trusting(t, l, user("carol")), []string{account + "/AROA1"})
}

// Events of a role carry its name and not its RoleId, and may come long after the
// reason for which it was to be found by it.
func trustItself(t *testing.T, l ledger.Ledger) {
	one := state("AROA1", "e1", 1)
	self := ledger.PrincipalKey{Account: one.Account, Kind: ledger.OwnName, Name: one.Name}
	remember(t, l, one)
	equal(t, "never asked for", trusting(t, l, self), nil)
	remember(t, l, state("AROA1", "e2", 2, self))
	remember(t, l, state("AROA1", "e3", 3, user("alice")))
	equal(t, "once asked for", trusting(t, l, self), []string{account + "/AROA1"})
	self.Name = "another"
	equal(t, "another name", trusting(t, l, self), nil)
}

// More than fit one DynamoDB transaction of a hundred items.
func trustMany(t *testing.T, l ledger.Ledger) {
	var trusts []ledger.PrincipalKey
	var seen []ledger.Identity
	for i := range 110 {
		name := fmt.Sprint("u", i)
		trusts = append(trusts, user(name))
		seen = append(seen, identity(fmt.Sprint("AIDA", i), userARN(name), 1))
	}
	s := state("AROA1", "e1", 1, trusts...)
	conclude(t, l, ledger.Conclusion{Event: s.Event, End: ledger.Told, At: at(2), State: &s, Seen: seen})
	for _, i := range []int{0, 55, 109} {
		equal(t, "trusting", trusting(t, l, trusts[i]), []string{account + "/AROA1"})
		equal(t, "identity", identify(t, l, seen[i].ID).ARN, seen[i].ARN)
	}
	equal(t, "the end", take(t, l, s.Event).End, ledger.Told)
}
