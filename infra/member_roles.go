package main

import (
	"github.com/aws/constructs-go/constructs/v10"

	"github.com/rolewarden/rolewarden/pkg/deployment"
	"github.com/rolewarden/rolewarden/pkg/grants"
)

// newMemberRoles adds the roles that an account has for rolewarden: one to
// read, one to write where that is deployed, and one for the canary.
func newMemberRoles(scope constructs.Construct, d *deployment.Deployment, w grants.World) {
	newRole(scope, "ReaderRole", roleConfig{
		name: deployment.ReaderRole, path: deployment.Path, description: "rolewarden reads roles and users, and can do nothing else.",
		trust: grants.ReaderTrust(w), policy: grants.Reader(w),
	})
	if d.Remediator == deployment.Present {
		newRole(scope, "RemediatorRole", roleConfig{
			name: deployment.RemediatorRole, path: deployment.Path, description: "rolewarden replaces trust policies and sets its own tags. It never touches permissions or protected roles.",
			trust: grants.RemediatorTrust(w), policy: grants.Remediator(w),
		})
	}
	newRole(scope, "CanaryWriterRole", roleConfig{
		name: deployment.CanaryWriterRole, path: deployment.Path, description: "rolewarden's canary changes one role, " + deployment.CanaryPath + deployment.CanaryTarget + ", and no other.",
		trust: grants.CanaryWriterTrust(w), policy: grants.CanaryWriter(w),
	})
}

// newCanaryTarget adds the role that the canary changes. Its trust policy is
// written anew at every run, so CloudFormation sees it drift: that is what it is
// for.
func newCanaryTarget(scope constructs.Construct, w grants.World) {
	newRole(scope, "CanaryTargetRole", roleConfig{
		name: deployment.CanaryTarget, path: deployment.CanaryPath, description: "Nobody can assume this role, and it may do nothing. rolewarden's canary changes it to prove that changes are seen.",
		trust: grants.CanaryTargetTrust(w),
	})
}
