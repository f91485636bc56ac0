package awsapi

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/rolewarden/rolewarden/pkg/role"
)

// deed is what a step does. The zero value writes.
type deed uint8

// The deeds of a step.
const (
	// writes puts the item, or updates it where an update is given.
	writes deed = iota
	// removes deletes the item.
	removes
	// checks writes nothing and holds the others to its condition.
	checks
)

// step is one write of a transaction, made for the usual case.
type step struct {
	deed      deed
	key       item
	update    string // an update expression; empty puts the whole item
	put       item
	condition string
	values    item
	// names stand in expressions for what cannot be spelled there.
	names map[string]string
	// with names steps that are left out together.
	with string
	// again makes the step that fits what is stored, when its condition did
	// not hold. No step and no error leaves it out, with those named alike.
	again func(stored item) (*step, error)
}

func (s step) write(table string) types.TransactWriteItem {
	var condition *string
	if s.condition != "" {
		condition = aws.String(s.condition)
	}
	old := types.ReturnValuesOnConditionCheckFailureAllOld
	switch {
	case s.deed == removes:
		return types.TransactWriteItem{Delete: &types.Delete{
			TableName: aws.String(table), Key: s.key, ConditionExpression: condition, ExpressionAttributeValues: s.values,
			ExpressionAttributeNames: s.names, ReturnValuesOnConditionCheckFailure: old,
		}}
	case s.deed == checks:
		return types.TransactWriteItem{ConditionCheck: &types.ConditionCheck{
			TableName: aws.String(table), Key: s.key, ConditionExpression: condition, ExpressionAttributeValues: s.values,
			ExpressionAttributeNames: s.names, ReturnValuesOnConditionCheckFailure: old,
		}}
	case s.update == "":
		return types.TransactWriteItem{Put: &types.Put{
			TableName: aws.String(table), Item: s.put, ConditionExpression: condition, ExpressionAttributeValues: s.values,
			ExpressionAttributeNames: s.names, ReturnValuesOnConditionCheckFailure: old,
		}}
	}
	return types.TransactWriteItem{Update: &types.Update{
		TableName: aws.String(table), Key: s.key, UpdateExpression: aws.String(s.update), ConditionExpression: condition,
		ExpressionAttributeValues: s.values, ExpressionAttributeNames: s.names, ReturnValuesOnConditionCheckFailure: old,
	}}
}

// maxSteps is the most writes of one transaction (Amazon DynamoDB API
// Reference, API_TransactWriteItems).
const maxSteps = 100

// rounds bounds how often a transaction is made anew for what was stored meanwhile.
const rounds = 6

// send writes all of the steps or none. The reasons say, step by step, why none was.
func (d *Dynamo) send(ctx context.Context, steps []step) ([]types.CancellationReason, error) {
	in := &dynamodb.TransactWriteItemsInput{}
	for _, s := range steps {
		in.TransactItems = append(in.TransactItems, s.write(d.table))
	}
	_, err := d.client().TransactWriteItems(ctx, in)
	if err == nil {
		return nil, nil
	}
	var canceled *types.TransactionCanceledException
	if !errors.As(err, &canceled) {
		return nil, sorted(err)
	}
	for _, r := range canceled.CancellationReasons {
		if unmet(r) && len(canceled.CancellationReasons) == len(steps) {
			return canceled.CancellationReasons, nil
		}
	}
	e := sorted(err)
	if passing(canceled.CancellationReasons) {
		e.kind = role.ErrConflict
	}
	return nil, e
}

// unmet says whether a step's condition did not hold.
func unmet(r types.CancellationReason) bool { return aws.ToString(r.Code) == conditionFailed }

// storedOf gives what is stored under a step's key, as the canceled transaction
// told or as it is read now.
func (d *Dynamo) storedOf(ctx context.Context, s step, r types.CancellationReason) (item, error) {
	if r.Item != nil {
		return r.Item, nil
	}
	return d.get(ctx, s.key)
}

// conditionFailed is DynamoDB's code for a step whose condition does not hold.
const conditionFailed = "ConditionalCheckFailed"

// transact writes all steps in one transaction, making those anew that do not
// fit what is stored.
func (d *Dynamo) transact(ctx context.Context, steps []step) error {
	for range rounds {
		if len(steps) == 0 {
			return nil
		}
		reasons, err := d.send(ctx, steps)
		if err != nil || reasons == nil {
			return err
		}
		if steps, err = d.fit(ctx, steps, reasons); err != nil {
			return err
		}
	}
	return fmt.Errorf("writing what others write too, %d times: %w", rounds, role.ErrConflict)
}

// fit makes the steps anew after a transaction was canceled.
func (d *Dynamo) fit(ctx context.Context, steps []step, reasons []types.CancellationReason) ([]step, error) {
	var out []step
	left := map[string]bool{}
	for i, s := range steps {
		if !unmet(reasons[i]) {
			out = append(out, s)
			continue
		}
		stored, err := d.storedOf(ctx, s, reasons[i])
		if err != nil {
			return nil, err
		}
		next, err := s.again(stored)
		if err != nil {
			return nil, err
		}
		if next != nil {
			out = append(out, *next)
		} else {
			left[s.with] = s.with != ""
		}
	}
	kept := out[:0]
	for _, s := range out {
		if !left[s.with] {
			kept = append(kept, s)
		}
	}
	return kept, nil
}
