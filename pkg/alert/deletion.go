package alert

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/rolewarden/rolewarden/pkg/decision"
	"github.com/rolewarden/rolewarden/pkg/finding"
	"github.com/rolewarden/rolewarden/pkg/role"
	"github.com/rolewarden/rolewarden/pkg/trail"
)

// Deletion is what is known when a user or role that others trust is deleted,
// or a user gets another name.
type Deletion struct {
	Now    time.Time
	Change trail.Change
	// Principal is who was deleted; its ID is empty when it was never seen.
	// RenamedTo is set where nobody was deleted and a name was given up.
	Principal finding.Principal
	// Trusting are the roles that trust it, as they stand.
	Trusting []Trusting
	// LivesStill says that something has its ARN now, and under which unique id.
	LivesStill string
	// Next says what rolewarden does with these roles next.
	Next string
	// Part counts the alerts about one deletion from 0, of Parts in all.
	Part, Parts int
}

// Trusting is a role and the places where it lets in, or spares, a principal.
type Trusting struct {
	Role   role.Role
	Places []Place
}

// Place is one place in a trust policy.
type Place struct {
	Where string
	Hold  Hold
}

// Hold says by what a trust policy knows somebody. Its zero value is Unread.
type Hold uint8

// By what a trust policy knows somebody.
const (
	// Unread: the role could not be read.
	Unread Hold = iota
	// ByPrincipal: IAM bound the principal to its unique id.
	ByPrincipal
	// ByName: a condition, or the principal of a single session, has the name.
	ByName
	// ByID: a condition has the unique id.
	ByID
)

// String gives "Unread", "ByPrincipal", "ByName" or "ByID".
func (h Hold) String() string {
	switch h {
	case Unread:
		return "Unread"
	case ByPrincipal:
		return "ByPrincipal"
	case ByName:
		return "ByName"
	case ByID:
		return "ByID"
	default:
		return "Hold?"
	}
}

// PartSize is the most roles that one alert about a deletion names.
const PartSize = 20

// maxParts bounds the alerts about one deletion; of more roles than fit these,
// each alert counts those that it has no room to name.
const maxParts = 20

// Split splits what is told of a deletion into alerts that have room for the
// names of all roles.
func (d Deletion) Split() []Deletion {
	var out []Deletion
	size := max(PartSize, (len(d.Trusting)+maxParts-1)/maxParts)
	for some := range slices.Chunk(d.Trusting, size) {
		one := d
		one.Trusting, one.Part = some, len(out)
		out = append(out, one)
	}
	for i := range out {
		out[i].Parts = len(out)
	}
	return out
}

// BuildDeletion makes the alert about a user or role that was deleted while
// roles trusted it, or about a user whose name became free. IAM shows the unique
// id of who was deleted in their trust policies from then on, and who takes the
// name next does not get the access by that; a condition is bound to no id, and
// who takes the name next does (IAM User Guide, reference_policies_elements_principal).
func BuildDeletion(d Deletion) Alert {
	var c cleaner
	c.add(d.Change.Document)
	for _, t := range d.Trusting {
		c.add(t.Role.TrustPolicy)
	}
	p := d.Principal
	if d.LivesStill != "" && d.LivesStill != p.ID {
		p.LivesAgainAs = d.LivesStill
	}
	reasons := []string{"Whether the trust is still wanted is for people to say, so nothing was written. Take the entry out of the trust policy, or put in who is meant now."}
	if d.Next != "" {
		reasons = append(reasons, d.Next)
	}
	if d.Parts > 1 {
		reasons = append(reasons, fmt.Sprintf("This is alert %d of %d about it: more roles are named in the others.", d.Part+1, d.Parts))
	}
	a := Alert{
		Version: Version, State: Opened, Time: d.Now.UTC().Truncate(time.Millisecond),
		Verdict: finding.Noncompliant.String(), Findings: []Finding{}, Change: c.change(&d.Change),
		Decision: Decision{
			ID: decision.ID(d.Change.Account, d.Change.EventID, ""), Action: decision.Tell.String(), Reasons: c.lines(reasons),
		},
		Outcome: Outcome{Done: decision.Ignore.String()},
		Undo:    "Nothing was written; there is nothing to undo. A deleted user or role does not come back: one of the same name is another one, and people who return are better disabled than deleted.",
		Mend:    c.line(mendDeletion(d, p)),
	}
	if p.RenamedTo != "" {
		a.Undo = "Nothing was written; there is nothing to undo. The user can be given the old name again, as long as nobody else has taken it."
	}
	a.Account, a.Role = subjectOf(&c, d)
	for _, t := range d.Trusting {
		for _, place := range t.Places {
			a.Findings = append(a.Findings, c.deletion(t.Role, place, p))
		}
	}
	a.Fingerprint = fingerprint(a, []finding.Finding{{Rule: ruleOf(ByPrincipal)}, {Rule: p.ID + p.ARN + part(d)}})
	a.ID = id(a.Decision.ID+part(d), a.Fingerprint)
	return fit(a)
}

// part tells the alerts about one deletion apart.
func part(d Deletion) string {
	if d.Part == 0 {
		return ""
	}
	return "#" + strconv.Itoa(d.Part)
}

func mendDeletion(d Deletion, p finding.Principal) string {
	if p.RenamedTo != "" {
		return "In each role named here, write " + p.RenamedTo + " as a principal in place of the name in the condition: IAM keeps a principal in step with its user. Until then whoever takes the name " + p.ARN + " is let in."
	}
	mend := "In each role named here, take " + shown(p) + " out of the trust policy. As long as the unique id is in it, IAM refuses to save it again. Never put back the same name unless you mean whoever has it now."
	for _, t := range d.Trusting {
		for _, place := range t.Places {
			if place.Hold == ByName {
				return mend + " Begin with the roles that name it in a condition: whoever takes the name gets in there."
			}
		}
	}
	return mend
}

// subjectOf is the role that an alert about several is filed under: the only
// one, or the first; and their account, or the one of the deletion.
func subjectOf(c *cleaner, d Deletion) (string, Role) {
	if len(d.Trusting) == 0 {
		return c.name(d.Change.Account), Role{}
	}
	first := d.Trusting[0].Role
	account := first.Account
	for _, t := range d.Trusting {
		if t.Role.Account != account {
			account = d.Change.Account
		}
	}
	return c.name(account), Role{ARN: c.name(first.ARN), ID: c.name(first.ID)}
}

// ruleOf is the rule that finds the same in the role itself.
func ruleOf(h Hold) string {
	switch h {
	case ByName:
		return "dangling-principal-condition"
	case Unread, ByPrincipal, ByID:
		return "unique-id-principal"
	default:
		return "unique-id-principal"
	}
}

func (c *cleaner) deletion(r role.Role, place Place, p finding.Principal) Finding {
	what, did := shown(p), "was deleted"
	if p.RenamedTo != "" {
		did = "became " + p.RenamedTo
	}
	message := fmt.Sprintf("Role %s trusts %s, which %s", r.ARN, what, did)
	if p.DeletedBy != "" {
		message += " by " + p.DeletedBy
	}
	if !p.DeletedAt.IsZero() {
		message += " at " + p.DeletedAt.UTC().Format(time.RFC3339)
	}
	message += ". " + consequence(place.Hold, p)
	f := Finding{
		Rule: ruleOf(place.Hold), Severity: finding.Medium.String(), Where: c.line(place.Where), Message: c.line(message),
		Fix: c.line("Take " + what + " out of the trust policy of " + r.ARN + ", or name who is meant now."),
		Evidence: c.evidence(finding.Evidence{
			Kind: finding.Fact, Principal: &p, Others: []string{r.ARN},
			Sentence: "CloudTrail recorded it as event " + orUnknown(p.DeletedEvent) + ".",
		}),
	}
	if f.Where == "" {
		f.Where = c.line("the trust policy of " + r.ARN)
	}
	return f
}

// consequence says what follows for a place that names somebody who is gone.
func consequence(h Hold, p finding.Principal) string {
	switch h {
	case ByPrincipal:
		says := "IAM shows a unique ID in its place from now on."
		if p.LivesAgainAs != "" {
			says += fmt.Sprintf(" Somebody has the same name again, as %s, and is not let in by this entry.", p.LivesAgainAs)
		}
		return says
	case ByName:
		says := "Here the name itself is what counts, and it is bound to no ID: whoever makes a user or role of that name gets in."
		if p.RenamedTo != "" {
			says = "Here the name itself is what counts: the user is not let in by it any more, and whoever takes the name is."
			if strings.EqualFold(lastPart(p.ARN), lastPart(p.RenamedTo)) {
				says = "Here the name with its path is what counts: the user is not let in by it any more."
			}
		}
		if p.LivesAgainAs != "" {
			says += fmt.Sprintf(" Somebody has the same name again, as %s, and is let in by this entry.", p.LivesAgainAs)
		}
		return says
	case ByID:
		return "Here its ID is what counts: nobody gets in by this entry any more, who takes the name included."
	case Unread:
		return "The role could not be read, so it is not known whether that is still so; whoever takes the name may get in."
	default:
		return "By what it is named is not known."
	}
}

// lastPart is the name at the end of an ARN.
func lastPart(arn string) string { return arn[strings.LastIndexByte(arn, '/')+1:] }

// gone says of an alert about somebody whom roles trusted what happened;
// empty for any other alert.
func (a Alert) gone() string {
	switch {
	case a.Change == nil || a.Outcome.Done != decision.Ignore.String() && a.Outcome.Done != "":
		return ""
	case a.Change.Event == "DeleteUser", a.Change.Event == "DeleteRole":
		return "deleted"
	case a.Change.Event == "UpdateUser":
		return "renamed"
	default:
		return ""
	}
}

// mayPass says whether all that an alert tells is that IAM shows somebody by an
// id, of whom it is not known yet that they are gone.
func (a Alert) mayPass() bool {
	return len(a.Findings) > 0 && a.Omitted == 0 && a.State != Resolved && !slices.ContainsFunc(a.Findings, func(f Finding) bool {
		return f.Evidence.Principal == nil || f.Evidence.Principal.Standing != finding.Unconfirmed
	})
}

// trusting names the role of an alert, and counts the further ones.
func (a Alert) trusting(name string) string {
	var named []string
	for _, f := range a.Findings {
		named = append(named, f.Evidence.Others...)
	}
	slices.Sort(named)
	switch n := len(slices.Compact(named)) + a.Omitted - 1; {
	case n < 1:
		return name + " trusts"
	case n == 1:
		return name + " and one more role trust"
	default:
		return fmt.Sprintf("%s and %d more roles trust", name, n)
	}
}
