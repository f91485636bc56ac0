package rules

import (
	"slices"
	"strings"
	"testing"

	"github.com/rolewarden/rolewarden/pkg/finding"
	"github.com/rolewarden/rolewarden/pkg/org"
	"github.com/rolewarden/rolewarden/pkg/role"
)

// ownOnly forbids that anybody of the role's own account comes in.
const ownOnly = bare + `customRules:
  - id: no-neighbours
    title: Nobody of the role's own account
    why: they are others
    callers: [{kind: users, accounts: own}]
    never: true
`

// homeless judges a document of which nobody said whose role it is for.
func homeless(t *testing.T, file, text string) finding.Report {
	t.Helper()
	return JudgeText(Input{Org: rulesFile(t, file), Now: noon()}, text)
}

const member = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::444455556666:user/bob"},"Action":"sts:AssumeRole"`

// What is a breach only if the role is in an account that the document names, or
// is open only then, is told as open: nobody said that it is not there.
func TestAHomeThatMakesABreachIsTold(t *testing.T) {
	whose := func(reason string) bool {
		return strings.HasPrefix(reason, "whether account 444455556666 is the role's own decides this") && strings.Contains(reason, "no-neighbours")
	}
	if r := homeless(t, ownOnly, member+`}]}`); !slices.ContainsFunc(r.Reasons, whose) {
		t.Errorf("a breach: %q", r.Reasons)
	}
	r := homeless(t, ownOnly, member+`,"Condition":{"StringSounds":{"aws:username":"bob"}}}]}`)
	open := func(reason string) bool {
		return strings.HasPrefix(reason, "Statement[0].Condition.StringSounds") && strings.Contains(reason, "no-neighbours")
	}
	if !slices.ContainsFunc(r.Reasons, open) {
		t.Errorf("a doubt: %q", r.Reasons)
	}
}

// The account that stands for a home that nobody named is nobody's who is named.
func TestTheUnnamedHomeIsNobodys(t *testing.T) {
	file := `version: 1
organization:
  id: o-exampleorgid
  accounts: [{id: "111122223333"}]
partners: [{name: acme, accounts: ["111122223334"]}]
`
	in := Input{Org: rulesFile(t, file)}
	in.Document = parsed(t, `{"Statement":{"Effect":"Allow","Principal":{"AWS":"111122223335"},"Action":"sts:AssumeRole"}}`)
	if got := newSaid(in).unsaidAccount(in); got != "111122223336" {
		t.Errorf("%s stands for it", got)
	}
}

// A role whose ARN alone is given is in the account that it names.
func TestTheARNSaysWhoseTheRoleIs(t *testing.T) {
	text := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::444455556666:role/ci"},"Action":"sts:AssumeRole"}]}`
	in := Input{Org: rulesFile(t, bare), Now: noon(), Role: role.Role{ARN: "arn:aws:iam::444455556666:role/app"}}
	if r := JudgeText(in, text); r.Verdict != finding.Compliant {
		t.Errorf("%v\n%s", r.Verdict, lines(r, ""))
	}
}

// No rule goes further than its reach, and advice holds back no breach of its
// rule, whichever stands first in the report.
func TestEveryRuleKeepsToItsReach(t *testing.T) {
	in := Input{Org: rulesFile(t, bare+"modes:\n  default: enforce\n"), Role: roleOf(t, "arn:aws:iam::111122223333:role/app")}
	for _, rule := range All() {
		breach := finding.Finding{Rule: rule.ID, Severity: finding.Medium}
		advice := finding.Finding{Rule: rule.ID, Severity: finding.Advice}
		want := map[Reach]org.Mode{TellOnly: org.Observe, TagOnly: org.Tag, MayWrite: org.Enforce}[rule.Reach]
		for _, list := range [][]finding.Finding{{breach}, {breach, advice}, {advice, breach}} {
			if got := Modes(in, finding.Report{Findings: list})[rule.ID]; got != want {
				t.Errorf("%s goes as far as %v, want %v", rule.ID, got, want)
			}
		}
	}
}

// An exempted finding stays in the report, though public-principal says of
// everybody what it says of strangers.
func TestAnExemptedEchoStaysInSight(t *testing.T) {
	_, r := judgeOne(t, bare+`exemptions:
  - {rules: [external-account], role: "arn:aws:iam::111122223333:role/app", owner: a, reason: b, ticket: SEC-7, expires: 2026-07-01}
`, `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"*"},"Action":"sts:AssumeRole"}]}`)
	exempted := func(f finding.Finding) bool { return f.Rule == externalAccountID && f.Exemption == "SEC-7" }
	if !slices.ContainsFunc(r.Findings, exempted) {
		t.Errorf("the exempted finding is gone:\n%s", lines(r, ""))
	}
}

// A rule of the organization's own is about the callers that it lists, and no others.
func TestOwnRulesAreAboutTheirCallers(t *testing.T) {
	const stranger, partner = "999999999999", "444455556666"
	const partners = "partners: [{name: acme, accounts: [\"444455556666\"]}]\n"
	for _, c := range []struct {
		accounts, more, trusted string
		want                    bool
	}{
		{"partners", partners, partner, true},
		{"partners", partners, stranger, false},
		{`["444455556666"]`, "", partner, true},
		{`["444455556666"]`, "", stranger, false},
		{"outside", partners, stranger, true},
		{"own", partners, stranger, false},
	} {
		file := bare + c.more + "customRules:\n  - {id: never-they, title: a, why: b, never: true, callers: [{kind: users, accounts: " + c.accounts + "}]}\n"
		_, r := judgeOne(t, file, `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"`+c.trusted+`"},"Action":"sts:AssumeRole"}]}`)
		got := slices.ContainsFunc(r.Findings, func(f finding.Finding) bool { return f.Rule == "never-they" })
		if got != c.want {
			t.Errorf("accounts: %s, %s is trusted: found %t", c.accounts, c.trusted, got)
		}
	}
}

// Whom a document lets in by name in a condition, somebody must look up: an
// exact user or role of an Allow, or one that a Deny spares.
func TestNamesToLookUp(t *testing.T) {
	const app, bob = "arn:aws:iam::111122223333:role/app", "arn:aws:iam::111122223333:user/bob"
	d := parsed(t, `{"Version":"2012-10-17","Statement":[
		{"Effect":"Allow","Principal":{"AWS":"*"},"Action":"sts:AssumeRole","Condition":{"ArnEquals":{"aws:PrincipalArn":["`+app+`","arn:aws:iam::111122223333:role/x*"]},"StringEquals":{"aws:username":"`+bob+`"}}},
		{"Effect":"Deny","Principal":{"AWS":"*"},"Action":"sts:AssumeRole","Condition":{"ArnNotEquals":{"aws:principalarn":"`+bob+`"},"ArnEquals":{"aws:PrincipalArn":"arn:aws:iam::111122223333:user/eve"}}}]}`)
	var got []string
	for _, p := range NamesInConditions(d) {
		got = append(got, p.Value)
	}
	if !slices.Equal(got, []string{app, bob}) {
		t.Errorf("%q", got)
	}
}
