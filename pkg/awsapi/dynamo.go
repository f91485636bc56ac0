package awsapi

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/rolewarden/rolewarden/pkg/ledger"
)

// DynamoConfig is what a Dynamo needs.
type DynamoConfig struct {
	AWS aws.Config
	// Table has the keys pk and sk, both texts, and the time-to-live attribute
	// expires. Its layout is described in the ledger's README.
	Table string
}

// Dynamo is the ledger on one DynamoDB table. Every read is consistent, no
// call but States scans, and times are compared here or in conditions: DynamoDB takes days
// to remove what has expired.
type Dynamo struct {
	table  string
	client func() *dynamodb.Client
}

var _ ledger.Ledger = (*Dynamo)(nil)

// NewDynamo makes one. The table must exist.
func NewDynamo(cfg DynamoConfig) (*Dynamo, error) {
	if cfg.Table == "" {
		return nil, errors.New("opening the ledger: Table is missing: give the table's name")
	}
	return &Dynamo{
		table: cfg.Table,
		client: sync.OnceValue(func() *dynamodb.Client {
			return dynamodb.NewFromConfig(cfg.AWS, func(o *dynamodb.Options) { o.Retryer = contended() })
		}),
	}, nil
}

// contended retries what lost a race for an item too: an error of DynamoDB
// that is gone a moment later (Amazon DynamoDB Developer Guide,
// transaction-apis, conflict handling).
func contended() aws.Retryer {
	return retry.NewStandard(func(o *retry.StandardOptions) {
		o.MaxAttempts, o.MaxBackoff = 6, 200*time.Millisecond
		o.Retryables = append(o.Retryables, retry.IsErrorRetryableFunc(func(err error) aws.Ternary {
			var conflict *types.TransactionConflictException
			var canceled *types.TransactionCanceledException
			switch {
			case errors.As(err, &conflict):
				return aws.TrueTernary
			case errors.As(err, &canceled):
				return aws.BoolTernary(passing(canceled.CancellationReasons))
			}
			return aws.UnknownTernary
		}))
	})
}

// passing says whether a transaction was canceled for nothing but what passes.
func passing(reasons []types.CancellationReason) bool {
	found := false
	for _, r := range reasons {
		switch aws.ToString(r.Code) {
		case "None", "":
		case "TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded":
			found = true
		default:
			return false
		}
	}
	return found
}

// item is what DynamoDB stores under one key.
type item = map[string]types.AttributeValue

// The attributes that expressions speak of.
const (
	partKey = "pk"
	sortKey = "sk"
	ttl     = "expires"
	body    = "body"
)

// kept is how long events and tokens are remembered: longer than any replay of
// an event that is still believed.
const kept = 400 * 24 * time.Hour

func keyed(pk, sk string) item { return item{partKey: text(pk), sortKey: text(sk)} }

func text(s string) types.AttributeValue { return &types.AttributeValueMemberS{Value: s} }

func number(n int64) types.AttributeValue {
	return &types.AttributeValueMemberN{Value: strconv.FormatInt(n, 10)}
}

func expiry(at time.Time, after time.Duration) types.AttributeValue {
	return number(at.Add(after).Unix())
}

// stamp prints a time so that the order of texts is the order of times.
const stampForm = "2006-01-02T15:04:05.000000000Z"

func stamp(t time.Time) types.AttributeValue { return text(t.UTC().Format(stampForm)) }

func textOf(i item, name string) string {
	if v, ok := i[name].(*types.AttributeValueMemberS); ok {
		return v.Value
	}
	return ""
}

func numberOf(i item, name string) int {
	if v, ok := i[name].(*types.AttributeValueMemberN); ok {
		n, _ := strconv.Atoi(v.Value)
		return n
	}
	return 0
}

// stampOf reads a time; one that is not there or cannot be read is zero.
func stampOf(i item, name string) time.Time {
	t, _ := time.Parse(stampForm, textOf(i, name))
	return t
}

// get reads one item; it is nil when there is none.
func (d *Dynamo) get(ctx context.Context, key item) (item, error) {
	out, err := d.client().GetItem(ctx, &dynamodb.GetItemInput{TableName: aws.String(d.table), Key: key, ConsistentRead: aws.Bool(true)})
	if err != nil {
		return nil, sorted(err)
	}
	return out.Item, nil
}

// query reads every item of a partition whose sort key begins as given.
func (d *Dynamo) query(ctx context.Context, pk, begins string) ([]item, error) {
	return d.queryAll(ctx, &dynamodb.QueryInput{
		KeyConditionExpression:    aws.String("pk = :pk AND begins_with(sk, :sk)"),
		ExpressionAttributeValues: item{":pk": text(pk), ":sk": text(begins)},
	})
}

// partition reads every item of a partition, in the order of the sort keys.
func (d *Dynamo) partition(ctx context.Context, pk string) ([]item, error) {
	return d.queryAll(ctx, &dynamodb.QueryInput{
		KeyConditionExpression: aws.String("pk = :pk"), ExpressionAttributeValues: item{":pk": text(pk)},
	})
}

func (d *Dynamo) queryAll(ctx context.Context, in *dynamodb.QueryInput) ([]item, error) {
	in.TableName, in.ConsistentRead = aws.String(d.table), aws.Bool(true)
	var all []item
	for {
		out, err := d.client().Query(ctx, in)
		if err != nil {
			return nil, sorted(err)
		}
		all = append(all, out.Items...)
		if len(out.LastEvaluatedKey) == 0 {
			return all, nil
		}
		in.ExclusiveStartKey = out.LastEvaluatedKey
	}
}

// batch is the most keys of one BatchGetItem (Amazon DynamoDB API Reference).
const batch = 100

// errBusy ends a reading that DynamoDB keeps giving only in part.
var errBusy = errors.New("DynamoDB gave only a part, again and again")

// getAll reads the items of many keys, in no order; keys without an item are left out.
func (d *Dynamo) getAll(ctx context.Context, keys []item) ([]item, error) {
	var all []item
	for rounds := 0; len(keys) > 0; rounds++ {
		if rounds > 8+len(keys)/batch {
			return nil, errBusy
		}
		part := keys[:min(batch, len(keys))]
		keys = keys[len(part):]
		out, err := d.client().BatchGetItem(ctx, &dynamodb.BatchGetItemInput{RequestItems: map[string]types.KeysAndAttributes{
			d.table: {Keys: part, ConsistentRead: aws.Bool(true)},
		}})
		if err != nil {
			return nil, sorted(err)
		}
		all = append(all, out.Responses[d.table]...)
		keys = append(keys, out.UnprocessedKeys[d.table].Keys...)
	}
	return all, nil
}

// put writes one item where its condition holds.
func (d *Dynamo) put(ctx context.Context, i item, condition string, values item) error {
	in := &dynamodb.PutItemInput{TableName: aws.String(d.table), Item: i}
	if condition != "" {
		in.ConditionExpression, in.ExpressionAttributeValues = aws.String(condition), values
	}
	_, err := d.client().PutItem(ctx, in)
	return refusal(err)
}

// errCondition is a write whose condition did not hold.
var errCondition = errors.New("the condition does not hold")

// refusal tells a condition that did not hold from other errors.
func refusal(err error) error {
	var failed *types.ConditionalCheckFailedException
	switch {
	case err == nil:
		return nil
	case errors.As(err, &failed):
		return errCondition
	}
	return sorted(err)
}

// doing says what was being done when an error came.
func doing(err error, format string, a ...any) error {
	return fmt.Errorf(format+": %w", append(a, err)...)
}
