package sweep

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/rolewarden/rolewarden/pkg/alert"
	"github.com/rolewarden/rolewarden/pkg/ledger"
	"github.com/rolewarden/rolewarden/pkg/org"
)

// total is what a whole sweep found.
type total struct {
	sweep  ledger.Sweep
	counts map[string]int
	// read is how many accounts were read to their end.
	read  int
	found []alert.Found
	bad   int
	// gaps, failed, chains, byRules and shared are sentences.
	gaps, failed, chains, byRules, shared []string
	list                                  list
	rules                                 *org.Rules
}

// mostWorst is how many findings a summary tells one by one.
const mostWorst = 25

// sum adds up the accounts of a sweep.
func sum(sweep ledger.Sweep, accounts []ledger.SweptAccount, open []string) total {
	t := total{sweep: sweep, counts: map[string]int{}}
	var ids []idNote
	for _, a := range accounts {
		if a.Account == everybody {
			// Nothing more than words is lost where it cannot be read.
			if err := json.Unmarshal(a.Notes, &t.list); err != nil {
				t.gaps = append(t.gaps, "What was noted of the organization cannot be read.")
			}
			continue
		}
		for name, n := range a.Counts {
			t.counts[name] += n
		}
		switch {
		case a.Problem != "":
			t.gaps = append(t.gaps, fmt.Sprintf("Account %s was not read to its end: %s.", a.Account, a.Problem))
		case !a.Ended.IsZero():
			t.read++
		}
		one, err := tallyOf(a)
		if err != nil {
			t.gaps = append(t.gaps, fmt.Sprintf("What was noted of account %s cannot be read.", a.Account))
			continue
		}
		t.found, t.bad = worst(append(t.found, one.notes.Found...), mostWorst), t.bad+one.notes.Bad
		t.chains, t.byRules = append(t.chains, one.notes.Chains...), append(t.byRules, one.notes.ByRules...)
		t.failed, ids = append(t.failed, one.notes.Failed...), append(ids, one.notes.IDs...)
	}
	for _, account := range open {
		t.gaps = append(t.gaps, fmt.Sprintf("Account %s was not read to its end in time.", account))
	}
	t.shared = shared(ids)
	return t
}

// shared says which partners are let in under one external ID, in which roles.
func shared(ids []idNote) []string {
	users := map[string][]idNote{}
	for _, n := range ids {
		users[n.ID] = append(users[n.ID], n)
	}
	var out []string
	for _, id := range slices.Sorted(maps.Keys(users)) {
		var who, partners, where []string
		for _, n := range users[id] {
			if !slices.Contains(partners, n.Partner) {
				partners, who = append(partners, n.Partner), append(who, n.Who)
			}
			if !slices.Contains(where, n.Role) {
				where = append(where, n.Role)
			}
		}
		if len(partners) > 1 {
			out = append(out, fmt.Sprintf("%s give one external ID, so it binds a role to neither: %s.", strings.Join(who, " and "), named25(where)))
		}
	}
	return out
}

// summary makes the alert.
func (t total) summary(now time.Time) alert.Alert {
	s := alert.Summary{Now: now, Sweep: t.sweep.ID, RulesHash: t.sweep.RulesHash, Found: t.found, Omitted: max(0, t.bad-len(t.found))}
	if len(t.sweep.Accounts) == 1 {
		s.Account = t.sweep.Accounts[0]
	}
	s.Told = append([]string{t.headline()}, t.told(now)...)
	s.Unknown = t.unknown()
	return alert.BuildSummary(s)
}

// headline says all in one sentence.
func (t total) headline() string {
	accounts := fmt.Sprintf("%d of %d accounts", t.read, len(t.sweep.Accounts))
	if t.read == len(t.sweep.Accounts) {
		accounts = are(t.read, "account", "accounts")
	}
	news := "nothing is new"
	if n := t.news(); n > 0 {
		news = fmt.Sprintf("%s what no event told, %d of them bad", are(n, "shows", "show"), t.bad)
	}
	return fmt.Sprintf("A sweep read %s in %s: %s.", are(t.counts[countRoles], "role", "roles"), accounts, news)
}

// news is how many roles were news.
func (t total) news() int { return (&tally{counts: t.counts}).total() }

// told says what was counted; what is zero is left out.
func (t total) told(now time.Time) []string {
	c := t.counts
	var out []string
	add := func(n int, one, many string) {
		if n > 0 {
			out = append(out, are(n, one, many)+".")
		}
	}
	add(c[countNew], "role was seen for the first time", "roles were seen for the first time")
	add(c[countChanged], "role had changed without an event", "roles had changed without an event")
	add(c[countGone], "role was gone without an event", "roles were gone without an event")
	add(c[countRejudged], "role is judged otherwise though it did not change: an exemption ended, or somebody whom it names was deleted", "roles are judged otherwise though they did not change: exemptions ended, or somebody whom they name was deleted")
	add(c[countByRules], "role is judged otherwise since the rules changed: "+listed(t.byRules), "roles are judged otherwise since the rules changed, such as "+listed(t.byRules))
	add(c[countWaiting], "role is bad under rules that changed, and is only told of until they act ("+t.acting()+")", "roles are bad under rules that changed, and are only told of until they act ("+t.acting()+")")
	add(c[countActing], "role that was left as it was under other rules is acted on from now on", "roles that were left as they were under other rules are acted on from now on")
	add(c[countWorse], "role was good before and no longer is", "roles were good before and no longer are")
	add(c[countCleared], "role is good again", "roles are good again")
	add(c[countResumed], "role was found before an interruption", "roles were found before an interruption")
	add(c[countNoncompliant], "role breaks the rules in all"+t.byRule(), "roles break the rules in all"+t.byRule())
	add(c[countUndecided], "role is undecided", "roles are undecided")
	add(c[countExempted], "finding is set aside by an exemption", "findings are set aside by exemptions")
	add(ended(t.rules, now), "exemption of the rules file has ended", "exemptions of the rules file have ended")
	add(c[countRetried], "role that was held back is tried once more, since what held it back was put right", "roles that were held back are tried once more, since what held them back was put right")
	add(c[countHandedOver], "role was handed to guard to be written", "roles were handed to guard to be written")
	add(c[countTold], "role was told of by itself", "roles were told of by themselves")
	add(c[countSealed], "document was sealed and may be reverted to from now on", "documents were sealed and may be reverted to from now on")
	add(c[countUnreviewed], "of the documents sealed was made by nobody knows whom, and is reverted to only where the rules file accepts it (baselines.firstSightings)", "of the documents sealed were made by nobody knows whom, and are reverted to only where the rules file accepts them (baselines.firstSightings)")
	for _, list := range [][]string{t.list.sentences(), head(t.shared, mostOther), chained(t.chains)} {
		out = append(out, list...)
	}
	return out
}

// acting says when rules that changed act.
func (t total) acting() string {
	return fmt.Sprintf("%s after they were first seen, or once a person confirms them: rolewarden preview --confirm %s", t.rules.RuleChanges.ObserveFor, t.sweep.RulesHash)
}

// byRule counts the roles by the rules that they break.
func (t total) byRule() string {
	var out []string
	for _, name := range slices.Sorted(maps.Keys(t.counts)) {
		if rule, ok := strings.CutPrefix(name, countRule); ok {
			out = append(out, fmt.Sprintf("%s %d", rule, t.counts[name]))
		}
	}
	if len(out) == 0 {
		return ""
	}
	return " (" + strings.Join(out, ", ") + ")"
}

// unknown says what is not known, in as many sentences as an alert has room for.
func (t total) unknown() []string {
	out := t.gaps
	if len(out) > mostNamed/2 {
		out = append(slices.Clone(out[:mostNamed/2]), fmt.Sprintf("%d more accounts were not read to their end; the log names them.", len(out)-mostNamed/2))
	}
	if t.list.Problem != "" {
		out = append(out, t.list.Problem)
	}
	if n := t.counts[countFailed]; n > 0 {
		out = append(out, fmt.Sprintf("%s: %s.", are(n, "role could not be handled", "roles could not be handled"), listed(t.failed)))
	}
	return out
}

// ended counts the exemptions that have ended.
func ended(r *org.Rules, now time.Time) int {
	if r == nil {
		return 0
	}
	n := len(r.Expired)
	for _, e := range r.Exemptions {
		if !now.Before(e.Expires) {
			n++
		}
	}
	return n
}

func chained(chains []string) []string {
	if len(chains) == 0 {
		return nil
	}
	return []string{fmt.Sprintf("Whoever gets into a bad role gets into good ones that trust it: %s.", listed(chains))}
}

func head(list []string, most int) []string { return list[:min(len(list), most)] }

func listed(list []string) string { return strings.Join(head(list, mostOther), "; ") }

// Outcome is what a sweep found that no single role shows.
type Outcome struct {
	// Chains are ways from a bad role into good ones that trust it.
	Chains []string
	// Shared says which partners are let in under one external ID.
	Shared []string
	// Unknown says what could not be read.
	Unknown []string
}

// Outcome gives what a sweep that has read its accounts found, for people's commands.
func (s *Sweeper) Outcome(ctx context.Context, id string) (Outcome, error) {
	sweep, accounts, ok, err := s.cfg.Ledger.Sweeping(ctx, id)
	if err != nil || !ok {
		return Outcome{}, fmt.Errorf("reading what sweep %s found: it began: %t: %w", id, ok, err)
	}
	t := sum(sweep, accounts, unfinished(sweep, accounts))
	return Outcome{Chains: t.chains, Shared: t.shared, Unknown: t.unknown()}, nil
}
