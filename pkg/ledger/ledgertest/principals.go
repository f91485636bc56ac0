package ledgertest

import (
	"slices"
	"testing"

	"github.com/rolewarden/rolewarden/pkg/finding"
	"github.com/rolewarden/rolewarden/pkg/ledger"
)

func principalPromises() []promise {
	return []promise{
		{"an id never seen is not known", unknownID},
		{"an id is known by whom it stood for, from events and without", knownID},
		{"an ARN's ids come newest first", idsOfARN},
		{"of two sightings at one time the one told later counts", sightingsAtOnce},
		{"an older sighting never hides a newer", olderSighting},
		{"a deletion marks the ids that bore the name before it", deletion},
		{"a deletion told twice names the same ids", deletionTwice},
		{"the first deletion stands", deletionFirst},
		{"a deletion of a name nobody bore marks nothing", deletionOfNobody},
		{"the end of a name is remembered though nobody knew its id", endOfName},
		{"the last end of a name stands, in whatever order they are told", lastEndOfName},
		{"a new bearer of the ARN is named, an older or deleted one is not", livesAgain},
		{"a new bearer is known even if the deletion was never told", livesAgainUntold},
		{"a rename moves the id and its ARN, and both ARNs have had it", renamedID},
		{"a rename of someone else's later name moves nobody", renamedLate},
		{"a rename moves nobody who was deleted", renamedNotDeleted},
		{"a deletion after a rename finds the id under its new name", renamedDeleted},
		{"a rename to the name that is borne already changes nothing", renamedToSame},
		{"of two ids that one deletion ends neither lives again as the other", deletionOfTwo},
		{"identities and renames that do not fit are refused", identitiesRefused},
		{"an identity of a service or session is known by its ARN", sessionIdentity},
	}
}

func identities(t *testing.T, l ledger.Ledger, arn string) []ledger.Identity {
	t.Helper()
	got, err := l.Identities(t.Context(), arn)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func unknownID(t *testing.T, l ledger.Ledger) {
	p, ok, err := l.Identify(t.Context(), "AIDANOBODY")
	equal(t, "known", ok, false)
	equal(t, "error", err, nil)
	equal(t, "principal", p, finding.Principal{})
	equal(t, "ids", identities(t, l, userARN("nobody")), nil)
	record(t, l)
}

func knownID(t *testing.T, l ledger.Ledger) {
	record(t, l, identity("AIDA1", userARN("team/Alice"), 1))
	equal(t, "recorded", identify(t, l, "AIDA1"), finding.Principal{ID: "AIDA1", ARN: userARN("team/Alice")})
	conclude(t, l, ledger.Conclusion{Event: key("e1"), End: ledger.Compliant, At: at(3), Seen: []ledger.Identity{
		identity("AIDA2", userARN("bob"), 2), identity("AIDA2", userARN("bob"), 3),
		identity("AROA3", "arn:aws:iam::"+other+":role/app", 3),
	}})
	equal(t, "seen", identify(t, l, "AIDA2").ARN, userARN("bob"))
	equal(t, "seen", identify(t, l, "AROA3").ARN, "arn:aws:iam::"+other+":role/app")
	equal(t, "the newer sighting counts", identities(t, l, userARN("bob")), []ledger.Identity{identity("AIDA2", userARN("bob"), 3)})
}

func idsOfARN(t *testing.T, l ledger.Ledger) {
	record(t, l, identity("AIDA1", userARN("alice"), 1), identity("AIDA3", userARN("alice"), 30), identity("AIDA2", userARN("alice"), 20))
	// Names are unique ignoring case and whatever the path, ARNs are not.
	record(t, l, identity("AIDA4", userARN("ALICE"), 40), identity("AIDA5", userARN("team/alice"), 50))
	equal(t, "ids", identities(t, l, userARN("alice")), []ledger.Identity{
		identity("AIDA3", userARN("alice"), 30), identity("AIDA2", userARN("alice"), 20), identity("AIDA1", userARN("alice"), 1),
	})
}

func sightingsAtOnce(t *testing.T, l ledger.Ledger) {
	record(t, l, identity("AIDA1", userARN("alice"), 1), identity("AIDA1", userARN("bob"), 7), identity("AIDA1", userARN("alice"), 7))
	equal(t, "in one telling", identify(t, l, "AIDA1").ARN, userARN("alice"))
	record(t, l, identity("AIDA1", userARN("bob"), 7))
	equal(t, "in two", identify(t, l, "AIDA1").ARN, userARN("bob"))
}

func olderSighting(t *testing.T, l ledger.Ledger) {
	record(t, l, identity("AIDA1", userARN("bob"), 50))
	record(t, l, identity("AIDA1", userARN("alice"), 10))
	record(t, l, identity("AIDA1", userARN("bob"), 20))
	record(t, l, identity("AIDA1", userARN("bob"), 40), identity("AIDA1", userARN("bob"), 60), identity("AIDA1", userARN("alice"), 5))
	equal(t, "whom it stands for", identify(t, l, "AIDA1").ARN, userARN("bob"))
	equal(t, "bob's", identities(t, l, userARN("bob")), []ledger.Identity{identity("AIDA1", userARN("bob"), 60)})
	equal(t, "alice's", identities(t, l, userARN("alice")), []ledger.Identity{identity("AIDA1", userARN("alice"), 10)})
	// It bore bob's name from 20 on, so an end at 30 is its end.
	equal(t, "marked", len(remove(t, l, user("bob"), "d1", 30)), 1)
}

func ids(list []finding.Principal) []string {
	var out []string
	for _, p := range list {
		out = append(out, p.ID)
	}
	slices.Sort(out)
	return out
}

func deletion(t *testing.T, l ledger.Ledger) {
	record(t, l,
		identity("AIDA1", userARN("Alice"), 10), identity("AIDA2", userARN("team/alice"), 20),
		identity("AIDALATER", userARN("alice"), 31), identity("AIDABOB", userARN("bob"), 10),
		identity("AROAALICE", "arn:aws:iam::"+account+":role/alice", 10), identity("AIDAFAR", "arn:aws:iam::"+other+":user/alice", 10))
	marked := remove(t, l, user("ALICE"), "d1", 30)
	equal(t, "marked", ids(marked), []string{"AIDA1", "AIDA2"})
	want := finding.Principal{
		ID: "AIDA1", ARN: userARN("Alice"), DeletedBy: userARN("mallory"), DeletedAt: at(30), DeletedEvent: "d1",
	}
	equal(t, "its history", identify(t, l, "AIDA1"), want)
	for _, alive := range []string{"AIDALATER", "AIDABOB", "AROAALICE", "AIDAFAR"} {
		equal(t, alive, identify(t, l, alive).DeletedEvent, "")
	}
}

func deletionTwice(t *testing.T, l ledger.Ledger) {
	record(t, l, identity("AIDA1", userARN("alice"), 10))
	first := remove(t, l, user("alice"), "d1", 30)
	equal(t, "named", ids(first), []string{"AIDA1"})
	equal(t, "named again", remove(t, l, user("alice"), "d1", 30), first)
}

func deletionFirst(t *testing.T, l ledger.Ledger) {
	record(t, l, identity("AIDA1", userARN("alice"), 10))
	remove(t, l, user("alice"), "d1", 30)
	equal(t, "marked by the second", remove(t, l, user("alice"), "d2", 40), nil)
	record(t, l, identity("AIDA1", userARN("alice"), 50))
	equal(t, "the event", identify(t, l, "AIDA1").DeletedEvent, "d1")
}

func deletionOfNobody(t *testing.T, l ledger.Ledger) {
	record(t, l, identity("AIDA1", userARN("alice"), 10))
	equal(t, "marked", remove(t, l, user("bob"), "d1", 30), nil)
	equal(t, "marked", remove(t, l, user("alice"), "d2", 9), nil)
	equal(t, "alice", identify(t, l, "AIDA1").DeletedEvent, "")
	// CloudTrail tells whole seconds: within one, the sighting was before.
	equal(t, "marked", ids(remove(t, l, user("alice"), "d3", 10)), []string{"AIDA1"})
}

func ends(t *testing.T, l ledger.Ledger, names ...ledger.PrincipalKey) []ledger.Deletion {
	t.Helper()
	got, err := l.Ends(t.Context(), names)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func ended(name ledger.PrincipalKey, event string, seconds int) ledger.Deletion {
	return ledger.Deletion{Principal: name, By: userARN("mallory"), At: at(seconds), Event: key(event)}
}

// T42: conditions name whom no principal names, so no id is known.
func endOfName(t *testing.T, l ledger.Ledger) {
	equal(t, "before", ends(t, l, user("alice")), nil)
	equal(t, "of none", ends(t, l), nil)
	remove(t, l, user("Alice"), "d1", 30)
	remove(t, l, ledger.PrincipalKey{Account: account, Kind: "role", Name: "deploy"}, "d2", 31)
	role := ledger.PrincipalKey{Account: account, Kind: "role", Name: "deploy"}
	equal(t, "after", ends(t, l, role, user("bob"), user("ALICE"), user("alice")), []ledger.Deletion{ended(role, "d2", 31), ended(user("alice"), "d1", 30)})
	equal(t, "of another kind", ends(t, l, ledger.PrincipalKey{Account: account, Kind: "role", Name: "alice"}, ledger.PrincipalKey{Account: other, Kind: "user", Name: "alice"}), nil)
}

func lastEndOfName(t *testing.T, l ledger.Ledger) {
	remove(t, l, user("alice"), "d2", 40)
	remove(t, l, user("alice"), "d1", 30)
	equal(t, "late", ends(t, l, user("alice")), []ledger.Deletion{ended(user("alice"), "d2", 40)})
	remove(t, l, user("alice"), "d3", 50)
	remove(t, l, user("alice"), "d3", 50)
	equal(t, "newest", ends(t, l, user("alice")), []ledger.Deletion{ended(user("alice"), "d3", 50)})
}

// T48: the same name is not the same principal.
func livesAgain(t *testing.T, l ledger.Ledger) {
	record(t, l, identity("AIDA1", userARN("alice"), 10))
	remove(t, l, user("alice"), "d1", 30)
	equal(t, "after the deletion", identify(t, l, "AIDA1").LivesAgainAs, "")
	record(t, l, identity("AIDA2", userARN("alice"), 40))
	equal(t, "the old id", identify(t, l, "AIDA1").LivesAgainAs, "AIDA2")
	equal(t, "the new id", identify(t, l, "AIDA2"), finding.Principal{ID: "AIDA2", ARN: userARN("alice")})
	remove(t, l, user("alice"), "d2", 50)
	equal(t, "after the second deletion", identify(t, l, "AIDA1").LivesAgainAs, "")
	record(t, l, identity("AIDA3", userARN("alice"), 60))
	for _, old := range []string{"AIDA1", "AIDA2"} {
		equal(t, old, identify(t, l, old).LivesAgainAs, "AIDA3")
	}
	// Another path is another ARN.
	record(t, l, identity("AIDA4", userARN("team/alice"), 70))
	equal(t, "the ARN", identify(t, l, "AIDA1").LivesAgainAs, "AIDA3")
}

func livesAgainUntold(t *testing.T, l ledger.Ledger) {
	record(t, l, identity("AIDA1", userARN("alice"), 10), identity("AIDA2", userARN("alice"), 40))
	equal(t, "the old id", identify(t, l, "AIDA1").LivesAgainAs, "AIDA2")
	equal(t, "the new id", identify(t, l, "AIDA2").LivesAgainAs, "")
}

func renamedID(t *testing.T, l ledger.Ledger) {
	record(t, l, identity("AIDA1", userARN("alice"), 10), identity("AIDAZ", userARN("bob"), 1))
	remove(t, l, user("bob"), "d1", 5)
	rename(t, l, "Alice", "bob", 20)
	rename(t, l, "alice", "bob", 20)
	equal(t, "the id", identify(t, l, "AIDA1"), finding.Principal{ID: "AIDA1", ARN: userARN("bob")})
	equal(t, "the new ARN's", identities(t, l, userARN("bob")), []ledger.Identity{
		identity("AIDA1", userARN("bob"), 20), identity("AIDAZ", userARN("bob"), 1),
	})
	equal(t, "the old ARN's", identities(t, l, userARN("alice")), []ledger.Identity{identity("AIDA1", userARN("alice"), 10)})
	equal(t, "bob of old lives again", identify(t, l, "AIDAZ").LivesAgainAs, "AIDA1")
	record(t, l, identity("AIDA2", userARN("alice"), 30))
	equal(t, "the renamed one is nobody's past", identify(t, l, "AIDA1").LivesAgainAs, "")
}

func renamedLate(t *testing.T, l ledger.Ledger) {
	record(t, l, identity("AIDA2", userARN("alice"), 30))
	rename(t, l, "alice", "bob", 20)
	equal(t, "who came after the rename", identify(t, l, "AIDA2").ARN, userARN("alice"))
}

func renamedNotDeleted(t *testing.T, l ledger.Ledger) {
	record(t, l, identity("AIDA1", userARN("alice"), 10))
	remove(t, l, user("alice"), "d1", 15)
	record(t, l, identity("AIDA2", userARN("alice"), 17))
	rename(t, l, "alice", "bob", 20)
	equal(t, "the deleted one", identify(t, l, "AIDA1").ARN, userARN("alice"))
	equal(t, "bob's", identities(t, l, userARN("bob")), []ledger.Identity{identity("AIDA2", userARN("bob"), 20)})
}

func renamedDeleted(t *testing.T, l ledger.Ledger) {
	record(t, l, identity("AIDA1", userARN("alice"), 10))
	rename(t, l, "alice", "bob", 20)
	equal(t, "marked by the old name", remove(t, l, user("alice"), "d1", 30), nil)
	equal(t, "marked by the new name", ids(remove(t, l, user("bob"), "d2", 30)), []string{"AIDA1"})
}

func identitiesRefused(t *testing.T, l ledger.Ledger) {
	for _, i := range []ledger.Identity{{ID: "AIDA1"}, {ARN: userARN("alice")}} {
		refused(t, "half an identity", l.Record(t.Context(), []ledger.Identity{i}))
		refused(t, "half an identity", l.Conclude(t.Context(), ledger.Conclusion{Event: key("e"), End: ledger.Told, Seen: []ledger.Identity{i}}))
	}
	refused(t, "another's ARN", l.Renamed(t.Context(), user("alice"), user("bob"), userARN("carol"), at(1)))
	_, err := l.Deleted(t.Context(), ledger.Deletion{Principal: user("alice"), At: at(1)})
	refused(t, "a deletion without event", err)
}

func sessionIdentity(t *testing.T, l ledger.Ledger) {
	session := "arn:aws:sts::" + account + ":assumed-role/app/s1"
	record(t, l, identity("AROA1:s1", session, 1))
	equal(t, "whom", identify(t, l, "AROA1:s1").ARN, session)
	equal(t, "ids", identities(t, l, session), []ledger.Identity{identity("AROA1:s1", session, 1)})
}

func renamedToSame(t *testing.T, l ledger.Ledger) {
	record(t, l, identity("AIDA1", userARN("Alice"), 1))
	remember(t, l, state("AROA1", "e1", 1, user("alice")))
	rename(t, l, "alice", "Alice", 20)
	equal(t, "Alice's", identities(t, l, userARN("Alice")), []ledger.Identity{identity("AIDA1", userARN("Alice"), 1)})
	got, _ := readState(t, l, account, "AROA1")
	equal(t, "the state", got, state("AROA1", "e1", 1, user("alice")))
}

// One of the two was never told to be deleted.
func deletionOfTwo(t *testing.T, l ledger.Ledger) {
	record(t, l, identity("AIDA1", userARN("alice"), 1), identity("AIDA2", userARN("alice"), 10))
	for _, p := range remove(t, l, user("alice"), "d1", 20) {
		if p.LivesAgainAs != "" {
			t.Errorf("%s lives again as %s, which is deleted", p.ID, p.LivesAgainAs)
		}
	}
}
