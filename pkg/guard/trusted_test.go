package guard_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/rolewarden/rolewarden/pkg/alert"
	"github.com/rolewarden/rolewarden/pkg/ledger"
	"github.com/rolewarden/rolewarden/pkg/role"
)

const (
	aliceARN = "arn:aws:iam::111122223333:user/alice"
	aliceID  = "AIDAALICE111111111111"
	// byUser lets alice in by her name.
	byUser = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:root"},"Action":"sts:AssumeRole","Condition":{"ArnEquals":{"aws:PrincipalArn":"arn:aws:iam::111122223333:user/alice"},"StringLike":{"sts:RoleSessionName":"${aws:username}"}}}]}`
	// byUserName likewise, by another key; byUserID by her id.
	byUserName = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:root"},"Action":"sts:AssumeRole","Condition":{"StringEquals":{"aws:username":"alice","sts:RoleSessionName":"alice"}}}]}`
	byUserID   = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:root"},"Action":"sts:AssumeRole","Condition":{"StringEquals":{"aws:userid":"AIDAALICE111111111111"},"StringLike":{"sts:RoleSessionName":"${aws:username}"}}}]}`
)

// in makes an event one of another account.
func in(account string, body []byte) []byte {
	return []byte(strings.ReplaceAll(string(body), prod, account))
}

// known makes a role and lets the guard judge it.
func (w *world) known(account, name, id, document string) {
	w.t.Helper()
	w.put(account, name, id, document)
	const here = "PROD"
	body := in(account, w.updated("ev-"+account+name, name, strings.ReplaceAll(document, prod, here)))
	w.settle(w.handle([]byte(strings.ReplaceAll(string(body), here, prod))))
	w.steps = nil
}

// deleteAlice deletes alice and hands the guard the event.
func (w *world) deleteAlice(eventID string) ledgerResult {
	w.t.Helper()
	delete(w.principals, aliceARN)
	w.told = nil
	res := w.handle(w.event("DeleteUser", eventID, map[string]any{"userName": "alice"}, nil))
	return ledgerResult{res.End, res.Reason}
}

type ledgerResult struct {
	end    ledger.End
	reason string
}

// whereTold gives the findings of the alerts about each role, by the role's ARN.
func whereTold(told []alert.Alert) map[string][]string {
	out := map[string][]string{}
	for _, a := range told {
		for _, f := range a.Findings {
			for _, role := range f.Evidence.Others {
				out[role] = append(out[role], f.Rule+" at "+f.Where+": "+f.Message)
			}
		}
	}
	return out
}

// T42, S3: within the handling of one deletion, every role that trusted the
// user is told of, in whichever account, with who deleted the user and what
// follows: by a principal who takes the name is not let in, by a condition on
// the name they are, by one on the id nobody is.
func TestADeletionTellsOfEveryRoleThatTrustedTheUser(t *testing.T) {
	w := newWorld(t, rulesFile)
	w.known(prod, "app", appID, closed)
	w.known(dev, "far", "AROAFAR1111111111111", closed)
	w.known(prod, "named", "AROANAMED11111111111", byUser)
	w.known(prod, "username", "AROAUNAME11111111111", byUserName)
	w.known(prod, "userid", "AROAUSERID1111111111", byUserID)
	w.known(prod, "other", "AROAOTHER11111111111", strings.ReplaceAll(closed, "user/alice", "user/carol"))
	if err := w.ledger.Record(t.Context(), []ledger.Identity{{ID: aliceID, ARN: aliceARN, SeenAt: w.now}}); err != nil {
		t.Fatal(err)
	}
	// IAM shows the id at once in one of them.
	w.put(prod, "app", appID, strings.ReplaceAll(closed, aliceARN, aliceID))
	if res := w.deleteAlice("del"); res.end != ledger.Told || len(w.told) != 1 {
		t.Fatalf("ended in %s (%s), told %d times", res.end, res.reason, len(w.told))
	}
	got := whereTold(w.told)
	for name, says := range map[string]string{
		"111122223333:role/app":      "unique-id-principal at Statement[0].Principal.AWS[0]: |shows a unique ID in its place",
		"444455556666:role/far":      "unique-id-principal at Statement[0].Principal.AWS[0]: |shows a unique ID in its place",
		"111122223333:role/named":    "dangling-principal-condition at Statement[0].Condition.ArnEquals.aws:PrincipalArn: |whoever makes a user or role of that name gets in",
		"111122223333:role/username": "dangling-principal-condition at Statement[0].Condition.StringEquals.aws:username: |whoever makes a user or role of that name gets in",
		"111122223333:role/userid":   "unique-id-principal at Statement[0].Condition.StringEquals.aws:userid: |nobody gets in by this entry any more",
	} {
		where, what, _ := strings.Cut(says, "|")
		if list := got["arn:aws:iam::"+name]; len(list) != 1 || !strings.HasPrefix(list[0], where) || !strings.Contains(list[0], what) || !strings.Contains(list[0], "deleted by arn:aws:iam::111122223333:user/bob") {
			t.Errorf("%s: %q", name, list)
		}
	}
	if len(got) != 5 {
		t.Errorf("told of %d roles: %v", len(got), got)
	}
	if next := strings.Join(w.told[0].Decision.Reasons, " "); !strings.Contains(next, "pruning is off") {
		t.Errorf("what happens next is not said: %s", next)
	}
	// T5: the same event again is handled once.
	if res := w.handle(w.eventAt(w.now, "DeleteUser", "del", map[string]any{"userName": "alice"}, nil)); res.Ignored == "" || len(w.told) != 1 {
		t.Errorf("handled again: %+v", res)
	}
	if w.writes() != 0 {
		t.Errorf("%d writes", w.writes())
	}
}

// T48: a name that lives again is recognised: it does not get back what a
// principal gave, and does get what a condition gives.
func TestARecreatedNameRegainsNothingByPrincipal(t *testing.T) {
	w := newWorld(t, rulesFile)
	w.known(prod, "app", appID, closed)
	w.known(prod, "named", "AROANAMED11111111111", byUser)
	if err := w.ledger.Record(t.Context(), []ledger.Identity{{ID: aliceID, ARN: aliceARN, SeenAt: w.now}}); err != nil {
		t.Fatal(err)
	}
	w.principals[aliceARN] = "AIDANEWALICE111111111"
	w.told = nil
	w.handle(w.event("DeleteUser", "del", map[string]any{"userName": "Alice"}, nil))
	got := whereTold(w.told)
	if list := got["arn:aws:iam::111122223333:role/app"]; len(list) != 1 || !strings.Contains(list[0], "as AIDANEWALICE111111111, and is not let in by this entry") {
		t.Errorf("by principal: %q", list)
	}
	if list := got["arn:aws:iam::111122223333:role/named"]; len(list) != 1 || !strings.Contains(list[0], "as AIDANEWALICE111111111, and is let in by this entry") {
		t.Errorf("by name: %q", list)
	}
}

// IAM may show the id before the event of the deletion comes: the role that was
// judged meanwhile is found by the id.
func TestADeletionFindsRolesThatShowTheIDAlready(t *testing.T) {
	w := withBob(t, rulesFile)
	w.loseBob()
	if res := w.settle(w.handle(w.updated("ev1", "app", mixed))); res.End != ledger.Told {
		t.Fatalf("ended in %s", res.End)
	}
	w.told = nil
	res := w.handle(w.event("DeleteUser", "del", map[string]any{"userName": "bob"}, nil))
	if list := whereTold(w.told)["arn:aws:iam::111122223333:role/app"]; res.End != ledger.Told || len(list) != 1 || !strings.Contains(list[0], bobID) {
		t.Errorf("ended in %s, told %q", res.End, list)
	}
}

// A role that may not be read is told of all the same, and one that was deleted
// and made again is another role (T53).
func TestADeletionTellsOfRolesThatCannotBeRead(t *testing.T) {
	w := newWorld(t, rulesFile)
	w.known(prod, "app", appID, closed)
	w.put(prod, "app", "AROANEWAPP1111111111", closed)
	if res := w.deleteAlice("del1"); res.end != ledger.Compliant {
		t.Errorf("another role of the same name: ended in %s, told %v", res.end, whereTold(w.told))
	}
	w.put(prod, "app", appID, closed)
	w.readErr = fmt.Errorf("reading: %w", role.ErrAccessDenied)
	if res := w.deleteAlice("del2"); res.end != ledger.Told || !strings.Contains(fmt.Sprint(whereTold(w.told)), "could not be read") {
		t.Errorf("ended in %s, told %v", res.end, whereTold(w.told))
	}
}

// Every role is named, however many there are.
func TestADeletionNamesAHundredRoles(t *testing.T) {
	w := newWorld(t, rulesFile)
	for i := range 103 {
		w.known(prod, fmt.Sprintf("app%03d", i), fmt.Sprintf("AROAAPP%09d11111", i), closed)
	}
	w.deleteAlice("del")
	if got := whereTold(w.told); len(got) != 103 {
		t.Errorf("%d roles in %d alerts", len(got), len(w.told))
	}
}

// An event of a deletion that comes late, after the name was made again and a role
// was written to trust whoever has it now: IAM bound that role to the new one, who
// is let in, and nobody is told otherwise (T6, T48).
func TestALateDeletionIsNotOfWhoWasTrustedSince(t *testing.T) {
	w := newWorld(t, rulesFile)
	w.known(dev, "old", "AROAOLD1111111111111", closed)
	w.known(prod, "named", "AROANAMED11111111111", byUser)
	deleted := w.now.Add(time.Minute)
	w.now = w.now.Add(time.Hour)
	w.principals[aliceARN] = "AIDANEWALICE111111111"
	w.known(prod, "app", appID, closed)
	w.told = nil
	w.handle(w.eventAt(deleted, "DeleteUser", "del", map[string]any{"userName": "alice"}, nil))
	got := whereTold(w.told)
	if list := got["arn:aws:iam::111122223333:role/app"]; len(list) != 0 {
		t.Errorf("of the role that trusts the new one was told: %q", list)
	}
	for _, name := range []string{"444455556666:role/old", "111122223333:role/named"} {
		if len(got["arn:aws:iam::"+name]) != 1 {
			t.Errorf("of %s was told: %q", name, got["arn:aws:iam::"+name])
		}
	}
}

// An id that was never seen may stand where a name stood whose former bearer is
// known: the deletion is told of that role too, though the id is not the one that
// the ledger knows.
func TestADeletionFindsWhoWasNeverSeenUnderAKnownName(t *testing.T) {
	w := newWorld(t, rulesFile)
	if err := w.ledger.Record(t.Context(), []ledger.Identity{{ID: "AIDAFORMERALICE111111", ARN: aliceARN, SeenAt: w.now}}); err != nil {
		t.Fatal(err)
	}
	// Alice was made anew, of which no event told, and is gone before a sweep.
	delete(w.principals, aliceARN)
	w.put(prod, "app", appID, closed)
	w.handle(w.updated("ev1", "app", closed))
	w.put(prod, "app", appID, strings.ReplaceAll(closed, aliceARN, aliceID))
	res := w.deleteAlice("del")
	if list := whereTold(w.told)["arn:aws:iam::111122223333:role/app"]; res.end != ledger.Told || len(list) != 1 {
		t.Errorf("ended in %s, told %q", res.end, list)
	}
}

// A Deny that spares somebody by name is told of where it names them.
func TestADeletionSaysThatADenySparedWhoIsGone(t *testing.T) {
	w := newWorld(t, rulesFile)
	w.known(prod, "app", appID, strings.TrimSuffix(strings.ReplaceAll(closed, "user/alice", "user/carol"), "]}")+`,{"Effect":"Deny","NotPrincipal":{"AWS":["arn:aws:iam::111122223333:user/carol","arn:aws:iam::111122223333:user/alice"]},"Action":"sts:AssumeRole"}]}`)
	w.deleteAlice("del")
	if list := whereTold(w.told)["arn:aws:iam::111122223333:role/app"]; len(list) != 1 || !strings.Contains(list[0], "Statement[1].NotPrincipal.AWS[1]") {
		t.Errorf("told %q", list)
	}
}
