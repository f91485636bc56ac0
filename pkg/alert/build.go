package alert

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/rolewarden/rolewarden/pkg/decision"
	"github.com/rolewarden/rolewarden/pkg/finding"
	"github.com/rolewarden/rolewarden/pkg/policy"
	"github.com/rolewarden/rolewarden/pkg/trail"
)

// Build makes the alert about a role.
//
// Its id follows from the decision, so a repeat has the same one; while an
// alert is open for the role (Input.OpenID) the id stays that one, so that
// receivers see one thread. It is resolved when nothing is open but advice and
// nothing in doubt, whatever could be done about tags.
func Build(in Input) Alert {
	var c cleaner
	c.add(in.Role.TrustPolicy, in.Before, in.Outcome.Before, in.Outcome.After)
	c.request(in.NewlyAllowed)
	for _, f := range in.Report.Findings {
		c.request(f.Evidence.Request)
	}
	if in.Change != nil {
		c.add(in.Change.Document)
	}
	a := Alert{
		Version: Version, State: state(in), Time: in.Now.UTC().Truncate(time.Millisecond),
		Account: c.name(in.Role.Account), Role: Role{ARN: c.name(in.Role.ARN), ID: c.name(in.Role.ID)},
		Verdict: in.Report.Verdict.String(), Reasons: c.lines(in.Report.Reasons),
		Findings: c.findings(in.Report.Findings),
		Decision: c.decision(in.Decision), Outcome: c.outcome(in.Outcome),
	}
	a.Fingerprint = fingerprint(a, in.Report.Open())
	a.ID = in.OpenID
	if a.ID == "" {
		a.ID = id(in.Decision.ID, a.Fingerprint)
	}
	if a.State == Resolved {
		for _, rule := range slices.Sorted(maps.Keys(in.Resolves)) {
			a.Resolves = append(a.Resolves, TakenBack{Rule: c.name(rule), Severity: in.Resolves[rule].String()})
		}
	}
	if in.Change != nil {
		a.Change = c.change(in.Change)
		a.Change.Diff = c.diff(changed(in))
		if in.NewlyAllowed != nil {
			a.Change.NewlyAllowed = c.line(in.NewlyAllowed.Sentence())
		}
	}
	a.Undo, a.Mend = undo(in), c.mend(in)
	return fit(a)
}

func state(in Input) State {
	switch {
	case in.Report.Verdict == finding.Compliant && onlyAdvice(in.Report.Open()),
		in.Report.Verdict == finding.Noncompliant && len(in.Report.Open()) == 0:
		return Resolved
	case in.OpenID != "":
		return Updated
	default:
		return Opened
	}
}

// onlyAdvice says whether findings are such as a compliant role may have.
func onlyAdvice(open []finding.Finding) bool {
	return !slices.ContainsFunc(open, func(f finding.Finding) bool { return f.Severity != finding.Advice })
}

// id names a new alert: by its decision alone, so that a repeat has the same
// one; by what it says where no decision was made.
func id(decisionID, otherwise string) string {
	if decisionID != "" {
		otherwise = ""
	}
	return short("alert", decisionID, otherwise)[:32]
}

// fingerprint is the same for alerts that say the same about the same role.
func fingerprint(a Alert, open []finding.Finding) string {
	rules := []string{}
	for _, f := range open {
		rules = append(rules, f.Rule)
	}
	slices.Sort(rules)
	who := a.Role.ID
	if who == "" {
		who = a.Role.ARN
	}
	return "sha256:" + short(append([]string{a.Account, who, a.Verdict}, slices.Compact(rules)...)...)
}

// short hashes texts; a mark that no text holds keeps them apart.
func short(parts ...string) string {
	sum := sha256.Sum256([]byte(strings.Join(parts, "\x00")))
	return hex.EncodeToString(sum[:])
}

// changed is the diff of the trust policy before and after the change; a
// policy without a past is shown whole.
func changed(in Input) string {
	live, err := policy.Parse([]byte(in.Role.TrustPolicy))
	if err != nil {
		return ""
	}
	if in.Before == "" {
		return added(in, live)
	}
	before, err := policy.Parse([]byte(in.Before))
	if err != nil {
		return ""
	}
	return policy.Diff(before, live)
}

// added shows a policy in the form of a diff from nothing.
func added(in Input, live policy.Document) string {
	var text bytes.Buffer
	if err := json.Indent(&text, live.Masked().Print(), "", "  "); err != nil {
		return ""
	}
	past := "nothing is remembered"
	if in.Change != nil && in.Change.Kind == trail.RoleCreated {
		past = "the role is new"
	}
	return "--- " + past + "\n+++ after\n+" + strings.ReplaceAll(text.String(), "\n", "\n+") + "\n"
}

func (c *cleaner) findings(all []finding.Finding) []Finding {
	out := []Finding{}
	for _, f := range all {
		e := c.evidence(f.Evidence)
		if e.Sentence == "" && f.Evidence.Request != nil {
			e.Sentence = c.line(f.Evidence.Request.Sentence())
			if f.Evidence.Kind == finding.Refused {
				e.Sentence = c.line(f.Evidence.Request.Refusal())
			}
		}
		out = append(out, Finding{
			Rule: c.name(f.Rule), Severity: f.Severity.String(), Where: c.line(f.Where),
			Message: c.line(f.Message), Fix: c.line(f.Fix), Evidence: e, Exemption: c.line(f.Exemption),
		})
	}
	// The open ones first, and the worst of them: what is cut is cut from the end.
	slices.SortStableFunc(out, func(a, b Finding) int {
		switch {
		case a.Exemption == "" && b.Exemption != "":
			return -1
		case a.Exemption != "" && b.Exemption == "":
			return 1
		default:
			return rank(b.Severity) - rank(a.Severity)
		}
	})
	return out
}

// rank orders severities as written; an unknown word is the worst.
func rank(word string) int {
	var s finding.Severity
	if s.UnmarshalText([]byte(word)) != nil {
		return int(finding.Critical) + 1
	}
	return int(s)
}

func (c *cleaner) decision(d decision.Decision) Decision {
	return Decision{ID: c.name(d.ID), Action: d.Action.String(), Reasons: c.lines(d.Reasons)}
}

func (c *cleaner) outcome(o decision.Outcome) Outcome {
	return Outcome{Done: o.Done.String(), Verified: o.Verified, Dropped: c.lines(o.Dropped), Problem: c.line(o.Problem), Contained: c.contained(o.Contained)}
}

func (c *cleaner) change(t *trail.Change) *Change {
	// The tool is the user agent's first word, which may be a piece of a secret.
	masked := *t
	masked.UserAgent = c.masked(t.UserAgent)
	return &Change{
		Actor: c.line(actor(t.Actor)), SourceIP: c.name(t.SourceIP), Event: c.name(t.EventName),
		EventID: c.name(t.EventID), Tool: c.line(masked.Tool()),
	}
}

// actor says who did something, with what CloudTrail knows of who is behind it.
func actor(a trail.Actor) string {
	who := a.ARN
	switch {
	case who == "" && a.InvokedBy != "":
		who = a.InvokedBy
	case who == "" && a.UserName != "":
		who = a.UserName
	case who == "" && a.ID != "":
		who = a.ID
	case who == "":
		who = "somebody whom the event does not name"
	}
	var with []string
	if a.Type == "Root" {
		with = append(with, "the root user")
	}
	if a.Issuer != "" {
		with = append(with, "of role "+a.Issuer)
	}
	if a.SourceIdentity != "" {
		with = append(with, "source identity "+a.SourceIdentity)
	}
	if a.InvokedBy != "" && a.InvokedBy != who {
		with = append(with, "through "+a.InvokedBy)
	}
	if len(with) > 0 {
		who += " (" + strings.Join(with, ", ") + ")"
	}
	return who
}
