package alert

import (
	"fmt"
	"time"

	"github.com/rolewarden/rolewarden/pkg/decision"
	"github.com/rolewarden/rolewarden/pkg/finding"
	"github.com/rolewarden/rolewarden/pkg/role"
)

// Notice says what an alert is about that is about no change of a role. It is
// empty for all others.
type Notice string

// The notices.
const (
	// NoticeSweep: a sweep has ended.
	NoticeSweep Notice = "sweep"
	// NoticeExemption: an exemption ends soon, or has ended.
	NoticeExemption Notice = "exemption"
)

// Summary is what is known when a sweep ends.
type Summary struct {
	Now time.Time
	// Sweep names it.
	Sweep string
	// Account is the only one that was swept; empty where there were several.
	Account string
	// Told are sentences, the first of which says all in one.
	Told []string
	// Unknown says what could not be read or settled; with any, nobody may call
	// the organization fine.
	Unknown []string
	// Found is what was new, the worst first, and Omitted counts what is not in it.
	Found   []Found
	Omitted int
	// RulesHash is the hash of the rules file.
	RulesHash string
}

// Found is a finding on a role that a sweep saw. Its words are clean, as those of
// Told are.
type Found struct {
	Role    string
	Finding Finding
}

// Told gives the open findings of a role in the words of alerts, with nothing
// secret in them.
func Told(r role.Role, report finding.Report) []Finding {
	var out []Finding
	for _, f := range Build(Input{Role: r, Report: report}).Findings {
		if f.Exemption == "" {
			out = append(out, f)
		}
	}
	return out
}

// BuildSummary makes the one alert about a whole sweep. It is as severe as the
// worst that was new.
func BuildSummary(s Summary) Alert {
	var c cleaner
	a := Alert{
		Version: Version, Notice: NoticeSweep, State: Opened, Time: s.Now.UTC().Truncate(time.Millisecond), Account: c.name(s.Account),
		Verdict: finding.Compliant.String(), Findings: []Finding{}, Omitted: s.Omitted, Reasons: c.lines(s.Unknown),
		Decision: Decision{ID: decision.ID(s.Account, "sweep/"+s.Sweep, ""), Action: decision.Tell.String(), Reasons: c.lines(s.Told)},
		Outcome:  Outcome{Done: decision.Ignore.String()},
		Undo:     "A sweep writes no role; there is nothing to undo. What it handed on to be acted on is told by itself once a trust policy is written.",
		Mend:     "Mend each role as its finding says, the worst first. Look into why no event told of it: `rolewarden doctor` looks at every part of the way.",
	}
	for _, f := range s.Found {
		one := f.Finding
		one.Message = c.line("Role " + f.Role + ": " + one.Message)
		one.Evidence.Request = nil
		a.Findings = append(a.Findings, one)
		a.Verdict = finding.Noncompliant.String()
	}
	if len(s.Unknown) > 0 {
		a.Verdict = finding.Undecided.String()
	}
	a.Fingerprint = fingerprint(a, []finding.Finding{{Rule: string(NoticeSweep)}, {Rule: s.Sweep}})
	a.ID = id(a.Decision.ID, "")
	return fit(a)
}

// Reminder is what is known of an exemption that ends.
type Reminder struct {
	Now  time.Time
	Role string
	// Rules are those whose findings are set aside until Expires.
	Rules                 []string
	Owner, Reason, Ticket string
	Expires               time.Time
	// Place is where the rules file writes it.
	Place string
	// Days is the reminder that this is: so many days before the end; 0 at the end.
	Days int
}

// BuildReminder makes the alert about an exemption that ends.
func BuildReminder(r Reminder) Alert {
	var c cleaner
	account := ""
	if a, err := role.ParseARN(r.Role); err == nil {
		account = a.Account
	}
	when := fmt.Sprintf("ends on %s", r.Expires.UTC().Format(time.DateOnly))
	if !r.Now.Before(r.Expires) {
		when = fmt.Sprintf("ended on %s, so its findings are open again", r.Expires.UTC().Format(time.DateOnly))
	}
	a := Alert{
		Version: Version, Notice: NoticeExemption, State: Opened, Time: r.Now.UTC().Truncate(time.Millisecond),
		Account: c.name(account), Role: Role{ARN: c.name(r.Role)}, Verdict: finding.Noncompliant.String(), Findings: []Finding{},
		Decision: Decision{
			ID: decision.ID(account, fmt.Sprintf("exemption/%s/%s/%d", r.Ticket, r.Expires.UTC().Format(time.RFC3339), r.Days), r.Role), Action: decision.Tell.String(),
			Reasons: c.lines([]string{
				fmt.Sprintf("The exemption %s of %s from %s %s.", r.Ticket, r.Role, listed(r.Rules), when),
				fmt.Sprintf("Its owner is %s, and its reason: %s", r.Owner, r.Reason),
			}),
		},
		Outcome: Outcome{Done: decision.Ignore.String()},
		Undo:    "Nothing was written; there is nothing to undo.",
		Mend:    c.line(fmt.Sprintf("Mend the role, and take the exemption out of the rules file (%s). Where it is still needed, its owner asks for a new one, with a new end and a reason that holds today.", r.Place)),
	}
	for _, rule := range r.Rules {
		a.Findings = append(a.Findings, Finding{
			Rule: c.name(rule), Severity: finding.Low.String(), Where: c.line(r.Place), Message: c.line(fmt.Sprintf("Findings of %s on %s are set aside by the exemption %s, which %s.", rule, r.Role, r.Ticket, when)),
			Evidence: Evidence{Kind: finding.Fact, Sentence: "The rules file says so."},
		})
	}
	a.Fingerprint = fingerprint(a, []finding.Finding{{Rule: string(NoticeExemption)}, {Rule: a.Decision.ID}})
	a.ID = id(a.Decision.ID, "")
	return fit(a)
}

func listed(rules []string) string {
	switch len(rules) {
	case 0:
		return "no rule"
	case 1:
		return "the rule " + rules[0]
	default:
		text := "the rules "
		for i, r := range rules {
			switch {
			case i == len(rules)-1:
				text += " and "
			case i > 0:
				text += ", "
			}
			text += r
		}
		return text
	}
}

// sweepLine says in constant words how a sweep ended.
func (a Alert) sweepLine() string {
	switch a.Verdict {
	case finding.Compliant.String():
		return "a sweep found nothing new"
	case finding.Noncompliant.String():
		return "a sweep found what no event told"
	default:
		return "a sweep could not read everything"
	}
}

// notice gives the one sentence of an alert that is about no change of a role.
func (a Alert) notice() string {
	if a.Notice == "" || len(a.Decision.Reasons) == 0 {
		return ""
	}
	return Plain(a.Decision.Reasons[0], maxWhy)
}
