package invariant

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/rolewarden/rolewarden/pkg/alert"
	"github.com/rolewarden/rolewarden/pkg/decision"
	"github.com/rolewarden/rolewarden/pkg/finding"
	"github.com/rolewarden/rolewarden/pkg/ledger"
	"github.com/rolewarden/rolewarden/pkg/org"
	"github.com/rolewarden/rolewarden/pkg/role"
	"github.com/rolewarden/rolewarden/pkg/rules"
)

// MostWrites is how many writes a role may take to settle once nobody disturbs it.
const MostWrites = 3

// convergence is I6.
func convergence(x *indexed) []Violation {
	if x.healed < 0 {
		return nil
	}
	var out []Violation
	writes := map[role.Ref]int{}
	states := map[string]*ledger.RoleState{}
	for i, e := range x.Entries {
		switch f := e.Fact.(type) {
		case Wrote:
			k := ledger.FoldRef(f.Role.Ref())
			if e.Run == 0 || f.Call != UpdateTrust || i < x.healed || x.runs[e.Run].undoing != nil {
				continue
			}
			if writes[k]++; writes[k] == MostWrites+1 {
				out = append(out, Violation{Invariant: I6, At: i, Role: k.String(), Sentence: fmt.Sprintf("it was written more than %d times after the last fault and the last foreign write", MostWrites)})
			}
		case Concluded:
			if s := f.Conclusion.State; s != nil {
				k := s.Account + "/" + s.RoleID
				if old := states[k]; old == nil || !old.EventTime.After(s.EventTime) {
					states[k] = s
				}
			}
		case Stands:
			if why := x.unsettled(e, f, states[f.Role.Account+"/"+f.Role.ID]); why != "" && x.over {
				out = append(out, Violation{Invariant: I6, At: i, Role: f.Role.Ref().String(), Sentence: why})
			}
		}
	}
	if x.over {
		out = append(out, x.ghosts()...)
	}
	return out
}

// unsettled says why a role that nobody disturbs any more has not settled.
func (x *indexed) unsettled(e Entry, s Stands, known *ledger.RoleState) string {
	if s.Unseen == Unseen || s.Rules == nil {
		return ""
	}
	if x.good(e, s) || x.judge.read(s.Role.TrustPolicy).quarantine {
		return ""
	}
	end := len(x.Entries)
	v := x.judge.Verdict(s.Rules, x.joinedAt(end), s.Role, e.At)
	switch {
	case known == nil:
		return "it is " + v.String() + ", and nothing is known of it: " + Short(s.Role.TrustPolicy)
	case !x.judge.Same(x.named(known.Document, end, end), x.named(s.Role.TrustPolicy, end, end)):
		return fmt.Sprintf("it is %s with %s, and what is remembered is %s", v, Short(s.Role.TrustPolicy), Short(known.Document))
	case known.AlertID == "" && !x.summarized(sweepOf(known.Event.EventID)):
		return "it is " + v.String() + ", and nobody was told: " + Short(s.Role.TrustPolicy)
	case known.AlertID != "" && !known.Untold && x.lastTold(known.AlertID) == alert.Resolved.String():
		return "it is " + v.String() + ", and people were told last that alert " + known.AlertID + " is resolved"
	}
	if why := x.unfinished(s, known); why != "" {
		return why
	}
	return x.overdue(s, known)
}

// unfinished says that a new role was only tagged, since whoever made it had time
// to finish, and that nobody looked at it when the time was over.
func (x *indexed) unfinished(s Stands, known *ledger.RoleState) string {
	o := x.rules[known.RulesHash]
	if o == nil || o.Quarantine.Grace == 0 || known.Decided != decision.Tag || known.Verdict != finding.Noncompliant {
		return ""
	}
	until := s.Role.Created.Add(o.Quarantine.Grace)
	if !known.UpdatedAt.Before(until) || !enforceable(o, s.Role, known.UpdatedAt) {
		return ""
	}
	for _, e := range x.Entries {
		// Where the role could not be read, people are told of that instead.
		if f, ok := e.Fact.(Concluded); ok && strings.HasSuffix(f.Conclusion.Event.EventID, "#ids."+s.Role.ID) && !e.At.Before(until) {
			return ""
		}
	}
	return fmt.Sprintf("its maker had until %s to finish, and it was looked at last at %s", until, known.UpdatedAt)
}

// enforceable says whether a role breaks a rule in mode enforce by a request that
// can be tried: for what rests on less it is tagged at most.
func enforceable(o *org.Rules, r role.Role, at time.Time) bool {
	in := rules.Input{Role: r, Org: o, Now: at}
	report := rules.JudgeText(in, r.TrustPolicy)
	modes := rules.Modes(in, report)
	return slices.ContainsFunc(report.Open(), func(f finding.Finding) bool {
		return modes[f.Rule] == org.Enforce && (f.Evidence.Kind == finding.Allowed || f.Evidence.Kind == finding.Refused)
	})
}

// good says whether a role obeys the rules at the end.
func (x *indexed) good(e Entry, s Stands) bool {
	return s.Rules != nil && x.judge.Verdict(s.Rules, x.joinedAt(len(x.Entries)), s.Role, e.At) == finding.Compliant
}

func (x *indexed) joinedAt(before int) []string {
	var out []string
	for _, e := range x.Entries[:before] {
		if f, ok := e.Fact.(Joined); ok {
			out = append(out, f.Account)
		}
	}
	slices.Sort(out)
	return out
}

// lastTold is the state of a thread that people were told last; empty for none.
func (x *indexed) lastTold(id string) string {
	state := ""
	each(x, func(_ int, _ Entry, f Told) {
		if f.Alert.ID == id {
			state = f.Alert.State.String()
		}
	})
	return state
}

// replaced says whether an alert tells that a trust policy was replaced.
func replaced(a alert.Alert) bool {
	done, err := decision.ParseAction(a.Outcome.Done)
	return err == nil && done.Replaces()
}

// ghosts are alerts about roles that people were told of last as open, while the
// role obeys the rules or is gone: whoever looks for what is wrong finds nothing.
func (x *indexed) ghosts() []Violation {
	threads := map[string]bool{}
	roles := map[string]bool{}
	each(x, func(_ int, _ Entry, f Concluded) {
		if s := f.Conclusion.State; s != nil && s.AlertID != "" {
			threads[s.AlertID] = true
		}
	})
	each(x, func(_ int, _ Entry, f Told) {
		if f.Alert.Verdict == finding.Undecided.String() {
			// That something may have been written to a role that nobody can read is
			// told once, and people look.
			return
		}
		if replaced(f.Alert) {
			threads[f.Alert.ID] = true
		}
	})
	each(x, func(_ int, e Entry, f Stands) {
		roles[f.Role.ID] = x.good(e, f) && !x.judge.read(f.Role.TrustPolicy).quarantine
	})
	open, order := map[string]int{}, []string{}
	each(x, func(i int, _ Entry, f Told) {
		a := f.Alert
		if a.Role.ID == "" || a.LostUpdate != nil || !threads[a.ID] {
			return
		}
		if _, known := open[a.ID]; !known {
			order = append(order, a.ID)
		}
		if open[a.ID] = i; a.State == alert.Resolved {
			open[a.ID] = -1
		}
	})
	var out []Violation
	for _, id := range order {
		i := open[id]
		if i < 0 {
			continue
		}
		a := x.Entries[i].Fact.(Told).Alert
		switch good, lives := roles[a.Role.ID]; {
		case !lives && !x.unnoticed(a.Role.ID):
			out = append(out, Violation{Invariant: I6, At: i, Role: nameOf(a.Role.ARN), Sentence: "alert " + id + " stays open, and the role is gone"})
		case good:
			out = append(out, Violation{Invariant: I6, At: i, Role: nameOf(a.Role.ARN), Sentence: "alert " + id + " stays open, and the role obeys the rules"})
		}
	}
	return out
}

// unnoticed says whether nobody could know that a role is gone: the event of its
// deletion was lost, and no sweep had come by it before, which would miss it now.
// To find it all the same the sweep would have to read all that is remembered.
func (x *indexed) unnoticed(roleID string) bool {
	event, lost, listed := "", false, false
	for _, e := range x.Entries {
		switch f := e.Fact.(type) {
		case Wrote:
			if f.Call == DeleteRole && f.Role.ID == roleID {
				event = f.Event
			}
		case Lost:
			lost = lost || f.Key.EventID == event && event != ""
		case Listed:
			// Who handles an event looks through an account too, and remembers nothing of it.
			r := x.runs[e.Run]
			listed = listed || r != nil && r.key == (ledger.Key{}) && r.how == Done && slices.Contains(f.RoleIDs, roleID)
		}
	}
	return lost && !listed
}
