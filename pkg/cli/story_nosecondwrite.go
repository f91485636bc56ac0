package cli

import (
	"context"
	"strconv"
	"time"
)

// noSecondWriteStory is S6.
func noSecondWriteStory(ctx context.Context, t *tale) {
	kate := t.staff(ctx, prod, "kate")
	root := quote("arn:aws:iam::" + dev + ":root")
	own, open := trusting("AWS", root, assumeRole, underOwn), trusting("AWS", root, assumeRole, "")
	t.writes(ctx, kate, "CreateRole", "reports", own, "account dev may assume it, each user under their own name")
	t.watch(ctx)
	t.stand(ctx)

	// A failed call.
	writes := t.h.writes()
	intern, err := t.h.user(ctx, prod, "/", "intern")
	t.must(err)
	_, result := t.does(ctx, actor{person: intern, name: "intern", account: prod}, "UpdateAssumeRolePolicy reports", "iam", "UpdateAssumeRolePolicy", map[string]string{"RoleName": "reports", "PolicyDocument": open})
	t.expect("the intern's call", denied, result)
	t.remark("EventBridge would not send the failed call; here it is sent all the same")
	t.deliver([][]byte{t.h.newest("UpdateAssumeRolePolicy")})
	t.watch(ctx)
	t.expect("what is said of a failed call", "failed call", t.last[0].Ignored)
	t.expect("writes", "0", t.writesSince(writes))

	// A duplicate, and rolewarden's own write.
	t.pass(ctx, 5*time.Minute)
	t.writes(ctx, kate, "UpdateAssumeRolePolicy", "reports", open, "the condition is gone")
	twice := t.h.newest("UpdateAssumeRolePolicy")
	t.watch(ctx)
	t.expect("what was done", "Revert", t.done("reports"))
	t.expect("what is said of rolewarden's own write", "Compliant", t.last[1].Report.Verdict.String())
	t.expect("writes", "1", t.writesSince(writes))
	t.remark("the same event is delivered a second time")
	t.deliver([][]byte{twice})
	t.watch(ctx)
	t.expect("what is said of a duplicate", "handled before", t.last[0].Ignored)
	t.expect("writes", "1", t.writesSince(writes))

	// An event out of order.
	t.pass(ctx, 5*time.Minute)
	t.h.hold()
	t.writes(ctx, kate, "UpdateAssumeRolePolicy", "reports", open, "the condition is gone again")
	first := t.h.release()
	t.pass(ctx, 20*time.Second)
	t.writes(ctx, kate, "UpdateAssumeRolePolicy", "reports", own, "and is put back by kate herself")
	t.watch(ctx)
	t.remark("the event of the first edit arrives after that of the second")
	t.deliver(first)
	t.watch(ctx)
	t.expect("the verdict on what the role is now", "Compliant", t.verdict("reports"))
	t.expect("writes", "1", t.writesSince(writes))
	t.expect("the role's trust policy", own, t.trust(ctx, "reports"))
}

// writesSince says how often rolewarden wrote since a count.
func (t *tale) writesSince(count int) string { return strconv.Itoa(t.h.writes() - count) }
