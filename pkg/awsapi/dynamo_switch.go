package awsapi

import (
	"context"
	"fmt"
	"time"

	"github.com/rolewarden/rolewarden/pkg/decision"
	"github.com/rolewarden/rolewarden/pkg/ledger"
)

func switchKey() item { return keyed("SWITCH", "SWITCH") }

// Switch implements ledger.Ledger. What cannot be read stops every write.
func (d *Dynamo) Switch(ctx context.Context) (decision.Switch, error) {
	s, ok, err := d.Setting(ctx)
	if err == nil && !ok {
		return decision.WritesAllowed, nil
	}
	return s.Switch, err
}

// Setting implements ledger.Ledger.
func (d *Dynamo) Setting(ctx context.Context) (ledger.Setting, bool, error) {
	stored, err := d.get(ctx, switchKey())
	if err != nil {
		return ledger.Setting{}, false, doing(err, "reading the kill switch")
	}
	if stored == nil {
		return ledger.Setting{}, false, nil
	}
	// The time is for people; one that somebody wrote by hand stops nothing.
	turned := ledger.Setting{By: textOf(stored, "setBy"), Reason: textOf(stored, "reason"), At: stampOf(stored, "setAt")}
	for _, s := range []decision.Switch{decision.WritesStopped, decision.WritesAllowed} {
		if textOf(stored, "setting") == s.String() {
			turned.Switch = s
			return turned, true, nil
		}
	}
	return turned, true, fmt.Errorf("reading the kill switch: its setting is %q: set it anew", textOf(stored, "setting"))
}

// SetSwitch implements ledger.Ledger.
func (d *Dynamo) SetSwitch(ctx context.Context, s decision.Switch, by, reason string, at time.Time) error {
	if err := ledger.CheckSwitch(s, by); err != nil {
		return err
	}
	i := switchKey()
	i["setting"], i["setBy"], i["reason"], i["setAt"] = text(s.String()), text(by), text(reason), stamp(at)
	if err := d.put(ctx, i, "", nil); err != nil {
		return doing(err, "setting the kill switch")
	}
	return nil
}
