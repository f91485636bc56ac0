package rules

import (
	"strings"
	"testing"

	"github.com/rolewarden/rolewarden/pkg/finding"
	"github.com/rolewarden/rolewarden/pkg/policy"
	"github.com/rolewarden/rolewarden/pkg/proof"
)

// mendedCases calls visit for every candidate of every open breach of a rule in
// its own cases.
func mendedCases(t *testing.T, id string, visit func(c aCase, in Input, f finding.Finding, mended policy.Document)) (candidates int) {
	t.Helper()
	rule, _ := Find(id)
	_, cases := readCases(t, fileOf(id, ".txtar"))
	for _, c := range cases {
		in, text := c.input(t)
		d, err := policy.Parse([]byte(text))
		if err != nil {
			continue
		}
		in.Document = d
		in = in.settled()
		for _, f := range Judge(in).Findings {
			if f.Rule != id || !breaks(f) {
				continue
			}
			for _, mended := range rule.Mend(in, f) {
				candidates++
				visit(c, in, f, mended)
			}
		}
	}
	return candidates
}

// A candidate ends its finding, and lets in nobody whom the document did not.
func TestMendedDocumentsEndTheFindingAndOpenNothing(t *testing.T) {
	for id, least := range map[string]int{serviceConfusedDeputyID: 20, mfaID: 8} {
		n := mendedCases(t, id, func(c aCase, in Input, f finding.Finding, mended policy.Document) {
			if _, err := policy.Parse(mended.Print()); err != nil {
				t.Errorf("%s/%s: the candidate is no policy: %v", id, c.name, err)
			}
			if got := proof.Compare(in.Document, mended, in.world()).New; got.Outcome != proof.None {
				t.Errorf("%s/%s: the candidate lets in somebody new: %+v", id, c.name, got)
			}
			after := in
			after.Document = mended
			for _, g := range Judge(after).Findings {
				if g.Rule == id && breaks(g) && (id == mfaID || g.Evidence.Request.Caller == f.Evidence.Request.Caller) {
					t.Errorf("%s/%s: still found: %s\n%s", id, c.name, g.Message, mended.Print())
				}
			}
		})
		if n < least {
			t.Errorf("%s: %d candidates, and should have %d", id, n, least)
		}
	}
}

// A demand is put on the service that can meet it and on nobody beside it.
func TestMendedServiceLeavesItsNeighboursAlone(t *testing.T) {
	in, r := judgeOne(t, bare, `{"Version":"2012-10-17","Statement":[{"Sid":"Work","Effect":"Allow",`+
		`"Principal":{"Service":["lambda.amazonaws.com","states.amazonaws.com"],"AWS":"arn:aws:iam::111122223333:role/ops"},`+
		`"Action":"sts:AssumeRole","Condition":{"StringEquals":{"aws:RequestedRegion":"eu-west-1"}}}]}`)
	got := mendServiceConfusedDeputy(in.settled(), r.Findings[0])
	if len(got) != 1 {
		t.Fatalf("%d candidates", len(got))
	}
	const want = `{"Version":"2012-10-17","Statement":[{"Sid":"Work","Effect":"Allow",` +
		`"Principal":{"Service":"lambda.amazonaws.com","AWS":"arn:aws:iam::111122223333:role/ops"},` +
		`"Action":"sts:AssumeRole","Condition":{"StringEquals":{"aws:RequestedRegion":"eu-west-1"}}},` +
		`{"Effect":"Allow","Principal":{"Service":"states.amazonaws.com"},` +
		`"Action":"sts:AssumeRole","Condition":{"StringEquals":{"aws:RequestedRegion":"eu-west-1","aws:SourceAccount":"111122223333"}}}]}`
	if text := string(got[0].Print()); text != want {
		t.Errorf("got  %s\nwant %s", text, want)
	}
}

// Nothing is proposed where it is not known what was meant, or whose role it is.
func TestNoMendWithoutKnowing(t *testing.T) {
	in, r := judgeOne(t, bare, `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"ssm.amazonaws.com"},"Action":"sts:AssumeRole"}]}`)
	if got := mendServiceConfusedDeputy(in.settled(), r.Findings[0]); got != nil {
		t.Errorf("advice: %s", got[0].Print())
	}
	in, r = judgeOne(t, bare, `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"states.amazonaws.com"},"Action":"sts:AssumeRole"}]}`)
	in.Role.ARN = ""
	if got := mendServiceConfusedDeputy(in.settled(), r.Findings[0]); got != nil {
		t.Errorf("an unknown home: %s", got[0].Print())
	}
	mendedCases(t, mfaID, func(c aCase, _ Input, _ finding.Finding, mended policy.Document) {
		if strings.Contains(c.files["policy.json"], ":role/deploy") {
			t.Errorf("%s: a role beside the user would be asked too: %s", c.name, mended.Print())
		}
	})
}
