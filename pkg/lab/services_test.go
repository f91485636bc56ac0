package lab_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/organizations"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	snstypes "github.com/aws/aws-sdk-go-v2/service/sns/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/google/go-cmp/cmp"

	"github.com/rolewarden/rolewarden/pkg/lab"
)

func (w *world) adminConfig(account string) aws.Config {
	w.t.Helper()
	c, err := w.Admin(account)
	w.must(err)
	return w.config(c)
}

// A published message reaches listeners as sent, each protocol with its own
// body, and a subscribed queue in SNS's wrapping.
func TestPublish(t *testing.T) {
	w := newWorld(t)
	var got []lab.Message
	w.OnMessage(func(m lab.Message) { got = append(got, m) })
	topic, queue := w.Topic(prod, "alerts"), w.Queue(prod, "alerts")
	client := sns.NewFromConfig(w.adminConfig(prod))
	_, err := client.Subscribe(ctx, &sns.SubscribeInput{TopicArn: &topic, Protocol: aws.String("sqs"), Endpoint: aws.String("arn:aws:sqs:us-east-1:111122223333:alerts")})
	w.must(err)
	body := `{"default":"d","email":"for people","sqs":"{\"version\":1}"}`
	out, err := client.Publish(ctx, &sns.PublishInput{
		TopicArn: &topic, Subject: aws.String("Role app is open"), Message: &body, MessageStructure: aws.String("json"),
		MessageAttributes: map[string]snstypes.MessageAttributeValue{
			"rule":     {DataType: aws.String("String.Array"), StringValue: aws.String(`["external-id"]`)},
			"severity": {DataType: aws.String("String"), StringValue: aws.String("high")},
		},
	})
	w.must(err)
	w.Settle()
	if len(got) != 1 || got[0].MessageID != *out.MessageId || got[0].Body != body || got[0].For("email") != "for people" || got[0].For("http") != "d" {
		t.Errorf("messages %+v", got)
	}
	if diff := cmp.Diff(map[string]string{"rule": `["external-id"]`, "severity": "high"}, got[0].Attributes); diff != "" {
		t.Error(diff)
	}
	received, err := sqs.NewFromConfig(w.adminConfig(prod)).ReceiveMessage(ctx, &sqs.ReceiveMessageInput{QueueUrl: &queue})
	w.must(err)
	var wrapped struct {
		Type, Message, Subject string
		MessageAttributes      map[string]struct{ Type, Value string }
	}
	w.must(json.Unmarshal([]byte(*received.Messages[0].Body), &wrapped))
	if wrapped.Message != `{"version":1}` || wrapped.Type != "Notification" || wrapped.MessageAttributes["rule"].Type != "String.Array" {
		t.Errorf("queue got %+v", wrapped)
	}
}

// What SNS refuses to publish.
func TestPublishRefuses(t *testing.T) {
	w := newWorld(t)
	topic := w.Topic(prod, "alerts")
	client := sns.NewFromConfig(w.adminConfig(prod))
	attribute := func(kind, value string) map[string]snstypes.MessageAttributeValue {
		return map[string]snstypes.MessageAttributeValue{"k": {DataType: &kind, StringValue: &value}}
	}
	for name, c := range map[string]struct {
		in   sns.PublishInput
		code string
	}{
		"long subject":        {sns.PublishInput{Subject: aws.String(strings.Repeat("s", 101))}, "InvalidParameter"},
		"subject of two rows": {sns.PublishInput{Subject: aws.String("a\nb")}, "InvalidParameter"},
		"control character":   {sns.PublishInput{Subject: aws.String("a\x1bb")}, "InvalidParameter"},
		"not ASCII":           {sns.PublishInput{Subject: aws.String("é")}, "InvalidParameter"},
		"no default":          {sns.PublishInput{MessageStructure: aws.String("json"), Message: aws.String(`{"sqs":"x"}`)}, "InvalidParameter"},
		"no JSON":             {sns.PublishInput{MessageStructure: aws.String("json")}, "InvalidParameter"},
		"no such topic":       {sns.PublishInput{TopicArn: aws.String("arn:aws:sns:us-east-1:111122223333:none")}, "NotFound"},
		"too long":            {sns.PublishInput{Message: aws.String(strings.Repeat("m", 256*1024+1))}, "InvalidParameter"},
		"empty attribute":     {sns.PublishInput{MessageAttributes: attribute("String", "")}, "ParameterValueInvalid"},
		"array that is none":  {sns.PublishInput{MessageAttributes: attribute("String.Array", "a")}, "ParameterValueInvalid"},
	} {
		t.Run(name, func(t *testing.T) {
			if c.in.TopicArn == nil {
				c.in.TopicArn = &topic
			}
			if c.in.Message == nil {
				c.in.Message = aws.String("m")
			}
			_, err := client.Publish(ctx, &c.in)
			w.refused(err, c.code)
		})
	}
}

// A queue hides what was received, delays what was sent so, and moves what
// was received too often to its dead-letter queue; all on the lab's clock.
func TestQueue(t *testing.T) {
	w := newWorld(t)
	client := sqs.NewFromConfig(w.adminConfig(prod))
	dead := w.Queue(prod, "dead")
	made, err := client.CreateQueue(ctx, &sqs.CreateQueueInput{QueueName: aws.String("later"), Attributes: map[string]string{
		"VisibilityTimeout": "60", "RedrivePolicy": `{"deadLetterTargetArn":"arn:aws:sqs:us-east-1:111122223333:dead","maxReceiveCount":2}`,
	}})
	w.must(err)
	receive := func(url string) (handle string) {
		out, err := client.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{QueueUrl: &url, MaxNumberOfMessages: 10})
		w.must(err)
		for _, m := range out.Messages {
			handle = *m.ReceiptHandle
		}
		return handle
	}
	expect := func(step, url string, there bool) (handle string) {
		t.Helper()
		handle = receive(url)
		if (handle != "") != there {
			t.Errorf("%s: message there: %v", step, !there)
		}
		return handle
	}
	_, err = client.SendMessage(ctx, &sqs.SendMessageInput{QueueUrl: made.QueueUrl, MessageBody: aws.String("hello"), DelaySeconds: 10})
	w.must(err)
	expect("delayed", *made.QueueUrl, false)
	w.wait(10 * time.Second)
	handle := expect("due", *made.QueueUrl, true)
	expect("hidden", *made.QueueUrl, false)
	_, err = client.ChangeMessageVisibility(ctx, &sqs.ChangeMessageVisibilityInput{QueueUrl: made.QueueUrl, ReceiptHandle: &handle, VisibilityTimeout: 5})
	w.must(err)
	w.wait(5 * time.Second)
	expect("visible again", *made.QueueUrl, true)
	w.wait(time.Minute)
	expect("received too often", *made.QueueUrl, false)
	handle = expect("dead letter", dead, true)
	_, err = client.DeleteMessage(ctx, &sqs.DeleteMessageInput{QueueUrl: &dead, ReceiptHandle: &handle})
	w.must(err)
	w.wait(time.Hour)
	expect("deleted", dead, false)
	_, err = client.SendMessage(ctx, &sqs.SendMessageInput{QueueUrl: aws.String(dead + "x"), MessageBody: aws.String("hello")})
	if err == nil {
		t.Error("sent to a queue that does not exist")
	}
}

// A secret is found by its name and by its ARN, and by no other account's
// administrator.
func TestSecret(t *testing.T) {
	w := newWorld(t)
	secretARN := w.Secret(prod, "slack", "value")
	for _, id := range []string{"slack", secretARN} {
		out, err := secretsmanager.NewFromConfig(w.adminConfig(prod)).GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{SecretId: &id})
		w.must(err)
		if *out.SecretString != "value" {
			t.Errorf("%s: another value", id)
		}
	}
	_, err := secretsmanager.NewFromConfig(w.adminConfig(dev)).GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{SecretId: &secretARN})
	w.refused(err, "ResourceNotFoundException")
	nobody := w.user(prod, "nobody", "")
	_, err = secretsmanager.NewFromConfig(w.config(nobody)).GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{SecretId: &secretARN})
	w.refused(err, "AccessDeniedException")
}

// The organization knows its members and not the account outside.
func TestOrganization(t *testing.T) {
	w := newWorld(t)
	client := organizations.NewFromConfig(w.adminConfig(prod))
	org, err := client.DescribeOrganization(ctx, &organizations.DescribeOrganizationInput{})
	w.must(err)
	if *org.Organization.Id != "o-exampleorgid" || *org.Organization.MasterAccountId != prod {
		t.Errorf("organization %v", org.Organization)
	}
	account, err := client.DescribeAccount(ctx, &organizations.DescribeAccountInput{AccountId: aws.String(dev)})
	w.must(err)
	if *account.Account.Name != "dev" {
		t.Errorf("account %v", account.Account)
	}
	_, err = client.DescribeAccount(ctx, &organizations.DescribeAccountInput{AccountId: aws.String(partner)})
	w.refused(err, "AccountNotFoundException")
	list, err := client.ListAccounts(ctx, &organizations.ListAccountsInput{})
	w.must(err)
	if len(list.Accounts) != 2 {
		t.Errorf("%d accounts", len(list.Accounts))
	}
	parents, err := client.ListParents(ctx, &organizations.ListParentsInput{ChildId: aws.String(prod)})
	w.must(err)
	unit, err := client.DescribeOrganizationalUnit(ctx, &organizations.DescribeOrganizationalUnitInput{OrganizationalUnitId: parents.Parents[0].Id})
	w.must(err)
	if *unit.OrganizationalUnit.Name != "workloads" {
		t.Errorf("unit %v", unit.OrganizationalUnit)
	}
	_, err = organizations.NewFromConfig(w.adminConfig(partner)).DescribeOrganization(ctx, &organizations.DescribeOrganizationInput{})
	w.refused(err, "AWSOrganizationsNotInUseException")
}
