package alert

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/rolewarden/rolewarden/pkg/finding"
	"github.com/rolewarden/rolewarden/pkg/role"
)

// notPlain is what is left out of the short hash in a subject.
var notPlain = regexp.MustCompile(`[^a-zA-Z0-9]`)

// Subject gives the subject of an e-mail: constant words, the account and a
// short hash. SNS refuses subjects with line breaks or control characters, of
// 100 characters or more (Amazon SNS API Reference, API_Publish), so nothing
// that anybody else can choose is in it.
func (a Alert) Subject() string {
	where := "unknown account"
	switch {
	case role.ValidAccount(a.Account):
		where = "account " + a.Account
	case a.blind():
		where = "several accounts"
	case a.Notice == NoticeSweep:
		where = "the organization"
	}
	hash := notPlain.ReplaceAllString(a.ID, "")
	if len(hash) > 8 {
		hash = hash[:8]
	}
	return strings.TrimSpace(fmt.Sprintf("rolewarden: %s in %s [%s]", a.headline(), where, hash))
}

// headline says in constant words what an alert is about.
func (a Alert) headline() string {
	switch a.Notice {
	case NoticeSweep:
		return a.sweepLine()
	case NoticeExemption:
		return "an exemption ends"
	}
	if a.State == Resolved {
		return "resolved, nothing is open any more"
	}
	if a.lost() {
		return "a change may have been overwritten"
	}
	if what := a.gone(); what != "" {
		return "a trusted user or role was " + what
	}
	switch a.Outcome.Done {
	case "Revert":
		return "trust policy reverted"
	case "Quarantine":
		return "new role quarantined"
	case "Prune":
		return "orphans taken out of a trust policy"
	case "Tag":
		return "trust policy breaks rules, role tagged"
	}
	switch {
	case a.mayPass():
		return "somebody is shown by an ID, which may pass"
	case a.blind():
		return "changes of roles may go unseen"
	case a.Verdict == finding.Undecided.String():
		return "trust policy not settled, look at it"
	case a.Decision.Action == "Tell":
		return "trust policy breaks rules"
	default:
		return "trust policy breaks rules, nothing written"
	}
}

// Severity gives the worst severity among the open findings as a word. Doubt
// is "high": it wants looking at as soon as a finding does. A resolved alert is "advice".
func (a Alert) Severity() string {
	worst := finding.Advice
	for _, f := range a.Findings {
		var s finding.Severity
		if f.Exemption == "" && s.UnmarshalText([]byte(f.Severity)) == nil {
			worst = max(worst, s)
		}
	}
	if a.State != Resolved && a.Verdict == finding.Undecided.String() {
		worst = max(worst, finding.High)
	}
	return worst.String()
}

// Attribute is a message attribute: a string, or a list of strings (the SNS
// data type String.Array, sent as a JSON array).
type Attribute struct {
	String      string
	StringArray []string
}

// maxRules bounds the list in the attribute rule, which counts towards a message's size.
const maxRules = 50

// Attributes gives the message attributes that subscriptions filter by: rule
// (the open findings' rules; missing when there are none), severity, account,
// action, state, and notice where it is one. A resolved alert bears the rules and the severity of what it
// resolves, so that whoever was sent the one is sent the other. None has an
// empty value, which SNS would refuse.
func (a Alert) Attributes() map[string]Attribute {
	out := map[string]Attribute{
		"severity": {String: a.Severity()},
		"action":   {String: attributeWord(a.Decision.Action)},
		"state":    {String: a.State.String()},
		"account":  {String: attributeWord(a.Account)},
	}
	var rules []string
	worst := finding.Advice
	for _, r := range a.Resolves {
		rules = append(rules, attributeWord(r.Rule))
		var s finding.Severity
		if s.UnmarshalText([]byte(r.Severity)) == nil {
			worst = max(worst, s)
		}
	}
	if len(a.Resolves) > 0 {
		out["severity"] = Attribute{String: worst.String()}
	}
	for _, f := range a.Findings {
		if r := attributeWord(f.Rule); f.Exemption == "" && !slices.Contains(rules, r) && len(rules) < maxRules {
			rules = append(rules, r)
		}
	}
	if a.Notice != "" {
		out["notice"] = Attribute{String: attributeWord(string(a.Notice))}
	}
	if len(rules) > 0 {
		slices.Sort(rules)
		out["rule"] = Attribute{StringArray: rules}
	}
	return out
}

func attributeWord(s string) string {
	if s = Plain(s, 64); s == "" {
		return "unknown"
	}
	return s
}
