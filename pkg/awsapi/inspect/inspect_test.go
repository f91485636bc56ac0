package inspect_test

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail"
	cloudtrailtypes "github.com/aws/aws-sdk-go-v2/service/cloudtrail/types"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	eventbridgetypes "github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/smithy-go/encoding/cbor"
	"github.com/google/go-cmp/cmp"

	"github.com/rolewarden/rolewarden/pkg/awsapi/inspect"
	"github.com/rolewarden/rolewarden/pkg/doctor"
	"github.com/rolewarden/rolewarden/pkg/lab"
	"github.com/rolewarden/rolewarden/pkg/role"
)

// inspection opens the adapter under test.
func inspection(t *testing.T, cfg aws.Config) *inspect.Inspection {
	t.Helper()
	i, err := inspect.New(inspect.Config{AWS: cfg, Table: "rolewarden-ledger"})
	must(t, err)
	return i
}

// needs gives the permission that an error names.
func needs(t *testing.T, err error) string {
	t.Helper()
	var refused *doctor.Refusal
	if !errors.As(err, &refused) {
		t.Fatalf("no Refusal: %v", err)
	}
	return refused.Needs
}

// Whoever looks learns whose credentials these are, how many messages wait, and
// what a secret holds.
func TestInspectionOfOneAccount(t *testing.T) {
	worlds(t, func(t *testing.T, w *world) {
		i := inspection(t, w.hub)
		c, err := i.Caller(t.Context())
		if err != nil || c.Account != hub || !strings.HasPrefix(c.ARN, "arn:aws:") {
			t.Errorf("the caller is %+v, %v", c, err)
		}

		client := sqs.NewFromConfig(w.hub)
		made, err := client.CreateQueue(t.Context(), &sqs.CreateQueueInput{QueueName: aws.String(unique(t, "dlq"))})
		must(t, err)
		for _, body := range []string{"one", "two"} {
			_, err := client.SendMessage(t.Context(), &sqs.SendMessageInput{QueueUrl: made.QueueUrl, MessageBody: aws.String(body)})
			must(t, err)
		}
		// One that somebody is looking at just now is still there.
		_, err = client.ReceiveMessage(t.Context(), &sqs.ReceiveMessageInput{QueueUrl: made.QueueUrl})
		must(t, err)
		if n, err := i.Waiting(t.Context(), unique(t, "dlq")); n != 2 || err != nil {
			t.Errorf("%d messages wait, %v", n, err)
		}

		secrets := secretsmanager.NewFromConfig(w.hub)
		_, err = secrets.CreateSecret(t.Context(), &secretsmanager.CreateSecretInput{Name: aws.String(unique(t, "slack")), SecretString: aws.String("https://hooks.example/x")})
		must(t, err)
		if v, err := i.Value(t.Context(), unique(t, "slack")); err != nil || v.Reveal() != "https://hooks.example/x" {
			t.Errorf("the secret holds something else, %v", err)
		}
	})
}

// What does not exist is not found, whichever way its service says so.
func TestWhatDoesNotExistIsNotFound(t *testing.T) {
	for name, ask := range map[string]func(*testing.T, *inspect.Inspection) error{
		"queue":  func(t *testing.T, i *inspect.Inspection) error { _, err := i.Waiting(t.Context(), "none"); return err },
		"secret": func(t *testing.T, i *inspect.Inspection) error { _, err := i.Value(t.Context(), "none"); return err },
		"stack": func(t *testing.T, i *inspect.Inspection) error {
			_, err := i.Stack(t.Context(), "us-east-1", "none")
			return err
		},
		"StackSet": func(t *testing.T, i *inspect.Inspection) error { _, err := i.StackSet(t.Context(), "none"); return err },
		"bus": func(t *testing.T, i *inspect.Inspection) error {
			_, err := i.Bus(t.Context(), "us-east-1", "none")
			return err
		},
		"rule": func(t *testing.T, i *inspect.Inspection) error {
			_, err := i.Rule(t.Context(), "us-east-1", "default", "none")
			return err
		},
		"table": func(t *testing.T, i *inspect.Inspection) error { _, err := i.Switch(t.Context()); return err },
		"unit": func(t *testing.T, i *inspect.Inspection) error {
			_, err := i.Unit(t.Context(), "ou-abcd-99999999")
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := motoWorld(t)
			anOrganization(t, w)
			if err := ask(t, inspection(t, w.hub)); !errors.Is(err, role.ErrNotFound) || needs(t, err) == "" {
				t.Errorf("no %s: %v", name, err)
			}
		})
	}
	t.Run("organization", func(t *testing.T) {
		w := labWorld(t)
		if _, err := inspection(t, w.of(outside)).Organization(t.Context()); !errors.Is(err, role.ErrNotFound) {
			t.Errorf("no organization: %v", err)
		}
	})
}

// A9: a refusal names the permission that is missing, for every call.
func TestRefusalsNameThePermission(t *testing.T) {
	w := labWorld(t)
	i := inspection(t, w.hub)
	w.lab.Secret(hub, "slack", "https://hooks.example/x")
	for permission, ask := range map[string]func() error{
		"sts:GetCallerIdentity":              func() error { _, err := i.Caller(t.Context()); return err },
		"secretsmanager:GetSecretValue":      func() error { _, err := i.Value(t.Context(), "slack"); return err },
		"sqs:GetQueueUrl":                    func() error { _, err := i.Waiting(t.Context(), "dlq"); return err },
		"organizations:DescribeOrganization": func() error { _, err := i.Organization(t.Context()); return err },
		"organizations:ListRoots":            func() error { _, err := i.Roots(t.Context()); return err },
		"organizations:ListAccounts":         func() error { _, err := i.Accounts(t.Context()); return err },
	} {
		service, _, _ := strings.Cut(permission, ":")
		remove := w.lab.Inject(lab.Fault{Service: service, Kind: lab.AccessDenied})
		if err := ask(); !errors.Is(err, role.ErrAccessDenied) || needs(t, err) != permission {
			t.Errorf("%s is denied: %v", permission, err)
		}
		remove()
	}
}

// The organization as Organizations tells of it.
func TestInspectionOfTheLabsOrganization(t *testing.T) {
	w := labWorld(t)
	i := inspection(t, w.hub)
	o, err := i.Organization(t.Context())
	if d := cmp.Diff(doctor.Organization{ID: "o-exampleorgid", Management: hub, Features: "ALL"}, o); d != "" || err != nil {
		t.Error(d, err)
	}
	all, err := i.Accounts(t.Context())
	if d := cmp.Diff([]doctor.Account{{ID: hub, Name: "security"}, {ID: prod, Name: "prod"}}, all); d != "" || err != nil {
		t.Error(d, err)
	}
	roots, err := i.Roots(t.Context())
	if err != nil || len(roots) != 1 || !strings.HasPrefix(roots[0].ID, "r-") {
		t.Errorf("the roots are %+v, %v", roots, err)
	}
}

// bucket makes an S3 bucket, which moto wants for a trail.
func bucket(t *testing.T, name string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPut, motoServer.URL(t)+"/"+name, nil)
	must(t, err)
	r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=AKIAEXAMPLE/20261120/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=x")
	answer, err := http.DefaultClient.Do(r)
	must(t, err)
	must(t, answer.Body.Close())
	if answer.StatusCode != http.StatusOK {
		t.Fatalf("making a bucket: %s", answer.Status)
	}
}

// T10: a trail comes with what it records, and whether it does so now.
func TestInspectionOfTrails(t *testing.T) {
	w := motoWorld(t)
	i, client := inspection(t, w.hub), cloudtrail.NewFromConfig(w.hub)
	bucket(t, "trail-bucket")
	trail := func(name string) doctor.Trail {
		t.Helper()
		all, err := i.Trails(t.Context(), "us-east-1")
		must(t, err)
		at := slices.IndexFunc(all, func(one doctor.Trail) bool { return one.Name == name })
		if at < 0 {
			t.Fatalf("the trail %s is not among %+v", name, all)
		}
		return all[at]
	}
	_, err := client.CreateTrail(t.Context(), &cloudtrail.CreateTrailInput{Name: aws.String("one-region"), S3BucketName: aws.String("trail-bucket"), IncludeGlobalServiceEvents: aws.Bool(false)})
	must(t, err)
	_, err = client.CreateTrail(t.Context(), &cloudtrail.CreateTrailInput{Name: aws.String("everything"), S3BucketName: aws.String("trail-bucket"), IsMultiRegionTrail: aws.Bool(true), IsOrganizationTrail: aws.Bool(true)})
	must(t, err)
	_, err = client.StartLogging(t.Context(), &cloudtrail.StartLoggingInput{Name: aws.String("everything")})
	must(t, err)

	management := doctor.Field{Name: "eventCategory", Equals: []string{"Management"}}
	want := doctor.Trail{Name: "one-region", ARN: "arn:aws:cloudtrail:us-east-1:" + hub + ":trail/one-region", Home: "us-east-1", Selectors: []doctor.Selector{{management}}}
	if d := cmp.Diff(want, trail("one-region")); d != "" {
		t.Errorf("a trail of one Region (-want +got):\n%s", d)
	}
	want = doctor.Trail{
		Name: "everything", ARN: "arn:aws:cloudtrail:us-east-1:" + hub + ":trail/everything", Home: "us-east-1",
		Reach: doctor.EveryRegion, Global: doctor.WithGlobal, Owner: doctor.WholeOrganization, Logging: doctor.Recording,
		Selectors: []doctor.Selector{{management}},
	}
	if d := cmp.Diff(want, trail("everything")); d != "" {
		t.Errorf("a trail of everything (-want +got):\n%s", d)
	}

	_, err = client.PutEventSelectors(t.Context(), &cloudtrail.PutEventSelectorsInput{TrailName: aws.String("everything"), EventSelectors: []cloudtrailtypes.EventSelector{
		{ReadWriteType: cloudtrailtypes.ReadWriteTypeWriteOnly, ExcludeManagementEventSources: []string{"kms.amazonaws.com"}},
		{ReadWriteType: cloudtrailtypes.ReadWriteTypeReadOnly, IncludeManagementEvents: aws.Bool(true)},
		{ReadWriteType: cloudtrailtypes.ReadWriteTypeAll, IncludeManagementEvents: aws.Bool(false)},
	}})
	must(t, err)
	selectors := []doctor.Selector{
		{management, {Name: "readOnly", Equals: []string{"false"}}, {Name: "eventSource", NotEquals: []string{"kms.amazonaws.com"}}},
		{management, {Name: "readOnly", Equals: []string{"true"}}},
	}
	if d := cmp.Diff(selectors, trail("everything").Selectors); d != "" {
		t.Errorf("basic selectors (-want +got):\n%s", d)
	}

	_, err = client.PutEventSelectors(t.Context(), &cloudtrail.PutEventSelectorsInput{TrailName: aws.String("one-region"), AdvancedEventSelectors: []cloudtrailtypes.AdvancedEventSelector{
		{FieldSelectors: []cloudtrailtypes.AdvancedFieldSelector{{Field: aws.String("eventCategory"), Equals: []string{"Management"}}, {Field: aws.String("readOnly"), NotEquals: []string{"true"}}}},
	}})
	must(t, err)
	selectors = []doctor.Selector{{management, {Name: "readOnly", NotEquals: []string{"true"}}}}
	if d := cmp.Diff(selectors, trail("one-region").Selectors); d != "" {
		t.Errorf("advanced selectors (-want +got):\n%s", d)
	}
}

// T10: a trail that cannot be looked at says so, and hides no other. One that
// was never given selectors has the usual ones, wherever it is seen from; an
// organization's trail shows its selectors only in its own account.
func TestATrailThatCannotBeReadSaysSo(t *testing.T) {
	w := labWorld(t)
	const arn = "arn:aws:cloudtrail:us-east-1:999999999999:trail/"
	w.hub.HTTPClient = &refusing{call: "GetEventSelectors", code: "TrailNotFoundException", next: &answers{bodies: []string{
		`{"trailList":[{"Name":"custom","TrailARN":"` + arn + `custom","HomeRegion":"us-east-1","HasCustomEventSelectors":true},
			{"Name":"unsaid","TrailARN":"` + arn + `unsaid","HomeRegion":"us-east-1"},
			{"Name":"usual","TrailARN":"` + arn + `usual","HomeRegion":"us-east-1","HasCustomEventSelectors":false}]}`,
		`{"IsLogging":true}`, `{"IsLogging":true}`, `{"IsLogging":true,"LatestDeliveryError":"NoSuchBucket"}`,
	}}}
	all, err := inspection(t, w.hub).Trails(t.Context(), "us-east-1")
	must(t, err)
	if len(all) != 3 {
		t.Fatalf("the trails are %+v", all)
	}
	for _, one := range all[:2] {
		if one.Unread == nil || needs(t, one.Unread) != "cloudtrail:GetEventSelectors" || len(one.Selectors) != 0 {
			t.Errorf("a trail whose selectors are not known: %+v", one)
		}
	}
	if usual := all[2]; usual.Unread != nil || len(usual.Selectors) != 1 || usual.Trouble != "NoSuchBucket" {
		t.Errorf("a trail with the usual selectors: %+v", usual)
	}
}

// T71: a rule comes with its state, its pattern and where it leads.
func TestInspectionOfRoutes(t *testing.T) {
	w := motoWorld(t)
	i, client := inspection(t, w.hub), eventbridge.NewFromConfig(w.hub)
	name := unique(t, "bus")
	_, err := client.CreateEventBus(t.Context(), &eventbridge.CreateEventBusInput{Name: aws.String(name)})
	must(t, err)
	if b, err := i.Bus(t.Context(), "us-east-1", name); err != nil || b.Policy != "" || b.Name != name {
		t.Errorf("the bus is %+v, %v", b, err)
	}
	_, err = client.PutPermission(t.Context(), &eventbridge.PutPermissionInput{EventBusName: aws.String(name), Policy: aws.String(`{"Version":"2012-10-17","Statement":[{"Sid":"Members","Effect":"Allow","Principal":"*","Action":"events:PutEvents","Resource":"*"}]}`)})
	must(t, err)
	if b, err := i.Bus(t.Context(), "us-east-1", name); err != nil || !strings.Contains(b.Policy, "Members") {
		t.Errorf("the bus is %+v, %v", b, err)
	}
	const pattern = `{"source":["aws.iam"]}`
	for _, rule := range []string{"rolewarden-assume-role-1", "rolewarden-assume-role-2", "other"} {
		_, err = client.PutRule(t.Context(), &eventbridge.PutRuleInput{Name: aws.String(rule), EventBusName: aws.String(name), EventPattern: aws.String(pattern)})
		must(t, err)
	}
	_, err = client.DisableRule(t.Context(), &eventbridge.DisableRuleInput{Name: aws.String("other"), EventBusName: aws.String(name)})
	must(t, err)
	queueARN, dlq := "arn:aws:sqs:us-east-1:"+hub+":intake", "arn:aws:sqs:us-east-1:"+hub+":dlq"
	_, err = client.PutTargets(t.Context(), &eventbridge.PutTargetsInput{Rule: aws.String("other"), EventBusName: aws.String(name), Targets: []eventbridgetypes.Target{
		{Id: aws.String("whole"), Arn: aws.String(queueARN), DeadLetterConfig: &eventbridgetypes.DeadLetterConfig{Arn: aws.String(dlq)}},
		{Id: aws.String("changed"), Arn: aws.String(queueARN), InputPath: aws.String("$.detail")},
	}})
	must(t, err)
	r, err := i.Rule(t.Context(), "us-east-1", name, "other")
	want := doctor.Rule{Name: "other", State: "DISABLED", Pattern: pattern, Targets: []doctor.Target{{ARN: queueARN, DeadLetters: dlq}, {ARN: queueARN, Input: doctor.Transformed}}}
	if d := cmp.Diff(want, r); d != "" || err != nil {
		t.Errorf("the rule (-want +got):\n%s\n%v", d, err)
	}
	names, err := i.RuleNames(t.Context(), "us-east-1", name, "rolewarden-assume-role")
	if d := cmp.Diff([]string{"rolewarden-assume-role-1", "rolewarden-assume-role-2"}, names); d != "" || err != nil {
		t.Errorf("the rules (-want +got):\n%s\n%v", d, err)
	}
}

// moto confirms every subscription by itself.
func TestInspectionOfTopics(t *testing.T) {
	w := motoWorld(t)
	topics := sns.NewFromConfig(w.hub)
	topic, err := topics.CreateTopic(t.Context(), &sns.CreateTopicInput{Name: aws.String(unique(t, "alarms"))})
	must(t, err)
	_, err = topics.Subscribe(t.Context(), &sns.SubscribeInput{TopicArn: topic.TopicArn, Protocol: aws.String("email"), Endpoint: aws.String("security@acme.example")})
	must(t, err)
	subscriptions, err := inspection(t, w.hub).Subscriptions(t.Context(), *topic.TopicArn)
	if d := cmp.Diff([]doctor.Subscription{{Protocol: "email", Confirmed: doctor.Confirmed}}, subscriptions); d != "" || err != nil {
		t.Errorf("the subscriptions (-want +got):\n%s\n%v", d, err)
	}
}

// A subscription that nobody confirmed yet counts for nobody.
func TestASubscriptionHasToBeConfirmed(t *testing.T) {
	w := labWorld(t)
	w.hub.HTTPClient = &answers{bodies: []string{`<ListSubscriptionsByTopicResponse><ListSubscriptionsByTopicResult><Subscriptions>
		<member><Protocol>email</Protocol><SubscriptionArn>PendingConfirmation</SubscriptionArn></member>
		<member><Protocol>https</Protocol><SubscriptionArn>Deleted</SubscriptionArn></member>
		<member><Protocol>sqs</Protocol><SubscriptionArn>arn:aws:sns:us-east-1:123456789012:t:1</SubscriptionArn></member>
	</Subscriptions></ListSubscriptionsByTopicResult></ListSubscriptionsByTopicResponse>`}}
	got, err := inspection(t, w.hub).Subscriptions(t.Context(), "arn:aws:sns:us-east-1:123456789012:t")
	want := []doctor.Subscription{{Protocol: "email"}, {Protocol: "https"}, {Protocol: "sqs", Confirmed: doctor.Confirmed}}
	if d := cmp.Diff(want, got); d != "" || err != nil {
		t.Errorf("the subscriptions (-want +got):\n%s\n%v", d, err)
	}
}

// An alarm comes with what it tells, and tells nothing when its actions are
// off. The SDK speaks CBOR with CloudWatch, which moto does not.
func TestInspectionOfAlarms(t *testing.T) {
	w := labWorld(t)
	alarm := func(name, state string, enabled bool) cbor.Map {
		return cbor.Map{
			"AlarmName": cbor.String(name), "StateValue": cbor.String(state), "StateReason": cbor.String("too old"), "ActionsEnabled": cbor.Bool(enabled),
			"Namespace": cbor.String("AWS/SQS"), "MetricName": cbor.String("Age"), "AlarmActions": cbor.List{cbor.String("arn:aws:sns:us-east-1:123456789012:alarms")},
		}
	}
	w.hub.HTTPClient = &answers{bodies: []string{
		string(cbor.Encode(cbor.Map{"NextToken": cbor.String("more"), "MetricAlarms": cbor.List{alarm("rolewarden-loud", "ALARM", true)}})),
		string(cbor.Encode(cbor.Map{"MetricAlarms": cbor.List{alarm("rolewarden-mute", "OK", false), cbor.Map{
			"AlarmName": cbor.String("rolewarden-changed"), "Metrics": cbor.List{
				cbor.Map{"Id": cbor.String("moved"), "Expression": cbor.String("DIFF(m)")},
				cbor.Map{"Id": cbor.String("m"), "MetricStat": cbor.Map{"Metric": cbor.Map{"Namespace": cbor.String("Rolewarden"), "MetricName": cbor.String("RulesFingerprint")}}},
			},
		}}})),
	}}
	got, err := inspection(t, w.hub).Alarms(t.Context(), "rolewarden-")
	want := []doctor.Alarm{
		{Name: "rolewarden-loud", State: "ALARM", Reason: "too old", Metric: "AWS/SQS Age", Actions: []string{"arn:aws:sns:us-east-1:123456789012:alarms"}},
		{Name: "rolewarden-mute", State: "OK", Reason: "too old", Metric: "AWS/SQS Age"},
		{Name: "rolewarden-changed", Metric: "Rolewarden RulesFingerprint"},
	}
	if d := cmp.Diff(want, got); d != "" || err != nil {
		t.Errorf("the alarms (-want +got):\n%s\n%v", d, err)
	}
}

// How many functions may run at once is read as Lambda says it; an answer that
// leaves it out is no quota of nothing.
func TestInspectionOfTheQuotaOfLambda(t *testing.T) {
	w := labWorld(t)
	w.hub.HTTPClient = &answers{bodies: []string{
		`{"AccountLimit":{"ConcurrentExecutions":50,"UnreservedConcurrentExecutions":40,"TotalCodeSize":80530636800}}`,
		`{"AccountUsage":{"FunctionCount":0}}`,
	}}
	i := inspection(t, w.hub)
	got, err := i.Concurrency(t.Context())
	if want := (doctor.Concurrency{Quota: 50, Unreserved: 40}); got != want || err != nil {
		t.Errorf("the quota is %+v, %v", got, err)
	}
	if got, err := i.Concurrency(t.Context()); err == nil {
		t.Errorf("an answer without a quota is taken for %+v", got)
	}
}
