package trail_test

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/rolewarden/rolewarden/pkg/awsapi/mototest"
	"github.com/rolewarden/rolewarden/pkg/trail"
)

var moto mototest.Server

func TestMain(m *testing.M) { os.Exit(moto.Main(m)) }

// mark is a field of the record by which a test knows an event again.
const mark = "test"

// T2: put on a bus of moto's, over the wire, the files of events/ that should
// arrive do, and no file or forged envelope that should not.
func TestT2RulesOnABusDeliverWhatShouldArriveAndNothingForged(t *testing.T) {
	t.Parallel()
	config := moto.AWS(t)
	bus, queues := eventbridge.NewFromConfig(config), sqs.NewFromConfig(config)
	queue, err := queues.CreateQueue(t.Context(), &sqs.CreateQueueInput{QueueName: aws.String("rolewarden-pattern-test")})
	if err != nil {
		t.Fatal(err)
	}
	for i, pattern := range trail.Patterns(trail.PatternOptions{AssumeRole: listed}) {
		rule := aws.String(fmt.Sprintf("rolewarden-pattern-test-%d", i))
		if _, err := bus.PutRule(t.Context(), &eventbridge.PutRuleInput{Name: rule, EventPattern: aws.String(pattern)}); err != nil {
			t.Fatal(err)
		}
		target := types.Target{Id: aws.String("queue"), Arn: aws.String("arn:aws:sqs:us-east-1:" + mototest.Account + ":rolewarden-pattern-test")}
		if _, err := bus.PutTargets(t.Context(), &eventbridge.PutTargetsInput{Rule: rule, Targets: []types.Target{target}}); err != nil {
			t.Fatal(err)
		}
	}
	var want []string
	all := sendable(t)
	for chunk := range slices.Chunk(all, 10) {
		var entries []types.PutEventsRequestEntry
		for _, s := range chunk {
			entries = append(entries, s.entry)
			if s.arrives {
				want = append(want, s.name)
			}
		}
		if sent, err := bus.PutEvents(t.Context(), &eventbridge.PutEventsInput{Entries: entries}); err != nil || sent.FailedEntryCount > 0 {
			t.Fatalf("%+v, %v", sent, err)
		}
	}
	slices.Sort(want)
	if got := received(t, queues, queue.QueueUrl); !slices.Equal(got, want) {
		t.Errorf("arrived:\n%s\nshould have:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if len(all)-len(want) < 200 {
		t.Errorf("only %d envelopes that should not arrive", len(all)-len(want))
	}
}

// sending is an event as it is put on a bus.
type sending struct {
	name    string
	arrives bool
	entry   types.PutEventsRequestEntry
}

// sendable gives the files of events/, and forgeries of one for each pattern,
// as far as they can be put on a bus: with texts for source and detail-type, and an
// object for the detail.
func sendable(t *testing.T) []sending {
	t.Helper()
	var out []sending
	add := func(name, arrives string, e map[string]any) {
		source, _ := e["source"].(string)
		detailType, _ := e["detail-type"].(string)
		record, ok := e["detail"].(map[string]any)
		if source == "" || detailType == "" || !ok {
			return
		}
		record[mark] = name
		text, err := json.Marshal(record)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, sending{name, arrives != "no", types.PutEventsRequestEntry{
			Source: aws.String(source), DetailType: aws.String(detailType), Detail: aws.String(string(text)),
		}})
	}
	stories, events := readStories(t), readEvents(t)
	for name, text := range events {
		add(name, stories[name].arrives, clone(t, text))
	}
	for _, name := range []string{"UpdateAssumeRolePolicy.backdoor.json", "AssumeRole.without-session-policy.json"} {
		for _, f := range forgeries(t, name, events[name]) {
			add(f.name, "no", f.event)
		}
	}
	return out
}

// received empties a queue and gives the names of the events that were on it.
func received(t *testing.T, queues *sqs.Client, url *string) []string {
	t.Helper()
	var names []string
	for {
		got, err := queues.ReceiveMessage(t.Context(), &sqs.ReceiveMessageInput{QueueUrl: url, MaxNumberOfMessages: 10})
		if err != nil {
			t.Fatal(err)
		}
		if len(got.Messages) == 0 {
			slices.Sort(names)
			return names
		}
		for _, m := range got.Messages {
			var e struct{ Detail map[string]any }
			if err := json.Unmarshal([]byte(*m.Body), &e); err != nil {
				t.Fatal(err)
			}
			names = append(names, fmt.Sprint(e.Detail[mark]))
		}
	}
}
