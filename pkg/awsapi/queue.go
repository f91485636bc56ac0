package awsapi

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

// QueueConfig is what a Queue needs.
type QueueConfig struct {
	AWS aws.Config
	// URL is the queue's.
	URL string
}

// Queue is one SQS queue.
type Queue struct {
	url    string
	client func() *sqs.Client
}

// NewQueue makes one.
func NewQueue(cfg QueueConfig) (*Queue, error) {
	if cfg.URL == "" {
		return nil, errors.New("opening a queue: URL is missing: give the queue's URL")
	}
	return &Queue{url: cfg.URL, client: sync.OnceValue(func() *sqs.Client {
		return sqs.NewFromConfig(cfg.AWS, func(o *sqs.Options) { o.Retryer = patient() })
	})}, nil
}

// MaxDelay is the longest that SQS holds a message back (Amazon SQS API
// Reference, API_SendMessage: DelaySeconds).
const MaxDelay = 900 * time.Second

// MaxInvisible is the longest that SQS hides a message that was received
// (Amazon SQS API Reference, API_ChangeMessageVisibility).
const MaxInvisible = 12 * time.Hour

// Send sends a message that shows after a delay, in whole seconds, upwards. A
// delay beyond MaxDelay is held to it: whoever gets the message sees that it is
// not yet time, and sends it once more.
func (q *Queue) Send(ctx context.Context, body string, delay time.Duration) error {
	return q.send(ctx, &sqs.SendMessageInput{
		QueueUrl: aws.String(q.url), MessageBody: aws.String(body), DelaySeconds: seconds(min(delay, MaxDelay)),
	})
}

// SendFor is Send for one of several tenants of a queue: the queue gives the
// messages of others first while one has more than its share in work. On a
// standard queue a group orders nothing (Amazon SQS Developer Guide,
// sqs-fair-queues).
func (q *Queue) SendFor(ctx context.Context, tenant, body string, delay time.Duration) error {
	return q.send(ctx, &sqs.SendMessageInput{
		QueueUrl: aws.String(q.url), MessageBody: aws.String(body), DelaySeconds: seconds(min(delay, MaxDelay)),
		MessageGroupId: aws.String(tenant),
	})
}

// Bury sends a message that nobody can handle, with the reason, to this queue;
// for a dead-letter queue.
func (q *Queue) Bury(ctx context.Context, body, reason string) error {
	return q.send(ctx, &sqs.SendMessageInput{
		QueueUrl: aws.String(q.url), MessageBody: aws.String(body),
		MessageAttributes: map[string]types.MessageAttributeValue{
			"reason": {DataType: aws.String("String"), StringValue: aws.String(printable(reason))},
		},
	})
}

func (q *Queue) send(ctx context.Context, in *sqs.SendMessageInput) error {
	if _, err := q.client().SendMessage(ctx, in); err != nil {
		return fmt.Errorf("sending to %s: %w", q.url, sorted(err))
	}
	return nil
}

// Hide keeps a message that was received out of sight for a time from now on;
// zero shows it at once.
func (q *Queue) Hide(ctx context.Context, receipt string, d time.Duration) error {
	in := &sqs.ChangeMessageVisibilityInput{
		QueueUrl: aws.String(q.url), ReceiptHandle: aws.String(receipt), VisibilityTimeout: seconds(min(d, MaxInvisible)),
	}
	if _, err := q.client().ChangeMessageVisibility(ctx, in); err != nil {
		return fmt.Errorf("hiding a message in %s: %w", q.url, sorted(err))
	}
	return nil
}

// seconds gives whole seconds, upwards; nothing before now.
func seconds(d time.Duration) int32 {
	return int32(max(0, (d+time.Second-1)/time.Second))
}

// printable keeps of a text what an attribute may hold (Amazon SQS API
// Reference, API_SendMessage: the characters of XML 1.0), and not too much of it.
func printable(s string) string {
	const most = 1024
	out := make([]rune, 0, min(len(s), most))
	for _, r := range s {
		if len(out) == most {
			break
		}
		if r == '\uFFFD' || r < ' ' || (r >= 0xFFFE && r <= 0xFFFF) {
			r = ' '
		}
		out = append(out, r)
	}
	if len(out) == 0 {
		return "unknown"
	}
	return string(out)
}
