package awsapi

import (
	"context"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/rolewarden/rolewarden/pkg/decision"
	"github.com/rolewarden/rolewarden/pkg/ledger"
)

func tokenKey(token string) item { return keyed("SPENT#"+token, "SPENT") }

func counterStep(c ledger.Counter, at time.Time) step {
	start := c.Start(at)
	// A limit of zero holds against a counter that does not exist yet.
	condition := "written < :limit"
	if c.Limit > 0 {
		condition = "attribute_not_exists(written) OR written < :limit"
	}
	return step{
		key:       keyed(fmt.Sprintf("COUNT#%d#%d#%s", int64(c.Window/time.Second), start.Unix(), c.Name), "COUNT"),
		update:    "ADD written :one SET expires = :expires",
		condition: condition,
		values:    item{":one": number(1), ":limit": number(int64(c.Limit)), ":expires": expiry(start, c.Window+7*24*time.Hour)},
	}
}

// Spend implements ledger.Ledger, in one call unless a limit is used up.
func (d *Dynamo) Spend(ctx context.Context, token string, at time.Time, counters []ledger.Counter) error {
	if err := ledger.CheckToken(token); err != nil {
		return err
	}
	counters, err := ledger.Distinct(counters)
	if err != nil {
		return err
	}
	spent := tokenKey(token)
	spent[ttl] = expiry(at, kept)
	steps := []step{{key: tokenKey(token), put: spent, condition: "attribute_not_exists(pk)"}}
	for _, c := range counters {
		steps = append(steps, counterStep(c, at))
	}
	reasons, err := d.send(ctx, steps)
	if err != nil {
		return doing(err, "spending for %s", token)
	}
	if reasons == nil || aws.ToString(reasons[0].Code) == conditionFailed {
		return nil
	}
	// The reasons of a canceled transaction may stop at the first; a token
	// that was spent before is not stopped by a limit.
	before, err := d.get(ctx, tokenKey(token))
	if err != nil {
		return doing(err, "spending for %s", token)
	}
	if before != nil {
		return nil
	}
	for i, c := range counters {
		if r := reasons[i+1]; aws.ToString(r.Code) == conditionFailed {
			return &ledger.LimitError{Counter: c, Count: numberOf(r.Item, "written")}
		}
	}
	return fmt.Errorf("spending for %s: the transaction was canceled for no counter", token)
}

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
