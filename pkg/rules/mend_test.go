package rules

import (
	"bytes"
	"slices"
	"testing"

	"github.com/rolewarden/rolewarden/pkg/policy"
	"github.com/rolewarden/rolewarden/pkg/proof"
)

// deniedElsewhere gives a document with a Deny for each Allow that says the same
// of requests to one Region.
func deniedElsewhere(d policy.Document) policy.Document {
	d.Statements = slices.Clone(d.Statements)
	for _, st := range d.Statements {
		if st.Effect != policy.Allow {
			continue
		}
		st.Effect, st.Sid = policy.Deny, ""
		st.Conditions = append(slices.Clone(st.Conditions), policy.Condition{Operator: "StringEquals", Key: "aws:RequestedRegion", Values: []string{"mx-central-1"}})
		d.Statements = append(d.Statements, st)
	}
	return d
}

// Whatever a rule mends, it leaves every Deny as it is, even one that has the
// very slip that is mended in an Allow.
func TestNoMendTouchesADeny(t *testing.T) {
	for _, rule := range All() {
		if rule.Mend == nil {
			continue
		}
		candidates := 0
		_, cases := readCases(t, fileOf(rule.ID, ".txtar"))
		for _, c := range cases {
			in, text := c.input(t)
			d, err := policy.Parse([]byte(text))
			if err != nil {
				continue
			}
			in.Document = deniedElsewhere(d)
			in = in.settled()
			for _, f := range Judge(in).Findings {
				if f.Rule != rule.ID {
					continue
				}
				for _, candidate := range rule.Mend(in, f) {
					candidates++
					if !bytes.Equal(denies(candidate), denies(in.Document)) {
						t.Errorf("%s/%s: a Deny is changed:\n%s\n%s", rule.ID, c.name, denies(in.Document), denies(candidate))
					}
				}
			}
		}
		if candidates == 0 {
			t.Errorf("%s mends nothing in its cases", rule.ID)
		}
	}
}

// A claim that may have many values is mended to one of which some must match:
// what a plain operator makes of many is not documented.
func TestClaimsOfManyValuesAreMendedToSome(t *testing.T) {
	_, cases := readCases(t, fileOf(webIdentitySubjectID, ".txtar"))
	i := slices.IndexFunc(cases, func(c aCase) bool { return c.name == "flag-cognito-for-all-values" })
	in, text := cases[i].input(t)
	in.Document = parsed(t, text)
	p, ok := Propose(in, Judge(in))
	if !ok {
		t.Fatal("nothing is proposed")
	}
	for _, c := range p.Document.Statements[0].Conditions {
		if o, _ := policy.ParseOperator(c.Operator); c.Key == "cognito-identity.amazonaws.com:amr" && o.Set == policy.ForAnyValue {
			return
		}
	}
	t.Errorf("none of the token's amr must match:\n%s", p.Document.Print())
}

// A service is held by the key that it sends, and by no other, which would shut
// it out.
func TestAServiceIsHeldByWhatItSends(t *testing.T) {
	for service, key := range map[string]string{"logs": sourceARNKey, "datazone": sourceAccountKey, "states": sourceAccountKey} {
		in := Input{Now: noon(), Role: roleOf(t, "arn:aws:iam::111122223333:role/app")}
		in.Document = parsed(t, `{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Principal": {"Service": "`+service+`.amazonaws.com"}, "Action": "sts:AssumeRole"}}`)
		p, ok := Propose(in, Judge(in))
		if !ok {
			t.Errorf("%s: nothing is proposed", service)
			continue
		}
		if c := p.Document.Statements[0].Conditions; len(c) != 1 || c[0].Key != key {
			t.Errorf("%s is held by %+v, and sends %s", service, c, key)
		}
	}
}

// What lets a service in by two statements is proposed with both of them held.
func TestAServiceIsHeldInEveryStatement(t *testing.T) {
	_, cases := readCases(t, fileOf(serviceConfusedDeputyID, ".txtar"))
	i := slices.IndexFunc(cases, func(c aCase) bool { return c.name == "flag-two-statements" })
	in, text := cases[i].input(t)
	in.Document = parsed(t, text)
	p, ok := Propose(in, Judge(in))
	if !ok {
		t.Fatal("nothing is proposed")
	}
	in.Document = p.Document
	if r := Judge(in); len(r.Open()) != 0 {
		t.Errorf("%+v\n%s", r.Open(), p.Document.Print())
	}
}

// Somebody of a class who was let in must be still; of whom nobody knows, it may
// not become certain that nobody is.
func TestAProposalKeepsWhomTheDocumentNames(t *testing.T) {
	for before, want := range map[proof.Outcome][3]bool{
		proof.None:    {true, true, true},
		proof.Found:   {false, false, true},
		proof.Unknown: {true, false, true},
	} {
		for i, after := range []proof.Outcome{proof.Unknown, proof.None, proof.Found} {
			if got := keeps(before, after); got != want[i] {
				t.Errorf("%v before and %v after: kept %t", before, after, got)
			}
		}
	}
}
