package rules

import (
	"slices"
	"strings"

	"github.com/rolewarden/rolewarden/pkg/finding"
	"github.com/rolewarden/rolewarden/pkg/policy"
)

// mendNoEffect writes ForAllValues on a key of one value as the plain operator.
// IfExists is how one says that a key may be left out (IAM User Guide,
// reference_policies_elements_condition_operators), so what its writer meant is
// not known, and no rule of the organization asks for the key: somebody may well
// come in without it. ForAllValues has no such use on a key of one value, and
// means the entry to hold.
func mendNoEffect(in Input, f finding.Finding) []policy.Document {
	for i, st := range in.Document.Statements {
		for k, c := range st.Conditions {
			o, ok := policy.ParseOperator(c.Operator)
			if !ok || st.Effect != policy.Allow || f.Severity == finding.Advice || conditionAt(i, c) != f.Where || o.Negated || o.IfExists || !ofOneValue(c.Key) {
				continue
			}
			d := in.Document
			d.Statements = slices.Clone(d.Statements)
			st.Conditions = slices.Clone(st.Conditions)
			st.Conditions[k].Operator = firm(o).String()
			d.Statements[i] = st
			return []policy.Document{d}
		}
	}
	return nil
}

// ofOneValue says whether a key is one of AWS's own that has one value. Of
// claims that is for their provider to say.
func ofOneValue(key string) bool {
	key = strings.ToLower(key)
	global := strings.HasPrefix(key, "aws:") || strings.HasPrefix(key, "sts:")
	return global && !slices.Contains([]string{"aws:principalorgpaths", "aws:sourceorgpaths", "aws:resourceorgpaths", "aws:tagkeys", "aws:calledvia", "aws:principalservicenameslist", "sts:transitivetagkeys"}, key)
}
