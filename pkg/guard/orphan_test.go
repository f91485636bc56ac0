package guard_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/rolewarden/rolewarden/pkg/alert"
	"github.com/rolewarden/rolewarden/pkg/finding"
	"github.com/rolewarden/rolewarden/pkg/guard"
	"github.com/rolewarden/rolewarden/pkg/ledger"
	"github.com/rolewarden/rolewarden/pkg/role"
)

const (
	// mixed lets alice in, and somebody whom IAM shows by an id.
	mixed  = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":["arn:aws:iam::111122223333:user/alice","AIDABOB11111111111111"]},"Action":"sts:AssumeRole","Condition":{"StringLike":{"sts:RoleSessionName":"${aws:username}"}}}]}`
	bobARN = "arn:aws:iam::111122223333:user/bob"
	bobID  = "AIDABOB11111111111111"
	// both is mixed as IAM shows it while bob lives.
	both      = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":["arn:aws:iam::111122223333:user/alice","arn:aws:iam::111122223333:user/bob"]},"Action":"sts:AssumeRole","Condition":{"StringLike":{"sts:RoleSessionName":"${aws:username}"}}}]}`
	pruningOn = "pruning:\n  orphans: true\n"
)

// standing gives how the first open finding about an id stands.
func standingOf(r finding.Report) finding.Standing {
	for _, f := range r.Findings {
		if f.Rule == "unique-id-principal" && f.Evidence.Principal != nil {
			return f.Evidence.Principal.Standing
		}
	}
	return finding.NotAsked
}

// withBob makes a role that trusts alice and bob, both known to the ledger.
func withBob(t testing.TB, text string) *world {
	t.Helper()
	w := newWorld(t, text)
	w.principals[bobARN] = bobID
	if err := w.ledger.Record(t.Context(), []ledger.Identity{{ID: aliceID, ARN: aliceARN, SeenAt: w.now}, {ID: bobID, ARN: bobARN, SeenAt: w.now}}); err != nil {
		t.Fatal(err)
	}
	w.put(prod, "app", appID, both)
	w.settle(w.handle(w.updated("ev-both", "app", both)))
	w.steps, w.told, w.calls = nil, nil, nil
	return w
}

// loseBob deletes bob without an event, and lets IAM show his id.
func (w *world) loseBob() {
	delete(w.principals, bobARN)
	w.put(prod, "app", appID, mixed)
}

// T47: an id that was read once is told as one that may pass, and nothing is
// written, not even a tag; read again ten minutes later, with its owner gone,
// it is called an orphan, and told once more.
func TestT47AnIDIsCalledAnOrphanAfterTwoReadings(t *testing.T) {
	w := withBob(t, strings.Replace(rulesFile, "enforce", "tag", 1))
	w.handle(w.event("DeleteUser", "del", map[string]any{"userName": "bob"}, nil))
	w.told = nil
	w.loseBob()
	res := w.settle(w.handle(w.updated("ev1", "app", both)))
	if res.End != ledger.Told || standingOf(res.Report) != finding.Unconfirmed || w.writes() != 0 || len(w.told) != 1 || !strings.Contains(w.told[0].Text(), "that may pass, so it is read again after ten minutes") {
		t.Fatalf("ended in %s, %s, %d writes, told %+v", res.End, standingOf(res.Report), w.writes(), w.told)
	}
	first := w.now
	res = w.due()
	if w.now.Sub(first) < 10*time.Minute {
		t.Errorf("the second look came after %s", w.now.Sub(first))
	}
	if res.End != ledger.Tagged || standingOf(res.Report) != finding.Orphan || len(w.told) != 2 || w.told[1].ID != w.told[0].ID || w.told[1].State != alert.Updated || !strings.Contains(w.told[1].Text(), `deleted by "arn:aws:iam::111122223333:user/bob"`) {
		t.Fatalf("ended in %s, %s, told %+v", res.End, standingOf(res.Report), w.told)
	}
	if res.Change.EventID == "ev1" || w.told[1].Change.EventID != "ev1" {
		t.Errorf("the look is event %s, told as %s", res.Change.EventID, w.told[1].Change.EventID)
	}
	// A third event says nothing new.
	if res := w.settle(w.handle(w.updated("ev2", "app", mixed))); len(w.told) != 2 || standingOf(res.Report) != finding.Orphan {
		t.Errorf("told %d times, %s", len(w.told), standingOf(res.Report))
	}
}

// T47: a living principal that IAM shows by its id leads to no write and no
// alert, is judged as the principal that it is, and never becomes a baseline.
func TestT47ALivingPrincipalShownByItsIDIsNoOrphan(t *testing.T) {
	w := withBob(t, rulesFile+pruningOn)
	w.put(prod, "app", appID, mixed)
	res := w.settle(w.handle(w.updated("ev1", "app", both)))
	if res.End != ledger.Compliant || len(w.told) != 0 || w.writes() != 0 || len(res.Report.Open()) != 0 {
		t.Fatalf("ended in %s: %+v, told %d", res.End, res.Report, len(w.told))
	}
	if slices.ContainsFunc(w.steps, func(s guard.Step) bool { return s.Step == guard.Promote }) {
		t.Errorf("a document that shows an id is to become a baseline: %+v", w.steps)
	}
	w.steps = nil
	// What lets in a stranger is found though it is shown by an id.
	stranger := "arn:aws:iam::999999999999:role/x"
	w.principals[stranger] = "AROASTRANGER111111111"
	if err := w.ledger.Record(t.Context(), []ledger.Identity{{ID: "AROASTRANGER111111111", ARN: stranger, SeenAt: w.now}}); err != nil {
		t.Fatal(err)
	}
	w.put(prod, "app", appID, strings.ReplaceAll(opened, "arn:aws:iam::999999999999:root", "AROASTRANGER111111111"))
	if res := w.settle(w.handle(w.updated("ev2", "app", strings.ReplaceAll(opened, "arn:aws:iam::999999999999:root", stranger)))); !slices.Contains(rulesOf(res.Report), "external-account") {
		t.Errorf("a stranger hides behind an id: %v", rulesOf(res.Report))
	}
}

// T47: an id that passes resolves its alert by itself, whoever it was.
func TestT47AnIDThatPassesResolvesItsAlert(t *testing.T) {
	w := newWorld(t, rulesFile+pruningOn)
	w.principals[bobARN] = bobID
	w.put(prod, "app", appID, mixed)
	// Nobody has seen the id before, so nobody knows that its owner lives.
	if res := w.settle(w.handle(w.updated("ev1", "app", both))); res.End != ledger.Told || standingOf(res.Report) != finding.Unconfirmed {
		t.Fatalf("ended in %s, %s", res.End, standingOf(res.Report))
	}
	w.put(prod, "app", appID, both)
	if res := w.due(); res.End != ledger.Compliant || len(w.told) != 2 || w.told[1].State != alert.Resolved {
		t.Errorf("ended in %s, told %+v", res.End, w.told)
	}
	if strings.Contains(strings.Join(w.calls, " "), "UpdateAssumeRolePolicy") || strings.Contains(strings.Join(w.calls, " "), "TagRole") {
		t.Errorf("written: %v", w.calls)
	}
}

// An id that was never seen to be anybody's is a class of its own: it is told as
// such, and never taken out.
func TestAnIDThatNobodyKnowsIsNeverPruned(t *testing.T) {
	w := newWorld(t, rulesFile+pruningOn)
	w.put(prod, "app", appID, mixed)
	w.settle(w.handle(w.updated("ev1", "app", mixed)))
	res := w.due()
	if standingOf(res.Report) != finding.Stranger || !strings.Contains(w.told[len(w.told)-1].Text(), "never seen here, so nobody can say who it was") {
		t.Errorf("%s: %s", standingOf(res.Report), w.told[len(w.told)-1].Text())
	}
	if got := w.live(prod, "app").TrustPolicy; got != mixed {
		t.Errorf("written: %s", got)
	}
}

// T51: what has the letters of an id and no prefix that is known is looked up
// like one, and never pruned, since whom it lets in is not settled.
func TestT51AnUnknownFormOfIDIsLookedUp(t *testing.T) {
	const odd = "BXYZBOB11111111111111"
	w := withBob(t, rulesFile+pruningOn)
	if err := w.ledger.Record(t.Context(), []ledger.Identity{{ID: odd, ARN: bobARN, SeenAt: w.now.Add(-time.Hour)}}); err != nil {
		t.Fatal(err)
	}
	delete(w.principals, bobARN)
	w.handle(w.event("DeleteUser", "del", map[string]any{"userName": "bob"}, nil))
	shown := strings.ReplaceAll(mixed, bobID, odd)
	w.put(prod, "app", appID, shown)
	w.settle(w.handle(w.updated("ev1", "app", shown)))
	w.steps = slices.DeleteFunc(w.steps, func(s guard.Step) bool { return s.Step != "confirm" })
	res := w.due()
	if !strings.Contains(w.told[len(w.told)-1].Text(), bobARN) || w.live(prod, "app").TrustPolicy != shown {
		t.Errorf("%s, ended in %s, stands %s", w.told[len(w.told)-1].Text(), res.End, w.live(prod, "app").TrustPolicy)
	}
}

// A vendor publishes an id, and customers write it into their requests: IAM
// shows the vendor's ARN, and nothing is called an orphan.
func TestAVendorsPublishedIDInARequestIsNoOrphan(t *testing.T) {
	w := newWorld(t, rulesFile)
	sent := strings.ReplaceAll(opened, "arn:aws:iam::999999999999:root", "AROAZQ3DNV5IY6EXAMPLE")
	shown := strings.ReplaceAll(opened, "arn:aws:iam::999999999999:root", "arn:aws:iam::999999999999:role/vendor")
	w.put(prod, "app", appID, shown)
	w.now = w.now.Add(2 * time.Hour)
	res := w.settle(w.handle(w.updated("ev1", "app", sent)))
	if slices.Contains(rulesOf(res.Report), "unique-id-principal") || !slices.Contains(rulesOf(res.Report), "external-account") {
		t.Errorf("%v", rulesOf(res.Report))
	}
}

// census lists the principals of one account.
type census struct {
	people map[string]string
	err    error
	asked  int
}

func (c *census) Details(_ context.Context, account, marker string) ([]role.Role, []ledger.Identity, string, error) {
	c.asked++
	if c.err != nil {
		return nil, nil, "", c.err
	}
	if marker == "" {
		return nil, []ledger.Identity{{ID: "AIDASOMEBODY111111111", ARN: "arn:aws:iam::" + account + ":user/somebody"}}, "page2", nil
	}
	var out []ledger.Identity
	for arn, id := range c.people {
		out = append(out, ledger.Identity{ID: id, ARN: arn, SeenAt: time.Date(2026, 3, 1, 10, 0, 0, 0, time.UTC)})
	}
	return nil, out, "", nil
}

// The existence check: without a deletion that was told, an id is an orphan only
// when nobody in its account has it; who was given another name unseen lives,
// and where nobody may look nothing is called an orphan.
func TestAnIDIsNoOrphanWhileItsOwnerMayLive(t *testing.T) {
	renamed := map[string]string{"arn:aws:iam::111122223333:user/robert": bobID}
	for name, row := range map[string]struct {
		census *census
		hidden string
		want   finding.Standing
		text   string
	}{
		"nobody has the id":                {census: &census{}, want: finding.Orphan, text: "nobody saw who deleted it"},
		"renamed, and no event told":       {census: &census{people: renamed}, want: finding.NotAsked},
		"the account may not be looked at": {census: &census{err: fmt.Errorf("listing: %w", role.ErrAccessDenied)}, want: finding.Unproven, text: "nobody could settle whether that one lives"},
		"no census":                        {want: finding.Unproven, text: "nobody could settle whether that one lives"},
		"the name may not be looked at":    {census: &census{}, hidden: bobARN, want: finding.Unproven, text: "nobody could settle whether that one lives"},
	} {
		t.Run(name, func(t *testing.T) {
			w := withBob(t, rulesFile+pruningOn)
			if row.census != nil {
				w.withCensus(row.census)
			}
			w.loseBob()
			w.hidden = row.hidden
			w.settle(w.handle(w.updated("ev1", "app", both)))
			w.told = nil
			res := w.due()
			if got := standingOf(res.Report); got != row.want {
				t.Errorf("%s, want %s: %+v", got, row.want, res.Report)
			}
			if row.text != "" && (len(w.told) == 0 || !strings.Contains(w.told[0].Text(), row.text)) {
				t.Errorf("told %+v", w.told)
			}
			pruned := !strings.Contains(w.live(prod, "app").TrustPolicy, bobID)
			if pruned != (row.want == finding.Orphan) {
				t.Errorf("stands: %s", w.live(prod, "app").TrustPolicy)
			}
		})
	}
}

// T47 as a property: however IAM flips a living principal between its ARN and
// its id, and whatever else comes, it is never taken out, and nothing is written.
func TestT47ALivingPrincipalIsNeverPruned(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		w := withBob(t, rulesFile+pruningOn)
		if rapid.Bool().Draw(rt, "forgotten") {
			w.ledger = &counting{Ledger: ledger.NewMemory()}
			w.remake()
		}
		for i := range rapid.IntRange(1, 8).Draw(rt, "turns") {
			w.put(prod, "app", appID, rapid.SampledFrom([]string{both, mixed}).Draw(rt, "shown"))
			w.now = w.now.Add(time.Duration(rapid.IntRange(1, 1200).Draw(rt, "seconds")) * time.Second)
			switch {
			case len(w.steps) > 0 && rapid.Bool().Draw(rt, "step"):
				w.due()
			default:
				w.handle(w.updated(fmt.Sprint("ev", i), "app", both))
			}
		}
		if strings.Contains(strings.Join(w.calls, " "), "UpdateAssumeRolePolicy") {
			rt.Fatalf("written: %s", w.live(prod, "app").TrustPolicy)
		}
	})
}

// The ledger that cannot say who somebody was is no reason to be silent.
func TestWithoutTheLedgerNoIDIsJudged(t *testing.T) {
	w := withBob(t, rulesFile)
	w.put(prod, "app", appID, mixed)
	w.ledger.identifyErr = errors.New("no table")
	if _, err := w.guard.Handle(t.Context(), w.updated("ev1", "app", mixed)); err == nil {
		t.Error("an unreadable ledger passed for one that knows nobody")
	}
}
