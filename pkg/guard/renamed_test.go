package guard_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/rolewarden/rolewarden/pkg/ledger"
)

// rename gives alice another name and hands the guard the event.
func (w *world) rename(eventID, name, path string) ledgerResult {
	w.t.Helper()
	id := w.principals[aliceARN]
	delete(w.principals, aliceARN)
	request := map[string]any{"userName": "alice"}
	if name != "" {
		request["newUserName"] = name
	} else {
		name = "alice"
	}
	if path != "" {
		request["newPath"] = path
	} else {
		path = "/"
	}
	w.principals["arn:aws:iam::111122223333:user"+path+name] = id
	w.told = nil
	res := w.handle(w.event("UpdateUser", eventID, request, nil))
	return ledgerResult{res.End, res.Reason}
}

// T42: a renamed user keeps what a principal gives and loses what a condition on
// the old name gives, which is free for whoever takes the name; the roles with
// such a condition are told of, and are found broken when they are judged.
func TestARenameTellsOfConditionsOnTheOldName(t *testing.T) {
	w := newWorld(t, rulesFile)
	w.known(prod, "app", appID, closed)
	w.known(prod, "named", "AROANAMED11111111111", byUser)
	w.known(prod, "username", "AROAUNAME11111111111", byUserName)
	if err := w.ledger.Record(t.Context(), []ledger.Identity{{ID: aliceID, ARN: aliceARN, SeenAt: w.now}}); err != nil {
		t.Fatal(err)
	}
	w.put(prod, "app", appID, strings.ReplaceAll(closed, "user/alice", "user/alice.smith"))
	res := w.rename("ren", "alice.smith", "")
	got := whereTold(w.told)
	if res.end != ledger.Told || len(got) != 2 || len(got["arn:aws:iam::111122223333:role/app"]) != 0 {
		t.Fatalf("ended in %s (%s), told %v", res.end, res.reason, got)
	}
	for _, name := range []string{"named", "username"} {
		if list := got["arn:aws:iam::111122223333:role/"+name]; len(list) != 1 || !strings.Contains(list[0], "became arn:aws:iam::111122223333:user/alice.smith by arn:aws:iam::111122223333:user/bob") || !strings.Contains(list[0], "whoever takes the name is") {
			t.Errorf("%s: %q", name, list)
		}
	}
	// The id lives on under the new name, and the old name is known to be free.
	if p, _, err := w.ledger.Identify(t.Context(), aliceID); err != nil || p.ARN != "arn:aws:iam::111122223333:user/alice.smith" || !p.DeletedAt.IsZero() {
		t.Errorf("%+v, %v", p, err)
	}
	judged := w.settle(w.handle(w.updated("again", "named", byUser)))
	i := slices.Index(rulesOf(judged.Report), dangling)
	if i < 0 || !strings.Contains(judged.Report.Findings[i].Message, `is no more, who is arn:aws:iam::111122223333:user/alice.smith now, renamed by`) {
		t.Errorf("judged later: %+v", judged.Report)
	}
	// Who is deleted later under the new name is found by it.
	delete(w.principals, "arn:aws:iam::111122223333:user/alice.smith")
	w.told = nil
	if res := w.handle(w.event("DeleteUser", "del", map[string]any{"userName": "alice.smith"}, nil)); res.End != ledger.Told || len(whereTold(w.told)["arn:aws:iam::111122223333:role/app"]) != 1 {
		t.Errorf("ended in %s, told %v", res.End, whereTold(w.told))
	}
}

// A user who moves to another path keeps the name, which is then nobody's to
// take: nothing ends but the ARN in a condition.
func TestAMoveToAnotherPathEndsNobody(t *testing.T) {
	w := newWorld(t, rulesFile)
	w.known(prod, "named", "AROANAMED11111111111", byUser)
	w.known(prod, "username", "AROAUNAME11111111111", byUserName)
	if err := w.ledger.Record(t.Context(), []ledger.Identity{{ID: aliceID, ARN: aliceARN, SeenAt: w.now}}); err != nil {
		t.Fatal(err)
	}
	res := w.rename("mov", "", "/team/")
	if got := whereTold(w.told); res.end != ledger.Told || len(got) != 1 || len(got["arn:aws:iam::111122223333:role/named"]) != 1 {
		t.Errorf("ended in %s, told %v", res.end, got)
	}
	if p, _, err := w.ledger.Identify(t.Context(), aliceID); err != nil || p.ARN != "arn:aws:iam::111122223333:user/team/alice" || !p.DeletedAt.IsZero() {
		t.Errorf("%+v, %v", p, err)
	}
	if ends, err := w.ledger.Ends(t.Context(), []ledger.PrincipalKey{{Account: prod, Kind: "user", Name: "alice"}}); err != nil || len(ends) != 0 {
		t.Errorf("ended: %v, %v", ends, err)
	}
}

// A rename that concerns no condition is told to nobody.
func TestARenameOfSomebodyTrustedAsAPrincipalIsNotTold(t *testing.T) {
	w := newWorld(t, rulesFile)
	w.known(prod, "app", appID, closed)
	if res := w.rename("ren", "bob2", ""); res.end != ledger.Compliant || len(w.told) != 0 {
		t.Errorf("ended in %s, told %v", res.end, whereTold(w.told))
	}
}
