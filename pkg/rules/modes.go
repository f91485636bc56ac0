package rules

import (
	"errors"
	"fmt"
	"slices"
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
		rule, ok := FindUnder(in.Org, f.Rule)
		switch {
		case !ok || !breaks(f) || doubtfulID(f):
			modes[f.Rule] = max(modes[f.Rule], org.Observe)
		default:
			modes[f.Rule] = rule.Reach.limit(in.Org.Mode(f.Rule, in.Role.Account))
		}
	}
	return modes
}

// doubtfulID says whether a finding is about a unique ID whose owner may live:
// nothing is written for it, not even a tag (T47).
func doubtfulID(f finding.Finding) bool {
	p := f.Evidence.Principal
	return f.Rule == UniqueIDPrincipal && p != nil && !asserts(p.Standing)
}

// Check tells of rule ids in a rules file that are no rule's, with line and the
// nearest one that is: a slip there would leave a rule without the setting or
// exemption that somebody relies on. And it tells of rules of the organization's
// own under an id of the catalogue: one of the two would be judged in the name
// of the other; and of those whose demands nobody can meet.
func Check(r *org.Rules) error {
	var errs []error
	known := IDsUnder(r)
	for _, l := range r.RuleIDs() {
		if !slices.Contains(known, l.ID) {
			errs = append(errs, fmt.Errorf("%d:%d: %q is no rule: write %s, or another of %s",
				l.Line, l.Column, l.ID, nearest(known, l.ID), strings.Join(known, ", ")))
		}
	}
	if r == nil {
		return errors.Join(errs...)
	}
	for _, l := range r.Containment.Places {
		if known, ok := FindUnder(r, l.ID); ok && known.Reach != MayWrite {
			errs = append(errs, fmt.Errorf("%d:%d: containment for %q, which never writes: list a rule that may revert a role", l.Line, l.Column, l.ID))
		}
	}
	for _, c := range r.Custom {
		if _, taken := Find(c.ID); taken {
			errs = append(errs, fmt.Errorf("%d:%d: %q is a rule of the catalogue: give yours an id of its own", c.Line, c.Column, c.ID))
		}
		if err := (custom{CustomRule: c}).meetable(r); err != nil {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// CheckFile is Check, with the file's name before each mistake.
func CheckFile(name string, r *org.Rules) error {
	unknown := Check(r)
	if unknown == nil {
		return nil
	}
	var errs []error
	for line := range strings.Lines(unknown.Error()) {
		errs = append(errs, fmt.Errorf("%s:%s", name, strings.TrimSuffix(line, "\n")))
	}
	return errors.Join(errs...)
}

// nearest gives the id that takes the fewest edits.
func nearest(ids []string, id string) string {
	best, least := "", -1
	for _, known := range ids {
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
