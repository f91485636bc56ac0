package cli

import (
	"context"
	"strings"
	"time"

	"github.com/rolewarden/rolewarden/pkg/alert"
)

// terraformAgent is how Terraform calls itself.
const terraformAgent = "APN/1.0 HashiCorp/1.0 Terraform/1.13.4 (+https://www.terraform.io) terraform-provider-aws/6.20.0"

// flappingStory is S7: infrastructure code against rolewarden (T65).
func flappingStory(ctx context.Context, t *tale) {
	t.pass(ctx, 24*time.Hour)
	pipeline := t.staff(ctx, prod, "pipeline")
	pipeline.agent = terraformAgent
	root := quote("arn:aws:iam::" + dev + ":root")
	own, open := trusting("AWS", root, assumeRole, underOwn), trusting("AWS", root, assumeRole, "")
	t.writes(ctx, pipeline, "CreateRole", "build", own, "account dev may assume it, each user under their own name")
	t.watch(ctx)
	t.stand(ctx)
	written := t.h.trusts()
	for _, reverted := range []string{"once", "twice", "three times"} {
		t.writes(ctx, pipeline, "UpdateAssumeRolePolicy", "build", open, "Terraform applies its own version of the role")
		t.watch(ctx)
		t.expect("what was done, "+reverted, "Revert", t.done("build"))
		t.pass(ctx, 10*time.Minute)
	}
	t.writes(ctx, pipeline, "UpdateAssumeRolePolicy", "build", open, "Terraform applies it once more")
	t.watch(ctx)
	t.expect("what was done after the limit of three writes a day", "Tag", t.done("build"))
	t.expect("the role's trust policy, which is left alone from now on", open, t.trust(ctx, "build"))
	t.expect("who keeps changing it, and with what", "arn:aws:iam::"+prod+":user/pipeline with Terraform", t.changer())
	t.expect("trust policies written by rolewarden", "3", t.trustsSince(written))
	t.pass(ctx, 10*time.Minute)
	t.writes(ctx, pipeline, "UpdateAssumeRolePolicy", "build", own, "the code of the role is mended")
	t.watch(ctx)
	t.expect("the verdict on the mended role", "Compliant", t.verdict("build"))
	t.expect("the alerts", "resolved", t.states())
}

// changer is whom the alerts that were told last call the one who keeps changing
// the role.
func (t *tale) changer() string {
	const before, after = "The role keeps being changed, by ", ". Its trust policy is not written any more"
	for _, a := range t.told {
		if _, rest, ok := strings.Cut(text(a), before); ok {
			who, _, _ := strings.Cut(rest, after)
			return who
		}
	}
	return "nobody is named"
}

// text is all that an alert says in sentences.
func text(a alert.Alert) string { return strings.Join(a.Decision.Reasons, " ") }
