package rules

import (
	"fmt"
	"slices"

	"github.com/rolewarden/rolewarden/pkg/finding"
)

// maxReadings bounds how often a document of unknown home is judged; one of many
// parts less often.
const maxReadings = 64

// reading is one way things may be where nobody said how they are: whose
// account the role is in, and which organization that account is in.
type reading struct {
	in Input
	// own and organization are the assumptions; empty where nothing is assumed
	// or, for the first reading, where the document names neither.
	own          string
	organization string
}

// readings gives every reading of an Input. The first takes the role's account
// and organization for ones that the document does not name. The second result
// is false when there are more readings than are tried.
func readings(s said, in Input) ([]reading, bool) {
	owns, organizations := []string{""}, []string{""}
	if in.Role.Account == "" {
		owns = append(owns, s.accounts...)
	}
	if in.Org.Organization.ID == "" {
		organizations = append(organizations, s.organizations...)
	}
	most := maxReadings
	if len(owns)*len(organizations) > 1 {
		most = min(most, max(1, 8*mostBreadth/(breadth(in.Document)+1)))
	}
	var out []reading
	for _, organization := range organizations {
		for _, own := range owns {
			if len(out) == most {
				return out, false
			}
			out = append(out, newReading(s, in, own, organization))
		}
	}
	return out, true
}

func newReading(s said, in Input, own, organization string) reading {
	r := reading{in: in, own: own, organization: organization}
	if in.Role.Account == "" {
		r.in.Role.Account = own
		if own == "" {
			r.in.Role.Account = s.unsaidAccount(in)
		}
	}
	if organization != "" {
		rules := *in.Org
		rules.Organization.ID = organization
		r.in.Org = &rules
	}
	return r
}

// underAll judges under every reading: a breach counts when it is one under all
// of them, its evidence being that of the first; when it is one under some,
// that is undecided and says what is to be told.
func (r Rule) underAll(s said, in Input) Judgement {
	all, whole := readings(s, in)
	first := r.Check(all[0].in)
	if r.homeless {
		return first
	}
	breach := hinges(first)
	var differ []reading
	if !whole {
		// Some reading is left out whatever the others say.
		all = all[:1]
	}
	for _, other := range all[1:] {
		j := r.Check(other.in)
		if hinges(j) != breach {
			differ = append(differ, other)
		}
		for _, u := range j.Undecided {
			if !slices.Contains(first.Undecided, u) {
				first.Undecided = append(first.Undecided, u)
			}
		}
	}
	if len(differ) == 0 && whole {
		return first
	}
	first.Findings = slices.DeleteFunc(first.Findings, hinging)
	first.Undecided = append(first.Undecided, hinge(differ))
	return first
}

// hinges says whether a judgement has a breach that may be another under
// another reading.
func hinges(j Judgement) bool { return slices.ContainsFunc(j.Findings, hinging) }

func hinging(f finding.Finding) bool {
	return breaks(f) && (f.Evidence.Kind == finding.Allowed || f.Evidence.Kind == finding.Refused)
}

// hinge says what would settle it.
func hinge(differ []reading) string {
	for _, d := range differ {
		if d.own != "" {
			return fmt.Sprintf("whether account %s is the role's own decides this: say which role this is with --role-arn", d.own)
		}
	}
	for _, d := range differ {
		if d.organization != "" {
			return fmt.Sprintf("whether %s is the role's own organization decides this: name the organization in the rules file (organization.id)", d.organization)
		}
	}
	return "the document names too many accounts to try each as the role's own: say which role this is with --role-arn"
}
