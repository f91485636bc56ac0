package main

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssqs"
	"github.com/aws/constructs-go/constructs/v10"

	"github.com/rolewarden/rolewarden/pkg/deployment"
	"github.com/rolewarden/rolewarden/pkg/grants"
)

const (
	// retention is the longest that SQS keeps a message: 14 days. The clock of a
	// message starts when it is first sent, and moving it to a dead-letter queue
	// does not set it back (Amazon SQS Developer Guide,
	// sqs-dead-letter-queues).
	retention = 14 * 24 * 60 * 60
	// patience is for how long a message is tried, in seconds, before it moves to
	// the dead-letter queue. A failed one comes back when its visibility ends, so it
	// is received as often as visibilities go into two days: that bridges two days
	// without IAM, DynamoDB or Slack, and leaves twelve of the fourteen days to look
	// at what lies dead. Nobody has to wait that long to hear of it: each failure
	// counts, and the age of the oldest message has an alarm of its own.
	patience = 2 * 24 * 60 * 60
	// visibilities is visibility timeout over function timeout (AWS Lambda
	// Developer Guide, services-sqs-configure).
	visibilities = 6
)

// queue is a queue with its dead-letter queue.
type queue struct {
	resource awssqs.CfnQueue
	dead     deadLetters
	// policy says who may send.
	policy awscdk.CfnResource
	// arn and deadARN are known before the queues are; url and deadURL are tokens.
	arn, deadARN string
	url, deadURL string
}

// deadLetters is a queue that nobody takes from but people, and the policy that
// says who may send to it.
type deadLetters struct {
	resource awssqs.CfnQueue
	policy   awscdk.CfnResource
}

// queueConfig says what a queue is for.
type queueConfig struct {
	name string
	// key is the ARN of the key that encrypts the queue.
	key string
	// timeout is that of the function which takes from it, in seconds.
	timeout int
	// senders may send to it, deadSenders to its dead-letter queue.
	senders, deadSenders []grants.Sender
}

// newQueue adds a queue and its dead-letter queue. The queue is encrypted with
// the data key, the dead-letter queue with SQS's own: whoever disables the data
// key stops both the queue and what would tell of it, but loses nothing (T13).
func newQueue(scope constructs.Construct, d *deployment.Deployment, c queueConfig) queue {
	id := logicalName(c.name) + "Queue"
	q := queue{arn: hubARN(d, "sqs", c.name), deadARN: hubARN(d, "sqs", c.name+deployment.DLQ)}
	q.dead = newDeadLetters(scope, d, id+"Dead", c.name+deployment.DLQ, c.deadSenders, map[string]any{
		"redrivePermission": "byQueue", "sourceQueueArns": []any{q.arn},
	})
	q.resource = awssqs.NewCfnQueue(scope, str(id), &awssqs.CfnQueueProps{
		QueueName:              str(c.name),
		KmsMasterKeyId:         str(c.key),
		MessageRetentionPeriod: num(retention),
		VisibilityTimeout:      num(float64(visibilities * c.timeout)),
		RedrivePolicy:          object(map[string]any{"deadLetterTargetArn": q.dead.resource.AttrArn(), "maxReceiveCount": patience / (visibilities * c.timeout)}),
	})
	q.policy = newQueuePolicy(scope, d, id+"Policy", q.resource, q.arn, c.senders)
	q.url, q.deadURL = *q.resource.Ref(), *q.dead.resource.Ref()
	return q
}

// newDeadLetters adds a dead-letter queue.
func newDeadLetters(scope constructs.Construct, d *deployment.Deployment, id, name string, senders []grants.Sender, redrive map[string]any) deadLetters {
	dead := awssqs.NewCfnQueue(scope, str(id), &awssqs.CfnQueueProps{
		QueueName:              str(name),
		SqsManagedSseEnabled:   yes(),
		MessageRetentionPeriod: num(retention),
		RedriveAllowPolicy:     object(redrive),
	})
	return deadLetters{resource: dead, policy: newQueuePolicy(scope, d, id+"Policy", dead, hubARN(d, "sqs", name), senders)}
}

// newQueuePolicy says who may send to a queue, beside the functions whose roles
// say so.
func newQueuePolicy(scope constructs.Construct, d *deployment.Deployment, id string, q awssqs.CfnQueue, arn string, senders []grants.Sender) awscdk.CfnResource {
	return awssqs.NewCfnQueuePolicy(scope, str(id), &awssqs.CfnQueuePolicyProps{
		Queues: &[]*string{q.Ref()}, PolicyDocument: grants.QueuePolicy(worldOf(d), arn, senders).Value(),
	})
}

// hubARN gives the ARN of something in the hub. Names are fixed, so policies
// can name what does not exist yet, and read the same in every template.
func hubARN(d *deployment.Deployment, service, resource string) string {
	return "arn:" + d.Partition + ":" + service + ":" + d.Region + ":" + d.Account + ":" + resource
}

// after makes a resource wait for others, such as a rule for the policy that
// lets it send: what it sends before that is lost.
func after(r awscdk.CfnResource, others ...awscdk.CfnResource) {
	for _, o := range others {
		r.AddResourceDependency(o, nil)
	}
}
