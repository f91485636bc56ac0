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
