package cli

import (
	"context"
	"strings"
	"time"
)

// sweep has every account swept, and notes what is told of it.
func (t *tale) sweep(ctx context.Context) {
	t.told = nil
	t.must(t.h.start())
	t.add(scene{Kind: Handled, Who: "rolewarden", Text: "sweeps every account"})
	t.must(t.h.sweep(ctx))
	at := t.h.clock.Now()
	for _, m := range t.h.alerts() {
		t.alert(at, m)
	}
}

// until lets time pass up to a moment.
func (t *tale) until(ctx context.Context, at time.Time) {
	if wait := at.Sub(t.h.clock.Now()); wait > 0 {
		t.pass(ctx, wait)
	}
}

// reminded says whether an alert of the last ones speaks of an exemption.
func (t *tale) reminded(ticket string) string {
	for _, a := range t.told {
		if strings.Contains(string(a.JSON()), ticket) {
			return "yes"
		}
	}
	return "no"
}
