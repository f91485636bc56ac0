package rules

import (
	"strings"
	"testing"

	"github.com/rolewarden/rolewarden/pkg/finding"
	"github.com/rolewarden/rolewarden/pkg/org"
	"github.com/rolewarden/rolewarden/pkg/policy"
)

const sharedRules = `version: 1
organization:
  id: o-exampleorgid
  accounts:
    - {id: "111122223333"}
partners:
  - {name: acme, accounts: ["444455556666", "555555555555"]}
  - {name: initech, accounts: ["777788889999"]}
`

// trusting gives a document that lets accounts in under an external ID.
func trusting(t *testing.T, where, id, roleARN string, accounts ...string) Document {
	t.Helper()
	text := `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"AWS":["` +
		strings.Join(accounts, `","`) + `"]},"Condition":{"StringEquals":{"sts:ExternalId":"` + id + `"}}}}`
	d, err := policy.Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	rules, err := org.Parse("rules.yaml", []byte(sharedRules), noon())
	if err != nil {
		t.Fatal(err)
	}
	in := Input{Org: rules, Document: d, Now: noon()}
	if roleARN != "" {
		in.Role = roleOf(t, roleARN)
	}
	return Document{Where: where, Input: in}
}

// Two partners that give one ID are told of, in each document and with the
// other's name; the ID itself is in no word of it.
func TestSharedExternalIDsAreTold(t *testing.T) {
	const app, secret = "arn:aws:iam::111122223333:role/app", "one-id-for-all-4711"
	cases := []struct {
		name string
		docs []Document
		want []int
	}{
		{"two partners in two files", []Document{
			trusting(t, "a.json", secret, "", "444455556666"), trusting(t, "b.json", secret, "", "777788889999"),
		}, []int{1, 1}},
		{"two partners in one file", []Document{trusting(t, "a.json", secret, app, "444455556666", "777788889999")}, []int{2}},
		{"in another case", []Document{
			trusting(t, "a.json", secret, app, "444455556666"), trusting(t, "b.json", strings.ToUpper(secret), app, "777788889999"),
		}, []int{1, 1}},
		{"one partner's roles and accounts", []Document{
			trusting(t, "a.json", secret, app, "444455556666"), trusting(t, "b.json", secret, app, "555555555555"),
			trusting(t, "c.json", secret, app, "444455556666"),
		}, []int{0, 0, 0}},
		{"one vendor's accounts, which nobody listed", []Document{
			trusting(t, "a.json", secret, app, "464622532012"), trusting(t, "b.json", secret, app, "865078226113"),
		}, []int{0, 0}},
		{"a vendor and a partner", []Document{
			trusting(t, "a.json", secret, "", "464622532012"), trusting(t, "b.json", secret, "", "777788889999"),
		}, []int{1, 1}},
		{"an account nobody knows, which may be the role's own", []Document{
			trusting(t, "a.json", secret, "", "999999999999"), trusting(t, "b.json", secret, "", "777788889999"),
		}, []int{0, 0}},
		{"an account nobody knows, which is not the role's own", []Document{
			trusting(t, "a.json", secret, app, "999999999999"), trusting(t, "b.json", secret, app, "777788889999"),
		}, []int{1, 1}},
		{"whatever each caller is named", []Document{
			trusting(t, "a.json", "${aws:username}", app, "444455556666"), trusting(t, "b.json", "${aws:username}", app, "777788889999"),
		}, []int{0, 0}},
		{"two IDs", []Document{
			trusting(t, "a.json", secret, app, "444455556666"), trusting(t, "b.json", "another-id-0815", app, "777788889999"),
		}, []int{0, 0}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			found := SharedExternalIDs([]byte("key"), c.docs)
			for i, want := range c.want {
				if len(found[i]) != want {
					t.Errorf("%s: %d findings, want %d: %+v", c.docs[i].Where, len(found[i]), want, found[i])
				}
				for _, f := range found[i] {
					if f.Rule != externalIDID || f.Evidence.Kind != finding.Pair || f.Severity != finding.Low || f.Where != "Statement[0].Condition.StringEquals.sts:ExternalId" {
						t.Errorf("%+v", f)
					}
					if text := strings.ToLower(f.Message + f.Fix + f.Evidence.Sentence + strings.Join(f.Evidence.Others, "")); strings.Contains(text, secret) {
						t.Errorf("the ID is told: %s", text)
					}
				}
			}
		})
	}
}

// An ID that a Deny asks for, in that it keeps all others out, is shared like
// one that an Allow asks for; one that a Deny keeps out is nobody's.
func TestSharedExternalIDsOfADeny(t *testing.T) {
	const app, secret = "arn:aws:iam::111122223333:role/app", "one-id-for-all-4711"
	a := trusting(t, "a.json", secret, app, "444455556666")
	for operator, want := range map[string]int{"StringNotEquals": 1, "StringEquals": 0} {
		b := trusting(t, "b.json", secret, app, "777788889999")
		allow := b.Input.Document.Statements[0]
		deny := policy.Statement{
			Effect: policy.Deny, Actions: []string{"sts:AssumeRole"}, Principal: policy.Principals{List: []policy.Principal{{Type: "AWS", Value: "*", Kind: policy.Anyone}}},
			Conditions: []policy.Condition{{Operator: operator, Key: externalIDKey, Values: []string{secret}}},
		}
		allow.Conditions = nil
		b.Input.Document.Statements = []policy.Statement{allow, deny}
		found := SharedExternalIDs([]byte("key"), []Document{a, b})
		if len(found[0]) != want || len(found[1]) != want {
			t.Errorf("a Deny with %s: %d and %d findings, want %d each", operator, len(found[0]), len(found[1]), want)
		}
		for _, f := range found[1] {
			if f.Where != "Statement[1].Condition.StringNotEquals.sts:ExternalId" {
				t.Errorf("found at %s", f.Where)
			}
		}
	}
}

// Where the rules file asks no external ID of a role, or takes the rule out for
// all, nothing is said of one that is shared.
func TestSharedExternalIDsWhereTheyAreAsked(t *testing.T) {
	const app, secret = "arn:aws:iam::111122223333:role/app", "one-id-for-all-4711"
	for setting, want := range map[string]int{
		`{off: true}`: 0, `{roles: ["arn:aws:iam::111122223333:role/other"]}`: 0, `{roles: ["arn:aws:iam::111122223333:role/a*"]}`: 1,
	} {
		rules, err := org.Parse("rules.yaml", []byte(sharedRules+"rules:\n  external-id: "+setting+"\n"), noon())
		if err != nil {
			t.Fatal(err)
		}
		a, b := trusting(t, "a.json", secret, app, "444455556666"), trusting(t, "b.json", secret, app, "777788889999")
		a.Input.Org, b.Input.Org = rules, rules
		if found := SharedExternalIDs([]byte("key"), []Document{a, b}); len(found[0]) != want || len(found[1]) != want {
			t.Errorf("%s: %d and %d findings, want %d each", setting, len(found[0]), len(found[1]), want)
		}
	}
}

// A document whose Deny shuts the partner out shares nothing.
func TestSharedExternalIDsAreProven(t *testing.T) {
	a := trusting(t, "a.json", "one-id-for-all-4711", "arn:aws:iam::111122223333:role/app", "444455556666")
	b := trusting(t, "b.json", "one-id-for-all-4711", "arn:aws:iam::111122223333:role/app", "777788889999")
	b.Input.Document.Statements = append(b.Input.Document.Statements, policy.Statement{
		Effect: policy.Deny, Actions: []string{"sts:AssumeRole"}, Principal: policy.Principals{List: []policy.Principal{{Type: "AWS", Value: "*", Kind: policy.Anyone}}},
	})
	if found := SharedExternalIDs([]byte("key"), []Document{a, b}); len(found[0])+len(found[1]) != 0 {
		t.Errorf("%+v", found)
	}
}

// Put into a report, a shared ID is a breach like any other: it makes a
// compliant role Noncompliant, and an exemption covers it.
func TestAddJudgesAnew(t *testing.T) {
	d := trusting(t, "a.json", "one-id-for-all-4711", "arn:aws:iam::111122223333:role/app", "444455556666", "777788889999")
	found := SharedExternalIDs([]byte("key"), []Document{d})[0]
	before := finding.Report{Verdict: finding.Compliant}
	if r := Add(d.Input, before, found); r.Verdict != finding.Noncompliant || len(r.Findings) != 2 {
		t.Errorf("%+v", r)
	}
	if r := Add(d.Input, before, nil); r.Verdict != finding.Compliant {
		t.Errorf("%+v", r)
	}
	d.Input.Org.Exemptions = []org.Exemption{{Rules: []string{externalIDID}, Role: d.Input.Role.ARN, Ticket: "SEC-1", Expires: noon().AddDate(0, 1, 0)}}
	if r := Add(d.Input, before, found); r.Verdict != finding.Compliant || r.Findings[0].Exemption != "SEC-1" {
		t.Errorf("%+v", r)
	}
}
