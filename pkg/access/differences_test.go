package access_test

import (
	"net/netip"
	"strings"

	"github.com/rolewarden/rolewarden/pkg/access"
	"github.com/rolewarden/rolewarden/pkg/policy"
)

// Pages of the IAM User Guide.
const (
	pageVariables  = "reference_policies_variables"
	pageVersion    = "reference_policies_elements_version"
	pageOperators  = "reference_policies_elements_condition_operators"
	pageSets       = "reference_policies_condition-single-vs-multi-valued-context-keys"
	pagePrincipal  = "reference_policies_elements_principal"
	pageIdentifier = "reference_identifiers"
	pageAction     = "reference_policies_elements_action"
)

// differences are all the known ones. The order counts where two concern one
// construct: the first does.
var differences = []difference{
	{
		name: "variables without Version 2012-10-17",
		page: pageVersion, side: ours,
		says: "variables such as ${aws:username} aren't recognized as variables and are instead treated as literal strings in the policy",
		version: func(c *comparison) (string, bool) {
			return "2012-10-17", c.version != "2012-10-17" && strings.Contains(c.policy, "${")
		},
	},
	{
		name: "variable that stands for a whole ARN",
		page: pageOperators, side: ours,
		says: "You can use a policy variable with the ARN condition operator.",
		// The judge finds no six parts, and that in error.
		comparison: func(c *comparison) (bool, bool) {
			return c.fails(), c.op.Base == policy.ARN && c.variables() != nil && strings.Count(c.policy, ":") < 5
		},
	},
	{
		name: "variable before the fifth colon of an ARN",
		page: pageOperators, side: ours,
		says:       "Each of the six colon-delimited components of the ARN is checked separately",
		comparison: earlyVariable,
	},
	{
		name: "first part of an ARN",
		page: pageOperators, side: ours,
		says:       "Each of the six colon-delimited components of the ARN is checked separately",
		comparison: firstPart,
	},
	{
		name: "empty default of a variable",
		page: pageVariables, side: ours,
		says:       "To add a default value to a variable, surround the default value with single quotes (' ')",
		comparison: emptyDefault,
	},
	{
		name: "unresolved variable under a negated operator",
		page: pageVariables, side: ours,
		says:       "Inverted condition operators like StringNotEquals or StringNotLike do match against a null value",
		comparison: unresolvedNegated,
	},
	{
		name: "variable whose value is empty",
		page: pageVariables, side: unsaid,
		says:       "When policy variables reference a condition context key that has no value or is not present in an authorization context for a request, the value is effectively null.",
		comparison: emptyValue,
	},
	{
		name: "${*}, ${?} and ${$} where wildcards do not count",
		page: pageVariables, side: ours,
		says:       "These predefined policy variables can be used in any string where you can use regular policy variables.",
		comparison: specialCharacter,
	},
	{
		name: "line break under a wildcard",
		page: pageOperators, side: ours,
		says:       "The values can include multi-character match wildcards (*) and single-character match wildcards (?) anywhere in the string",
		comparison: lineBreak,
	},
	{
		name: "address without a prefix",
		page: pageOperators, side: ours,
		says:       "If you specify an IP address without the associated routing prefix, IAM uses the default prefix value of /32.",
		comparison: bareAddress,
	},
	{
		name: "IPv4 range of all addresses",
		page: pageOperators, side: ours,
		says: "The value must be in the standard CIDR format (for example, 203.0.113.0/24 or 2001:DB8:1234:5678::/64).",
		comparison: func(c *comparison) (bool, bool) {
			network, length, _ := strings.Cut(c.policy, "/")
			want, err := netip.ParseAddr(network)
			have, err2 := netip.ParseAddr(c.value)
			return want == have, c.op.Base == policy.IP && length == "0" && err == nil && err2 == nil && want.Is4() && have.Is4()
		},
	},
	{
		name: "seconds since 1970",
		page: pageOperators, side: ours,
		says:       "You must specify date/time values with one of the W3C implementations of the ISO 8601 date formats or in epoch (UNIX) time.",
		comparison: epoch,
	},
	{
		name: "number of more than 15 digits",
		page: pageOperators, side: ours,
		says:       "Numeric condition operators let you construct Condition elements that restrict access based on comparing a key to an integer or decimal value.",
		comparison: longNumber,
	},
	{
		name: "base 64 of the same bytes",
		page: pageOperators, side: ours,
		says:       "It compares the value of the specified key byte for byte against a base-64 encoded representation of the binary value in the policy.",
		comparison: sameBytes,
	},
	{
		name: "empty text under a set operator",
		page: pageSets, side: ours,
		says: "It also returns true if the context key is not in the request, or if the context key value resolves to a null data set, such as an empty string.",
		set: func(op policy.Operator, v access.Value) (bool, bool) {
			return true, op.Set == policy.ForAllValues && len(v.Values) == 1 && v.Values[0] == ""
		},
	},
	{
		name: "account of another partition",
		page: pagePrincipal, side: ours,
		says: "The account ARN and the shortened account ID behave the same way.",
		principal: func(p *policy.Principal, r *access.Request) (bool, bool) {
			who, ok := callerOf(r)
			return true, ok && p.Kind == policy.Account && p.Account == who.Account
		},
	},
	{
		name: "account of an identity provider",
		page: pagePrincipal, side: ours,
		says: "Both delegate permissions to the account.",
		principal: func(p *policy.Principal, r *access.Request) (bool, bool) {
			parts := strings.Split(r.Caller.Federated, ":")
			return true, p.Kind == policy.Account && len(parts) == 6 && parts[4] == p.Account
		},
	},
	{
		name: "unique id",
		page: pagePrincipal, side: ours,
		says: "that ARN transforms to the role unique principal ID when you save the policy",
		principal: func(p *policy.Principal, r *access.Request) (bool, bool) {
			return false, p.Kind == policy.UniqueID && r.Caller.AWS != ""
		},
	},
	{
		name: "path of a session's role",
		page: pagePrincipal, side: ours,
		says: "that ARN transforms to the role unique principal ID when you save the policy",
		principal: func(p *policy.Principal, r *access.Request) (bool, bool) {
			who, ok := callerOf(r)
			return true, ok && p.Kind == policy.Role && who.Kind == policy.RoleSession && r.Caller.Issuer != "" &&
				p.Account == who.Account && p.Partition == who.Partition && strings.EqualFold(p.Name, who.Name)
		},
	},
	{
		name: "case of a session's role",
		page: pageIdentifier, side: unsaid,
		says: "Names are not distinguished by case.",
		principal: func(p *policy.Principal, r *access.Request) (bool, bool) {
			who, ok := callerOf(r)
			return true, ok && p.Kind == policy.Role && who.Kind == policy.RoleSession && p.Name != who.Name &&
				p.Account == who.Account && p.Partition == who.Partition && strings.EqualFold(p.Name, who.Name)
		},
	},
	{
		name: "service and identity provider of one name",
		page: pagePrincipal, side: ours,
		says: `"Principal": { "Federated": "cognito-identity.amazonaws.com" }`,
		principal: func(p *policy.Principal, r *access.Request) (bool, bool) {
			return true, p.Type == "Federated" && p.Value == r.Caller.Service || p.Type == "Service" && p.Value == r.Caller.Federated
		},
	},
	{
		name: "wildcard in an action's prefix",
		page: pageAction, side: unsaid,
		says: "You can also use wildcards (*) as part of the action name.",
		action: func(pattern string) (bool, bool) {
			prefix, _, _ := strings.Cut(pattern, ":")
			return false, hasWildcard(prefix) && strings.Trim(pattern, "*") != ""
		},
	},
}
