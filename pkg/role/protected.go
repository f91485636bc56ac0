package role

import (
	"fmt"
	"strings"
)

// guard is one kind of role that is never written. Exactly one of path, name
// and prefix is set.
type guard struct {
	// path is the beginning of the role's path, with both slashes.
	path string
	// name is the role's whole name, prefix its beginning; both only count for
	// roles in a path where the service that owns the name puts them.
	name   string
	prefix string
	reason string
}

// guards lists the roles that are never written, whatever the rules file says.
// Every one is anchored at the beginning: a role merely named after one of
// them is a role like any other.
func guards() []guard {
	return []guard{
		{path: "/aws-service-role/", reason: "service-linked roles cannot be modified"},
		{path: "/aws-reserved/", reason: "roles of IAM Identity Center cannot be modified"},
		{path: "/rolewarden/", reason: "rolewarden does not write its own roles"},
		{path: "/rolewarden-canary/", reason: "only the canary writes its own role"},
		{path: "/breakglass/", reason: "break-glass roles stay as people left them"},
		{name: "OrganizationAccountAccessRole", reason: "the role by which the management account gets into a member account"},
		{prefix: "AWSControlTower", reason: "Control Tower owns this role"},
		{prefix: "aws-controltower-", reason: "Control Tower owns this role"},
		{prefix: "stacksets-exec-", reason: "CloudFormation StackSets owns this role"},
		{prefix: "AWSCloudFormationStackSet", reason: "CloudFormation StackSets works through this role"},
	}
}

// Protected says whether a role must never be written, and why. Findings on
// such a role are told like all others.
//
// The built-in list is matched by whole path components or from the beginning
// of the name, ignoring the name's case as IAM does; also holds the ARN
// patterns of the rules file, for MatchARN.
func Protected(r Role, also []string) (reason string, protected bool) {
	for _, g := range guards() {
		if g.covers(r) {
			return g.reason, true
		}
	}
	for _, pattern := range also {
		if MatchARN(pattern, r.ARN) {
			return fmt.Sprintf("the rules file protects %s", pattern), true
		}
	}
	return "", false
}

func (g guard) covers(r Role) bool {
	if g.path != "" {
		return strings.HasPrefix(r.Path, g.path)
	}
	// AWS makes its named roles in these two paths only.
	if r.Path != "" && r.Path != "/" && r.Path != "/service-role/" {
		return false
	}
	name := strings.ToLower(r.Name)
	if g.name != "" {
		return name == strings.ToLower(g.name)
	}
	return strings.HasPrefix(name, strings.ToLower(g.prefix))
}

// MatchARN says whether a whole ARN matches a pattern. Its six parts are
// matched one by one, so that a * in one never reaches into the next; within
// a part * stands for any text and ? for any one character, case counts.
func MatchARN(pattern, arn string) bool {
	p, a := strings.SplitN(pattern, ":", 6), strings.SplitN(arn, ":", 6)
	if len(p) != 6 || len(a) != 6 {
		return false
	}
	for i := range p {
		if !matchGlob(p[i], a[i]) {
			return false
		}
	}
	return true
}

// matchGlob matches a whole text in time linear in both for one *, and never
// worse than their product.
func matchGlob(pattern, s string) bool {
	p, i, star, mark := 0, 0, -1, 0
	for i < len(s) {
		switch {
		case p < len(pattern) && pattern[p] == '*':
			star, mark = p, i
			p++
		case p < len(pattern) && (pattern[p] == '?' || pattern[p] == s[i]):
			p++
			i++
		case star >= 0:
			mark++
			p, i = star+1, mark
		default:
			return false
		}
	}
	for p < len(pattern) && pattern[p] == '*' {
		p++
	}
	return p == len(pattern)
}
