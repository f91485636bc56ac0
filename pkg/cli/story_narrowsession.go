package cli

import (
	"context"
)

// narrowSessionStory is S2.
func narrowSessionStory(ctx context.Context, t *tale) {
	judy := t.staff(ctx, prod, "judy")
	own := trusting("AWS", quote("arn:aws:iam::"+dev+":root"), assumeRole, underOwn)
	t.writes(ctx, judy, "CreateRole", "audit", own, "account dev may assume it, each user under their own name")
	t.writes(ctx, judy, "CreateRole", "billing", own, "the same")
	t.watch(ctx)
	t.stand(ctx)
	t.writes(ctx, judy, "UpdateAssumeRolePolicy", "audit", trusting("AWS", quote("arn:aws:iam::"+dev+":root"), assumeRole, ""), "the condition is gone")
	t.watch(ctx)
	t.expect("what was done", "Revert", t.done("audit"))

	t.remark("the credentials of that revert are stolen, and tried on everything")
	thief := actor{person: t.h.person(t.h.wire.stolen()), name: "a thief", account: prod}
	for _, c := range []struct {
		text, action, want string
		parameters         map[string]string
	}{
		{"GetRole audit: the one role", "GetRole", ok, map[string]string{"RoleName": "audit"}},
		{"GetRole billing", "GetRole", denied, map[string]string{"RoleName": "billing"}},
		{"UpdateAssumeRolePolicy billing", "UpdateAssumeRolePolicy", denied, map[string]string{"RoleName": "billing", "PolicyDocument": own}},
		{"TagRole billing", "TagRole", denied, map[string]string{"RoleName": "billing", "Tags.member.1.Key": "rolewarden:state", "Tags.member.1.Value": "x"}},
		{"PutRolePolicy audit", "PutRolePolicy", denied, map[string]string{"RoleName": "audit", "PolicyName": "x", "PolicyDocument": mayAssume}},
		{"DeleteRole audit", "DeleteRole", denied, map[string]string{"RoleName": "audit"}},
		{"CreateUser mallory", "CreateUser", denied, map[string]string{"UserName": "mallory"}},
		{"ListRoles", "ListRoles", denied, nil},
	} {
		_, result := t.does(ctx, thief, c.text, "iam", c.action, c.parameters)
		t.expect(c.text, c.want, result)
	}
	_, result := t.does(ctx, thief, "AssumeRole rolewarden-remediator of account dev", "sts", "AssumeRole", map[string]string{"RoleArn": roleARN(dev, writerRole), "RoleSessionName": "rw-thief"})
	t.expect("another account", denied, result)
	t.watch(ctx)
}
