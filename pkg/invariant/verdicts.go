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
	intents := map[ledger.Key]placedIntent{}
	for i, e := range x.Entries {
		switch f := e.Fact.(type) {
		case Intended:
			since := x.runs[e.Run].began
			if was, known := intents[f.Intent.Event]; known && (!f.Intent.WrittenAt.IsZero() || f.Intent.Contains) {
				// It only says when the write was made that was judged before, or that
				// sessions are shut out after it.
				since = was.at
			}
			intents[f.Intent.Event] = placedIntent{f.Intent, since}
		case Concluded:
			s := f.Conclusion.State
			if s == nil || s.Verdict == finding.Undecided || x.carried(i, e, f.Conclusion) {
				continue
			}
			since := x.runs[e.Run].began
			r := role.Role{Partition: "aws", Account: s.Account, Name: s.Name, ARN: s.ARN, ID: s.RoleID, TrustPolicy: s.Document}
			if s.Action.Replaces() {
				// The verdict is about the document that was replaced.
				r.TrustPolicy, since = intents[f.Conclusion.Event].Before, intents[f.Conclusion.Event].at
			}
			if v, ok := x.otherwise(span{since, i}, *s, r); !ok {
				out = append(out, Violation{Invariant: I8, At: i, Role: r.Ref().String(), Event: f.Conclusion.Event.String(), Sentence: fmt.Sprintf("%s was concluded to be %s and is %s without tags and event", Short(r.TrustPolicy), s.Verdict, v)})
			}
		}
	}
	return out
}

// carried says whether a state is what was remembered before, but for its alert:
// a deletion takes that back and judges nothing.
func (x *indexed) carried(i int, e Entry, c ledger.Conclusion) bool {
	s := c.State
	_, _, read := last(x, e.Run, i, func(r Read) bool { return r.Role.ID == s.RoleID })
	// No judgement ends an event as compliant whose role breaks rules.
	judged := read && (c.End != ledger.Compliant || s.Verdict == finding.Compliant)
	if judged || s.AlertID != "" {
		return false
	}
	for k := i - 1; k >= 0; k-- {
		f, ok := x.Entries[k].Fact.(Concluded)
		if ok && f.Conclusion.State != nil && f.Conclusion.State.RoleID == s.RoleID && f.Conclusion.State.Verdict == s.Verdict && f.Conclusion.State.Document == s.Document {
			return true
		}
	}
	return false
}

// placedIntent is an intent, and where its handling began.
type placedIntent struct {
	ledger.Intent
	at int
}

// span is from one entry to another.
type span struct{ from, to int }

// otherwise gives the oracle's verdict; ok when it is the one that was concluded.
// What is asked while a handling goes on may be answered as of any moment of it:
// whether an account has joined, and whether the owner of an id lives; and IAM may
// show a handling somebody who is gone, which it cannot know. An account is a
// stranger also where Organizations gave no answer: then the finding stands
// and nothing is written on it.
func (x *indexed) otherwise(during span, s ledger.RoleState, r role.Role) (v finding.Verdict, ok bool) {
	o, known := x.rules[s.RulesHash]
	if !known || during.from < 0 || r.TrustPolicy == "" {
		return s.Verdict, true
	}
	run := x.Entries[during.to].Run
	members := [][]string{x.joinedAt(during.from), x.joinedAt(during.to)}
	if _, _, failed := last(x, run, during.to, func(t Troubled) bool { return t.Call == "DescribeAccount" }); failed {
		members = append(members, nil)
	}
	for n, document := range []string{r.TrustPolicy, x.named(r.TrustPolicy, during.from, during.to), x.shown(r.TrustPolicy, run, during.to)} {
		r.TrustPolicy = document
		for _, joined := range members {
			for _, at := range []int{during.from, during.to} {
				is := x.judge.Verdict(o, joined, r, x.Entries[at].At)
				if is == s.Verdict {
					return is, true
				}
				if n == 0 {
					v = is
				}
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
