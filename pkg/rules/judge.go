package rules

import (
	"fmt"
	"slices"
	"strings"

	"github.com/rolewarden/rolewarden/pkg/finding"
	"github.com/rolewarden/rolewarden/pkg/org"
	"github.com/rolewarden/rolewarden/pkg/policy"
	"github.com/rolewarden/rolewarden/pkg/proof"
	"github.com/rolewarden/rolewarden/pkg/role"
)

// Judge judges a role by every rule that is not off. The verdict is
// Noncompliant when a finding above Advice is open, else Undecided when a rule
// left something undecided, else Compliant. A finding of the rules that speak
// of the text is no proof that anybody gets in: it never makes an undecided
// document a noncompliant one, which would page less. Exempted findings stay in the
// report. Findings are in order of severity, the gravest first.
func Judge(in Input) finding.Report {
	in = in.settled()
	findings, doubts := judgements(in)
	exempt(in, findings)
	findings = withoutEchoes(in, findings)
	slices.SortStableFunc(findings, func(a, b finding.Finding) int { return int(b.Severity) - int(a.Severity) })
	return report(findings, doubts.reasons())
}

// judgements puts a settled Input to every rule.
func judgements(in Input) ([]finding.Finding, doubts) {
	if why := tooBroad(in.Document); why != "" {
		return unjudged(in, why)
	}
	in.compiled, in.budget, in.rolls = proof.Compile(in.Document, in.Role.Partition), &proof.Budget{}, &rolls{}
	if in.compiled.TooLarge() {
		return unjudged(in, tooDear)
	}
	said := newSaid(in)
	in.said, in.stand = &said, standIns(in, said)
	var findings []finding.Finding
	var doubts doubts
	for _, r := range Under(in.Org) {
		if r.page != nil {
			// A rule of the organization's own leaves none of the others undecided,
			// unless the document is a hard one.
			in.budget = in.budget.Renewed()
		}
		j := r.judge(said, in)
		findings = append(findings, j.Findings...)
		doubts.add(r.ID, j.Undecided)
	}
	return findings, doubts
}

// JudgeText parses a trust policy and judges it. A text that is no valid policy
// is Undecided, with the reason and a finding of the element at fault;
// in.Document is not looked at.
func JudgeText(in Input, text string) finding.Report {
	d, err := policy.Parse([]byte(text))
	if err != nil {
		in, in.Document = in.settled(), policy.Document{}
		rule := unsupported()
		rule.Check = func(Input) Judgement { return Judgement{Findings: refused(err)} }
		findings := rule.judge(said{}, in).Findings
		exempt(in, findings)
		return report(findings, []string{fmt.Sprintf("the trust policy cannot be judged: %v", err)})
	}
	in.Document = d
	return Judge(in)
}

func report(findings []finding.Finding, reasons []string) finding.Report {
	// Lists are never nil: their JSON is a published contract.
	r := finding.Report{Reasons: append([]string{}, reasons...), Findings: append([]finding.Finding{}, findings...)}
	switch {
	case slices.ContainsFunc(r.Open(), func(f finding.Finding) bool { return breaks(f) && !ofTheText(f) }):
		r.Verdict = finding.Noncompliant
	case len(r.Reasons) > 0:
		r.Verdict = finding.Undecided
	case slices.ContainsFunc(r.Open(), breaks):
		r.Verdict = finding.Noncompliant
	default:
		r.Verdict = finding.Compliant
	}
	return r
}

// breaks says whether a finding changes the verdict.
func breaks(f finding.Finding) bool { return f.Severity > finding.Advice }

// ofTheText says whether a finding is about what is written, and not about
// who gets in.
func ofTheText(f finding.Finding) bool { return f.Rule == noEffectID || f.Rule == unsupportedID }

// settled fills in what an Input may leave out.
func (in Input) settled() Input {
	if in.Org == nil {
		in.Org = org.Empty()
	}
	if in.Role.Partition == "" {
		in.Role.Partition = in.Org.Organization.Partition
	}
	if in.Role.Partition == "" {
		in.Role.Partition = "aws"
	}
	if in.Role.Account == "" {
		if a, err := role.ParseARN(in.Role.ARN); err == nil {
			in.Role.Account = a.Account
		}
	}
	return in
}

// judge judges one role by one rule, where the rules file wants it judged.
func (r Rule) judge(s said, in Input) Judgement {
	set := in.Org.Setting(r.ID)
	if set.Off {
		return Judgement{}
	}
	if len(set.Roles) == 0 || r.ID == sessionPolicyID {
		return r.underAll(s, in)
	}
	if in.Role.ARN == "" {
		if j := r.underAll(s, in); len(j.Findings)+len(j.Undecided) == 0 {
			return j
		}
		return Judgement{Undecided: []string{"the rules file asks it of some roles only: say which role this is with --role-arn"}}
	}
	if slices.ContainsFunc(set.Roles, func(p string) bool { return role.MatchARN(p, in.Role.ARN) }) {
		return r.underAll(s, in)
	}
	return Judgement{}
}

// exempt notes on each finding the ticket of the exemption that covers it.
func exempt(in Input, findings []finding.Finding) {
	if len(in.Org.Exemptions) == 0 || len(findings) == 0 || in.Role.ARN == "" {
		return
	}
	digest := in.Document.Digest(in.Role.Partition)
	for i, f := range findings {
		if e, ok := in.Org.Exempt(f.Rule, in.Role.ARN, in.Role.ID, digest, in.Now); ok {
			findings[i].Exemption = e.Ticket
		}
	}
}

// withoutEchoes leaves out findings that only say again, of accounts that
// nobody named, what public-principal says of everybody. An echo is kept when
// public-principal is not there to speak (off, exempted, undecided) or would
// do less about it.
func withoutEchoes(in Input, findings []finding.Finding) []finding.Finding {
	public := slices.ContainsFunc(findings, func(f finding.Finding) bool {
		return f.Rule == publicPrincipalID && f.Exemption == ""
	})
	if !public {
		return findings
	}
	said, does := newSaid(in), in.Org.Mode(publicPrincipalID, in.Role.Account)
	return slices.DeleteFunc(findings, func(f finding.Finding) bool {
		if f.Rule != externalAccountID && f.Rule != externalIDID || f.Exemption != "" {
			return false
		}
		named := slices.ContainsFunc(Foreign(f), func(a string) bool { return slices.Contains(said.accounts, a) })
		return !named && in.Org.Mode(f.Rule, in.Role.Account) <= does
	})
}

// doubts gathers reasons, each once with the rules that it leaves open.
type doubts struct {
	words []string
	rules map[string][]string
}

func (d *doubts) add(rule string, words []string) {
	for _, w := range words {
		if d.rules == nil {
			d.rules = map[string][]string{}
		}
		if _, had := d.rules[w]; !had {
			d.words = append(d.words, w)
		}
		if !slices.Contains(d.rules[w], rule) {
			d.rules[w] = append(d.rules[w], rule)
		}
	}
}

func (d *doubts) reasons() []string {
	var out []string
	for _, w := range d.words {
		out = append(out, oneLine(w)+" ("+strings.Join(d.rules[w], ", ")+")")
	}
	return out
}
