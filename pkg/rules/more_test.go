package rules

import (
	"slices"
	"strings"
	"testing"

	"github.com/rolewarden/rolewarden/pkg/finding"
	"github.com/rolewarden/rolewarden/pkg/policy"
)

// T35, T41: what the rules on names, on text without effect and on text without
// a meaning find stays found, or is left undecided, whatever Allow is added: no
// finding is hidden by letting in more.
func TestAnAllowMoreTakesNoFindingAway(t *testing.T) {
	var pool []policy.Statement
	for i, p := range readCorpus(t) {
		d, err := policy.Parse([]byte(p.text))
		if err != nil || i%9 != 0 {
			continue
		}
		for _, st := range d.Statements {
			if st.Effect == policy.Allow {
				pool = append(pool, st)
			}
		}
	}
	for _, id := range []string{danglingPrincipalConditionID, noEffectID, unsupportedID} {
		_, cases := readCases(t, fileOf(id, ".txtar"))
		for _, c := range cases {
			in, text := c.input(t)
			d, err := policy.Parse([]byte(text))
			if err != nil {
				continue
			}
			in.Document = d
			if !found(Judge(in), id) {
				continue
			}
			for _, more := range pool {
				in.Document.Statements = append(slices.Clone(d.Statements), more)
				after := Judge(in)
				open := slices.ContainsFunc(after.Reasons, func(r string) bool { return strings.Contains(r, id) })
				if !found(after, id) && !open || after.Verdict == finding.Compliant {
					t.Errorf("%s/%s: the finding is gone, %v\n%s", id, c.name, after.Verdict, in.Document.Print())
				}
			}
		}
	}
}

// found says whether a rule has a finding that changes the verdict.
func found(r finding.Report, id string) bool {
	return slices.ContainsFunc(r.Findings, func(f finding.Finding) bool { return f.Rule == id && breaks(f) })
}
