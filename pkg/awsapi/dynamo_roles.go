package awsapi

import (
	"context"
	"errors"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/rolewarden/rolewarden/pkg/ledger"
	"github.com/rolewarden/rolewarden/pkg/role"
)

func rolePart(account, roleID string) string { return "ROLE#" + account + "#" + roleID }

func stateKey(account, roleID string) item { return keyed(rolePart(account, roleID), "STATE") }

func stateItem(s ledger.RoleState) (item, error) {
	packed, err := pack(recordOfState(s))
	if err != nil {
		return nil, err
	}
	i := stateKey(s.Account, s.RoleID)
	i[body], i["eventTime"], i["updatedAt"] = packed, stamp(s.EventTime), stamp(s.UpdatedAt)
	if s.AlertID != "" {
		i["alertId"] = text(s.AlertID)
	}
	return i, nil
}

// State implements ledger.Ledger.
func (d *Dynamo) State(ctx context.Context, account, roleID string) (ledger.RoleState, bool, error) {
	stored, err := d.get(ctx, stateKey(account, roleID))
	if err != nil {
		return ledger.RoleState{}, false, doing(err, "reading the state of role %s/%s", account, roleID)
	}
	if stored == nil {
		return ledger.RoleState{}, false, nil
	}
	record, err := unpack[stateRecord](stored, body)
	if err != nil {
		return ledger.RoleState{}, false, doing(err, "reading the state of role %s/%s", account, roleID)
	}
	return record.state(), true, nil
}

const baselineSort = "BASELINE#"

// Baselines implements ledger.Ledger.
func (d *Dynamo) Baselines(ctx context.Context, account, roleID string) ([]role.Baseline, error) {
	stored, err := d.query(ctx, rolePart(account, roleID), baselineSort)
	if err != nil {
		return nil, doing(err, "reading the baselines of role %s/%s", account, roleID)
	}
	var out []role.Baseline
	for _, i := range stored {
		record, err := unpack[baselineRecord](i, body)
		if err != nil {
			return nil, doing(err, "reading the baselines of role %s/%s", account, roleID)
		}
		out = append(out, role.Baseline(record))
	}
	ledger.SortBaselines(out)
	return out, nil
}

// AddBaseline implements ledger.Ledger.
func (d *Dynamo) AddBaseline(ctx context.Context, b role.Baseline) error {
	if err := ledger.CheckBaseline(b); err != nil {
		return err
	}
	packed, err := pack(baselineRecord(b))
	if err != nil {
		return doing(err, "adding a baseline of role %s/%s", b.Account, b.RoleID)
	}
	i := keyed(rolePart(b.Account, b.RoleID), baselineSort+b.Digest)
	i[body], i["sealed"] = packed, stamp(b.Sealed)
	if err := d.put(ctx, i, "", nil); err != nil {
		return doing(err, "adding a baseline of role %s/%s", b.Account, b.RoleID)
	}
	return nil
}

func leaseKey(r role.Ref) item {
	r = ledger.FoldRef(r)
	return keyed("LEASE#"+r.Account+"#"+r.Name, "LEASE")
}

// Lease implements ledger.Ledger.
func (d *Dynamo) Lease(ctx context.Context, r role.Ref, holder string, now, until time.Time) error {
	i := leaseKey(r)
	i["holder"], i["untilTime"], i[ttl] = text(holder), stamp(until), expiry(until, 24*time.Hour)
	err := d.put(ctx, i, "attribute_not_exists(pk) OR holder = :holder OR untilTime <= :now", item{":holder": text(holder), ":now": stamp(now)})
	switch {
	case errors.Is(err, errCondition):
		return doing(ledger.ErrLeased, "leasing role %s", r)
	case err != nil:
		return doing(err, "leasing role %s", r)
	}
	return nil
}

// Release implements ledger.Ledger.
func (d *Dynamo) Release(ctx context.Context, r role.Ref, holder string) error {
	_, err := d.client().DeleteItem(ctx, &dynamodb.DeleteItemInput{
		TableName: aws.String(d.table), Key: leaseKey(r),
		ConditionExpression: aws.String("holder = :holder"), ExpressionAttributeValues: item{":holder": text(holder)},
	})
	if err := refusal(err); err != nil && !errors.Is(err, errCondition) {
		return doing(err, "releasing role %s", r)
	}
	return nil
}
