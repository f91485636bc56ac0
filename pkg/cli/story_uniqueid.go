package cli

import (
	"context"
	"strings"
	"time"
)

// uniqueIDStory is S3.
func uniqueIDStory(ctx context.Context, t *tale) {
	murase, tanaka := "arn:aws:iam::"+dev+":user/murase", "arn:aws:iam::"+dev+":user/tanaka"
	erin, frank := t.staff(ctx, prod, "erin"), t.staff(ctx, dev, "frank")
	t.must(t.h.lab.SeedUser(dev, "tanaka", "/"))
	made, result := t.does(ctx, frank, "CreateUser murase", "iam", "CreateUser", map[string]string{"UserName": "murase"})
	t.expect("frank calls CreateUser", ok, result)
	id := made.text("UserId")
	good := trusting("AWS", quote(murase, tanaka), assumeRole, underOwn)
	t.writes(ctx, erin, "CreateRole", "deploy", good, "users murase and tanaka of account dev may assume it")
	t.watch(ctx)
	t.expect("the verdict on the new role", "Compliant", t.verdict("deploy"))

	t.stand(ctx)
	t.h.hold()
	t.writes(ctx, erin, "UpdateAssumeRolePolicy", "deploy", strings.Replace(good, "StringLike", "StringEquals", 1), "a harmless edit, whose event is a while on its way")
	late := t.h.release()
	t.pass(ctx, 40*time.Second)
	_, result = t.does(ctx, frank, "DeleteUser murase", "iam", "DeleteUser", map[string]string{"UserName": "murase"})
	t.expect("frank calls DeleteUser", ok, result)
	t.watch(ctx)
	t.expect("what is said of the deletion", "1 roles trusted the deleted user", t.reason())
	t.expect("whom the alert names", id+" was "+murase+", deleted by arn:aws:iam::"+dev+":user/frank, nobody has the name", t.principal())

	t.pass(ctx, time.Minute)
	_, result = t.does(ctx, frank, "CreateUser murase: the same name, another person", "iam", "CreateUser", map[string]string{"UserName": "murase"})
	t.expect("frank calls CreateUser", ok, result)
	t.expect("the new murase", denied, t.tries(ctx, "the new murase", under(dev, "murase", roleARN(prod, "deploy"), "murase")))
	_, result = t.does(ctx, erin, "UpdateAssumeRolePolicy deploy: the document as it is shown, saved again", "iam", "UpdateAssumeRolePolicy",
		map[string]string{"RoleName": "deploy", "PolicyDocument": t.trust(ctx, "deploy")})
	t.expect("saving a document with a stale ID", "MalformedPolicyDocument", result)

	t.pass(ctx, time.Minute)
	t.remark("the event of erin's edit arrives")
	t.deliver(late)
	t.watch(ctx)
	t.expect("the verdict on the edited role", "Noncompliant unique-id-principal", t.verdict("deploy"))
	t.expect("whom the alert names", id+" was "+murase+", deleted by arn:aws:iam::"+dev+":user/frank, the name lives again", t.principal())
	t.expect("what was done", "Tag", t.done("deploy"))

	t.pass(ctx, 10*time.Minute)
	t.writes(ctx, erin, "UpdateAssumeRolePolicy", "deploy", trusting("AWS", quote("arn:aws:iam::"+dev+":root"), assumeRole, ""), "open to the whole account")
	t.watch(ctx)
	t.expect("what was done", "Revert", t.done("deploy"))
	t.expect("the trust policy that was put back, without the stale ID", trusting("AWS", quote(tanaka), assumeRole, underOwn), t.trust(ctx, "deploy"))
	t.expect("the new murase", denied, t.tries(ctx, "the new murase", under(dev, "murase", roleARN(prod, "deploy"), "murase")))
	t.expect("tanaka", credentials, t.tries(ctx, "tanaka", under(dev, "tanaka", roleARN(prod, "deploy"), "tanaka")))
	t.expect("the alerts", "updated, resolved", t.states())
}

// reason is the first reason that rolewarden gave for an end that is not a
// compliant one.
func (t *tale) reason() string {
	for _, r := range t.last {
		if len(r.Alerts) > 0 {
			return r.Reason
		}
	}
	return "nothing was told"
}

// deliver puts events that were kept back on the queue.
func (t *tale) deliver(late [][]byte) {
	for _, raw := range late {
		t.h.queue.push(message{body: raw, due: t.h.clock.Now()})
	}
}
