package awsapi

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sns/types"

	"github.com/rolewarden/rolewarden/pkg/notify"
)

// SNSConfig is what an SNS needs.
type SNSConfig struct{ AWS aws.Config }

// SNS publishes messages.
type SNS struct {
	client func() *sns.Client
}

var _ notify.Publisher = (*SNS)(nil)

// NewSNS makes one.
func NewSNS(cfg SNSConfig) *SNS {
	return &SNS{client: sync.OnceValue(func() *sns.Client {
		return sns.NewFromConfig(cfg.AWS, func(o *sns.Options) { o.Retryer = patient() })
	})}
}

// Publish publishes one message. When an answer is lost it is sent again, so a
// subscriber may get it twice; the alert in it has the same id.
func (s *SNS) Publish(ctx context.Context, m notify.Message) error {
	in := &sns.PublishInput{
		TopicArn: aws.String(m.TopicARN), Subject: optional(m.Subject), MessageStructure: optional(m.Structure),
		Message: aws.String(m.Body), MessageAttributes: map[string]types.MessageAttributeValue{},
	}
	for name, a := range m.Attributes {
		value, kind := a.String, "String"
		if a.StringArray != nil {
			list, err := json.Marshal(a.StringArray)
			if err != nil {
				return fmt.Errorf("publishing to %s: writing the attribute %s: %w", m.TopicARN, name, err)
			}
			value, kind = string(list), "String.Array"
		}
		if value == "" {
			// SNS refuses a message with an empty attribute (Amazon SNS
			// Developer Guide, sns-message-attributes).
			continue
		}
		in.MessageAttributes[name] = types.MessageAttributeValue{DataType: aws.String(kind), StringValue: aws.String(value)}
	}
	if _, err := s.client().Publish(ctx, in); err != nil {
		return fmt.Errorf("publishing to %s: %w", m.TopicARN, sorted(err))
	}
	return nil
}

// optional leaves an empty text out.
func optional(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}
