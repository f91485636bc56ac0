package grants

import (
	"github.com/rolewarden/rolewarden/pkg/deployment"
	"github.com/rolewarden/rolewarden/pkg/remediate"
)

// breakglass are the roles that people use when nothing else helps. Who may
// make them is guarded too.
const breakglass = "role/breakglass/*"

// stackSets are the roles by which StackSets deploys into a member account.
// The account's service-linked role makes them, which no SCP binds (AWS managed
// policy CloudFormationStackSetsOrgMemberServiceRolePolicy; AWS Organizations
// User Guide, orgs_manage_policies_scps).
const stackSets = "role/stacksets-exec-*"

// changesOfRoles are the calls that change a role, its trust policy apart.
func changesOfRoles() []string {
	return []string{
		"iam:AttachRolePolicy", "iam:CreateRole", "iam:DeleteRole", "iam:DeleteRolePermissionsBoundary", "iam:DeleteRolePolicy",
		"iam:DetachRolePolicy", "iam:PutRolePermissionsBoundary", "iam:PutRolePolicy", "iam:TagRole", "iam:UntagRole",
		"iam:UpdateRole", "iam:UpdateRoleDescription",
	}
}

// SCP keeps the administrators of member accounts from switching rolewarden
// off (T57, T71): its roles, the canary's, its tags, rules, stacks and the trail
// that it lives on. StackSets and break-glass roles are exempt, and the hub,
// where people deploy: whoever holds the hub holds rolewarden.
//
// It binds no service-linked role and nobody in the management account (AWS
// Organizations User Guide, orgs_manage_policies_scps).
func SCP(w World) Document {
	const update = "iam:UpdateAssumeRolePolicy"
	exec, glass := w.iam("*", stackSets), w.iam("*", breakglass)
	own, canary := w.iam("*", "role"+deployment.Path+"*"), w.iam("*", "role"+deployment.CanaryPath+"*")
	elsewhere := when{"StringNotEquals", "aws:PrincipalAccount", []string{w.Hub}}
	guard := func(sid string, actions, resources []string, exempt ...string) Statement {
		return Statement{
			Sid: sid, Effect: deny, Action: actions, Resource: resources,
			Condition: all(unlessLike(exempt...), elsewhere),
		}
	}
	// What is exempt must not be for everybody to make.
	reserved := func(sid, role string, exempt ...string) Statement {
		return Statement{
			Sid: sid, Effect: deny, Action: append(changesOfRoles(), update), Resource: []string{role},
			Condition: all(unlessLike(exempt...)),
		}
	}
	return document(
		guard("Roles", changesOfRoles(), []string{own, canary}, exec, glass),
		guard("Trust", []string{update}, []string{own}, exec, glass),
		guard("Canary", []string{update}, []string{canary}, exec, glass, w.roleARN("*", deployment.CanaryWriterRole)),
		reserved("StackSetRoles", exec, glass),
		reserved("BreakGlassRoles", glass, glass, exec),
		w.guardTags(glass),
		guard("Rules", []string{
			"events:DeleteRule", "events:DisableRule", "events:PutRule", "events:PutTargets", "events:RemoveTargets",
		}, []string{"arn:" + w.Partition + ":events:*:*:rule/rolewarden-*"}, exec, glass),
		guard("Stacks", []string{
			"cloudformation:CancelUpdateStack", "cloudformation:CreateChangeSet", "cloudformation:DeleteStack", "cloudformation:ExecuteChangeSet",
			"cloudformation:SetStackPolicy", "cloudformation:UpdateStack",
		}, []string{"arn:" + w.Partition + ":cloudformation:*:*:stack/StackSet-" + deployment.MemberStackSet + "-*"}, exec, glass),
		// With a key of their own, which they then disable, they would stop every
		// rule on their default bus (EventBridge User Guide,
		// eb-encryption-event-bus-cmkey).
		guard("Bus", []string{"events:UpdateEventBus"}, []string{"arn:" + w.Partition + ":events:*:*:event-bus/default"}, exec, glass),
		// Who deploys trails goes on doing so: StackSets, Control Tower, the hub.
		guard("Trail", []string{"cloudtrail:DeleteTrail", "cloudtrail:PutEventSelectors", "cloudtrail:StopLogging", "cloudtrail:UpdateTrail"},
			[]string{everything}, exec, glass, w.iam("*", "role/AWSControlTower*"), w.iam("*", "role/service-role/AWSControlTower*")),
		Statement{
			Sid: "Leave", Effect: deny, Resource: []string{everything}, Action: []string{"organizations:LeaveOrganization"},
			Condition: all(unlessLike(glass)),
		},
	)
}

// guardTags keeps rolewarden's tags for the remediator. IAM takes
// Rolewarden:State for the same key as rolewarden:state (IAM User Guide,
// id_tags), so case is ignored; no operator ignores case and knows wildcards,
// so the keys are listed.
func (w World) guardTags(glass string) Statement {
	return Statement{
		Sid: "Tags", Effect: deny, Action: []string{"iam:CreateRole", "iam:TagRole", "iam:UntagRole"}, Resource: []string{everything},
		Condition: all(
			when{"ForAnyValue:StringEqualsIgnoreCase", "aws:TagKeys", remediate.TagKeys()},
			unlessLike(w.roleARN("*", deployment.RemediatorRole), glass),
		),
	}
}

// RCP refuses principals from outside the organization a session in its roles,
// also while rolewarden looks at them. AWS services and the partners of the
// rules file are let through to the trust policy. What comes by SAML or OIDC
// has no organization and is not looked at. Where there is no organization
// there is no such policy, and the document is empty.
func RCP(w World) Document {
	if w.Organization == "" {
		return document()
	}
	var partners when
	if len(w.Partners) > 0 {
		partners = when{"StringNotEqualsIfExists", "aws:PrincipalAccount", w.Partners}
	}
	return document(Statement{
		Sid: "OurOrganizationOnly", Effect: deny, Principal: everything, Action: []string{"sts:AssumeRole"}, Resource: []string{everything},
		Condition: all(
			when{"StringNotEqualsIfExists", "aws:PrincipalOrgID", []string{w.Organization}},
			partners,
			when{"BoolIfExists", "aws:PrincipalIsAWSService", []string{"false"}},
		),
	})
}
