package rules

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/rolewarden/rolewarden/pkg/finding"
	"github.com/rolewarden/rolewarden/pkg/org"
	"github.com/rolewarden/rolewarden/pkg/policy"
)

// same are changes of a document that change nothing of what it means.
func same() map[string]func(policy.Document) policy.Document {
	return map[string]func(policy.Document) policy.Document{
		"statements in reverse": func(d policy.Document) policy.Document {
			slices.Reverse(d.Statements)
			return d
		},
		"lists and conditions in reverse": func(d policy.Document) policy.Document {
			for i := range d.Statements {
				s := &d.Statements[i]
				slices.Reverse(s.Principal.List)
				slices.Reverse(s.Actions)
				slices.Reverse(s.NotActions)
				slices.Reverse(s.Conditions)
				for j := range s.Conditions {
					slices.Reverse(s.Conditions[j].Values)
				}
			}
			return d
		},
		"keys in capitals": func(d policy.Document) policy.Document {
			for i := range d.Statements {
				for j, c := range d.Statements[i].Conditions {
					d.Statements[i].Conditions[j].Key = strings.ToUpper(c.Key)
				}
			}
			return d
		},
		"actions in capitals": func(d policy.Document) policy.Document {
			for i := range d.Statements {
				for j, a := range d.Statements[i].Actions {
					d.Statements[i].Actions[j] = strings.ToUpper(a)
				}
			}
			return d
		},
		"account ids as root ARNs": func(d policy.Document) policy.Document { return respelled(d, rootARN) },
		"root ARNs as account ids": func(d policy.Document) policy.Document { return respelled(d, bareID) },
	}
}

func rootARN(p policy.Principal) string { return "arn:aws:iam::" + p.Account + ":root" }
func bareID(p policy.Principal) string  { return p.Account }

func respelled(d policy.Document, spell func(policy.Principal) string) policy.Document {
	for i := range d.Statements {
		for j, p := range d.Statements[i].Principal.List {
			if p.Kind == policy.Account && (p.Partition == "aws" || p.Partition == "") {
				d.Statements[i].Principal.List[j], _ = policy.ParsePrincipal("AWS", spell(p))
			}
		}
	}
	return d
}

// copied gives a deep copy, so that a law may change it in place.
func copied(t testing.TB, d policy.Document) policy.Document { return parsed(t, string(d.Print())) }

// The spelling of a document changes no verdict and no rule's say: order,
// letter case of keys and actions, account id or root ARN (T34, T36, T39).
func TestSpellingChangesNothing(t *testing.T) {
	for _, p := range readCorpus(t) {
		d, err := policy.Parse([]byte(p.text))
		if err != nil {
			continue
		}
		for name, change := range same() {
			if p.path[:4] == "home" && strings.Contains(name, "root") {
				continue // a bare id takes the role's partition
			}
			in := p.in
			in.Document = change(copied(t, d))
			if got := saidBy(Judge(in)); !slices.Equal(got, p.says) {
				t.Errorf("%s, %s: %v, want %v", p.path, name, got, p.says)
			}
		}
	}
}

// Blank space in the text changes nothing.
func TestBlankSpaceChangesNothing(t *testing.T) {
	for _, p := range readCorpus(t) {
		var short, long bytes.Buffer
		if err := json.Compact(&short, []byte(p.text)); err != nil {
			t.Fatal(err)
		}
		if err := json.Indent(&long, []byte(p.text), "\t", "  "); err != nil {
			t.Fatal(err)
		}
		for _, text := range []string{short.String(), long.String()} {
			if got := saidBy(JudgeText(p.in, text)); !slices.Equal(got, p.says) {
				t.Errorf("%s: %v, want %v", p.path, got, p.says)
			}
		}
	}
}

// rank orders verdicts from good to bad.
func rank(v finding.Verdict) int {
	switch v {
	case finding.Compliant:
		return 0
	case finding.Undecided:
		return 1
	case finding.Noncompliant:
		return 2
	default:
		return 3
	}
}

// T35: an Allow more never makes a verdict better, whatever stands there
// already, and neither does the order in which statements stand. The documents
// are drawn from the corpus's statements. set-source-identity is left out: it
// tells of access that is missing, which an Allow may give. So are the rules that
// speak of the text and not of who gets in: beside them alone nobody does, and an
// Allow more may leave that open.
func TestAnAllowMoreNeverImproves(t *testing.T) {
	var pool []policy.Statement
	var base Input
	for _, p := range readCorpus(t) {
		d, err := policy.Parse([]byte(p.text))
		if err == nil && p.in.Role.Partition == "aws" && p.in.Org.Member("999999999999") {
			pool, base = append(pool, d.Statements...), p.in
		}
	}
	base.Role = roleOf(t, "arn:aws:iam::111122223333:role/app")
	rules := *base.Org
	rules.Settings = map[string]org.Setting{setSourceIdentityID: {Off: true}, noEffectID: {Off: true}, unsupportedID: {Off: true}}
	base.Org = &rules
	open := parsed(t, `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":["222222222222","444455556666"]},"Action":"sts:AssumeRole"}]}`).Statements[0]
	rapid.Check(t, func(t *rapid.T) {
		drawn := rapid.SliceOfN(rapid.SampledFrom(pool), 1, 4).Draw(t, "statements")
		in := base
		in.Document = policy.Document{Version: "2012-10-17", Statements: drawn}
		before := Judge(in)

		in.Document.Statements = slices.Clone(drawn)
		slices.Reverse(in.Document.Statements)
		if turned := Judge(in); !slices.Equal(saidBy(turned), saidBy(before)) {
			t.Fatalf("in reverse %v, before %v\n%s", saidBy(turned), saidBy(before), in.Document.Print())
		}

		more := rapid.SampledFrom(append([]policy.Statement{open}, pool...)).Draw(t, "more")
		if more.Effect != policy.Allow {
			more = open
		}
		in.Document.Statements = append(slices.Clone(drawn), more)
		if after := Judge(in); rank(after.Verdict) < rank(before.Verdict) {
			t.Fatalf("%v became %v\n%s", before.Verdict, after.Verdict, in.Document.Print())
		}
	})
}
