package inspect

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	cloudwatchtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/rolewarden/rolewarden/pkg/awsapi"
	"github.com/rolewarden/rolewarden/pkg/doctor"
)

// Alarms implements doctor.Watch.
func (i *Inspection) Alarms(ctx context.Context, prefix string) ([]doctor.Alarm, error) {
	var all []doctor.Alarm
	err := awsapi.Pages(func(token *string) (*string, error) {
		out, err := i.cloudwatch().DescribeAlarms(ctx, &cloudwatch.DescribeAlarmsInput{
			AlarmNamePrefix: aws.String(prefix), AlarmTypes: []cloudwatchtypes.AlarmType{cloudwatchtypes.AlarmTypeMetricAlarm}, NextToken: token,
		})
		if err != nil {
			return nil, err
		}
		for _, a := range out.MetricAlarms {
			one := doctor.Alarm{
				Name: aws.ToString(a.AlarmName), State: string(a.StateValue), Reason: aws.ToString(a.StateReason),
				Metric: metricOf(a),
			}
			// An alarm whose actions are switched off has none.
			if aws.ToBool(a.ActionsEnabled) {
				one.Actions = a.AlarmActions
			}
			all = append(all, one)
		}
		return out.NextToken, nil
	})
	if err != nil {
		return nil, unseen("cloudwatch:DescribeAlarms", err)
	}
	return all, nil
}

// metricOf gives the metric that an alarm looks at: that of its own, or the
// first that it reckons with.
func metricOf(a cloudwatchtypes.MetricAlarm) string {
	for _, m := range a.Metrics {
		if m.MetricStat != nil && m.MetricStat.Metric != nil {
			return aws.ToString(m.MetricStat.Metric.Namespace) + " " + aws.ToString(m.MetricStat.Metric.MetricName)
		}
	}
	return aws.ToString(a.Namespace) + " " + aws.ToString(a.MetricName)
}

// Subscriptions implements doctor.Watch.
func (i *Inspection) Subscriptions(ctx context.Context, topicARN string) ([]doctor.Subscription, error) {
	var all []doctor.Subscription
	err := awsapi.Pages(func(token *string) (*string, error) {
		out, err := i.sns().ListSubscriptionsByTopic(ctx, &sns.ListSubscriptionsByTopicInput{TopicArn: aws.String(topicARN), NextToken: token})
		if err != nil {
			return nil, err
		}
		for _, s := range out.Subscriptions {
			one := doctor.Subscription{Protocol: aws.ToString(s.Protocol)}
			// In the place of its ARN one that is not confirmed, or was deleted
			// and is not yet gone, has a word (Amazon SNS API Reference,
			// API_Subscription).
			if strings.HasPrefix(aws.ToString(s.SubscriptionArn), "arn:") {
				one.Confirmed = doctor.Confirmed
			}
			all = append(all, one)
		}
		return out.NextToken, nil
	})
	if err != nil {
		return nil, unseen("sns:ListSubscriptionsByTopic", err)
	}
	return all, nil
}

// Waiting implements doctor.Queues.
func (i *Inspection) Waiting(ctx context.Context, queue string) (int, error) {
	at, err := i.sqs().GetQueueUrl(ctx, &sqs.GetQueueUrlInput{QueueName: aws.String(queue)})
	if err != nil {
		return 0, unseen("sqs:GetQueueUrl", err)
	}
	counts := []sqstypes.QueueAttributeName{
		sqstypes.QueueAttributeNameApproximateNumberOfMessages, sqstypes.QueueAttributeNameApproximateNumberOfMessagesNotVisible,
		sqstypes.QueueAttributeNameApproximateNumberOfMessagesDelayed,
	}
	out, err := i.sqs().GetQueueAttributes(ctx, &sqs.GetQueueAttributesInput{QueueUrl: at.QueueUrl, AttributeNames: counts})
	if err != nil {
		return 0, unseen("sqs:GetQueueAttributes", err)
	}
	waiting := 0
	for _, name := range counts {
		n, err := strconv.Atoi(out.Attributes[string(name)])
		if err != nil {
			return 0, fmt.Errorf("counting the messages in %s: its %s is %q", queue, name, out.Attributes[string(name)])
		}
		waiting += n
	}
	return waiting, nil
}
