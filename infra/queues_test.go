package main

import (
	"slices"
	"strings"
	"testing"

	"github.com/rolewarden/rolewarden/pkg/deployment"
)

// T3: whoever could send to a queue in EventBridge's name could write any body.
// SNS is asked for the topic's ARN alone: its guide shows no other condition,
// and the ARN names the account.
func TestNoQueueLetsAServiceSendWithoutSourceARNAndAccount(t *testing.T) {
	for stack, tpl := range cores(t) {
		for id, r := range of(t, tpl, "AWS::SQS::QueuePolicy") {
			for _, s := range statements(t, r.Properties["PolicyDocument"]) {
				if s["Effect"] != "Allow" {
					continue
				}
				if at(s, "Principal", "Service") == nil {
					t.Errorf("%s %s: lets in %v; functions are let in by their roles", stack, id, s["Principal"])
				}
				sources := listOf(at(s, "Condition", "ArnEquals", "aws:SourceArn"))
				if len(sources) == 0 || strings.ContainsAny(strings.Join(sources, ""), "*?") {
					t.Errorf("%s %s: %v does not name what it sends for: %v", stack, id, s["Principal"], sources)
				}
				account := shown(at(s, "Condition", "StringEquals", "aws:SourceAccount"))
				if topic := shown(at(s, "Principal", "Service")) == "sns.amazonaws.com"; !topic && len(account) != 12 {
					t.Errorf("%s %s: the source account is %q", stack, id, account)
				}
				for _, source := range sources {
					if parts := strings.Split(source, ":"); len(parts) < 6 || parts[4] != "555555555555" && parts[4] != "111122223333" {
						t.Errorf("%s %s: %s is of no account, or of another", stack, id, source)
					}
				}
				if action := listOf(s["Action"]); !slices.Equal(action, []string{"sqs:SendMessage"}) {
					t.Errorf("%s %s: a service may %v", stack, id, action)
				}
			}
		}
	}
}

func TestEveryQueueRefusesWhatComesInTheClear(t *testing.T) {
	for stack, tpl := range cores(t) {
		safe := map[string]bool{}
		for _, r := range of(t, tpl, "AWS::SQS::QueuePolicy") {
			for _, s := range statements(t, r.Properties["PolicyDocument"]) {
				if s["Effect"] == "Deny" && s["Principal"] == "*" && s["Action"] == "sqs:*" && shown(at(s, "Condition", "Bool", "aws:SecureTransport")) == "false" {
					for _, q := range r.Properties["Queues"].([]any) {
						safe[referred(q)] = true
					}
				}
			}
		}
		for id := range of(t, tpl, "AWS::SQS::Queue") {
			if !safe[id] {
				t.Errorf("%s: %s takes messages without TLS", stack, id)
			}
		}
	}
}

// pairs gives the queues that feed functions, with their dead-letter queues.
func pairs(t *testing.T, tpl stackTemplate) map[string][2]resource {
	t.Helper()
	out := map[string][2]resource{}
	for id, r := range of(t, tpl, "AWS::SQS::Queue") {
		if dead := at(r.Properties, "RedrivePolicy", "deadLetterTargetArn"); dead != nil {
			out[id] = [2]resource{r, tpl.Resources[referred(dead)]}
		}
	}
	if len(out) != 4 {
		t.Fatalf("%d queues have a dead-letter queue, not intake, later, sweep and alerts", len(out))
	}
	return out
}

// T13: with one key for both, disabling it would lose messages.
func TestADeadLetterQueueSurvivesADisabledKey(t *testing.T) {
	for stack, tpl := range cores(t) {
		for id, p := range pairs(t, tpl) {
			if referred(p[0].Properties["KmsMasterKeyId"]) != "DataKey" {
				t.Errorf("%s: %s is not encrypted with the data key", stack, id)
			}
			if p[1].Properties["SqsManagedSseEnabled"] != true || p[1].Properties["KmsMasterKeyId"] != nil {
				t.Errorf("%s: the dead-letter queue of %s is not on SQS's own key: %v", stack, id, p[1].Properties)
			}
		}
		dead := named(t, tpl, "AWS::SQS::Queue", "QueueName", deployment.RuleDLQ)
		if dead.Properties["SqsManagedSseEnabled"] != true || dead.Properties["KmsMasterKeyId"] != nil {
			t.Errorf("%s: the rules' dead-letter queue is not on SQS's own key: %v", stack, dead.Properties)
		}
	}
}

// The days of a message are counted from when it was first sent: what dies on
// the last of them could not be looked at.
func TestAMessageThatDiesIsKeptForTenDaysMore(t *testing.T) {
	const day = 24 * 60 * 60.0
	for stack, tpl := range cores(t) {
		for id, p := range pairs(t, tpl) {
			receipts := number(t, at(p[0].Properties, "RedrivePolicy", "maxReceiveCount"))
			tried := receipts * number(t, p[0].Properties["VisibilityTimeout"])
			kept := number(t, p[1].Properties["MessageRetentionPeriod"])
			if kept-tried < 10*day || number(t, p[0].Properties["MessageRetentionPeriod"]) <= tried {
				t.Errorf("%s: %s tries for %.1f days, and its dead-letter queue keeps messages for %.1f", stack, id, tried/day, kept/day)
			}
			if tried < day {
				t.Errorf("%s: %s gives up after %.1f days", stack, id, tried/day)
			}
			allowed := listOf(at(p[1].Properties, "RedriveAllowPolicy", "sourceQueueArns"))
			if len(allowed) != 1 || !strings.HasSuffix(allowed[0], ":"+shown(p[0].Properties["QueueName"])) {
				t.Errorf("%s: the dead-letter queue of %s serves %v", stack, id, allowed)
			}
		}
	}
}

func TestVisibilityIsAtLeastSixTimesTheTimeout(t *testing.T) {
	for stack, tpl := range cores(t) {
		for id, r := range of(t, tpl, "AWS::Lambda::EventSourceMapping") {
			q := tpl.Resources[referred(r.Properties["EventSourceArn"])]
			f := tpl.Resources[referred(r.Properties["FunctionName"])]
			window, _ := r.Properties["MaximumBatchingWindowInSeconds"].(float64)
			if have, want := number(t, q.Properties["VisibilityTimeout"]), 6*number(t, f.Properties["Timeout"])+window; have < want {
				t.Errorf("%s: %s: a message is hidden for %v s and needs %v", stack, id, have, want)
			}
		}
	}
}

// A message that fails must not bring back its neighbours, and a queue that
// may run more than is reserved would receive messages in vain.
func TestAQueueFeedsNoMoreThanItsFunctionMayRun(t *testing.T) {
	for stack, tpl := range cores(t) {
		sum := map[string]float64{}
		for id, r := range of(t, tpl, "AWS::Lambda::EventSourceMapping") {
			if !slices.Equal(listOf(r.Properties["FunctionResponseTypes"]), []string{"ReportBatchItemFailures"}) {
				t.Errorf("%s: %s does not report single failures", stack, id)
			}
			if n := number(t, r.Properties["BatchSize"]); n > 10 {
				t.Errorf("%s: %s takes %v messages at once", stack, id, n)
			}
			sum[referred(r.Properties["FunctionName"])] += number(t, at(r.Properties, "ScalingConfig", "MaximumConcurrency"))
		}
		for id, n := range sum {
			// The single account reserves nothing, and its queues are those of the hub.
			if reserved := number(t, cores(t)[deployment.HubStack].Resources[id].Properties["ReservedConcurrentExecutions"]); n > reserved {
				t.Errorf("%s: the queues of %s may run it %v times at once, and %v are reserved", stack, id, n, reserved)
			}
		}
	}
}

// What SNS cannot hand over is not lost either.
func TestAlertsThatSNSCannotDeliverAreKept(t *testing.T) {
	for stack, tpl := range cores(t) {
		r := named(t, tpl, "AWS::SNS::Subscription", "Protocol", "sqs")
		if at(r.Properties, "RawMessageDelivery") != false {
			t.Errorf("%s: notify reads the envelope of SNS, and the subscription leaves it away", stack)
		}
		dead := referred(at(r.Properties, "RedrivePolicy", "deadLetterTargetArn"))
		for _, s := range statements(t, tpl.Resources[dead+"Policy"].Properties["PolicyDocument"]) {
			if at(s, "Principal", "Service") == "sns.amazonaws.com" {
				dead = ""
			}
		}
		if dead != "" {
			t.Errorf("%s: SNS may not send to %s", stack, dead)
		}
	}
}

func TestTheQueuesAreTheOnesThatTheDoctorLooksFor(t *testing.T) {
	d, err := load("organization.yaml", "")
	if err != nil {
		t.Fatal(err)
	}
	for stack, tpl := range cores(t) {
		want := []string{deployment.RuleDLQ}
		for _, q := range d.Queues() {
			want = append(want, q, q+deployment.DLQ)
		}
		for _, q := range want {
			named(t, tpl, "AWS::SQS::Queue", "QueueName", q)
		}
		if n := len(of(t, tpl, "AWS::SQS::Queue")); n != len(want) {
			t.Errorf("%s holds %d queues, want %d", stack, n, len(want))
		}
	}
}
