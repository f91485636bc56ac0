package invariant

import (
	"slices"

	"github.com/rolewarden/rolewarden/pkg/decision"
	"github.com/rolewarden/rolewarden/pkg/finding"
	"github.com/rolewarden/rolewarden/pkg/policy"
	"github.com/rolewarden/rolewarden/pkg/role"
)

// reverts is I3, for documents that let somebody in.
func reverts(x *indexed) []Violation {
	var out []Violation
	ids := map[string]string{}
	for i, e := range x.Entries {
		switch f := e.Fact.(type) {
		case Principal:
			ids[f.ARN] = f.ID
		case Wrote:
			if e.Run == 0 || f.Call != UpdateTrust || x.judge.read(f.Document).quarantine {
				continue
			}
			if why := x.wrongRevert(i, e, f, ids); why != "" {
				out = append(out, Violation{Invariant: I3, At: i, Role: f.Role.Ref().String(), Event: x.runs[e.Run].key.String(), Sentence: why})
			}
		}
	}
	return out
}

func (x *indexed) wrongRevert(i int, e Entry, w Wrote, ids map[string]string) string {
	after := w.Role
	after.TrustPolicy = w.Document
	intent, _, ok := last(x, e.Run, i, func(f Intended) bool { return sameRole(f.Intent.Role, w.Role.Ref()) })
	if u := x.runs[e.Run].undoing; u != nil {
		return x.othersBack(i, e, w, *u)
	}
	if !ok || intent.Intent.Decision.Action == decision.Prune {
		// What is pruned stays what it was but for who is gone (I4).
		return ""
	}
	if v, known := x.verdict(e.Run, i, after, finding.Compliant); known && v != finding.Compliant {
		return "what was written is " + v.String() + " under the rules of the handling: " + Short(w.Document)
	}
	bases := x.basesOf(i, w.Role.Account, intent.Intent.RoleID)
	if len(bases) == 0 {
		return "no baseline of RoleId " + intent.Intent.RoleID + " was known"
	}
	why := ""
	for _, b := range bases {
		if why = x.strangers(e.Run, i, w.Document, b, ids); why == "" {
			return ""
		}
	}
	return why
}

// basesOf are the baselines of a RoleId that were made before an entry, newest first.
func (x *indexed) basesOf(before int, account, roleID string) []role.Baseline {
	var out []role.Baseline
	for _, p := range slices.Backward(x.bases[account+"/"+roleID]) {
		if p.at < before {
			out = append(out, p.baseline)
		}
	}
	return out
}

// strangers says which principal of a written document is not the one that a
// baseline recorded. Between the handling's look and its write nobody can stop
// somebody else from taking a name, so its own look counts where it had one.
func (x *indexed) strangers(run, before int, document string, b role.Baseline, ids map[string]string) string {
	t := x.judge.read(document)
	if t.err != nil {
		return "what was written cannot be read: " + t.err.Error()
	}
	r := x.runs[run]
	for _, s := range t.document.Statements {
		for _, p := range s.Principal.List {
			if p.Kind != policy.User && p.Kind != policy.Role || accepted(r, p.Value) {
				continue
			}
			was, known := b.Principals[p.Value]
			if !known {
				return "it names " + p.Value + ", of whom no baseline records whom that stood for"
			}
			is := ids[p.Value]
			if look, _, ok := last(x, run, before, func(f Looked) bool { return f.ARN == p.Value }); ok {
				is = look.ID
			}
			if is != was {
				return "it names " + p.Value + ", who was " + was + " in the baseline and is " + or(is, "nobody") + " now"
			}
		}
	}
	return ""
}

func accepted(r *handling, arn string) bool {
	if r == nil || r.rules == nil {
		return false
	}
	for _, p := range r.rules.Partners {
		for _, a := range p.AcceptedPrincipals {
			if a == arn {
				return true
			}
		}
	}
	return false
}

func or(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}

// widening is I4. A revert is measured against the newest baseline, a person's
// undoing against what the decision replaced, and every other write against the
// document before it.
func widening(x *indexed) []Violation {
	var out []Violation
	each(x, func(i int, e Entry, w Wrote) {
		if e.Run == 0 || w.Call != UpdateTrust {
			return
		}
		if why := x.wider(i, e, w); why != "" {
			out = append(out, Violation{Invariant: I4, At: i, Role: w.Role.Ref().String(), Event: x.runs[e.Run].key.String(), Sentence: why})
		}
	})
	return out
}

// wider says whom a write lets in who was not to be.
func (x *indexed) wider(i int, e Entry, w Wrote) string {
	intent, _, _ := last(x, e.Run, i, func(f Intended) bool { return sameRole(f.Intent.Role, w.Role.Ref()) })
	u := x.runs[e.Run].undoing
	why := ""
	switch {
	case u != nil:
		taken, _, _ := x.decided(u.Decision, i)
		if why = x.judge.wider(w.Role.Account, taken.Before, w.Document); why != "" {
			return "it lets in whom what the decision replaced did not: " + why
		}
	case intent.Intent.Decision.Action == decision.Revert && !x.judge.read(w.Document).quarantine:
		// One may be sealed between the handling's look at them and its write.
		for _, before := range []int{x.runs[e.Run].began, i} {
			b, ok := newest(x.basesOf(before, w.Role.Account, intent.Intent.RoleID))
			if why = "there was none"; ok {
				why = x.judge.wider(w.Role.Account, b.Document, w.Document)
			}
			if why == "" {
				return ""
			}
		}
		return "it lets in whom the newest baseline did not: " + why
	default:
		if why = x.judge.wider(w.Role.Account, w.Role.TrustPolicy, w.Document); why == "" {
			return ""
		}
		// What somebody else wrote since the last reading is a lost update and no
		// widening: IAM compares nothing before it writes, so the handling could not
		// know. That it is told is looked at by itself (LostUpdates).
		read, _, ok := last(x, e.Run, i, func(f Read) bool { return f.Role.ID == w.Role.ID })
		if !ok || x.judge.wider(w.Role.Account, read.Role.TrustPolicy, w.Document) != "" {
			return "it lets in whom the document before did not: " + why
		}
	}
	return ""
}

// newest gives the baseline that was sealed last.
func newest(list []role.Baseline) (b role.Baseline, ok bool) {
	for i, one := range list {
		if i == 0 || one.Sealed.After(b.Sealed) {
			b, ok = one, true
		}
	}
	return b, ok
}

// protected is I5.
func protected(x *indexed) []Violation {
	var out []Violation
	each(x, func(i int, e Entry, w Wrote) {
		if e.Run == 0 {
			return
		}
		var more []string
		if r := x.runs[e.Run]; r.rules != nil {
			more = r.rules.Protected
		}
		if why, is := role.Protected(w.Role, more); is {
			out = append(out, Violation{Invariant: I5, At: i, Role: w.Role.Ref().String(), Event: x.runs[e.Run].key.String(), Sentence: "it was written, and " + why})
		}
	})
	return out
}
