package rules

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/rolewarden/rolewarden/pkg/access"
	"github.com/rolewarden/rolewarden/pkg/finding"
	"github.com/rolewarden/rolewarden/pkg/org"
	"github.com/rolewarden/rolewarden/pkg/policy"
	"github.com/rolewarden/rolewarden/pkg/proof"
)

// proposed writes the proposal for a policy: whose findings it mends, and the
// document; "none" where there is none.
func proposed(t testing.TB, in Input, text string) string {
	t.Helper()
	d, err := policy.Parse([]byte(text))
	if err != nil {
		return "none\n"
	}
	in.Document = d
	p, ok := Propose(in, Judge(in))
	if !ok {
		return "none\n"
	}
	out := jsontext.Value(p.Document.Print())
	if err := out.Indent(jsontext.WithIndent("  ")); err != nil {
		t.Fatal(err)
	}
	return "mends " + strings.Join(p.Rules, ", ") + "\n" + string(out) + "\n"
}

// checkProposal holds a proposal to its promises, apart from the code that made
// it: the text parses to the document, each mended rule has no open finding,
// nothing is newly allowed under any account that could be the role's, and every
// Deny stands.
func checkProposal(in Input, before finding.Report, p Proposal) error {
	in = in.settled()
	again, err := policy.Parse(p.Document.Print())
	if err != nil {
		return fmt.Errorf("it is no policy: %w", err)
	}
	after := in
	after.Document = again
	r := Judge(after)
	open := func(r finding.Report, rule string) bool {
		return slices.ContainsFunc(r.Open(), func(f finding.Finding) bool { return f.Rule == rule && breaks(f) })
	}
	for _, rule := range p.Rules {
		if open(r, rule) || slices.ContainsFunc(r.Reasons, func(s string) bool { return strings.Contains(s, rule) }) {
			return fmt.Errorf("%s is not silent:\n%s", rule, lines(r, ""))
		}
	}
	for _, f := range r.Findings {
		// Echoes of public-principal are heard once it is silent.
		if breaks(f) && !open(before, f.Rule) && f.Exemption == "" && !open(before, publicPrincipalID) {
			return fmt.Errorf("%s speaks:\n%s", f.Rule, lines(r, ""))
		}
	}
	if rank(r.Verdict) > rank(before.Verdict) {
		return fmt.Errorf("%v became %v", before.Verdict, r.Verdict)
	}
	if !bytes.Equal(denies(in.Document), denies(p.Document)) {
		return fmt.Errorf("a Deny was touched")
	}
	w := in.world()
	for _, own := range append(newSaid(in).accounts, newSaid(in).unsaidAccount(in)) {
		if in.Role.Account != "" {
			own = in.Role.Account
		}
		w.Own = own
		if c := proof.Compare(in.Document, p.Document, w); c.New.Outcome != proof.None {
			return fmt.Errorf("it newly allows, or may: %+v", c.New)
		}
	}
	return nil
}

// Every proposal for a document of the corpus keeps its promises, and documents
// whose intent is known do get one.
func TestProposalsForTheCorpus(t *testing.T) {
	flagged, mended := 0, 0
	for _, c := range readCorpus(t) {
		d, err := policy.Parse([]byte(c.text))
		if err != nil {
			continue
		}
		in := c.in
		in.Document = d
		r := Judge(in)
		p, ok := Propose(in, r)
		switch {
		case len(r.Open()) == 0 && ok:
			t.Errorf("%s: nothing is open, and %v is proposed", c.path, p.Rules)
		case len(r.Open()) > 0:
			flagged++
		}
		if !ok {
			continue
		}
		mended++
		if err := checkProposal(in, r, p); err != nil {
			t.Errorf("%s: %v\n%s", c.path, err, p.Document.Print())
		}
	}
	t.Logf("%d documents have an open finding, %d of them a proposal", flagged, mended)
	if mended < 25 {
		t.Errorf("%d proposals for %d documents", mended, flagged)
	}
}

// What is mended and what is left, case by case.
func TestProposalCases(t *testing.T) {
	const path = "testdata/proposals.txtar"
	archive, cases := readCases(t, path)
	got := map[string]string{}
	for _, c := range cases {
		in, text := c.input(t)
		got[c.name+"/proposal"] = proposed(t, in, text)
		if diff := cmp.Diff(c.files["proposal"], got[c.name+"/proposal"]); diff != "" && !*update {
			t.Errorf("%s: %s (-want +got):\n%s", c.name, c.files["why"], diff)
		}
	}
	if *update {
		rewrite(t, path, archive, got)
	}
}

// poolOf gives the statements of the corpus's documents of one rules file,
// and the Input to judge combinations of them with.
func poolOf(t testing.TB) ([]policy.Statement, Input) {
	t.Helper()
	var pool []policy.Statement
	var in Input
	for _, p := range readCorpus(t) {
		d, err := policy.Parse([]byte(p.text))
		if err == nil && p.in.Role.Partition == "aws" && p.in.Org.Member("999999999999") && len(p.in.Org.Settings) == 0 {
			pool, in = append(pool, d.Statements...), p.in
		}
	}
	in.Role = roleOf(t, "arn:aws:iam::111122223333:role/app")
	return pool, in
}

// loosened gives a statement as somebody may have written it who did not know
// that a key can be left out, or who kept a principal that is gone.
func loosened(st policy.Statement, how byte) policy.Statement {
	st.Conditions = slices.Clone(st.Conditions)
	for i, c := range st.Conditions {
		o, ok := policy.ParseOperator(c.Operator)
		if !ok || o.Set != policy.NoSet || o.Base == policy.Null {
			continue
		}
		switch how % 4 {
		case 1:
			st.Conditions[i].Operator = "ForAllValues:" + c.Operator
		case 2:
			if !o.IfExists {
				st.Conditions[i].Operator += "IfExists"
			}
		}
	}
	if how%4 == 3 && !st.Principal.Star && len(st.Principal.List) > 0 {
		gone, _ := policy.ParsePrincipal("AWS", "AROAZQ3DNV5IY6EXAMPLE")
		st.Principal.List = append(slices.Clone(st.Principal.List), gone)
	}
	return st
}

// Whatever statements stand together: nobody is let in by a proposal who was not
// before, and nobody is shut out who broke no rule, but who came in by a hole in
// a guard alone. Requests are tried one by
// one; what they break is said in plain code, without proof.
func TestProposalsForCombinations(t *testing.T) {
	pool, in := poolOf(t)
	requests, broken := trial()
	proposals := 0
	rapid.Check(t, func(t *rapid.T) {
		in.Document = policy.Document{Version: rapid.SampledFrom([]string{"2012-10-17", "2008-10-17"}).Draw(t, "version")}
		for _, st := range rapid.SliceOfN(rapid.SampledFrom(pool), 1, 3).Draw(t, "statements") {
			in.Document.Statements = append(in.Document.Statements, loosened(st, rapid.Byte().Draw(t, "loosened")))
		}
		before := Judge(in)
		p, ok := Propose(in, before)
		if !ok {
			return
		}
		proposals++
		if err := checkProposal(in, before, p); err != nil {
			t.Fatalf("%v\n%s\n%s", err, in.Document.Print(), p.Document.Print())
		}
		for i, r := range requests {
			r = r.Complete(members{})
			was, is := access.Evaluate(in.Document, r).Decision, access.Evaluate(p.Document, r).Decision
			if is == access.Allowed && was != access.Allowed {
				t.Fatalf("newly allowed: %s\n%s\n%s", r.Sentence(), in.Document.Print(), p.Document.Print())
			}
			// Who came in by a hole in a guard alone is shut out with the hole.
			guards := slices.ContainsFunc(p.Rules, func(rule string) bool {
				return rule != sessionNameID && rule != externalIDID && rule != uniqueIDPrincipalID
			})
			// A role stands in for an external ID only where the document names it.
			const excused = "arn:aws:iam::777788889999:role/collector"
			unnamed := r.Caller.Issuer == excused && !bytes.Contains(in.Document.Print(), []byte(excused))
			if was == access.Allowed && is != access.Allowed && len(broken[i]) == 0 && !guards && !unnamed {
				t.Fatalf("shut out: %s\n%s\n%s", r.Sentence(), in.Document.Print(), p.Document.Print())
			}
		}
	})
	t.Logf("%d proposals", proposals)
	if proposals == 0 {
		t.Error("no proposal was tried")
	}
}

// A proposal never allows anything new and always passes its rule, whatever
// statements of the corpus stand together and however they are loosened.
func FuzzPropose(f *testing.F) {
	pool, in := poolOf(f)
	rules := map[bool]*org.Rules{false: in.Org, true: rulesFile(f, bare+"rules:\n  source-identity:\n    callers: [users, roles, saml, oidc]\n    values: [\"*@acme.example\", Saanvi]\n"+
		"customRules:\n  - {id: team-tag, title: A team, why: it pays, callers: [{kind: users, accounts: own}, {kind: roles, accounts: outside}], require: [{operator: StringEquals, key: aws:PrincipalTag/team, values: [payments]}]}\n")}
	f.Add([]byte{0, 1, 2, 3})
	f.Fuzz(func(t *testing.T, picks []byte) {
		if len(picks) < 2 || len(picks) > 9 {
			return
		}
		in := in
		in.Org = rules[picks[0]&1 != 0]
		if picks[0]&2 != 0 {
			in.Role.ARN, in.Role.Account = "", ""
		}
		in.Document = policy.Document{Version: "2012-10-17"}
		if picks[0]&4 != 0 {
			in.Document.Version = "2008-10-17"
		}
		for i := 1; i+1 < len(picks); i += 2 {
			in.Document.Statements = append(in.Document.Statements, loosened(pool[int(picks[i])%len(pool)], picks[i+1]))
		}
		if len(in.Document.Statements) == 0 {
			return
		}
		before := Judge(in)
		if p, ok := Propose(in, before); ok {
			if err := checkProposal(in, before, p); err != nil {
				t.Fatalf("%v\n%s\n%s", err, in.Document.Print(), p.Document.Print())
			}
		}
	})
}
