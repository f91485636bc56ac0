package grants

import (
	"slices"

	"github.com/rolewarden/rolewarden/pkg/awsapi/actions"
	"github.com/rolewarden/rolewarden/pkg/deployment"
	"github.com/rolewarden/rolewarden/pkg/remediate"
	"github.com/rolewarden/rolewarden/pkg/role"
)

// ReaderTrust lets the guard's and the sweep's role read.
func ReaderTrust(w World) Document {
	return w.memberTrust(deployment.GuardRole, deployment.SweepRole)
}

// RemediatorTrust lets the guard's role write, and not the sweep's: who says
// what a role may go back to is not who writes it.
func RemediatorTrust(w World) Document { return w.memberTrust(deployment.GuardRole) }

// CanaryWriterTrust lets the canary's role change its target.
func CanaryWriterTrust(w World) Document { return w.memberTrust(deployment.CanaryRole) }

// memberTrust lets roles of the hub in, under the names that rolewarden's
// sessions bear.
//
// The principal is the hub's account and the roles a condition: a role named as
// principal is bound to its unique id, so making it anew would lock rolewarden
// out everywhere (T73; IAM User Guide, reference_policies_elements_principal).
// Setting the source identity is a statement of its own: which keys of the call
// AWS shows to that second action is not documented, but for sts:SourceIdentity
// (IAM User Guide, id_credentials_temp_control-access_monitor).
func (w World) memberTrust(hubRoles ...string) Document {
	var roles []string
	for _, name := range hubRoles {
		roles = append(roles, w.roleARN(w.Hub, name))
	}
	who := arn("aws:PrincipalArn", roles...)
	setting := who
	if len(roles) > 1 {
		// IAM takes 2,048 characters of trust, and an external id may have 1,224.
		// Setting the source identity opens no session by itself.
		setting = arnLike("aws:PrincipalArn", w.roleARN(w.Hub, "rolewarden-*-fn"))
	}
	identity := when{"StringLike", "sts:SourceIdentity", []string{actions.SourceIdentityPrefix + "*"}}
	return document(
		Statement{
			Sid: "Hub", Effect: allow, Principal: w.root(w.Hub), Action: []string{"sts:AssumeRole"},
			Condition: all(who, w.inOrganization("aws:PrincipalOrgID"), w.asksExternalID(),
				when{"StringLike", "sts:RoleSessionName", []string{actions.SessionPrefix + "*"}}, identity),
		},
		Statement{
			Sid: "HubIdentity", Effect: allow, Principal: w.root(w.Hub), Action: []string{"sts:SetSourceIdentity"},
			Condition: all(setting, identity),
		},
	)
}

func (w World) asksExternalID() when {
	if w.ExternalID == "" {
		return when{}
	}
	return equals("sts:ExternalId", w.ExternalID)
}

// Reader may read roles and users of its account, one by one and all at once,
// and nothing else. The list of all takes no resource to name (Service
// Authorization Reference, AWS Identity and Access Management).
func Reader(w World) Document {
	calls := merged(actions.Permissions(actions.Guard, actions.Reader), actions.Permissions(actions.Sweep, actions.Reader))
	lists := []string{"iam:GetAccountAuthorizationDetails"}
	return document(
		Statement{Sid: "Read", Effect: allow, Action: without(calls, lists), Resource: []string{w.iam(w.Account, "role/*"), w.iam(w.Account, "user/*")}},
		Statement{Sid: "List", Effect: allow, Action: pick(calls, lists), Resource: []string{everything}},
		nothingBut(calls),
	)
}

// merged gives what is in either list, sorted, each once.
func merged(a, b []string) []string {
	out := slices.Concat(a, b)
	slices.Sort(out)
	return slices.Compact(out)
}

// Remediator may replace trust policies, set rolewarden's own tags, and contain
// a role by AWSDenyAll as its permissions boundary: another boundary, or none,
// could give a role back what its owner had taken from it. The roles that are
// never written are denied by name, their tags and boundaries included as in the
// code (T70), and so is every other call (T75).
//
// Tag keys of IAM ignore case and keep it (IAM User Guide, id_tags): a tag is
// taken off as the role spells it, so the keys are compared without case.
func Remediator(w World) Document {
	calls := actions.Permissions(actions.Guard, actions.Writer)
	tags, boundary := []string{"iam:TagRole", "iam:UntagRole"}, []string{"iam:PutRolePermissionsBoundary"}
	roles := []string{w.iam(w.Account, "role/*")}
	guarded := append(role.GuardedPatterns(w.Partition), w.Protected...)
	return document(
		Statement{Sid: "Trust", Effect: allow, Action: without(calls, append(tags, boundary...)), Resource: roles},
		// The Null beside ForAllValues matters: without it a call without tags
		// would meet the condition.
		Statement{Sid: "OwnTags", Effect: allow, Action: pick(calls, tags), Resource: roles, Condition: all(
			when{"ForAllValues:StringEqualsIgnoreCase", "aws:TagKeys", remediate.TagKeys()},
			when{"Null", "aws:TagKeys", []string{"false"}},
		)},
		Statement{Sid: "ContainOnlyWithDenyAll", Effect: allow, Action: pick(calls, boundary), Resource: roles, Condition: all(
			equals("iam:PermissionsBoundary", remediate.DenyAll(w.Partition)),
		)},
		Statement{Sid: "NoOtherBoundary", Effect: deny, Action: pick(calls, boundary), Resource: []string{everything}, Condition: all(
			when{"StringNotEquals", "iam:PermissionsBoundary", []string{remediate.DenyAll(w.Partition)}},
		)},
		Statement{Sid: "Guarded", Effect: deny, Action: without(calls, []string{"iam:GetRole"}), Resource: guarded},
		nothingBut(calls),
	)
}

// nothingBut denies every other call, whatever else somebody in the account
// attaches to the role.
func nothingBut(calls []string) Statement {
	return Statement{Sid: "Never", Effect: deny, NotAction: calls, Resource: []string{everything}}
}

// CanaryWriter may read and change the canary's target, and no other role, and
// read the rule that sends the account's events on. Where rolewarden works in
// one account alone that rule has another name, so both may be read.
func CanaryWriter(w World) Document {
	calls := actions.Permissions(actions.Canary, actions.CanaryWriter)
	rules := "arn:" + w.Partition + ":events:" + w.Region + ":" + w.Account + ":rule/"
	return document(
		Statement{Sid: "Target", Effect: allow, Action: pick(calls, []string{"iam:"}), Resource: []string{w.canaryTarget(w.Account)}},
		Statement{Sid: "Rule", Effect: allow, Action: pick(calls, []string{"events:"}), Resource: []string{rules + deployment.ForwardRule, rules + deployment.IntakeRule}},
		nothingBut(calls),
	)
}

// canaryTarget is the role that the canary changes.
func (w World) canaryTarget(account string) string {
	return w.iam(account, "role"+deployment.CanaryPath+deployment.CanaryTarget)
}

// CanaryTargetTrust lets nobody in: two conditions of which one fails for every
// request. It is an Allow, since that IAM takes a Deny which stands alone is
// not documented. Its Sid is where the canary writes down when it came by.
func CanaryTargetTrust(w World) Document {
	const name = "rolewarden"
	return document(Statement{
		Sid: "CanaryNew", Effect: allow, Principal: w.root(w.Account), Action: []string{"sts:AssumeRole"},
		Condition: all(equals("sts:RoleSessionName", name), when{"StringNotEquals", "sts:RoleSessionName", []string{name}}),
	})
}

// Events may put events on the hub's bus.
func Events(w World) Document {
	return document(Statement{Sid: "Forward", Effect: allow, Action: []string{"events:PutEvents"}, Resource: []string{w.busARN()}})
}

// EventsTrust lets EventBridge use the role for rolewarden's rules in the
// account (EventBridge User Guide, cross-service-confused-deputy-prevention).
// Rules are ARNs or patterns of them: there is a rule for some dozen sensitive
// roles in each Region that is watched, and IAM takes 2,048 characters of trust.
// Without rules there is none to let in and no statement, which IAM refuses.
func EventsTrust(w World, rules []string) Document {
	if len(rules) == 0 {
		return document()
	}
	return document(Statement{
		Sid: "Rules", Effect: allow, Principal: service("events.amazonaws.com"), Action: []string{"sts:AssumeRole"},
		Condition: all(arnLike("aws:SourceArn", rules...), equals("aws:SourceAccount", w.Account)),
	})
}
