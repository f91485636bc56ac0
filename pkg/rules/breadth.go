package rules

import (
	"fmt"
	"strings"

	"github.com/rolewarden/rolewarden/pkg/finding"
	"github.com/rolewarden/rolewarden/pkg/policy"
)

// mostBreadth bounds what all rules look at, in parts of a document weighed by
// what the dearest rule makes of them; proof has bounds of its own on how parts
// hang together. A trust policy has 2,048 characters unless AWS grants the
// account more (IAM User Guide, reference_iam-quotas): room for a hundred
// principals with all that usually goes with them, a fifth of this.
const mostBreadth = 8192

// What a part weighs. Values are only read, the others are asked about, or
// compared with their like.
const (
	aStatement, aPrincipal, aProvider, aCondition = 16, 16, 64, 16
	anAction, anAccount, aPattern, aValue         = 4, 16, 4, 1
	// longValue is from what length on a value's characters weigh more.
	longValue = 256
)

// breadth weighs the parts of a document.
func breadth(d policy.Document) int {
	n := 0
	for i := range d.Statements {
		st := &d.Statements[i]
		n += aStatement + anAction*(len(st.Actions)+len(st.NotActions)+len(st.Resources)+len(st.NotResources))
		for _, list := range [...][]policy.Principal{st.Principal.List, st.NotPrincipal.List} {
			for k := range list {
				n += aPrincipal
				if list[k].Type == "Federated" {
					n += aProvider - aPrincipal
				}
			}
		}
		for k := range st.Conditions {
			n += aCondition
			for _, v := range st.Conditions[k].Values {
				n += weight(v)
			}
		}
	}
	return n
}

// weight is that of one value of a condition.
func weight(v string) int {
	n := aValue
	switch {
	case policy.IsAccountID(v):
		n = anAccount
	case strings.IndexByte(v, '*') >= 0 || strings.IndexByte(v, '?') >= 0 || strings.IndexByte(v, '$') >= 0:
		n = aPattern
	}
	if len(v) > longValue {
		return n + len(v)/4
	}
	return n + len(v)/16
}

// tooDear is why a document is left undecided that costs too much to make ready.
const tooDear = "the document is beyond the bound on what the search may do"

// tooBroad says why a document is left undecided as a whole; empty when it is not.
func tooBroad(d policy.Document) string {
	n := breadth(d)
	if n <= mostBreadth {
		return ""
	}
	return fmt.Sprintf("the document has more parts than are judged (%d by weight, where the most is %d)", n, mostBreadth)
}

// unjudged gives the judgement of a document that is left undecided as a whole:
// every rule that has to do with it has that doubt. Only whether it lets in a
// stranger who just calls is tried all the same. What a rule judges without the
// document it judges as ever.
func unjudged(in Input, why string) ([]finding.Finding, doubts) {
	var findings []finding.Finding
	var open doubts
	for _, r := range Under(in.Org) {
		if r.ID == mfaID && in.Org.Setting(mfaID).Line == 0 {
			continue
		}
		if r.ID != sessionPolicyID {
			r.homeless = true
			r.Check = func(Input) Judgement { return Judgement{Undecided: []string{why}} }
		}
		if r.ID == publicPrincipalID {
			r.Check = func(in Input) Judgement {
				return Judgement{Findings: tryStrangers(in), Undecided: []string{why}}
			}
		}
		j := r.judge(said{}, in)
		findings = append(findings, j.Findings...)
		open.add(r.ID, j.Undecided)
	}
	return findings, open
}
