package awsapi_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/organizations"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/google/go-cmp/cmp"

	"github.com/rolewarden/rolewarden/pkg/alert"
	"github.com/rolewarden/rolewarden/pkg/awsapi"
	"github.com/rolewarden/rolewarden/pkg/lab"
	"github.com/rolewarden/rolewarden/pkg/notify"
	"github.com/rolewarden/rolewarden/pkg/org"
	"github.com/rolewarden/rolewarden/pkg/role"
)

// queue makes a queue in the hub and gives its URL and ARN.
func queue(t *testing.T, w *world, name string) (client *sqs.Client, url, arn string) {
	t.Helper()
	client = sqs.NewFromConfig(w.admin(t, hub))
	out, err := client.CreateQueue(t.Context(), &sqs.CreateQueueInput{QueueName: aws.String(name)})
	must(t, err)
	attributes, err := client.GetQueueAttributes(t.Context(), &sqs.GetQueueAttributesInput{
		QueueUrl: out.QueueUrl, AttributeNames: []types.QueueAttributeName{types.QueueAttributeNameQueueArn},
	})
	must(t, err)
	return client, *out.QueueUrl, attributes.Attributes["QueueArn"]
}

// received gives the messages that show now.
func received(t *testing.T, client *sqs.Client, url string) []types.Message {
	t.Helper()
	out, err := client.ReceiveMessage(t.Context(), &sqs.ReceiveMessageInput{
		QueueUrl: aws.String(url), MaxNumberOfMessages: 10, MessageAttributeNames: []string{"All"},
	})
	must(t, err)
	return out.Messages
}

// A later step is held back, at most as long as SQS can; a buried message
// carries its reason.
func TestQueueSends(t *testing.T) {
	worlds(t, func(t *testing.T, w *world) {
		client, url, _ := queue(t, w, unique(t, "later"))
		q, err := awsapi.NewQueue(awsapi.QueueConfig{AWS: w.hub, URL: url})
		must(t, err)
		must(t, q.Send(t.Context(), `{"step":1}`, 0))
		must(t, q.Send(t.Context(), `{"step":2}`, 1500*time.Millisecond))
		must(t, q.Send(t.Context(), `{"step":3}`, time.Hour))
		must(t, q.Send(t.Context(), `{"step":4}`, -time.Hour))
		must(t, q.Bury(t.Context(), `{"bad":1}`, "refused:\x00 404\n"+strings.Repeat("é", 2000)))
		must(t, q.Bury(t.Context(), `{"bad":2}`, ""))
		var delays []string
		for _, s := range w.wire.take() {
			delays = append(delays, fmt.Sprint(s.json["DelaySeconds"])) // the SDK leaves a zero out
		}
		if d := cmp.Diff([]string{"<nil>", "2", "900", "<nil>", "<nil>", "<nil>"}, delays); d != "" {
			t.Errorf("the delays (-want +got):\n%s", d)
		}
		bodies := map[string]string{}
		for _, m := range received(t, client, url) {
			bodies[*m.Body] = aws.ToString(m.MessageAttributes["reason"].StringValue)
		}
		if len(bodies) != 4 || !strings.HasPrefix(bodies[`{"bad":1}`], "refused:  404 é") || bodies[`{"bad":2}`] != "unknown" {
			t.Errorf("the messages that show are %v", bodies)
		}
	})
}

// Each account is a tenant of the later queue, so that what one account has
// waiting there delays no other's (T11).
func TestQueueSendsForATenant(t *testing.T) {
	worlds(t, func(t *testing.T, w *world) {
		client, url, _ := queue(t, w, unique(t, "later"))
		q, err := awsapi.NewQueue(awsapi.QueueConfig{AWS: w.hub, URL: url})
		must(t, err)
		must(t, q.SendFor(t.Context(), prod, `{"step":1}`, 0))
		must(t, q.SendFor(t.Context(), prod, `{"step":2}`, time.Hour))
		var sent []string
		for _, s := range w.wire.take() {
			sent = append(sent, fmt.Sprint(s.json["MessageGroupId"], " ", s.json["DelaySeconds"]))
		}
		if d := cmp.Diff([]string{prod + " <nil>", prod + " 900"}, sent); d != "" {
			t.Errorf("what was sent (-want +got):\n%s", d)
		}
		if n := len(received(t, client, url)); n != 1 {
			t.Errorf("%d messages show", n)
		}
	})
}

// A message that must wait is hidden for that long, at most SQS's twelve hours.
func TestQueueHides(t *testing.T) {
	worlds(t, func(t *testing.T, w *world) {
		client, url, _ := queue(t, w, unique(t, "alerts"))
		q, err := awsapi.NewQueue(awsapi.QueueConfig{AWS: w.hub, URL: url})
		must(t, err)
		must(t, q.Send(t.Context(), "one", 0))
		m := received(t, client, url)[0]
		must(t, q.Hide(t.Context(), *m.ReceiptHandle, 0))
		again := received(t, client, url)
		if len(again) != 1 {
			t.Fatalf("%d messages show after hiding for no time", len(again))
		}
		w.wire.take()
		must(t, q.Hide(t.Context(), *again[0].ReceiptHandle, 90*time.Second))
		if got := w.wire.take()[0].json["VisibilityTimeout"]; got != 90.0 {
			t.Errorf("it is hidden for %v", got)
		}
		if n := len(received(t, client, url)); n != 0 {
			t.Errorf("%d messages show while hidden", n)
		}
	})
}

// Subscribers filter by attributes, and get the body made for their protocol.
func TestSNSPublishes(t *testing.T) {
	worlds(t, func(t *testing.T, w *world) {
		client, url, arn := queue(t, w, unique(t, "subscriber"))
		topics := sns.NewFromConfig(w.admin(t, hub))
		topic, err := topics.CreateTopic(t.Context(), &sns.CreateTopicInput{Name: aws.String(unique(t, "alerts"))})
		must(t, err)
		_, err = topics.Subscribe(t.Context(), &sns.SubscribeInput{
			TopicArn: topic.TopicArn, Protocol: aws.String("sqs"), Endpoint: aws.String(arn),
			Attributes: map[string]string{"FilterPolicy": `{"rule":["external-id"]}`},
		})
		must(t, err)
		p := awsapi.NewSNS(awsapi.SNSConfig{AWS: w.hub})
		m := notify.Message{
			TopicARN: *topic.TopicArn, Subject: "rolewarden 111122223333", Structure: "json",
			Body: `{"default":"{\"version\":1}","email":"text"}`,
			Attributes: map[string]alert.Attribute{
				"rule": {StringArray: []string{"external-id", "mfa"}}, "severity": {String: "high"}, "empty": {},
			},
		}
		must(t, p.Publish(t.Context(), m))
		m.Attributes = map[string]alert.Attribute{"rule": {StringArray: []string{"mfa"}}}
		must(t, p.Publish(t.Context(), m))
		got := received(t, client, url)
		// SNS and moto apply a subscription's filter policy, the lab does not.
		passed := map[string]int{"moto": 1, "lab": 2}[w.name]
		if len(got) != passed {
			t.Fatalf("%d messages came through the filter", len(got))
		}
		var told struct {
			Subject, Message  string
			MessageAttributes map[string]struct{ Type, Value string }
		}
		must(t, json.Unmarshal([]byte(*got[0].Body), &told))
		if told.Subject != m.Subject || told.Message != `{"version":1}` {
			t.Errorf("the subscriber got %+v", told)
		}
		attributes := map[string]string{}
		for name, a := range told.MessageAttributes {
			attributes[name] = a.Type + " " + strings.ReplaceAll(a.Value, `", "`, `","`)
		}
		want := map[string]string{"rule": `String.Array ["external-id","mfa"]`, "severity": "String high"}
		if d := cmp.Diff(want, attributes); d != "" {
			t.Errorf("the attributes (-want +got):\n%s", d)
		}
		m.TopicARN += "-gone"
		if err := p.Publish(t.Context(), m); !errors.Is(err, role.ErrNotFound) {
			t.Errorf("publishing to no topic: %v", err)
		}
	})
}

// A secret is read once in five minutes, never longer kept, and shown nowhere.
func TestSecretsAreKeptForAWhile(t *testing.T) {
	worlds(t, func(t *testing.T, w *world) {
		client := secretsmanager.NewFromConfig(w.admin(t, hub))
		name := unique(t, "slack")
		_, err := client.CreateSecret(t.Context(), &secretsmanager.CreateSecretInput{Name: aws.String(name), SecretString: aws.String("https://hooks.example/one")})
		must(t, err)
		clock := now()
		s, err := awsapi.NewSecrets(awsapi.SecretsConfig{AWS: w.hub, Now: func() time.Time { return clock }})
		must(t, err)
		value := func() awsapi.Secret {
			t.Helper()
			v, err := s.Value(t.Context(), name)
			must(t, err)
			return v
		}
		first := value()
		_, err = client.PutSecretValue(t.Context(), &secretsmanager.PutSecretValueInput{SecretId: aws.String(name), SecretString: aws.String("https://hooks.example/two")})
		must(t, err)
		clock = clock.Add(awsapi.MaxKeep - 1)
		if got := value(); got.Reveal() != "https://hooks.example/one" || len(w.wire.take()) != 1 {
			t.Error("the secret was read again before its time")
		}
		clock = clock.Add(1)
		if got := value(); got.Reveal() != "https://hooks.example/two" {
			t.Error("the rotated secret is not seen after five minutes")
		}
		for _, shown := range []string{fmt.Sprint(first), fmt.Sprintf("%+v %#v %s %q", first, first, first, first), fmt.Sprintf("%+v %#v", s, s)} {
			if strings.Contains(shown, "hooks") {
				t.Errorf("the secret is shown: %s", shown)
			}
		}
		if _, err := s.Value(t.Context(), "nothing-"+name); !errors.Is(err, role.ErrNotFound) {
			t.Errorf("a secret that is not there: %v", err)
		}
	})
}

// A secret that can no longer be read is not used from memory.
func TestSecretIsNotUsedBeyondItsTime(t *testing.T) {
	w := labWorld(t)
	name := "slack"
	w.lab.Secret(hub, name, "https://hooks.example/one")
	clock := now()
	s, err := awsapi.NewSecrets(awsapi.SecretsConfig{AWS: w.hub, Now: func() time.Time { return clock }, Keep: time.Minute})
	must(t, err)
	_, err = s.Value(t.Context(), name)
	must(t, err)
	w.lab.Inject(lab.Fault{Service: "secretsmanager", Kind: lab.AccessDenied})
	clock = clock.Add(time.Minute)
	if v, err := s.Value(t.Context(), name); !errors.Is(err, role.ErrAccessDenied) || v.Reveal() != "" {
		t.Errorf("got a value and %v", err)
	}
}

// T14: an account counts as outside only on Organizations' own word.
func TestMembership(t *testing.T) {
	w := labWorld(t)
	m := awsapi.NewMembership(awsapi.MembershipConfig{AWS: w.hub})
	for account, want := range map[string]org.Membership{prod: org.Member, hub: org.Member, outside: org.NotMember, "555555555555": org.NotMember} {
		if got, err := m.Confirm(t.Context(), account); got != want || err != nil {
			t.Errorf("%s is %s, %v; want %s", account, got, err, want)
		}
	}
	if got, err := m.Confirm(t.Context(), "12"); got != org.UnknownMembership || err == nil {
		t.Errorf("an account id of two digits is %s", got)
	}
	for kind, want := range map[lab.FaultKind]error{lab.AccessDenied: role.ErrAccessDenied, lab.Throttle: role.ErrThrottled, lab.ServerError: nil, lab.TimeoutBefore: nil, lab.Malformed: nil} {
		remove := w.lab.Inject(lab.Fault{Service: "organizations", Kind: kind})
		got, err := m.Confirm(t.Context(), outside)
		if got != org.UnknownMembership || err == nil || (want != nil && !errors.Is(err, want)) {
			t.Errorf("under %s it is %s, %v", kind, got, err)
		}
		remove()
	}
}

// The same against moto, which makes an organization's accounts by CreateAccount.
func TestMembershipOnMoto(t *testing.T) {
	w := motoWorld(t)
	client := organizations.NewFromConfig(w.hub)
	if _, err := client.CreateOrganization(t.Context(), &organizations.CreateOrganizationInput{}); err != nil {
		t.Log(err) // it is there from an earlier run of this test
	}
	made, err := client.CreateAccount(t.Context(), &organizations.CreateAccountInput{AccountName: aws.String("prod"), Email: aws.String("prod@example.com")})
	must(t, err)
	m := awsapi.NewMembership(awsapi.MembershipConfig{AWS: w.hub})
	for account, want := range map[string]org.Membership{*made.CreateAccountStatus.AccountId: org.Member, "555555555555": org.NotMember} {
		if got, err := m.Confirm(t.Context(), account); got != want || err != nil {
			t.Errorf("%s is %s, %v; want %s", account, got, err, want)
		}
	}
}

// What is missing in a configuration is said before any call.
func TestConstructorsSayWhatIsMissing(t *testing.T) {
	_, queueErr := awsapi.NewQueue(awsapi.QueueConfig{})
	_, tableErr := awsapi.NewDynamo(awsapi.DynamoConfig{})
	_, clockErr := awsapi.NewSecrets(awsapi.SecretsConfig{})
	_, keepErr := awsapi.NewSecrets(awsapi.SecretsConfig{Now: now, Keep: awsapi.MaxKeep + 1})
	for field, err := range map[string]error{"URL": queueErr, "Table": tableErr, "Now": clockErr, "Keep": keepErr} {
		if err == nil || !strings.Contains(err.Error(), field) {
			t.Errorf("without %s: %v", field, err)
		}
	}
}
