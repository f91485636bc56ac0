package awsapi

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/rolewarden/rolewarden/pkg/ledger"
)

// outboxes is how many partitions the letters lie in: one takes a thousand
// writes a second (Amazon DynamoDB Developer Guide, bp-partition-key-design),
// which a flood of alerts may pass.
const outboxes = 4

func outboxPart(n uint32) string { return fmt.Sprintf("OUTBOX#%d", n) }

// letterKey is where a letter waits: in a partition in the order of time.
func letterKey(l ledger.Letter, at time.Time) item {
	name := l.Name()
	h := fnv.New32a()
	_, _ = h.Write([]byte(name)) // a hash never refuses
	return keyed(outboxPart(h.Sum32()%outboxes), at.UTC().Format(stampForm)+"#"+name)
}

func letterItem(l ledger.Letter) (item, error) {
	content, err := packBytes(l.Body)
	if err != nil {
		return nil, err
	}
	i := letterKey(l, l.At)
	i[body], i[form] = content, number(thisForm)
	i["account"], i["eventId"], i["id"], i["writtenAt"] = text(l.Event.Account), text(l.Event.EventID), text(l.ID), stamp(l.At)
	if l.After != (ledger.Key{}) {
		i["afterAccount"], i["afterEventId"] = text(l.After.Account), text(l.After.EventID)
	}
	return i, nil
}

func letterOf(i item) (ledger.Letter, error) {
	f := fields{of: i}
	l := ledger.Letter{
		ID: f.text("id"), Event: ledger.Key{Account: f.text("account"), EventID: f.text("eventId")}, At: f.moment("writtenAt"),
		After: ledger.Key{Account: f.text("afterAccount"), EventID: f.text("afterEventId")},
	}
	if f.err != nil {
		return ledger.Letter{}, f.err
	}
	var err error
	if l.Body, err = unpackBytes(i, body); err != nil {
		return ledger.Letter{}, err
	}
	if k := letterKey(l, l.At); textOf(k, partKey) != textOf(i, partKey) || textOf(k, sortKey) != textOf(i, sortKey) {
		return ledger.Letter{}, broken(i, errMoved)
	}
	return l, nil
}

// letterSteps keeps letters.
func letterSteps(letters []ledger.Letter) ([]step, error) {
	var out []step
	for _, l := range letters {
		i, err := letterItem(l)
		if err != nil {
			return nil, fmt.Errorf("keeping letter %s: %w", l.ID, err)
		}
		out = append(out, step{key: letterKey(l, l.At), put: i})
	}
	return out, nil
}

// listed is what an event knows of its letters: when each was written, by its
// ID. From that they are found without looking through all that wait.
func listed(letters []ledger.Letter) types.AttributeValue {
	m := item{}
	for _, l := range letters {
		m[l.ID] = stamp(l.At)
	}
	return &types.AttributeValueMemberM{Value: m}
}

// waitingOf gives the letters, without bodies, that an event's item lists.
func waitingOf(k ledger.Key, event item) ([]ledger.Letter, error) {
	if event["letters"] == nil {
		return nil, nil
	}
	m, ok := event["letters"].(*types.AttributeValueMemberM)
	if !ok {
		return nil, broken(event, errors.New("its letters are no list"))
	}
	var out []ledger.Letter
	for id := range m.Value {
		f := fields{of: m.Value}
		l := ledger.Letter{ID: id, Event: k, At: f.moment(id)}
		if f.err != nil {
			return nil, broken(event, fmt.Errorf("its letter %q has no time that can be read", id))
		}
		out = append(out, l)
	}
	ledger.SortLetters(out)
	return out, nil
}

// errLost is a letter that an event lists and that is not there.
var errLost = errors.New("it is gone and was never delivered")

// lettersOf reads the letters of an event that are not delivered; no call is
// made when it lists none.
func (d *Dynamo) lettersOf(ctx context.Context, k ledger.Key, event item) ([]ledger.Letter, error) {
	var out []ledger.Letter
	for range rounds {
		waiting, err := waitingOf(k, event)
		if err != nil || len(waiting) == 0 {
			return nil, err
		}
		var lost item
		if out, lost, err = d.readLetters(ctx, waiting); err != nil || lost == nil {
			return out, err
		}
		// One of them may have been delivered just now. Then it is not listed any more.
		before := len(waiting)
		if event, err = d.get(ctx, eventKey(k)); err != nil {
			return nil, err
		}
		if waiting, err = waitingOf(k, event); err != nil {
			return nil, err
		}
		if len(waiting) == before {
			return nil, broken(lost, errLost)
		}
	}
	return out, nil
}

// readLetters reads letters whole; lost is the key of one that is not there.
func (d *Dynamo) readLetters(ctx context.Context, waiting []ledger.Letter) (letters []ledger.Letter, lost item, err error) {
	var keys []item
	for _, l := range waiting {
		keys = append(keys, letterKey(l, l.At))
	}
	stored, err := d.getAll(ctx, keys)
	if err != nil {
		return nil, nil, err
	}
	found := map[string]bool{}
	for _, i := range stored {
		l, err := letterOf(i)
		if err != nil {
			return nil, nil, err
		}
		found[l.Name()] = true
		letters = append(letters, l)
	}
	ledger.SortLetters(letters)
	for i, l := range waiting {
		if !found[l.Name()] {
			return letters, keys[i], nil
		}
	}
	return letters, nil, nil
}

// Undelivered implements ledger.Ledger.
func (d *Dynamo) Undelivered(ctx context.Context, limit int) ([]ledger.Letter, error) {
	if err := ledger.CheckLimit(limit); err != nil {
		return nil, err
	}
	var all []ledger.Letter
	var bad []error
	for n := range uint32(outboxes) {
		some, unread, err := d.outbox(ctx, n, limit)
		if err != nil {
			return nil, doing(err, "reading the letters that wait")
		}
		all, bad = append(all, some...), append(bad, unread...)
	}
	ledger.SortLetters(all)
	if err := errors.Join(bad...); err != nil {
		return all[:min(limit, len(all))], doing(err, "reading the letters that wait")
	}
	return all[:min(limit, len(all))], nil
}

// outbox reads the oldest letters of one partition. One that cannot be read
// stands in nobody's way: it is told beside the others.
func (d *Dynamo) outbox(ctx context.Context, n uint32, limit int) (letters []ledger.Letter, unread []error, err error) {
	in := &dynamodb.QueryInput{
		TableName: aws.String(d.table), ConsistentRead: aws.Bool(true), Limit: aws.Int32(int32(min(limit, 1000))),
		KeyConditionExpression: aws.String("pk = :pk"), ExpressionAttributeValues: item{":pk": text(outboxPart(n))},
	}
	for len(letters) < limit {
		page, err := d.client().Query(ctx, in)
		if err != nil {
			return nil, nil, sorted(err)
		}
		for _, i := range page.Items {
			l, err := letterOf(i)
			if err != nil {
				unread = append(unread, err)
				continue
			}
			letters = append(letters, l)
		}
		if len(page.LastEvaluatedKey) == 0 {
			break
		}
		in.ExclusiveStartKey = page.LastEvaluatedKey
	}
	return letters, unread, nil
}
