package invariant

import (
	"fmt"

	"github.com/rolewarden/rolewarden/pkg/finding"
	"github.com/rolewarden/rolewarden/pkg/ledger"
	"github.com/rolewarden/rolewarden/pkg/role"
)

// verdicts is I8: what was concluded of a document is what the rules say of it
// without tags and without an event. Only doubt may be added to it.
func verdicts(x *indexed) []Violation {
	var out []Violation
	intents := map[ledger.Key]ledger.Intent{}
	for i, e := range x.Entries {
		switch f := e.Fact.(type) {
		case Intended:
			intents[f.Intent.Event] = f.Intent
		case Concluded:
			s := f.Conclusion.State
			if s == nil || s.Verdict == finding.Undecided {
				continue
			}
			r := role.Role{Partition: "aws", Account: s.Account, Name: s.Name, ARN: s.ARN, ID: s.RoleID, TrustPolicy: s.Document}
			if s.Action.Replaces() {
				// The verdict is about the document that was replaced.
				r.TrustPolicy = intents[f.Conclusion.Event].Before
			}
			if v, ok := x.otherwise(e, *s, r); !ok {
				out = append(out, Violation{Invariant: I8, At: i, Role: r.Ref().String(), Event: f.Conclusion.Event.String(), Sentence: fmt.Sprintf("%s was concluded to be %s and is %s without tags and event", Short(r.TrustPolicy), s.Verdict, v)})
			}
		}
	}
	return out
}

// otherwise gives the oracle's verdict; ok when it is the one that was concluded,
// with the members of either end of the handling.
func (x *indexed) otherwise(e Entry, s ledger.RoleState, r role.Role) (v finding.Verdict, ok bool) {
	o, known := x.rules[s.RulesHash]
	h := x.runs[e.Run]
	if !known || h == nil || r.TrustPolicy == "" {
		return s.Verdict, true
	}
	began := e.At
	if h.began >= 0 {
		began = x.Entries[h.began].At
	}
	if v = x.judge.Verdict(o, h.joined, r, began); v == s.Verdict {
		return v, true
	}
	// Whether an account has joined is asked, and may have no answer; so is whether
	// the owner of an id lives.
	for _, document := range []string{r.TrustPolicy, x.named(r.TrustPolicy)} {
		r.TrustPolicy = document
		for _, joined := range [][]string{x.joinedAt(len(x.Entries)), nil} {
			if x.judge.Verdict(o, joined, r, e.At) == s.Verdict {
				return s.Verdict, true
			}
		}
	}
	return v, false
}

// readings is I9: a role becomes compliant by a reading that shows it.
func readings(x *indexed) []Violation {
	var out []Violation
	known := map[string]finding.Verdict{}
	each(x, func(i int, e Entry, f Concluded) {
		s := f.Conclusion.State
		if s == nil {
			return
		}
		k := s.Account + "/" + s.RoleID
		was, ok := known[k]
		known[k] = s.Verdict
		if s.Verdict != finding.Compliant || ok && was != finding.Undecided {
			return
		}
		if _, _, read := last(x, e.Run, i, func(r Read) bool { return r.Role.ID == s.RoleID && x.judge.Same(r.Role.TrustPolicy, s.Document) }); !read {
			out = append(out, Violation{Invariant: I9, At: i, Role: s.Account + "/" + s.Name, Event: f.Conclusion.Event.String(), Sentence: "it was concluded to be compliant with " + Short(s.Document) + ", which the handling had not read"})
		}
	})
	return out
}
