package main

import (
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/rolewarden/rolewarden/functions/runtimetest"
	"github.com/rolewarden/rolewarden/pkg/lab"
	"github.com/rolewarden/rolewarden/pkg/meter"
	"github.com/rolewarden/rolewarden/pkg/meter/metertest"
	"github.com/rolewarden/rolewarden/pkg/notify/notifytest"
)

// T81: the built binary, over the Runtime API, with a secret that somebody
// changed to a URL which is not Slack's: nothing is posted there, the alert is
// kept on the dead-letter queue, the log raises an alarm, and neither shows the URL.
func TestTheBuiltBootstrapPostsNowhereButToSlack(t *testing.T) {
	const hub, webhook = "555555555555", "https://attacker.example/services/T0/B0/secretsecret"
	l, err := lab.New(lab.Config{Accounts: []lab.Account{{ID: hub, Name: "hub"}}})
	if err != nil {
		t.Fatal(err)
	}
	server, err := l.Start("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Close() })
	keys, err := l.Admin(hub)
	if err != nil {
		t.Fatal(err)
	}
	dead := l.Queue(hub, "alerts-dead")
	r := runtimetest.Start(t, runtimetest.Build(t, "."), map[string]string{
		"AWS_REGION": "us-east-1", "AWS_ENDPOINT_URL": server.URL,
		"AWS_ACCESS_KEY_ID": keys.AccessKeyID, "AWS_SECRET_ACCESS_KEY": keys.SecretAccessKey,
		"ROLEWARDEN_SLACK_SECRET": l.Secret(hub, "slack", webhook),
		"ROLEWARDEN_ALERT_QUEUE":  l.Queue(hub, "alerts"), "ROLEWARDEN_ALERT_DLQ": dead,
	})
	alarm := notifytest.Sample()
	body, _ := json.Marshal(map[string]string{"Type": "Notification", "MessageId": "m1", "TopicArn": "arn:aws:sns:us-east-1:555555555555:alerts", "Message": string(alarm.JSON())})
	payload, _ := json.Marshal(events.SQSEvent{Records: []events.SQSMessage{{MessageId: "a", ReceiptHandle: "r", Body: string(body)}}})
	a := r.Invoke(t, payload)
	if a.Failed != runtimetest.Answered || !strings.Contains(string(a.Body), `"batchItemFailures":[]`) {
		t.Fatalf("answered %s\n%s", a.Body, r.Log())
	}
	client := sqs.NewFromConfig(aws.Config{
		Region: "us-east-1", BaseEndpoint: aws.String(server.URL),
		Credentials: credentials.NewStaticCredentialsProvider(keys.AccessKeyID, keys.SecretAccessKey, ""),
	})
	got, err := client.ReceiveMessage(t.Context(), &sqs.ReceiveMessageInput{QueueUrl: &dead})
	if err != nil || len(got.Messages) != 1 || !strings.Contains(*got.Messages[0].Body, alarm.ID) {
		t.Fatalf("the dead-letter queue holds %+v, %v\n%s", got, err, r.Log())
	}
	if !strings.Contains(r.Log(), `"alarm"`) || strings.Contains(r.Log(), "secretsecret") {
		t.Errorf("the log:\n%s", r.Log())
	}
	lines := metertest.Lines(t, r.Log())
	if metertest.Sum(lines, meter.AlertNotTold) != 1 || metertest.Sum(lines, meter.AlertTold) != 0 || lines[0].Function != meter.Notify {
		t.Errorf("counted %v", lines)
	}
}

// A function that lacks its settings says so where an alarm sees it, and ends.
func TestTheBuiltBootstrapTellsThatItCannotStart(t *testing.T) {
	cmd := exec.CommandContext(t.Context(), runtimetest.Build(t, "."))
	cmd.Env = []string{"PATH=" + os.Getenv("PATH")}
	out, err := cmd.Output()
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != 1 {
		t.Errorf("it ended with %v", err)
	}
	if metertest.Sum(metertest.Lines(t, string(out)), meter.NotStarted) != 1 || !strings.Contains(string(out), "ROLEWARDEN_SLACK_SECRET") {
		t.Errorf("it said %s", out)
	}
}

// Every metric of notify's table is counted in the tests above: Panic,
// AlertTold, AlertDelayed and MessageFailed in those of batches. Alarm and
// Unwritten, which no working function counts, are tried in pkg/meter.
func TestNotifysTableIsTried(t *testing.T) {
	tried := []string{meter.AlertTold, meter.AlertNotTold, meter.AlertDelayed, meter.MessageFailed, meter.Panic, meter.NotStarted, meter.Alarm, meter.Unwritten}
	for _, m := range meter.All() {
		if m.Function == meter.Notify && !slices.Contains(tried, m.Name) {
			t.Errorf("%s is in the table, and nothing shows that it is ever counted", m.Name)
		}
	}
}
