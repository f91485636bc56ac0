package ledgertest

import (
	"testing"
	"time"

	"github.com/rolewarden/rolewarden/pkg/decision"
	"github.com/rolewarden/rolewarden/pkg/ledger"
	"github.com/rolewarden/rolewarden/pkg/role"
)

func overwrittenPromises() []promise {
	return []promise{
		{"every write of which something may have come is recalled, newest first", writesAreKept},
		{"what was read before a write was intended is not recorded as what stands", readBeforeIntent},
		{"what was read before a write was made is not recorded as what stands", readBeforeWrite},
		{"when a write was made is recorded with its intent and its role", whenWritten},
		{"an intent to write tags or a boundary leaves the role's last write as it was", notWritten},
		{"the end of a name that a user gave up tells who the user is now", endOfRename},
		{"since when a document shows ids comes back with the state", idsShown},
	}
}

// intendAt records an intent; made is when the write was made, negative when it was not.
func intendAt(t *testing.T, l ledger.Ledger, event string, read, seconds, made int) ledger.Intent {
	t.Helper()
	i := ledger.Intent{
		Event: key(event), Role: role.Ref{Account: account, Name: "App"}, RoleID: "AROA1", Decision: decision.Decision{ID: "d-" + event, Action: decision.Revert, At: at(seconds)},
		Before: "b", After: "a", BeforeDigest: "sha256:b", AfterDigest: "sha256:a", ReadAt: at(read), At: at(seconds),
	}
	if made >= 0 {
		i.WrittenAt = at(made)
	}
	if err := l.Intend(t.Context(), i); err != nil {
		t.Fatal(err)
	}
	return i
}

// readAt concludes an event whose role was read at a time.
func readAt(t *testing.T, l ledger.Ledger, event string, read int) error {
	t.Helper()
	s := state("AROA1", event, read)
	s.AlertID = ""
	return l.Conclude(t.Context(), ledger.Conclusion{Event: s.Event, End: ledger.Compliant, At: at(read + 1), State: &s, ReadAt: at(read), Expect: ledger.NoOpenAlert})
}

func readBeforeIntent(t *testing.T, l ledger.Ledger) {
	if err := readAt(t, l, "e1", 5); err != nil {
		t.Fatal(err)
	}
	intendAt(t, l, "ours", 8, 10, -1)
	wants(t, readAt(t, l, "e2", 9), ledger.ErrWritten)
	equal(t, "its end", take(t, l, key("e2")).End, ledger.InFlight)
	got, _ := readState(t, l, account, "AROA1")
	equal(t, "the state", got.Event, key("e1"))
	if err := readAt(t, l, "e2", 10); err != nil {
		t.Fatal(err)
	}
	equal(t, "its end", take(t, l, key("e2")).End, ledger.Compliant)
}

func readBeforeWrite(t *testing.T, l ledger.Ledger) {
	intendAt(t, l, "ours", 8, 10, -1)
	intendAt(t, l, "ours", 8, 10, 20)
	wants(t, readAt(t, l, "e2", 15), ledger.ErrWritten)
	if err := readAt(t, l, "e3", 21); err != nil {
		t.Fatal(err)
	}
	// Who does not say when it was read is believed.
	remember(t, l, state("AROA1", "e4", 22))
}

func whenWritten(t *testing.T, l ledger.Ledger) {
	intendAt(t, l, "ours", 8, 10, -1)
	r, err := l.Recall(t.Context(), account, "AROA1")
	if err != nil || r.Written == nil || !r.Written.WrittenAt.IsZero() {
		t.Fatalf("%+v, %v", r.Written, err)
	}
	want := intendAt(t, l, "ours", 8, 10, 20)
	if r, err = l.Recall(t.Context(), account, "AROA1"); err != nil {
		t.Fatal(err)
	}
	equal(t, "the role's write", *r.Written, want.Written())
	got, _, ok, err := l.Decided(t.Context(), "d-ours")
	if err != nil || !ok {
		t.Fatal(ok, err)
	}
	equal(t, "the intent", got, want)
}

func notWritten(t *testing.T, l ledger.Ledger) {
	want := intendAt(t, l, "ours", 8, 10, 12).Written()
	tags, boundary := intent(key("tags")), intent(key("boundary"))
	tags.After, tags.AfterDigest, tags.At = "", "", at(20)
	boundary.Contains, boundary.At = true, at(21)
	for _, i := range []ledger.Intent{tags, boundary} {
		i.RoleID = "AROA1"
		intend(t, l, i)
	}
	equal(t, "the role's", recall(t, l, account, "AROA1").Written, &want)
}

func endOfRename(t *testing.T, l ledger.Ledger) {
	record(t, l, identity("AIDA1", userARN("alice"), 1))
	end := ledger.Deletion{Principal: user("alice"), By: userARN("mallory"), At: at(20), Event: key("r1"), RenamedTo: userARN("bob")}
	for range 2 {
		marked, err := l.Deleted(t.Context(), end)
		if err != nil || len(marked) != 0 {
			t.Fatalf("a rename ended %v, %v", marked, err)
		}
		rename(t, l, "alice", "bob", 20)
	}
	equal(t, "the end", ends(t, l, user("alice")), []ledger.Deletion{end})
	equal(t, "the user", identify(t, l, "AIDA1").DeletedEvent, "")
	remove(t, l, user("alice"), "d1", 30)
	equal(t, "a later deletion", ends(t, l, user("alice")), []ledger.Deletion{ended(user("alice"), "d1", 30)})
}

func idsShown(t *testing.T, l ledger.Ledger) {
	s := state("AROA1", "e1", 1)
	s.Shown = map[string]time.Time{"AIDA3ZFZ4X6FO5HB76XYS": at(1)}
	remember(t, l, s)
	got, _ := readState(t, l, account, "AROA1")
	equal(t, "the state", got, s)
}

// Every write of a role of which something may have come is recalled, the newest
// first: a change that one of them overwrote may be told of long after the next.
func writesAreKept(t *testing.T, l ledger.Ledger) {
	older := intendAt(t, l, "older", 1, 2, 3)
	newer := intendAt(t, l, "newer", 11, 12, 13)
	void := intendAt(t, l, "void", 21, 22, 23)
	void.Void = true
	intend(t, l, void)
	equal(t, "the writes", recall(t, l, account, "AROA1").Writes, []ledger.Written{newer.Written(), older.Written()})
	older.WrittenAt = at(9)
	intend(t, l, older)
	equal(t, "the writes, one of them made again known", recall(t, l, account, "AROA1").Writes, []ledger.Written{newer.Written(), older.Written()})
}
