package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/rolewarden/rolewarden/functions/runtimetest"
)

// plan is one run: events a second for some seconds, or all at once.
type plan struct {
	name          string
	rate, seconds int
	burst         int
	// share is that of the noisy account; zero for an even load.
	share float64
}

// enough is how long the last events of a run may take to come to their ends: an
// event beyond its account's share waits in the later queue for as long as SQS
// delays a message, 900 s (Amazon SQS API Reference, API_SendMessage), and shows again
// after 360 s where its handling fails, or where the answer that brought it is lost:
// once in some ten thousand, Go's client closes a connection whose answer it has not
// read, and the SDK asks again (aws/aws-sdk-go-v2, pull request 2949).
const enough = 30 * time.Minute

// drawn is an event of a role of a plan's account.
func (c *crowd) drawn(p plan, r *rand.Rand) message {
	account := c.accounts[r.IntN(len(c.accounts))]
	if p.share > 0 {
		if account = c.accounts[1+r.IntN(len(c.accounts)-1)]; r.Float64() < p.share {
			account = noisy
		}
	}
	return c.changed(account, fmt.Sprint("app-", r.IntN(roles)), nobodyButEC2)
}

// send puts a plan's events on the intake queue, and gives them by their ids.
func (c *crowd) send(p plan, first []message, intake chan<- message) map[string]message {
	sent, r := map[string]message{}, rand.New(rand.NewPCG(7, 7)) //nolint:gosec // the same load each time
	put := func(m message) {
		sent[m.id] = m
		intake <- m
	}
	for _, m := range first {
		put(m)
	}
	for range p.burst {
		put(c.drawn(p, r))
	}
	begin, tick := time.Now(), time.NewTicker(10*time.Millisecond)
	defer tick.Stop()
	for n := 0; n < p.rate*p.seconds; {
		for due := int(time.Since(begin).Seconds() * float64(p.rate)); n < min(due, p.rate*p.seconds); n++ {
			put(c.drawn(p, r))
		}
		<-tick.C
	}
	return sent
}

// run sends a plan's events while the processes work, and waits until each has
// ended, or until it has taken too long.
func (c *crowd) run(p plan, first ...message) outcome {
	c.t.Helper()
	intake, done := make(chan message, 2*(p.burst+p.rate*p.seconds+len(first))), make(chan struct{})
	var wg sync.WaitGroup
	for _, r := range c.intake {
		wg.Go(func() { c.takeEvents(r, intake, done) })
	}
	for _, r := range c.later {
		wg.Go(func() { c.takeSteps(r, done) })
	}
	sent := c.send(p, first, intake)
	begin := time.Now()
	var lines map[string][]ending
	for {
		lines = c.handled(sent)
		if left := len(sent) - len(lines); left == 0 || time.Since(begin) > enough || c.t.Failed() {
			break
		}
		time.Sleep(500 * time.Millisecond)
	}
	close(done)
	wg.Wait()
	return c.outcome(p, sent, lines)
}

// takeEvents hands batches of the intake queue to a process, as Lambda does, and
// puts back what failed.
func (c *crowd) takeEvents(r *runtimetest.Runtime, intake chan message, done <-chan struct{}) {
	for {
		var batch []message
		select {
		case m := <-intake:
			batch = append(batch, m)
		case <-done:
			return
		}
		for more := true; more && len(batch) < 10; {
			select {
			case m := <-intake:
				batch = append(batch, m)
			default:
				more = false
			}
		}
		var e events.SQSEvent
		for _, m := range batch {
			e.Records = append(e.Records, events.SQSMessage{MessageId: m.id, Body: string(m.body), EventSourceARN: "arn:aws:sqs:us-east-1:" + hub + ":intake"})
		}
		failed := c.hand(r, e)
		for _, m := range batch {
			if slices.Contains(failed, m.id) {
				intake <- m
			}
		}
	}
}

// takeSteps hands what shows in the later queue to a process, and deletes what is done.
func (c *crowd) takeSteps(r *runtimetest.Runtime, done <-chan struct{}) {
	for {
		select {
		case <-done:
			return
		default:
		}
		got, err := c.sqs.ReceiveMessage(c.t.Context(), &sqs.ReceiveMessageInput{QueueUrl: aws.String(c.url), MaxNumberOfMessages: 10, VisibilityTimeout: 6 * 60})
		if err != nil {
			c.t.Errorf("receiving from the later queue: %v", err)
			return
		}
		if len(got.Messages) == 0 {
			time.Sleep(50 * time.Millisecond)
			continue
		}
		var e events.SQSEvent
		for _, m := range got.Messages {
			e.Records = append(e.Records, events.SQSMessage{MessageId: *m.MessageId, Body: *m.Body, EventSourceARN: "arn:aws:sqs:us-east-1:" + hub + ":later"})
		}
		failed := c.hand(r, e)
		for _, m := range got.Messages {
			if slices.Contains(failed, *m.MessageId) {
				continue
			}
			if _, err := c.sqs.DeleteMessage(c.t.Context(), &sqs.DeleteMessageInput{QueueUrl: aws.String(c.url), ReceiptHandle: m.ReceiptHandle}); err != nil {
				c.t.Errorf("deleting from the later queue: %v", err)
			}
		}
	}
}

// hand invokes a process with one batch and gives the messages that come again.
func (c *crowd) hand(r *runtimetest.Runtime, e events.SQSEvent) []string {
	payload, err := json.Marshal(e)
	if err != nil {
		c.t.Error(err)
		return nil
	}
	a := r.Invoke(c.t, payload)
	var res events.SQSEventResponse
	if err := json.Unmarshal(a.Body, &res); a.Failed != runtimetest.Answered || err != nil {
		c.t.Errorf("the function answered %s", a.Body)
	}
	var failed []string
	for _, f := range res.BatchItemFailures {
		failed = append(failed, f.ItemIdentifier)
	}
	return failed
}

// whole reads a number of the environment; less is that of the short test.
func whole(t *testing.T, name string, less int) int {
	t.Helper()
	text := os.Getenv(name)
	if text == "" {
		return less
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		t.Fatalf("%s is %q: give a whole number from 1", name, text)
	}
	return n
}

// T11, I1: under a steady load, a load that one account sends most of, and a
// burst, every event that the built function is handed has one end in the
// ledger's table; no event of a quiet account waits because of a noisy one; and
// nothing is written but what somebody had opened. Figures are printed: this is
// `make load`, and shorter with every `go test`.
func TestNothingIsLostUnderLoadAndNobodyWaitsForTheNoisy(t *testing.T) {
	if testing.Short() {
		t.Skip("takes some ten seconds")
	}
	seconds, rate, burst := whole(t, "ROLEWARDEN_LOAD_SECONDS", 2), whole(t, "ROLEWARDEN_LOAD_RATE", 200), whole(t, "ROLEWARDEN_LOAD_BURST", 300)
	c := newCrowd(t)
	var first []message
	for i := range opened {
		first = append(first, c.changed(prod, fmt.Sprint("opened-", i), backdoor))
	}
	// What starting costs is another figure (BenchmarkColdStart).
	warm := c.run(plan{name: "warm", burst: 100}, first...)
	even := c.run(plan{name: "even", rate: rate, seconds: seconds})
	loud := c.run(plan{name: "noisy", rate: rate, seconds: seconds, share: 0.9})
	all := c.run(plan{name: "burst", burst: burst})
	for _, o := range []outcome{warm, even, loud, all} {
		c.conserved(o)
		t.Log(o.text())
	}
	for _, m := range first {
		if end := warm.ends[m.id]; end != "Reverted" {
			t.Errorf("the event of an opened role ended in %s", end)
		}
	}
	t.Logf("others' p99 beside the noisy account is %.2f times that of the even load; %s", ratio(loud.others, even.others), loadAverage())
	for account, n := range loud.waited {
		if account != noisy {
			t.Errorf("%d events of the quiet account %s waited", n, account)
		}
	}
	// What the process of a noisy account may handle at once: its burst, each
	// role once a minute, and five a second.
	straight, may := loud.sent[noisy]-loud.waited[noisy], intakes*(100+roles*(2+int(loud.took.Minutes()))+5*(1+int(loud.took.Seconds())))
	if straight > may {
		t.Errorf("%d of %d events of the noisy account were handled at once; its share is %d", straight, loud.sent[noisy], may)
	}
	c.wroteOnlyWhatWasOpened()
}

// conserved fails the test for each event without exactly one end.
func (c *crowd) conserved(o outcome) {
	c.t.Helper()
	lost := 0
	for id := range o.lines {
		if o.ends[id] == "" {
			lost++
		}
	}
	if n := o.total - len(o.lines); n > 0 || lost > 0 {
		c.t.Errorf("%s: of %d events %d came to no end and %d have none in the table\n%s", o.name, o.total, n, lost, o.text())
	}
	for _, id := range o.unended[:min(5, len(o.unended))] {
		c.t.Errorf("%s: the table says that event %s ended in %q; logged of it:\n%s", o.name, id, o.ends[id], c.about(id))
	}
	for id, ends := range o.lines {
		if len(ends) != 1 || ends[0].End != o.ends[id] {
			c.t.Errorf("%s: event %s ended %d times, in %+v, and the table says %q", o.name, id, len(ends), ends, o.ends[id])
		}
	}
}

// wroteOnlyWhatWasOpened fails the test for any other write of a trust policy.
func (c *crowd) wroteOnlyWhatWasOpened() {
	c.t.Helper()
	wrote := map[string]int{}
	for _, call := range c.lab.Calls() {
		if call.Action == "UpdateAssumeRolePolicy" {
			wrote[call.Resource]++
		}
	}
	want := map[string]int{}
	for i := range opened {
		want[fmt.Sprint("opened-", i)] = 1
	}
	if !maps.Equal(wrote, want) {
		c.t.Errorf("written: %v, want %v", wrote, want)
	}
	if strings.Contains(c.log(), "example-external-id") {
		c.t.Error("the log shows the external id")
	}
}
