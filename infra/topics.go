package main

import (
	"strconv"

	"github.com/aws/aws-cdk-go/awscdk/v2/awssecretsmanager"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssns"
	"github.com/aws/constructs-go/constructs/v10"

	"github.com/rolewarden/rolewarden/pkg/deployment"
	"github.com/rolewarden/rolewarden/pkg/grants"
)

// newTopic adds a topic with its policy. Mail from it bears the shown name; key
// is nil where it is not encrypted.
func newTopic(scope constructs.Construct, id, name, shown string, key *string, policy grants.Document) awssns.CfnTopic {
	topic := awssns.NewCfnTopic(scope, str(id), &awssns.CfnTopicProps{
		TopicName: str(name), DisplayName: str(shown), KmsMasterKeyId: key,
		// SHA-256, for those who check the signature (Amazon SNS Developer Guide,
		// sns-verify-signature-of-message).
		SignatureVersion: str("2"),
	})
	awssns.NewCfnTopicPolicy(scope, str(id+"Policy"), &awssns.CfnTopicPolicyProps{Topics: &[]*string{topic.Ref()}, PolicyDocument: policy.Value()})
	return topic
}

// newAlertTopic adds the topic that alerts are published on.
func newAlertTopic(scope constructs.Construct, d *deployment.Deployment, key string) awssns.CfnTopic {
	arn := hubARN(d, "sns", deployment.AlertTopic)
	return newTopic(scope, "AlertTopic", deployment.AlertTopic, "rolewarden", str(key), grants.AlertTopic(worldOf(d), arn))
}

// newAlarmTopic adds the topic that alarms are told on, and its subscribers.
// It is another one than that of the alerts: an alarm may say that alerts do
// not get through. It has no key, so that whoever disables one does not silence
// the alarms with it (T13); they tell names of queues and functions, no more.
func newAlarmTopic(scope constructs.Construct, d *deployment.Deployment) awssns.CfnTopic {
	arn := hubARN(d, "sns", deployment.AlarmTopic)
	topic := newTopic(scope, "AlarmTopic", deployment.AlarmTopic, "rolewarden alarms", nil, grants.AlarmTopic(worldOf(d), arn))
	for i, address := range d.AlarmEmails {
		awssns.NewCfnSubscription(scope, str("AlarmEmail"+strconv.Itoa(i+1)), &awssns.CfnSubscriptionProps{
			TopicArn: topic.Ref(), Protocol: str("email"), Endpoint: str(address),
		})
	}
	return topic
}

// subscribe brings the alerts to the alert queue. What SNS cannot deliver goes
// to that queue's dead-letter queue. The message keeps SNS's envelope, which
// notify reads.
func subscribe(scope constructs.Construct, topic awssns.CfnTopic, q queue) {
	after(awssns.NewCfnSubscription(scope, str("AlertSubscription"), &awssns.CfnSubscriptionProps{
		TopicArn: topic.Ref(), Protocol: str("sqs"), Endpoint: q.resource.AttrArn(),
		RawMessageDelivery: no(),
		RedrivePolicy:      object(map[string]any{"deadLetterTargetArn": q.dead.resource.AttrArn()}),
	}), q.policy, q.dead.policy)
}

// newSlackSecret adds the secret for the webhook of Slack. It is empty: whoever
// operates rolewarden puts the URL in, so that no template ever holds it.
func newSlackSecret(scope constructs.Construct, key string) awssecretsmanager.CfnSecret {
	return awssecretsmanager.NewCfnSecret(scope, str("SlackSecret"), &awssecretsmanager.CfnSecretProps{
		Name: str(deployment.SlackSecret), KmsKeyId: str(key),
		Description: str("The URL of the Slack webhook that rolewarden tells its alerts by, as plain text. Empty until you set it."),
	})
}
