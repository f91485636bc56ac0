package cli

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/rolewarden/rolewarden/pkg/decision"
)

// breakerStory is S8: more changes in an account than the limit on writes allows.
func breakerStory(ctx context.Context, t *tale) {
	t.pass(ctx, 24*time.Hour)
	heidi := t.staff(ctx, prod, "heidi")
	root := quote("arn:aws:iam::" + dev + ":root")
	own, open := trusting("AWS", root, assumeRole, underOwn), trusting("AWS", root, assumeRole, "")
	limit := t.h.rules.Limits.PerAccountPerHour
	for i := range limit + 1 {
		t.writes(ctx, heidi, "CreateRole", shop(i), own, "account dev may assume it, each user under their own name")
	}
	t.watch(ctx)
	t.stand(ctx)
	for i := range limit {
		t.writes(ctx, heidi, "UpdateAssumeRolePolicy", shop(i), open, "a script opens role after role")
		t.watch(ctx)
		t.expect("what was done", "Revert", t.done(shop(i)))
		t.pass(ctx, time.Minute)
	}
	last := shop(limit)
	t.writes(ctx, heidi, "UpdateAssumeRolePolicy", last, open, "and one more")
	t.watch(ctx)
	t.expect("what was done after the limit of "+strconv.Itoa(limit)+" writes an hour", "Tag", t.done(last))
	t.expect("the breakers that are tripped", "account/"+prod, t.breakers(ctx))
	t.pass(ctx, 3*time.Hour)
	t.sweep(ctx)
	t.watch(ctx)
	t.expect("the role's trust policy hours later, since only a person resets a breaker", open, t.trust(ctx, last))

	t.must(t.h.ledger.Reset(ctx, "account/"+prod, "ivan", "heidi's script is stopped", t.h.clock.Now()))
	t.remark("ivan looks at what was written, stops the script, and calls: rolewarden breaker reset account/" + prod)
	t.expect("the breakers that are tripped", "", t.breakers(ctx))
	t.pass(ctx, 6*time.Hour)
	t.sweep(ctx)
	t.watch(ctx)
	t.expect("what the next sweep leads to", decision.Revert.String(), t.done(last))
	t.expect("the role's trust policy", own, t.trust(ctx, last))
}

func shop(i int) string { return fmt.Sprintf("shop-%d", i+1) }

// breakers lists the scopes that are stopped, those of single roles left out.
func (t *tale) breakers(ctx context.Context) string {
	list, err := t.h.ledger.Breakers(ctx)
	t.must(err)
	out := ""
	for _, b := range list {
		if b.Scope == "account/"+prod {
			out = b.Scope
		}
	}
	return out
}

// trustsSince says how often rolewarden replaced a trust policy since a count of its writes.
func (t *tale) trustsSince(count int) string { return strconv.Itoa(t.h.trusts() - count) }
