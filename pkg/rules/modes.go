package rules

import (
	"errors"
	"fmt"
	"strings"

	"github.com/rolewarden/rolewarden/pkg/finding"
	"github.com/rolewarden/rolewarden/pkg/org"
)

// Modes gives, for each rule with an open finding, how far it may go on this
// role: the rules file's mode, lowered to the rule's reach. A rule whose
// findings are all advice only observes.
func Modes(in Input, r finding.Report) map[string]org.Mode {
	in = in.settled()
	modes := map[string]org.Mode{}
	for _, f := range r.Open() {
		rule, ok := Find(f.Rule)
		switch {
		case !ok || !breaks(f):
			modes[f.Rule] = max(modes[f.Rule], org.Observe)
		default:
			modes[f.Rule] = rule.Reach.limit(in.Org.Mode(f.Rule, in.Role.Account))
		}
	}
	return modes
}

// Check tells of rule ids in a rules file that are not in the catalogue, with
// line and the nearest one that is: a slip there would leave a rule without
// the setting or exemption that somebody relies on.
func Check(r *org.Rules) error {
	var errs []error
	for _, l := range r.RuleIDs() {
		if _, ok := Find(l.ID); !ok {
			errs = append(errs, fmt.Errorf("%d:%d: %q is no rule: write %s, or another of %s",
				l.Line, l.Column, l.ID, nearest(l.ID), strings.Join(IDs(), ", ")))
		}
	}
	return errors.Join(errs...)
}

// nearest gives the id of the catalogue that takes the fewest edits.
func nearest(id string) string {
	best, least := "", -1
	for _, known := range IDs() {
		if d := distance(id, known); least < 0 || d < least {
			best, least = known, d
		}
	}
	return best
}

// distance counts the insertions, deletions and replacements between two texts.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
