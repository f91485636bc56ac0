package rules

import (
	"fmt"
	"strings"
	"testing"

	"github.com/rolewarden/rolewarden/pkg/finding"
	"github.com/rolewarden/rolewarden/pkg/proof"
)

// What a rule proposes takes its finding away, lets in nobody new and leaves
// somebody in; where it does not know what was meant it proposes nothing.
func TestTheseRulesMendTheirFindings(t *testing.T) {
	for _, id := range []string{danglingPrincipalConditionID, noEffectID} {
		rule, _ := Find(id)
		_, cases := readCases(t, fileOf(id, ".txtar"))
		mended := 0
		for _, c := range cases {
			in, text := c.input(t)
			report := JudgeText(in, text)
			in = in.settled()
			in.Document = parsed(t, text)
			for _, f := range report.Findings {
				if f.Rule != id {
					continue
				}
				for _, d := range rule.Mend(in, f) {
					again := in
					again.Document = d
					for _, g := range rule.Check(again).Findings {
						if g.Where == f.Where && g.Message == f.Message {
							t.Errorf("%s/%s: mended, and still: %s", id, c.name, g.Message)
						}
					}
					if a := proof.Compare(in.Document, d, in.world()).New; a.Outcome != proof.None {
						t.Errorf("%s/%s: the mended document lets in more: %v %v", id, c.name, a.Outcome, a.Undecided)
					}
					mended++
				}
			}
		}
		if mended == 0 {
			t.Errorf("%s mends %d of its cases", id, mended)
		}
	}
}

// A document made of more entries than are tried is never called fine for it.
func TestManyEntriesAreNotPassedOver(t *testing.T) {
	var s []string
	for i := range 64 {
		s = append(s, fmt.Sprintf(`{"Effect":"Deny","Principal":{"AWS":"*"},"Action":"sts:AssumeRole","Condition":{"StringNotLike":{"sts:ExternalId":"*a%d*"},"Null":{"sts:ExternalId":"false"}}}`, i))
	}
	s = append(s, `{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:role/deploy"},"Action":"sts:AssumeRole"}`)
	if _, r := judgeOne(t, bare, `{"Version":"2012-10-17","Statement":[`+strings.Join(s, ",")+`]}`); r.Verdict == finding.Compliant {
		t.Errorf("%v\n%s", r.Verdict, lines(r, ""))
	}
}

// A heap of lesser findings hides no graver one, and is not told whole: advice
// by the dozen before a way past a guard, an element without a meaning and a
// name in a partner's account (T46).
func TestNoFindingIsBuried(t *testing.T) {
	const rules = bare + "organization:\n  id: o-exampleorgid\n  accounts:\n    - {id: \"111122223333\", name: prod, unit: prod}\n    - {id: \"222222222222\", name: people, unit: people}\n"
	for _, row := range []struct {
		rule, lesser, graver string
		want                 finding.Severity
	}{
		{
			noEffectID,
			`{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::222222222222:role/a%d"},"Action":"sts:AssumeRole","Condition":{"StringLike":{"sts:RoleSessionName":"*"}}}`,
			`{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::222222222222:role/z"},"Action":"sts:AssumeRole","Condition":{"IpAddressIfExists":{"aws:SourceIp":"203.0.113.0/24"}}}`, finding.Low,
		},
		{
			unsupportedID,
			`{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::222222222222:role/a%d"},"Action":["sts:*","sts:AssumeRole"]}`,
			`{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::222222222222:role/z"},"Action":"sts:AssumeRole","Condition":{"StringEqual":{"aws:username":"z"}}}`, finding.Medium,
		},
		{
			danglingPrincipalConditionID,
			`{"Effect":"Allow","Principal":{"AWS":"111122223333"},"Action":"sts:AssumeRole","Condition":{"ArnLike":{"aws:PrincipalArn":"arn:aws:iam::111122223333:role/a%d*"}}}`,
			`{"Effect":"Allow","Principal":{"AWS":"222222222222"},"Action":"sts:AssumeRole","Condition":{"ArnLike":{"aws:PrincipalArn":"arn:aws:iam::222222222222:role/z"}}}`, finding.Medium,
		},
	} {
		var s []string
		for i := range 24 {
			s = append(s, strings.ReplaceAll(row.lesser, "%d", fmt.Sprint(i)))
		}
		in, _ := judgeOne(t, rules, `{"Version":"2012-10-17","Statement":[`+strings.Join(append(s, row.graver), ",")+`]}`)
		in.Gone = map[string]finding.Principal{"arn:aws:iam::222222222222:role/z": {ARN: "arn:aws:iam::222222222222:role/z", DeletedBy: "arn:aws:iam::222222222222:user/admin"}}
		r := Judge(in)
		n, gravest := 0, finding.Advice
		for _, f := range r.Findings {
			if f.Rule == row.rule {
				n, gravest = n+1, max(gravest, f.Severity)
			}
		}
		if gravest != row.want || n > 2*mostTold || r.Verdict == finding.Compliant {
			t.Errorf("%s: %d findings, the gravest %v, of %d statements; %v", row.rule, n, gravest, len(in.Document.Statements), r.Verdict)
		}
	}
}
