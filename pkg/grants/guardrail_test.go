package grants_test

import (
	"testing"

	"github.com/rolewarden/rolewarden/pkg/deployment"
	"github.com/rolewarden/rolewarden/pkg/grants"
	"github.com/rolewarden/rolewarden/pkg/lab/judge"
)

// act is a call in a member account, and whether the SCP refuses it.
type act struct {
	action, resource string
	who              caller
	tags             []string
	want             bool
}

func (a act) refused(t testing.TB, d grants.Document) bool {
	t.Helper()
	c := context(a.who.keys)
	if a.tags != nil {
		c.SetMany("aws:TagKeys", a.tags)
	}
	return judged(t, d).Identity(judge.Request{Action: a.action, Resource: a.resource, Caller: a.who.who, Context: c}).Effect == judge.Deny
}

// T10, T15, T71: the administrator of a member account changes or removes none
// of what rolewarden stands on: its roles, the canary's, rules, stacks, the
// trail, the membership. StackSets does, and so do break-glass roles and the hub.
func TestAMembersAdministratorCannotSwitchRolewardenOff(t *testing.T) {
	t.Parallel()
	w := commercial(t)
	admin, exec, glass := roleOf(w, prod, "Admin", ourOrg), roleOf(w, prod, "stacksets-exec-0123456789abcdef", ourOrg), roleOf(w, prod, "breakglass/last-resort", ourOrg)
	hubs, writer := roleOf(w, hub, "cdk-exec", ourOrg), roleOf(w, prod, "rolewarden/"+deployment.CanaryWriterRole, ourOrg)
	reader, target := roleARN(w, prod, "rolewarden/"+deployment.ReaderRole), roleARN(w, prod, "rolewarden-canary/"+deployment.CanaryTarget)
	const rules, stack, trail = "arn:aws:events:us-east-1:111122223333:rule/", "arn:aws:cloudformation:us-east-1:111122223333:stack/", "arn:aws:cloudtrail:us-east-1:111122223333:trail/all"
	regional := stack + "StackSet-" + deployment.RegionalStackSet + "-01234567/89ab"
	for _, a := range []act{
		{"iam:DeleteRole", reader, admin, nil, refuse},
		{"iam:DeleteRole", reader, exec, nil, letIn},
		{"iam:DeleteRole", reader, glass, nil, letIn},
		{"iam:DeleteRole", roleARN(w, hub, "rolewarden/"+deployment.GuardRole), hubs, nil, letIn},
		{"iam:PutRolePolicy", reader, admin, nil, refuse},
		{"iam:AttachRolePolicy", reader, writer, nil, refuse},
		{"iam:UpdateAssumeRolePolicy", reader, admin, nil, refuse},
		{"iam:UpdateAssumeRolePolicy", reader, writer, nil, refuse},
		{"iam:CreateRole", roleARN(w, prod, "rolewarden/rolewarden-events"), admin, nil, refuse},
		{"iam:CreateRole", roleARN(w, prod, "rolewarden/"+deployment.SweepRole), admin, nil, refuse},
		{"iam:PutRolePermissionsBoundary", reader, admin, nil, refuse},
		{"iam:GetRole", reader, admin, nil, letIn},
		{"iam:DeleteRole", roleARN(w, prod, "app"), admin, nil, letIn},
		{"iam:DeleteRole", roleARN(w, prod, "rolewarden-x"), admin, nil, letIn},

		{"iam:UpdateAssumeRolePolicy", target, writer, nil, letIn},
		{"iam:UpdateAssumeRolePolicy", target, admin, nil, refuse},
		{"iam:UpdateAssumeRolePolicy", target, exec, nil, letIn},
		{"iam:DeleteRole", target, writer, nil, refuse},
		{"iam:DeleteRole", target, admin, nil, refuse},

		{"events:DisableRule", rules + deployment.ForwardRule, admin, nil, refuse},
		{"events:RemoveTargets", rules + deployment.AssumeRoleRule + "-1", admin, nil, refuse},
		{"events:PutRule", rules + deployment.ForwardRule, admin, nil, refuse},
		{"events:PutTargets", rules + deployment.ForwardRule, admin, nil, refuse},
		{"events:DeleteRule", rules + deployment.ForwardRule, admin, nil, refuse},
		{"events:PutRule", rules + deployment.ForwardRule, exec, nil, letIn},
		{"events:DisableRule", rules + "payroll", admin, nil, letIn},
		{"events:EnableRule", rules + deployment.ForwardRule, admin, nil, letIn},

		{"cloudformation:DeleteStack", stack + "StackSet-" + deployment.MemberStackSet + "-01234567/89ab", admin, nil, refuse},
		{"cloudformation:UpdateStack", regional, admin, nil, refuse},
		{"cloudformation:CreateChangeSet", regional, admin, nil, refuse},
		{"cloudformation:ExecuteChangeSet", regional, admin, nil, refuse},
		{"cloudformation:CancelUpdateStack", regional, admin, nil, refuse},
		{"cloudformation:SetStackPolicy", regional, admin, nil, refuse},
		{"cloudformation:UpdateStack", regional, exec, nil, letIn},
		{"cloudformation:DeleteStack", stack + "payroll/89ab", admin, nil, letIn},

		{"cloudtrail:StopLogging", trail, admin, nil, refuse},
		{"cloudtrail:PutEventSelectors", trail, admin, nil, refuse},
		{"cloudtrail:DeleteTrail", trail, admin, nil, refuse},
		{"cloudtrail:UpdateTrail", trail, admin, nil, refuse},
		{"cloudtrail:PutEventSelectors", trail, hubs, nil, letIn},
		{"cloudtrail:UpdateTrail", trail, exec, nil, letIn},
		{"cloudtrail:UpdateTrail", trail, roleOf(w, prod, "AWSControlTowerExecution", ourOrg), nil, letIn},
		{"cloudtrail:DeleteTrail", trail, glass, nil, letIn},
		{"events:UpdateEventBus", "arn:aws:events:us-east-1:111122223333:event-bus/default", admin, nil, refuse},
		{"events:UpdateEventBus", "arn:aws:events:us-east-1:111122223333:event-bus/payroll", admin, nil, letIn},
		{"organizations:LeaveOrganization", "*", exec, nil, refuse},
		{"organizations:LeaveOrganization", "*", admin, nil, refuse},

		// What is exempt is not for everybody to make, or to enter.
		{"iam:CreateRole", roleARN(w, prod, "stacksets-exec-mine"), admin, nil, refuse},
		{"iam:UpdateAssumeRolePolicy", roleARN(w, prod, "stacksets-exec-0123456789abcdef"), admin, nil, refuse},
		{"iam:UpdateAssumeRolePolicy", roleARN(w, prod, "stacksets-exec-0123456789abcdef"), exec, nil, refuse},
		{"iam:CreateRole", roleARN(w, prod, "breakglass/mine"), admin, nil, refuse},
		{"iam:CreateRole", roleARN(w, prod, "breakglass/mine"), exec, nil, letIn},
		{"iam:UpdateAssumeRolePolicy", roleARN(w, prod, "breakglass/last-resort"), hubs, nil, refuse},
	} {
		if got := a.refused(t, grants.SCP(w)); got != a.want {
			t.Errorf("%s on %s by %s: refused is %v, want %v", a.action, a.resource, a.who.who.RoleARN, got, a.want)
		}
	}
}

// T57: rolewarden's tags are the remediator's, in whatever case they are
// spelled, and however many others stand beside them.
func TestNobodyElseSetsRolewardensTags(t *testing.T) {
	t.Parallel()
	w := commercial(t)
	admin, app := roleOf(w, prod, "Admin", ourOrg), roleARN(w, prod, "app")
	for _, a := range []act{
		{"iam:TagRole", app, admin, []string{"rolewarden:state"}, refuse},
		{"iam:TagRole", app, admin, []string{"Rolewarden:STATE"}, refuse},
		{"iam:TagRole", app, admin, []string{"owner", "rolewarden:at"}, refuse},
		{"iam:UntagRole", app, admin, []string{"rolewarden:finding"}, refuse},
		{"iam:CreateRole", app, admin, []string{"rolewarden:state"}, refuse},
		{"iam:CreateRole", app, admin, nil, letIn},
		{"iam:TagRole", app, admin, []string{"owner"}, letIn},
		{"iam:TagRole", app, roleOf(w, prod, "rolewarden/"+deployment.RemediatorRole, ourOrg), []string{"rolewarden:state"}, letIn},
		{"iam:TagRole", app, roleOf(w, prod, deployment.RemediatorRole, ourOrg), []string{"rolewarden:state"}, refuse},
		{"iam:UntagRole", app, roleOf(w, prod, "breakglass/last-resort", ourOrg), []string{"rolewarden:state"}, letIn},
	} {
		if got := a.refused(t, grants.SCP(w)); got != a.want {
			t.Errorf("%s %v by %s: refused is %v, want %v", a.action, a.tags, a.who.who.RoleARN, got, a.want)
		}
	}
}

// T84: rolewarden itself is not among those whom its own guarding policies
// refuse, in any partition: what its sessions do goes through.
func TestTheGuardingPoliciesLetRolewardenWork(t *testing.T) {
	t.Parallel()
	for world, w := range worlds(t) {
		if w.Organization == "" {
			continue
		}
		remediator, reader := roleOf(w, prod, "rolewarden/"+deployment.RemediatorRole, ourOrg), roleOf(w, prod, "rolewarden/"+deployment.ReaderRole, ourOrg)
		writer := roleOf(w, prod, "rolewarden/"+deployment.CanaryWriterRole, ourOrg)
		for _, a := range []act{
			{"iam:GetRole", roleARN(w, prod, "app"), reader, nil, letIn},
			{"iam:GetRole", roleARN(w, prod, "rolewarden/"+deployment.ReaderRole), reader, nil, letIn},
			{"iam:UpdateAssumeRolePolicy", roleARN(w, prod, "app"), remediator, nil, letIn},
			{"iam:TagRole", roleARN(w, prod, "app"), remediator, []string{"rolewarden:state", "rolewarden:at", "rolewarden:finding"}, letIn},
			{"iam:UntagRole", roleARN(w, prod, "app"), remediator, []string{"Rolewarden:State"}, letIn},
			{"iam:PutRolePermissionsBoundary", roleARN(w, prod, "app"), remediator, nil, letIn},
			{"iam:GetAccountAuthorizationDetails", "*", reader, nil, letIn},
			{"sts:AssumeRole", roleARN(w, prod, "rolewarden/"+deployment.ReaderRole), roleOf(w, hub, "rolewarden/"+deployment.SweepRole, ourOrg), nil, letIn},
			{"iam:UpdateAssumeRolePolicy", roleARN(w, prod, "rolewarden-canary/"+deployment.CanaryTarget), writer, nil, letIn},
			{"sts:AssumeRole", roleARN(w, prod, "rolewarden/"+deployment.ReaderRole), roleOf(w, hub, "rolewarden/"+deployment.GuardRole, ourOrg), nil, letIn},
		} {
			if a.refused(t, grants.SCP(w)) {
				t.Errorf("%s: %s on %s is refused", world, a.action, a.resource)
			}
		}
		for _, name := range []string{deployment.GuardRole, deployment.SweepRole} {
			if got := says(t, grants.RCP(w), "sts:AssumeRole", roleOf(w, hub, "rolewarden/"+name, ourOrg)); got == judge.Deny {
				t.Errorf("%s: %s is refused its sessions", world, name)
			}
		}
	}
}

// The RCP refuses outsiders a session, whatever a role's trust policy says, and
// lets through AWS services, the partners of the rules file and who has signed
// in elsewhere.
func TestTheRCPRefusesOutsidersASession(t *testing.T) {
	t.Parallel()
	w := commercial(t)
	for name, tt := range map[string]struct {
		action string
		who    caller
		want   bool
	}{
		"a member":                 {"sts:AssumeRole", roleOf(w, dev, "app", ourOrg), letIn},
		"another organization's":   {"sts:AssumeRole", roleOf(w, stranger, "app", "o-stranger00"), refuse},
		"an account without one":   {"sts:AssumeRole", roleOf(w, stranger, "app", ""), refuse},
		"a partner":                {"sts:AssumeRole", roleOf(w, acme, "app", "o-acme000000"), letIn},
		"a partner without one":    {"sts:AssumeRole", roleOf(w, acme, "app", ""), letIn},
		"an AWS service":           {"sts:AssumeRole", service("ec2.amazonaws.com", "", ""), letIn},
		"nobody knows who":         {"sts:AssumeRole", caller{judge.Caller{Kind: judge.Unknown}, nil}, refuse},
		"a web identity":           {"sts:AssumeRoleWithWebIdentity", caller{judge.Caller{Kind: judge.Federated}, nil}, letIn},
		"another call of outsider": {"sts:GetCallerIdentity", roleOf(w, stranger, "app", ""), letIn},
	} {
		if got := says(t, grants.RCP(w), tt.action, tt.who) == judge.Deny; got != tt.want {
			t.Errorf("%s: refused is %v, want %v", name, got, tt.want)
		}
	}
	w.Partners = nil
	if says(t, grants.RCP(w), "sts:AssumeRole", roleOf(w, acme, "app", "")) != judge.Deny {
		t.Error("without partners an outsider is let through")
	}
	if d := grants.RCP(worlds(t)["aws-single"]); len(d.Statement) != 0 {
		t.Errorf("there is no organization, and the document says %s", d.JSON())
	}
}
