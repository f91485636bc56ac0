package guard

import (
	"fmt"

	"github.com/rolewarden/rolewarden/pkg/alert"
	"github.com/rolewarden/rolewarden/pkg/decision"
	"github.com/rolewarden/rolewarden/pkg/finding"
	"github.com/rolewarden/rolewarden/pkg/ledger"
	"github.com/rolewarden/rolewarden/pkg/remediate"
)

// overtakenWhy is what people are told of a write that its handling could not
// tell of, and that the role does not show any more.
const overtakenWhy = "An earlier handling of this event replaced the trust policy, or may have, and was interrupted before it could say so. Somebody has changed the role since; what it shows now is judged by itself."

// putBackWhy is the same where the role shows what was there before the write.
const putBackWhy = "An earlier handling of this event replaced the trust policy, or may have, and was interrupted before it could say so. The role shows what was there before: the write did not take, or somebody put it back."

// madeAnewWhy is the same where the role was made anew before the write can have
// come to its end: IAM writes to whoever has the name.
const madeAnewWhy = "LOST UPDATE: An earlier handling of this event replaced the trust policy, or may have, and was interrupted before it could say so. The role was deleted and made again meanwhile (its id was %s and is %s), so what was written may have replaced the trust policy that the new role was made with; the event of its making holds that one."

// overtaken gives the intent of an earlier handling of the event that replaced the
// trust policy, or may have, where the role does not show it any more: somebody
// changed it before anyone was told. Nil where there is none, where this handling
// wrote under the same decision, which it tells of, and where nothing came of it.
func (j job) overtaken(v judged, res Result) *ledger.Intent {
	i := j.mayHaveWritten()
	switch {
	case i == nil || res.Outcome.Done.Replaces():
		return nil
	case i.RoleID != v.role.ID && !v.role.Created.After(lastOf(i.Written())):
		return i
	case i.RoleID != v.role.ID || v.digest == i.AfterDigest:
		return nil
	}
	return i
}

// overtook says what became of such a write.
func (v judged) overtook(i ledger.Intent) string {
	why := overtakenWhy
	switch {
	case i.RoleID != v.role.ID:
		return fmt.Sprintf(madeAnewWhy, i.RoleID, v.role.ID)
	case v.digest == i.BeforeDigest:
		why = putBackWhy
	}
	if shut := remediate.DenyAll(v.role.Partition); i.Contains && v.role.Boundary == shut {
		why += " Sessions were shut out too, by the permissions boundary " + shut + " in place of " + orNone(i.Boundary) + ", and only a person lifts that."
	}
	return why
}

// mayHaveWritten gives the intent under which an earlier handling of the event
// replaced the trust policy, or may have; nil where nothing came of any.
func (j job) mayHaveWritten() *ledger.Intent {
	if i := j.taken.Intent; i != nil && !i.Void && i.AfterDigest != "" {
		return i
	}
	return nil
}

// notKnown is what people are told of such a write where nobody can look whether
// it took.
const notKnown = "An earlier handling of this event replaced the trust policy, or may have. Whether the role shows it is not known."

// tellOvertaken makes the alert about such a write where nothing else is told of
// the role, and takes it back at once where the role obeys the rules: what was
// broken is mended, by whomever.
func (g *Guard) tellOvertaken(j job, v judged, i ledger.Intent, open thread) []telling {
	was := g.judgedBefore(j, v.role, i.Before)
	change := toldOf(j.change)
	a := alert.Build(alert.Input{
		Now: g.cfg.Now(), Role: was.role, Change: &change, Report: was.report, OpenID: open.id, Decision: i.Decision,
		Outcome: decision.Outcome{Done: i.Decision.Action, Before: i.Before, After: i.After, Problem: v.overtook(i)},
	})
	all := []telling{{Alert: a, after: open.told, mark: mended}}
	if open.id == "" && v.report.Verdict == finding.Compliant && a.State != alert.Resolved {
		all = append(all, telling{Alert: g.resolution(a, ledger.RoleState{
			Account: v.role.Account, RoleID: v.role.ID, Name: v.role.Name, ARN: v.role.ARN, Document: v.role.TrustPolicy,
		})})
	}
	return all
}
