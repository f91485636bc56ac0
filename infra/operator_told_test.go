package main

import (
	"encoding/json"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/google/go-cmp/cmp"

	"github.com/rolewarden/rolewarden/functions/runtimetest"
	"github.com/rolewarden/rolewarden/pkg/alert"
	"github.com/rolewarden/rolewarden/pkg/awsapi"
	"github.com/rolewarden/rolewarden/pkg/deployment"
	"github.com/rolewarden/rolewarden/pkg/finding"
	"github.com/rolewarden/rolewarden/pkg/meter"
	"github.com/rolewarden/rolewarden/pkg/meter/metertest"
	"github.com/rolewarden/rolewarden/pkg/notify"
	"github.com/rolewarden/rolewarden/pkg/notify/notifytest"
	"github.com/rolewarden/rolewarden/pkg/toolstest"
)

// deployedHub is the hub's stack in moto, in an account of its own.
type deployedHub struct {
	placed
	account
	t *testing.T
}

// deployHub deploys the hub, and makes what moto's CloudFormation passes over: the
// secret, empty, and the queue's subscription.
func deployHub(t *testing.T, account string) deployedHub {
	t.Helper()
	var p placed
	for _, one := range everywhere(t) {
		if one.stack == deployment.HubStack {
			p = one
		}
	}
	p.text, p.account, p.stackTemplate = strings.ReplaceAll(p.text, p.account, account), account, stackTemplate{}
	if err := json.Unmarshal([]byte(p.text), &p.stackTemplate); err != nil {
		t.Fatal(err)
	}
	h := deployedHub{p, enter(t, p), t}
	h.deploy(t, p)
	for _, r := range of(t, p.stackTemplate, "AWS::SecretsManager::Secret") {
		if r.Properties["SecretString"] != nil || r.Properties["GenerateSecretString"] != nil {
			t.Error("the secret is not empty")
		}
		_, err := secretsmanager.NewFromConfig(h.Config).CreateSecret(t.Context(), &secretsmanager.CreateSecretInput{Name: aws.String(r.Properties["Name"].(string))})
		h.must(err)
	}
	for _, r := range of(t, p.stackTemplate, "AWS::SNS::Subscription") {
		if r.Properties["Protocol"] != "sqs" {
			continue
		}
		topic, err := p.resolve(r.Properties["TopicArn"])
		h.must(err)
		queue, err := p.resolve(r.Properties["Endpoint"])
		h.must(err)
		h.subscribes(topic.(string), queue.(string))
	}
	return h
}

func (h deployedHub) must(err error) {
	h.t.Helper()
	if err != nil {
		h.t.Fatal(err)
	}
}

func (h deployedHub) subscribes(topic, queue string) {
	h.t.Helper()
	_, err := sns.NewFromConfig(h.Config).Subscribe(h.t.Context(), &sns.SubscribeInput{TopicArn: aws.String(topic), Protocol: aws.String("sqs"), Endpoint: aws.String(queue)})
	h.must(err)
}

// environment is what the deployed function is told, every reference filled in
// by CloudFormation.
func (h deployedHub) environment(function string) map[string]string {
	h.t.Helper()
	var c struct {
		Environment struct{ Variables map[string]string }
	}
	h.must(json.Unmarshal([]byte(h.wire(h.t, "lambda", http.MethodGet, "/2015-03-31/functions/"+function+"/configuration", "", "")), &c))
	if len(c.Environment.Variables) == 0 {
		h.t.Fatalf("%s is told nothing", function)
	}
	return c.Environment.Variables
}

// keys are the credentials of the account, as an environment has them.
func (h deployedHub) keys() map[string]string {
	h.t.Helper()
	c, err := h.Credentials.Retrieve(h.t.Context())
	h.must(err)
	return map[string]string{
		"AWS_REGION": "us-east-1", "AWS_DEFAULT_REGION": "us-east-1", "AWS_ENDPOINT_URL": *h.BaseEndpoint,
		"AWS_ACCESS_KEY_ID": c.AccessKeyID, "AWS_SECRET_ACCESS_KEY": c.SecretAccessKey, "AWS_SESSION_TOKEN": c.SessionToken,
	}
}

// types types a line of the page, with the real command line of AWS.
func (h deployedHub) types(line, input string) string {
	h.t.Helper()
	c := exec.CommandContext(h.t.Context(), "sh", "-c", strings.Replace(line, "aws ", toolstest.Program(h.t, "aws")+" ", 1))
	c.Stdin = strings.NewReader(input)
	c.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + h.t.TempDir(), "AWS_PAGER=", "AWS_CONFIG_FILE=" + os.DevNull, "AWS_SHARED_CREDENTIALS_FILE=" + os.DevNull}
	for name, value := range h.keys() {
		c.Env = append(c.Env, name+"="+value)
	}
	out, err := c.CombinedOutput()
	if err != nil {
		h.t.Fatalf("%s: %v\n%s", line, err, out)
	}
	return string(out)
}

// tells publishes an alert as guard does.
func (h deployedHub) tells(topic string, a alert.Alert) {
	h.t.Helper()
	_, err := notify.SNS{Publisher: awsapi.NewSNS(awsapi.SNSConfig{AWS: h.Config}), TopicARN: topic}.Notify(h.t.Context(), a)
	h.must(err)
}

// takes takes all messages off a queue.
func (h deployedHub) takes(url string) []types.Message {
	h.t.Helper()
	queues := sqs.NewFromConfig(h.Config)
	var out []types.Message
	for {
		got, err := queues.ReceiveMessage(h.t.Context(), &sqs.ReceiveMessageInput{QueueUrl: &url, MaxNumberOfMessages: 10})
		h.must(err)
		if len(got.Messages) == 0 {
			return out
		}
		for _, m := range got.Messages {
			_, err := queues.DeleteMessage(h.t.Context(), &sqs.DeleteMessageInput{QueueUrl: &url, ReceiptHandle: m.ReceiptHandle})
			h.must(err)
		}
		out = append(out, got.Messages...)
	}
}

// onlyLine gives the one line of the page that is to be typed and begins so.
func onlyLine(t *testing.T, beginning string) string {
	t.Helper()
	var out []string
	for _, line := range typed(operatorsPage(t), "aws") {
		if strings.HasPrefix(line, beginning) {
			out = append(out, line)
		}
	}
	if len(out) != 1 {
		t.Fatalf("the page has %d lines that begin with %q: %q", len(out), beginning, out)
	}
	return out[0]
}

// Step 4, Slack: the webhook gets into the secret as the page has it, the built
// function finds it there under the names of the deployed template, and posts.
// A webhook that was revoked costs no alert: it lies on the dead-letter queue
// and counts as not told, and the next one goes out at once under the new
// webhook. No log shows either.
func TestTheOperatorConnectsSlack(t *testing.T) {
	t.Parallel()
	const first, second = "/services/T0EXAMPLE/B0EXAMPLE/firstforanyone", "/services/T0EXAMPLE/B0EXAMPLE/secondforanyone"
	h, slack := deployHub(t, "121212121212"), newSlackFake(t)
	put := onlyLine(t, "aws secretsmanager put-secret-value")
	slack.goodIs(first)
	h.types(put, "https://"+slackHost+first+"\n")

	environment := h.environment(deployment.NotifyFunction)
	for name, value := range h.keys() {
		environment[name] = value
	}
	environment["HTTPS_PROXY"], environment["SSL_CERT_FILE"] = slack.proxy.URL, slack.authority
	function := runtimetest.Start(t, runtimetest.Build(t, "../functions/notify"), environment)
	happens := func(id string) {
		t.Helper()
		a := notifytest.Sample()
		a.ID = id
		h.tells(h.environment(deployment.GuardFunction)["ROLEWARDEN_TOPIC_ARN"], a)
		batch := events.SQSEvent{}
		for _, m := range h.takes(environment["ROLEWARDEN_ALERT_QUEUE"]) {
			batch.Records = append(batch.Records, events.SQSMessage{MessageId: *m.MessageId, ReceiptHandle: *m.ReceiptHandle, Body: *m.Body})
		}
		payload, err := json.Marshal(batch)
		h.must(err)
		if answer := function.Invoke(t, payload); len(batch.Records) != 1 || !strings.Contains(string(answer.Body), `"batchItemFailures":[]`) {
			t.Fatalf("%d messages, answered with %s\n%s", len(batch.Records), answer.Body, function.Log())
		}
	}
	is := func(what string, posts, buried int, told, notTold float64) {
		t.Helper()
		dead, lines := h.takes(environment["ROLEWARDEN_ALERT_DLQ"]), metertest.Lines(t, function.Log())
		if took := slack.took(); len(took) != posts || len(dead) != buried {
			t.Errorf("%s: Slack took %d messages, and %d lie on the dead-letter queue, want %d and %d\n%s", what, len(took), len(dead), posts, buried, function.Log())
		}
		if metertest.Sum(lines, meter.AlertTold) != told || metertest.Sum(lines, meter.AlertNotTold) != notTold {
			t.Errorf("%s: counted %v", what, lines)
		}
	}
	happens("one")
	is("the webhook works", 1, 0, 1, 0)
	slack.goodIs(second)
	happens("two")
	is("it was revoked", 0, 1, 1, 1)
	h.types(put, "https://"+slackHost+second+"\n")
	happens("three")
	is("there is a new one", 1, 0, 2, 1)
	if text := function.Log(); strings.Contains(text, "foranyone") || strings.Contains(text, slackHost) {
		t.Error("the log shows the webhook")
	}
}

// Step 4, subscribers: with the page's own line a subscriber gets what is
// critical or high, when it begins and when it gets so, and not its end; without
// the words about the state, as the page says, the end of it too.
func TestTheOperatorSubscribesWithAFilter(t *testing.T) {
	t.Parallel()
	h := deployHub(t, "343434343434")
	const people, stateful = "--protocol email --notification-endpoint oncall@acme.example", `,\"state\":[\"opened\",\"updated\"]`
	line := strings.ReplaceAll(onlyLine(t, "aws sns subscribe"), "555555555555", "343434343434")
	queues := map[string]string{}
	for name, typed := range map[string]string{"as it stands": line, "without a state": strings.Replace(line, stateful, "", 1)} {
		made, err := sqs.NewFromConfig(h.Config).CreateQueue(t.Context(), &sqs.CreateQueueInput{QueueName: aws.String("oncall-" + strings.ReplaceAll(name, " ", "-"))})
		h.must(err)
		queues[name] = *made.QueueUrl
		own := strings.Replace(typed, people, "--protocol sqs --notification-endpoint arn:aws:sqs:us-east-1:343434343434:oncall-"+strings.ReplaceAll(name, " ", "-"), 1)
		if own == typed || name != "as it stands" && typed == line {
			t.Fatalf("the page's line is %s", line)
		}
		h.types(own, "")
	}
	h.types(line, "")

	told := func(id string, state alert.State, severity finding.Severity) {
		a := notifytest.Sample()
		a.ID, a.State = id, state
		a.Findings = []alert.Finding{{Rule: "public-principal", Severity: severity.String()}}
		if state == alert.Resolved {
			a.Findings, a.Resolves = nil, []alert.TakenBack{{Rule: "public-principal", Severity: severity.String()}}
		}
		h.tells(h.environment(deployment.GuardFunction)["ROLEWARDEN_TOPIC_ARN"], a)
	}
	for _, severity := range []finding.Severity{finding.Advice, finding.Low, finding.Medium, finding.High, finding.Critical} {
		for _, state := range []alert.State{alert.Opened, alert.Updated, alert.Resolved} {
			told(severity.String()+" "+state.String(), state, severity)
		}
	}
	for name, want := range map[string][]string{
		"as it stands":    {"critical opened", "critical updated", "high opened", "high updated"},
		"without a state": {"critical opened", "critical resolved", "critical updated", "high opened", "high resolved", "high updated"},
	} {
		var got []string
		for _, m := range h.takes(queues[name]) {
			var n struct{ Message string }
			h.must(json.Unmarshal([]byte(*m.Body), &n))
			a, err := alert.Parse([]byte(n.Message))
			h.must(err)
			got = append(got, a.ID)
		}
		slices.Sort(got)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s, a subscriber gets (-want +got):\n%s", name, diff)
		}
	}
}
