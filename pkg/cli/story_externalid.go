package cli

import (
	"context"
	"time"

	"github.com/rolewarden/rolewarden/pkg/access"
)

// externalIDStory is S5.
func externalIDStory(ctx context.Context, t *tale) {
	const secret = "acme-7f3a-91c2"
	acme := quote("arn:aws:iam::" + partner + ":root")
	ivan := t.staff(ctx, prod, "ivan")
	good := trusting("AWS", acme, assumeRole, `{"StringEquals":{"sts:ExternalId":"`+secret+`"},"StringLike":{"sts:RoleSessionName":"${aws:username}"}}`)
	open := trusting("AWS", acme, assumeRole, underOwn)
	t.writes(ctx, ivan, "CreateRole", "acme-reader", good, "the partner acme may assume it with an external ID")
	t.watch(ctx)
	t.expect("the verdict with an external ID", "Compliant", t.verdict("acme-reader"))
	collector := under(partner, "collector", roleARN(prod, "acme-reader"), "collector")
	collector.Context["sts:ExternalId"] = access.One(secret)
	t.expect("the partner with its external ID", credentials, t.tries(ctx, "the partner", collector))
	collector.Context["sts:ExternalId"] = access.One("another-customer")
	t.expect("the partner, talked into it by another customer", denied, t.tries(ctx, "the partner", collector))

	t.stand(ctx)
	t.writes(ctx, ivan, "UpdateAssumeRolePolicy", "acme-reader", open, "without the external ID")
	witness := t.witness(ctx, "acme-reader", "external-id")
	t.expect("the witness, tried before rolewarden acts", credentials, t.tries(ctx, "the witness", witness))
	t.watch(ctx)
	t.expect("the verdict without an external ID", "Noncompliant external-id", t.verdict("acme-reader"))
	t.expect("what was done", "Revert", t.done("acme-reader"))
	t.expect("the same request again", denied, t.tries(ctx, "the witness", witness))

	t.pass(ctx, 15*time.Minute)
	t.writes(ctx, ivan, "CreateRole", "support-access", trusting("AWS", quote("arn:aws:iam::"+stranger+":root"), assumeRole, ""), "account "+stranger+" may assume it, which nobody listed")
	witness = t.witness(ctx, "support-access", "external-account")
	t.expect("the witness, tried before rolewarden acts", credentials, t.tries(ctx, "the witness", witness))
	t.watch(ctx)
	t.expect("what was done: there is no past to go back to", "Quarantine", t.done("support-access"))
	t.expect("the same request again", denied, t.tries(ctx, "the witness", witness))
}
