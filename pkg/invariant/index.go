package invariant

import (
	"slices"
	"strings"
	"time"

	"github.com/rolewarden/rolewarden/pkg/finding"
	"github.com/rolewarden/rolewarden/pkg/ledger"
	"github.com/rolewarden/rolewarden/pkg/org"
	"github.com/rolewarden/rolewarden/pkg/role"
)

// indexed is a history with its handlings.
type indexed struct {
	*History
	judge *Judge
	runs  map[int]*handling
	// healed is the number of the entry Healed, or -1.
	healed int
	over   bool
	// bases are the baselines by account and RoleId, rules the rules files by hash.
	bases map[string][]placed
	rules map[string]*org.Rules
	// summaries are the sweeps of which it is known whether people were told.
	summaries map[string]bool
	// names are the ARNs that unique ids stood for last.
	names map[string]string
}

// placed is a baseline and the entry that tells of it.
type placed struct {
	at       int
	baseline role.Baseline
}

// handling is one handling.
type handling struct {
	key     ledger.Key
	began   int
	entries []int
	rules   *org.Rules
	joined  []string
	how     Ending
	ended   int
}

func index(h *History) *indexed {
	x := &indexed{History: h, judge: h.Judge, runs: map[int]*handling{}, healed: -1, bases: map[string][]placed{}, rules: map[string]*org.Rules{}, summaries: map[string]bool{}, names: map[string]string{}}
	if x.judge == nil {
		x.judge = NewJudge()
	}
	var current *org.Rules
	var joined []string
	for i, e := range h.Entries {
		switch f := e.Fact.(type) {
		case Ruled:
			current = f.Rules
			x.rules[f.Rules.Hash] = f.Rules
		case Joined:
			joined = append(slices.Clone(joined), f.Account)
			slices.Sort(joined)
		case Baselined:
			k := f.Baseline.Account + "/" + f.Baseline.RoleID
			x.bases[k] = append(x.bases[k], placed{i, f.Baseline})
		case Principal:
			if f.ID != "" {
				x.names[f.ID] = f.ARN
			}
		case Healed:
			x.healed = i
		case Over:
			x.over = true
		case Began:
			x.runs[e.Run] = &handling{key: f.Key, began: i, rules: current, joined: joined, ended: -1}
		}
		if e.Run == 0 {
			continue
		}
		r := x.run(e.Run, current, joined)
		r.entries = append(r.entries, i)
		if f, ok := e.Fact.(Ended); ok {
			r.how, r.ended = f.How, i
		}
	}
	return x
}

// run gives a handling, also one whose beginning was not recorded.
func (x *indexed) run(n int, current *org.Rules, joined []string) *handling {
	r, ok := x.runs[n]
	if !ok {
		r = &handling{began: -1, rules: current, joined: joined, ended: -1}
		x.runs[n] = r
	}
	return r
}

// each calls f for every entry that says a T.
func each[T Fact](x *indexed, f func(i int, e Entry, fact T)) {
	for i, e := range x.Entries {
		if fact, ok := e.Fact.(T); ok {
			f(i, e, fact)
		}
	}
}

// last gives the last T that a handling recorded before an entry and that fits.
func last[T Fact](x *indexed, run, before int, fits func(T) bool) (fact T, at int, ok bool) {
	r := x.runs[run]
	if r == nil {
		return fact, -1, false
	}
	for n := len(r.entries) - 1; n >= 0; n-- {
		i := r.entries[n]
		if i >= before {
			continue
		}
		if f, is := x.Entries[i].Fact.(T); is && fits(f) {
			return f, i, true
		}
	}
	return fact, -1, false
}

// verdict is the oracle's verdict on a role in a handling: the wanted one, if it
// may be called that. known is false where no rules are.
func (x *indexed) verdict(run int, r role.Role, at time.Time, wanted finding.Verdict) (v finding.Verdict, known bool) {
	h := x.runs[run]
	if h == nil || h.rules == nil {
		return finding.Undecided, false
	}
	v = x.judge.Verdict(h.rules, h.joined, r, at)
	if named := x.named(r.TrustPolicy); v != wanted && named != r.TrustPolicy {
		r.TrustPolicy = named
		if x.judge.Verdict(h.rules, h.joined, r, at) == wanted {
			v = wanted
		}
	}
	return v, true
}

// named is a document with ARNs in the place of unique ids: whoever knows that
// their owners live judges it so.
func (x *indexed) named(document string) string {
	if !strings.Contains(document, `"AIDA`) && !strings.Contains(document, `"AROA`) {
		return document
	}
	for id, arn := range x.names {
		document = strings.ReplaceAll(document, `"`+id+`"`, `"`+arn+`"`)
	}
	return document
}

func sameRole(a, b role.Ref) bool {
	return a.Account == b.Account && strings.EqualFold(a.Name, b.Name)
}

// told is an event as people know it: looks that follow an event bear its id
// with a suffix.
func told(eventID string) string {
	id, _, _ := strings.Cut(eventID, "#")
	return id
}
