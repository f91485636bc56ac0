package alert

import (
	"fmt"
	"strings"
	"time"

	"github.com/rolewarden/rolewarden/pkg/finding"
	"github.com/rolewarden/rolewarden/pkg/role"
)

// maxText is the most characters of an e-mail's text; what is missing then is
// in the JSON.
const maxText = 30_000

// maxTold is how many findings the text tells one by one.
const maxTold = 10

// Text gives the alert as people read it in an e-mail: what changed, what that
// newly lets in, who did it and with what, what was done, how to undo it and
// how to mend the policy.
func (a Alert) Text() string {
	var w writer
	w.line(a.Headline())
	w.line("")
	w.field("Role", a.Role.ARN)
	w.field("Account", a.Account)
	w.field("Verdict", a.Verdict)
	w.field("State", a.State.String())
	w.who(a.Change)
	w.done(a)
	w.findings(a)
	w.block("Reasons", a.Reasons)
	w.diff(a.Change)
	w.lostUpdate(a)
	w.block("How to mend", strings.Split(a.Mend, "\n"))
	w.block("How to undo", strings.Split(a.Undo, "\n"))
	w.line("")
	w.line(fmt.Sprintf("Alert %s, decision %s, %s. Values of external ids are never shown.", Plain(a.ID, 64), orUnknown(Plain(a.Decision.ID, 64)), a.Time.UTC().Format(time.RFC3339)))
	return limitedLines(w.b.String(), maxText)
}

// Headline is one sentence: what is wrong with which role, and what was done.
func (a Alert) Headline() string {
	name := a.RoleName()
	if said := a.notice(); said != "" {
		return said
	}
	if a.State == Resolved {
		return fmt.Sprintf("Resolved: nothing about the trust policy of %s is open any more.", name)
	}
	if a.lost() {
		return fmt.Sprintf("LOST UPDATE: rolewarden may have overwritten somebody else's change of the trust policy of %s.", name)
	}
	if what := a.gone(); what != "" {
		return fmt.Sprintf("A user or role that %s was %s.", a.trusting(name), what)
	}
	switch a.Outcome.Done {
	case "Revert":
		return fmt.Sprintf("The trust policy of %s broke the rules and was reverted%s.", name, a.unsure())
	case "Quarantine":
		return fmt.Sprintf("The new role %s broke the rules and was quarantined%s.", name, a.unsure())
	case "Prune":
		return fmt.Sprintf("Users and roles that are gone were taken out of the trust policy of %s%s.", name, a.unsure())
	case "Tag":
		return fmt.Sprintf("The trust policy of %s breaks the rules. The role was tagged; its policy still stands.", name)
	}
	if a.blind() {
		where := "several accounts"
		if role.ValidAccount(a.Account) {
			where = "account " + a.Account
		}
		return fmt.Sprintf("Changes of roles in %s may go unseen: rolewarden is kept from its work there.", where)
	}
	if a.Verdict == "Undecided" {
		return fmt.Sprintf("What the trust policy of %s allows is not settled. Nothing was written; a person has to look.", name)
	}
	if a.mayPass() {
		return fmt.Sprintf("IAM shows somebody in the trust policy of %s by an ID. That may pass, so the role is looked at again.", name)
	}
	headline := fmt.Sprintf("The trust policy of %s breaks the rules. Nothing was written.", name)
	if why := a.why(); a.held() && why != "" {
		headline = fmt.Sprintf("The trust policy of %s breaks the rules and stands as it is: nothing was written. Why: %s", name, Plain(why, maxWhy))
	}
	return headline
}

// maxWhy is the most characters of a reason in a headline.
const maxWhy = 300

// held says whether something stayed rolewarden's hand.
func (a Alert) held() bool { return a.Decision.Action == "Hold" }

// why is what stayed it.
func (a Alert) why() string {
	if a.Outcome.Problem != "" || len(a.Decision.Reasons) == 0 {
		return a.Outcome.Problem
	}
	return a.Decision.Reasons[0]
}

// blind says whether the alert is about what rolewarden cannot see, and not
// about any change that it saw.
func (a Alert) blind() bool {
	return a.Verdict == finding.Undecided.String() && a.Change == nil && a.Notice == ""
}

// unsure qualifies what was done when no later read showed it.
func (a Alert) unsure() string {
	if a.Outcome.Verified {
		return ""
	}
	return ", but the role does not show it: look at it now"
}

// RoleName is the role's name with its path, or the best there is.
func (a Alert) RoleName() string {
	arn := Plain(a.Role.ARN, 600)
	if _, rest, ok := strings.Cut(arn, ":role/"); ok {
		return rest
	}
	if arn == "" {
		return "an unknown role"
	}
	return arn
}

// writer writes the lines of a text. Every value goes through Plain, so that
// none can make a line of its own.
type writer struct{ b strings.Builder }

func (w *writer) line(s string) { w.b.WriteString(s + "\n") }

func (w *writer) field(name, value string) {
	if value = Plain(value, maxName); value != "" {
		w.line(fmt.Sprintf("%-9s %s", name+":", value))
	}
}

func (w *writer) block(name string, lines []string) {
	var some []string
	for _, l := range lines {
		if l = Plain(l, maxSentence); l != "" {
			some = append(some, l)
		}
	}
	if len(some) == 0 {
		return
	}
	w.line("")
	w.line(name)
	for _, l := range some {
		w.line("  " + l)
	}
}

func (w *writer) who(c *Change) {
	if c == nil {
		return
	}
	w.line("")
	w.line("Who changed it")
	w.field("  By", c.Actor)
	w.field("  From", c.SourceIP)
	w.field("  With", c.Tool)
	w.field("  Event", c.Event+" "+c.EventID)
	if c.NewlyAllowed != "" {
		w.block("What that newly allows", []string{c.NewlyAllowed})
	}
}

func (w *writer) done(a Alert) {
	told := a.Outcome.Done
	switch {
	case a.held():
		told = "Nothing was written. Something was due, and something stayed rolewarden's hand:"
	case told == "Ignore" || told == "":
		told = "Nothing was written."
	case a.Outcome.Verified:
		told += ", and a later read showed it."
	default:
		told += ", and no later read has shown it yet."
	}
	lines := []string{told}
	if a.Outcome.Problem != "" {
		lines = append(lines, "Problem: "+a.Outcome.Problem)
	}
	if s := a.Outcome.Contained.sentence(); s != "" {
		lines = append(lines, s)
	}
	left := "Left out of the restored policy, since it no longer is whom it was: "
	if a.Outcome.Done == "Prune" {
		left = "Taken out of the trust policy, since its owner is gone: "
	}
	for _, d := range a.Outcome.Dropped {
		lines = append(lines, left+d)
	}
	title := "What was done"
	if a.Notice != "" {
		title, lines = "What there is to know", nil
	}
	w.block(title, append(lines, a.Decision.Reasons...))
}

func (w *writer) findings(a Alert) {
	if len(a.Findings) == 0 && a.Omitted == 0 {
		return
	}
	w.line("")
	w.line("Findings")
	for i, f := range a.Findings {
		if i == maxTold {
			w.line(fmt.Sprintf("  %d more findings are not told here; see the alert's JSON.", len(a.Findings)-i+a.Omitted))
			return
		}
		head := fmt.Sprintf("  [%s] %s", Plain(f.Severity, 20), Plain(f.Rule, 64))
		if f.Where != "" {
			head += " at " + Plain(f.Where, 300)
		}
		if f.Exemption != "" {
			head += " (exempted: " + Plain(f.Exemption, 100) + ")"
		}
		w.line(head)
		for _, s := range []string{f.Message, f.Evidence.Sentence} {
			if s = Plain(s, maxSentence); s != "" {
				w.line("    " + s)
			}
		}
	}
	if a.Omitted > 0 {
		w.line(fmt.Sprintf("  %d more findings had no room in this message.", a.Omitted))
	}
}

func (w *writer) diff(c *Change) {
	if c == nil || c.Diff == "" {
		return
	}
	w.line("")
	w.line("What changed (external ids are masked)")
	for _, l := range strings.Split(strings.TrimSuffix(PlainLines(c.Diff, maxDiff), "\n"), "\n") {
		w.line("  " + strings.TrimRight(l, " "))
	}
}
