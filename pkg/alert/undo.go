package alert

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/rolewarden/rolewarden/pkg/decision"
	"github.com/rolewarden/rolewarden/pkg/finding"
	"github.com/rolewarden/rolewarden/pkg/policy"
	"github.com/rolewarden/rolewarden/pkg/role"
)

// undo says how a person takes back what was done.
func undo(in Input) string {
	name := in.Role.Name
	if !role.ValidName(name) {
		// Nothing that a shell could misread is put into a command.
		name = "ROLE-NAME"
	}
	switch in.Outcome.Done {
	case decision.Revert, decision.Quarantine:
		file := name + "-before.json"
		return strings.Join(slices.Concat(byVerb(in), []string{
			"By hand, under credentials of account " + account(in.Role.Account) + ":",
			"aws iam update-assume-role-policy --role-name " + name + " --policy-document file://" + file,
			"where " + file + " holds the trust policy that was replaced: " + source(in) + ".",
			"Mend it first: the same policy again is judged again. If it is meant to stay, ask for an exemption in the rules file.",
		}, lift(in, name)), "\n")
	case decision.Prune:
		return "The policy that was replaced cannot be put back: IAM refuses one that names the ID of somebody who is gone. Nobody lost access by the change. The policy that was replaced, for the record: " + source(in) + "."
	case decision.Tag:
		return strings.Join([]string{
			"The trust policy was not touched. The tags go by themselves when the role obeys the rules; or, under credentials of account " + account(in.Role.Account) + ":",
			"aws iam untag-role --role-name " + name + " --tag-keys rolewarden:state rolewarden:finding rolewarden:at",
		}, "\n")
	case decision.Clear:
		return "Only rolewarden's own tags were taken off; there is nothing to undo."
	case decision.Ignore, decision.Tell, decision.Hold:
		return "Nothing was written; there is nothing to undo."
	default:
		return "Nothing was written; there is nothing to undo."
	}
}

// decisionID is what a decision is called. Nothing else is put into a command.
var decisionID = regexp.MustCompile(`^[a-z0-9-]{1,64}$`)

// byVerb is how a person takes a decision back with the checks that rolewarden
// makes, and with its hand stayed.
func byVerb(in Input) []string {
	if !decisionID.MatchString(in.Decision.ID) {
		return nil
	}
	return []string{
		"rolewarden undo " + in.Decision.ID + " --deployment FILE --profile PROFILE --reason TEXT",
		"puts it back, PROFILE being of account " + account(in.Role.Account) + ": the role and whoever it lets in must still be the same, and for some days rolewarden leaves it.",
	}
}

// source says where the replaced document is kept whole, secrets included:
// not in an alert.
func source(in Input) string {
	ledger := "the ledger keeps it with decision " + Plain(in.Decision.ID, 64)
	if in.Change == nil || in.Change.EventID == "" {
		return ledger
	}
	where := map[string]string{
		"CreateRole":             "requestParameters.assumeRolePolicyDocument",
		"UpdateAssumeRolePolicy": "requestParameters.policyDocument",
		"AcquireRole":            "responseElements.role.assumeRolePolicyDocument, URL-encoded",
	}[in.Change.EventName]
	if where == "" || in.Change.Truncated || !carries(in) {
		return ledger
	}
	return fmt.Sprintf("take it from CloudTrail, event %s, %s; %s", Plain(in.Change.EventID, 64), where, ledger)
}

// carries says whether the event holds the document that was replaced: what was
// found on a role may be another one than the event made.
func carries(in Input) bool {
	sent, err := policy.Parse([]byte(in.Change.Document))
	if err != nil {
		return false
	}
	replaced, err := policy.Parse([]byte(cmp.Or(in.Outcome.Before, in.Role.TrustPolicy)))
	return err == nil && sent.Equal(replaced, in.Role.Partition)
}

func account(s string) string {
	if role.ValidAccount(s) {
		return s
	}
	return "of the role"
}

// mend says how the policy becomes one that obeys the rules.
func (c *cleaner) mend(in Input) string {
	var lines []string
	for _, f := range in.Report.Open() {
		if f.Fix == "" || in.Outcome.Done == decision.Prune && f.Orphaned() {
			continue
		}
		line := c.line(f.Fix)
		if f.Where != "" {
			line = c.line(f.Where) + ": " + line
		}
		if !slices.Contains(lines, line) {
			lines = append(lines, line)
		}
	}
	if in.Report.Verdict == finding.Undecided {
		lines = append(lines, "Write the elements named under Reasons in a form whose meaning is settled, or judge the role by hand.")
	}
	if len(lines) > maxReasons {
		lines = append(lines[:maxReasons:maxReasons], fmt.Sprintf("%d more fixes are with their findings.", len(lines)-maxReasons))
	}
	return strings.Join(lines, "\n")
}
