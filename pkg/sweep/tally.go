package sweep

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"slices"
	"strings"

	"github.com/rolewarden/rolewarden/pkg/alert"
	"github.com/rolewarden/rolewarden/pkg/finding"
	"github.com/rolewarden/rolewarden/pkg/guard"
	"github.com/rolewarden/rolewarden/pkg/ledger"
	"github.com/rolewarden/rolewarden/pkg/role"
	"github.com/rolewarden/rolewarden/pkg/rules"
)

// The names of what is counted in an account.
const (
	countRoles        = "roles"
	countNew          = "new"
	countChanged      = "changed"
	countRejudged     = "rejudged"
	countByRules      = "rejudged-by-rules"
	countActing       = "acted-on-by-rules"
	countWaiting      = "waiting-for-rules"
	countResumed      = "found-before-a-restart"
	countGone         = "gone"
	countRetried      = "retried"
	countCleared      = "leftover"
	countNoncompliant = "noncompliant"
	countUndecided    = "undecided"
	countExempted     = "exempted"
	countHandedOver   = "handed-over"
	countTold         = "told"
	countFailed       = "failed"
	countSealed       = "sealed"
	countUnreviewed   = "unreviewed"
	countWorse        = "worse"
	// countRule begins the counts of open findings' rules.
	countRule = "rule/"
)

// The most that is kept of an account for the summary.
const (
	mostFound  = 5
	mostOther  = 5
	mostIDs    = 100
	mostLetter = 300
)

// tally is what is found in one account, as it grows.
type tally struct {
	counts map[string]int
	notes  notes
	// seen are the roles that were counted.
	seen map[uint64]bool
}

// notes are what a summary needs of an account beside the counts.
type notes struct {
	// Seen holds eight bytes for each role that was read: of four, two of an
	// account's thousands would be alike now and then, and one never judged.
	Seen string `json:"marks,omitempty"`
	// Found is the worst of what was new.
	Found []alert.Found `json:"found,omitempty"`
	// Bad counts what was new and bad, whether it is in Found or not.
	Bad int `json:"bad,omitempty"`
	// ByRules are roles that are judged otherwise since the rules changed.
	ByRules []string `json:"byRules,omitempty"`
	// Chains are sentences about good roles that trust bad ones.
	Chains []string `json:"chains,omitempty"`
	// Failed are sentences about roles that could not be handled.
	Failed []string `json:"failed,omitempty"`
	// IDs tell which partners are let in under which external IDs.
	IDs []idNote `json:"ids,omitempty"`
}

// idNote is a partner who is let in under an external ID, of which only a keyed
// hash is kept.
type idNote struct {
	ID      string `json:"id"`
	Partner string `json:"partner"`
	Who     string `json:"who"`
	Role    string `json:"role"`
}

// tallyOf goes on with what was saved. Notes that cannot be read are an error:
// the account is read again from its beginning then.
func tallyOf(a ledger.SweptAccount) (*tally, error) {
	t := &tally{counts: map[string]int{}, seen: map[uint64]bool{}}
	if len(a.Notes) == 0 {
		return t, nil
	}
	if err := json.Unmarshal(a.Notes, &t.notes); err != nil {
		return nil, fmt.Errorf("reading the notes of sweep %s on account %s: %w", a.Sweep, a.Account, err)
	}
	seen, err := unpackSeen(t.notes.Seen)
	if err != nil {
		return nil, fmt.Errorf("reading the notes of sweep %s on account %s: %w", a.Sweep, a.Account, err)
	}
	for _, h := range seen {
		t.seen[h] = true
	}
	for name, n := range a.Counts {
		t.counts[name] = n
	}
	return t, nil
}

// save gives the account as it stands now.
func (t *tally) save(a ledger.SweptAccount) (ledger.SweptAccount, error) {
	var all []uint64
	for h := range t.seen {
		all = append(all, h)
	}
	t.notes.Seen = packSeen(all)
	text, err := json.Marshal(t.notes)
	if err != nil {
		return a, fmt.Errorf("writing the notes of sweep %s on account %s: %w", a.Sweep, a.Account, err)
	}
	a.Notes, a.Counts = text, t.counts
	return a, nil
}

// markOf is what is kept of a role that was seen.
func markOf(roleID string) uint64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte(roleID)) // a hash never refuses
	return h.Sum64()
}

func packSeen(all []uint64) string {
	slices.Sort(all)
	var b []byte
	for _, h := range all {
		b = binary.BigEndian.AppendUint64(b, h)
	}
	return base64.StdEncoding.EncodeToString(b)
}

func unpackSeen(text string) ([]uint64, error) {
	b, err := base64.StdEncoding.DecodeString(text)
	if err != nil || len(b)%8 != 0 {
		return nil, fmt.Errorf("the roles that were seen are no list of marks: %q", text[:min(len(text), 20)])
	}
	var out []uint64
	for ; len(b) > 0; b = b[8:] {
		out = append(out, binary.BigEndian.Uint64(b))
	}
	return out, nil
}

// again says whether a role was counted before in this sweep.
func (t *tally) again(r role.Role) bool { return t.seen[markOf(r.ID)] }

// role counts a role and what it was found to be.
func (t *tally) role(l guard.Look, sweep string) {
	t.seen[markOf(l.Role.ID)] = true
	t.counts[countRoles]++
	switch l.Report.Verdict {
	case finding.Compliant:
	case finding.Noncompliant:
		t.counts[countNoncompliant]++
	case finding.Undecided:
		t.counts[countUndecided]++
	}
	var open []string
	for _, f := range l.Report.Findings {
		switch {
		case f.Exemption != "":
			t.counts[countExempted]++
		case f.Severity > finding.Advice && !slices.Contains(open, f.Rule):
			open = append(open, f.Rule)
			t.counts[countRule+f.Rule]++
		}
	}
	if l.Differs != "" {
		t.counts[countWaiting]++
	}
	t.news(l, sweep)
}

// news counts what is new of a role, and keeps the worst of it.
func (t *tally) news(l guard.Look, sweep string) {
	switch l.News {
	case guard.FirstSeen:
		t.counts[countNew]++
	case guard.Redocumented:
		t.counts[countChanged]++
	case guard.Rejudged:
		t.counts[countRejudged]++
	case guard.RulesChanged:
		t.counts[countByRules]++
		t.notes.ByRules = keep(t.notes.ByRules, fmt.Sprintf("%s: %s, was %s", l.Role.ARN, l.Report.Verdict, l.Recalled.State.Verdict))
	case guard.RulesAct:
		t.counts[countActing]++
	case guard.Leftover:
		t.counts[countCleared]++
	case guard.NoNews:
		if s := l.Recalled.State; s == nil || !guard.SeenBy(s.Event.EventID, sweep) {
			return
		}
		// This sweep found it, and was interrupted before it could say so.
		t.counts[countResumed]++
	}
	if l.Worse() {
		t.counts[countWorse]++
	}
	if l.Report.Verdict != finding.Compliant {
		t.bad(l)
	}
}

// bad keeps the gravest finding of a role, if it is among the gravest.
func (t *tally) bad(l guard.Look) {
	t.notes.Bad++
	f := alert.Finding{
		Rule: "undecided", Severity: finding.High.String(), Where: "the trust policy", Message: "what it allows could not be settled",
		Evidence: alert.Evidence{Kind: finding.Place},
	}
	if told := alert.Told(l.Role, l.Report); len(told) > 0 {
		f = told[0]
	} else if len(l.Report.Reasons) > 0 {
		f.Message = l.Report.Reasons[0]
	}
	f.Message, f.Fix, f.Where = alert.Plain(f.Message, mostLetter), alert.Plain(f.Fix, mostLetter), alert.Plain(f.Where, mostLetter)
	f.Evidence = alert.Evidence{Kind: f.Evidence.Kind, Sentence: alert.Plain(f.Evidence.Sentence, mostLetter)}
	t.notes.Found = worst(append(t.notes.Found, alert.Found{Role: l.Role.ARN, Finding: f}), mostFound)
}

// worst gives the gravest of what was found, in a fixed order.
func worst(all []alert.Found, most int) []alert.Found {
	slices.SortStableFunc(all, func(a, b alert.Found) int {
		if c := gravity(b.Finding.Severity) - gravity(a.Finding.Severity); c != 0 {
			return c
		}
		return strings.Compare(a.Role, b.Role)
	})
	return all[:min(len(all), most)]
}

func gravity(word string) int {
	var s finding.Severity
	if s.UnmarshalText([]byte(word)) != nil {
		return int(finding.Critical) + 1
	}
	return int(s)
}

// keep adds a sentence while there is room.
func keep(list []string, sentence string) []string {
	if len(list) < mostOther {
		list = append(list, alert.Plain(sentence, mostLetter))
	}
	return list
}

// external keeps whom a role lets in under which external IDs. The IDs stay
// where they are: only keyed hashes are kept.
func (t *tally) external(uses []rules.IDUse, r role.Role) {
	for _, u := range uses {
		n := idNote{ID: base64.RawStdEncoding.EncodeToString(u.ID[:12]), Partner: u.Partner, Who: u.Who, Role: r.ARN}
		if len(t.notes.IDs) < mostIDs && !slices.Contains(t.notes.IDs, n) {
			t.notes.IDs = append(t.notes.IDs, n)
		}
	}
}
