package rules

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/rolewarden/rolewarden/pkg/org"
	"github.com/rolewarden/rolewarden/pkg/policy"
)

// crowded gives a rules file with so many accounts more, none of which any
// document writes.
func crowded(rules *org.Rules, more int) *org.Rules {
	o := *rules
	o.Organization.Accounts = slices.Clone(o.Organization.Accounts)
	for i := range more {
		o.Organization.Accounts = append(o.Organization.Accounts, org.Account{ID: fmt.Sprintf("7%011d", i), Name: fmt.Sprintf("team-%d", i)})
	}
	return &o
}

// How large the organization is changes no judgement.
func TestManyMembersChangeNothing(t *testing.T) {
	for _, p := range readCorpus(t) {
		d, err := policy.Parse([]byte(p.text))
		if err != nil || p.in.Org == nil {
			continue
		}
		p.in.Document = d
		small, large := p.in, p.in
		small.Org, large.Org = crowded(p.in.Org, 4), crowded(p.in.Org, 3*fewMembers)
		if len(small.Org.Organization.Accounts) > fewMembers {
			t.Fatalf("%s: the organization is no small one", p.path)
		}
		if s, l := lines(Judge(small), ""), lines(Judge(large), ""); s != l {
			t.Errorf("%s:\n%s\nof many:\n%s", p.path, s, l)
		}
	}
}

// An account that proof thinks of by itself may be a member's: it is no
// stranger's for that.
func TestAMemberLeftOutIsNoStranger(t *testing.T) {
	const rules = "version: 1\norganization:\n  id: o-exampleorgid\n  complete: true\n  accounts:\n"
	var accounts strings.Builder
	for i := range 2 * fewMembers {
		fmt.Fprintf(&accounts, "    - {id: \"7%011d\", name: team-%d, unit: teams}\n", i, i)
	}
	for i, id := range []string{"111122223333", "999999999999", "888888888888", "666666666666", "555555555555", "123456789012"} {
		fmt.Fprintf(&accounts, "    - {id: %q, name: usual-%d, unit: teams}\n", id, i)
	}
	for _, condition := range []string{
		``,
		`,"Condition":{"StringNotEquals":{"aws:PrincipalOrgID":"o-zzzzzzzzzz"}}`,
		`,"Condition":{"StringLike":{"aws:PrincipalArn":"arn:aws:iam::*:role/deploy"}}`,
	} {
		in, r := judgeOne(t, rules+accounts.String(), `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"*"},"Action":"sts:AssumeRole"`+condition+`}]}`)
		seen := false
		for _, f := range r.Findings {
			if f.Rule != publicPrincipalID {
				continue
			}
			seen = true
			for _, a := range Foreign(f) {
				if in.Org.Member(a) {
					t.Errorf("%s: %s of account %s, which is a member", condition, f.Rule, a)
				}
			}
		}
		if !seen {
			t.Errorf("%s: nothing of public-principal: %s", condition, lines(r, ""))
		}
	}
}

// A rule of the organization's own may write an account that the document does
// not: none stands for another there.
func TestOwnRulesKnowEveryMember(t *testing.T) {
	rules := rulesFile(t, bare+`organization:
  id: o-exampleorgid
  accounts: [{id: "111122223333", name: prod, unit: x}]
customRules:
  - id: not-the-last
    title: Not from the last account
    why: it is being closed
    callers: [{kind: roles, accounts: organization}]
    require: [{operator: StringNotEquals, key: aws:PrincipalAccount, values: ["700000000063"]}]
`)
	in := Input{Now: noon(), Org: crowded(rules, 64), Role: roleOf(t, "arn:aws:iam::111122223333:role/app")}
	in.Document = parsed(t, `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"*"},"Action":"sts:AssumeRole","Condition":{"StringEquals":{"aws:PrincipalOrgID":"o-exampleorgid"}}}]}`)
	if said := lines(Judge(in), ""); !strings.Contains(said, "not-the-last") {
		t.Errorf("the rule is broken by the account that it writes: %s", said)
	}
}

// Where a document can tell members apart, proof is told of each.
func TestDocumentsThatTellAccountsApart(t *testing.T) {
	for condition, want := range map[string]bool{
		`{"StringEquals":{"aws:PrincipalAccount":"700000000009"}}`:                       false,
		`{"StringLike":{"aws:PrincipalAccount":"7*"}}`:                                   true,
		`{"StringLike":{"aws:PrincipalAccount":"????????????"}}`:                         false,
		`{"StringLike":{"aws:PrincipalAccount":"*9"}}`:                                   true,
		`{"NumericLessThan":{"aws:PrincipalAccount":"700000000009"}}`:                    true,
		`{"ArnLike":{"aws:PrincipalArn":"arn:aws:iam::*:role/deploy"}}`:                  false,
		`{"ArnLike":{"aws:PrincipalArn":"arn:aws:iam::7*:role/deploy"}}`:                 true,
		`{"StringLike":{"aws:PrincipalArn":"arn:aws:iam::*:role/deploy-7*"}}`:            true,
		`{"ArnLike":{"aws:PrincipalArn":"arn:aws:iam::700000000009:role/deploy-1*"}}`:    false,
		`{"StringLike":{"aws:PrincipalArn":"arn:aws:iam*700000000009:role/deploy"}}`:     true,
		`{"StringLike":{"aws:PrincipalOrgID":"o-*"}}`:                                    false,
		`{"ForAnyValue:StringLike":{"aws:PrincipalOrgPaths":"o-exampleorgid/r-ab12/*"}}`: false,
	} {
		d := parsed(t, `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"*"},"Action":"sts:AssumeRole","Condition":`+condition+`}]}`)
		if got := tellsAccountsApart(d); got != want {
			t.Errorf("%s: %v", condition, got)
		}
	}
}

// BenchmarkMembers prints what one document takes by the size of the
// organization.
func BenchmarkMembers(b *testing.B) {
	const head = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"sts:AssumeRole","Principal":`
	rules := rulesFile(b, "version: 1\norganization:\n  id: o-exampleorgid\n  accounts:\n    - {id: \"111122223333\", name: prod, unit: x}\n    - {id: \"222222222222\", name: people, unit: x}\n")
	for _, d := range []struct{ name, text string }{
		{"organization", head + `{"AWS":"*"},"Condition":{"StringEquals":{"aws:PrincipalOrgID":"o-exampleorgid"}}}]}`},
		{"account", head + `{"AWS":"arn:aws:iam::222222222222:root"}}]}`},
		{"service", head + `{"Service":"states.amazonaws.com"}}]}`},
		{"part", head + `{"AWS":"*"},"Condition":{"StringLike":{"aws:PrincipalAccount":"7*"}}}]}`},
	} {
		for _, n := range []int{10, 1000, 5000} {
			in := Input{Now: noon(), Org: crowded(rules, n), Role: roleOf(b, "arn:aws:iam::111122223333:role/app"), Document: parsed(b, d.text)}
			b.Run(fmt.Sprintf("%s/%d", d.name, n), func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					Judge(in)
				}
			})
		}
	}
}
