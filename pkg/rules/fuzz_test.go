package rules

import (
	"slices"
	"testing"

	"github.com/rolewarden/rolewarden/pkg/access"
	"github.com/rolewarden/rolewarden/pkg/finding"
	"github.com/rolewarden/rolewarden/pkg/policy"
)

// Whatever text comes, a report is whole: evidence that holds, reasons where
// the verdict is Undecided, and no finding where it is Compliant.
func FuzzJudgeText(f *testing.F) {
	var in Input
	for _, p := range readCorpus(f) {
		f.Add(p.text)
		in = p.in
	}
	for _, text := range unsettled() {
		f.Add(`{"Version":"2012-10-17","Statement":[` + text + `]}`)
	}
	in.Role = roleOf(f, "arn:aws:iam::111122223333:role/app")
	f.Fuzz(func(t *testing.T, text string) {
		r := JudgeText(in, text)
		breach := slices.ContainsFunc(r.Open(), func(f finding.Finding) bool { return breaks(f) && (!ofTheText(f) || len(r.Reasons) == 0) })
		if breach != (r.Verdict == finding.Noncompliant) || !breach && (len(r.Reasons) > 0) != (r.Verdict == finding.Undecided) {
			t.Fatalf("%v\n%s", r.Verdict, lines(r, ""))
		}
		d, err := policy.Parse([]byte(text))
		for _, found := range r.Findings {
			if err != nil && found.Rule != unsupportedID {
				t.Fatalf("a finding in what is no policy: %+v", found)
			}
			if found.Evidence.Kind == finding.Allowed {
				if got := access.Evaluate(d, *found.Evidence.Request); got.Decision != access.Allowed {
					t.Fatalf("%s: the witness is %v: %s", found.Rule, got.Decision, found.Evidence.Sentence)
				}
			}
		}
	})
}
