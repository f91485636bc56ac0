package cli

import (
	"context"
	"time"
)

// exemptionStory is S9: an exemption that ends while nobody changes the role (T59).
func exemptionStory(ctx context.Context, t *tale) {
	t.pass(ctx, 24*time.Hour)
	judy := t.staff(ctx, prod, "judy")
	e := t.h.rules.Exemptions[0]
	vendor := trusting("AWS", quote("arn:aws:iam::"+partner+":root"), assumeRole, "")
	t.writes(ctx, judy, "CreateRole", "legacy-vendor", vendor, "acme may assume it without an external ID, under exemption "+e.Ticket)
	t.watch(ctx)
	t.expect("what was done to the exempted role", "Ignore", t.done("legacy-vendor"))
	t.expect("the alerts", "", t.states())
	for _, r := range []struct {
		ahead time.Duration
		says  string
	}{{14 * 24 * time.Hour, "14 days before its end"}, {3 * 24 * time.Hour, "3 days before its end"}} {
		t.until(ctx, e.Expires.Add(-r.ahead))
		t.sweep(ctx)
		t.expect("what people are told "+r.says, "yes", t.reminded(e.Ticket))
	}
	t.until(ctx, e.Expires)
	t.sweep(ctx)
	t.expect("what people are told on the day it ends", "yes", t.reminded(e.Ticket))
	t.watch(ctx)
	t.expect("the verdict on the role, which nobody has changed", "Noncompliant external-id", t.verdict("legacy-vendor"))
	t.expect("the role's trust policy, for which there is no baseline", vendor, t.trust(ctx, "legacy-vendor"))
}
