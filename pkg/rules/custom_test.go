package rules

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rolewarden/rolewarden/pkg/finding"
	"github.com/rolewarden/rolewarden/pkg/org"
	"github.com/rolewarden/rolewarden/pkg/policy"
)

const ownRule = bare + `modes: {default: enforce}
customRules:
  - id: team-tag
    title: A team
    why: it pays
    callers: [{kind: users}, {kind: roles}]
    require: [{operator: StringEquals, key: aws:PrincipalTag/team, values: [payments]}]
`

// A rule of the organization's own goes as far as its mode, like any other: it
// may write where the file says enforce, and only observes where it says
// nothing.
func TestOwnRulesObeyModes(t *testing.T) {
	for _, tt := range []struct {
		name, file string
		want       org.Mode
	}{
		{"the default", ownRule, org.Enforce},
		{"its own mode", strings.Replace(ownRule, "    why:", "    mode: tag\n    why:", 1), org.Tag},
		{"no mode at all", strings.Replace(ownRule, "modes: {default: enforce}\n", "", 1), org.Observe},
		{"advice", strings.Replace(ownRule, "    why:", "    severity: advice\n    why:", 1), org.Observe},
	} {
		in, r := judgeOne(t, tt.file, stranger)
		if got := Modes(in, r)["team-tag"]; got != tt.want {
			t.Errorf("%s: %v, want %v", tt.name, got, tt.want)
		}
	}
}

// The ids of a file's own rules are known to Check, and one of the catalogue may
// not be taken.
func TestCheckKnowsOwnRules(t *testing.T) {
	exempting := ownRule + "exemptions:\n  - {rules: [team-tug], role: \"arn:aws:iam::111122223333:role/app\", owner: a, reason: b, ticket: c, expires: 2026-07-01}\n"
	err := Check(rulesFile(t, exempting))
	if err == nil || !strings.HasPrefix(err.Error(), `10:5: "team-tug" is no rule: write team-tag, or another of public-principal,`) {
		t.Errorf("a slip: %v", err)
	}
	if err := Check(rulesFile(t, strings.Replace(exempting, "team-tug", "team-tag", 1))); err != nil {
		t.Errorf("its own rule: %v", err)
	}
	err = Check(rulesFile(t, strings.Replace(ownRule, "id: team-tag", "id: external-id", 1)))
	if err == nil || err.Error() != `4:9: "external-id" is a rule of the catalogue: give yours an id of its own` {
		t.Errorf("an id of the catalogue: %v", err)
	}
}

// Before anything is written because an account is not listed, Organizations
// must have its say, whoever made the rule.
func TestForeignSpeaksForOwnRules(t *testing.T) {
	_, r := judgeOne(t, ownRule, stranger)
	i := slices.IndexFunc(r.Findings, func(f finding.Finding) bool { return f.Rule == "team-tag" })
	if i < 0 {
		t.Fatal("nothing found")
	}
	if diff := cmp.Diff([]string{"123456789012"}, Foreign(r.Findings[i])); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// A rule's page says whom it speaks of, what it demands and why, and shows no
// external ID; the catalogue stays as it is.
func TestOwnRulesHaveAPage(t *testing.T) {
	file := rulesFile(t, strings.Replace(ownRule, "key: aws:PrincipalTag/team, values: [payments]", "key: sts:ExternalId, values: [hunter2-hunter2]", 1))
	rule, ok := FindUnder(file, "team-tag")
	if !ok || rule.Reach != MayWrite || rule.Severity != finding.Medium {
		t.Fatalf("%+v", rule)
	}
	for _, part := range []string{"# team-tag\n", "\n- users\n- role sessions\n", "- without StringEquals sts:ExternalId ***\n", "## Why\n\nit pays\n"} {
		if !strings.Contains(rule.Page, part) {
			t.Errorf("the page lacks %q:\n%s", part, rule.Page)
		}
	}
	if strings.Contains(rule.Page, "hunter2") {
		t.Errorf("the page shows an external ID:\n%s", rule.Page)
	}
	if diff := cmp.Diff(IDs(), IDsUnder(nil)); diff != "" {
		t.Errorf("without a file (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(append(IDs(), "team-tag"), IDsUnder(file)); diff != "" {
		t.Errorf("with one (-want +got):\n%s", diff)
	}
}

// T80: what a rule demands of sts:ExternalId is in no finding, though the
// witness of an anyOf may well hold it.
func TestOwnRulesShowNoExternalID(t *testing.T) {
	_, cases := readCases(t, fileOf(customFile, ".txtar"))
	for _, c := range cases {
		in, text := c.input(t)
		masked, err := json.Marshal(JudgeText(in, text).Masked())
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(masked), "acme-7f3k2p9q") || strings.Contains(string(masked), "acme-other-id") {
			t.Errorf("%s: %s", c.name, masked)
		}
	}
}

// A rule of the catalogue, written as one's own, says the same of the corpus,
// or is undecided where the catalogue's rule looks further.
func TestACatalogueRuleInOwnWords(t *testing.T) {
	own := rulesFile(t, bare+`customRules:
  - id: own-name
    title: Users come in under their own name
    why: CloudTrail shows the session name
    callers: [{kind: users}]
    require: [{operator: StringLike, key: sts:RoleSessionName, values: ["${aws:username}"]}]
`)
	same := 0
	for _, p := range readCorpus(t) {
		d, err := policy.Parse([]byte(p.text))
		if err != nil || p.in.Org.Setting(sessionNameID).Off || len(p.in.Org.Setting(sessionNameID).Roles) > 0 || p.in.Org.Setting(sessionNameID).SessionName != org.DefaultSessionName {
			continue
		}
		in := p.in
		in.Document = d
		if s := newSaid(in); slices.ContainsFunc(in.Org.PartnerIDs(), func(a string) bool { return slices.Contains(s.accounts, a) }) {
			continue // A partner's users are asked by this rule, and not by that one.
		}
		rules := *p.in.Org
		rules.Custom = own.Custom
		in.Org = &rules
		r := Judge(in)
		said := func(rule string) (flagged, open bool) {
			return slices.ContainsFunc(r.Findings, func(f finding.Finding) bool { return f.Rule == rule && breaks(f) }),
				slices.ContainsFunc(r.Reasons, func(s string) bool { return strings.Contains(s, rule) })
		}
		theirs, _ := said(sessionNameID)
		ours, open := said("own-name")
		if ours != theirs && !open {
			t.Errorf("%s: session-name flags it: %v, own-name: %v\n%s", p.path, theirs, ours, lines(r, ""))
		}
		if ours == theirs {
			same++
		}
	}
	if same < 60 {
		t.Errorf("they agree on %d documents", same)
	}
}

// Each rule of the organization's own has room of its own: however many a file
// has, none of them leaves another undecided, nor says less for standing late.
func TestManyOwnRulesAreAllJudged(t *testing.T) {
	var b strings.Builder
	for i := range 32 {
		fmt.Fprintf(&b, "  - {id: own-%c%c, title: x, why: y, callers: [{kind: users}, {kind: roles, accounts: outside}], require: [{operator: StringLike, key: aws:PrincipalTag/t%d, values: ['a*b%d*c', 'x?y*']}, {operator: StringEquals, key: sts:RoleSessionName, values: ['s%d']}]}\n", 'a'+i/26, 'a'+i%26, i%7, i, i)
	}
	_, r := judgeOne(t, bare+"organization: {id: o-exampleorgid, accounts: [{id: '111122223333'}]}\ncustomRules:\n"+b.String(),
		`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"*"},"Action":"sts:AssumeRole","Condition":{"ForAnyValue:StringLike":{"aws:PrincipalOrgPaths":"o-exampleorgid/r-ab12/ou-ab12-22222222/*"},"StringEquals":{"aws:PrincipalType":"AssumedRole"}}}]}`)
	if r.Verdict != finding.Compliant {
		t.Errorf("%v: %v\n%s", r.Verdict, r.Reasons, lines(r, ""))
	}
}
