package invariant

import (
	"fmt"
	"time"

	"github.com/rolewarden/rolewarden/pkg/decision"
	"github.com/rolewarden/rolewarden/pkg/finding"
	"github.com/rolewarden/rolewarden/pkg/role"
)

// Freshest is how old the reading that a write rests on may be.
const Freshest = 5 * time.Second

// causes is I2.
func causes(x *indexed) []Violation {
	var out []Violation
	each(x, func(i int, e Entry, w Wrote) {
		if e.Run == 0 {
			return
		}
		if why := x.cause(i, e, w); why != "" {
			out = append(out, Violation{Invariant: I2, At: i, Role: w.Role.Ref().String(), Event: x.runs[e.Run].key.String(), Sentence: fmt.Sprintf("%s without cause: %s", w.Call, why)})
		}
	})
	return append(out, leftWords(x)...)
}

// cause says what is missing for a write; empty when nothing is.
func (x *indexed) cause(i int, e Entry, w Wrote) string {
	intent, ok := x.intentOf(e.Run, i, w)
	if !ok {
		return "no intent was recorded before it"
	}
	read, at, ok := last(x, e.Run, i, func(f Read) bool { return sameRole(f.Role.Ref(), w.Role.Ref()) })
	if !ok {
		return "the role was not read"
	}
	if age := e.At.Sub(x.Entries[at].At); age > Freshest {
		return fmt.Sprintf("the role was last read %s before", age)
	}
	if read.Role.ID != intent.Intent.RoleID {
		return fmt.Sprintf("the intent is about RoleId %s and the last reading showed %s", intent.Intent.RoleID, read.Role.ID)
	}
	for k := at + 1; k < i; k++ {
		f, is := x.Entries[k].Fact.(Wrote)
		if !is || f.Call != UpdateTrust || x.Entries[k].Run == 0 || f.Role.ID != w.Role.ID {
			continue
		}
		switch {
		case x.Entries[k].Run != e.Run:
			return fmt.Sprintf("handling %d wrote the role after this one had read it last: nothing kept the two apart", x.Entries[k].Run)
		case w.Call == UpdateTrust && !w.Resent:
			return "the handling has written it since it read it last"
		}
	}
	if u := x.runs[e.Run].undoing; u != nil {
		return x.takenBack(i, w, *u, read.Role)
	}
	if why := x.spoken(i, e, read.Role, intent.Intent.Decision.Action); why != "" {
		return why
	}
	wanted := finding.Noncompliant
	if intent.Intent.Decision.Action == decision.Clear {
		wanted = finding.Compliant
	}
	verdict, known := x.verdict(e.Run, i, read.Role, wanted)
	if !known {
		return ""
	}
	return x.fits(i, e, w, intent, read.Role, verdict)
}

// intentOf gives the intent under which a handling writes. Tags may rest on one
// that another handling of the same event recorded: where that one crashed between
// the trust policy and its tags, the intent that asked for both is in the ledger
// already, and a second one would only hide when the first was.
func (x *indexed) intentOf(run, before int, w Wrote) (Intended, bool) {
	intent, _, ok := last(x, run, before, func(f Intended) bool { return sameRole(f.Intent.Role, w.Role.Ref()) })
	if ok || w.Call != TagRole {
		return intent, ok
	}
	// A look has an event of its own, and the message of the one that it follows.
	took, _, _ := last(x, run, before, func(Took) bool { return true })
	for i := before - 1; i >= 0; i-- {
		f, ok := x.Entries[i].Fact.(Intended)
		if ok && f.Intent.Event == took.Key && sameRole(f.Intent.Role, w.Role.Ref()) {
			return f, !f.Intent.Void
		}
	}
	return Intended{}, false
}

// fits says why a write does not fit the verdict on what was read last.
func (x *indexed) fits(i int, e Entry, w Wrote, intent Intended, read role.Role, v finding.Verdict) string {
	if w.Call == UpdateTrust {
		switch {
		case v != finding.Noncompliant:
			return "what was read last is " + v.String() + ": " + Short(read.TrustPolicy)
		case !x.judge.Same(w.Document, intent.Intent.After) && !x.bothQuarantine(w.Document, intent.Intent.After):
			return "the intent was to write " + Short(intent.Intent.After) + ", and " + Short(w.Document) + " was written"
		}
		return ""
	}
	if _, _, wrote := last(x, e.Run, i, func(f Wrote) bool { return f.Call == UpdateTrust && sameRole(f.Role.Ref(), w.Role.Ref()) }); wrote {
		// Tags that go with a document which this handling wrote.
		return ""
	}
	switch intent.Intent.Decision.Action {
	case decision.Clear:
		if v == finding.Compliant && w.Call == UntagRole {
			return ""
		}
	case decision.Tag:
		if v == finding.Noncompliant {
			return ""
		}
	case decision.Revert, decision.Quarantine, decision.Prune:
		// The document stood already, from an earlier try.
		if x.judge.Same(read.TrustPolicy, intent.Intent.After) || x.bothQuarantine(read.TrustPolicy, intent.Intent.After) {
			return ""
		}
	case decision.Ignore, decision.Tell, decision.Hold:
	}
	return fmt.Sprintf("the intent was to %s, and what was read last is %s", intent.Intent.Decision.Action, v)
}

func (x *indexed) bothQuarantine(a, b string) bool {
	return x.judge.read(a).quarantine && x.judge.read(b).quarantine
}
