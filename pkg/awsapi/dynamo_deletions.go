package awsapi

import (
	"context"
	"errors"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/rolewarden/rolewarden/pkg/finding"
	"github.com/rolewarden/rolewarden/pkg/ledger"
)

// Deleted implements ledger.Ledger.
func (d *Dynamo) Deleted(ctx context.Context, end ledger.Deletion) ([]finding.Principal, error) {
	if err := end.Event.Check(); err != nil {
		return nil, err
	}
	out, err := d.deleted(ctx, end)
	if err != nil {
		return nil, doing(err, "recording the deletion of %s", end.Principal)
	}
	return out, nil
}

func (d *Dynamo) deleted(ctx context.Context, end ledger.Deletion) ([]finding.Principal, error) {
	part := principalPart(end.Principal)
	if err := d.ended(ctx, end); err != nil || end.RenamedTo != "" {
		return nil, err
	}
	known, err := d.bearers(ctx, part)
	if err != nil {
		return nil, err
	}
	ids := known.before(end.At)
	for _, id := range ids {
		if known[id].ended() {
			continue
		}
		if err := d.mark(ctx, id, end); err != nil {
			return nil, err
		}
	}
	if known, err = d.bearers(ctx, part); err != nil {
		return nil, err
	}
	var out []finding.Principal
	for _, id := range ids {
		b := known[id]
		if textOf(b.stored, "deletedEvent") == end.Event.EventID && textOf(b.stored, "deletedIn") == end.Event.Account {
			out = append(out, known.principal(id))
		}
	}
	return out, nil
}

func endKey(p ledger.PrincipalKey) item { return keyed(principalPart(p), "END") }

// ended records the end of a name, unless a later one is known.
func (d *Dynamo) ended(ctx context.Context, end ledger.Deletion) error {
	_, err := d.client().UpdateItem(ctx, &dynamodb.UpdateItemInput{
		TableName: aws.String(d.table), Key: endKey(end.Principal),
		UpdateExpression:    aws.String("SET endedBy = :by, endedAt = :at, endedEvent = :event, endedIn = :in, endedAs = :as"),
		ConditionExpression: aws.String("attribute_not_exists(endedAt) OR endedAt < :at"),
		ExpressionAttributeValues: item{
			":by": text(end.By), ":at": stamp(end.At), ":event": text(end.Event.EventID), ":in": text(end.Event.Account),
			":as": text(end.RenamedTo),
		},
	})
	if err := refusal(err); err != nil && !errors.Is(err, errCondition) {
		return err
	}
	return nil
}

// Ends implements ledger.Ledger.
func (d *Dynamo) Ends(ctx context.Context, principals []ledger.PrincipalKey) ([]ledger.Deletion, error) {
	each := ledger.EachOnce(principals)
	var keys []item
	for _, p := range each {
		keys = append(keys, endKey(p))
	}
	stored, err := d.getAll(ctx, keys)
	if err != nil {
		return nil, doing(err, "reading the ends of principals")
	}
	found := map[string]item{}
	for _, i := range stored {
		found[textOf(i, "pk")] = i
	}
	var out []ledger.Deletion
	for _, p := range each {
		if i, ok := found[principalPart(p)]; ok {
			f := fields{of: i, err: sound(i, []string{"endedAt", "endedEvent", "endedIn"}, nil)}
			out = append(out, ledger.Deletion{
				Principal: p, By: f.text("endedBy"), At: f.moment("endedAt"),
				Event: ledger.Key{Account: f.text("endedIn"), EventID: f.text("endedEvent")}, RenamedTo: f.text("endedAs"),
			})
			if f.err != nil {
				return nil, doing(f.err, "reading the ends of principals")
			}
		}
	}
	return out, nil
}

// mark records an id's end, once.
func (d *Dynamo) mark(ctx context.Context, id string, end ledger.Deletion) error {
	_, err := d.client().UpdateItem(ctx, &dynamodb.UpdateItemInput{
		TableName: aws.String(d.table), Key: idKey(id),
		UpdateExpression:    aws.String("SET deletedBy = :by, deletedAt = :at, deletedEvent = :event, deletedIn = :in"),
		ConditionExpression: aws.String("attribute_exists(pk) AND attribute_not_exists(deletedEvent)"),
		ExpressionAttributeValues: item{
			":by": text(end.By), ":at": stamp(end.At), ":event": text(end.Event.EventID), ":in": text(end.Event.Account),
		},
	})
	if err := refusal(err); err != nil && !errors.Is(err, errCondition) {
		return err
	}
	return nil
}
