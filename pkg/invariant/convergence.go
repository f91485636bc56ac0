package invariant

import (
	"fmt"
	"slices"

	"github.com/rolewarden/rolewarden/pkg/finding"
	"github.com/rolewarden/rolewarden/pkg/ledger"
	"github.com/rolewarden/rolewarden/pkg/role"
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
			if e.Run == 0 || f.Call != UpdateTrust || i < x.healed {
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
	return out
}

// unsettled says why a role that nobody disturbs any more has not settled.
func (x *indexed) unsettled(e Entry, s Stands, known *ledger.RoleState) string {
	if s.Unseen == Unseen || s.Rules == nil {
		return ""
	}
	v := x.judge.Verdict(s.Rules, x.joinedAt(len(x.Entries)), s.Role, e.At)
	switch {
	case v == finding.Compliant || x.judge.read(s.Role.TrustPolicy).quarantine:
		return ""
	case known == nil:
		return "it is " + v.String() + ", and nothing is known of it: " + Short(s.Role.TrustPolicy)
	case !x.judge.Same(x.named(known.Document), x.named(s.Role.TrustPolicy)):
		return fmt.Sprintf("it is %s with %s, and what is remembered is %s", v, Short(s.Role.TrustPolicy), Short(known.Document))
	case known.AlertID == "" && known.RulesHash == s.Rules.Hash && !x.summarized(sweepOf(known.Event.EventID)):
		return "it is " + v.String() + ", and nobody was told: " + Short(s.Role.TrustPolicy)
	}
	return ""
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
