package policy_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rolewarden/rolewarden/pkg/policy"
	"pgregory.net/rapid"
)

// T24: one or many, white space, escapes and the order of elements change
// nothing of what is read.
func TestEverySpellingReadsAlike(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := document(t)
		text := spell(t, d)
		got, err := policy.Parse(text)
		if err != nil {
			t.Fatalf("%s\n%v", text, err)
		}
		if diff := cmp.Diff(d, got); diff != "" {
			t.Fatalf("%s\nreads otherwise:\n%s", text, diff)
		}
	})
}

// T26: what is written to IAM is what was read.
func TestPrintedDocumentsReadBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := document(t)
		text := d.Print()
		if strings.Contains(string(text), `\u003c`) {
			t.Fatalf("%s escapes for HTML", text)
		}
		got, err := policy.Parse(text)
		if err != nil {
			t.Fatalf("%s\n%v", text, err)
		}
		if diff := cmp.Diff(d, got); diff != "" {
			t.Fatalf("%s\nreads otherwise:\n%s", text, diff)
		}
	})
}

// Reading a canonical form back gives the same canonical form, in whatever
// partition it was made.
func TestCanonicalIsIdempotent(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		partition := rapid.SampledFrom([]string{"", "aws", "aws-cn"}).Draw(t, "partition")
		once := document(t).Canonical(partition)
		d, err := policy.Parse(once)
		if err != nil {
			t.Fatalf("%s\n%v", once, err)
		}
		if twice := d.Canonical(partition); string(once) != string(twice) {
			t.Fatalf("%s\nbecomes\n%s", once, twice)
		}
	})
}

// respell gives a document that says the same in other words.
func respell(t *rapid.T, d policy.Document) policy.Document {
	out := d
	if d.Version == "" {
		out.Version = "2008-10-17"
	}
	out.Statements = nil
	for _, s := range d.Statements {
		s.Actions = twist(t, recase(t, s.Actions))
		s.NotActions = twist(t, recase(t, s.NotActions))
		s.Principal.List = respellPrincipals(t, s.Principal.List)
		s.NotPrincipal.List = respellPrincipals(t, s.NotPrincipal.List)
		s.Conditions = slices.Clone(s.Conditions)
		for i, c := range s.Conditions {
			s.Conditions[i].Key = recase(t, []string{c.Key})[0]
			s.Conditions[i].Values = twist(t, c.Values)
		}
		if len(s.Conditions) > 0 {
			s.Conditions = rapid.Permutation(s.Conditions).Draw(t, "conditions")
		} else {
			s.Conditions = nil
		}
		out.Statements = append(out.Statements, s)
	}
	return out
}

// recase changes the case of names.
func recase(t *rapid.T, names []string) []string {
	out := slices.Clone(names)
	for i := range out {
		if rapid.Bool().Draw(t, "upper") {
			out[i] = strings.ToUpper(out[i])
		}
	}
	return out
}

// twist changes the order of a list and repeats an element.
func twist(t *rapid.T, list []string) []string {
	if len(list) == 0 {
		return list
	}
	more := append(slices.Clone(list), rapid.SampledFrom(list).Draw(t, "again"))
	return rapid.Permutation(more).Draw(t, "order")
}

func respellPrincipals(t *rapid.T, list []policy.Principal) []policy.Principal {
	if len(list) == 0 {
		return list
	}
	out := slices.Clone(list)
	for i, p := range out {
		if p.Value == "111122223333" {
			out[i], _ = policy.ParsePrincipal("AWS", "arn:aws:iam::111122223333:root")
		}
	}
	return rapid.Permutation(out).Draw(t, "principals")
}

// IAM reorders lists and rewrites account ids, and case does not count in
// names: none of that may look like a change.
func TestDigestIgnoresSpelling(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := document(t)
		e := respell(t, d)
		if d.Digest("aws") != e.Digest("aws") || !d.Equal(e, "aws") {
			t.Fatalf("differ:\n%s\n%s", d.Canonical("aws"), e.Canonical("aws"))
		}
	})
}

// changes are all the ways in which one element of a document can matter.
var changes = map[string]func(d *policy.Document){
	"version": func(d *policy.Document) {
		if d.Version == "2012-10-17" {
			d.Version = ""
		} else {
			d.Version = "2012-10-17"
		}
	},
	"id":     func(d *policy.Document) { d.ID += "x" },
	"sid":    func(d *policy.Document) { d.Statements[0].Sid += "x" },
	"effect": func(d *policy.Document) { d.Statements[0].Effect = policy.Allow + policy.Deny - d.Statements[0].Effect },
	"principal": func(d *policy.Document) {
		p, _ := policy.ParsePrincipal("AWS", "arn:aws:iam::111122223333:user/mallory")
		s := &d.Statements[0].Principal
		if d.Statements[0].NotPrincipal.Present() {
			s = &d.Statements[0].NotPrincipal
		}
		s.Star, s.List = false, append(slices.Clone(s.List), p)
	},
	"case of a principal": func(d *policy.Document) {
		p, _ := policy.ParsePrincipal("Service", "EC2.amazonaws.com")
		d.Statements[0].NotPrincipal = policy.Principals{}
		d.Statements[0].Principal = policy.Principals{List: []policy.Principal{p}}
	},
	"not principal": func(d *policy.Document) {
		s := &d.Statements[0]
		s.Principal, s.NotPrincipal = s.NotPrincipal, s.Principal
	},
	"action": func(d *policy.Document) {
		s := &d.Statements[0]
		s.Actions, s.NotActions = append(slices.Clone(s.Actions), "sts:SetContext"), nil
	},
	"not action": func(d *policy.Document) {
		s := &d.Statements[0]
		s.Actions, s.NotActions = s.NotActions, s.Actions
	},
	"resource": func(d *policy.Document) {
		d.Statements[0].Resources = append(slices.Clone(d.Statements[0].Resources), "arn:aws:iam::111122223333:role/y")
	},
	"condition": func(d *policy.Document) {
		d.Statements[0].Conditions = append(slices.Clone(d.Statements[0].Conditions),
			policy.Condition{Operator: "StringEquals", Key: "aws:userid", Values: []string{"x"}})
	},
	"a value's case": func(d *policy.Document) {
		s := &d.Statements[0]
		s.Conditions = slices.Clone(s.Conditions)
		for i, c := range s.Conditions {
			s.Conditions[i].Values = append(slices.Clone(c.Values), "TRUE")
		}
		s.Conditions = append(s.Conditions, policy.Condition{Operator: "Bool", Key: "aws:SecureTransport", Values: []string{"TRUE"}})
	},
	"order of statements": func(d *policy.Document) {
		last := d.Statements[len(d.Statements)-1]
		last.Sid += "last"
		d.Statements = append([]policy.Statement{last}, d.Statements...)
	},
}

// Whatever could change who gets in changes the digest.
func TestDigestSeesEveryChange(t *testing.T) {
	for name, change := range changes {
		t.Run(name, func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) {
				d := document(t)
				e := d
				e.Statements = slices.Clone(d.Statements)
				change(&e)
				if d.Digest("aws") == e.Digest("aws") {
					t.Fatalf("not seen in\n%s", e.Canonical("aws"))
				}
			})
		})
	}
}

// A bare account id means the account in the role's own partition.
func TestAccountIDMeansTheRolesPartition(t *testing.T) {
	bare := parse(t, `{"Statement":{"Effect":"Allow","Principal":{"AWS":"111122223333"},"Action":"sts:AssumeRole"}}`)
	china := parse(t, `{"Statement":{"Effect":"Allow","Principal":{"AWS":"arn:aws-cn:iam::111122223333:root"},"Action":"sts:AssumeRole"}}`)
	if bare.Equal(china, "aws") || !bare.Equal(china, "aws-cn") {
		t.Error("want equal in aws-cn and different in aws")
	}
}

func parse(t *testing.T, text string) policy.Document {
	t.Helper()
	d, err := policy.Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return d
}
