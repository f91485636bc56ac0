package guard_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/rolewarden/rolewarden/pkg/finding"
	"github.com/rolewarden/rolewarden/pkg/ledger"
)

// byName lets in one role of another account by a condition, which IAM binds to no ID.
const byName = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::444455556666:root"},"Action":"sts:AssumeRole","Condition":{"ArnEquals":{"aws:PrincipalArn":"arn:aws:iam::444455556666:role/Deploy"}}}]}`

const dangling = "dangling-principal-condition"

func rulesOf(r finding.Report) []string {
	var out []string
	for _, f := range r.Findings {
		out = append(out, f.Rule)
	}
	return out
}

// T42: the name of a role whose deletion was seen is free for whoever makes it,
// and the role that lets it in is found, though no principal of it was ever
// known; as long as somebody has the name again it is not.
func TestAConditionThatNamesADeletedRoleIsFound(t *testing.T) {
	w := newWorld(t, rulesFile)
	w.put(prod, "app", "AROAAPP1111111111111", byName)
	if res := w.handle(w.updated("ev1", "app", byName)); slices.Contains(rulesOf(res.Report), dangling) {
		t.Fatalf("before the deletion: %v", rulesOf(res.Report))
	}
	gone := w.event("DeleteRole", "ev2", map[string]any{"roleName": "deploy"}, nil)
	w.handle([]byte(strings.ReplaceAll(string(gone), prod, dev)))
	w.principals["arn:aws:iam::444455556666:role/Deploy"] = "AROANEWONE11111111111"
	if res := w.handle(w.updated("ev3", "app", byName)); slices.Contains(rulesOf(res.Report), dangling) {
		t.Errorf("somebody has the name: %v", rulesOf(res.Report))
	}
	delete(w.principals, "arn:aws:iam::444455556666:role/Deploy")
	res := w.handle(w.updated("ev4", "app", byName))
	i := slices.Index(rulesOf(res.Report), dangling)
	if i < 0 || !strings.Contains(res.Report.Findings[i].Message, "deleted by") || res.Report.Verdict != finding.Noncompliant {
		t.Fatalf("after it: %+v", res.Report)
	}
	w.hidden = "arn:aws:iam::444455556666:role/Deploy"
	if res := w.handle(w.updated("ev5", "app", byName)); slices.Contains(rulesOf(res.Report), dangling) {
		t.Errorf("nobody may look who has the name: %v", rulesOf(res.Report))
	}
}

// The ledger is asked once, and only about documents that let somebody in by
// name; that it cannot be asked is an error, and no silence.
func TestOnlyConditionsByNameAskWhoWasDeleted(t *testing.T) {
	w := newWorld(t, rulesFile)
	w.put(prod, "app", "AROAAPP1111111111111", closed)
	w.handle(w.updated("ev1", "app", closed))
	if w.ledger.ends != 0 {
		t.Errorf("asked %d times about a document without such a condition", w.ledger.ends)
	}
	w.put(prod, "app", "AROAAPP1111111111111", byName)
	if w.handle(w.updated("ev2", "app", byName)); w.ledger.ends != 1 {
		t.Errorf("asked %d times", w.ledger.ends)
	}
	w.ledger.endsErr = errors.New("no table")
	if _, err := w.guard.Handle(t.Context(), w.updated("ev3", "app", byName)); err == nil {
		t.Error("an unreadable ledger passed for one that knows of no deletion")
	}
}

// That IAM cannot be asked for a moment is no answer: the event is tried again,
// and neither called compliant nor an alert resolved for it.
func TestAFailedLookAtADeletedNameIsTriedAgain(t *testing.T) {
	w := newWorld(t, rulesFile)
	w.put(prod, "app", "AROAAPP1111111111111", byName)
	gone := w.event("DeleteRole", "ev1", map[string]any{"roleName": "deploy"}, nil)
	w.handle([]byte(strings.ReplaceAll(string(gone), prod, dev)))
	w.principalErr = errors.New("throttled")
	if res, err := w.guard.Handle(t.Context(), w.updated("ev2", "app", byName)); err == nil || res.End == ledger.Compliant {
		t.Errorf("a failed look ended as %v, error %v", res.End, err)
	}
	w.principalErr = nil
	if res := w.handle(w.updated("ev2", "app", byName)); !slices.Contains(rulesOf(res.Report), dangling) {
		t.Errorf("afterwards: %v", rulesOf(res.Report))
	}
}
