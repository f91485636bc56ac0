package invariant

import (
	"slices"
	"strings"

	"github.com/rolewarden/rolewarden/pkg/finding"
	"github.com/rolewarden/rolewarden/pkg/guard"
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
	// spells are the times in which unique ids stood for ARNs.
	spells map[string][]spell
}

// spell is a time in which a unique id stood for an ARN, by the numbers of the
// entries that began and ended it; to is -1 where nothing did.
type spell struct {
	arn      string
	from, to int
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
	// undoing is what a person asked for; nil in handlings of nobody's.
	undoing *guard.Undoing
}

func index(h *History) *indexed {
	x := &indexed{History: h, judge: h.Judge, runs: map[int]*handling{}, healed: -1, bases: map[string][]placed{}, rules: map[string]*org.Rules{}, summaries: map[string]bool{}, spells: map[string][]spell{}}
	if x.judge == nil {
		x.judge = NewJudge()
	}
	var current *org.Rules
	var joined []string
	owners := map[string]string{}
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
			x.own(i, owners, f)
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
		switch f := e.Fact.(type) {
		case Ended:
			r.how, r.ended = f.How, i
		case Asked:
			r.undoing = &f.Undoing
		}
	}
	return x
}

// own notes that an ARN stands for another id, or for nobody, from an entry on.
func (x *indexed) own(i int, owners map[string]string, p Principal) {
	was := owners[p.ARN]
	if was == p.ID {
		return
	}
	if list := x.spells[was]; was != "" {
		list[len(list)-1].to = i
	}
	if owners[p.ARN] = p.ID; p.ID != "" {
		x.spells[p.ID] = append(x.spells[p.ID], spell{arn: p.ARN, from: i, to: -1})
	}
}

// owner gives the id that an ARN stood for at an entry; empty for nobody.
func (x *indexed) owner(arn string, at int) string {
	for id, list := range x.spells {
		for _, s := range list {
			if s.arn == arn && s.from <= at && (s.to < 0 || s.to > at) {
				return id
			}
		}
	}
	return ""
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

// verdict is the oracle's verdict on a role in a handling at an entry: the wanted
// one, if it may be called that. known is false where no rules are.
func (x *indexed) verdict(run, i int, r role.Role, wanted finding.Verdict) (v finding.Verdict, known bool) {
	h := x.runs[run]
	if h == nil || h.rules == nil {
		return finding.Undecided, false
	}
	at := x.Entries[i].At
	v = x.judge.Verdict(h.rules, h.joined, r, at)
	if named := x.named(r.TrustPolicy, h.began, i); v != wanted && named != r.TrustPolicy {
		r.TrustPolicy = named
		if x.judge.Verdict(h.rules, h.joined, r, at) == wanted {
			v = wanted
		}
	}
	return v, true
}

// named is a document with ARNs in the place of the unique ids whose owners lived
// between two entries: whoever knows that they live judges it so, since IAM shows
// a living principal by its id for a while (T47), and an id would hide from the
// rules whom it lets in.
func (x *indexed) named(document string, from, to int) string {
	if !strings.Contains(document, `"AIDA`) && !strings.Contains(document, `"AROA`) {
		return document
	}
	for id, list := range x.spells {
		if !strings.Contains(document, id) {
			continue
		}
		for _, s := range slices.Backward(list) {
			if s.from <= to && (s.to < 0 || s.to >= from) {
				document = strings.ReplaceAll(document, `"`+id+`"`, `"`+s.arn+`"`)
			}
		}
	}
	return document
}

// shown is a document with ARNs in the place of the unique ids that a handling was
// shown for them, as far as an entry.
func (x *indexed) shown(document string, run, until int) string {
	h := x.runs[run]
	if h == nil {
		return document
	}
	for _, i := range h.entries {
		if f, ok := x.Entries[i].Fact.(Looked); ok && i <= until && f.ID != "" {
			document = strings.ReplaceAll(document, `"`+f.ID+`"`, `"`+f.ARN+`"`)
		}
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

// lookedAfter is what a look follows: its id without its own suffix.
func lookedAfter(eventID string) string {
	return eventID[:max(strings.LastIndexByte(eventID, '#'), 0)]
}
