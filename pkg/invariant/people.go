package invariant

import (
	"fmt"
	"slices"
	"time"

	"github.com/rolewarden/rolewarden/pkg/decision"
	"github.com/rolewarden/rolewarden/pkg/finding"
	"github.com/rolewarden/rolewarden/pkg/guard"
	"github.com/rolewarden/rolewarden/pkg/ledger"
	"github.com/rolewarden/rolewarden/pkg/policy"
	"github.com/rolewarden/rolewarden/pkg/role"
)

// decided gives what a decision was about to write, as it was recorded last
// before an entry.
func (x *indexed) decided(id string, before int) (i ledger.Intent, at int, ok bool) {
	for k := before - 1; k >= 0; k-- {
		if f, is := x.Entries[k].Fact.(Intended); is && f.Intent.Decision.ID == id && !f.Intent.Contains {
			return f.Intent, k, true
		}
	}
	return ledger.Intent{}, -1, false
}

// takenBack says why a write is not what a person asked for who takes a decision
// back: it is of the role that the decision was about, which shows what that wrote.
func (x *indexed) takenBack(i int, w Wrote, u guard.Undoing, read role.Role) string {
	taken, _, ok := x.decided(u.Decision, i)
	switch {
	case w.Call != UpdateTrust:
		return "a person who takes a decision back changes nothing but the trust policy"
	case !ok || taken.After == "":
		return "decision " + u.Decision + " wrote nothing that could be taken back"
	case taken.RoleID != w.Role.ID:
		return "decision " + u.Decision + " was about RoleId " + taken.RoleID + ", and " + w.Role.ID + " was written"
	case !x.judge.Same(read.TrustPolicy, taken.After) && !x.bothQuarantine(read.TrustPolicy, taken.After):
		return "the role did not show what decision " + u.Decision + " wrote, but " + Short(read.TrustPolicy)
	}
	return x.leftOut(i, w, taken)
}

// leftOut says who was taken out of what is put back though everybody could see
// that they are whom they were when the decision was made: nobody else had the name
// before.
func (x *indexed) leftOut(i int, w Wrote, taken ledger.Intent) string {
	before, after := x.judge.read(taken.Before), x.judge.read(w.Document)
	if before.err != nil || after.err != nil || after.quarantine {
		return ""
	}
	_, at, _ := x.decided(taken.Decision.ID, i)
	kept := map[string]bool{}
	for _, s := range after.document.Statements {
		for _, p := range s.Principal.List {
			kept[p.Value] = true
		}
	}
	for _, s := range before.document.Statements {
		for _, p := range s.Principal.List {
			if id := x.owner(p.Value, at); !kept[p.Value] && id != "" && id == x.owner(p.Value, i) && x.bearers(p.Value) == 1 {
				return p.Value + " is left out of it, who is whom they were"
			}
		}
	}
	return ""
}

// bearers counts the ids that an ARN ever stood for.
func (x *indexed) bearers(arn string) int {
	n := 0
	for _, list := range x.spells {
		if slices.ContainsFunc(list, func(s spell) bool { return s.arn == arn }) {
			n++
		}
	}
	return n
}

// othersBack says who comes back by an undoing though the name meant another when
// the decision was made (T48).
func (x *indexed) othersBack(i int, e Entry, w Wrote, u guard.Undoing) string {
	_, at, ok := x.decided(u.Decision, i)
	t := x.judge.read(w.Document)
	if !ok || t.err != nil {
		return "what was written cannot be read, or takes nothing back"
	}
	for _, s := range t.document.Statements {
		for _, p := range s.Principal.List {
			if p.Kind != policy.User && p.Kind != policy.Role || s.Effect != policy.Allow {
				continue
			}
			was, is := x.owner(p.Value, at), x.owner(p.Value, i)
			if look, _, ok := last(x, e.Run, i, func(f Looked) bool { return f.ARN == p.Value }); ok {
				is = look.ID
			}
			unknown := slices.Contains(u.Accept, p.Value) || accepted(x.runs[e.Run], p.Value)
			if is != was && !unknown {
				return "it lets " + p.Value + " in again, who was " + or(was, "nobody") + " when the decision was made and is " + or(is, "nobody") + " now"
			}
		}
	}
	return ""
}

// spoken says that a write replaces or marks a document of which a person said
// that it stays: their word was in the ledger when the write was intended.
func (x *indexed) spoken(i int, e Entry, read role.Role, done decision.Action) string {
	_, at, ok := last(x, e.Run, i, func(f Intended) bool { return sameRole(f.Intent.Role, read.Ref()) })
	if done == decision.Clear || !ok {
		return ""
	}
	w, ok := x.wordAt(at, read.Account, read.ID)
	if !ok || w.Digest != x.judge.read(read.TrustPolicy).digest || !x.Entries[at].At.Before(w.Until) {
		return ""
	}
	return fmt.Sprintf("%s said that this document stays until %s", w.By, w.Until.Format(time.RFC3339))
}

// wordAt is the word on a role that counts at an entry: the last that was given.
func (x *indexed) wordAt(at int, account, roleID string) (w ledger.Word, ok bool) {
	for k := at - 1; k >= 0; k-- {
		if f, is := x.Entries[k].Fact.(Gave); is && f.Word.Account == account && f.Word.RoleID == roleID && (!ok || f.Word.At.After(w.At)) {
			w, ok = f.Word, true
		}
	}
	return w, ok
}

// leftWords are words that stay though the undoing that gave them wrote nothing, and
// ended by itself: they would keep the same document for whoever writes it next. Who
// crashes in between comes back, or is told by the line what stands.
func leftWords(x *indexed) []Violation {
	var out []Violation
	for n := range len(x.runs) + 1 {
		r := x.runs[n]
		if r == nil || r.undoing == nil || r.ended < 0 || r.how == Crashed {
			continue
		}
		_, _, wrote := last(x, n, r.ended, func(w Wrote) bool { return w.Call == UpdateTrust })
		_, _, troubled := last(x, n, r.ended, func(t Troubled) bool { return t.Call == "GiveWord" || t.Call == "UpdateAssumeRolePolicy" })
		i, _, intended := last(x, n, r.ended, func(Intended) bool { return true })
		if wrote || troubled || !intended {
			continue
		}
		if w, ok := x.wordAt(r.ended, i.Intent.Role.Account, i.Intent.RoleID); ok && w.Decision == r.undoing.Decision && w.Until.After(x.Entries[r.ended].At.Add(time.Second)) {
			out = append(out, Violation{Invariant: I2, At: r.ended, Role: i.Intent.Role.String(), Sentence: fmt.Sprintf("nothing was taken back, and the word of %s stays until %s", w.By, w.Until.Format(time.RFC3339))})
		}
	}
	return out
}

// overdue says that a role is held by a word that had ended when the last sweep
// came by: then the rules were to act again.
func (x *indexed) overdue(s Stands, known *ledger.RoleState) string {
	swept := -1
	for i, e := range x.Entries {
		if _, ok := e.Fact.(Ticked); ok {
			swept = i
		}
	}
	if known == nil || swept < 0 || known.Decided != decision.Hold || known.Verdict != finding.Noncompliant {
		return ""
	}
	w, ok := x.wordAt(len(x.Entries), s.Role.Account, s.Role.ID)
	if !ok || w.Digest != known.Digest || !known.UpdatedAt.Before(w.Until) || known.UpdatedAt.Before(w.At) || !w.Until.Before(x.Entries[swept].At) {
		return ""
	}
	return fmt.Sprintf("the word of %s ended %s before the last sweep, and the role is still held by it", w.By, x.Entries[swept].At.Sub(w.Until))
}
